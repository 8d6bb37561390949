// SPDX-License-Identifier: BSD-2-Clause
//
// The daemon's life: set up, translate, reload, stop. Runs in the main thread; packets never wait
// for it.
#pragma once

#include "mapping/snapshot.hpp"
#include "routing-hooks/route_set.hpp"
#include "translator/daemon/config.hpp"
#include "translator/daemon/report.hpp"
#include "translator/dataplane/tun.hpp"
#include "translator/fastpath/fastpath.hpp"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace xlat646 {

class Supervisor {
  public:
    Supervisor(std::string config_path, std::string config_text, Config config,
               std::unique_ptr<const MappingTable> table);
    ~Supervisor();

    /// To be called first thing in main(), before any thread exists: all threads inherit the mask,
    /// and a signal that comes while the files are being read waits for run().
    static void block_signals();

    /// Returns after SIGTERM or SIGINT. Throws std::system_error when something is missing at
    /// start; by then everything made has been taken back.
    void run();

  private:
    /// An interface of the fast path.
    struct Uplink {
        std::string name;
        std::optional<FastpathHook> hook; ///< attached
        std::string trouble;              ///< why it is not, as it was logged
    };

    void start();
    void stop();
    enum class Guard : std::uint8_t { ask, overrule };
    void reload(Guard guard);
    void reload_table(Guard guard);
    void warn_about_sysctls();
    /// Says which keys of the main file would need a restart.
    void compare_config();
    void install_routes(const MappingTable& table);
    void start_fastpath();
    /// Interfaces come and go, and others may remove what they did not make.
    void watch_fastpath();
    void attach_fastpath(Uplink& uplink, bool must_work);
    /// Waits, if need be, until the permission of a program has ended whose daemon has crashed.
    FastpathHook attach_after_crash(const std::string& interface);
    /// Both data paths from now on use this table.
    void publish(std::unique_ptr<const MappingTable> table);
    std::string counters() const;

    std::string config_path_;
    std::string config_text_;
    Config config_;
    Snapshot<MappingTable> tables_;
    FileDescriptor signals_;
    FileDescriptor wake_;
    std::optional<Tun> tun_;
    std::optional<RouteSet> routes_;
    std::unique_ptr<Fastpath> fastpath_;
    std::vector<Uplink> uplinks_;
    Workers workers_;
    std::vector<std::thread> threads_;
    std::optional<DropLog> drop_log_;
};

} // namespace xlat646
