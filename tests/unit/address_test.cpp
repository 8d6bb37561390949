// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/address.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/catch.hpp"

#include <set>
#include <string>
#include <unordered_set>
#include <vector>

using namespace xlat646;

namespace {

std::string text6(const char* text) {
    const auto a = Ipv6Address::parse(text);
    return a ? a->to_string() : "(refused)";
}

} // namespace

TEST_CASE("address: IPv4 text is strict", "[address]") {
    CHECK(Ipv4Address::parse("192.0.2.33") == Ipv4Address(0xc0000221));
    CHECK(Ipv4Address::parse("0.0.0.0") == Ipv4Address());
    CHECK(Ipv4Address::parse("255.255.255.255") == Ipv4Address(0xffffffff));
    for (const std::string text :
         {"",
          " ",
          "1",
          "1.2.3",
          "1.2.3.4.5",
          "1.2.3.256",
          "1.2.3.-1",
          "01.2.3.4",
          "1.2.3.04",
          "1.2.3.00",
          "1.2.3.4 ",
          " 1.2.3.4",
          "1.2.3.4/32",
          "0x1.2.3.4",
          "1..3.4",
          "1.2.3.",
          ".1.2.3",
          "a.b.c.d",
          "1.2.3.4%eth0",
          "::1",
          "1,2,3,4",
          "1.2.3.4444",
          "1.2.3.4\n",
          "999999999999999999999999999999999999999999999999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(Ipv4Address::parse(text));
    }
    CHECK_FALSE(Ipv4Address::parse(std::string("1.2.3.4\0", 8)));
    CHECK_FALSE(Ipv4Address::parse(std::string("1.2.3.4\0.5", 10)));
}

TEST_CASE("address: IPv6 text is strict", "[address]") {
    CHECK(Ipv6Address::parse("::") == Ipv6Address());
    CHECK(Ipv6Address::parse("2001:DB8::1") == Ipv6Address(0x20010db800000000, 1));
    CHECK(Ipv6Address::parse("1:2:3:4:5:6:7:8") ==
          Ipv6Address(0x0001000200030004, 0x0005000600070008));
    CHECK(Ipv6Address::parse("2001:db8:64::198.51.100.7") ==
          Ipv6Address(0x20010db800640000, 0xc6336407)); // A52-09
    for (const std::string text : {"",
                                   ":",
                                   ":::",
                                   "1::2::3",
                                   "1:2:3:4:5:6:7",
                                   "1:2:3:4:5:6:7:8:9",
                                   "12345::",
                                   "::g",
                                   "fe80::1%eth0",
                                   "[::1]",
                                   "::1/128",
                                   " ::1",
                                   "::1 ",
                                   "1.2.3.4",
                                   "::1.2.3",
                                   "::1.2.3.256",
                                   "1:2:3:4:5:6:7:1.2.3.4",
                                   "2001:db8::1:",
                                   ":1::",
                                   "::1\n"}) {
        CAPTURE(text);
        CHECK_FALSE(Ipv6Address::parse(text));
    }
    CHECK_FALSE(Ipv6Address::parse(std::string("::1\0", 4)));
}

TEST_CASE("address: IPv6 is written as RFC 5952 says", "[address][A52-09]") {
    CHECK(text6("2001:0DB8:0000:0000:0000:0000:0002:0001") == "2001:db8::2:1");
    CHECK(text6("2001:db8:0:1:1:1:1:1") == "2001:db8:0:1:1:1:1:1"); // 4.2.2: one group stays
    CHECK(text6("2001:0:0:1:0:0:0:1") == "2001:0:0:1::1");          // 4.2.3: the longest run
    CHECK(text6("2001:db8:0:0:1:0:0:1") == "2001:db8::1:0:0:1");    // 4.2.3: the first of equals
    CHECK(text6("0:0:0:0:0:0:0:0") == "::");
    CHECK(text6("0:0:0:0:0:0:0:1") == "::1");
    CHECK(text6("1:0:0:0:0:0:0:0") == "1::");
    CHECK(text6("AbCd::eF") == "abcd::ef");
    CHECK(text6("64:ff9b::c000:221") == "64:ff9b::192.0.2.33"); // 5: a known prefix
    CHECK(text6("64:ff9b::") == "64:ff9b::0.0.0.0");
    CHECK(text6("64:ff9b:1::c000:221") == "64:ff9b:1::c000:221");
    CHECK(text6("64:ff9b::1:c000:221") == "64:ff9b::1:c000:221");
    CHECK(text6("::ffff:192.0.2.33") == "::ffff:192.0.2.33");
}

TEST_CASE("address: text and bytes lead back to the address", "[address]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{1}, test::fresh_seed());
    INFO("seed " << seed);
    test::Random random(seed);
    for (int i = 0; i < 2000; ++i) {
        const Ipv4Address a4(random.number());
        REQUIRE(Ipv4Address::parse(a4.to_string()) == a4);
        REQUIRE(Ipv4Address::from_bytes(a4.bytes()) == a4);
        // Many zeros, so that there is something to compress.
        std::uint64_t halves[2] = {random.bits(), random.bits()};
        for (unsigned group = 0; group < 8; ++group)
            if (random.one_in(2)) halves[group / 4] &= ~(std::uint64_t{0xffff} << group % 4 * 16);
        const Ipv6Address a6(halves[0], halves[1]);
        REQUIRE(Ipv6Address::parse(a6.to_string()) == a6);
        REQUIRE(Ipv6Address::from_bytes(a6.bytes()) == a6);
    }
    const Ipv6Address::Bytes wire = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    CHECK(Ipv6Address::from_bytes(wire) == Ipv6Address(0x20010db800000000, 0x0102030405060708));
    CHECK(Ipv6Address(0x20010db800000000, 0x0102030405060708).bytes() == wire);
    CHECK(Ipv4Address(0x01020304).bytes() == Ipv4Address::Bytes{1, 2, 3, 4});
}

TEST_CASE("address: prefix text", "[address][EAM-01]") {
    CHECK(Ipv4Prefix::parse("192.0.2.1")->length() == 32); // lengths may be omitted
    CHECK(Ipv6Prefix::parse("2001:db8::1")->length() == 128);
    CHECK(Ipv4Prefix::parse("192.0.2.16/28")->to_string() == "192.0.2.16/28");
    CHECK(Ipv4Prefix::parse("0.0.0.0/0")->suffix_length() == 32);
    CHECK(Ipv6Prefix::parse("::/0")->suffix_length() == 128);
    CHECK(Ipv6Prefix::parse("2001:db8::/127")->to_string() == "2001:db8::/127");
    for (const char* text :
         {"192.0.2.1/31", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/024", "192.0.2.0/+24",
          "192.0.2.0/-1", "192.0.2.0/24/24", "192.0.2.0/ 24", "192.0.2.0/24 ", "/24", "",
          "192.0.2.0/1000", "192.0.2.0/2a", "192.0.2.0/255.255.255.0", "2001:db8::/32"}) {
        CAPTURE(text);
        CHECK_FALSE(Ipv4Prefix::parse(text));
    }
    for (const char* text : {"2001:db8::1/64", "2001:db8::/129", "2001:db8::/0x20", "::/00",
                             "2001:db8::/", "2001:db8:::/32", "2001:db8::%1/32"}) {
        CAPTURE(text);
        CHECK_FALSE(Ipv6Prefix::parse(text));
    }
}

TEST_CASE("address: prefixes contain and overlap", "[address]") {
    CHECK(masked(Ipv4Address(0xffffffff), 0) == Ipv4Address());
    CHECK(masked(Ipv4Address(0xffffffff), 32) == Ipv4Address(0xffffffff));
    const Ipv6Address ones(~0ull, ~0ull);
    for (unsigned length = 0; length <= 128; ++length) {
        const Ipv6Prefix p(ones, length);
        CHECK(p.contains(ones));
        CHECK(p.address().bytes() == Ipv6Prefix(p.address(), length).address().bytes());
        unsigned bits = 0;
        for (const std::uint8_t b : p.address().bytes())
            for (unsigned i = 0; i < 8; ++i)
                bits += (b >> i) & 1u;
        CHECK(bits == length);
        if (length != 0) CHECK_FALSE(p.contains(Ipv6Address()));
    }
    const Ipv4Prefix wide = *Ipv4Prefix::parse("192.0.2.0/24");
    const Ipv4Prefix narrow = *Ipv4Prefix::parse("192.0.2.128/25");
    const Ipv4Prefix other = *Ipv4Prefix::parse("192.0.3.0/24");
    CHECK(wide.contains(narrow));
    CHECK_FALSE(narrow.contains(wide));
    CHECK(wide.overlaps(narrow));
    CHECK(narrow.overlaps(wide));
    CHECK_FALSE(wide.overlaps(other));
    CHECK(Ipv4Prefix().contains(other));
    CHECK(narrow.contains(Ipv4Address(0xc0000280)));
    CHECK_FALSE(narrow.contains(Ipv4Address(0xc000027f)));
    CHECK(Ipv4Prefix(Ipv4Address(0xc00002ff), 24) == wide); // host bits are cleared
    CHECK(Ipv4Prefix::parse("192.0.2.1")->is_host());
    CHECK_FALSE(wide.is_host());
}

TEST_CASE("address: order is numeric and hashes tell addresses apart", "[address]") {
    CHECK(Ipv4Address(1) < Ipv4Address(0x80000000));
    CHECK(Ipv6Address(0, ~0ull) < Ipv6Address(1, 0));
    CHECK(Ipv6Address(1, 1) < Ipv6Address(1, 2));
    CHECK(*Ipv4Prefix::parse("10.0.0.0/8") < *Ipv4Prefix::parse("10.0.0.0/16"));

    std::unordered_set<std::size_t> hashes;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        hashes.insert(std::hash<Ipv4Address>{}(Ipv4Address(0xc0000200 + i)));
        hashes.insert(std::hash<Ipv6Address>{}(Ipv6Address(0x20010db800000000, i)));
        hashes.insert(std::hash<Ipv6Address>{}(Ipv6Address(0x20010db800000000 + i, 1)));
    }
    CHECK(hashes.size() > 2990);
    const auto p = *Ipv4Prefix::parse("192.0.2.0/24");
    CHECK(std::hash<Ipv4Prefix>{}(p) == std::hash<Ipv4Prefix>{}(Ipv4Prefix(p.address(), 24)));
    CHECK(std::hash<Ipv4Prefix>{}(p) != std::hash<Ipv4Prefix>{}(Ipv4Prefix(p.address(), 25)));
}
