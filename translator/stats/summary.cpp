// SPDX-License-Identifier: BSD-2-Clause
#include "translator/stats/summary.hpp"

#include <algorithm>
#include <chrono>

namespace xlat646 {
namespace {

void add(std::uint64_t& to, const Counter& more) { to += more.get(); }
void add(TrafficTotal& to, const Traffic& more) { to += more; }
template <class To, class From, std::size_t N>
void add(std::array<To, N>& to, const std::array<From, N>& more) {
    for (std::size_t i = 0; i < N; ++i)
        add(to[i], more[i]);
}

void add(DirectionSummary& to, const DirectionCounters& more) {
    add(to.received, more.received);
    add(to.received_bytes, more.received_bytes);
    add(to.forwarded, more.forwarded);
    add(to.forwarded_bytes, more.forwarded_bytes);
    add(to.answered, more.answered);
    add(to.pieces, more.pieces);
    add(to.super_packets, more.super_packets);
    add(to.segments, more.segments);
    add(to.fragments, more.fragments);
    add(to.merged, more.merged);
    add(to.protocols, more.protocols);
    add(to.rejected, more.rejected);
    add(to.dropped, more.dropped);
    add(to.errors_sent, more.errors_sent);
    add(to.errors_suppressed, more.errors_suppressed);
}

/// The headers differ by 20 bytes; a super-packet has one. Packets and bytes of a total that is
/// being written need not belong together.
std::uint64_t translated_bytes(std::size_t direction, const TrafficTotal& received) {
    const std::uint64_t difference = 20 * received.packets;
    return static_cast<Direction>(direction) == Direction::v4_to_v6
               ? received.bytes + difference
               : received.bytes - std::min(received.bytes, difference);
}

LifeSummary read_life(const SegmentView& view) {
    const SegmentLife& life = view.life();
    LifeSummary out;
    out.state = view.state();
    out.is_ready = life.is_ready != 0;
    out.beat_ms = life.beat_ms;
    out.last_reload = life.last_reload;
    out.is_last_reload_failed = life.is_last_reload_failed != 0;
    out.reloads = life.reloads;
    out.failed_reloads = life.failed_reloads;
    out.restarts = life.restarts;
    out.probes_sent = life.probes_sent;
    out.probes_answered = life.probes_answered;
    out.probe_rounds_failed = life.probe_rounds_failed;
    out.probe_rounds_excused = life.probe_rounds_excused;
    return out;
}

} // namespace

void Summary::add(const WorkerCounters& block) {
    for (std::size_t d = 0; d < direction_count; ++d)
        xlat646::add(direction[d], block.direction[d]);
    xlat646::add(tun.read_errors, block.read_errors);
    xlat646::add(tun.write_errors, block.write_errors);
    xlat646::add(tun.unknown_reads, block.unknown_reads);
    xlat646::add(tun.segmented_writes, block.segmented_writes);
    xlat646::add(tun.sleeps, block.sleeps);
    xlat646::add(tun.futile_polls, block.futile_polls);
}

void Summary::add_fastpath(const std::array<FastpathSummary, direction_count>& more) {
    has_fastpath = true;
    for (std::size_t d = 0; d < direction_count; ++d) {
        DirectionSummary& total = direction[d];
        FastpathSummary& alone = fastpath[d];
        for (std::size_t p = 0; p < fastpath_protocol_count; ++p) {
            const TrafficTotal& t = more[d].translated[p];
            total.received += t.packets;
            total.received_bytes += t.bytes;
            total.forwarded += t.packets;
            total.forwarded_bytes += translated_bytes(d, t);
            for (TrafficTotal* const to : {&total.protocols[p], &alone.translated[p]}) {
                to->packets += t.packets;
                to->bytes += t.bytes;
            }
        }
        total.super_packets += more[d].super_packets;
        alone.super_packets += more[d].super_packets;
        alone.lost += more[d].lost;
        for (std::size_t r = 0; r < fastpath_pass_count; ++r)
            alone.passed[r] += more[d].passed[r];
    }
}

Summary summarize(const SegmentView& view) {
    const SegmentHeader& header = view.header();
    Summary out;
    for (std::size_t i = 0; i < view.block_count(); ++i)
        out.add(view.block(i));

    std::array<FastpathSummary, direction_count> fastpath{};
    bool has_counted = false;
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t d = 0; d < direction_count; ++d) {
            const FastpathCounters& from = view.fastpath(i);
            FastpathSummary& to = fastpath[d];
            add(to.translated, from.translated[d]);
            add(to.super_packets, from.super_packets[d]);
            add(to.lost, from.lost[d]);
            add(to.passed, from.passed[d]);
            has_counted = has_counted ||
                          std::any_of(to.passed.begin(), to.passed.end(),
                                      [](std::uint64_t n) { return n != 0; }) ||
                          std::any_of(to.translated.begin(), to.translated.end(),
                                      [](const TrafficTotal& t) { return t.packets != 0; });
        }
    // Without a pair there is no slot, and a process before this one may have had a fast path.
    if (header.counts.fastpath_slots != 0 || has_counted) out.add_fastpath(fastpath);

    out.life = read_life(view);
    out.pid = header.pid;
    out.started = header.started;
    out.generation = header.generation;
    out.created = header.created;
    out.workers = header.counts.workers;
    out.mappings = header.counts.mappings;
    out.digest = view.digest();
    return out;
}

std::uint64_t silence_ms(const LifeSummary& life, std::uint64_t now_ms) {
    return now_ms > life.beat_ms ? now_ms - life.beat_ms : 0;
}

Pulse pulse(const LifeSummary& life, std::uint64_t now_ms) {
    if (life.state == SegmentState::stopped) return Pulse::stopped;
    // A beat in the future: the clock has been set back, or it is nonsense.
    const bool is_future = life.beat_ms > now_ms && life.beat_ms - now_ms > longest_silence_ms;
    return is_future || silence_ms(life, now_ms) > longest_silence_ms ? Pulse::silent
                                                                      : Pulse::running;
}

std::uint64_t unix_now_ms() {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(
        duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

} // namespace xlat646
