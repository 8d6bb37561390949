// SPDX-License-Identifier: BSD-2-Clause
//
// Sockets to accept connections from: opened here, or passed by systemd.
#pragma once

#include "translator/dataplane/tun.hpp"
#include "translator/exporter/options.hpp"

#include <vector>

namespace xlat646 {

/// Those that were passed (sd_listen_fds(3)), and those of `wanted`; without any, the loopback's
/// two, of which one is enough. Throws std::system_error: the address, and why it cannot be had.
std::vector<FileDescriptor> open_listeners(const std::vector<ListenAddress>& wanted);

} // namespace xlat646
