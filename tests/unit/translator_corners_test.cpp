// SPDX-License-Identifier: BSD-2-Clause
//
// Packets that golden rows leave out: too large, too short, or with nothing visible coming out.
#include "tests/support/cast.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/packets.hpp"
#include "tests/unit/catch.hpp"
#include "translator/siit/translator.hpp"

#include <nlohmann/json.hpp>

using namespace xlat646;
using namespace xlat646::test;

namespace {

const Ipv4Address own4 = *Ipv4Address::parse("203.0.113.1");
const Ipv6Address own6 = *Ipv6Address::parse("2001:db8:ffff::1");
const Ipv6Address other6 = *Ipv6Address::parse("2001:db8:1::20");
const Ipv6Address server_in_prefix = *Ipv6Address::parse("2001:db8:64::192.0.2.1");
const Ipv6Address other_in_prefix = *Ipv6Address::parse("2001:db8:64::192.0.2.2");
const Ipv6Address router6 = *Ipv6Address::parse("2001:db8:ff::1");

struct Result {
    Outcome outcome;
    Bytes packet; ///< what leaves, or what is left of a dropped one
};

/// One packet through a fresh translator with two pairs.
Result translate(const Bytes& in, const OffloadHeader& offload = {},
                 std::vector<std::uint16_t> plateaus = {}) {
    GoldenConfig config = make_config(nlohmann::json::parse(R"({
        "own4": "203.0.113.1", "own6": "2001:db8:ffff::1", "pool4": ["203.0.113.9"],
        "pairs": [["192.0.2.1", "2001:db8:1::10"], ["192.0.2.2", "2001:db8:1::20"]]})"));
    if (!plateaus.empty()) config.settings.plateaus = std::move(plateaus);
    Translator translator(config.settings);
    TestBuffer buffer(in, offload);
    const Outcome outcome = translator.translate(buffer.packet, *config.table);
    return {outcome, buffer.bytes()};
}

bool is_silent_drop(const Result& result, DropReason reason) {
    return result.outcome.verdict() == Verdict::drop && result.outcome.reason() == reason &&
           !result.outcome.is_suppressed();
}

Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// UDP with checksum 0 from server to server, through the translation prefix.
Bytes hairpin_without_checksum(std::size_t udp_length, const Bytes& fragment_header = {},
                               std::size_t data = 20) {
    Bytes datagram = udp(1, 2, counting(data));
    put16(&datagram[4], udp_length);
    return ipv6_packet(
        {server6, other_in_prefix, static_cast<std::uint8_t>(fragment_header.empty() ? 17 : 44)},
        fragment_header + datagram);
}

} // namespace

TEST_CASE("translator: a hairpinned UDP packet whose checksum cannot be computed",
          "[HP-07][F46-13][L4-05]") {
    const Result good = translate(hairpin_without_checksum(28));
    REQUIRE(good.outcome.is_forward());
    const auto parsed = parse_packet(good.packet.data(), good.packet.size());
    REQUIRE(parsed);
    CHECK(parsed->source6 == server_in_prefix);
    CHECK(parsed->destination6 == other6);
    CHECK(transport_checksum(good.packet.data(), *parsed) == ChecksumState::valid);

    REQUIRE(translate(hairpin_without_checksum(8)).outcome.is_forward());
    CHECK(is_silent_drop(translate(hairpin_without_checksum(7)), DropReason::udp_length));
    CHECK(is_silent_drop(translate(hairpin_without_checksum(0)), DropReason::udp_length));
    CHECK(is_silent_drop(translate(hairpin_without_checksum(29)), DropReason::udp_length));
    // As for IPv4 clients, no packet too big about it.
    for (const std::size_t wrong : {std::size_t{7}, std::size_t{2009}})
        CHECK(is_silent_drop(translate(hairpin_without_checksum(wrong, {}, 2000)),
                             DropReason::udp_length));
    CHECK(translate(hairpin_without_checksum(2008, {}, 2000)).outcome.reason() ==
          DropReason::too_big);
    // The first fragment, without the rest; an atomic one is whole.
    CHECK(is_silent_drop(translate(hairpin_without_checksum(28, {17, 0, 0, 1, 0, 0, 0, 5})),
                         DropReason::bad_fragment));
    Bytes first = hairpin_without_checksum(36, {17, 0, 0, 1, 0, 0, 0, 5}) + counting(4);
    put16(&first[4], 8 + 32);
    CHECK(is_silent_drop(translate(first), DropReason::udp_zero_checksum));
    CHECK(translate(hairpin_without_checksum(28, {17, 0, 0, 0, 0, 0, 0, 5})).outcome.is_forward());
}

