// SPDX-License-Identifier: BSD-2-Clause
//
// Which texts the fast reader of plain YAML takes. That it reads them well is for yaml-cpp to say,
// here and in property/plain_yaml_test.cpp.
#include "mapping/loader.hpp"
#include "mapping/plain_yaml.hpp"
#include "tests/support/plain_yaml_check.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/diagnostic_text.hpp"

namespace xlat646 {

namespace {

using test::check_plain_yaml;

bool is_plain(const std::string& text) {
    const auto verdict = check_plain_yaml(text);
    INFO(text << "---\n" << verdict.events);
    CHECK(verdict.disagreement.empty());
    return verdict.is_plain;
}
bool is_plain_item(const std::string& item) { return is_plain("m:\n  - " + item + "\n"); }
/// As the value of a key in a block, and in a flow map.
bool is_plain_value(const std::string& value) {
    const bool in_block = is_plain_item("a: " + value + "\n    b: c");
    const bool in_flow = is_plain_item("{ a: " + value + ", b: c }");
    CHECK(in_block == in_flow);
    return in_block;
}

} // namespace

TEST_CASE("plain YAML: events and their positions", "[plain-yaml]") {
    const auto verdict = check_plain_yaml("# managed by hand\n"
                                          "---\n"
                                          "version: 1\n"
                                          "mappings:   # all\n"
                                          "\n"
                                          "  - { ipv4: 192.0.2.1, \"ipv6\": '2001:db8:6::2' } # 1\n"
                                          "  -   ipv4: 192.0.2.2\n"
                                          "      name: web server \n"
                                          "last: \"\"");
    CHECK(verdict.is_plain);
    CHECK(verdict.disagreement.empty());
    CHECK(verdict.events == "3:1 map\n"
                            "3:1 plain version\n"
                            "3:10 plain 1\n"
                            "4:1 plain mappings\n"
                            "6:3 list\n"
                            "6:5 map\n"
                            "6:7 plain ipv4\n"
                            "6:13 plain 192.0.2.1\n"
                            "6:24 quoted ipv6\n"
                            "6:32 quoted 2001:db8:6::2\n"
                            "end of map\n"
                            "7:7 map\n"
                            "7:7 plain ipv4\n"
                            "7:13 plain 192.0.2.2\n"
                            "8:7 plain name\n"
                            "8:13 plain web server\n"
                            "end of map\n"
                            "end of list\n"
                            "9:1 plain last\n"
                            "9:7 quoted \n"
                            "end of map\n");
}

TEST_CASE("plain YAML: values", "[plain-yaml]") {
    for (const char* value : {"a", "0", "192.0.2.0/24", "2001:db8::1", "a:b", "a-", "a b", "a  - b",
                              "a@b", "''", "\"\"", "\"a: #b, {c}\"", "'say \"a\"'", "'~'",
                              "\"null\"", "nul", "Null1", "nULL", "true"}) {
        CAPTURE(value);
        CHECK(is_plain_value(value));
    }
    for (const char* value :
         {"",         "~",        "null",       "Null",         "NULL",    "2001:db8::",
          "a:",       "a: b",     "a#b",        "a{",           "a[",      "a]",
          "a'b",      "a\"b",     "&a b",       "*a",           "!a b",    "!!str 1",
          "|",        ">",        "%a",         "@a",           "`a",      "[1]",
          "{ a: b }", "- a",      "-a",         "?a",           "? a",     ":a",
          "::1",      "\"a\\n\"", "\"\\\"\"",   "'a\\b'",       "'it''s'", "\"a",
          "'a",       "\"a\"b",   "'a''",       "\"a\" b",      "\"a\"#b", "a\tb",
          "a\t",      "\ta",      "b\xc3\xbc",  "'\xc3\xbc'",   "a\x7f",   "\"a\tb\"",
          "a\r",      "\"a\r\"",  "a\n      b", "'a\n      b'", "a \\",    "a=b"}) {
        CAPTURE(value);
        CHECK_FALSE(is_plain_value(value));
    }
    CHECK(is_plain_item("a: b"));
    for (const char* value : {"a, b", "a}", "'a', b", "'a' }"}) {
        CAPTURE(value);
        CHECK_FALSE(is_plain_item(std::string("a: ") + value));
    }
}

TEST_CASE("plain YAML: keys", "[plain-yaml]") {
    const std::string longest(64, 'k');
    for (const std::string& k :
         {std::string("a"), std::string("a_b-9"), std::string("'a b'"), std::string("\"\""),
          std::string("'null'"), std::string("nullable"), longest}) {
        CAPTURE(k);
        CHECK(is_plain(k + ": 1\n"));
        CHECK(is_plain_item(k + ": 1"));
        CHECK(is_plain_item("{" + k + ": 1}"));
    }
    for (const std::string& k :
         {std::string("null"), std::string("a b"), std::string("a:b"), std::string("a "),
          std::string("? a"), std::string("&a b"), std::string("<<"), std::string("[a]"),
          std::string("{a: b}"), std::string("'a"), std::string("'a\\'"), std::string("_a"),
          std::string(), longest + "k"}) {
        CAPTURE(k);
        CHECK_FALSE(is_plain(k + ": 1\n"));
        CHECK_FALSE(is_plain_item(k + ": 1"));
        CHECK_FALSE(is_plain_item("{" + k + ": 1}"));
    }
    CHECK_FALSE(is_plain("a:1\n"));
    CHECK_FALSE(is_plain("\"a\":1\n"));
    CHECK_FALSE(is_plain_item("{\"a\":1}"));
    CHECK_FALSE(is_plain("a\n"));
}

TEST_CASE("plain YAML: structure", "[plain-yaml]") {
    for (const char* text :
         {"a: 1", "a: 1\n\n", "# c\n\n  # d\na: 1 # e\n#f", "---\na: 1\n", "--- # c\na: 1\n",
          "a:\n- b: c\n- b: c\nd: e\n", "a:\n- b: c\n  d: e\n-    b: c\n     d: e\n",
          "a:\n    - b: c\n      # d\n\n   \n# e\n      f: g\nh:\n - i: j\n",
          "a:\n- {b: c,d: e}\n-   { b: c , d: e }  \n", "a: 1\na: 2\n",
          "a:\n  - b: 1\n  - { c: 1 }\n  - d: 1\n    e: 1"}) {
        CAPTURE(text);
        CHECK(is_plain(text));
    }
    for (const char* text : {"",
                             "\n",
                             "# c\n",
                             "---\n",
                             "a\n",
                             "a:\n",
                             "a:\nb: 1\n",
                             "- a: b\n",
                             "{a: b}\n",
                             " a: 1\n",
                             "a: 1\n b: 2\n",
                             "a: 1\n- b: c\n",
                             "a: 1\n  - b: c\n",
                             "a: 1\n...\n",
                             "a: 1\n---\n",
                             "---\n---\na: 1\n",
                             "--- a: 1\n",
                             "---#\na: 1\n",
                             "%YAML 1.2\n---\na: 1\n",
                             "a: []\n",
                             "a: {}\n",
                             "a:\n  b: c\n",
                             "a:\n- b\n",
                             "a:\n-\n",
                             "a:\n- \n",
                             "a:\n- - b: c\n",
                             "a:\n- {}\n",
                             "a:\n- {b}\n",
                             "a:\n- {b: c,}\n",
                             "a:\n- {b: c\n",
                             "a:\n- {b: c}}\n",
                             "a:\n- {b: 'c']\n",
                             "a:\n- {b: c} d\n",
                             "a:\n- {b: c}#d\n",
                             "a:\n- {b: c}: d\n",
                             "a:\n- {b: c\n  }\n",
                             "a:\n- {b: {c: d}}\n",
                             "a:\n- {b: c d: e}\n",
                             "a:\n- {b: 'c' 'd'}\n",
                             "a:\n- {b: c}\n  d: e\n",
                             "a:\n- b: c\n d: e\n",
                             "a:\n- b: c\n   d: e\n",
                             "a:\n- b: c\n    d\n",
                             "a:\n- b: c\n - d: e\n",
                             "a:\n - b: c\n- d: e\n",
                             "a:\n- b: c\n- d: e\n  - f: g\n",
                             "a:\n- b:\n  - c: d\n",
                             "a:\n- b:\n  c: d\n",
                             "a:\n-\tb: c\n",
                             "a:\n\t- b: c\n",
                             "a: 1\n\t\n",
                             "a: 1\t# c\n",
                             "a: 1#\n",
                             "a: 1\r\n",
                             "a: 1 # \xc3\xbc\n",
                             "a: 1 # \x01\n",
                             "a: 1 #\tb\n",
                             "\xef\xbb\xbf\x61: 1\n",
                             "a:\n- b: c\n  d: e\n- f: g\n   h: i\n",
                             "a:\n---\n- b: c\n",
                             "a:\n-b: c\n"}) {
        CAPTURE(text);
        CHECK_FALSE(is_plain(text));
    }
    CHECK_FALSE(is_plain(std::string("a: 1\0\n", 6)));
    CHECK_FALSE(is_plain(std::string("a: '\0'\n", 7)));
}

TEST_CASE("plain YAML: nesting that is allowed", "[plain-yaml]") {
    const auto depth_error = [](unsigned depth) {
        class Ignore final : public YamlEvents {
            void scalar(TextPosition, std::string_view, ScalarKind) override {}
            void begin_map(TextPosition) override {}
            void end_map() override {}
            void begin_list(TextPosition) override {}
            void end_list() override {}
        } ignore;
        YamlReport report({"m"});
        (void)read_yaml("a:\n  - b: c\n", {100, depth}, 0, ignore, report);
        Diagnostics diagnostics;
        report.finish(diagnostics);
        return lines_of(diagnostics);
    };
    CHECK(depth_error(3) == Lines{});
    CHECK(depth_error(2) == Lines{"m:2:5: error: nested too deeply (more than 2 levels)"});
}

TEST_CASE("plain YAML: errors of a mapping file are where they are", "[plain-yaml][EAM-06]") {
    const std::string text = "version: 1\n"
                             "mappings:\n"
                             "  - { ipv4: 198.41.0.1, ipv6: \"2a00::1\", nmae: x }\n"
                             "  - ipv4: 198.41.0.300\n"
                             "    ipv6: 2a00::2\n"
                             "  - ipv6: '2a00::2'\n"
                             "    ipv4: 198.41.0.3\n"
                             "    ipv4: 198.41.0.4\n"
                             "  - { ipv4: 198.41.0.1, ipv6: \"2a00::5\" }\n";
    REQUIRE(is_plain(text));
    const LoaderInput input{"m", text};
    MappingList list;
    Diagnostics diagnostics;
    CHECK_FALSE(load_mappings({&input, 1}, nullptr, {}, list, diagnostics));
    CHECK(
        lines_of(diagnostics) ==
        Lines{"m:3:42: error: unknown key \"nmae\"; did you mean 'name'?",
              "m:4:11: error: ipv4: \"198.41.0.300\" is not an IPv4 address or prefix: 300 is more "
              "than 255",
              "m:6:11: error: ipv6: 2a00::2 is mapped twice", "m:5:11: note: first mapped here",
              "m:8:5: error: duplicate key \"ipv4\"", "m:7:5: note: first given here",
              "m:9:13: error: ipv4: 198.41.0.1 is mapped twice",
              "m:3:13: note: first mapped here"});
}

} // namespace xlat646
