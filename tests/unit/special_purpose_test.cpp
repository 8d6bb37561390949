// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/special_purpose.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/catch.hpp"

#include <array>
#include <map>
#include <set>

using namespace xlat646;

namespace {

constexpr auto A = AddressClass::allowed;
constexpr auto D = AddressClass::denied;
constexpr auto H = AddressClass::hard;

struct Expected {
    const char* prefix;
    AddressClass internet;
    AddressClass private_profile;
    AddressClass any;
};
// Written from matrix table 16.1; the most specific row wins.
constexpr Expected table_16_1[] = {
    {"0.0.0.0/8", H, H, H},         {"10.0.0.0/8", D, A, A},     {"100.64.0.0/10", D, A, A},
    {"127.0.0.0/8", H, H, H},       {"169.254.0.0/16", H, H, H}, {"172.16.0.0/12", D, A, A},
    {"192.0.0.0/24", D, D, A},      {"192.0.0.0/29", D, D, A},   {"192.0.0.8/32", D, D, A},
    {"192.0.0.9/32", A, A, A},      {"192.0.0.10/32", A, A, A},  {"192.0.0.170/32", D, D, A},
    {"192.0.0.171/32", D, D, A},    {"192.0.2.0/24", D, D, A},   {"192.31.196.0/24", A, A, A},
    {"192.52.193.0/24", A, A, A},   {"192.88.99.0/24", D, D, A}, {"192.168.0.0/16", D, A, A},
    {"192.175.48.0/24", A, A, A},   {"198.18.0.0/15", D, D, A},  {"198.51.100.0/24", D, D, A},
    {"203.0.113.0/24", D, D, A},    {"224.0.0.0/4", H, H, H},    {"240.0.0.0/4", H, H, H},
    {"255.255.255.255/32", H, H, H}};
// Table 16.2; the profile `private` changes nothing in IPv6.
constexpr Expected table_16_2[] = {
    {"::/128", H, H, H},         {"::1/128", H, H, H},        {"::/96", H, H, H},
    {"::ffff:0:0/96", H, H, H},  {"64:ff9b:1::/48", A, A, A}, {"100::/64", D, D, A},
    {"100:0:0:1::/64", D, D, A}, {"2001::/23", D, D, A},      {"2001::/32", A, A, A},
    {"2001:1::1/128", A, A, A},  {"2001:1::2/128", A, A, A},  {"2001:1::3/128", A, A, A},
    {"2001:2::/48", D, D, A},    {"2001:3::/32", A, A, A},    {"2001:4:112::/48", A, A, A},
    {"2001:10::/28", D, D, A},   {"2001:20::/28", D, D, A},   {"2001:30::/28", D, D, A},
    {"2001:db8::/32", D, D, A},  {"2002::/16", A, A, A},      {"2620:4f:8000::/48", A, A, A},
    {"3fff::/20", D, D, A},      {"5f00::/16", D, D, A},      {"fc00::/7", A, A, A},
    {"fe80::/10", H, H, H},      {"fec0::/10", D, D, A},      {"ff00::/8", H, H, H}};

template <class Address> Address parse(const std::string& text) {
    return Address::parse(text).value();
}

Ipv4Address last(const Ipv4Prefix& p) {
    return Ipv4Address(p.address().value() | (p.length() == 32 ? 0 : 0xffffffffu >> p.length()));
}
Ipv6Address last(const Ipv6Prefix& p) {
    Ipv6Address::Bytes b = p.address().bytes();
    for (unsigned bit = p.length(); bit < 128; ++bit)
        b[bit / 8] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
    return Ipv6Address::from_bytes(b);
}
Ipv4Address step(Ipv4Address a, int by) {
    return Ipv4Address(a.value() + static_cast<std::uint32_t>(by));
}
Ipv6Address step(const Ipv6Address& a, int by) {
    const std::uint64_t low = a.low() + static_cast<std::uint64_t>(std::int64_t{by});
    std::uint64_t high = a.high();
    if (by > 0 && low == 0) ++high;
    if (by < 0 && low == ~0ull) --high;
    return {high, low};
}

template <class Address> constexpr const auto& rows() {
    if constexpr (Address::width == 32)
        return table_16_1;
    else
        return table_16_2;
}

template <class Address> AddressClass expected(const Address& a, Profile profile) {
    const Expected* best = nullptr;
    unsigned length = 0;
    for (const Expected& row : rows<Address>()) {
        const auto p = Prefix<Address>::parse(row.prefix).value();
        if (!p.contains(a) || (best && p.length() < length)) continue;
        best = &row;
        length = p.length();
    }
    if (!best) return A;
    return profile == Profile::internet   ? best->internet
           : profile == Profile::private_ ? best->private_profile
                                          : best->any;
}

/// First and last address of every block and their neighbours on both sides.
template <class Address> std::vector<Address> edges() {
    std::vector<Address> all;
    for (const Expected& row : rows<Address>()) {
        const auto p = Prefix<Address>::parse(row.prefix).value();
        for (const Address& a : {p.address(), last(p)})
            for (const int by : {-1, 0, 1})
                all.push_back(step(a, by));
    }
    return all;
}

template <class Address> void check_all(std::size_t random_addresses) {
    const std::uint64_t seed = test::fresh_seed();
    INFO("seed " << seed);
    test::Random random(seed);
    std::vector<Address> addresses = edges<Address>();
    for (std::size_t i = 0; i < random_addresses; ++i) {
        if constexpr (Address::width == 32)
            addresses.emplace_back(random.number());
        else
            addresses.emplace_back(random.bits() >> random.below(64), random.bits());
    }
    for (const Profile profile : {Profile::internet, Profile::private_, Profile::any}) {
        const Classifier<Address> classifier(profile);
        for (const Address& a : addresses) {
            CAPTURE(a.to_string(), static_cast<int>(profile));
            REQUIRE(classifier.classify(a) == expected(a, profile));
            REQUIRE(is_hard_martian(a) == (expected(a, profile) == H));
        }
    }
}

} // namespace

