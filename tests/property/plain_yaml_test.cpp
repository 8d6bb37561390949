// SPDX-License-Identifier: BSD-2-Clause
//
// The fast reader of plain YAML against yaml-cpp: it takes every text of the shapes that it is made
// for, and reads those, and every broken one that it still takes, as yaml-cpp does.
#include "tests/support/plain_yaml_check.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/catch.hpp"

#include <array>
#include <vector>

using namespace xlat646::test;

namespace {

constexpr int rounds = 30'000;

class Author {
  public:
    explicit Author(Random& random) : random_(random) {}

    std::string text() {
        std::string text;
        if (random_.one_in(4)) text += comment_line() + "---" + end_of_line();
        for (std::size_t keys = 1 + random_.below(3); keys-- > 0;) {
            text += filler() + key();
            text += random_.one_in(3) ? blanks(1) + value(false) + end_of_line()
                                      : end_of_line() + list();
        }
        text += filler();
        if (random_.one_in(4)) text.pop_back(); // no line feed at the end
        return text;
    }

  private:
    template <std::size_t size> const char* one_of(const std::array<const char*, size>& words) {
        return words[random_.below(size)];
    }
    std::string blanks(std::size_t least) {
        return std::string(least + (random_.one_in(4) ? random_.below(4) : 0), ' ');
    }
    std::string comment_line() {
        return random_.one_in(2) ? std::string() : blanks(0) + "# a: comment, {of '1' \"line\"\n";
    }
    std::string filler() {
        return random_.one_in(6) ? (random_.one_in(2) ? comment_line() : blanks(0) + "\n")
                                 : std::string();
    }
    std::string end_of_line() {
        if (random_.one_in(6)) return blanks(1) + "# - b: 'c\n";
        return random_.one_in(6) ? blanks(0) + "\n" : "\n";
    }
    std::string key() {
        return one_of(std::array{"ipv4", "ipv6", "name", "tenant", "'version'", "\"mappings\"",
                                 "a-b_C9", "\"\""}) +
               std::string(":");
    }
    std::string value(bool in_flow) {
        if (random_.one_in(4))
            return one_of(std::array{"''", "\"\"", "'a b: c # {d}, \"e\"'", "\"it's: [ # }\"",
                                     "\"2001:db8:7::\"", "'null'", "\" a \""});
        if (!in_flow && random_.one_in(8)) return "web server  9";
        return one_of(std::array{"192.0.2.1", "192.0.2.16/28", "2001:db8:6::2", "2001:db8::/32",
                                 "www", "1", "a:b::c-d", "x@y.example", "nul", "Nulls", "yes", "5.",
                                 "a-", "9+_/"});
    }
    std::string list() {
        const std::string indent(random_.below(5), ' ');
        std::string text;
        for (std::size_t items = 1 + random_.below(4); items-- > 0;)
            text += filler() + indent + '-' + item(indent.size() + 1);
        return text;
    }
    std::string item(std::size_t column) {
        const std::string before = blanks(1);
        return before + (random_.one_in(2) ? flow_map() : block_map(column + before.size()));
    }
    std::string flow_map() {
        std::string text = "{";
        for (std::size_t pairs = 1 + random_.below(4); pairs-- > 0;)
            text += blanks(0) + key() + blanks(1) + value(true) + blanks(0) + (pairs ? "," : "}");
        return text + end_of_line();
    }
    std::string block_map(std::size_t column) {
        std::string text;
        for (std::size_t pairs = 1 + random_.below(4); pairs-- > 0;) {
            text += key() + blanks(1) + value(false) + end_of_line();
            if (pairs) text += filler() + std::string(column, ' ');
        }
        return text;
    }

    Random& random_;
};

/// Changes a character or moves, doubles or indents a line.
void damage(std::string& text, Random& random) {
    static constexpr std::string_view characters = " \n\t\r:-#,{}[]'\"\\?&*!|>%@`~=<.0aZ\x7f\xc3";
    const std::size_t place = random.below(text.size() + 1);
    const char character = characters[random.below(characters.size())];
    const std::size_t line = place == 0 ? 0 : text.rfind('\n', place - 1) + 1;
    const std::size_t next = std::min(text.find('\n', place), text.size() - 1) + 1;
    switch (random.below(7)) {
    case 0: text.insert(place, 1, character); return;
    case 1: text.erase(place, 1); return;
    case 2:
        if (place < text.size()) text[place] = character;
        return;
    case 3: text.insert(line, random.one_in(2) ? " " : "  "); return;
    case 4:
        if (text[line] == ' ') text.erase(line, 1);
        return;
    case 5: text.insert(line, text.substr(line, next - line)); return;
    case 6: text.erase(line, next - line); return;
    default: return;
    }
}

void compare(std::uint64_t seed) {
    INFO("seed " << seed);
    Random random(seed);
    Author author(random);
    int taken_although_damaged = 0;
    for (int i = 0; i < rounds; ++i) {
        std::string text = author.text();
        const auto whole = check_plain_yaml(text);
        if (!whole.is_plain || !whole.disagreement.empty())
            FAIL("plain: " << whole.is_plain << "\n"
                           << text << "---\n"
                           << whole.events << whole.disagreement);
        for (std::size_t changes = 1 + random.below(3); changes-- > 0 && !text.empty();)
            damage(text, random);
        const auto broken = check_plain_yaml(text);
        if (!broken.disagreement.empty())
            FAIL(text << "---\n" << broken.events << broken.disagreement);
        taken_although_damaged += broken.is_plain;
    }
    CHECK(taken_although_damaged > rounds / 20);
    CHECK(taken_although_damaged < rounds);
}

} // namespace

TEST_CASE("plain YAML: whatever the fast reader takes yaml-cpp reads alike", "[plain-yaml]") {
    compare(646);
    compare(fresh_seed());
}
