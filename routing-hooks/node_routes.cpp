// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/node_routes.hpp"

#include "routing-hooks/aggregate.hpp"

namespace xlat646 {

NodeRoutes node_routes(std::span<const Eam> mappings, const TranslationPrefix& prefix,
                       Ipv4Address own4, const Ipv6Address& own6,
                       std::span<const Ipv4Address> pool4, std::span<const Ipv4Prefix> owned) {
    NodeRoutes routes;
    routes.ipv4.reserve(mappings.size() + pool4.size() + owned.size() + 1);
    routes.ipv4.insert(routes.ipv4.end(), owned.begin(), owned.end());
    for (const Eam& m : mappings)
        routes.ipv4.push_back(m.ipv4);
    for (const Ipv4Address a : pool4)
        routes.ipv4.emplace_back(a, Ipv4Address::width);
    routes.ipv4.emplace_back(own4, Ipv4Address::width);
    routes.ipv4 = aggregate(std::move(routes.ipv4));
    // Not aggregated: P is announced as the /96 it is (RT-11), own6 beside it stays a host route.
    routes.ipv6.push_back(prefix.prefix());
    if (!prefix.contains(own6)) routes.ipv6.emplace_back(own6, Ipv6Address::width);
    return routes;
}

NodeRoutes announced_routes(NodeRoutes routes) {
    constexpr Ipv4Prefix protocol_assignments(Ipv4Address(0xc0000000), 24);
    std::erase_if(routes.ipv4,
                  [&](const Ipv4Prefix& p) { return protocol_assignments.contains(p); });
    return routes;
}

} // namespace xlat646
