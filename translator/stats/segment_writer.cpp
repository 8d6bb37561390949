// SPDX-License-Identifier: BSD-2-Clause
#include "translator/stats/segment_writer.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <stdio.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

SegmentCounts counts_of(const SegmentWriter::Description& description, const MappingTable& table) {
    SegmentCounts c;
    c.workers = description.workers;
    c.slots = table.slot_count();
    c.fastpath_slots = description.has_fastpath ? c.slots : 0;
    c.mappings = static_cast<std::uint32_t>(table.size());
    c.text_bytes = table.list().text.size();
    return c;
}

/// Both are made of counters only.
template <class T> void add_counters(T& to, const T& from) {
    static_assert(sizeof(T) % sizeof(Counter) == 0);
    auto* const sums = reinterpret_cast<Counter*>(&to);
    const auto* const more = reinterpret_cast<const Counter*>(&from);
    for (std::size_t i = 0; i < sizeof(T) / sizeof(Counter); ++i)
        sums[i].add(more[i].get());
}

} // namespace

SegmentWriter::SegmentWriter(Description description, const MappingTable& table)
    : description_(std::move(description)), counts_(counts_of(description_, table)),
      layout_(segment_offsets(counts_)),
      unpublished_(description_.path.empty() ? "" : description_.path + ".new"),
      memory_(SharedMemory::create(unpublished_, layout_.size)) {
    make<SegmentLife>(layout_.life, 1);
    make<SegmentReport>(layout_.report, 1);
    make<FastpathCounters>(layout_.fastpath, 2);
    make<WorkerCounters>(layout_.blocks, counts_.workers + 2);
    for (std::size_t array = 0; array <= counts_.workers; ++array)
        make<PairCounters>(layout_.pairs + array * layout_.pairs_stride, counts_.slots);
    make<PairCounters>(layout_.fastpath_pairs, counts_.fastpath_slots);
    make<DropRing>(layout_.drops, 1);
    write_table(table);

    SegmentHeader header{};
    header.magic = segment_magic;
    header.byte_order = segment_byte_order;
    header.version = segment_version;
    header.counts = counts_;
    header.sizes = segment_sizes;
    header.offsets = layout_;
    header.generation = description_.generation;
    header.started = description_.started;
    header.created = std::time(nullptr);
    header.pid = static_cast<std::uint32_t>(::getpid());
    description_.digest.copy(header.digest.data(), header.digest.size());
    header.check = segment_check(header);
    std::memcpy(memory_.data(), &header, sizeof header);
    view_ = SegmentView(memory_.data());
}

SegmentWriter::~SegmentWriter() {
    if (!unpublished_.empty() && memory_.is_at(unpublished_)) (void)::unlink(unpublished_.c_str());
}

template <class T> void SegmentWriter::make(std::uint64_t offset, std::size_t count) {
    std::uninitialized_value_construct_n(at<T>(offset), count);
}

void SegmentWriter::write_table(const MappingTable& table) {
    auto* out = at<SegmentMapping>(layout_.mappings);
    for (const Eam& m : table.list().mappings) {
        const SegmentMapping record{m.ipv6.address().bytes(),
                                    m.ipv4.address().bytes(),
                                    static_cast<std::uint8_t>(m.ipv6.length()),
                                    static_cast<std::uint8_t>(m.ipv4.length()),
                                    0,
                                    m.slot,
                                    m.name,
                                    m.tenant};
        std::memcpy(out++, &record, sizeof record);
    }
    const std::string& text = table.list().text;
    text.copy(at<char>(layout_.text), text.size());
}

void SegmentWriter::publish() {
    set_state(SegmentState::current);
    if (unpublished_.empty()) return;
    if (::rename(unpublished_.c_str(), description_.path.c_str()) != 0)
        throw std::system_error(errno, std::generic_category(),
                                "cannot rename " + unpublished_ + " to " + description_.path);
    unpublished_.clear();
}

void SegmentWriter::end(SegmentState state) noexcept {
    set_state(state);
    if (!description_.path.empty() && memory_.is_at(description_.path))
        (void)::unlink(description_.path.c_str());
}

