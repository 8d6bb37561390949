// SPDX-License-Identifier: BSD-2-Clause
//
// How much CPU time clients may make the exporter take: a share of one CPU, with some saved up.
#pragma once

#include <algorithm>
#include <chrono>

namespace xlat646 {

class CpuAllowance {
  public:
    using Clock = std::chrono::steady_clock;
    using Seconds = std::chrono::duration<double>;
    static constexpr double share = 0.2;
    static constexpr Seconds most{0.5};

    explicit CpuAllowance(Clock::time_point now) : filled_(now) {}

    bool has_some(Clock::time_point now) {
        left_ = std::min(most, left_ + share * Seconds(now - filled_));
        filled_ = now;
        return left_ > Seconds(0);
    }
    /// May be more than there was: then there is none for a while.
    void spend(Seconds time) { left_ -= time; }

  private:
    Clock::time_point filled_;
    Seconds left_ = most;
};

} // namespace xlat646
