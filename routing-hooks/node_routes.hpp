// SPDX-License-Identifier: BSD-2-Clause
//
// What has to reach the translator: the destinations a node's kernel must send into the TUN.
#pragma once

#include "mapping/table.hpp"
#include "mapping/translation_prefix.hpp"

#include <span>
#include <vector>

namespace xlat646 {

struct NodeRoutes {
    std::vector<Ipv4Prefix> ipv4;
    std::vector<Ipv6Prefix> ipv6;
};

/// Exactly: the mapped IPv4 addresses, own4 and pool4; the translation prefix and own6 (T46-24).
/// Nothing else is covered, so an unmapped neighbour of a mapped address stays with its owner,
/// unless it lies in `owned`: what this node answers for, mapped or not (RT-11).
///
/// pool4 is included although nothing answers there (DC-21): its members appear in traceroutes, and
/// a packet sent to one would otherwise follow the default route out again, a loop (RT-12). It also
/// lets the errors we send from them pass a strict rp_filter (DC-12). They are answered with 3/13.
///
/// The IPv6 servers are not: the node reaches them by its own routing.
NodeRoutes node_routes(std::span<const Eam> mappings, const TranslationPrefix& prefix,
                       Ipv4Address own4, const Ipv6Address& own6,
                       std::span<const Ipv4Address> pool4, std::span<const Ipv4Prefix> owned = {});

/// What of it other routers may hear of: all but 192.0.0.0/24, where own4 lies unless configured,
/// the same on every node (RFC 7600).
NodeRoutes announced_routes(NodeRoutes routes);

} // namespace xlat646
