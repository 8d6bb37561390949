// SPDX-License-Identifier: BSD-2-Clause
//
// The user of the key `user`, as this machine knows it.
#pragma once

#include "translator/daemon/config.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace xlat646 {

struct Account {
    std::string name;
    uid_t user;
    gid_t group;
    std::vector<gid_t> groups; ///< all, with `group` and that of the control socket
};

struct Accounts {
    std::optional<Account> daemon; ///< `user`
    std::optional<gid_t> control;  ///< `control_group`
};

/// False, and an error at its place in the main file, when there is no such user or group.
[[nodiscard]] bool find_accounts(const std::string& config_path, const Config& config,
                                 Severity severity, Accounts& out, Diagnostics& diagnostics);

/// Those of `paths` that this user cannot read. Only for root, and before there are threads: the
/// question is asked by a child process.
std::vector<std::string> unreadable_for(const Account& account,
                                        const std::vector<std::string>& paths);

} // namespace xlat646
