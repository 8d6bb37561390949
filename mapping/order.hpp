// SPDX-License-Identifier: BSD-2-Clause
//
// The mappings of a list by one of their prefixes. The prefix lies beside the index, so that
// sorting a million of them does not jump through the list.
#pragma once

#include "mapping/table.hpp"

#include <compare>
#include <cstdint>
#include <vector>

namespace xlat646 {

template <class Address> struct OrderedMapping {
    Prefix<Address> prefix;
    std::uint32_t index; ///< into MappingList::mappings
    friend constexpr auto operator<=>(const OrderedMapping&, const OrderedMapping&) = default;
};

/// Equal prefixes are in the order of the list.
std::vector<OrderedMapping<Ipv4Address>> order_by_ipv4(const MappingList& list);
std::vector<OrderedMapping<Ipv6Address>> order_by_ipv6(const MappingList& list);

} // namespace xlat646
