// SPDX-License-Identifier: BSD-2-Clause
//
// The daemon's life: set up, translate, reload, stop. Runs in the main thread; packets never wait
// for it.
#pragma once

#include "mapping/snapshot.hpp"
#include "routing-hooks/route_set.hpp"
#include "translator/daemon/announcement.hpp"
#include "translator/daemon/capture_session.hpp"
#include "translator/daemon/control_socket.hpp"
#include "translator/daemon/handover.hpp"
#include "translator/daemon/hooks.hpp"
#include "translator/daemon/quiet_watch.hpp"
#include "translator/daemon/readiness.hpp"
#include "translator/daemon/report.hpp"
#include "translator/daemon/statistics.hpp"
#include "translator/daemon/status_report.hpp"
#include "translator/daemon/table_loader.hpp"
#include "translator/dataplane/tun.hpp"
#include "translator/fastpath/fastpath.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace xlat646 {

class Supervisor {
  public:
    /// What only root may have: for a daemon that has been root.
    struct FromRoot {
        std::vector<FileDescriptor> tun_devices; ///< none: this process may open them itself
        std::optional<gid_t> control_group;      ///< of the control socket; nullopt: our own
    };
    /// `command`: how to start another one. `inheritance`: from whom this one takes over; nullptr:
    /// nobody.
    Supervisor(std::string config_path, LoadedConfiguration loaded, Watchdog& watchdog,
               CommandLine command, Inheritance* inheritance, FromRoot from_root);
    ~Supervisor();

    /// To be called first thing in main(), before any thread exists: all threads inherit the mask,
    /// and a signal that comes while the files are being read waits for run().
    static void block_signals();

    /// Returns after SIGTERM or SIGINT, or when another process has taken over. Throws
    /// std::system_error when something is missing at start; by then everything made has been
    /// taken back.
    void run();

  private:
    static constexpr std::size_t most_reloads_seen = 20;

    void start();
    void stop();
    /// False: nothing to drain, or that is under way.
    bool begin_to_leave();
    /// Once a second: whether the node is drained, as far as it will be.
    bool may_leave();
    std::uint64_t packets_received() const;
    void stop_for_good();
    void stop_workers();
    /// Another process takes over, or nothing changes. Returns what came out: empty is good.
    std::string restart();
    void hand_over();
    /// As restart().
    std::string wait_for_successor();
    void hand_on_signals();
    Legacy legacy() const;
    /// What of the configuration cannot change without a stop throws std::system_error.
    void check_inheritance(std::size_t queues) const;
    /// We translate: from now on we are the daemon.
    void take_over();
    enum class Guard : std::uint8_t { ask, overrule };
    /// Puts what came out first in reloads_seen_.
    void reload(Guard guard);
    /// Work that takes long: packets come first, and the supervisor is seen to live meanwhile.
    void run_aside(const std::function<void()>& work);
    void reload_table(Guard guard, ReloadResult& result);
    void warn_about_sysctls();
    void start_readiness();
    /// What the readiness has to say, to the log and to systemd.
    void pass_on_readiness();
    /// Says which keys of the main file would need a restart.
    void compare_config(ReloadResult& result);
    void install_routes(const MappingTable& table);
    void start_fastpath();
    /// Interfaces come and go, and others may remove what they did not make.
    void watch_fastpath();
    void attach_fastpath(FastpathUplink& uplink, bool must_work);
    /// Waits, if need be, until the permission of a program has ended whose daemon has crashed.
    FastpathHook attach_after_crash(const std::string& interface);
    /// Both data paths from now on use this table.
    void publish(std::unique_ptr<const MappingTable> table, const std::string& digest);
    const MappingTable& table() const { return *tables_.current()->table; }
    /// The segment of the newest table, if nobody uses an older one any more.
    void settle_statistics();
    LifeNumbers life_numbers() const;
    void write_statistics();
    nlohmann::ordered_json counters() const;
    void open_control_socket();
    std::string answer(const ControlRequest& request);
    /// The answer, if it comes to nothing; else the session has the socket and gives it.
    std::string begin_capture(const CaptureWish& wish, FileDescriptor& socket);
    void forget_capture();
    /// All that `xlat646 status` shows but the counters.
    nlohmann::ordered_json report() const;
    nlohmann::ordered_json table_status() const;

    std::string config_path_;
    std::string config_text_;
    Config config_;
    FromRoot from_root_;
    std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    std::unique_ptr<const MappingTable> first_table_; ///< until start()
    Snapshot<ServedTable> tables_;
    Snapshot<CaptureRings> captures_;       ///< the session writes it
    std::string digest_;                    ///< of the current table
    std::uint64_t generation_ = 1;          ///< of the current table
    std::deque<ReloadResult> reloads_seen_; ///< newest first
    std::uint64_t reloads_ = 0;
    std::uint64_t failed_reloads_ = 0;
    Statistics statistics_;
    CommandLine command_;
    Inheritance* inheritance_;      ///< until it is taken over
    bool is_owner_;                 ///< of TUN, routes and control socket, beyond our own life
    nlohmann::ordered_json before_; ///< counters of predecessors
    std::optional<Successor> successor_;
    bool keeps_socket_ = false; ///< the successor has a control socket elsewhere
    FileDescriptor signals_;
    FileDescriptor wake_;
    std::optional<Tun> tun_;
    std::optional<RouteSet> routes_;
    Watchdog& watchdog_;
    std::optional<ProbePair> probe_pair_;
    std::optional<LaneProbe> lane_probe_;
    std::unique_ptr<Fastpath> fastpath_;
    std::string fastpath_problem_; ///< why it does not run anywhere; empty: it does, or is off
    std::vector<FastpathUplink> uplinks_;
    std::optional<ControlSocket> control_;
    Workers workers_;
    std::vector<std::thread> threads_;
    std::optional<CaptureSession> capture_;
    bool stands_aside_ = false; ///< the fast path, for the capture
    std::optional<DropLog> drop_log_;
    Hooks hooks_;
    std::optional<Announcement> announcement_; ///< with a section `routing` only
    std::optional<QuietWatch> leaving_;        ///< from SIGTERM on, with shutdown.drain
    std::optional<Readiness> readiness_;
};

} // namespace xlat646
