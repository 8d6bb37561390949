// SPDX-License-Identifier: BSD-2-Clause
#include "translator/stats/segment_view.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>

namespace xlat646 {
namespace {

SegmentHeader copy_header(const std::uint8_t* bytes) {
    SegmentHeader header;
    std::memcpy(&header, bytes, sizeof header);
    return header;
}

std::string why_not(const SegmentHeader& h, std::size_t size) {
    if (h.magic != segment_magic) return "this is not a statistics segment of xlat646d";
    if (h.byte_order != segment_byte_order)
        return "a statistics segment of a machine with another byte order";
    if (h.version != segment_version)
        return "a statistics segment of version " + std::to_string(h.version) +
               "; this program reads version " + std::to_string(segment_version);
    if (h.check != segment_check(h)) return "a statistics segment whose header is damaged";
    if (h.sizes != segment_sizes)
        return "a statistics segment of another build: its records have other sizes";
    const SegmentCounts& c = h.counts;
    if (c.workers == 0 || c.workers > segment_most_workers || c.text_bytes == 0 ||
        c.text_bytes > segment_most_text || c.mappings > c.slots ||
        (c.fastpath_slots != 0 && c.fastpath_slots != c.slots))
        return "a statistics segment whose header makes no sense";
    if (h.offsets != segment_offsets(c))
        return "a statistics segment whose parts lie where they cannot";
    if (h.offsets.size > size)
        return "a statistics segment that is cut off: " + std::to_string(size) + " of " +
               std::to_string(h.offsets.size) + " bytes";
    return {};
}

} // namespace

std::string SegmentView::check(const std::uint8_t* bytes, std::size_t size) {
    if (size < segment_page)
        return "too short for a statistics segment: " + std::to_string(size) + " bytes";
    return why_not(copy_header(bytes), size);
}

SegmentView::SegmentView(const std::uint8_t* bytes) : bytes_(bytes), header_(copy_header(bytes)) {}

std::string_view SegmentView::digest() const {
    const auto& d = header_.digest;
    return {d.data(), strnlen(d.data(), d.size())};
}

std::string SegmentView::report() const {
    constexpr int attempts = 100; // the daemon writes once a second, for some microseconds
    const auto& r = *at<SegmentReport>(header_.offsets.report);
    std::string out;
    for (int i = 0; i < attempts; ++i) {
        const std::uint64_t turn = r.turn.load(std::memory_order_acquire);
        if (turn % 2 != 0) continue;
        out.resize(
            std::min<std::uint64_t>(r.length.load(std::memory_order_acquire), sizeof r.words));
        for (std::size_t at = 0; at < out.size(); at += 8) {
            const std::uint64_t word = r.words[at / 8].load(std::memory_order_acquire);
            std::memcpy(out.data() + at, &word, std::min<std::size_t>(8, out.size() - at));
        }
        if (r.turn.load(std::memory_order_relaxed) == turn) return out;
    }
    return {};
}

std::string_view SegmentView::text(std::uint32_t offset) const {
    if (offset >= header_.counts.text_bytes) return {};
    const char* const begin = at<char>(header_.offsets.text + offset);
    return {begin, strnlen(begin, header_.counts.text_bytes - offset)};
}

std::optional<SegmentView::Mapping> SegmentView::mapping(std::size_t i) const {
    if (i >= mapping_count()) return std::nullopt;
    SegmentMapping m;
    std::memcpy(&m, at<SegmentMapping>(header_.offsets.mappings) + i, sizeof m);
    if (m.ipv4_length > Ipv4Address::width || m.ipv6_length > Ipv6Address::width ||
        m.slot >= header_.counts.slots)
        return std::nullopt;
    return Mapping{Ipv4Prefix(Ipv4Address::from_bytes(m.ipv4), m.ipv4_length),
                   Ipv6Prefix(Ipv6Address::from_bytes(m.ipv6), m.ipv6_length), m.slot, text(m.name),
                   text(m.tenant)};
}

std::optional<SegmentView::Drop> SegmentView::drop(std::uint64_t entry) const {
    const auto& records = at<DropRing>(header_.offsets.drops)->records;
    const DropRecord& record = records[(entry - 1) % records.size()];
    if (record.entry.load(std::memory_order_acquire) != entry) return std::nullopt;
    std::array<std::uint64_t, std::tuple_size_v<decltype(record.words)>> words;
    for (std::size_t i = 0; i < words.size(); ++i)
        words[i] = record.words[i].load(std::memory_order_acquire);
    // The writer takes the number away first: whoever has read a new word does not find it.
    if (record.entry.load(std::memory_order_relaxed) != entry) return std::nullopt;
    const auto d = std::bit_cast<SegmentDrop>(words);
    if (d.direction >= direction_count || d.reason >= drop_reason_count) return std::nullopt;
    Drop out{d.time_ms, static_cast<Direction>(d.direction), static_cast<DropReason>(d.reason), {}};
    out.sample = {d.source,           d.destination, d.length,   d.source_port,
                  d.destination_port, d.ip_version,  d.protocol, d.has_ports != 0};
    return out;
}

std::vector<SegmentView::Drop> SegmentView::drops() const {
    const auto& ring = *at<DropRing>(header_.offsets.drops);
    const std::uint64_t last = ring.written.load(std::memory_order_acquire);
    const std::uint64_t count = std::min<std::uint64_t>(last, ring.records.size());
    std::vector<Drop> out;
    for (std::uint64_t i = 0; i < count; ++i)
        if (const auto d = drop(last - count + i + 1)) out.push_back(*d);
    return out;
}

PairTotal SegmentView::pair(std::uint32_t slot, With with) const {
    PairTotal total;
    if (slot >= header_.counts.slots) return total;
    const auto add = [&](const PairCounters& pair) {
        for (std::size_t d = 0; d < direction_count; ++d)
            total[d] += pair.direction[d];
    };
    for (std::size_t array = 0; array <= header_.counts.workers; ++array)
        add(pairs(array)[slot]);
    if (with == With::fastpath && slot < header_.counts.fastpath_slots) add(fastpath_pairs()[slot]);
    return total;
}

} // namespace xlat646