TEST_CASE("translator: a ping that IPv4's Total Length cannot hold", "[GSO-09][T64-03]") {
    const auto ping = [](std::size_t length) {
        return finish(ipv6_packet({server6, client6, 58}, icmp(128, 0, 1, counting(length - 8))));
    };
    // 65515 fit, but not through mtu4: 2/0.
    const Result fits = translate(ping(65515));
    CHECK(fits.outcome.verdict() == Verdict::reply);
    CHECK(fits.outcome.reason() == DropReason::too_big);
    for (const std::size_t length : {std::size_t{65516}, std::size_t{65535}})
        CHECK(is_silent_drop(translate(ping(length)), DropReason::too_big));
}

TEST_CASE("translator: ICMPv6 without a type gets no error", "[G6-04]") {
    const Bytes empty = ipv6_packet({server6, client6, 0, 1}, {58, 0, 1, 4, 0, 0, 0, 0});
    CHECK(is_silent_drop(translate(empty), DropReason::hop_limit));
    const Bytes other = ipv6_packet({server6, client6, 0, 1}, {59, 0, 1, 4, 0, 0, 0, 0});
    CHECK(translate(other).outcome.verdict() == Verdict::reply);
}

TEST_CASE("translator: our own addresses answer whole echo requests only", "[T46-24]") {
    const Bytes ping4 = finish(ipv4_packet({client4, own4, 1}, icmp(8, 0, 7, counting(20))));
    const Bytes ping6 = finish(ipv6_packet({client6, own6, 58}, icmp(128, 0, 7, counting(20))));
    CHECK(translate(ping4).outcome.verdict() == Verdict::reply);
    CHECK(translate(ping6).outcome.verdict() == Verdict::reply);
    const Bytes short4 = finish(ipv4_packet({client4, own4, 1}, {8, 0, 0, 0, 1, 2, 3}));
    const Bytes short6 = finish(ipv6_packet({client6, own6, 58}, {128, 0, 0, 0, 1, 2, 3}));
    CHECK(is_silent_drop(translate(short4), DropReason::own_address));
    CHECK(is_silent_drop(translate(short6), DropReason::own_address));
    // A super-packet of pings, and a checksum to be written outside of the packet.
    for (const OffloadHeader& bad : {OffloadHeader{0, OffloadHeader::gso_tcp4, 0, 8, 0, 0},
                                     OffloadHeader{1, OffloadHeader::gso_none, 0, 0, 20, 200}}) {
        CHECK(is_silent_drop(translate(ping4, bad), DropReason::bad_offload));
        CHECK(is_silent_drop(translate(ping6, bad), DropReason::bad_offload));
    }
}

TEST_CASE("translator: no plateau below the packet is left", "[I46-06]") {
    const auto quoted_mtu = [](std::size_t quoted, std::vector<std::uint16_t> plateaus) {
        Bytes quote = finish(ipv4_packet({server4, client4, 17}, udp(1, 2, counting(20))));
        put16(&quote[2], quoted);
        const Bytes error = finish(ipv4_packet({client4, server4, 1}, icmp(3, 4, 0, quote)));
        const Result result = translate(error, {}, std::move(plateaus));
        REQUIRE(result.outcome.is_forward());
        return get32(&result.packet[44]);
    };
    // The list is configurable: it need not go down to 68.
    CHECK(quoted_mtu(1500, {1492, 1400}) == 1500);
    CHECK(quoted_mtu(1492, {1492, 1400}) == 1420);
    CHECK(quoted_mtu(1400, {1492, 1400}) == 1280);
    CHECK(quoted_mtu(1400, {1492, 1400, 68}) == 1280);
}

