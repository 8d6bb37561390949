// SPDX-License-Identifier: BSD-2-Clause
//
// When a drained node may stop: not before five seconds, then as soon as hardly a packet comes,
// and at a limit in any case (RT-21). Pure: the caller has the clock and the counters.
#pragma once

#include <chrono>
#include <cstdint>

namespace xlat646 {

class QuietWatch {
  public:
    using Clock = std::chrono::steady_clock;
    enum class Verdict : std::uint8_t { wait, quiet, limit };

    /// What still comes when nobody sends on purpose: probes, scans.
    static constexpr double quiet_rate = 10; ///< packets per second
    /// Routers need a while to hear of it.
    static constexpr std::chrono::seconds least{5};

    QuietWatch(Clock::time_point now, std::uint64_t packets, std::chrono::seconds limit);

    /// `packets`: received until now. To be called about once a second.
    Verdict look(Clock::time_point now, std::uint64_t packets);
    /// Packets per second when last looked; of the whole first second at the earliest.
    double rate() const { return rate_; }
    std::chrono::seconds elapsed(Clock::time_point now) const {
        return std::chrono::duration_cast<std::chrono::seconds>(now - start_);
    }

  private:
    Clock::time_point start_, looked_;
    std::uint64_t packets_;
    std::chrono::seconds limit_;
    double rate_ = 0;
    bool has_rate_ = false;
};

} // namespace xlat646
