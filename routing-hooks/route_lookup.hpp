// SPDX-License-Identifier: BSD-2-Clause
//
// Which route the kernel would take, and what a link has lost. Throws std::system_error when the
// kernel cannot be asked.
#pragma once

#include "mapping/address.hpp"
#include "routing-hooks/netlink.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace xlat646 {

template <class Address> struct FoundRoute {
    int error = 0;        ///< errno: there is none, or it refuses; the rest is then 0
    unsigned ifindex = 0; ///< where it leads to
    unsigned length = 0;  ///< of its prefix, when asked by find_route()
    std::uint8_t type = 0;
    std::optional<Address> source; ///< that this node would use, when asked by look_up_route()
};

/// The way of a packet of this node to `target`.
FoundRoute<Ipv4Address> look_up_route(RouteSocket& socket, Ipv4Address target);
FoundRoute<Ipv6Address> look_up_route(RouteSocket& socket, const Ipv6Address& target);

/// The entry of the routing table behind that way.
FoundRoute<Ipv4Address> find_route(RouteSocket& socket, Ipv4Address target);
FoundRoute<Ipv6Address> find_route(RouteSocket& socket, const Ipv6Address& target);

/// Packets that found the queue of this link full, or the link without carrier. From /proc: netlink
/// would wait for the kernel's lock of all interfaces.
std::uint64_t dropped_on_output(const std::string& interface);

} // namespace xlat646
