// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/table.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/catch.hpp"

#include <cstring>
#include <map>

using namespace xlat646;

namespace {

using Pair = std::pair<const char*, const char*>;

std::unique_ptr<const MappingTable> build(const std::vector<Pair>& pairs) {
    MappingList list;
    for (const auto& [v4, v6] : pairs) {
        Eam m;
        m.ipv4 = Ipv4Prefix::parse(v4).value();
        m.ipv6 = Ipv6Prefix::parse(v6).value();
        list.mappings.push_back(m);
    }
    return MappingTable::build(std::move(list), nullptr, 7);
}

std::string to6(const MappingTable& table, const char* text) {
    MatchedIpv6 found{};
    return table.find(Ipv4Address::parse(text).value(), found) ? found.address.to_string() : "";
}
std::string to4(const MappingTable& table, const char* text) {
    MatchedIpv4 found{};
    return table.find(Ipv6Address::parse(text).value(), found) ? found.address.to_string() : "";
}

/// What replacing `a4` by `a6` adds to a sum, computed from the bytes.
std::uint16_t plain_delta(const Ipv6Address& a6, Ipv4Address a4) {
    const auto b6 = a6.bytes();
    const auto b4 = a4.bytes();
    const std::uint32_t minus = 0xffffu - test::plain_sum(b4.data(), 4);
    return test::plain_sum(b6.data(), 16, minus);
}
/// In big-endian terms; 0 and 0xffff are the same number in one's complement.
bool same_sum(std::uint16_t native, std::uint16_t plain) {
    std::uint8_t bytes[2];
    std::memcpy(bytes, &native, 2);
    return test::get16(bytes) % 0xffff == plain % 0xffff;
}

// Table 11.2 (RFC 7757 appendix B).
const std::vector<Pair> appendix_b = {
    {"192.0.2.1", "2001:db8:aaaa::"},           {"192.0.2.2/32", "2001:db8:bbbb::b/128"},
    {"192.0.2.16/28", "2001:db8:cccc::/124"},   {"192.0.2.128/26", "2001:db8:dddd::/64"},
    {"192.0.2.192/29", "2001:db8:eeee:8::/62"}, {"192.0.2.224/31", "64:ff9b::/127"}};

} // namespace

TEST_CASE("table: RFC 7757 appendix B both ways", "[EAM-01][EAM-02][EAM-03][EAM-04]") {
    const auto table = build(appendix_b);
    const std::vector<Pair> rows = {
        {"192.0.2.1", "2001:db8:aaaa::"},          {"192.0.2.2", "2001:db8:bbbb::b"},
        {"192.0.2.16", "2001:db8:cccc::"},         {"192.0.2.24", "2001:db8:cccc::8"},
        {"192.0.2.31", "2001:db8:cccc::f"},        {"192.0.2.128", "2001:db8:dddd::"},
        {"192.0.2.152", "2001:db8:dddd:0:6000::"}, {"192.0.2.183", "2001:db8:dddd:0:dc00::"},
        {"192.0.2.191", "2001:db8:dddd:0:fc00::"}, {"192.0.2.195", "2001:db8:eeee:9:8000::"},
        {"192.0.2.225", "64:ff9b::0.0.0.1"}};
    for (const auto& [v4, v6] : rows) {
        CAPTURE(v4);
        CHECK(to6(*table, v4) == v6);
        CHECK(to4(*table, v6) == v4);
        CHECK(table->contains(*Ipv4Address::parse(v4)));
        CHECK(table->contains(*Ipv6Address::parse(v6)));
    }
    CHECK(to6(*table, "192.0.2.248").empty()); // the last row: RFC 6052 instead
    CHECK(to4(*table, "64:ff9b::c000:2f8").empty());
    CHECK_FALSE(table->contains(*Ipv4Address::parse("192.0.2.248")));
    CHECK_FALSE(table->contains(*Ipv6Address::parse("64:ff9b::c000:2f8")));
}

TEST_CASE("table: a longer IPv6 suffix is cut, a shorter IPv4 one is padded", "[EAM-02][EAM-03]") {
    const auto table = build(appendix_b);
    CHECK(to4(*table, "2001:db8:dddd:0:63ff:ffff:ffff:ffff") == "192.0.2.152");
    CHECK(to4(*table, "2001:db8:dddd:0:6000::1") == "192.0.2.152");
    CHECK(to4(*table, "2001:db8:eeee:9:9fff::") == "192.0.2.195");
    CHECK(to4(*table, "2001:db8:eeee:b:ffff:ffff:ffff:ffff") == "192.0.2.199");
    CHECK(to4(*table, "2001:db8:cccc::10").empty());
    CHECK(to6(*table, "192.0.2.15").empty());
    CHECK(to6(*table, "192.0.2.32").empty());

    // Every possible border between the halves of an IPv6 address.
    for (unsigned length6 = 0; length6 <= 96; ++length6) {
        const Ipv6Prefix p6(Ipv6Address(0x20010db855555555, 0xaaaaaaaa55555555), length6);
        MappingList list;
        Eam m;
        m.ipv6 = p6;
        list.mappings.push_back(m); // 0.0.0.0/0
        const auto whole = MappingTable::build(std::move(list), nullptr, 1);
        for (const std::uint32_t value : {0u, 1u, 0x80000000u, 0x12345678u, 0xffffffffu}) {
            MatchedIpv6 found{};
            REQUIRE(whole->find(Ipv4Address(value), found));
            Ipv6Address::Bytes wanted = p6.address().bytes();
            for (unsigned bit = 0; bit < 32; ++bit)
                if ((value >> (31 - bit)) & 1)
                    wanted[(length6 + bit) / 8] |=
                        static_cast<std::uint8_t>(0x80 >> (length6 + bit) % 8);
            CAPTURE(length6, value);
            CHECK(found.address == Ipv6Address::from_bytes(wanted));
            MatchedIpv4 back{};
            REQUIRE(whole->find(found.address, back));
            CHECK(back.address == Ipv4Address(value));
        }
    }
}

