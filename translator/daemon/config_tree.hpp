// SPDX-License-Identifier: BSD-2-Clause
//
// A small YAML document as a tree with positions. For the main file only: mapping files are
// streamed.
#pragma once

#include "mapping/yaml_events.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

struct ConfigEntry;

struct ConfigNode {
    enum class Kind : std::uint8_t { plain, quoted, null, refused, map, list };
    Kind kind = Kind::null;
    TextPosition at;
    std::string text;                 ///< plain, quoted
    std::vector<ConfigNode> items;    ///< list
    std::vector<ConfigEntry> entries; ///< map; keys are unique

    bool is_scalar() const { return kind == Kind::plain || kind == Kind::quoted; }
    bool has(std::string_view key) const;
};

struct ConfigEntry {
    std::string key;
    TextPosition at;
    ConfigNode value;
};

/// False when the text is not a map, or could not be read to its end; errors are in `report`.
bool read_config_tree(std::string_view text, YamlReport& report, ConfigNode& root);

} // namespace xlat646
