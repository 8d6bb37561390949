// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/top_text.hpp"

#include "translator/cli/text.hpp"

#include <algorithm>
#include <numeric>

namespace xlat646 {
namespace {

std::uint64_t discarded(const DirectionSummary& d) {
    const auto sum = [](const auto& numbers) {
        return std::accumulate(numbers.begin(), numbers.end(), std::uint64_t{0});
    };
    return sum(d.rejected) + sum(d.dropped);
}

} // namespace

TotalRates total_rates(const Summary& before, const Summary& now, double seconds) {
    TotalRates out;
    if (seconds <= 0) return out;
    // Another daemon may count from zero.
    const auto rate = [seconds](std::uint64_t past, std::uint64_t present) {
        return static_cast<double>(present - std::min(past, present)) / seconds;
    };
    for (std::size_t d = 0; d < direction_count; ++d) {
        const DirectionSummary &a = before.direction[d], &b = now.direction[d];
        out.received[d] = {rate(a.received, b.received),
                           8 * rate(a.received_bytes, b.received_bytes)};
        out.discarded[d] = rate(discarded(a), discarded(b));
    }
    return out;
}

std::string top_head(const Summary& summary, const TotalRates& rates, std::uint64_t now_ms) {
    const LifeSummary& life = summary.life;
    const auto begin = static_cast<std::uint64_t>(std::max<std::int64_t>(summary.started, 0));
    std::string out = "xlat646d " + std::string(life.is_ready ? "ready" : "NOT READY") + ", up " +
                      duration(now_ms / 1000 - std::min(begin, now_ms / 1000)) + ", " +
                      plural(summary.mappings, "mapping") + ", generation " +
                      grouped(summary.generation) +
                      (life.is_last_reload_failed ? ", the last reload FAILED" : "") + "\n";
    for (std::size_t d = 0; d < direction_count; ++d)
        out += (d == 0 ? "IPv4 to IPv6  " : "IPv6 to IPv4  ") +
               right(scaled(rates.received[d].packets), 8) + " packets/s  " +
               right(scaled(rates.received[d].bits, "bit/s"), 12) + "  discarded " +
               scaled(rates.discarded[d]) + "/s\n";
    return out;
}

} // namespace xlat646
