// SPDX-License-Identifier: BSD-2-Clause
//
// Kernel settings a translator node needs (DC-12). Reads only: the operator changes them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

struct SysctlFinding {
    enum class Severity {
        error,   ///< packets will not pass
        warning, ///< some packets may be lost or answered wrongly
        info,    ///< worth knowing
    };
    Severity severity;
    std::string what; ///< one sentence
    std::string fix;  ///< a shell command or what to do; never empty
};

/// Errors first. Call it when the TUN exists: its own settings are looked at too.
std::vector<SysctlFinding> check_sysctls(std::string_view tun_name,
                                         const std::filesystem::path& proc_sys = "/proc/sys");

bool has_ipv4_address(const std::string& interface);

/// What an interface with the fast path needs more: translated packets arrive at it, not at the
/// TUN.
std::vector<SysctlFinding>
check_fastpath_sysctls(std::string_view interface, bool has_ipv4_address,
                       const std::filesystem::path& proc_sys = "/proc/sys");

} // namespace xlat646
