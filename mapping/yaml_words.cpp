// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/yaml_words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace xlat646 {

namespace {

constexpr std::size_t longest_word = 32;

/// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::array<std::array<std::size_t, longest_word + 1>, 3> rows{};
    for (std::size_t j = 0; j <= b.size(); ++j)
        rows[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto& row = rows[i % 3];
        const auto& above = rows[(i + 2) % 3];
        const auto& above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a.size() % 3][b.size()];
}

std::string plain_letters(std::string_view word) {
    std::string text;
    for (char c : word) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        text += c == '-' ? '_' : c;
    }
    return text;
}

} // namespace

std::string quote(std::string_view text) {
    constexpr std::size_t shown = 64;
    constexpr std::string_view hex = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text.substr(0, shown)) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte >= 0x20 && byte < 0x7f) {
            out += c;
        } else {
            out += "\\x";
            out += hex[byte >> 4];
            out += hex[byte & 15];
        }
    }
    return out + (text.size() > shown ? "...\"" : "\"");
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.size() > longest_word) return {};
    const std::string plain = plain_letters(word);
    std::size_t best = 1 + std::max<std::size_t>(1, word.size() / 3);
    std::string_view found;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > longest_word) continue;
        const std::size_t distance = edit_distance(plain, candidate);
        if (distance >= best) continue;
        best = distance;
        found = candidate;
    }
    if (found.empty() && plain.size() >= 2) {
        const auto longer =
            std::find_if(candidates.begin(), candidates.end(),
                         [&](std::string_view candidate) { return candidate.starts_with(plain); });
        if (longer != candidates.end()) found = *longer;
    }
    return found.empty() ? std::string() : "; did you mean '" + std::string(found) + "'?";
}

} // namespace xlat646