TEST_CASE("table: the longest match wins, a host before any prefix", "[EAM-01][EAM-02][EAM-06]") {
    const auto table = build({{"10.0.0.0/8", "2001:db8:8::/64"},
                              {"10.1.0.0/16", "2001:db8:8:0:1::/80"},
                              {"10.1.1.0/24", "2001:db8:24::/120"},
                              {"10.1.1.1", "2001:db8:32::1"},
                              {"10.1.1.2", "2001:db8:24::77"},
                              {"10.2.0.0/30", "2001:db8:30::/126"}});
    CHECK(to6(*table, "10.9.0.1") == "2001:db8:8:0:900:100::");
    CHECK(to6(*table, "10.1.9.1") == "2001:db8:8:0:1:901::");
    CHECK(to6(*table, "10.1.1.9") == "2001:db8:24::9");
    CHECK(to6(*table, "10.1.1.1") == "2001:db8:32::1");
    CHECK(to6(*table, "11.0.0.0").empty());
    CHECK(to6(*table, "9.255.255.255").empty());
    // Overlapping prefixes make translation asymmetric; each direction still takes its longest.
    CHECK(to4(*table, "2001:db8:24::77") == "10.1.1.2");
    CHECK(to4(*table, "2001:db8:24::1") == "10.1.1.1");
    CHECK(to4(*table, "2001:db8:8:0:1:901::") == "10.1.9.1");
    CHECK(to4(*table, "2001:db8:8:0:900:100::") == "10.9.0.1");
    CHECK(to4(*table, "2001:db8:30::3") == "10.2.0.3");
    CHECK(to4(*table, "2001:db8:30::4").empty());
}

TEST_CASE("table: an IPv4 host behind an IPv6 prefix", "[EAM-01][EAM-02][EAM-03]") {
    const auto table =
        build({{"192.0.2.7", "2001:db8:7::/64"}, {"192.0.2.0/31", "2001:db8::/127"}});
    CHECK(to6(*table, "192.0.2.7") == "2001:db8:7::");
    CHECK(to4(*table, "2001:db8:7::1234") == "192.0.2.7");
    CHECK(to4(*table, "2001:db8:7:0:ffff:ffff:ffff:ffff") == "192.0.2.7");
    CHECK(to4(*table, "2001:db8:7:1::").empty());
}

TEST_CASE("table: empty", "[table]") {
    const auto table = MappingTable::build({}, nullptr, 0);
    CHECK(table->size() == 0);
    CHECK(table->slot_count() == 0);
    CHECK(to6(*table, "192.0.2.1").empty());
    CHECK(to6(*table, "0.0.0.0").empty());
    CHECK(to4(*table, "::").empty());
    CHECK(table->slot_of(Ipv4Prefix()) == no_slot);
}

TEST_CASE("table: address zero is a key like any other", "[table]") {
    const auto table = build({{"0.0.0.0", "::"}, {"255.255.255.255", "ffff::ffff"}});
    CHECK(to6(*table, "0.0.0.0") == "::");
    CHECK(to4(*table, "::") == "0.0.0.0");
    CHECK(to6(*table, "0.0.0.1").empty());
    CHECK(to4(*table, "::1").empty());
}

TEST_CASE("table: delta is what the checksum's sum grows by", "[CK-05][CK-07]") {
    // The matrix' own numbers (section 19).
    const auto table = build({{"192.0.2.1", "2001:db8:1::10"}});
    MatchedIpv6 found{};
    REQUIRE(table->find(*Ipv4Address::parse("192.0.2.1"), found));
    const std::uint32_t sum_p = 0x2e1d;
    std::uint8_t bytes[2];
    std::memcpy(bytes, &found.delta, 2);
    CHECK(test::plain_sum(bytes, 2, sum_p) == 0x99e5);
}

