// SPDX-License-Identifier: BSD-2-Clause
//
// The carrier of the TUN is the truth about this node: on exactly as long as it translates, so that
// a routing daemon which looks at the link advertises nothing else (DESIGN section 7, RT-03,
// RT-28).
//
// A thread of its own sends a round of probes every interval: through each worker (lane_probe),
// through kernel and TUN (circuit_probe), to what the operator requires (requirements). Another one
// beats for the watchdog as long as the supervisor and the first one move.
//
// A ping that is lost while the TUN's queues overflow proves nothing, as long as all workers
// translate what comes by their lanes: under a flood no node may leave the work to the others.
//
// Neither writes to the log. What they have to say is fetched by the supervisor.
#pragma once

#include "translator/daemon/circuit_probe.hpp"
#include "translator/daemon/hysteresis.hpp"
#include "translator/daemon/lane_probe.hpp"
#include "translator/daemon/requirements.hpp"
#include "translator/daemon/watchdog.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace xlat646 {

class Readiness {
  public:
    /// The carrier is `ours` from the start, and goes off; or it is another process's, who has it
    /// on or off, and no matter of ours before settle().
    enum class Carrier : std::uint8_t { ours, is_off, is_on };
    /// All must outlive it; `lanes` are those of the running workers. Throws std::system_error.
    Readiness(const ReadinessConfig& config, const Tun& tun, const Settings& settings,
              bool routes_are_ours, ProbePair& pair, LaneProbe& lanes, Watchdog& watchdog,
              Carrier carrier);
    Readiness(const Readiness&) = delete;
    Readiness& operator=(const Readiness&) = delete;
    /// Turns the carrier off, if it is ours, and dismisses the watchdog.
    ~Readiness();

    /// The carrier is ours now.
    void settle();
    /// The carrier is no longer ours, and stays as it is. Nothing is probed or watched any more.
    void leave();
    /// Empty: a round of probes has succeeded. Else why not, so far.
    std::string why_no_success() const;

    /// Everything else is in place. `announcement`: what to say when the node is ready.
    void start(std::string announcement);

    /// The supervisor lives. To be called more often than every `beat_interval()`.
    void beat() noexcept { supervisor_.beat(); }
    /// What the supervisor does until its next beat may have to wait for the kernel.
    void be_patient() noexcept { supervisor_.be_patient(); }
    std::chrono::milliseconds beat_interval() const;

    struct Message {
        bool is_good;
        std::string text;
    };
    /// Becomes readable when there is something for take_messages().
    int news() const { return news_.get(); }
    std::vector<Message> take_messages();

    bool is_ready() const;
    nlohmann::ordered_json status() const;
    nlohmann::ordered_json counters() const;

  private:
    using Clock = std::chrono::steady_clock;
    enum class Verdict : std::uint8_t { good, bad, excused };

    /// The signs of life of a thread. They are counted by looks, not by the clock: if all of us
    /// have stood still for a while, that is one look.
    class Life {
      public:
        void beat() noexcept { tell(false); }
        void be_patient() noexcept { tell(true); }
        /// For the one thread that looks. True: nothing since `limit` looks; 0: never.
        bool is_stuck(unsigned limit) noexcept;

      private:
        void tell(bool is_patient) noexcept {
            is_patient_.store(is_patient, std::memory_order_relaxed);
            beats_.fetch_add(1, std::memory_order_release);
        }
        std::atomic<std::uint32_t> beats_{0};
        std::atomic<bool> is_patient_{false};
        std::uint32_t seen_ = 0;
        unsigned looks_ = 0;
    };

    void run() noexcept;
    void stop_threads();
    void begin_round();
    /// Reads answers until nothing is missing any more, or until `end`.
    bool wait(Clock::time_point end, bool until_complete);
    void collect();
    std::string what_is_missing() const;
    Verdict judge();
    void act(Hysteresis::Action action);
    void note_failure(const std::string& why);
    void beat_for_the_watchdog() noexcept;
    void say(bool is_good, std::string text);

    const ReadinessConfig& config_;
    const Tun& tun_;
    ProbePair& pair_;
    LaneProbe& lanes_;
    Watchdog& watchdog_;
    std::optional<CircuitProbe> circuit_; ///< unless `probe` is false
    ProbePath fixed_path_;                ///< for the lanes, in that case
    Requirements requirements_;
    Hysteresis hysteresis_;
    RecentNonces nonces_;
    std::string announcement_;
    FileDescriptor stop_;
    FileDescriptor news_;
    Life supervisor_;
    Life prober_;
    std::atomic<bool> is_guest_; ///< the carrier is not ours
    std::uint64_t dropped_ = 0;  ///< by the TUN's queues, before this round

    mutable std::mutex mutex_; ///< of all below
    bool is_ready_;
    std::string why_not_ = "starting";
    std::string last_failure_;     ///< while ready
    Clock::time_point said_why_{}; ///< to the log
    std::chrono::system_clock::time_point since_ = std::chrono::system_clock::now();
    std::uint64_t sent_ = 0, answered_ = 0, failed_ = 0, excused_ = 0, withdrawals_ = 0;
    std::vector<Message> messages_;

    std::thread thread_;
    std::thread pulse_;
};

} // namespace xlat646
