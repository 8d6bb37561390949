// SPDX-License-Identifier: BSD-2-Clause
//
// What a mapping file may look like, and what is said about one that does not.
#include "mapping/loader.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/diagnostic_text.hpp"

namespace xlat646 {

namespace {

struct Row {
    const char* title;
    std::string text;
    Lines expected;
};

Lines load(const std::string& text, MappingList& out, LoaderLimits limits = {}) {
    const LoaderInput input{"m", text};
    Diagnostics diagnostics;
    const bool good = load_mappings({&input, 1}, nullptr, limits, out, diagnostics);
    CHECK(good == !has_errors(diagnostics));
    if (!good) CHECK(out.mappings.empty());
    return lines_of(diagnostics);
}

void check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        INFO(row.title << "\n" << row.text);
        MappingList list;
        CHECK(load(row.text, list) == row.expected);
    }
}

const std::string head = "version: 1\nmappings:\n";

} // namespace

TEST_CASE("mapping files: a good one", "[loader][EAM-01]") {
    MappingList list;
    const Lines said =
        load("version: 1\n"
             "mappings:\n"
             "  - { ipv4: 198.41.0.1, ipv6: \"2a00:6::2\", name: www, tenant: acme }\n"
             "  - ipv4: 198.41.0.16/28\n"
             "    ipv6: 2a00:7::/124\n"
             "    tenant: acme\n",
             list);
    REQUIRE(said == Lines{});
    REQUIRE(list.mappings.size() == 2);
    CHECK(list.files == std::vector<std::string>{"m"});
    const Eam& first = list.mappings[0];
    CHECK(first.ipv4.to_string() == "198.41.0.1/32");
    CHECK(first.ipv6.to_string() == "2a00:6::2/128");
    CHECK(list.name_of(first) == "www");
    CHECK(list.tenant_of(first) == "acme");
    CHECK(first.where == SourceLocation{0, 3, 13});
    CHECK(first.slot == no_slot);
    const Eam& second = list.mappings[1];
    CHECK(second.ipv4.to_string() == "198.41.0.16/28");
    CHECK(second.ipv6.to_string() == "2a00:7::/124");
    CHECK(list.name_of(second).empty());
    CHECK(second.tenant == first.tenant); // stored once
    CHECK(second.where == SourceLocation{0, 4, 11});
}

TEST_CASE("mapping files: shapes that are fine", "[loader]") {
    check({
        {"an empty list", "version: 1\nmappings: []\n", {}},
        {"keys the other way round", "mappings: []\nversion: 1\n", {}},
        {"a byte order mark", "\xef\xbb\xbfversion: 1\nmappings: []\n", {}},
        {"lines that end as on Windows",
         "version: 1\r\nmappings:\r\n  - { ipv4: 198.41.0.1, ipv6: \"2a00::1\" }\r\n",
         {}},
        {"JSON", R"({"version": 1, "mappings": [{"ipv4": "198.41.0.1", "ipv6": "2a00::1"}]})", {}},
        {"one document with its marks", "%YAML 1.2\n---\nversion: 1\nmappings: []\n...\n", {}},
        {"letters of any language",
         head + "  - { ipv4: 198.41.0.1, ipv6: \"2a00::1\", name: \"Gr\xc3\xb6\xc3\x9f"
                "e \xe6\x9d\xb1\xe4\xba\xac\" }\n",
         {}},
    });
}

TEST_CASE("mapping files: not a document", "[loader]") {
    check({
        {"empty", "", {"m: error: the file is empty"}},
        {"only comments", "# nothing\n\n", {"m: error: the file holds only comments"}},
        {"only a document mark",
         "---\n",
         {"m: error: the file has no content; 'version' and 'mappings' are needed"}},
        {"a list",
         "- a\n",
         {"m:1:1: error: expected the keys 'version' and 'mappings', found a list"}},
        {"a word",
         "hello\n",
         {"m:1:1: error: expected the keys 'version' and 'mappings', found \"hello\""}},
        {"not UTF-8",
         "version: 1\nmappings: []\n# caf\xe9\n",
         {"m:3:6: error: not UTF-8 (byte 0xE9); save the file as UTF-8"}},
        {"an overlong slash",
         "a: \xc0\xaf",
         {"m:1:4: error: not UTF-8 (byte 0xC0); save the file as UTF-8"}},
        {"half a surrogate pair",
         "\xed\xa0\x80",
         {"m:1:1: error: not UTF-8 (byte 0xED); save the file as UTF-8"}},
        {"a character cut off",
         "a\n\xe2\x82",
         {"m:2:1: error: not UTF-8 (byte 0xE2); save the file as UTF-8"}},
        {"UTF-16",
         std::string("\xff\xfev\0", 4),
         {"m:1:1: error: not UTF-8 (byte 0xFF); save the file as UTF-8"}},
        {"a NUL byte",
         std::string("version: 1\n  \0x", 15),
         {"m:2:3: error: a NUL byte; this is not a text file"}},
        {"the byte that yaml-cpp takes for the end",
         "version: 1\nmappings: []\n\x04",
         {"m:3:1: error: the character U+0004 is not allowed"}},
        {"a quote that does not end",
         "\"version",
         {"m:1:9: error: not valid YAML: illegal EOF in scalar"}},
        {"a second document",
         "version: 1\nmappings: []\n---\nversion: 1\n",
         {"m:3:1: error: a second document; only one is allowed in a file"}},
        {"a bracket too much",
         "version: 1\nmappings: []\n]\n",
         {"m:3:1: error: not valid YAML: illegal flow end"}},
        {"a bracket too few",
         head + "  - { ipv4: 198.41.0.1, ipv6: \"2a00::1\"\n",
         {"m:4:1: error: not valid YAML: end of map flow not found",
          "m:3:5: note: in the brackets that open here"}},
        {"a tab as indentation",
         head + "\t- x\n",
         {"m:3:2: error: not valid YAML: illegal block entry"}},
        {"too deep",
         head + "  - " + std::string(20, '[') + std::string(20, ']') + "\n",
         {"m:3:5: error: expected a mapping like { ipv4: ..., ipv6: ... }, found a list",
          "m:3:19: error: nested too deeply (more than 16 levels)"}},
    });
}

