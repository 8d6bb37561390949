// SPDX-License-Identifier: BSD-2-Clause
//
// While it lives, the calling thread runs on one CPU only; threads that it starts meanwhile stay
// there, and memory that it touches first comes from that CPU's node.
#pragma once

#include <sched.h>

namespace xlat646 {

class CpuPin {
  public:
    /// Throws std::system_error (ENODEV) when there is no such CPU or the process may not use it.
    explicit CpuPin(unsigned cpu);
    CpuPin(const CpuPin&) = delete;
    CpuPin& operator=(const CpuPin&) = delete;
    ~CpuPin();

  private:
    cpu_set_t before_;
};

} // namespace xlat646
