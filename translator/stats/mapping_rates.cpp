// SPDX-License-Identifier: BSD-2-Clause
#include "translator/stats/mapping_rates.hpp"

#include <algorithm>
#include <numeric>

namespace xlat646 {

bool MappingRates::goes_on_in(const SegmentView& view) const {
    if (table_.generation == 0) return false; // the first look
    const SegmentHeader& h = view.header();
    // Another process that has not taken over from that one counts from zero.
    return (h.pid == table_.pid && h.started == table_.started) ||
           view.life().restarts > table_.restarts;
}

/// The totals of the last look, by the new table's indexes.
void MappingRates::change_table(const SegmentView& view) {
    const bool goes_on = goes_on_in(view);
    const SegmentHeader& h = view.header();
    table_ = {h.started, h.generation, h.pid, view.life().restarts};
    std::vector<std::uint32_t> order(goes_on ? addresses_.size() : 0);
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return addresses_[a] < addresses_[b]; });
    std::vector<Ipv4Prefix> addresses(view.mapping_count());
    std::vector<PairTotal> totals(view.mapping_count());
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto m = view.mapping(i);
        if (!m) continue;
        addresses[i] = m->ipv4;
        const auto found = std::lower_bound(
            order.begin(), order.end(), m->ipv4,
            [&](std::uint32_t a, const Ipv4Prefix& wanted) { return addresses_[a] < wanted; });
        // What is new in the table has begun at zero.
        if (found != order.end() && addresses_[*found] == m->ipv4) totals[i] = totals_[*found];
    }
    addresses_ = std::move(addresses);
    totals_ = std::move(totals);
    rates_.assign(addresses_.size(), {});
    if (!goes_on) looked_ = {};
}

void MappingRates::look(const SegmentView& view, Clock::time_point now) {
    const SegmentHeader& h = view.header();
    if (h.generation != table_.generation || h.pid != table_.pid || h.started != table_.started ||
        addresses_.size() != view.mapping_count())
        change_table(view);
    table_.restarts = view.life().restarts;
    seconds_ = looked_ == Clock::time_point{} || now <= looked_
                   ? 0
                   : std::chrono::duration<double>(now - looked_).count();
    looked_ = now;
    for (std::size_t i = 0; i < totals_.size(); ++i) {
        const auto m = view.mapping(i);
        if (!m) continue;
        const PairTotal total = view.pair(m->slot);
        const auto per_second = [this](std::uint64_t past, std::uint64_t present, unsigned unit) {
            // Nothing goes back but in a file that is none of the daemon's.
            if (seconds_ == 0 || present < past) return 0.0f;
            return static_cast<float>(static_cast<double>(present - past) * unit / seconds_);
        };
        for (std::size_t d = 0; d < direction_count; ++d) {
            rates_[i][d][0] = per_second(totals_[i][d].packets, total[d].packets, 1);
            rates_[i][d][1] = per_second(totals_[i][d].bytes, total[d].bytes, 8);
        }
        totals_[i] = total;
    }
}

PairRate MappingRates::rate(std::size_t index) const {
    PairRate out;
    if (index >= rates_.size()) return out;
    for (std::size_t d = 0; d < direction_count; ++d)
        out[d] = {rates_[index][d][0], rates_[index][d][1]};
    return out;
}

} // namespace xlat646
