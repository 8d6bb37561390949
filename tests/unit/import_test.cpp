// SPDX-License-Identifier: BSD-2-Clause
//
// Files of other translators.
#include "translator/cli/import_formats.hpp"

#include "mapping/loader.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/diagnostic_text.hpp"

using namespace xlat646;

namespace {

using Pairs = std::vector<std::string>;

Pairs pairs_of(const ImportResult& result) {
    Pairs pairs;
    for (const ImportedPair& p : result.content.pairs)
        pairs.push_back(p.ipv4.to_string() + " " + p.ipv6.to_string());
    return pairs;
}

/// Errors and their notes, without warnings.
Lines errors_of(const ImportResult& result) {
    Lines lines;
    for (const Diagnostic& d : result.diagnostics)
        if (d.severity != Severity::warning) lines.push_back(d.to_string());
    return lines;
}

bool is_loadable(const ImportResult& result) {
    const std::string text = mapping_file_of(result.content);
    const LoaderInput input{"m", text};
    MappingList list;
    Diagnostics diagnostics;
    return load_mappings({&input, 1}, nullptr, {}, list, diagnostics) &&
           list.mappings.size() == result.content.pairs.size();
}

} // namespace

TEST_CASE("map646.conf", "[import]") {
    const auto r = import_text(ImportFormat::map646, "m",
                               "# comment\n\nmapping-prefix 64:ff9b:1:0::\n"
                               "map-static 203.0.113.1 2001:db8::1\r\n"
                               "\tstatic 203.0.113.2\t2001:db8::2 # the old word\n"
                               "map-static 203.0.113.1 2001:db8::3\n"
                               "map-static 203.0.113.3 2001:db8::2\n"
                               "map-static 203.0.113.3 2001:db8::4\n"
                               "map-static 203.0.113.400 2001:db8::5\n"
                               "map-static 203.0.113.6\n"
                               "include /etc/map646.d/x\n"
                               "frobnicate\n");
    REQUIRE(pairs_of(r) == Pairs{"203.0.113.1/32 2001:db8::1/128", "203.0.113.2/32 2001:db8::2/128",
                                 "203.0.113.3/32 2001:db8::4/128"});
    REQUIRE(r.content.prefix->to_string() == "64:ff9b:1::/96");
    const Lines errors = errors_of(r);
    REQUIRE(errors.size() == 8);
    CHECK(errors[0] == "m:6:12: error: 203.0.113.1 is mapped twice; the first one is kept");
    CHECK(errors[1] == "m:4:12: note: first mapped here");
    CHECK(errors[2] == "m:7:24: error: 2001:db8::2 is mapped twice; the first one is kept");
    CHECK(errors[4].starts_with("m:9:12: error: \"203.0.113.400\" is not an IPv4 address"));
    CHECK(errors[5] == "m:10:1: error: map-static: 2 words must follow");
    CHECK(errors[6].starts_with("m:11:1: error: include is not followed"));
    CHECK(errors[7] == "m:12:1: error: \"frobnicate\" is not known, and lost");
    CHECK(r.errors == 6);
    CHECK(is_loadable(r));
}

TEST_CASE("tayga.conf", "[import]") {
    const auto r =
        import_text(ImportFormat::tayga, "t",
                    "tun-device nat64\nipv4-addr 203.0.113.254\nipv6-addr 2001:db8:1::1\n"
                    "prefix 2001:db8:46::/96\ndynamic-pool 203.0.113.0/24\n"
                    "map 203.0.113.1 2001:db8::1\n"
                    "map 203.0.113.16/28 2001:db8:7::/124   # a prefix\n"
                    "map 203.0.113.32/28 2001:db8:8::/126\n"
                    "map 203.0.113.254 2001:db8::9\n"
                    "map 203.0.113.9 2001:db8:46::9\n"
                    "map 127.0.0.1 2001:db8::7\nprefix 2001:db8::/64\ndata-dir /x\n");
    CHECK(pairs_of(r) ==
          Pairs{"203.0.113.1/32 2001:db8::1/128", "203.0.113.16/28 2001:db8:7::/124"});
    CHECK(r.content.prefix->to_string() == "2001:db8:46::/96");
    CHECK(r.content.own4->to_string() == "203.0.113.254");
    CHECK(r.content.own6->to_string() == "2001:db8:1::1");
    const Lines errors = errors_of(r);
    REQUIRE(errors.size() == 6);
    CHECK(errors[0].starts_with("t:5:1: error: dynamic-pool is lost"));
    CHECK(errors[1].starts_with("t:8:21: error: ipv6: 2001:db8:8::/126 has less room"));
    CHECK(errors[2].starts_with("t:9:5: error: ipv4: 203.0.113.254 is or covers the translator's"));
    CHECK(errors[3].starts_with("t:10:17: error: ipv6: 2001:db8:46::9 overlaps the translation"));
    CHECK(errors[4].starts_with("t:11:5: error: "));
    CHECK(errors[5].starts_with("t:12:8: error: a second translation prefix"));
    const Lines all = lines_of(r.diagnostics);
    CHECK(all[0] == "t:1:1: warning: tun-device has no counterpart: see tun.name");
    CHECK(is_loadable(r));
    CHECK(main_file_of(r.content, "a\"b.yaml") ==
          "translation_prefix: \"2001:db8:46::/96\"\n"
          "own_addresses: { ipv4: 203.0.113.254, ipv6: \"2001:db8:1::1\" }\n"
          "mapping_files: [\"a\\\"b.yaml\"]\n");
    CHECK(mapping_file_of(r.content).find("#   translation_prefix: \"2001:db8:46::/96\"\n") !=
          std::string::npos);
}

