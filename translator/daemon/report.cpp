// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/report.hpp"

#include "translator/daemon/log.hpp"
#include "translator/stats/segment_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace xlat646 {
namespace {

using nlohmann::ordered_json;

using Blocks = std::vector<const WorkerCounters*>;

template <class Get> std::uint64_t sum(const Blocks& blocks, Get get) {
    std::uint64_t total = 0;
    for (const WorkerCounters* b : blocks)
        total += get(*b).get();
    return total;
}

std::array<FastpathSummary, direction_count> summary_of(const xlat646_counters& from) {
    std::array<FastpathSummary, direction_count> out{};
    for (std::size_t d = 0; d < direction_count; ++d) {
        for (std::size_t p = 0; p < fastpath_protocol_count; ++p)
            out[d].translated[p] = {from.translated[d][p].packets, from.translated[d][p].bytes};
        out[d].super_packets = from.super_packets[d];
        out[d].lost = from.lost[d];
        std::copy_n(std::begin(from.passed[d]), fastpath_pass_count, out[d].passed.begin());
    }
    return out;
}

} // namespace

ordered_json counters_json(const Blocks& blocks, const Fastpath* fastpath) {
    Summary all;
    for (const WorkerCounters* b : blocks)
        all.add(*b);
    if (fastpath != nullptr) all.add_fastpath(summary_of(fastpath->counters()));
    return counters_json(all);
}

void add_counters(ordered_json& all, const ordered_json& more) {
    if (!all.is_object() || !more.is_object()) return;
    for (const auto& [key, value] : more.items()) {
        ordered_json& place = all[key];
        if (value.is_object() && (place.is_null() || place.is_object())) {
            if (place.is_null()) place = ordered_json::object();
            add_counters(place, value);
        } else if (value.is_number_unsigned() && (place.is_null() || place.is_number_unsigned())) {
            place = value.get<std::uint64_t>() + (place.is_null() ? 0 : place.get<std::uint64_t>());
        } else if (place.is_null()) {
            all.erase(key);
        }
    }
}

DropLog::DropLog(Workers& workers, Statistics& statistics)
    : workers_(workers), statistics_(statistics) {
    for (auto& worker : workers_)
        for (std::size_t d = 0; d < direction_count; ++d)
            for (std::size_t r = 0; r < drop_reason_count; ++r)
                worker->samples().ask(static_cast<Direction>(d), static_cast<DropReason>(r));
}

std::uint64_t DropLog::count(Direction direction, DropReason reason) const {
    const auto d = static_cast<std::size_t>(direction);
    const auto r = static_cast<std::size_t>(reason);
    const Blocks blocks = statistics_.blocks();
    return sum(blocks,
               [&](const WorkerCounters& c) -> const Counter& {
                   return c.direction[d].dropped[r];
               }) +
           sum(blocks, [&](const WorkerCounters& c) -> const Counter& {
               return c.direction[d].rejected[r];
           });
}

void DropLog::look() {
    const auto now = Clock::now();
    for (std::size_t d = 0; d < direction_count; ++d)
        for (std::size_t r = 0; r < drop_reason_count; ++r)
            look(static_cast<Direction>(d), static_cast<DropReason>(r), now);
}

void DropLog::look(Direction direction, DropReason reason, Clock::time_point now) {
    State& state = states_[static_cast<std::size_t>(direction) * drop_reason_count +
                           static_cast<std::size_t>(reason)];
    DropSample sample;
    for (auto& worker : workers_) {
        if (!worker->samples().take(direction, reason, sample)) continue;
        statistics_.add_drop(direction, reason, sample);
        state.unsaid = sample;
        worker->samples().ask(direction, reason);
    }
    if (!state.unsaid ||
        (state.logged != Clock::time_point{} && now - state.logged < std::chrono::minutes(1)))
        return;

    const std::uint64_t total = count(direction, reason);
    log_warning("discarded {} {} packet{}: {}: {} e.g. {}", total - state.counted,
                direction == Direction::v4_to_v6 ? "IPv4" : "IPv6",
                total - state.counted == 1 ? "" : "s", name_of(reason), sentence_of(reason),
                state.unsaid->to_string());
    state = {now, total, std::nullopt};
}

} // namespace xlat646
