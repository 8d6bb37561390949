// SPDX-License-Identifier: BSD-2-Clause
//
// The operator's commands after a start and after a reload. They run beside the daemon, one at a
// time, without a shell; what they say goes to the log. Lives in the supervisor's loop and never
// waits for them. What is asked for while another one runs comes next, once.
//
// A hook has the daemon's user and groups, nothing else of it: a session of its own, nice value 0
// or worse, and no capabilities, unless that user is root, whom the kernel gives what the daemon's
// bounding set allows.
#pragma once

#include "translator/daemon/config.hpp"
#include "translator/dataplane/tun.hpp"

#include <array>
#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace xlat646 {

class Hooks {
  public:
    enum class Event : std::uint8_t { after_start, after_reload };

    /// Commands find `config_path` in their environment as XLAT646_CONFIG, the event as
    /// XLAT646_EVENT.
    Hooks(const HooksConfig& config, const std::string& config_path);
    Hooks(const Hooks&) = delete;
    Hooks& operator=(const Hooks&) = delete;
    /// Kills what runs.
    ~Hooks();

    void run(Event event);
    bool is_running() const { return running_.has_value(); }
    /// Becomes readable when serve() has something to do; it also wants to be called when
    /// `wait_ms` are over.
    int descriptor() const { return events_.get(); }
    int wait_ms(int most) const;
    void serve();
    /// One entry for each event that has a command.
    nlohmann::ordered_json status() const;

  private:
    using Clock = std::chrono::steady_clock;
    struct Hook {
        const char* name;
        std::vector<std::string> words;
        bool is_wanted = false;
        std::uint64_t runs = 0; ///< ended ones
        std::uint64_t failures = 0;
        std::chrono::system_clock::time_point ended_at{};
        std::string result{}; ///< of the last run; empty: good
        std::string last_line{};
    };
    struct Running {
        Hook* hook;
        pid_t pid;
        FileDescriptor exit; ///< pidfd
        FileDescriptor output;
        Clock::time_point deadline;
        bool is_late = false;
        std::string line; ///< incomplete
        unsigned lines = 0;
    };

    void start_next();
    void start(Hook& hook);
    /// A failure to begin throws std::system_error.
    void spawn(Hook& hook);
    void read_output();
    void say(std::string line);
    void end(const std::string& result);
    static void record(Hook& hook, const std::string& result);

    std::array<Hook, 2> hooks_;
    std::string config_path_;
    std::chrono::seconds time_limit_;
    FileDescriptor events_; ///< epoll
    std::optional<Running> running_;
};

} // namespace xlat646
