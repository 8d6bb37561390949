// SPDX-License-Identifier: BSD-2-Clause
//
// What mapping/plain_yaml must do for any text: nothing, or what yaml-cpp does.
#pragma once

#include <string>
#include <string_view>

namespace xlat646::test {

/// The events of a text, one a line: "3:5 plain www".
struct PlainYamlVerdict {
    bool is_plain = false;    ///< the fast reader took it
    std::string events;       ///< its events
    std::string disagreement; ///< empty: none
};

PlainYamlVerdict check_plain_yaml(std::string_view text);

} // namespace xlat646::test
