// SPDX-License-Identifier: BSD-2-Clause
//
// What an operator wants to be so before this node is advertised (readiness.require): hosts that
// answer pings of this node, prefixes that the kernel has a route to.
#pragma once

#include "routing-hooks/netlink.hpp"
#include "translator/daemon/echo_socket.hpp"
#include "translator/daemon/readiness_config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace xlat646 {

class Requirements {
  public:
    /// `tun`: routes that lead there do not count. Throws std::system_error.
    Requirements(const std::vector<Requirement>& wanted, unsigned tun);

    /// -1: not needed.
    int descriptor4() const { return socket4_ ? socket4_->descriptor() : -1; }
    int descriptor6() const { return socket6_ ? socket6_->descriptor() : -1; }
    void begin(const Nonce& nonce);
    void collect(const RecentNonces& nonces);
    /// Empty: all are met.
    std::string why_not() const;

  private:
    struct Wanted {
        Requirement what;
        bool is_met = false;
        std::string why_not;
    };
    template <class Address>
    void ping(Wanted& wanted, const Address& target, const EchoSocket<Address>& socket,
              const EchoMessage& message);
    template <class Address> void look_for_route(Wanted& wanted, const Prefix<Address>& prefix);

    std::vector<Wanted> wanted_;
    unsigned tun_;
    RouteSocket routes_;
    std::optional<EchoSocket<Ipv4Address>> socket4_;
    std::optional<EchoSocket<Ipv6Address>> socket6_;
};

} // namespace xlat646
