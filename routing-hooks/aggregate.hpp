// SPDX-License-Identifier: BSD-2-Clause
//
// Exact aggregation: the fewest prefixes that cover what the given ones cover, and not one address
// more (RT-11). Input in any order, overlaps and duplicates allowed; output sorted and disjoint.
// Sorting dominates: O(n log n).
#pragma once

#include "mapping/address.hpp"

#include <vector>

namespace xlat646 {

std::vector<Ipv4Prefix> aggregate(std::vector<Ipv4Prefix> prefixes);
std::vector<Ipv6Prefix> aggregate(std::vector<Ipv6Prefix> prefixes);

} // namespace xlat646
