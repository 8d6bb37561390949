// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/translation_prefix.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/catch.hpp"

#include <array>
#include <string>

using namespace xlat646;

namespace {

std::optional<TranslationPrefix> make(const std::string& text) {
    const auto p = Ipv6Prefix::parse(text);
    return p ? TranslationPrefix::from(*p) : std::nullopt;
}

struct Row {
    const char* prefix;
    const char* address;
};
// Table 10.2, for 192.0.2.33.
constexpr Row table_10_2[] = {
    {"2001:db8::/32", "2001:db8:c000:221::"},
    {"2001:db8:100::/40", "2001:db8:1c0:2:21::"},
    {"2001:db8:122::/48", "2001:db8:122:c000:2:2100::"},
    {"2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"},
    {"2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"},
    {"2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"},
    {"64:ff9b::/96", "64:ff9b::192.0.2.33"},
};
// Table 10.1: the octets of the IPv6 address that hold a, b, c, d.
struct Layout {
    unsigned length;
    std::array<std::size_t, 4> octets;
};
constexpr Layout table_10_1[] = {{32, {4, 5, 6, 7}},    {40, {5, 6, 7, 9}},
                                 {48, {6, 7, 9, 10}},   {56, {7, 9, 10, 11}},
                                 {64, {9, 10, 11, 12}}, {96, {12, 13, 14, 15}}};

} // namespace

TEST_CASE("translation prefix: table 10.2 both ways", "[A52-01][A52-04][A52-05][A52-16]") {
    const Ipv4Address a = *Ipv4Address::parse("192.0.2.33");
    for (const Row& row : table_10_2) {
        CAPTURE(row.prefix);
        const auto p = make(row.prefix);
        REQUIRE(p);
        CHECK(p->embed(a) == Ipv6Address::parse(row.address));
        CHECK(p->extract(*Ipv6Address::parse(row.address)) == a);
        CHECK(p->contains(p->embed(a)));
    }
}

TEST_CASE("translation prefix: table 10.1 for any address", "[A52-01][A52-02][A52-03][A52-04]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{2}, test::fresh_seed());
    INFO("seed " << seed);
    test::Random random(seed);
    for (const Layout& layout : table_10_1) {
        CAPTURE(layout.length);
        for (int i = 0; i < 500; ++i) {
            Ipv6Address::Bytes bytes = Ipv6Address(random.bits(), random.bits()).bytes();
            bytes[8] = 0;
            const Ipv6Prefix base(Ipv6Address::from_bytes(bytes), layout.length);
            const auto p = TranslationPrefix::from(base);
            REQUIRE(p);
            const Ipv4Address a(random.number());

            Ipv6Address::Bytes wanted = base.address().bytes();
            for (std::size_t k = 0; k < 4; ++k)
                wanted[layout.octets[k]] = a.bytes()[k];
            REQUIRE(p->embed(a) == Ipv6Address::from_bytes(wanted));

            // Suffix and octet 8 are ignored on receipt.
            if (layout.length != 96) wanted[8] = random.byte();
            for (std::size_t k = layout.octets[3] + 1; k < 16; ++k)
                wanted[k] = random.byte();
            REQUIRE(p->extract(Ipv6Address::from_bytes(wanted)) == a);
        }
    }
}

TEST_CASE("translation prefix: what is none", "[A52-01][A52-02]") {
    for (unsigned length = 0; length <= 128; ++length) {
        const Ipv6Prefix p(*Ipv6Address::parse("2001:db8::"), length);
        const bool is_one = length == 32 || length == 40 || length == 48 || length == 56 ||
                            length == 64 || length == 96;
        CAPTURE(length);
        CHECK(TranslationPrefix::from(p).has_value() == is_one);
    }
    CHECK_FALSE(make("2001:db8:1:2:0100::/96"));
    CHECK_FALSE(make("2001:db8:1:2:ff00::/96"));
    CHECK_FALSE(make("2001:db8:1:2:8000::/96"));
    CHECK(make("2001:db8:1:2:00ff::/96"));
}

TEST_CASE("translation prefix: well-known and local-use prefixes", "[A52-05][A52-12][A52-13]") {
    CHECK(make("64:ff9b::/96")->is_well_known());
    for (const char* text :
         {"64:ff9b:1::/96", "64:ff9b:1:fffe::/96", "64:ff9b:1:fffd:1::/96", "64:ff9b:1:fffc:2::/96",
          "64:ff9b:1:abcd:0:5431::/96", "64:ff9b:0:0:0:1::/96", "64:ff9b::/64", "64:ff9b::/32",
          "2001:db8::/96"}) {
        CAPTURE(text);
        REQUIRE(make(text));
        CHECK_FALSE(make(text)->is_well_known());
    }
}

TEST_CASE("translation prefix: the whole range of a /96", "[A52-04]") {
    const auto p = *make("2001:db8:64::/96");
    for (const std::uint32_t value : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
        CHECK(p.extract(p.embed(Ipv4Address(value))) == Ipv4Address(value));
        CHECK(p.embed(Ipv4Address(value)).low() == value);
    }
    CHECK_FALSE(p.contains(*Ipv6Address::parse("2001:db8:64::1:0:0")));
    CHECK_FALSE(p.contains(*Ipv6Address::parse("2001:db8:63:ffff:ffff:ffff:ffff:ffff")));
}
