// SPDX-License-Identifier: BSD-2-Clause
//
// What the daemon says about packets: all counters on demand, and one example per minute of each
// kind of discarded packet.
#pragma once

#include "translator/daemon/statistics.hpp"
#include "translator/dataplane/worker.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace xlat646 {

using Workers = std::vector<std::unique_ptr<Worker>>;

/// Summed over all blocks of counters and, if there is one, the fast path, in the form of
/// stats/segment_json.hpp.
nlohmann::ordered_json counters_json(const std::vector<const WorkerCounters*>& blocks,
                                     const Fastpath* fastpath);

/// Adds the numbers of `more`, whatever both are made of. What is no number, or is one in the place
/// of an object, is left out.
void add_counters(nlohmann::ordered_json& all, const nlohmann::ordered_json& more);

/// One example of each kind of discarded packet a second for each worker goes to the segment; at
/// most one line per minute, direction and reason to the log, however many packets there are
/// (DC-17).
class DropLog {
  public:
    DropLog(Workers& workers, Statistics& statistics);
    /// To be called about once a second.
    void look();

  private:
    using Clock = std::chrono::steady_clock;
    struct State {
        Clock::time_point logged{};
        std::uint64_t counted = 0;
        std::optional<DropSample> unsaid;
    };
    void look(Direction direction, DropReason reason, Clock::time_point now);
    std::uint64_t count(Direction direction, DropReason reason) const;

    Workers& workers_;
    Statistics& statistics_;
    std::array<State, direction_count * drop_reason_count> states_{};
};

} // namespace xlat646
