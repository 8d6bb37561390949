// SPDX-License-Identifier: BSD-2-Clause
//
// A node's configuration for BIRD 2, as a file that its bird.conf includes. Pure, and stable: the
// same input gives the same bytes. Measured with BIRD 2.0.12 (matrix, section 21).
//
// What is announced is what the node's kernel routes into the TUN, as long as the TUN has a carrier
// (RT-03) and the drain file says 0 (RT-20). Nothing else leaves, and nothing of it comes back.
#pragma once

#include "routing-hooks/node_routes.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

struct OspfInterface {
    std::string name;
    std::uint32_t cost = 10;
    bool is_ptp = true; ///< false: broadcast
    bool ipv4 = true;   ///< OSPFv2 runs here
    bool ipv6 = true;   ///< OSPFv3 runs here
};

struct BfdSettings {
    bool enabled = true;
    std::uint32_t interval_ms = 100;
    std::uint32_t multiplier = 3;
};

struct RoutingSettings {
    Ipv4Address router_id;
    Ipv4Address area; ///< 0: the backbone
    std::vector<OspfInterface> interfaces;
    std::uint32_t metric = 20; ///< OSPF external type 1 (RT-06)
    std::uint32_t tag = 64646;
    std::uint32_t hello = 1; ///< seconds, as `dead`
    std::uint32_t dead = 4;
    std::string password_file; ///< for BIRD to include; empty: no authentication
    bool ttl_security = false; ///< also refuse what comes from afar
    BfdSettings bfd;
    std::vector<Ipv4Prefix> pool; ///< owned whole: announced and routed here, mapped or not (RT-11)
    std::string drain_file = "/var/lib/xlat646/drain.conf";
    std::string bird_socket = "/run/bird/bird.ctl";
};

/// `interfaces` is not empty; the names and the paths are what is_bird_word() takes. `announced`
/// is sorted and disjoint, as node_routes() makes it.
std::string bird_config(const RoutingSettings& settings, const std::string& tun,
                        const NodeRoutes& announced);

/// Whether BIRD takes `text` between quotes as it stands: it knows no escapes there, and reads the
/// names of included files as patterns.
bool is_bird_word(std::string_view text);

} // namespace xlat646
