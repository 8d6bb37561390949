// SPDX-License-Identifier: BSD-2-Clause
//
// The parts of the main file that are about addresses and about what may pass.
#pragma once

#include "translator/daemon/config.hpp"
#include "translator/daemon/config_section.hpp"

namespace xlat646 {

/// translation_prefix, own_addresses, icmp_source_pool.
void read_addresses(ConfigSection& root, Config& config);

/// policy.
void read_policy(ConfigSection& root, Config& config);

} // namespace xlat646
