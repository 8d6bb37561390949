// SPDX-License-Identifier: BSD-2-Clause
#include "translator/stats/segment_view.hpp"

#include <cstring>

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
