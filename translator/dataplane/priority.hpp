// SPDX-License-Identifier: BSD-2-Clause
//
// Workers come before other programs when CPUs are short: a process that eats CPUs slows itself
// down, not the translation. Not real time: what else must live on a node whose workers are busy
// without end (routing daemons, the kernel's own threads) keeps a tenth of a CPU's time at 10
// steps.
#pragma once

namespace xlat646 {

/// While it lives, the calling thread and the threads that it starts are `steps` (0 to 20) above
/// where they were, as nice values count, and, unless that is 0, have the shortest time slices:
/// one that wakes up does not wait for the end of another's (Linux 6.12 and newer).
class RaisedPriority {
  public:
    explicit RaisedPriority(unsigned steps) noexcept;
    RaisedPriority(const RaisedPriority&) = delete;
    RaisedPriority& operator=(const RaisedPriority&) = delete;
    ~RaisedPriority();

    /// 0, or the error number: EACCES without CAP_SYS_NICE and RLIMIT_NICE.
    int error() const { return error_; }

  private:
    int before_;
    int error_ = 0;
};

/// Nice values count only within a session where the kernel makes a scheduling group of each
/// (autogroup). Raises this session's group, if the session is this process's own. Returns 0, or
/// the error number.
int raise_session(unsigned steps) noexcept;

} // namespace xlat646
