// SPDX-License-Identifier: BSD-2-Clause
// RT-11: routes cover exactly what is ours, in as few prefixes as possible.
#include "routing-hooks/aggregate.hpp"
#include "routing-hooks/node_routes.hpp"
#include "tests/unit/catch.hpp"

#include <algorithm>
#include <bitset>
#include <random>

using namespace xlat646;

namespace {

std::vector<Ipv4Prefix> prefixes4(const std::vector<std::string>& texts) {
    std::vector<Ipv4Prefix> out;
    for (const auto& t : texts)
        out.push_back(Ipv4Prefix::parse(t).value());
    return out;
}
std::vector<Ipv6Prefix> prefixes6(const std::vector<std::string>& texts) {
    std::vector<Ipv6Prefix> out;
    for (const auto& t : texts)
        out.push_back(Ipv6Prefix::parse(t).value());
    return out;
}
template <class P> std::vector<std::string> texts(const std::vector<P>& prefixes) {
    std::vector<std::string> out;
    for (const auto& p : prefixes)
        out.push_back(p.to_string());
    return out;
}
std::vector<std::string> aggregated4(const std::vector<std::string>& in) {
    return texts(aggregate(prefixes4(in)));
}
std::vector<std::string> aggregated6(const std::vector<std::string>& in) {
    return texts(aggregate(prefixes6(in)));
}
using Texts = std::vector<std::string>;

using Random = std::independent_bits_engine<std::mt19937, 32, std::uint32_t>;

// A universe of 256 addresses, at the very end of the address space where overflows would be.
constexpr unsigned universe_bits = 8;
using Members = std::bitset<1u << universe_bits>;

Ipv4Prefix in_universe(unsigned offset, unsigned length, Ipv4Address) {
    return {Ipv4Address(0xffffff00u | offset), length + 24};
}
Ipv6Prefix in_universe(unsigned offset, unsigned length, const Ipv6Address&) {
    return {Ipv6Address(~0ull, 0xffffffffffffff00ull | offset), length + 120};
}
unsigned offset_of(Ipv4Address a) { return a.value() & 0xff; }
unsigned offset_of(const Ipv6Address& a) { return static_cast<unsigned>(a.low() & 0xff); }

template <class A> Members members_of(const std::vector<Prefix<A>>& prefixes) {
    Members m;
    for (const auto& p : prefixes) {
        for (unsigned i = 0; i < (1u << p.suffix_length()); ++i)
            m.set(offset_of(p.address()) + i);
    }
    return m;
}

// The definition of the fewest: a block is one prefix if it is full, else what its halves need.
std::size_t fewest(const Members& m, unsigned first, unsigned size) {
    bool is_full = true;
    bool is_empty = true;
    for (unsigned i = first; i < first + size; ++i)
        (m.test(i) ? is_empty : is_full) = false;
    if (is_empty) return 0;
    if (is_full) return 1;
    return fewest(m, first, size / 2) + fewest(m, first + size / 2, size / 2);
}

template <class A> void check_against_brute_force() {
    Random random(6052);
    for (int round = 0; round < 3000; ++round) {
        std::vector<Prefix<A>> in;
        const unsigned count = random() % 300;
        const unsigned shortest = 8 - random() % 9;
        for (unsigned i = 0; i < count; ++i) {
            const unsigned length = shortest + random() % (9 - shortest);
            in.push_back(in_universe(random() % 256, length, A{}));
        }
        const auto out = aggregate(in);
        const Members wanted = members_of(in);
        REQUIRE(members_of(out) == wanted);
        REQUIRE(out.size() == fewest(wanted, 0, 256));
        REQUIRE(std::is_sorted(out.begin(), out.end()));
    }
}

Eam pair(const char* ipv4, const char* ipv6) {
    Eam m;
    m.ipv4 = Ipv4Prefix::parse(ipv4).value();
    m.ipv6 = Ipv6Prefix::parse(ipv6).value();
    return m;
}

} // namespace

