// SPDX-License-Identifier: BSD-2-Clause
//
// Packets and bits per second of each mapping: what has come between two looks at the segment, also
// when a reload or `xlat646 restart` lies between them. Takes 56 bytes for each mapping.
#pragma once

#include "translator/stats/segment_view.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

namespace xlat646 {

struct TrafficRate {
    double packets = 0; ///< per second
    double bits = 0;    ///< per second, from the IP header on
};
using PairRate = std::array<TrafficRate, direction_count>;

class MappingRates {
  public:
    using Clock = std::chrono::steady_clock;

    /// To be called after SegmentReader::follow().
    void look(const SegmentView& view, Clock::time_point now = Clock::now());

    /// Between the last two looks; 0: there is nothing to compare with yet, all rates are 0.
    double seconds() const { return seconds_; }
    /// `index`: as for SegmentView::mapping(), of the view of the last look.
    PairRate rate(std::size_t index) const;

  private:
    /// Whether numbers of the new segment go on where those of the last one ended.
    bool goes_on_in(const SegmentView& view) const;
    void change_table(const SegmentView& view);

    struct Table {
        std::int64_t started = 0;
        std::uint64_t generation = 0;
        std::uint32_t pid = 0;
        std::uint64_t restarts = 0;
    } table_;
    Clock::time_point looked_{};
    double seconds_ = 0;
    // By index.
    std::vector<Ipv4Prefix> addresses_;
    std::vector<PairTotal> totals_;
    std::vector<std::array<std::array<float, 2>, direction_count>> rates_; ///< packets, bits
};

} // namespace xlat646