TEST_CASE("mapping files: too large", "[loader]") {
    MappingList list;
    const std::string text = "version: 1\nmappings: []\n";
    CHECK(load(text, list, {text.size(), 100}) == Lines{});
    CHECK(load(text, list, {text.size() - 1, 100}) ==
          Lines{"m: error: too large: 24 bytes, at most 23 are read"});

    const LoaderInput both[] = {{"a", text}, {"b", text}};
    Diagnostics diagnostics;
    CHECK_FALSE(load_mappings(both, nullptr, {2 * text.size() - 1, 100}, list, diagnostics));
    CHECK(lines_of(diagnostics) ==
          Lines{"b: error: too large: together with the files before it more than 47 bytes"});
}

TEST_CASE("mapping files: anchors, aliases and tags", "[loader]") {
    check({
        {"a mapping used again",
         head + "  - &a { ipv4: 198.41.0.1, ipv6: \"2a00::1\" }\n  - *a\n",
         {"m:3:5: error: anchors (&name) are not supported",
          "m:4:5: error: aliases (*name) are not supported; write the value out"}},
        {"values",
         head + "  - { ipv4: !!str 198.41.0.1, ipv6: &x \"2a00::1\", name: *x, *x : y }\n",
         {"m:3:13: error: tags are not supported (\"tag:yaml.org,2002:str\")",
          "m:3:37: error: anchors (&name) are not supported",
          "m:3:57: error: aliases (*name) are not supported; write the value out",
          "m:3:61: error: aliases (*name) are not supported; write the value out"}},
        {"an alias for everything",
         "version: &v 1\nmappings: *v\n",
         {"m:1:10: error: anchors (&name) are not supported",
          "m:2:11: error: aliases (*name) are not supported; write the value out"}},
        {"an alias for the version",
         "mappings: &m []\nversion: *m\n",
         {"m:1:11: error: anchors (&name) are not supported",
          "m:2:10: error: aliases (*name) are not supported; write the value out"}},
    });
}

TEST_CASE("mapping files: an alias without an anchor", "[loader]") {
    MappingList list;
    const Lines said = load(head + "  - *a\n", list);
    REQUIRE(said.size() == 1); // newer yaml-cpp adds the name
    CHECK(
        said[0].starts_with("m:3:5: error: not valid YAML: the referenced anchor is not defined"));
}

TEST_CASE("mapping files: wrong keys", "[loader]") {
    check({
        {"top level, misspelt",
         "vresion: 1\nmapping: []\n",
         {"m: error: 'version: 1' is missing", "m: error: 'mappings' is missing",
          "m:1:1: error: unknown key \"vresion\"; did you mean 'version'?",
          "m:2:1: error: unknown key \"mapping\"; did you mean 'mappings'?"}},
        {"unlike any key",
         "version: 1\nmappings: []\nextra: { a: [b, { c: d }] }\n",
         {"m:3:1: error: unknown key \"extra\""}},
        {"in a mapping",
         head + "  - { ip4: 198.41.0.1, IPv6: \"2a00::1\", tennant: [x], x: {} }\n",
         {"m:3:5: error: ipv4 is missing in this mapping",
          "m:3:5: error: ipv6 is missing in this mapping",
          "m:3:7: error: unknown key \"ip4\"; did you mean 'ipv4'?",
          "m:3:24: error: unknown key \"IPv6\"; did you mean 'ipv6'?",
          "m:3:41: error: unknown key \"tennant\"; did you mean 'tenant'?",
          "m:3:55: error: unknown key \"x\""}},
        {"twice",
         head + "  - ipv4: 198.41.0.1\n    ipv6: 2a00::1\n    ipv4: 198.41.0.2\nversion: 1\n",
         {"m:5:5: error: duplicate key \"ipv4\"", "m:3:5: note: first given here",
          "m:6:1: error: duplicate key \"version\"", "m:1:1: note: first given here"}},
        {"not words",
         head + "  - { ? [a] : b, ipv4: 198.41.0.1, : c, ipv6: \"2a00::1\" }\n? {x: y}\n: z\n",
         {"m:3:9: error: a key must be a word", "m:3:36: error: a key is missing",
          "m:4:3: error: a key must be a word"}},
        {"missing at the top",
         "version: 1\nmappings: []\n: [x]\n",
         {"m:3:1: error: a key is missing"}},
        {"with bytes that would move the cursor",
         "version: 1\nmappings: []\n\"\\e[2J\": 1\n",
         {"m:3:1: error: unknown key \"\\x1b[2J\""}},
    });
}