TEST_CASE("table: 100,000 random pairs against a map", "[table][CK-05]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{3}, test::fresh_seed());
    INFO("seed " << seed);
    test::Random random(seed);
    std::map<Ipv4Address, Ipv6Address> oracle4;
    std::map<Ipv6Address, Ipv4Address> oracle6;
    MappingList list;
    // Dense blocks and scattered addresses: both are common, and hash differently.
    while (list.mappings.size() < 100000) {
        const bool dense = random.one_in(2);
        const Ipv4Address a4(dense ? 0xc6000000u + static_cast<std::uint32_t>(random.below(1 << 18))
                                   : random.number());
        const Ipv6Address a6(dense ? 0x20010db800000000 : random.bits(),
                             dense ? random.below(1 << 18) : random.bits());
        if (oracle4.count(a4) != 0 || oracle6.count(a6) != 0) continue;
        oracle4[a4] = a6;
        oracle6[a6] = a4;
        Eam m;
        m.ipv4 = Ipv4Prefix(a4, 32);
        m.ipv6 = Ipv6Prefix(a6, 128);
        list.mappings.push_back(m);
    }
    const auto table = MappingTable::build(std::move(list), nullptr, random.bits());
    CHECK(table->size() == 100000);
    CHECK(table->slot_count() == 100000);
    CHECK(table->longest_probe() < 64);
    CHECK(table->memory_bytes() >= 2 * 100000 * 32);
    std::vector<bool> slots(100000);
    std::size_t wrong = 0;
    for (const auto& [a4, a6] : oracle4) {
        MatchedIpv6 found6{};
        MatchedIpv4 found4{};
        const std::uint16_t delta = plain_delta(a6, a4);
        if (!table->find(a4, found6) || found6.address != a6 || !same_sum(found6.delta, delta) ||
            !table->find(a6, found4) || found4.address != a4 || !same_sum(found4.delta, delta) ||
            found4.slot != found6.slot || found4.slot >= slots.size() || slots[found4.slot])
            ++wrong;
        else
            slots[found4.slot] = true;
    }
    CHECK(wrong == 0);
    std::size_t misses = 0;
    for (int i = 0; i < 100000; ++i) {
        const Ipv4Address a4(random.number());
        const Ipv6Address a6(random.one_in(2) ? 0x20010db800000000 : random.bits(),
                             random.below(1 << 20));
        if (table->contains(a4) != (oracle4.count(a4) != 0)) ++misses;
        if (table->contains(a6) != (oracle6.count(a6) != 0)) ++misses;
    }
    CHECK(misses == 0);
}

TEST_CASE("table: random prefixes against a search through all of them", "[EAM-02][EAM-03]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{4}, test::fresh_seed());
    INFO("seed " << seed);
    test::Random random(seed);
    std::map<Ipv4Prefix, Ipv6Prefix> pairs;
    std::map<Ipv6Prefix, Ipv4Prefix> reverse;
    for (int i = 0; i < 300; ++i) {
        const auto length4 = static_cast<unsigned>(20 + random.below(13));
        const auto length6 = static_cast<unsigned>(90 + random.below(length4 + 96 - 90 + 1));
        const Ipv4Prefix p4(Ipv4Address(0xc6336000u | random.word() % 0x1000u), length4);
        const Ipv6Prefix p6(
            Ipv6Address(0x20010db800000000, (random.bits() & 0xfull) << 34 | random.word()),
            length6);
        if (pairs.count(p4) != 0 || reverse.count(p6) != 0) continue;
        pairs[p4] = p6;
        reverse[p6] = p4;
    }
    MappingList list;
    for (const auto& [p4, p6] : pairs) {
        Eam m;
        m.ipv4 = p4;
        m.ipv6 = p6;
        list.mappings.push_back(m);
    }
    const auto table = MappingTable::build(std::move(list), nullptr, random.bits());
    const auto longest = [](const auto& map, const auto& key) {
        auto best = map.end();
        for (auto it = map.begin(); it != map.end(); ++it)
            if (it->first.contains(key) &&
                (best == map.end() || it->first.length() > best->first.length()))
                best = it;
        return best;
    };
    const auto is_host = [](const Ipv4Prefix& a, const Ipv6Prefix& b) {
        return a.is_host() && b.is_host();
    };
    for (int i = 0; i < 20000; ++i) {
        const Ipv4Address a4(0xc6336000u | random.word() % 0x1000u);
        const auto best = longest(pairs, a4);
        MatchedIpv6 found{};
        REQUIRE(table->find(a4, found) == (best != pairs.end()));
        REQUIRE(table->contains(a4) == (best != pairs.end()));
        if (best == pairs.end()) continue;
        REQUIRE(best->second.contains(found.address));
        REQUIRE(found.slot == table->slot_of(best->first));
        REQUIRE(same_sum(found.delta, plain_delta(found.address, a4)));

        // The way back goes by the longest IPv6 match, which may be another mapping.
        const auto back = longest(reverse, found.address);
        MatchedIpv4 found4{};
        REQUIRE(table->find(found.address, found4));
        REQUIRE(table->contains(found.address));
        REQUIRE(back->second.contains(found4.address));
        if (back->second == best->first) REQUIRE(found4.address == a4);
        REQUIRE(same_sum(found4.delta, plain_delta(found.address, found4.address)));
        if (is_host(back->second, back->first)) REQUIRE(found4.address == back->second.address());
    }
}
