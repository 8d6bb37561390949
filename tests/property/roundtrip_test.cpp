// SPDX-License-Identifier: BSD-2-Clause
//
// A packet that goes through and, as if the other side sent it back (addresses exchanged, which no
// checksum notices), through again is the same but for what the RFC says is lost.
#include "tests/fuzz/packet_checks.hpp"
#include "tests/property/generator.hpp"
#include "tests/support/golden.hpp"
#include "tests/unit/catch.hpp"

#include <algorithm>

using namespace xlat646;
using namespace xlat646::test;

namespace {

constexpr int rounds = 8000;

/// The only packet that comes out; empty, and a failed check, if anything else happens.
Bytes translate(fuzz::Variant& v, const Bytes& in) {
    TestBuffer buffer(in, {});
    const Outcome outcome = v.translator->translate(buffer.packet, *v.table);
    if (!outcome.is_forward()) {
        FAIL_CHECK("not forwarded: " << name_of(outcome.reason()) << " " << to_hex(in));
        return {};
    }
    const Bytes out = buffer.bytes();
    if (v.translator->next_piece(buffer.packet)) {
        FAIL_CHECK("in pieces: " << to_hex(in));
        return {};
    }
    return out;
}

void exchange_addresses(Bytes& packet, std::size_t at) {
    if (packet.size() < at + 40 && packet[at] >> 4 == 6) return;
    const std::size_t size = packet[at] >> 4 == 4 ? 4 : 16;
    const auto first = packet.begin() + static_cast<std::ptrdiff_t>(at + (size == 4 ? 12 : 8));
    std::swap_ranges(first, first + static_cast<std::ptrdiff_t>(size),
                     first + static_cast<std::ptrdiff_t>(size));
}

/// The packet as it must come back: two hops less, no options, DF by size.
Bytes expected4(const Bytes& in) {
    Bytes e = in;
    const std::size_t header = (in[0] & 15u) * 4u;
    e.erase(e.begin() + 20, e.begin() + static_cast<std::ptrdiff_t>(header));
    e[0] = 0x45;
    e[8] = static_cast<std::uint8_t>(e[8] - 2);
    put16(&e[2], e.size());
    const unsigned fragment = get16(&e[6]) & 0x3fffu;
    put16(&e[6], fragment | (fragment == 0 && e.size() > 1260 ? 0x4000u : 0u));
    return e;
}

/// Identification of whole packets is free, and so is the checksum over it.
void forget_identification(Bytes& packet) {
    if ((get16(&packet[6]) & 0x3fff) == 0) put16(&packet[4], 0);
    put16(&packet[10], 0);
}

} // namespace

TEST_CASE("round trip: IPv4, IPv6, IPv4",
          "[T46-01][T64-01][T46-05][T46-06][F46-03][F46-10][L4-01]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{101}, fresh_seed());
    INFO("seed " << seed);
    Random random(seed);
    const Peers peers;
    fuzz::Variant& v = fuzz::variant(0);
    std::size_t sent_by_protocol[256] = {};
    for (int i = 0; i < rounds; ++i) {
        // Small enough that no piece is cut: fragments of 1280 and less, whole ones with any DF.
        const Bytes in = random_ipv4(random, peers, 1240);
        Bytes there = translate(v, in);
        REQUIRE_FALSE(there.empty());
        exchange_addresses(there, 0);
        Bytes back = translate(v, there);
        REQUIRE_FALSE(back.empty());
        exchange_addresses(back, 0);
        REQUIRE(plain_sum(back.data(), 20) == 0xffff);
        Bytes wanted = expected4(in);
        forget_identification(wanted);
        forget_identification(back);
        if (back != wanted) {
            CAPTURE(to_hex(in), to_hex(there));
            REQUIRE(to_hex(back) == to_hex(wanted));
        }
        ++sent_by_protocol[in[9]];
    }
    for (const std::uint8_t proto : Bytes{1, 6, 17, 33, 136, 132, 50, 253})
        CHECK(sent_by_protocol[proto] > rounds / 20);
}