TEST_CASE("mapping files: wrong types and missing values", "[loader]") {
    check({
        {"version",
         "version: 2\nmappings: []\n",
         {"m:1:10: error: version: \"2\" is not supported; this program reads version 1"}},
        {"no version", "mappings: []\n", {"m: error: 'version: 1' is missing"}},
        {"version of nothing",
         "version:\nmappings: []\n",
         {"m:1:1: error: version: expected 1, found nothing"}},
        {"version as a list",
         "version: [1]\nmappings: []\n",
         {"m:1:10: error: version: expected 1, found a list"}},
        {"no list", "version: 1\n", {"m: error: 'mappings' is missing"}},
        {"a list of nothing",
         "version: 1\nmappings:\n",
         {"m:2:1: error: mappings: expected a list; write [] for an empty one"}},
        {"a map for the list",
         "version: 1\nmappings: { ipv4: [1] }\n",
         {"m:2:11: error: mappings: expected a list, found a map"}},
        {"a word for the list",
         "version: 1\nmappings: none\n",
         {"m:2:11: error: mappings: expected a list, found \"none\""}},
        {"items that are no maps",
         head + "  - word\n  - [a, [b]]\n  - {}\n",
         {"m:3:5: error: expected a mapping like { ipv4: ..., ipv6: ... }, found \"word\"",
          "m:4:5: error: expected a mapping like { ipv4: ..., ipv6: ... }, found a list",
          "m:5:5: error: ipv4 is missing in this mapping",
          "m:5:5: error: ipv6 is missing in this mapping"}},
        {"values that are no scalars, or nothing",
         head + "  - { ipv4: [1, 2], ipv6: { a: b }, name: , tenant: ~ }\n",
         {"m:3:13: error: ipv4: expected one value, found a list",
          "m:3:27: error: ipv6: expected one value, found a map; put IPv6 addresses in quotes",
          "m:3:37: error: name: no value", "m:3:45: error: tenant: no value"}},
        {"an IPv6 address that needs quotes",
         head + "  - { ipv4: 198.41.0.1, ipv6: 2a00::, name: x }\n",
         {"m:3:31: error: ipv6: \"2a00:\" is not an IPv6 address or prefix: it ends in ':'; put "
          "addresses that end in '::' in quotes",
          "m:3:36: error: not valid YAML: end of map flow not found",
          "m:3:5: note: in the brackets that open here"}},
        {"labels",
         head + "  - { ipv4: 198.41.0.1, ipv6: \"2a00::1\", name: \"\", tenant: \"a\\nb\" }\n" +
             "  - { ipv4: 198.41.0.2, ipv6: \"2a00::2\", name: " + std::string(64, 'x') +
             ", tenant: " + std::string(65, 'x') + " }\n" +
             "  - { ipv4: 198.41.0.3, ipv6: \"2a00::3\", name: \"\\x9b2J\" }\n"
             "  - { ipv4: 198.41.0.4, ipv6: \"2a00::4\", name: \"a\xe2\x80\xa8z\" }\n"
             "  - { ipv4: 198.41.0.5, ipv6: \"2a00::5\", name: \"a\xe2\x80\xa9z\" }\n"
             "  - { ipv4: 198.41.0.6, ipv6: \"2a00::6\", name: \"a\xef\xbb\xbfz\" }\n"
             "  - { ipv4: 198.41.0.7, ipv6: \"2a00::7\", name: " +
             std::string(1000, 'x') + " }\n",
         {"m:3:48: error: name: it is empty",
          "m:3:60: error: tenant: control characters are not allowed",
          "m:4:122: error: tenant: more than 64 characters",
          "m:5:48: error: name: control characters are not allowed",
          "m:6:48: error: name: control characters are not allowed",
          "m:7:48: error: name: control characters are not allowed",
          "m:8:48: error: name: control characters are not allowed",
          "m:9:48: error: name: more than 64 characters"}},
    });
}

TEST_CASE("mapping files: only the first errors are shown", "[loader]") {
    std::string text = head;
    for (int i = 0; i < 150; ++i)
        text += "  - { ipv4: bad, ipv6: bad }\n";
    MappingList list;
    const Lines said = load(text, list);
    REQUIRE(said.size() == 101);
    CHECK(said[0].starts_with("m:3:13: error: ipv4: "));
    CHECK(said[99].starts_with("m:52:24: error: ipv6: "));
    CHECK(said[100] == "note: and 200 more errors");
}

} // namespace xlat646
