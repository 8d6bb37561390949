// SPDX-License-Identifier: BSD-2-Clause
//
// The parts of the main file that are about the announcement of this node to other routers, and
// about what follows a start, a reload and a stop: routing, hooks, shutdown.
#pragma once

#include "translator/daemon/config.hpp"
#include "translator/daemon/config_section.hpp"

namespace xlat646 {

void read_routing(ConfigSection& root, std::optional<RoutingSettings>& routing);

void read_hooks(ConfigSection& root, HooksConfig& hooks);

/// shutdown. To be called after read_routing(): without it there is nothing to drain.
void read_shutdown(ConfigSection& root, Config& config);

} // namespace xlat646
