// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace xlat646 {
namespace {

struct Character {
    char32_t code = 0;
    std::size_t length = 1; ///< in bytes
    bool is_good = false;
};

/// The first character of a text that is not empty.
Character first_of(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1, true};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
    char32_t code = lead & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        code = code << 6 | (byte(i) & 0x3fu);
    }
    constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
    return {code, length, true};
}

struct Range {
    char32_t first;
    char32_t last;
};

template <std::size_t N> bool is_in(const std::array<Range, N>& ranges, char32_t code) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [code](const Range& r) { return code >= r.first && code <= r.last; });
}

/// Controls; joiners and marks of direction; separators of lines; tags and other invisible ones.
constexpr std::array unprintable = {
    Range{0x00, 0x1f},     Range{0x7f, 0x9f},     Range{0xad, 0xad},     Range{0x61c, 0x61c},
    Range{0x180e, 0x180e}, Range{0x200b, 0x200f}, Range{0x2028, 0x202e}, Range{0x2060, 0x206f},
    Range{0xfe00, 0xfe0f}, Range{0xfeff, 0xfeff}, Range{0xfff0, 0xfffb}, Range{0xe0000, 0xe0fff}};

/// A mark on the character before.
constexpr std::array marks = {Range{0x300, 0x36f}, Range{0x1ab0, 0x1aff}, Range{0x1dc0, 0x1dff},
                              Range{0x20d0, 0x20ff}, Range{0x3099, 0x309a}};

/// Unicode's East Asian Width W and F, in the blocks that names are made of.
constexpr std::array wide = {
    Range{0x1100, 0x115f},   Range{0x2e80, 0x303e},   Range{0x3041, 0xa4cf},
    Range{0xa960, 0xa97c},   Range{0xac00, 0xd7a3},   Range{0xf900, 0xfaff},
    Range{0xfe30, 0xfe6f},   Range{0xff00, 0xff60},   Range{0xffe0, 0xffe6},
    Range{0x1f300, 0x1f64f}, Range{0x1f680, 0x1f6ff}, Range{0x1f900, 0x1f9ff},
    Range{0x20000, 0x3fffd}};

std::size_t width_of(char32_t code) {
    if (code < 0x300) return 1;
    if (is_in(marks, code)) return 0;
    return is_in(wide, code) ? 2 : 1;
}

} // namespace

std::string printable(std::string_view text) {
    std::string out;
    bool has_base = false; // a mark needs a character to stand on
    while (!text.empty()) {
        const Character c = first_of(text);
        const bool is_mark = width_of(c.code) == 0;
        if (!c.is_good || is_in(unprintable, c.code) || (is_mark && !has_base))
            out += '?';
        else
            out += text.substr(0, c.length);
        has_base = !is_mark; // and one is enough: they pile up
        text.remove_prefix(c.length);
    }
    return out;
}

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Character c = first_of(text);
        columns += width_of(c.code);
        text.remove_prefix(c.length);
    }
    return columns;
}

std::string cut(std::string_view text, std::size_t width) {
    std::size_t columns = 0, end = 0;
    while (end < text.size()) {
        const Character c = first_of(text.substr(end));
        columns += width_of(c.code);
        if (columns > width) break;
        end += c.length;
    }
    return std::string(text.substr(0, end));
}

std::string left(std::string text, std::size_t width) {
    const std::size_t columns = columns_of(text);
    if (columns < width) text.append(width - columns, ' ');
    return text;
}

std::string right(const std::string& text, std::size_t width) {
    const std::size_t columns = columns_of(text);
    return std::string(width - std::min(width, columns), ' ') + text;
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
    std::string out, line;
    const auto end_line = [&] {
        if (!line.empty()) out += std::string(indent, ' ') + line + "\n";
        line.clear();
    };
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        if (word.empty()) continue;
        if (indent + columns_of(line) + 1 + columns_of(word) > width) end_line();
        line += (line.empty() ? "" : " ") + std::string(word);
    }
    end_line();
    return out;
}

std::string grouped(std::uint64_t n) {
    std::string digits = std::to_string(n);
    for (std::size_t i = digits.size(); i > 3; i -= 3)
        digits.insert(i - 3, 1, ',');
    return digits;
}

std::string plural(std::uint64_t n, const char* what) {
    return grouped(n) + " " + what + (n == 1 ? "" : "s");
}

std::string duration(std::uint64_t seconds) {
    if (seconds < 60) return std::to_string(seconds) + " s";
    if (seconds < 3600)
        return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
    if (seconds < 86400)
        return std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) + " min";
    return plural(seconds / 86400, "day") + " " + std::to_string(seconds / 3600 % 24) + " h";
}

std::string scaled(double number, const std::string& unit) {
    constexpr std::array prefixes = {"", "k", "M", "G", "T", "P", "E"};
    std::size_t prefix = 0;
    // 999.5 is written as 1.00 k.
    for (; number >= 999.5 && prefix + 1 < prefixes.size(); ++prefix)
        number /= 1000;
    const int digits = number == 0 ? 0 : number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
    std::array<char, 64> text{};
    (void)std::snprintf(text.data(), text.size(), "%.*f", digits, number);
    const std::string all = prefixes[prefix] + unit;
    return text.data() + (all.empty() ? "" : " " + all);
}

} // namespace xlat646
