// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/special_purpose.hpp"

#include <algorithm>

namespace xlat646 {
namespace {

constexpr auto A = AddressClass::allowed;
constexpr auto D = AddressClass::denied;
constexpr auto H = AddressClass::hard;

consteval Ipv4Prefix p4(unsigned a, unsigned b, unsigned c, unsigned d, unsigned length) {
    return {Ipv4Address((a << 24) | (b << 16) | (c << 8) | d), length};
}
consteval Ipv6Prefix p6(std::uint64_t high, std::uint64_t low, unsigned length) {
    return {Ipv6Address(high, low), length};
}

// Matrix table 16.1.
constexpr Ipv4Block blocks4[] = {
    {p4(0, 0, 0, 0, 8), "this-network", H, false},
    {p4(10, 0, 0, 0, 8), "private-10", D, true},
    {p4(100, 64, 0, 0, 10), "cgn", D, true},
    {p4(127, 0, 0, 0, 8), "loopback", H, false},
    {p4(169, 254, 0, 0, 16), "link-local", H, false},
    {p4(172, 16, 0, 0, 12), "private-172", D, true},
    {p4(192, 0, 0, 0, 24), "ietf-protocol", D, false},
    {p4(192, 0, 0, 0, 29), "service-continuity", D, false},
    {p4(192, 0, 0, 8, 32), "dummy", D, false},
    {p4(192, 0, 0, 9, 32), "pcp-anycast", A, false},
    {p4(192, 0, 0, 10, 32), "turn-anycast", A, false},
    {p4(192, 0, 0, 170, 31), "nat64-discovery", D, false},
    {p4(192, 0, 2, 0, 24), "test-net-1", D, false},
    {p4(192, 31, 196, 0, 24), "as112", A, false},
    {p4(192, 52, 193, 0, 24), "amt", A, false},
    {p4(192, 88, 99, 0, 24), "6to4-relay", D, false},
    {p4(192, 168, 0, 0, 16), "private-192", D, true},
    {p4(192, 175, 48, 0, 24), "as112-direct", A, false},
    {p4(198, 18, 0, 0, 15), "benchmarking", D, false},
    {p4(198, 51, 100, 0, 24), "test-net-2", D, false},
    {p4(203, 0, 113, 0, 24), "test-net-3", D, false},
    {p4(224, 0, 0, 0, 4), "multicast", H, false},
    {p4(240, 0, 0, 0, 4), "reserved", H, false},
    {p4(255, 255, 255, 255, 32), "broadcast", H, false},
};

// Matrix table 16.2.
constexpr Ipv6Block blocks6[] = {
    {p6(0, 0, 96), "ipv4-compatible", H, PairUse::no},
    {p6(0, 0, 128), "unspecified", H, PairUse::no},
    {p6(0, 1, 128), "loopback-6", H, PairUse::no},
    {p6(0, 0x0000ffff00000000, 96), "ipv4-mapped", H, PairUse::no},
    {p6(0x0064ff9b00000000, 0, 96), "well-known-prefix", D, PairUse::no},
    {p6(0x0064ff9b00010000, 0, 48), "local-use-prefix", A, PairUse::yes},
    {p6(0x0100000000000000, 0, 64), "discard-only", D, PairUse::no},
    {p6(0x0100000000000001, 0, 64), "dummy-6", D, PairUse::no},
    {p6(0x2001000000000000, 0, 23), "ietf-protocol-6", D, PairUse::warn},
    {p6(0x2001000000000000, 0, 32), "teredo", A, PairUse::warn},
    {p6(0x2001000100000000, 1, 128), "pcp-anycast-6", A, PairUse::no},
    {p6(0x2001000100000000, 2, 128), "turn-anycast-6", A, PairUse::no},
    {p6(0x2001000100000000, 3, 128), "srp-anycast-6", A, PairUse::no},
    {p6(0x2001000200000000, 0, 48), "benchmarking-6", D, PairUse::warn},
    {p6(0x2001000300000000, 0, 32), "amt-6", A, PairUse::warn},
    {p6(0x2001000401120000, 0, 48), "as112-6", A, PairUse::warn},
    {p6(0x2001001000000000, 0, 28), "orchid", D, PairUse::no},
    {p6(0x2001002000000000, 0, 28), "orchid-v2", D, PairUse::no},
    {p6(0x2001003000000000, 0, 28), "drone-id", D, PairUse::no},
    {p6(0x20010db800000000, 0, 32), "documentation", D, PairUse::warn},
    {p6(0x2002000000000000, 0, 16), "6to4", A, PairUse::warn},
    {p6(0x2620004f80000000, 0, 48), "as112-direct-6", A, PairUse::warn},
    {p6(0x3fff000000000000, 0, 20), "documentation-2", D, PairUse::warn},
    {p6(0x5f00000000000000, 0, 16), "srv6-sids", D, PairUse::no},
    {p6(0xfc00000000000000, 0, 7), "unique-local", A, PairUse::yes},
    {p6(0xfe80000000000000, 0, 10), "link-local-6", H, PairUse::no},
    {p6(0xfec0000000000000, 0, 10), "site-local", D, PairUse::no},
    {p6(0xff00000000000000, 0, 8), "multicast-6", H, PairUse::no},
};

template <class Block, class Address>
const Block* most_specific(std::span<const Block> blocks, const Address& a) {
    const Block* best = nullptr;
    for (const Block& b : blocks)
        if (b.prefix.contains(a) && (!best || b.prefix.length() >= best->prefix.length()))
            best = &b;
    return best;
}

AddressClass class_in(const Ipv4Block& b, Profile profile) {
    if (b.address_class != D) return b.address_class;
    if (profile == Profile::any || (profile == Profile::private_ && b.allowed_in_private)) return A;
    return D;
}
AddressClass class_in(const Ipv6Block& b, Profile profile) {
    return b.address_class == D && profile == Profile::any ? A : b.address_class;
}

auto blocks_of(Ipv4Address) { return ipv4_blocks(); }
auto blocks_of(const Ipv6Address&) { return ipv6_blocks(); }

} // namespace

std::span<const Ipv4Block> ipv4_blocks() { return blocks4; }
std::span<const Ipv6Block> ipv6_blocks() { return blocks6; }
const Ipv4Block* find_block(Ipv4Address a) { return most_specific(ipv4_blocks(), a); }
const Ipv6Block* find_block(const Ipv6Address& a) { return most_specific(ipv6_blocks(), a); }

template <class Address>
Classifier<Address>::Classifier(Profile profile,
                                std::span<const BlockOverride<Address>> overrides) {
    // Least specific first; a stable sort keeps "later wins" at equal length.
    std::vector<Rule> all;
    for (const auto& b : blocks_of(Address{}))
        all.push_back({b.prefix, class_in(b, profile)});
    for (const auto& o : overrides)
        all.push_back({o.prefix, o.allow ? A : D});
    std::stable_sort(all.begin(), all.end(), [](const Rule& x, const Rule& y) {
        return x.prefix.length() < y.prefix.length();
    });

    // A rule fills whole ranges, or divides a single one.
    ranges_.resize(std::size_t{1} << range_bits);
    const auto fill = [this](const Rule& rule) {
        const std::size_t first = range_of(rule.prefix.address());
        const std::size_t count = std::size_t{1} << (range_bits - rule.prefix.length());
        std::fill_n(ranges_.begin() + static_cast<std::ptrdiff_t>(first), count,
                    Range{rule.address_class});
    };
    for (const Rule& rule : all) {
        if (rule.prefix.length() > range_bits)
            rules_.push_back(rule);
        else
            fill(rule);
    }
    std::reverse(rules_.begin(), rules_.end());
    std::stable_sort(rules_.begin(), rules_.end(), [](const Rule& x, const Rule& y) {
        return range_of(x.prefix.address()) < range_of(y.prefix.address());
    });
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        Range& r = ranges_[range_of(rules_[i].prefix.address())];
        if (r.count++ == 0) r.first = static_cast<std::uint16_t>(i);
    }
    // No override reaches class H: here for whole ranges, in classify_in() for divided ones.
    for (const auto& b : blocks_of(Address{}))
        if (b.address_class == H && b.prefix.length() <= range_bits) fill({b.prefix, H});
}

