// SPDX-License-Identifier: BSD-2-Clause
//
// What a daemon with the key `user` gives up (SEC-09): before it reads a mapping, makes a device or
// starts a thread, so that all of them do without. What then is left is what a unit of systemd
// would have given it: a user, its groups, and a few capabilities, which go on over `restart`.
#pragma once

#include "translator/daemon/account.hpp"
#include "translator/daemon/capabilities.hpp"
#include "translator/dataplane/tun.hpp"

#include <string>
#include <vector>

namespace xlat646 {

/// Without those that stand in for limits of resources.
CapabilityMask needed_capabilities(const Config& config);

/// Becomes `account`, or is it already. Makes directories, which only root can, and opens what only
/// root may open: the result. Throws std::system_error.
std::vector<FileDescriptor> give_up_privileges(const Config& config, const Account& account,
                                               bool has_inherited);

} // namespace xlat646
