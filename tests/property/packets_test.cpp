// SPDX-License-Identifier: BSD-2-Clause
//
// What holds for every packet (tests/fuzz/packet_checks.hpp), for good, damaged and random ones in
// every configuration.
#include "tests/fuzz/packet_checks.hpp"
#include "tests/fuzz/packet_input.hpp"
#include "tests/property/generator.hpp"
#include "tests/support/golden.hpp"
#include "tests/unit/catch.hpp"

using namespace xlat646;
using namespace xlat646::test;

namespace {

void check(fuzz::Variant& v, const Bytes& packet, const OffloadHeader& offload = {}) {
    const std::string wrong = fuzz::check_packet(v, packet.data(), packet.size(), offload);
    if (wrong.empty()) return;
    CAPTURE(to_hex(packet).substr(0, 3000), int{offload.flags}, int{offload.gso_type},
            offload.gso_size, offload.checksum_start, offload.checksum_offset);
    INFO(wrong);
    FAIL();
}

Bytes random_packet(Random& random, std::size_t largest) {
    const Peers peers;
    switch (random.below(5)) {
    case 0:
    case 1: return random_ipv4(random, peers, largest);
    case 2: return random_error4(random, peers, largest);
    default: return random_ipv6(random, peers, largest);
    }
}

void damage(Random& random, Bytes& packet) {
    for (std::size_t n = 1 + random.below(4); n > 0; --n)
        packet[random.below(random.one_in(2) ? packet.size()
                                             : std::min<std::size_t>(packet.size(), 60))] =
            random.byte();
    if (random.one_in(6)) packet.resize(random.below(packet.size() + 1));
    if (random.one_in(12)) packet.resize(packet.size() + random.below(50), random.byte());
}

OffloadHeader random_offload(Random& random, const Bytes& packet) {
    static constexpr std::uint8_t types[] = {0, 0, 1, 3, 4, 5, 0x81, 0x84};
    OffloadHeader o;
    o.flags = random.one_in(4) ? random.byte() : std::uint8_t{1};
    o.gso_type = random.one_in(20) ? random.byte() : types[random.below(std::size(types))];
    o.gso_size = random.one_in(4) ? random.word() : static_cast<std::uint16_t>(random.below(200));
    o.header_length = random.word();
    const auto parsed = parse_packet(packet.data(), packet.size());
    if (parsed && !random.one_in(5)) {
        const auto field = checksum_field(*parsed);
        o.checksum_start = static_cast<std::uint16_t>(parsed->transport);
        o.checksum_offset = static_cast<std::uint16_t>(field ? *field - parsed->transport : 6);
    } else {
        o.checksum_start = random.word();
        o.checksum_offset = random.word();
    }
    return o;
}

/// As the kernel hands it over: the field holds the sum of the pseudo-header.
void seed_checksum(Bytes& packet) {
    const auto parsed = parse_packet(packet.data(), packet.size());
    const auto field = parsed ? checksum_field(*parsed) : std::nullopt;
    if (field) put16(&packet[*field], pseudo_sum(*parsed, parsed->transport_length));
}

std::uint64_t seeds(std::uint64_t fixed) { return GENERATE_COPY(fixed, fresh_seed()); }

} // namespace

TEST_CASE("property: checksums are valid after exactly if they were before",
          "[L4-01][L4-03][L4-06][L4-07][L4-08][L4-12][CK-02][CK-06][CK-08]") {
    const std::uint64_t seed = seeds(201);
    INFO("seed " << seed);
    Random random(seed);
    for (int i = 0; i < 20000; ++i) {
        Bytes packet = random_packet(random, 1500);
        if (random.one_in(3)) { // only the payload: headers stay good
            const auto parsed = parse_packet(packet.data(), packet.size());
            REQUIRE(parsed);
            const std::size_t header = parsed->transport + 8;
            if (packet.size() > header && !parsed->is_icmp())
                packet[header + random.below(packet.size() - header)] = random.byte();
        }
        check(fuzz::variant(random.byte()), packet);
    }
}

TEST_CASE("property: large packets fall into the right pieces",
          "[F46-04][F46-09][F46-17][F64-06]") {
    const std::uint64_t seed = seeds(202);
    INFO("seed " << seed);
    Random random(seed);
    for (int i = 0; i < 1000; ++i)
        check(fuzz::variant(random.byte()), random_packet(random, 65000));
}

TEST_CASE("property: damaged packets", "[SEC-06][SEC-08][G4-03][G6-04]") {
    const std::uint64_t seed = seeds(203);
    INFO("seed " << seed);
    Random random(seed);
    for (int i = 0; i < 20000; ++i) {
        Bytes packet = random_packet(random, 700);
        damage(random, packet);
        if (!packet.empty())
            fuzz::repair(packet, static_cast<std::uint8_t>(random.below(32) & ~1u));
        check(fuzz::variant(random.byte()), packet);
    }
}

TEST_CASE("property: random bytes", "[SEC-06]") {
    const std::uint64_t seed = seeds(204);
    INFO("seed " << seed);
    Random random(seed);
    for (int i = 0; i < 20000; ++i) {
        Bytes packet(random.below(random.one_in(10) ? 2000 : 120));
        for (auto& b : packet)
            b = random.byte();
        if (!packet.empty() && !random.one_in(10))
            packet[0] = static_cast<std::uint8_t>(random.one_in(2) ? 0x45 : 0x60);
        fuzz::repair(packet, random.byte());
        check(fuzz::variant(random.byte()), packet, random_offload(random, packet));
    }
}

TEST_CASE("property: errors around damaged quotes", "[INN-11][INN-13][SEC-06][X84-07]") {
    const std::uint64_t seed = seeds(205);
    INFO("seed " << seed);
    Random random(seed);
    for (int i = 0; i < 20000; ++i) {
        Bytes input(10 + random.below(400));
        for (auto& b : input)
            b = random.one_in(3) ? 0 : random.byte();
        input[2] = Bytes{1, 2, 3, 4, 11, 12}[random.below(6)];
        input[3] = static_cast<std::uint8_t>(random.below(7));
        if (input.size() > 20) {
            input[16] = Bytes{0, 44, 58, 6, 17}[random.below(5)];
            input[19] = Bytes{1, 6, 17, 58}[random.below(4)];
        }
        check(fuzz::variant(random.byte()), fuzz::icmp_error_of(input.data(), input.size()));
    }
}

TEST_CASE("property: packets with offload headers",
          "[GSO-01][GSO-02][GSO-03][GSO-04][GSO-05][GSO-06][GSO-07][GSO-08][GSO-11]") {
    const std::uint64_t seed = seeds(206);
    INFO("seed " << seed);
    Random random(seed);
    for (int i = 0; i < 20000; ++i) {
        Bytes packet = random_packet(random, random.one_in(20) ? 65000 : 3000);
        const OffloadHeader offload = random_offload(random, packet);
        if (!random.one_in(4)) seed_checksum(packet);
        check(fuzz::variant(random.byte()), packet, offload);
    }
}