TEST_CASE("round trip: large IPv4 packets with DF", "[T46-01][F46-06][T64-06]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{102}, fresh_seed());
    INFO("seed " << seed);
    Random random(seed);
    const Peers peers;
    fuzz::Variant& v = fuzz::variant(0);
    int large = 0;
    for (int i = 0; i < rounds; ++i) {
        Bytes in = random_ipv4(random, peers, 1480);
        if ((get16(&in[6]) & 0x4000) == 0) continue;
        Bytes there = translate(v, in);
        REQUIRE_FALSE(there.empty());
        exchange_addresses(there, 0);
        Bytes back = translate(v, there);
        REQUIRE_FALSE(back.empty());
        exchange_addresses(back, 0);
        Bytes wanted = expected4(in);
        large += wanted.size() > 1260;
        forget_identification(wanted);
        forget_identification(back);
        REQUIRE(to_hex(back) == to_hex(wanted));
    }
    CHECK(large > 100);
}

TEST_CASE("round trip: IPv6, IPv4, IPv6", "[T46-01][T64-01][T64-10][F64-01][L4-01][CK-06]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{103}, fresh_seed());
    INFO("seed " << seed);
    Random random(seed);
    const Peers peers;
    fuzz::Variant& v = fuzz::variant(0);
    std::size_t fragments = 0;
    for (int i = 0; i < rounds; ++i) {
        const Bytes in = random_ipv6(random, peers, 1280);
        const auto parsed = parse_packet(in.data(), in.size());
        REQUIRE(parsed);
        Bytes there = translate(v, in);
        REQUIRE_FALSE(there.empty());
        exchange_addresses(there, 0);
        put16(&there[10], 0);
        put16(&there[10], 0xffffu - plain_sum(there.data(), 20));
        Bytes back = translate(v, there);
        REQUIRE_FALSE(back.empty());
        exchange_addresses(back, 0);

        // The same without flow label, options and two hops; the Fragment header is kept.
        Bytes transport(in.begin() + static_cast<std::ptrdiff_t>(parsed->transport), in.end());
        Ipv6Fields f;
        f.source = peers.server6;
        f.destination = peers.client6;
        f.next_header = parsed->protocol;
        f.hop_limit = static_cast<std::uint8_t>(parsed->hops - 2);
        f.traffic_class = parsed->octet;
        if (parsed->is_fragment()) {
            ++fragments;
            Bytes fragment = {parsed->protocol, 0, 0, 0, 0, 0, 0, 0};
            put16(&fragment[2], parsed->offset + (parsed->more ? 1 : 0));
            put32(&fragment[4], parsed->identification & 0xffff);
            transport.insert(transport.begin(), fragment.begin(), fragment.end());
            f.next_header = 44;
        }
        const Bytes wanted = ipv6_packet(f, transport);
        if (back != wanted) {
            CAPTURE(to_hex(in), to_hex(there));
            REQUIRE(to_hex(back) == to_hex(wanted));
        }
    }
    CHECK(fragments > rounds / 20);
}

TEST_CASE("round trip: ICMP errors with their quotes",
          "[I46-01][I46-05][I64-03][INN-01][INN-05][INN-07][INN-15]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{104}, fresh_seed());
    INFO("seed " << seed);
    Random random(seed);
    const Peers peers;
    fuzz::Variant& v = fuzz::variant(0);
    for (int i = 0; i < rounds; ++i) {
        const Bytes in = random_error4(random, peers, 500);
        Bytes there = translate(v, in);
        REQUIRE_FALSE(there.empty());
        exchange_addresses(there, 0);
        exchange_addresses(there, 48); // the quoted packet goes the other way then
        Bytes back = translate(v, there);
        REQUIRE_FALSE(back.empty());
        exchange_addresses(back, 0);
        exchange_addresses(back, 28);
        Bytes wanted = expected4(in);
        forget_identification(wanted);
        forget_identification(back);
        if (back != wanted) {
            CAPTURE(to_hex(in), to_hex(there));
            REQUIRE(to_hex(back) == to_hex(wanted));
        }
    }
}
