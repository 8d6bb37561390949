// SPDX-License-Identifier: BSD-2-Clause
//
// Says what is wrong with an address or a prefix that could not be parsed.
#pragma once

#include "mapping/address.hpp"

#include <string>
#include <string_view>

namespace xlat646 {

/// A full sentence part: `"x" is not an IPv4 address: 256 is more than 255`.
std::string explain_bad_ipv4(std::string_view text, bool prefix_allowed);
std::string explain_bad_ipv6(std::string_view text, bool prefix_allowed);

} // namespace xlat646
