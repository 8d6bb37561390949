// SPDX-License-Identifier: BSD-2-Clause
//
// Which keys differ between two texts of the main file: what a restart would apply.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

/// Names such as "mtu.ipv4", sorted. Both texts are valid main files; order, comments and quoting
/// make no difference.
std::vector<std::string> changed_keys(std::string_view before, std::string_view after);

} // namespace xlat646