TEST_CASE("a translation prefix that we cannot have", "[import]") {
    for (const char* const prefix : {"2001:db8::/64", "2001:db8:0:0:ff00::/96", "2001:db8::1/96"}) {
        const auto r = import_text(ImportFormat::tayga, "t", std::string("prefix ") + prefix);
        CHECK(r.errors == 1);
        CHECK_FALSE(r.content.prefix);
    }
}

TEST_CASE("Jool's JSON", "[import]") {
    const auto r = import_text(
        ImportFormat::jool, "j",
        "{\n\t\"comment\": {\"date\": [1, {}], \"eamt\": []},\n"
        "\t\"instance\":\"default\",\n\t\"framework\": \"netfilter\",\n"
        "\t\"global\": {\"pool6\": \"64:ff9b::/96\", \"rfc6791v4-prefix\": \"203.0.113.248/29\",\n"
        "\t\t\"rfc6791v6-prefix\": null, \"mtu-plateaus\": [1, 2], \"zeroize-traffic-class\": "
        "true},\n"
        "\t\"eamt\": [\n"
        "\t\t{ \"comment\": \"x\", \"ipv6 prefix\": \"2001:db8:1::/120\",\n"
        "\t\t  \"ipv4 prefix\": \"198.51.100.0/24\" },\n"
        "\t\t{ \"ipv4 prefix\": \"203.0.113.1\", \"ipv6 prefix\": \"2001:db8::1\" },\n"
        "\t\t{ \"ipv4 prefix\": \"203.0.113.2\" },\n"
        "\t\t{ \"ipv4 prefix\": [\"203.0.113.3\"], \"ipv6 prefix\": \"2001:db8::3\" },\n"
        "\t\t7, [8],\n"
        "\t\t{ \"ipv4 prefix\": \"203.0.113.4\", \"ipv6 prefix\": \"2001:db8::4\", \"x\": 1 }\n"
        "\t],\n\t\"denylist4\": [\"198.51.100.0\"], \"bib\": {}, \"eamt2\": null, \"z\": 1\n}\n");
    CHECK(pairs_of(r) == Pairs{"198.51.100.0/24 2001:db8:1::/120", "203.0.113.1/32 2001:db8::1/128",
                               "203.0.113.4/32 2001:db8::4/128"});
    CHECK(r.content.prefix->to_string() == "64:ff9b::0.0.0.0/96");
    CHECK(r.content.pool->to_string() == "203.0.113.248/29");
    Lines places;
    for (const std::string& line : errors_of(r))
        places.push_back(line.substr(0, line.find(" error")));
    CHECK(places == Lines{"j:11:3:", "j:12:3:", "j:12:5:", "j:13:3:", "j:13:6:", "j:14:65:",
                          "j:16:2:", "j:16:33:", "j:16:59:"});
    CHECK(is_loadable(r));
}

TEST_CASE("Jool's tables and commands", "[import]") {
    const auto r =
        import_text(ImportFormat::jool, "j",
                    "IPv6 Prefix,IPv4 Prefix\n2001:db8::1/128,203.0.113.1/32\n"
                    "+-----+-----+\n| 2001:db8:7::/124 | 203.0.113.16/28 |\n"
                    "ip netns exec x jool_siit -i one eamt add 203.0.113.2 2001:db8::2\n"
                    "sudo jool_siit eamt add --force 2001:db8::3 203.0.113.3\n"
                    "jool_siit eamt add\njool_siit eamt flush\nIPv6 Prefix,IPv4 Prefix\n");
    CHECK(pairs_of(r) == Pairs{"203.0.113.1/32 2001:db8::1/128", "203.0.113.16/28 2001:db8:7::/124",
                               "203.0.113.2/32 2001:db8::2/128", "203.0.113.3/32 2001:db8::3/128"});
    CHECK(errors_of(r).size() == 3);
}

TEST_CASE("hostile files to import", "[import]") {
    const std::string deep = "{\"eamt\":" + std::string(100000, '[');
    const std::string longest(1000000, '1');
    for (const std::string& text :
         {std::string("map \0 x", 7), std::string("map \xff 1"), deep, "{" + longest,
          "map " + longest + " " + longest, "prefix " + longest, longest,
          std::string("{\"a\":&x 1,\"b\":*x}")})
        for (const auto format : {ImportFormat::map646, ImportFormat::tayga, ImportFormat::jool}) {
            const auto r = import_text(format, "h", text);
            CHECK(r.errors != 0);
            CHECK(r.content.pairs.empty());
            for (const Diagnostic& d : r.diagnostics)
                CHECK(d.message.size() < 1000);
        }
    CHECK(lines_of(import_text(ImportFormat::jool, "h", deep).diagnostics) ==
          Lines{"h:1:1008: error: nested too deeply"});
    CHECK(import_text(ImportFormat::jool, "e", "").errors == 0);
    CHECK(is_loadable(import_text(ImportFormat::tayga, "e", "")));
}
