// SPDX-License-Identifier: BSD-2-Clause
//
// Ends this process when it no longer moves: with it goes the TUN, and with that the routes that a
// routing daemon advertises. Nothing inside a process can notice that the whole of it has been
// stopped, so this is systemd where that asks for beats (WatchdogSec=), and otherwise a child of
// ours. It holds none of our resources, allocates nothing, leaves when we do, and restarts nothing:
// whoever has started us sees a death by SIGKILL.
#pragma once

#include "translator/dataplane/tun.hpp"

#include <chrono>
#include <cstdint>
#include <sys/types.h>

namespace xlat646 {

class Watchdog {
  public:
    /// To be made early in main(): it forks, so there must be no other thread and little memory.
    /// Throws std::system_error. It does nothing before arm().
    Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    /// Dismisses the child.
    ~Watchdog();

    /// From now on there must be a beat every `limit`; systemd has a limit of its own. 0: never.
    void arm(std::chrono::milliseconds limit);
    /// False, once: the child has gone.
    [[nodiscard]] bool beat();
    /// A part of this process hangs: end it now.
    void bite();
    void dismiss();
    pid_t child() const { return child_; } ///< -1: none

  private:
    bool tell(std::uint32_t word);

    bool is_systemd_ = false;
    bool is_armed_ = false;
    pid_t child_ = -1;
    FileDescriptor pipe_;
};

} // namespace xlat646
