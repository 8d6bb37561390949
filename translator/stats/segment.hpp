// SPDX-License-Identifier: BSD-2-Clause
//
// The statistics segment: a file that the daemon maps and writes, and any number of others map
// read-only. Layout only; README.md explains it. All numbers are native; all counters only grow
// from one generation to the next, and restart with a daemon that did not take over from another.
//
//   SegmentHeader                       fixed
//   SegmentLife                      what the daemon says about itself, about once a second
//   SegmentReport                    the same in words: a JSON document
//   FastpathCounters[2]              the fast path's own, those of processes before
//   WorkerCounters[workers + 2]      workers', earlier generations', those of processes before
//   PairCounters[workers + 1][slots] workers', all that was counted before
//   PairCounters[fastpath_slots]     the fast path's; 0: there is none
//   DropRing                         examples of discarded packets, the last ones
//   SegmentMapping[mappings]         the table
//   text                             NUL-terminated names and tenants; offset 0: none
//
// A total is the sum over all blocks, a pair's total the sum over all arrays at its slot.
#pragma once

#include "translator/stats/counters.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace xlat646 {

/// Bytes 6 and 7 say whether somebody has converted line ends.
inline constexpr std::array<char, 8> segment_magic = {'X', '6', '4', '6', 'S', 'T', '\r', '\n'};
inline constexpr std::uint32_t segment_byte_order = 0x01020304;
inline constexpr std::uint32_t segment_version = 1;
inline constexpr std::size_t segment_page = 4096;

/// Written by the daemon only.
using SegmentNumber = std::atomic<std::uint64_t>;

enum class SegmentState : std::uint32_t {
    preparing,  ///< not yet the one to be read
    current,    ///< also after a crash: see SegmentLife::beat_ms
    superseded, ///< the file of that name is another one now
    stopped,    ///< the daemon has ended in order
};

/// What the sizes of all parts follow from.
struct SegmentCounts {
    std::uint32_t workers = 0;
    std::uint32_t slots = 0;
    std::uint32_t fastpath_slots = 0; ///< 0 or `slots`
    std::uint32_t mappings = 0;
    std::uint64_t text_bytes = 0;
    friend bool operator==(const SegmentCounts&, const SegmentCounts&) = default;
};

inline constexpr std::uint32_t segment_most_workers = 1024;
inline constexpr std::uint64_t segment_most_text = std::uint64_t{1} << 32;

/// Reasons why the fast path leaves a packet alone (fastpath/shared.h).
inline constexpr std::size_t fastpath_pass_count = 16;
inline constexpr std::size_t fastpath_protocol_count = 3;

struct alignas(64) FastpathCounters {
    std::array<std::array<Traffic, fastpath_protocol_count>, direction_count> translated;
    std::array<Counter, direction_count> super_packets;
    std::array<Counter, direction_count> lost;
    std::array<std::array<Counter, fastpath_pass_count>, direction_count> passed;
};

/// A discarded packet: what can be said without its payload (DC-17).
struct SegmentDrop {
    std::uint64_t time_ms; ///< Unix time at which the daemon has seen the example, in ms
    std::array<std::uint8_t, 16> source; ///< IPv4: the first four bytes
    std::array<std::uint8_t, 16> destination;
    std::uint32_t length;
    std::uint16_t source_port;
    std::uint16_t destination_port;
    std::uint8_t ip_version; ///< 0: too short to tell, nothing else is known
    std::uint8_t protocol;
    std::uint8_t has_ports;
    std::uint8_t direction;
    std::uint8_t reason; ///< DropReason
    std::array<std::uint8_t, 3> reserved;
};

/// Entry number n, from 1, lies in record (n - 1) % records.size(). While it is being written, and
/// as long as it is another one, `entry` is not n.
struct alignas(64) DropRecord {
    SegmentNumber entry;
    std::array<SegmentNumber, sizeof(SegmentDrop) / 8> words; ///< a SegmentDrop
};
struct DropRing {
    alignas(64) SegmentNumber written; ///< entries so far
    std::array<DropRecord, 255> records;
};

/// What `xlat646 status` shows without the counters, as JSON in UTF-8. `turn` is odd while the
/// daemon is writing; who finds it changed afterwards has read a mixture.
struct alignas(64) SegmentReport {
    SegmentNumber turn;
    SegmentNumber length; ///< in bytes; 0: there is none
    std::array<SegmentNumber, 16382> words;
};

/// Offsets of the parts, in bytes from the beginning of the file.
struct SegmentOffsets {
    std::uint64_t life = 0;
    std::uint64_t report = 0;
    std::uint64_t fastpath = 0;
    std::uint64_t blocks = 0;
    std::uint64_t pairs = 0;
    std::uint64_t pairs_stride = 0; ///< from one array to the next
    std::uint64_t fastpath_pairs = 0;
    std::uint64_t drops = 0;
    std::uint64_t mappings = 0;
    std::uint64_t text = 0;
    std::uint64_t size = 0; ///< of the file
    friend bool operator==(const SegmentOffsets&, const SegmentOffsets&) = default;
};

/// Sizes of the records, so that a reader of another build notices.
struct SegmentSizes {
    std::uint32_t header;
    std::uint32_t life;
    std::uint32_t report;
    std::uint32_t fastpath;
    std::uint32_t block;
    std::uint32_t pair;
    std::uint32_t mapping;
    std::uint32_t drops;
    std::uint32_t reasons = drop_reason_count;
    std::uint32_t passes = fastpath_pass_count;
    std::uint32_t protocols = counted_protocol_count;
    std::uint32_t kinds = error_kind_count;
    friend bool operator==(const SegmentSizes&, const SegmentSizes&) = default;
};

