// SPDX-License-Identifier: BSD-2-Clause
//
// The main file, xlat646.yaml, read at start. Text in, Config or every diagnostic out; defaults
// and ranges are here and in mapping/schema/xlat646.schema.json.
#pragma once

#include "mapping/diagnostic.hpp"
#include "mapping/loader.hpp"
#include "mapping/special_purpose.hpp"
#include "mapping/yaml_report.hpp"
#include "routing-hooks/bird_config.hpp"
#include "translator/daemon/readiness_config.hpp"
#include "translator/siit/settings.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

struct TunConfig {
    std::string name = "xlat646";
    std::uint32_t queues = 0; ///< 0: one per CPU (busy polling: per two), at most 4
    std::uint32_t lanes = 4;  ///< kernel queues that each worker serves in turn
    bool offload = true;
    std::uint32_t busy_poll_us = 0;  ///< 0: sleep at once when there is no packet
    std::vector<std::uint32_t> cpus; ///< one for each queue; none: wherever the kernel likes
    std::uint32_t priority = 10;     ///< of the workers: steps above other programs
    bool coalesce = true;            ///< join small packets, where the kernel takes the result

    /// `available`: CPUs of the machine.
    std::size_t queue_count(std::size_t available) const;
    /// Of the device: the lanes of all workers.
    std::size_t kernel_queue_count(std::size_t available) const;
};

struct RoutesConfig {
    bool install = true;
    std::uint32_t table = 254; ///< the kernel's number of the table; 254: main
};

enum class FastpathMode : std::uint8_t { off, automatic, on };

struct FastpathConfig {
    FastpathMode mode = FastpathMode::off;
    std::vector<std::string> interfaces; ///< uplinks
};

/// Commands as words, without a shell; empty: none.
struct HooksConfig {
    std::vector<std::string> after_start;
    std::vector<std::string> after_reload;
    std::uint32_t time_limit = 60; ///< seconds
};

struct ShutdownConfig {
    bool drain = false;       ///< SIGTERM withdraws the routes and waits for the traffic to go
    std::uint32_t limit = 30; ///< seconds, how long at most
};

/// A user or group of this machine; whether there is such a one is found out by account.hpp.
struct AccountName {
    std::string text; ///< empty: none
    TextPosition at;
};

inline constexpr const char* default_control_socket = "/run/xlat646/control.sock";
inline constexpr const char* default_stats_segment = "/run/xlat646/stats";

struct Config {
    Settings settings; ///< without secrets and clock
    Profile profile = Profile::internet;
    std::vector<Ipv4Override> overrides4; ///< of policy.allow and policy.deny
    std::vector<Ipv6Override> overrides6;
    std::vector<std::string> mapping_files; ///< names and globs, relative to the main file
    TunConfig tun;
    RoutesConfig routes;
    FastpathConfig fastpath;
    std::optional<RoutingSettings> routing;
    HooksConfig hooks;
    ShutdownConfig shutdown;
    ReadinessConfig readiness;
    std::string control_socket = default_control_socket; ///< empty: none
    std::string stats_segment = default_stats_segment;
    AccountName user;          ///< who the daemon becomes
    AccountName group;         ///< instead of the user's own
    AccountName control_group; ///< who may write to the control socket; none: the daemon's
    /// A reload that removes more than this percentage of the pairs is refused; 0: never.
    std::uint32_t reload_guard = 50;

    /// What mapping files are checked against (EAM-07).
    LoaderRules loader_rules() const;
};

/// True: no error, `out` is complete. False: at least one error, `out` is of no use.
[[nodiscard]] bool parse_config(const std::string& name, std::string_view text, Config& out,
                                Diagnostics& diagnostics);

/// Whether the kernel takes it as the name of one network interface.
bool is_interface_name(std::string_view name);

} // namespace xlat646
