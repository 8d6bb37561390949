// SPDX-License-Identifier: BSD-2-Clause
//
// The kernel routes of one translator: every destination through its TUN and, for each, a fallback
// `unreachable` that takes over when the TUN is gone or down, so that nothing follows the default
// route out again and loops (RT-12).
//
//   192.0.2.1 dev xlat646 proto 64 scope link                     metric 0 (IPv6: 1)
//   unreachable 192.0.2.1 proto 64 metric 4278198272
//
// Metrics 0 and 1 are the best the families have, so no other route to the same prefix hides ours.
// One of somebody else with a worse metric is left alone and coexists; one with the very same
// metric makes install() fail and is named in the error. Ours are what carries our protocol number
// in our table and leads to our TUN or is `unreachable`; nothing else is ever changed, nor are the
// routes of a second translator on this node (same number, another TUN, which must exist
// meanwhile).
//
// The kernel is asked each time what it has, so leftovers of a crashed life and changes made by
// hand are repaired. The TUN must be up: the kernel refuses, and forgets, routes through one that
// is not.
#pragma once

#include "routing-hooks/netlink.hpp"
#include "routing-hooks/node_routes.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace xlat646 {

/// "main" or a number 1..4294967295, without 255, the kernel's own table of local addresses.
std::optional<std::uint32_t> parse_route_table(std::string_view text) noexcept;

/// what() is a summary with the first few, one a line; code() is that of the first.
class RouteError : public std::system_error {
  public:
    struct Failure {
        std::string route;  ///< as `ip route` writes it
        std::string reason; ///< the kernel's sentence, or which route is in the way
        int error;          ///< errno
    };
    /// `failures` is not empty.
    RouteError(const std::string& summary, std::vector<Failure> failures);
    const std::vector<Failure>& failures() const { return failures_; }
    const char* what() const noexcept override { return text_.c_str(); }

  private:
    std::string text_;
    std::vector<Failure> failures_;
};

class RouteSet {
  public:
    /// Not registered with any routing daemon (rtnetlink.h, /etc/iproute2/rt_protos).
    static constexpr std::uint8_t protocol = 64;
    static constexpr std::uint32_t fallback_metric = 4278198272; // 0xff002000, near the worst

    RouteSet(unsigned tun_ifindex, std::uint32_t table);

    /// Kernel routes, fallbacks included: twice the number of destinations.
    struct Change {
        std::size_t added = 0;
        std::size_t removed = 0;
        std::size_t unchanged = 0;
    };

    /// Makes the kernel's routes equal to `wanted`: adds first, removes then, so that a destination
    /// which stays is never without a route, also when its aggregate changes.
    /// Throws RouteError. When a route cannot be added, those added before are taken back and the
    /// kernel has what it had; when a stale one cannot be removed, everything else has been done.
    Change install(const NodeRoutes& wanted);

    enum class Keep { nothing, fallbacks };
    /// Removes all of ours. Returns how many. Works after the TUN has gone, too.
    std::size_t remove(Keep keep = Keep::nothing);

  private:
    RouteSocket socket_;
    unsigned tun_ifindex_;
    std::uint32_t table_;
};

} // namespace xlat646
