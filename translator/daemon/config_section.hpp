// SPDX-License-Identifier: BSD-2-Clause
//
// Reads the keys of one map of the main file. Every key that is asked for is known; `finish` calls
// the others errors. A key that is absent or wrong leaves its variable alone, and what is wrong is
// reported once.
#pragma once

#include "translator/daemon/config_tree.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xlat646 {

class ConfigSection {
  public:
    /// `map` nullptr: the whole section is absent.
    ConfigSection(YamlReport& report, const ConfigNode* map, std::string path)
        : report_(report), map_(map), path_(std::move(path)) {}

    /// The value of a key, nullptr when absent or empty.
    const ConfigNode* find(std::string_view key);
    /// The same for a value that must be a scalar, a list, a map.
    const ConfigNode* find_scalar(std::string_view key);
    const ConfigNode* find_list(std::string_view key);
    ConfigSection section(std::string_view key);
    /// Each item of a list of maps, called "key[0].", "key[1]." and so on.
    std::vector<ConfigSection> sections(std::string_view key);
    /// Whether the section is there at all, and a key in it, good or bad.
    bool is_there() const { return map_ != nullptr; }
    bool has(std::string_view key) const { return map_ != nullptr && map_->has(key); }
    /// Of a key's value; line 0 when it is absent.
    TextPosition position(std::string_view key) const;

    void read(std::string_view key, bool& out);
    void read(std::string_view key, std::string& out);
    template <std::unsigned_integral Number>
    void read(std::string_view key, std::uint32_t least, std::uint32_t most, Number& out) {
        const ConfigNode* node = find_scalar(key);
        if (node == nullptr) return;
        if (const auto number = number_of(key, *node, least, most))
            out = static_cast<Number>(*number);
    }
    template <class Enum, std::size_t n>
    void read(std::string_view key, const std::array<std::pair<std::string_view, Enum>, n>& words,
              Enum& out) {
        const ConfigNode* node = find_scalar(key);
        if (node == nullptr) return;
        std::array<std::string_view, n> names;
        for (std::size_t i = 0; i < n; ++i) {
            names[i] = words[i].first;
            if (node->text != words[i].first) continue;
            out = words[i].second;
            return;
        }
        unknown_word(key, *node, names);
    }

    /// nullopt, and an error, unless `node` is a plain number in the range. `or_word` is said to
    /// be allowed too.
    std::optional<std::uint32_t> number_of(std::string_view key, const ConfigNode& node,
                                           std::uint32_t least, std::uint32_t most,
                                           std::string_view or_words = {});
    void error(std::string_view key, TextPosition at, const std::string& message);
    void warning(std::string_view key, TextPosition at, const std::string& message);
    /// For a key that must be there.
    void missing(std::string_view key);
    void finish();

  private:
    std::string name_of(std::string_view key) const;
    void wrong_type(std::string_view key, const ConfigNode& node, const char* expected);
    void unknown_word(std::string_view key, const ConfigNode& node,
                      std::span<const std::string_view> words);

    YamlReport& report_;
    const ConfigNode* map_;
    std::string path_; ///< "" or "tun."
    std::vector<std::string_view> known_;
};

} // namespace xlat646
