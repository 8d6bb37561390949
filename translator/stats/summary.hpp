// SPDX-License-Identifier: BSD-2-Clause
//
// All totals of a segment as plain numbers, one moment's. What the fast path has forwarded is in
// them, and once more alone in `fastpath`. As for each counter: per direction
// received = forwarded + answered + sum(rejected) + sum(dropped), give or take the packets that
// pass while this is read.
#pragma once

#include "translator/stats/segment_view.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace xlat646 {

/// The members are those of DirectionCounters.
struct DirectionSummary {
    std::uint64_t received = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t forwarded = 0;
    std::uint64_t forwarded_bytes = 0;
    std::uint64_t answered = 0;
    std::uint64_t pieces = 0;
    std::uint64_t super_packets = 0;
    std::uint64_t segments = 0;
    std::uint64_t fragments = 0;
    std::uint64_t merged = 0;
    std::array<TrafficTotal, counted_protocol_count> protocols{}; ///< bytes as received
    std::array<std::uint64_t, drop_reason_count> rejected{};
    std::array<std::uint64_t, drop_reason_count> dropped{};
    std::array<std::uint64_t, error_kind_count> errors_sent{};
    std::array<std::uint64_t, error_kind_count> errors_suppressed{};

    std::uint64_t discarded(DropReason reason) const {
        const auto r = static_cast<std::size_t>(reason);
        return rejected[r] + dropped[r];
    }
};

struct FastpathSummary {
    std::array<TrafficTotal, fastpath_protocol_count> translated{}; ///< bytes as received
    std::uint64_t super_packets = 0;
    std::uint64_t lost = 0;
    std::array<std::uint64_t, fastpath_pass_count> passed{};
};

/// What workers count that has no direction.
struct TunSummary {
    std::uint64_t read_errors = 0;
    std::uint64_t write_errors = 0;
    std::uint64_t unknown_reads = 0;
    std::uint64_t segmented_writes = 0;
    std::uint64_t sleeps = 0;
    std::uint64_t futile_polls = 0;
};

/// What the daemon says about itself.
struct LifeSummary {
    SegmentState state = SegmentState::preparing;
    bool is_ready = false;         ///< as it said at `beat_ms`
    std::uint64_t beat_ms = 0;     ///< Unix time in ms
    std::uint64_t last_reload = 0; ///< Unix time; 0: none
    bool is_last_reload_failed = false;
    std::uint64_t reloads = 0;
    std::uint64_t failed_reloads = 0;
    std::uint64_t restarts = 0;
    std::uint64_t probes_sent = 0;
    std::uint64_t probes_answered = 0;
    std::uint64_t probe_rounds_failed = 0;
    std::uint64_t probe_rounds_excused = 0;
};

struct Summary {
    std::array<DirectionSummary, direction_count> direction{};
    bool has_fastpath = false;
    std::array<FastpathSummary, direction_count> fastpath{};
    TunSummary tun;
    LifeSummary life;

    std::uint32_t pid = 0;
    std::int64_t started = 0; ///< Unix time
    std::uint64_t generation = 0;
    std::int64_t created = 0; ///< Unix time: when this generation began
    std::uint32_t workers = 0;
    std::uint32_t mappings = 0;
    std::string digest; ///< of the table

    void add(const WorkerCounters& block);
    /// Adds it to the totals, too.
    void add_fastpath(const std::array<FastpathSummary, direction_count>& more);
};

Summary summarize(const SegmentView& view);

/// Whether the numbers are still being written.
enum class Pulse : std::uint8_t {
    running,
    silent,  ///< no entry for some seconds: crashed, hanging, or busy with a long reload
    stopped, ///< the daemon has ended in order
};
inline constexpr std::uint64_t longest_silence_ms = 5000; ///< the daemon makes an entry each second

Pulse pulse(const LifeSummary& life, std::uint64_t now_ms);
std::uint64_t silence_ms(const LifeSummary& life, std::uint64_t now_ms);
/// Unix time in ms.
std::uint64_t unix_now_ms();

} // namespace xlat646