TEST_CASE("special blocks: table 16.1 in every profile", "[SPA-01][SPA-02][A52-06]") {
    check_all<Ipv4Address>(20000);
}

TEST_CASE("special blocks: table 16.2 in every profile", "[SPA-01][SPA-02][S91-06]") {
    // 64:ff9b::/96 has no class of its own; no row needed.
    check_all<Ipv6Address>(20000);
}

TEST_CASE("special blocks: the tables of the code are the matrix' tables", "[SPA-06]") {
    std::map<Ipv4Prefix, AddressClass> wanted4;
    for (const Expected& row : table_16_1)
        wanted4[Ipv4Prefix::parse(row.prefix).value()] = row.internet;
    for (const Ipv4Block& b : ipv4_blocks()) {
        CAPTURE(b.prefix.to_string());
        if (b.prefix.to_string() == "192.0.0.170/31") continue; // two rows there
        REQUIRE(wanted4.count(b.prefix) == 1);
        CHECK(wanted4[b.prefix] == b.address_class);
        CHECK(find_block(b.prefix.address()) != nullptr);
        CHECK_FALSE(b.name.empty());
    }
    CHECK(ipv4_blocks().size() + 1 == wanted4.size());
    CHECK(find_block(parse<Ipv4Address>("192.0.0.171"))->name == "nat64-discovery");
    CHECK(find_block(parse<Ipv4Address>("192.0.0.200"))->name == "ietf-protocol");
    CHECK(find_block(parse<Ipv4Address>("8.8.8.8")) == nullptr);
    CHECK(find_block(parse<Ipv6Address>("2a00::1")) == nullptr);
    CHECK(find_block(parse<Ipv6Address>("2001:1::2"))->name == "turn-anycast-6");
    CHECK(ipv6_blocks().size() == std::size(table_16_2) + 1); // and the well-known prefix
}

TEST_CASE("special blocks: which may be the IPv6 side of a pair", "[EAM-07]") {
    const std::map<std::string, PairUse> wanted = {
        {"::", PairUse::no},          {"::1", PairUse::no},
        {"::2", PairUse::no},         {"::ffff:1.2.3.4", PairUse::no},
        {"64:ff9b::1", PairUse::no},  {"64:ff9b:1::1", PairUse::yes},
        {"100::1", PairUse::no},      {"100:0:0:1::1", PairUse::no},
        {"2001:5::1", PairUse::warn}, {"2001::1", PairUse::warn},
        {"2001:1::1", PairUse::no},   {"2001:1::2", PairUse::no},
        {"2001:1::3", PairUse::no},   {"2001:2::1", PairUse::warn},
        {"2001:3::1", PairUse::warn}, {"2001:4:112::1", PairUse::warn},
        {"2001:10::1", PairUse::no},  {"2001:20::1", PairUse::no},
        {"2001:30::1", PairUse::no},  {"2001:db8::1", PairUse::warn},
        {"2002::1", PairUse::warn},   {"2620:4f:8000::1", PairUse::warn},
        {"3fff::1", PairUse::warn},   {"5f00::1", PairUse::no},
        {"fc00::1", PairUse::yes},    {"fe80::1", PairUse::no},
        {"fec0::1", PairUse::no},     {"ff02::1", PairUse::no}};
    for (const auto& [text, use] : wanted) {
        CAPTURE(text);
        const Ipv6Block* block = find_block(parse<Ipv6Address>(text));
        REQUIRE(block != nullptr);
        CHECK(block->pair == use);
    }
}