TEST_CASE("translator: nothing is appended to an extension with a broken end", "[S91-05][X84-10]") {
    const auto sent_extension = [](Bytes extension) {
        put16(&extension[2], 0);
        put16(&extension[2], 0xffffu - plain_sum(extension.data(), extension.size()));
        Bytes quote = finish(ipv6_packet({client6, server6, 17, 1}, udp(1, 2, counting(80))));
        REQUIRE(quote.size() == 128);
        return std::pair(extension, finish(ipv6_packet({router6, client6, 58},
                                                       icmp(3, 0, 16u << 24, quote + extension))));
    };
    const auto received_extension = [](const Bytes& error) {
        const Result result = translate(error);
        REQUIRE(result.outcome.is_forward());
        constexpr std::size_t quote_at = 20 + 8;
        REQUIRE(result.packet[20 + 5] == 32); // in units of 4 bytes
        const auto from = result.packet.begin() + quote_at + 128;
        return Bytes(from, result.packet.end());
    };
    const Bytes head = {0x20, 0, 0, 0};
    const Bytes object = {0, 8, 1, 1, 0, 1, 2, 0};
    const auto [sound, sound_error] = sent_extension(head + object);
    CHECK(received_extension(sound_error).size() == sound.size() + 24);
    for (const Bytes& rest : {Bytes{0}, Bytes{0, 4}, Bytes{0, 4, 9}}) {
        const auto [broken, error] = sent_extension(head + object + rest);
        CHECK(received_extension(error) == broken);
    }
}

TEST_CASE("translator: a martian stays one, whatever the table and the prefix say",
          "[SPA-01][T46-11]") {
    const auto outcome = [](const char* pair4, const char* pair6, const char* prefix,
                            bool to_ipv6) {
        const auto pairs = nlohmann::json::array({nlohmann::json::array({pair4, pair6})});
        const GoldenConfig config = make_config({{"prefix", prefix}, {"pairs", pairs}});
        const Ipv4Address mapped4 = *Ipv4Address::parse(pair4);
        const Ipv6Address mapped6 = *Ipv6Address::parse(pair6);
        const Ipv6Address embedded = config.settings.prefix.embed(client4);
        const Bytes datagram = udp(1, 2, counting(20));
        const Bytes in = finish(to_ipv6 ? ipv4_packet({client4, mapped4, 17}, datagram)
                                        : ipv6_packet({mapped6, embedded, 17}, datagram));
        Translator translator(config.settings);
        TestBuffer buffer(in, {});
        const Outcome result = translator.translate(buffer.packet, *config.table);
        return result.is_forward() ? std::string("forward") : std::string(name_of(result.reason()));
    };
    constexpr const char *good4 = "192.0.2.1", *good6 = "2001:db8:1::10",
                         *prefix = "2001:db8:64::/96";
    CHECK(outcome(good4, good6, prefix, true) == "forward");
    CHECK(outcome(good4, good6, prefix, false) == "forward");
    for (const char* bad4 : {"0.0.0.1", "127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255"})
        CHECK(outcome(bad4, good6, prefix, true) == "martian4");
    for (const char* bad6 : {"::1", "::ffff:1.2.3.4", "fe80::1", "ff02::1"})
        CHECK(outcome(good4, bad6, prefix, false) == "martian6");
    for (const char* bad : {"::/96", "::ffff:0:0/96", "fe80::/96", "ff0e::/96"})
        CHECK(outcome(good4, good6, bad, false) == "martian6");
}