template <class Address>
AddressClass Classifier<Address>::classify_in(const Range& r, const Address& a) const noexcept {
    if (is_hard_martian(a)) return AddressClass::hard;
    for (std::size_t i = r.first; i < std::size_t{r.first} + r.count; ++i)
        if (rules_[i].prefix.contains(a)) return rules_[i].address_class;
    return r.whole;
}

template <class Address>
std::optional<AddressClass>
Classifier<Address>::class_of(const Prefix<Address>& prefix) const noexcept {
    if (is_hard_martian(prefix.address())) return AddressClass::hard; // no longer than the minimum
    const Range& r = ranges_[range_of(prefix.address())];
    std::optional<AddressClass> common;
    const auto differs = [&](AddressClass c) { return common.value_or(c) != c; };
    for (std::size_t i = r.first; i < std::size_t{r.first} + r.count; ++i) {
        const Rule& rule = rules_[i];
        if (!rule.prefix.overlaps(prefix)) continue;
        if (differs(rule.address_class)) return std::nullopt;
        common = rule.address_class;
        if (rule.prefix.contains(prefix)) return common;
    }
    if (differs(r.whole)) return std::nullopt;
    return r.whole;
}

template class Classifier<Ipv4Address>;
template class Classifier<Ipv6Address>;

} // namespace xlat646