TEST_CASE("special blocks: every denied block can be switched", "[SPA-02][SPA-03][SPA-06]") {
    for (const Ipv4Block& b : ipv4_blocks()) {
        CAPTURE(b.prefix.to_string());
        const Ipv4Override on{b.prefix, true};
        const Ipv4Override off{b.prefix, false};
        const bool is_hard = b.address_class == H;
        CHECK(Ipv4Classifier(Profile::internet, {&on, 1}).classify(b.prefix.address()) ==
              (is_hard ? H
               : find_block(b.prefix.address()) == &b
                   ? A
                   : expected(b.prefix.address(), Profile::internet)));
        CHECK(Ipv4Classifier(Profile::any, {&off, 1}).classify(last(b.prefix)) ==
              (is_hard ? H : D));
    }
    for (const Ipv6Block& b : ipv6_blocks()) {
        CAPTURE(b.prefix.to_string());
        const Ipv6Override on{b.prefix, true};
        const Ipv6Override off{b.prefix, false};
        const bool is_hard = b.address_class == H;
        CHECK(Ipv6Classifier(Profile::internet, {&on, 1}).classify(last(b.prefix)) ==
              (is_hard ? H : A));
        CHECK(Ipv6Classifier(Profile::any, {&off, 1}).classify(last(b.prefix)) ==
              (is_hard ? H : D));
    }
}

TEST_CASE("special blocks: the longest override wins, then the later one", "[SPA-02][SPA-06]") {
    const auto p = [](const char* text) { return Ipv4Prefix::parse(text).value(); };
    const std::array<Ipv4Override, 6> overrides = {{{p("8.0.0.0/8"), false},
                                                    {p("8.8.8.0/24"), true},
                                                    {p("8.8.8.8"), false},
                                                    {p("9.9.9.9"), false},
                                                    {p("9.9.9.9"), true},
                                                    {p("127.0.0.0/8"), true}}};
    const Ipv4Classifier c(Profile::internet, overrides);
    CHECK(c.classify(parse<Ipv4Address>("8.1.1.1")) == D);
    CHECK(c.classify(parse<Ipv4Address>("8.8.8.9")) == A);
    CHECK(c.classify(parse<Ipv4Address>("8.8.8.8")) == D);
    CHECK(c.classify(parse<Ipv4Address>("9.9.9.9")) == A);
    CHECK(c.classify(parse<Ipv4Address>("127.0.0.1")) == H); // hard stays hard
    CHECK(c.classify(parse<Ipv4Address>("10.0.0.1")) == D);

    const Ipv4Override all{Ipv4Prefix(), false}; // 0.0.0.0/0: built-in blocks are longer
    const Ipv4Classifier deny(Profile::internet, {&all, 1});
    CHECK(deny.classify(parse<Ipv4Address>("8.8.8.8")) == D);
    CHECK(deny.classify(parse<Ipv4Address>("192.31.196.1")) == A);
    const Ipv6Override all6{Ipv6Prefix(), false};
    const Ipv6Classifier deny6(Profile::any, {&all6, 1});
    CHECK(deny6.classify(parse<Ipv6Address>("2a00::1")) == D);
    CHECK(deny6.classify(parse<Ipv6Address>("2001:db8::1")) == A);
}

TEST_CASE("special blocks: the class of a whole /16 is the class of all its addresses") {
    const auto p = [](const char* text) { return Ipv4Prefix::parse(text).value(); };
    const std::array<Ipv4Override, 4> overrides = {{{p("9.9.9.9"), false},
                                                    {p("11.0.0.0/8"), false},
                                                    {p("11.5.0.0/16"), true},
                                                    {p("127.0.0.0/8"), true}}};
    for (const Profile profile : {Profile::internet, Profile::private_, Profile::any}) {
        const Ipv4Classifier c(profile, overrides);
        for (const std::uint32_t octet : {0u, 8u, 9u, 10u, 11u, 100u, 127u, 169u, 172u, 192u, 198u,
                                          203u, 223u, 224u, 240u, 255u})
            for (std::uint32_t i = octet * 256; i < octet * 256 + 256; ++i) {
                // Borders of all blocks and overrides that divide a /16 lie at these offsets.
                std::set<AddressClass> classes;
                for (std::uint32_t j = 0; j < 256; ++j)
                    for (const std::uint32_t k : {0u, 7u, 8u, 9u, 10u, 11u, 169u, 170u, 171u, 255u})
                        classes.insert(c.classify(Ipv4Address((i << 16) | (j << 8) | k)));
                const auto whole = c.class_of(Ipv4Prefix(Ipv4Address(i << 16), 16));
                CAPTURE(i);
                if (whole.has_value() != (classes.size() == 1) ||
                    (whole && *whole != *classes.begin()))
                    FAIL("class_of is wrong");
            }
    }
}