TEST_CASE("RT-11 aggregation of IPv4 prefixes") {
    CHECK(aggregated4({}) == Texts{});
    CHECK(aggregated4({"192.0.2.1"}) == Texts{"192.0.2.1/32"});
    CHECK(aggregated4({"192.0.2.1", "192.0.2.1"}) == Texts{"192.0.2.1/32"});
    CHECK(aggregated4({"192.0.2.1", "192.0.2.0"}) == Texts{"192.0.2.0/31"});
    // Neighbours, but not halves of one prefix.
    CHECK(aggregated4({"192.0.2.1", "192.0.2.2"}) == Texts{"192.0.2.1/32", "192.0.2.2/32"});
    CHECK(aggregated4({"192.0.2.0/25", "192.0.2.7", "192.0.2.128/25"}) == Texts{"192.0.2.0/24"});
    CHECK(aggregated4({"192.0.2.3", "192.0.2.2", "192.0.2.0/31", "192.0.2.4/30"}) ==
          Texts{"192.0.2.0/29"});
    CHECK(aggregated4({"0.0.0.0/1", "128.0.0.0/1"}) == Texts{"0.0.0.0/0"});
    CHECK(aggregated4({"0.0.0.0/0", "255.255.255.255"}) == Texts{"0.0.0.0/0"});
}

TEST_CASE("RT-11 aggregation of IPv6 prefixes") {
    CHECK(aggregated6({"2001:db8::1", "2001:db8::"}) == Texts{"2001:db8::/127"});
    CHECK(aggregated6({"2001:db8:0:1::/64", "2001:db8::/64"}) == Texts{"2001:db8::/63"});
    CHECK(aggregated6({"2001:db8::/64", "2001:db8:0:0:8000::/65"}) == Texts{"2001:db8::/64"});
    CHECK(aggregated6({"::/1", "8000::/1"}) == Texts{"::/0"});
}

TEST_CASE("RT-11 aggregation equals brute force in a small universe") {
    check_against_brute_force<Ipv4Address>();
    check_against_brute_force<Ipv6Address>();
}

TEST_CASE("RT-11 a million scattered addresses") {
    Random random(7757);
    std::vector<Ipv4Prefix> in;
    for (int i = 0; i < 1'000'000; ++i)
        in.emplace_back(Ipv4Address(random()), 32u);
    std::vector<Ipv4Prefix> distinct = in;
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    std::uint64_t covered = 0;
    for (const auto& p : aggregate(in))
        covered += std::uint64_t{1} << p.suffix_length();
    CHECK(covered == distinct.size());
}

TEST_CASE("T46-24 RT-11 RT-12 what is routed to the translator") {
    const auto prefix =
        TranslationPrefix::from(Ipv6Prefix::parse("2001:db8:46::/96").value()).value();
    const std::vector<Eam> mappings = {pair("192.0.2.1", "2001:db8:6::1"),
                                       pair("192.0.2.16/28", "2001:db8:7::/124"),
                                       pair("192.0.2.0", "2001:db8:6::2")};
    const auto own4 = Ipv4Address::parse("192.0.2.2").value();

    SECTION("own6 beside the prefix has a route of its own") {
        const auto routes = node_routes(mappings, prefix, own4,
                                        Ipv6Address::parse("2001:db8:46:ff::1").value(), {});
        CHECK(texts(routes.ipv4) == Texts{"192.0.2.0/31", "192.0.2.2/32", "192.0.2.16/28"});
        CHECK(texts(routes.ipv6) == Texts{"2001:db8:46::/96", "2001:db8:46:ff::1/128"});
    }
    SECTION("own6 inside the prefix has none") {
        const auto routes = node_routes(mappings, prefix, own4, prefix.embed(own4), {});
        CHECK(texts(routes.ipv6) == Texts{"2001:db8:46::/96"});
    }
    SECTION("the ICMP source pool is routed, and not one address beside it") {
        const std::vector<Ipv4Address> pool = {Ipv4Address::parse("192.0.2.3").value(),
                                               Ipv4Address::parse("192.0.2.6").value()};
        const auto routes = node_routes(mappings, prefix, own4, prefix.embed(own4), pool);
        CHECK(texts(routes.ipv4) == Texts{"192.0.2.0/30", "192.0.2.6/32", "192.0.2.16/28"});
    }
    SECTION("without mappings the translator still has itself") {
        const auto routes = node_routes({}, prefix, own4, prefix.embed(own4), {});
        CHECK(texts(routes.ipv4) == Texts{"192.0.2.2/32"});
    }
}
