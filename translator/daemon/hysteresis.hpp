// SPDX-License-Identifier: BSD-2-Clause
//
// From the verdicts of single rounds of probes to the carrier. On is tried first: with the carrier
// on, one more round must succeed before the node counts as ready, or the carrier goes off again at
// once and waits twice as long before the next try.
#pragma once

#include <algorithm>
#include <cstdint>

namespace xlat646 {

class Hysteresis {
  public:
    enum class State : std::uint8_t { off, trial, on };
    /// What the caller has to do now.
    enum class Action : std::uint8_t { none, carrier_on, announce, carrier_off };

    Hysteresis(std::uint32_t failures, std::uint32_t successes, State state = State::off)
        : state_(state), failures_(failures), successes_(successes) {}

    State state() const { return state_; }

    Action good() {
        bad_ = 0;
        switch (state_) {
        case State::off:
            if (++good_ < needed_) return Action::none;
            state_ = State::trial;
            return Action::carrier_on;
        case State::trial:
            state_ = State::on;
            trials_ = 0;
            return Action::announce;
        case State::on: break;
        }
        return Action::none;
    }

    Action bad() {
        good_ = 0;
        switch (state_) {
        case State::off: return Action::none;
        case State::trial: trials_ = std::min(trials_ + 1, most_doublings); return off();
        case State::on: return ++bad_ < failures_ ? Action::none : off();
        }
        return Action::none;
    }

  private:
    static constexpr std::uint32_t most_doublings = 6;

    Action off() {
        bad_ = 0;
        needed_ = successes_ << trials_;
        state_ = State::off;
        return Action::carrier_off;
    }

    State state_;
    std::uint32_t failures_;
    std::uint32_t successes_;
    std::uint32_t needed_ = 1; ///< the first time nothing has failed yet
    std::uint32_t good_ = 0;   ///< in a row
    std::uint32_t bad_ = 0;    ///< in a row
    std::uint32_t trials_ = 0; ///< that failed, in a row
};

} // namespace xlat646
