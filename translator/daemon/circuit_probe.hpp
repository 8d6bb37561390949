// SPDX-License-Identifier: BSD-2-Clause
//
// Shows that packets cross kernel, TUN and translator both ways: a ping of this node to own4, which
// becomes one of the translation prefix to an IPv6 address of this node (siit/probe_pair.hpp), is
// answered by the kernel and translated back. Seen on both arrivals, at the TUN and nowhere else.
//
// Without carrier the kernel delivers nothing to the TUN, and carrier cannot be tried out: routing
// daemons would see it. What the kernel would do is then shown in pieces. Into the TUN: the routes
// lead there, and packets pass this node's firewall on their way out. Out of the TUN: what a worker
// has made of a probe is written to the TUN, and has to arrive. What remains is the queue of the
// TUN itself; the first ping after the carrier came on shows that, too.
#pragma once

#include "routing-hooks/netlink.hpp"
#include "translator/daemon/echo_socket.hpp"
#include "translator/daemon/lane_probe.hpp"
#include "translator/siit/settings.hpp"

#include <string>

namespace xlat646 {

/// For the workers' lanes where a node has no IPv4 address of its own.
inline constexpr Ipv4Address nobody4(0xc000000a); // 192.0.0.10

class CircuitProbe {
  public:
    /// `routes_are_ours`: the daemon has installed them where this node's own packets find them.
    /// Throws std::system_error.
    CircuitProbe(const Tun& tun, const Settings& settings, bool routes_are_ours);

    const EchoSocket<Ipv4Address>& socket4() const { return socket4_; }
    const EchoSocket<Ipv6Address>& socket6() const { return socket6_; }

    /// Where the probes go now: addresses of a node may change.
    const ProbePath& find_path();
    void begin(const EchoContent& content, bool has_carrier);
    /// A translated probe (with its offload header) to be taken for one by the kernel.
    void put(std::span<const std::uint8_t> translated) const;
    void collect(const RecentNonces& nonces);
    /// Empty: crossed this round.
    std::string why_not() const;
    /// True: routes and addresses are right, and all that is wrong is that no packet came back.
    bool is_only_lost() const { return trouble_.empty() && !(arrived6_ && arrived4_); }

  private:
    template <class Address>
    void take_source(const Address& target, Address& here, const char* family);
    void say(const std::string& trouble);

    const Tun& tun_;
    const Settings& settings_;
    bool routes_are_ours_;
    RouteSocket routes_;
    EchoSocket<Ipv4Address> socket4_;
    EchoSocket<Ipv6Address> socket6_;
    ProbePath path_;
    ProbePair::Token token_{};
    std::string trouble_; ///< of routes, addresses, sending
    bool arrived6_ = false;
    bool arrived4_ = false;
};

} // namespace xlat646
