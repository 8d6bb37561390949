// SPDX-License-Identifier: BSD-2-Clause
//
// Addresses in mapping files: bad text, duplicates, and pairs the matrix refuses.
#include "mapping/loader.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/diagnostic_text.hpp"

namespace xlat646 {

namespace {

/// Loads { ipv4, ipv6 } at m:3:13 and m:4:13.
Lines load_pair(const std::string& ipv4, const std::string& ipv6,
                const LoaderRules* rules = nullptr) {
    const std::string text =
        "version: 1\nmappings:\n  - ipv4:   \"" + ipv4 + "\"\n    ipv6:   \"" + ipv6 + "\"\n";
    const LoaderInput input{"m", text};
    MappingList list;
    Diagnostics diagnostics;
    const bool good = load_mappings({&input, 1}, rules, {}, list, diagnostics);
    CHECK(good == !has_errors(diagnostics));
    CHECK(list.mappings.size() == (good ? 1 : 0));
    return lines_of(diagnostics);
}

LoaderRules rules() {
    return {*TranslationPrefix::from(*Ipv6Prefix::parse("2a00:46::/96")),
            *Ipv4Address::parse("198.41.0.254"),
            *Ipv6Address::parse("2a00:ff::1"),
            {*Ipv4Address::parse("198.41.0.241"), *Ipv4Address::parse("198.41.0.240")}};
}

struct Row {
    const char* text;
    const char* why;
};

} // namespace

TEST_CASE("mapping files: bad IPv4", "[loader]") {
    const Row rows[] = {
        {"", "it is empty"},
        {"198.41.0.256", "256 is more than 255"},
        {"198.41.0.1000", "1000 is more than 255"},
        {"198.41.0.01", "\"01\" has a leading zero"},
        {"198.41.0", "4 numbers are needed, not 3"},
        {"198.41.0.1.2", "4 numbers are needed, not 5"},
        {"198.41..1", "a number is missing"},
        {"198.41.0.", "a number is missing"},
        {"198.41.0.x", "\"x\" is not a number"},
        {"0x7f.1.1.1", "\"0x7f\" is not a number"},
        {"www.example.org", "\"www\" is not a number"},
        {" 198.41.0.1", "it has blanks around it"},
        {"  ", "it has blanks around it"},
        {"2a00::1", "it is IPv6"},
        {"198.41.0.256/24", "256 is more than 255"},
        {"198.41.0.1/33", "the prefix length is more than 32"},
        {"198.41.0.1/99999999999", "the prefix length is more than 32"},
        {"198.41.0.1/", "\"\" is not a prefix length"},
        {"198.41.0.1/-1", "\"-1\" is not a prefix length"},
        {"198.41.0.1/255.255.255.0", "\"255.255.255.0\" is not a prefix length"},
        {"198.0.0.0/08", "the prefix length has a leading zero"},
        {"198.41.0.1/24", "bits behind the prefix length are set; the prefix is 198.41.0.0/24"},
    };
    for (const Row& row : rows)
        CHECK(load_pair(row.text, "2a00::1") ==
              Lines{"m:3:13: error: ipv4: \"" + std::string(row.text) +
                    "\" is not an IPv4 address or prefix: " + row.why});
}

TEST_CASE("mapping files: bad IPv6", "[loader]") {
    const Row rows[] = {
        {"", "it is empty"},
        {"nonsense", "\"nonsense\" is not a hexadecimal number"},
        {"2a00:1:2:3:4:5:6", "8 groups are needed, not 7 (no '::')"},
        {"2a00:1:2:3:4:5:6:7:8", "too many groups"},
        {"2a00::1::2", "'::' may stand only once"},
        {"2a00:12345::", "\"12345\" has more than 4 digits"},
        {"2a00::192.0.2.256", "256 is more than 255"},
        {"2a00:1:192.0.2.1", "8 groups are needed, not 4 (no '::')"},
        {"2a00:1:2:3:4:5:6:192.0.2.1", "too many groups"},
        {"2a00:1:2:3:4:5:6:7::1", "too many groups"},
        {":1::", "a group is missing"},
        {"2a00:-1::", "\"-1\" is not a hexadecimal number"},
        {"2a00:1?::", "\"1?\" is not a hexadecimal number"},
        {"2A00:DEFG::", "\"DEFG\" is not a hexadecimal number"},
        {"fe80::1%eth0", "a zone (%) is not allowed"},
        {"[2a00::1]", "write it without brackets"},
        {"2a00::1 ", "it has blanks around it"},
        {"198.41.0.1", "it is IPv4"},
        {"2a00::1/129", "the prefix length is more than 128"},
        {"2a00:x/32", "\"x\" is not a hexadecimal number"},
        {"2a00::/x", "\"x\" is not a prefix length"},
        {"2a00::1/64", "bits behind the prefix length are set; the prefix is 2a00::/64"},
    };
    for (const Row& row : rows)
        CHECK(load_pair("198.41.0.1", row.text) ==
              Lines{"m:4:13: error: ipv6: \"" + std::string(row.text) +
                    "\" is not an IPv6 address or prefix: " + row.why});
}

TEST_CASE("mapping files: the IPv4 suffix fits into the IPv6 suffix", "[loader][EAM-01]") {
    CHECK(load_pair("198.41.0.0/24", "2a00::/120") == Lines{});
    CHECK(load_pair("198.41.0.0/24", "2a00::/64") == Lines{});
    CHECK(load_pair("198.41.0.1", "2a00::/64") == Lines{});
    CHECK(load_pair("198.41.0.0/24", "2a00::/121") ==
          Lines{"m:4:13: error: ipv6: 2a00::/121 has less room than 198.41.0.0/24: its length may "
                "be at most /120"});
    CHECK(load_pair("198.41.0.0/31", "2a00::1") ==
          Lines{"m:4:13: error: ipv6: 2a00::1 has less room than 198.41.0.0/31: its length may be "
                "at most /127"});
}

TEST_CASE("mapping files: duplicates in and across files", "[loader][EAM-06]") {
    const std::string a = "version: 1\nmappings:\n"
                          "  - { ipv4: 198.41.0.1, ipv6: \"2a00:7::1\" }\n"
                          "  - { ipv4: 198.41.0.1/32, ipv6: \"2a00:7::2\" }\n"
                          "  - { ipv4: 198.41.0.3, ipv6: \"2a00:7::2\" }\n";
    const std::string b = "version: 1\nmappings:\n"
                          "  - { ipv4: 198.41.0.4, ipv6: \"2A00:7:0::1/128\" }\n"
                          "  - { ipv4: 198.41.0.3, ipv6: \"bad:\" }\n";
    const LoaderInput inputs[] = {{"a", a}, {"b", b}};
    MappingList list;
    Diagnostics diagnostics;
    CHECK_FALSE(load_mappings(inputs, nullptr, {}, list, diagnostics));
    CHECK(
        lines_of(diagnostics) ==
        Lines{"a:4:13: error: ipv4: 198.41.0.1 is mapped twice", "a:3:13: note: first mapped here",
              "a:5:31: error: ipv6: 2a00:7::2 is mapped twice", "a:4:34: note: first mapped here",
              "b:3:31: error: ipv6: 2a00:7::1 is mapped twice", "a:3:31: note: first mapped here",
              "b:4:13: error: ipv4: 198.41.0.3 is mapped twice", "a:5:13: note: first mapped here",
              "b:4:31: error: ipv6: \"bad:\" is not an IPv6 address or prefix: it ends in ':'; "
              "put addresses that end in '::' in quotes"});
}

TEST_CASE("mapping files: a host pair inside a prefix pair", "[loader][EAM-06]") {
    const std::string text = "version: 1\nmappings:\n"
                             "  - { ipv4: 198.41.0.0/24, ipv6: \"2a00:7::/120\" }\n"
                             "  - { ipv4: 198.41.0.0/25, ipv6: \"2a00:7::/121\" }\n"
                             "  - { ipv4: 198.41.0.0, ipv6: \"2a00:7::\" }\n";
    const LoaderInput input{"m", text};
    MappingList list;
    Diagnostics diagnostics;
    CHECK(load_mappings({&input, 1}, nullptr, {}, list, diagnostics));
    CHECK(diagnostics.empty());
    CHECK(list.mappings.size() == 3);
}

TEST_CASE("mapping files: an error in one file does not hide the next", "[loader]") {
    const LoaderInput inputs[] = {{"a", "version: [\n"}, {"b", ""}, {"c", "version: 1\nx: 1\n"}};
    MappingList list;
    Diagnostics diagnostics;
    CHECK_FALSE(load_mappings(inputs, nullptr, {}, list, diagnostics));
    CHECK(lines_of(diagnostics) ==
          Lines{"a:1:10: error: version: expected 1, found a list",
                "a:2:1: error: not valid YAML: end of sequence flow not found",
                "a:1:10: note: in the brackets that open here", "b: error: the file is empty",
                "c: error: 'mappings' is missing", "c:2:1: error: unknown key \"x\""});
}

TEST_CASE("mapping files: addresses that no server can have", "[loader][EAM-07]") {
    const auto refused = [](const std::string& address, const std::string& block) {
        return address + " cannot be mapped: it lies in or covers " + block;
    };
    const struct {
        const char* ipv4;
        const char* block;
    } rows4[] = {
        {"0.1.2.3", "0.0.0.0/8 (this-network)"},
        {"127.0.0.1", "127.0.0.0/8 (loopback)"},
        {"169.254.1.1", "169.254.0.0/16 (link-local)"},
        {"224.0.0.5", "224.0.0.0/4 (multicast)"},
        {"240.0.0.1", "240.0.0.0/4 (reserved)"},
        {"255.255.255.255", "255.255.255.255/32 (broadcast)"},
        {"126.0.0.0/7", "127.0.0.0/8 (loopback)"},
    };
    for (const auto& row : rows4)
        CHECK(load_pair(row.ipv4, "2a00::/64") ==
              Lines{"m:3:13: error: ipv4: " + refused(row.ipv4, row.block) +
                    ", which is never translated"});
    const struct {
        const char* ipv6;
        const char* block;
    } rows6[] = {
        {"::", "::/128 (unspecified)"},
        {"::1", "::1/128 (loopback-6)"},
        {"fe80::1", "fe80::/10 (link-local-6)"},
        {"ff02::1", "ff00::/8 (multicast-6)"},
        {"100::1", "100::/64 (discard-only)"},
        {"2001:10::1", "2001:10::/28 (orchid)"},
        {"2001:1::/64", "2001:1::1/128 (pcp-anycast-6)"},
        {"5f00::1", "5f00::/16 (srv6-sids)"},
    };
    for (const auto& row : rows6)
        CHECK(load_pair("198.41.0.1", row.ipv6) ==
              Lines{"m:4:13: error: ipv6: " + refused(row.ipv6, row.block) +
                    ", which no server can use"});
    CHECK(load_pair("198.41.0.1", "fd00::1") == Lines{});
    CHECK(load_pair("192.31.196.1", "2a00::1") == Lines{}); // AS112 is special and global
    CHECK(load_pair("192.31.196.0/23", "2a00::/64") == Lines{});
    CHECK(load_pair("198.41.0.1", "64:ff9b:1::1") == Lines{});
}

TEST_CASE("mapping files: private and documentation addresses are warned of once",
          "[loader][EAM-07]") {
    CHECK(load_pair("10.0.0.1", "2001:db8::1") ==
          Lines{"m:3:13: warning: ipv4: 10.0.0.1 is in 10.0.0.0/8 (private-10)",
                "m:4:13: warning: ipv6: 2001:db8::1 is in 2001:db8::/32 (documentation)"});
    std::string text = "version: 1\nmappings:\n";
    for (int i = 1; i <= 200; ++i)
        text += "  - { ipv4: 192.0.2." + std::to_string(i) +
                ", ipv6: \"2a00::" + std::to_string(i) + "\" }\n";
    const LoaderInput input{"m", text};
    MappingList list;
    Diagnostics diagnostics;
    CHECK(load_mappings({&input, 1}, nullptr, {}, list, diagnostics));
    CHECK(lines_of(diagnostics) ==
          Lines{"m:3:13: warning: ipv4: 192.0.2.1 is in 192.0.2.0/24 (test-net-1), like 199 more"});
}

TEST_CASE("mapping files: what the translator uses itself", "[loader][EAM-07]") {
    const LoaderRules r = rules();
    CHECK(load_pair("198.41.0.1", "2a00:46::1", &r) ==
          Lines{"m:4:13: error: ipv6: 2a00:46::1 overlaps the translation prefix 2a00:46::/96, "
                "whose addresses stand for IPv4 clients"});
    CHECK(load_pair("198.41.0.1", "2a00:46::/64", &r) ==
          Lines{"m:4:13: error: ipv6: 2a00:46::/64 overlaps the translation prefix 2a00:46::/96, "
                "whose addresses stand for IPv4 clients"});
    CHECK(load_pair("198.41.0.254", "2a00::1", &r) ==
          Lines{"m:3:13: error: ipv4: 198.41.0.254 is or covers the translator's own address "
                "198.41.0.254"});
    CHECK(load_pair("198.41.0.1", "2a00:ff::1", &r) ==
          Lines{"m:4:13: error: ipv6: 2a00:ff::1 is or covers the translator's own address "
                "2a00:ff::1"});
    CHECK(load_pair("198.41.0.241", "2a00::1", &r) ==
          Lines{"m:3:13: error: ipv4: 198.41.0.241 is or covers 198.41.0.241 of icmp_source_pool"});
    CHECK(load_pair("198.41.0.192/26", "2a00::/122", &r) ==
          Lines{"m:3:13: error: ipv4: 198.41.0.192/26 is or covers the translator's own address "
                "198.41.0.254",
                "m:3:13: error: ipv4: 198.41.0.192/26 is or covers 198.41.0.240 of "
                "icmp_source_pool"});
    CHECK(load_pair("198.41.0.242", "2a00:47::", &r) == Lines{});
    LoaderRules own_in_pool = r;
    own_in_pool.pool4.push_back(r.own4);
    CHECK(load_pair("198.41.0.254", "2a00::1", &own_in_pool) ==
          Lines{"m:3:13: error: ipv4: 198.41.0.254 is or covers the translator's own address "
                "198.41.0.254"});
}

} // namespace xlat646
