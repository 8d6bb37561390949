// SPDX-License-Identifier: BSD-2-Clause
//
// The section `readiness` of the main file.
#pragma once

#include "mapping/address.hpp"
#include "mapping/translation_prefix.hpp"

#include <cstdint>
#include <variant>
#include <vector>

namespace xlat646 {

class ConfigSection;
struct Settings;

/// An address that must answer pings, or a prefix that must be routed.
using Requirement = std::variant<Ipv4Address, Ipv6Address, Ipv4Prefix, Ipv6Prefix>;

struct ReadinessConfig {
    bool probe = true; ///< ping through kernel and TUN
    std::uint32_t interval_ms = 200;
    std::uint32_t failures = 3;  ///< in a row, until the carrier goes off
    std::uint32_t successes = 5; ///< in a row, until it comes back
    std::uint32_t watchdog_ms = 1500;
    std::vector<Requirement> require;
};

/// After the addresses of `settings` have been read.
void read_readiness(ConfigSection& root, const Settings& settings, ReadinessConfig& readiness);

} // namespace xlat646