std::vector<CounterBlock> SegmentWriter::blocks() {
    std::vector<CounterBlock> out;
    for (std::size_t i = 0; i < counts_.workers; ++i)
        out.push_back({&block(i), pairs(i)});
    return out;
}

PairCounters* SegmentWriter::fastpath_pairs() {
    return counts_.fastpath_slots == 0 ? nullptr : at<PairCounters>(layout_.fastpath_pairs);
}

void SegmentWriter::carry(const SegmentView& old, const MappingTable& table, From from) {
    const std::size_t earlier = counts_.workers, before = earlier + 1;
    const std::size_t last = old.block_count() - 1; // earlier processes' blocks stay what they are
    for (std::size_t i = 0; i < last; ++i)
        add_counters(block(from == From::generation ? earlier : before), old.block(i));
    add_counters(block(before), old.block(last));

    FastpathCounters& fastpath_before = at<FastpathCounters>(layout_.fastpath)[1];
    add_counters(fastpath_before, old.fastpath(1));
    // Its own counters live as long as the process.
    if (from == From::process) add_counters(fastpath_before, old.fastpath(0));

    carry_drops(old);
    const auto with =
        from == From::process ? SegmentView::With::fastpath : SegmentView::With::user_space_only;
    PairCounters* const sums = pairs(counts_.workers);
    for (std::size_t i = 0; i < old.mapping_count(); ++i) {
        const auto m = old.mapping(i);
        if (!m) continue;
        const std::uint32_t slot = table.slot_of(m->ipv4);
        if (slot >= counts_.slots) continue;
        const PairTotal total = old.pair(m->slot, with);
        for (std::size_t d = 0; d < direction_count; ++d) {
            sums[slot].direction[d].packets.add(total[d].packets);
            sums[slot].direction[d].bytes.add(total[d].bytes);
        }
    }
}

void SegmentWriter::add_drop(const SegmentView::Drop& drop) {
    const DropSample& s = drop.sample;
    const SegmentDrop d{drop.time_ms,
                        s.source,
                        s.destination,
                        s.length,
                        s.source_port,
                        s.destination_port,
                        s.ip_version,
                        s.protocol,
                        s.has_ports,
                        static_cast<std::uint8_t>(drop.direction),
                        static_cast<std::uint8_t>(drop.reason),
                        {}};
    DropRing& ring = *at<DropRing>(layout_.drops);
    const std::uint64_t entry = ring.written.load(std::memory_order_relaxed) + 1;
    DropRecord& record = ring.records[(entry - 1) % ring.records.size()];
    const auto words = std::bit_cast<std::array<std::uint64_t, sizeof d / 8>>(d);
    record.entry.store(0, std::memory_order_relaxed);
    for (std::size_t i = 0; i < words.size(); ++i)
        record.words[i].store(words[i], std::memory_order_release);
    record.entry.store(entry, std::memory_order_release);
    ring.written.store(entry, std::memory_order_release);
}

bool SegmentWriter::write_report(std::string_view json) noexcept {
    SegmentReport& out = *at<SegmentReport>(layout_.report);
    const bool fits = json.size() <= sizeof out.words;
    if (!fits) json = {};
    const std::uint64_t turn = out.turn.load(std::memory_order_relaxed);
    out.turn.store(turn + 1, std::memory_order_relaxed);
    out.length.store(json.size(), std::memory_order_release);
    for (std::size_t at = 0; at < json.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, json.data() + at, std::min<std::size_t>(8, json.size() - at));
        out.words[at / 8].store(word, std::memory_order_release);
    }
    out.turn.store(turn + 2, std::memory_order_release);
    return fits;
}

void SegmentWriter::carry_drops(const SegmentView& old) {
    const auto newer = view_.drops();
    at<DropRing>(layout_.drops)->written = 0; // nobody reads it yet
    for (const auto& drop : old.drops())
        add_drop(drop);
    for (const auto& drop : newer)
        add_drop(drop);
}

void supersede_segment(int descriptor) noexcept {
    constexpr auto value = static_cast<std::uint32_t>(SegmentState::superseded);
    const SegmentOffsets layout = segment_offsets({});
    (void)!::pwrite(descriptor, &value, sizeof value,
                    static_cast<off_t>(layout.life + offsetof(SegmentLife, state)));
}

} // namespace xlat646
