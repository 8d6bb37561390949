// SPDX-License-Identifier: BSD-2-Clause
//
// YAML as a stream of events with positions: the only door to yaml-cpp. It keeps away from our
// readers what our files do not need and what could hurt: anchors, aliases, tags, more than one
// document, deep nesting, huge files, bytes that are not text, and exceptions.
#pragma once

#include "mapping/yaml_report.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace xlat646 {

enum class ScalarKind : std::uint8_t {
    plain,
    quoted,
    null,    ///< no value, "~" or "null"
    refused, ///< an alias: already reported, stands where a value is due
};

/// Every node is a scalar, or a begin with its end. In a map, keys and values take turns.
class YamlEvents {
  public:
    virtual ~YamlEvents() = default;
    /// `value` lives until the call returns. A null's position is that of whatever follows it.
    virtual void scalar(TextPosition at, std::string_view value, ScalarKind kind) = 0;
    virtual void begin_map(TextPosition at) = 0;
    virtual void end_map() = 0;
    virtual void begin_list(TextPosition at) = 0;
    virtual void end_list() = 0;
};

struct YamlLimits {
    std::size_t bytes;
    unsigned depth = 16;
};

/// Reads one document. False when it could not be read to its end; then `report` has errors.
/// True does not mean that there are none.
bool read_yaml(std::string_view text, const YamlLimits& limits, std::uint32_t file,
               YamlEvents& events, YamlReport& report);

/// The same without the short cut of plain_yaml.hpp, which tests compare with this.
bool read_yaml_by_library(std::string_view text, const YamlLimits& limits, std::uint32_t file,
                          YamlEvents& events, YamlReport& report);

} // namespace xlat646
