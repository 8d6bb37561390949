// SPDX-License-Identifier: BSD-2-Clause
//
// Random packets, sound and broken, through the kernel program and through user space: the same
// bytes, or untouched.
#include "tests/fastpath/harness.hpp"
#include "tests/property/generator.hpp"
#include "tests/unit/catch.hpp"
#include "translator/wire/checksum.hpp"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace xlat646;
using namespace xlat646::test;

namespace {

constexpr std::size_t packets_per_setting = 30'000;
constexpr std::size_t largest = 3000;

Ipv4Address address4(const char* text) { return *Ipv4Address::parse(text); }
Ipv6Address address6(const char* text) { return *Ipv6Address::parse(text); }

nlohmann::json base() {
    return nlohmann::json::parse(R"({
        "prefix": "2001:db8:64::/96", "own4": "203.0.113.1", "own6": "2001:db8:ffff::1",
        "pool4": ["203.0.113.65"], "profile": "any",
        "pairs": [["192.0.2.1", "2001:db8:1::10"], ["192.0.2.2", "2001:db8:2::20"],
                  ["192.0.2.16/28", "2001:db8:3::/124"], ["192.0.2.18", "2001:db8:3::abcd"],
                  ["198.18.0.0/15", "2001:db8:4::/64"]]})");
}

/// A pair whose translation changes no checksum: where zero has two forms (CK-04).
std::string neutral_server(const std::string& prefix) {
    const Ipv6Address p = Ipv6Prefix::parse(prefix)->address();
    for (std::uint64_t low = 1;; ++low) {
        const Ipv6Address server(0x20010db800050000, low);
        if (ChecksumSum()
                .add(p)
                .add(server)
                .subtract(ChecksumSum().add(address4("192.0.2.3")))
                .fold() == 0xffff)
            return server.to_string();
    }
}

struct Settings4 {
    const char* name;
    nlohmann::json changes;
};
const Settings4 settings[] = {
    {"plain", nlohmann::json::object()},
    {"large links", {{"mtu4", 2500}, {"mtu6", 2600}, {"lowest_ipv6_mtu", 1500}}},
    {"DSCP, MSS and spoofing",
     {{"traffic_class", 46}, {"tcp_mss_clamp", "auto"}, {"drop_spoofed_pairs", false}}},
    {"the Internet", {{"profile", "internet"}, {"mtu4", 1280}, {"mtu6", 1280}}},
    {"well-known prefix", {{"prefix", "64:ff9b::/96"}, {"profile", "internet"}}},
};

/// Mostly a client and a pair; sometimes any two who should not talk.
Peers random_peers(Random& random, const GoldenConfig& config, const Ipv6Address& neutral) {
    static const Ipv4Address everybody4[] = {
        address4("198.51.100.7"), address4("8.8.8.8"),     address4("10.1.2.3"),
        address4("192.0.2.1"),    address4("192.0.2.2"),   address4("192.0.2.17"),
        address4("192.0.2.18"),   address4("203.0.113.1"), address4("203.0.113.65"),
        address4("198.18.3.4"),   address4("127.0.0.1"),   address4("224.0.0.5"),
        address4("192.0.3.1"),    address4("100.64.1.1")};
    static const Ipv6Address everybody6[] = {
        address6("2001:db8:1::10"),   address6("2001:db8:2::20"), address6("2001:db8:3::1"),
        address6("2001:db8:3::abcd"), address6("2001:db8:3::2"),  address6("2001:db8:4::5"),
        address6("2001:db8:ffff::1"), address6("2001:db8:9::9")};
    Peers peers;
    peers.client4 = address4(random.one_in(2) ? "9.9.9.9" : "93.184.216.34");
    if (random.one_in(6)) {
        peers.server4 = address4("192.0.2.3");
        peers.server6 = neutral;
    } else if (random.one_in(3)) {
        peers.client4 = everybody4[random.below(std::size(everybody4))];
        if (random.one_in(2)) peers.server4 = everybody4[random.below(std::size(everybody4))];
        if (random.one_in(2)) peers.server6 = everybody6[random.below(std::size(everybody6))];
    }
    peers.client6 = config.settings.prefix.embed(peers.client4);
    if (random.one_in(30)) peers.client6 = everybody6[random.below(std::size(everybody6))];
    return peers;
}

/// What a random packet is bent to, so that the limits are met as well as the rules.
Bytes bent(Random& random, Bytes p) {
    const bool is_ipv4 = p[0] >> 4 == 4;
    if (random.one_in(6)) {
        const int wanted = static_cast<int>(random.below(5));
        p = with_hops(std::move(p), wanted - hops_of(p));
    }
    if (random.one_in(8)) p.resize(p.size() + random.below(30)); // padding
    if (random.one_in(16)) p.resize(random.below(p.size()));
    if (random.one_in(12) && p.size() > 20) {
        const std::size_t at =
            random.below(random.one_in(2) ? 20 : std::min<std::size_t>(p.size(), 80));
        p[at] = static_cast<std::uint8_t>(p[at] ^ (1u << random.below(8)));
        // Half of the broken headers have a right checksum.
        if (is_ipv4 && at < 20 && random.one_in(2) && (p[0] & 15) == 5) {
            put16(&p[10], 0);
            put16(&p[10], 0xffffu - plain_sum(p.data(), 20));
        }
    }
    // Checksums where zero has two forms.
    const std::size_t transport = is_ipv4 ? 20 : 40;
    if (random.one_in(10) && p.size() > transport + 18)
        put16(&p[transport + (random.one_in(2) ? 16 : 6)], random.one_in(2) ? 0 : 0xffff);
    return p;
}

} // namespace

TEST_CASE("fast path: random packets come out as in user space, or untouched", "[fastpath]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{646}, fresh_seed());
    CAPTURE(seed);
    Random random(seed);
    Tally tally;
    Tally taken;
    std::size_t compared = 0;
    for (const Settings4& s : settings) {
        nlohmann::json json = base();
        json.update(s.changes);
        const std::string neutral = neutral_server(json["prefix"].get<std::string>());
        json["pairs"].push_back(nlohmann::json::array({"192.0.2.3", neutral}));
        Harness harness(std::make_shared<const GoldenConfig>(make_config(json)));
        std::size_t failures = 0;
        for (std::size_t n = 0; n < packets_per_setting && failures < 5; ++n) {
            const Peers peers = random_peers(random, harness.config(), address6(neutral.c_str()));
            Bytes packet = random.one_in(2) ? random_ipv4(random, peers, largest)
                                            : random_ipv6(random, peers, largest);
            packet = bent(random, std::move(packet));
            std::uint16_t gso_size = 0;
            if (may_be_super_packet(packet) && random.one_in(3))
                gso_size = static_cast<std::uint16_t>(1 + random.below(1600));
            const Comparison c = compare(harness, packet, nullptr, gso_size);
            ++tally[c.summary()];
            if (c.program.is_possible) ++compared;
            if (c.program.is_taken) ++taken[c.kind];
            if (c.wrong.empty()) continue;
            ++failures;
            UNSCOPED_INFO(s.name << ", packet " << n << ", gso_size " << gso_size << c.wrong);
            CHECK(c.wrong.empty());
        }
    }
    std::cout << "seed " << seed << ", " << compared << " packets compared:\n" << to_string(tally);
    CHECK(compared > std::size(settings) * packets_per_setting * 9 / 10);
    for (const char* protocol : {"tcp", "udp", "echo"})
        for (const char* direction : {" v4_to_v6", " v6_to_v4"})
            CHECK(taken[std::string(protocol) + direction] > 1000);
}
