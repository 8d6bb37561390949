// SPDX-License-Identifier: BSD-2-Clause
//
// The lines above the table of `xlat646 top`. Pure.
#pragma once

#include "translator/stats/mapping_rates.hpp"
#include "translator/stats/summary.hpp"

#include <array>
#include <string>

namespace xlat646 {

struct TotalRates {
    std::array<TrafficRate, direction_count> received{};
    std::array<double, direction_count> discarded{}; ///< packets per second
};

/// `seconds`: between both; 0: there is no `before`.
TotalRates total_rates(const Summary& before, const Summary& now, double seconds);

/// Whether and what runs, and each direction's rates.
std::string top_head(const Summary& summary, const TotalRates& rates, std::uint64_t now_ms);

} // namespace xlat646