/// Never changes after the file has its name.
struct SegmentHeader {
    std::array<char, 8> magic;
    std::uint32_t byte_order;
    std::uint32_t version;
    SegmentCounts counts;
    SegmentSizes sizes;
    SegmentOffsets offsets;
    std::uint64_t generation; ///< of the table in this process, from 1
    std::int64_t started;     ///< Unix time: when the process began
    std::int64_t created;     ///< Unix time: when this generation began
    std::uint32_t pid;
    std::uint32_t reserved;
    std::array<char, 64> digest; ///< of the table, hexadecimal
    std::uint64_t check;         ///< segment_check()
};

struct alignas(64) SegmentLife {
    std::atomic<std::uint32_t> state; ///< SegmentState
    std::atomic<std::uint32_t> is_ready;
    SegmentNumber beat_ms; ///< Unix time in ms of the daemon's last entry; it makes one each second
    SegmentNumber last_reload;           ///< Unix time; 0: none
    SegmentNumber is_last_reload_failed; ///< 1: the table is older than that
    SegmentNumber reloads;
    SegmentNumber failed_reloads;
    SegmentNumber restarts; ///< `xlat646 restart`
    SegmentNumber probes_sent;
    SegmentNumber probes_answered;
    SegmentNumber probe_rounds_failed;
    SegmentNumber probe_rounds_excused;
};

/// One pair of the table.
struct SegmentMapping {
    std::array<std::uint8_t, 16> ipv6;
    std::array<std::uint8_t, 4> ipv4;
    std::uint8_t ipv6_length;
    std::uint8_t ipv4_length;
    std::uint16_t reserved;
    std::uint32_t slot;
    std::uint32_t name;   ///< offset into the text
    std::uint32_t tenant; ///< offset into the text
};

inline constexpr SegmentSizes segment_sizes = {
    sizeof(SegmentHeader),  sizeof(SegmentLife),  sizeof(SegmentReport),  sizeof(FastpathCounters),
    sizeof(WorkerCounters), sizeof(PairCounters), sizeof(SegmentMapping), sizeof(DropRing)};

/// For all counts within the limits above: no sum overflows. Each part begins at a page, so that
/// no two writers share a line.
constexpr SegmentOffsets segment_offsets(const SegmentCounts& counts) {
    const auto round = [](std::uint64_t n) {
        return (n + segment_page - 1) / segment_page * segment_page;
    };
    SegmentOffsets at;
    at.life = round(sizeof(SegmentHeader));
    at.report = at.life + round(sizeof(SegmentLife));
    at.fastpath = at.report + round(sizeof(SegmentReport));
    at.blocks = at.fastpath + round(2 * sizeof(FastpathCounters));
    at.pairs = at.blocks + round((std::uint64_t{counts.workers} + 2) * sizeof(WorkerCounters));
    at.pairs_stride = round(std::uint64_t{counts.slots} * sizeof(PairCounters));
    at.fastpath_pairs = at.pairs + (std::uint64_t{counts.workers} + 1) * at.pairs_stride;
    at.drops =
        at.fastpath_pairs + round(std::uint64_t{counts.fastpath_slots} * sizeof(PairCounters));
    at.mappings = at.drops + round(sizeof(DropRing));
    at.text = at.mappings + round(std::uint64_t{counts.mappings} * sizeof(SegmentMapping));
    at.size = round(at.text + counts.text_bytes);
    return at;
}

/// FNV-1a over the bytes before `check`: against files cut and glued, not against malice.
inline std::uint64_t segment_check(const SegmentHeader& header) noexcept {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&header);
    std::uint64_t sum = 0xcbf29ce484222325ull;
    for (std::size_t i = 0; i < offsetof(SegmentHeader, check); ++i)
        sum = (sum ^ bytes[i]) * 0x100000001b3ull;
    return sum;
}

// Whoever changes one of these changes segment_version.
static_assert(std::is_standard_layout_v<WorkerCounters> && std::is_standard_layout_v<SegmentLife>);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(Counter) == 8);
static_assert(std::has_unique_object_representations_v<SegmentHeader>);
static_assert(std::has_unique_object_representations_v<SegmentMapping>);
static_assert(sizeof(SegmentHeader) == 280 && offsetof(SegmentHeader, counts) == 16);
static_assert(offsetof(SegmentHeader, sizes) == 40 && offsetof(SegmentHeader, offsets) == 88);
static_assert(offsetof(SegmentHeader, generation) == 176 && offsetof(SegmentHeader, digest) == 208);
static_assert(sizeof(SegmentLife) == 128 && offsetof(SegmentLife, beat_ms) == 8);
static_assert(sizeof(SegmentReport) == 32 * segment_page);
static_assert(std::has_unique_object_representations_v<SegmentDrop> && sizeof(SegmentDrop) == 56);
static_assert(sizeof(DropRecord) == 64 && sizeof(DropRing) == std::size_t{256} * 64);
static_assert(sizeof(SegmentMapping) == 36 && sizeof(PairCounters) == 32);
static_assert(drop_reason_count == 35 && error_kind_count == 4);
static_assert(sizeof(DirectionCounters) == 768 && sizeof(WorkerCounters) == 2368);
static_assert(offsetof(DirectionCounters, protocols) == 64 &&
              offsetof(DirectionCounters, rejected) == 144);
static_assert(sizeof(FastpathCounters) == 384 && offsetof(FastpathCounters, passed) == 128);

} // namespace xlat646
