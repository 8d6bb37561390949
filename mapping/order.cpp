// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/order.hpp"

#include <algorithm>

namespace xlat646 {

namespace {

template <class Address>
std::vector<OrderedMapping<Address>> order_by(const MappingList& list, Prefix<Address> Eam::*side) {
    std::vector<OrderedMapping<Address>> order;
    order.reserve(list.mappings.size());
    for (std::uint32_t i = 0; i < list.mappings.size(); ++i)
        order.push_back({list.mappings[i].*side, i});
    if (!std::is_sorted(order.begin(), order.end())) std::sort(order.begin(), order.end());
    return order;
}

} // namespace

std::vector<OrderedMapping<Ipv4Address>> order_by_ipv4(const MappingList& list) {
    return order_by(list, &Eam::ipv4);
}
std::vector<OrderedMapping<Ipv6Address>> order_by_ipv6(const MappingList& list) {
    return order_by(list, &Eam::ipv6);
}

} // namespace xlat646
