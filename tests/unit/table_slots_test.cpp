// SPDX-License-Identifier: BSD-2-Clause
//
// A mapping keeps its counter slot as long as its IPv4 prefix is in the table.
#include "mapping/table.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/catch.hpp"

#include <map>
#include <set>

using namespace xlat646;

namespace {

Eam host(std::uint32_t v4, std::uint64_t v6) {
    Eam m;
    m.ipv4 = Ipv4Prefix(Ipv4Address(v4), 32);
    m.ipv6 = Ipv6Prefix(Ipv6Address(0x20010db800000000, v6), 128);
    return m;
}

std::unique_ptr<const MappingTable> build(const std::vector<Eam>& mappings,
                                          const MappingTable* previous) {
    MappingList list;
    list.mappings = mappings;
    return MappingTable::build(std::move(list), previous, 99);
}

std::uint32_t slot(const MappingTable& table, std::uint32_t v4) {
    return table.slot_of(Ipv4Prefix(Ipv4Address(v4), 32));
}

} // namespace

TEST_CASE("slots: freed ones are given again, lowest first", "[slots][EAM-09]") {
    const auto first = build({host(1, 1), host(2, 2), host(3, 3), host(4, 4)}, nullptr);
    CHECK(slot(*first, 1) == 0);
    CHECK(slot(*first, 4) == 3);
    CHECK(slot(*first, 5) == no_slot);
    const auto second = build({host(4, 4), host(2, 2)}, first.get());
    CHECK(slot(*second, 4) == 3);
    CHECK(slot(*second, 2) == 1);
    CHECK(second->slot_count() == 4);
    const auto third =
        build({host(9, 9), host(2, 2), host(8, 8), host(4, 4), host(7, 7)}, second.get());
    CHECK(slot(*third, 9) == 0);
    CHECK(slot(*third, 8) == 2);
    CHECK(slot(*third, 7) == 4);
    CHECK(slot(*third, 2) == 1);
    CHECK(slot(*third, 4) == 3);
    CHECK(third->slot_count() == 5);
}

TEST_CASE("slots: a mapping whose IPv6 side changes keeps its slot", "[slots]") {
    const auto first = build({host(1, 1), host(2, 2)}, nullptr);
    const auto second = build({host(2, 1), host(1, 2)}, first.get());
    CHECK(slot(*second, 1) == 0);
    CHECK(slot(*second, 2) == 1);
    MatchedIpv4 found{};
    REQUIRE(second->find(Ipv6Address(0x20010db800000000, 2), found));
    CHECK(found.slot == 0);
}

TEST_CASE("slots: prefixes of equal address and other length are strangers", "[slots]") {
    Eam p24;
    p24.ipv4 = *Ipv4Prefix::parse("198.51.100.0/24");
    p24.ipv6 = *Ipv6Prefix::parse("2001:db8::/120");
    Eam p25 = p24;
    p25.ipv4 = *Ipv4Prefix::parse("198.51.100.0/25");
    p25.ipv6 = *Ipv6Prefix::parse("2001:db8:1::/121");
    const auto first = build({host(1, 1), p24}, nullptr);
    const auto second = build({p25, p24}, first.get());
    CHECK(second->slot_of(p24.ipv4) == 1);
    CHECK(second->slot_of(p25.ipv4) == 0);
    CHECK(second->slot_of(*Ipv4Prefix::parse("198.51.100.0/26")) == no_slot);
    MatchedIpv6 found{};
    REQUIRE(second->find(*Ipv4Address::parse("198.51.100.1"), found));
    CHECK(found.slot == 0);
    REQUIRE(second->find(*Ipv4Address::parse("198.51.100.129"), found));
    CHECK(found.slot == 1);
}

TEST_CASE("slots: 300 random rebuilds", "[slots][EAM-09]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{5}, test::fresh_seed());
    INFO("seed " << seed);
    test::Random random(seed);
    std::map<Ipv4Prefix, std::uint32_t> slots; // as the table before said
    std::map<Ipv4Prefix, Eam> mappings;
    std::unique_ptr<const MappingTable> table = build({}, nullptr);
    std::uint64_t fresh = 0;
    std::size_t most = 0;
    for (int round = 0; round < 300; ++round) {
        for (std::size_t n = random.below(40); n > 0; --n) {
            Eam m;
            const auto length = static_cast<unsigned>(random.one_in(4) ? 28 : 32);
            m.ipv4 = Ipv4Prefix(Ipv4Address(0xc6336400u | random.byte()), length);
            m.ipv6 = Ipv6Prefix(Ipv6Address(0x20010db800000000 + ++fresh, 0), length + 96);
            mappings[m.ipv4] = m; // adds, or changes the IPv6 side
        }
        for (auto it = mappings.begin(); it != mappings.end();)
            it = random.one_in(6) ? mappings.erase(it) : std::next(it);
        most = std::max(most, mappings.size());

        std::vector<Eam> all;
        for (const auto& [prefix, m] : mappings)
            all.push_back(m);
        table = build(all, table.get());

        std::set<std::uint32_t> used;
        std::map<Ipv4Prefix, std::uint32_t> now;
        for (const Eam& m : table->list().mappings) {
            REQUIRE(m.slot < table->slot_count());
            REQUIRE(used.insert(m.slot).second);
            REQUIRE(table->slot_of(m.ipv4) == m.slot);
            const auto before = slots.find(m.ipv4);
            if (before != slots.end()) REQUIRE(before->second == m.slot);
            now[m.ipv4] = m.slot;
        }
        slots = now;
    }
    CHECK(table->slot_count() <= 2 * most); // freed slots are used again
}
