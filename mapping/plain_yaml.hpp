// SPDX-License-Identifier: BSD-2-Clause
//
// A fast reader of the plainest YAML, the shapes in which large mapping files are written:
//
//   version: 1
//   mappings:
//     - { ipv4: 192.0.2.1, ipv6: "2001:db8:6::2", name: www }
//     - ipv4: 192.0.2.2
//       ipv6: 2001:db8:6::3     # a comment
//
// It takes a text only when it is certain of every byte, and then hands over what yaml-cpp would,
// event by event. Everything else is left to yaml-cpp: empty values, words that could be null,
// escapes, anchors, tags, values of several lines, odd indentation, tabs, CR, bytes beyond ASCII.
#pragma once

#include "mapping/yaml_events.hpp"

#include <string_view>

namespace xlat646 {

inline constexpr unsigned plain_yaml_depth = 3; ///< a map of lists of maps

/// False: not plain, and `events` was not called.
bool read_plain_yaml(std::string_view text, YamlEvents& events);

} // namespace xlat646
