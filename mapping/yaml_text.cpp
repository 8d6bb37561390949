// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/yaml_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace xlat646 {

namespace {

constexpr std::array<bool, 256> plain_bytes = [] {
    std::array<bool, 256> t{};
    for (std::size_t c = 0x20; c < 0x7f; ++c)
        t[c] = true;
    t['\t'] = t['\n'] = t['\r'] = true;
    return t;
}();

/// Of characters that `plain_bytes` does not have.
bool is_allowed(char32_t c) { return c == 0x85 || (c >= 0xa0 && c != 0xfffe && c != 0xffff); }

TextPosition position_of(std::string_view text, std::size_t offset) {
    const std::string_view before = text.substr(0, offset);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') + 1;
    return {static_cast<std::uint32_t>(lines + 1),
            static_cast<std::uint32_t>(offset - line_start + 1)};
}

std::string hex(std::uint32_t number, unsigned digits) {
    std::string text;
    while (digits-- != 0)
        text += "0123456789ABCDEF"[(number >> (4 * digits)) & 15];
    return text;
}

} // namespace

unsigned decode_utf8(std::string_view text, char32_t& code) {
    const auto byte = [&](std::size_t i) -> std::uint32_t {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const std::uint32_t first = byte(0);
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
    code = first;
    if (text.empty()) return 0;
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf && tail(1)) {
        code = (first & 0x1f) << 6 | (byte(1) & 0x3f);
        return 2;
    }
    if ((first & 0xf0) == 0xe0 && tail(1) && tail(2)) {
        code = (first & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
        return code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 0 : 3;
    }
    if (first >= 0xf0 && first <= 0xf4 && tail(1) && tail(2) && tail(3)) {
        code = (first & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 |
               (byte(3) & 0x3f);
        return code < 0x10000 || code > 0x10ffff ? 0 : 4;
    }
    return 0;
}

std::optional<TextProblem> find_bad_text(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (plain_bytes[byte]) {
            ++i;
            continue;
        }
        char32_t code = 0;
        const unsigned length = decode_utf8(text.substr(i), code);
        if (length == 0)
            return TextProblem{position_of(text, i),
                               "not UTF-8 (byte 0x" + hex(byte, 2) + "); save the file as UTF-8"};
        if (code == 0)
            return TextProblem{position_of(text, i), "a NUL byte; this is not a text file"};
        if (!is_allowed(code)) // never one of more than 16 bits
            return TextProblem{position_of(text, i),
                               "the character U+" + hex(code, 4) + " is not allowed"};
        i += length;
    }
    return std::nullopt;
}

} // namespace xlat646
