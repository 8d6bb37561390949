// SPDX-License-Identifier: BSD-2-Clause
//
// What the readers of both kinds of files share: text, words, events and the report.
#include "mapping/yaml_events.hpp"
#include "mapping/yaml_report.hpp"
#include "mapping/yaml_text.hpp"
#include "mapping/yaml_words.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/diagnostic_text.hpp"

#include <array>
#include <stdexcept>

namespace xlat646 {

namespace {

struct Decoded {
    unsigned length;
    char32_t code;
    friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded decode(std::string_view text) {
    char32_t code = 0;
    const unsigned length = decode_utf8(text, code);
    return {length, length == 0 ? U'\0' : code};
}

std::string problem(std::string_view text) {
    const auto found = find_bad_text(text);
    return found ? found->message : std::string();
}

/// The text of a code point by the definition in RFC 3629 section 3.
std::string encode(char32_t c) {
    const auto tail = [](char32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
    if (c < 0x80) return {static_cast<char>(c)};
    if (c < 0x800) return {static_cast<char>(0xc0 | c >> 6), tail(c)};
    if (c < 0x10000) return {static_cast<char>(0xe0 | c >> 12), tail(c >> 6), tail(c)};
    return {static_cast<char>(0xf0 | c >> 18), tail(c >> 12), tail(c >> 6), tail(c)};
}

/// Throws at the first scalar.
class Thrower final : public YamlEvents {
  public:
    void scalar(TextPosition, std::string_view, ScalarKind) override {
        throw std::runtime_error("no memory, say");
    }
    void begin_map(TextPosition) override {}
    void end_map() override {}
    void begin_list(TextPosition) override {}
    void end_list() override {}
};

Lines finish(YamlReport& report) {
    Diagnostics diagnostics;
    report.finish(diagnostics);
    return lines_of(diagnostics);
}

} // namespace

TEST_CASE("yaml text: every code point is decoded", "[yaml]") {
    for (char32_t c = 0; c <= 0x10ffff; ++c) {
        const std::string text = encode(c);
        const bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
        const Decoded expected =
            is_surrogate ? Decoded{0, 0} : Decoded{static_cast<unsigned>(text.size()), c};
        if (decode(text + "x") != expected) FAIL("U+" << std::hex << static_cast<unsigned>(c));
    }
    CHECK(decode("") == Decoded{0, 0});
}

TEST_CASE("yaml text: what is not UTF-8", "[yaml]") {
    for (const char* text :
         {"\x80",                                             // a tail alone
          "\xc0\x80", "\xc1\xbf",                             // too long for their characters
          "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xbf\xbf", // half a surrogate pair
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",     // beyond U+10FFFF
          "\xc3", "\xc3x", "\xe6\x9d", "\xe6x\xb1", "\xe6\x9dx", "\xf0\x9f\x98", "\xf0x\x98\x80",
          "\xf0\x9fx\x80", "\xf0\x9f\x98x"}) {
        CAPTURE(text);
        CHECK(decode(text) == Decoded{0, 0});
        CHECK(problem(text).starts_with("not UTF-8 (byte 0x"));
    }
}

TEST_CASE("yaml text: characters that YAML allows and does not allow", "[yaml]") {
    for (const char32_t c : {U'\t', U'\n', U'\r', U' ', U'~', U'\u0085', U'\u00a0', U'\u2028',
                             U'\ufeff', U'\ufffd', U'\U0001f600', U'\U0010ffff'}) {
        CAPTURE(static_cast<unsigned>(c));
        CHECK(problem("a" + encode(c)).empty());
    }
    CHECK(problem("\x01") == "the character U+0001 is not allowed");
    CHECK(problem("\x1f") == "the character U+001F is not allowed");
    CHECK(problem("\x7f") == "the character U+007F is not allowed");
    CHECK(problem("\xc2\x80") == "the character U+0080 is not allowed");
    CHECK(problem("\xc2\x84") == "the character U+0084 is not allowed");
    CHECK(problem("\xc2\x86") == "the character U+0086 is not allowed");
    CHECK(problem("\xc2\x9f") == "the character U+009F is not allowed");
    CHECK(problem("\xef\xbf\xbe") == "the character U+FFFE is not allowed");
    CHECK(problem("\xef\xbf\xbf") == "the character U+FFFF is not allowed");
}

TEST_CASE("yaml words: quoted text cannot mislead a terminal or a reader", "[yaml]") {
    CHECK(quote("plain ~") == "\"plain ~\"");
    CHECK(quote("a\"b\\c") == "\"a\\\"b\\\\c\"");
    CHECK(quote("\x1b[2J\x7f\xc3\xb6") == "\"\\x1b[2J\\x7f\\xc3\\xb6\"");
    CHECK(quote(std::string(64, 'x')) == "\"" + std::string(64, 'x') + "\"");
    CHECK(quote(std::string(65, 'x')) == "\"" + std::string(64, 'x') + "...\"");
}

TEST_CASE("yaml words: suggestions", "[yaml]") {
    const std::string longest(32, 'a');
    const std::string longer(33, 'a');
    const std::array<std::string_view, 4> words = {"mtu4", "lowest_ipv6_mtu", longest, longer};
    CHECK(suggestion("mut4", words) == "; did you mean 'mtu4'?"); // neighbours swapped
    CHECK(suggestion("Lowest-IPv6-MTU", words) == "; did you mean 'lowest_ipv6_mtu'?");
    CHECK(suggestion("low", words) == "; did you mean 'lowest_ipv6_mtu'?");
    CHECK(suggestion("l", words).empty());
    CHECK(suggestion("zebra", words).empty());
    // The table of distances ends at 32 letters.
    CHECK(suggestion(longest.substr(1), words) == "; did you mean '" + longest + "'?");
    CHECK(suggestion("b" + longest.substr(1), std::span(words).last(1)).empty());
    CHECK(suggestion(longest, std::span(words).last(1)) == "; did you mean '" + longer + "'?");
    CHECK(suggestion(longer, words).empty());
}

TEST_CASE("yaml events: a reader's exception ends as an error", "[yaml]") {
    YamlReport report({"m"});
    Thrower events;
    CHECK_FALSE(read_yaml("a: b\n", {1000}, 0, events, report));
    CHECK(finish(report) == Lines{"m: error: cannot be read as YAML: no memory, say"});
}

TEST_CASE("yaml report: errors, warnings and notes beyond the limit are only counted", "[yaml]") {
    YamlReport report({"a", "b"}, 2);
    CHECK_FALSE(report.failed());
    report.warning(0, {9, 1}, "w1");
    CHECK_FALSE(report.failed());
    report.error(1, {1, 1}, "e1");
    report.note(0, {5, 0}, "n1");
    CHECK(report.has_room());
    report.error(0, {3, 2}, "e2");
    CHECK_FALSE(report.has_room());
    report.error(0, {1, 1}, "e3");
    report.note(0, {1, 1}, "n3");
    CHECK(report.failed());
    report.warning(0, {1, 1}, "w2");
    report.warning(0, {1, 1}, "w3");
    report.warning(0, {1, 1}, "w4");
    CHECK(finish(report) == Lines{"a:1:1: warning: w2", "a:3:2: error: e2", "a:9:1: warning: w1",
                                  "b:1:1: error: e1", "a:5: note: n1", "note: and 1 more error",
                                  "note: and 2 more warnings"});
}

TEST_CASE("yaml report: an error about no file", "[yaml]") {
    YamlReport report({});
    report.error(0, {}, "no files");
    CHECK(finish(report) == Lines{"error: no files"});
}

} // namespace xlat646
