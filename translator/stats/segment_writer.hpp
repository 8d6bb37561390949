// SPDX-License-Identifier: BSD-2-Clause
//
// One generation of the segment, as the daemon and its workers write it. Each table has its own:
//
//   1. It is made beside the one in use, with the new table's names and arrays full of zeros.
//   2. The workers get table and arrays at once (ServedTable).
//   3. When no worker can see the old table any more, the old arrays stand still, and carry() adds
//      them to what was counted before the new ones: to the pairs that are still there.
//   4. publish() gives it the name. Readers of the old file have seen nothing go back, and find in
//      the new one all that the old one held.
//
// So a counter has one writer at any time, and a slot that has a new owner begins at zero.
#pragma once

#include "translator/stats/segment_view.hpp"
#include "translator/stats/served_table.hpp"
#include "translator/stats/shared_memory.hpp"

namespace xlat646 {

class SegmentWriter {
  public:
    struct Description {
        std::string path; ///< that it will have; empty: none
        std::uint32_t workers = 1;
        bool has_fastpath = false;
        std::uint64_t generation = 1;
        std::int64_t started = 0;
        std::string digest;
    };
    /// Throws std::system_error. The table may go afterwards.
    SegmentWriter(Description description, const MappingTable& table);
    SegmentWriter(const SegmentWriter&) = delete;
    SegmentWriter& operator=(const SegmentWriter&) = delete;
    /// The file stays if it has its name.
    ~SegmentWriter();

    /// Throws std::system_error.
    void publish();
    /// Nobody counts here any more. The file goes, unless another one has its name now.
    void end(SegmentState state) noexcept;

    std::vector<CounterBlock> blocks();
    SegmentLife& life() { return *at<SegmentLife>(layout_.life); }
    FastpathCounters& fastpath() { return at<FastpathCounters>(layout_.fastpath)[0]; }
    /// By slot; nullptr: there is no fast path.
    PairCounters* fastpath_pairs();

    void add_drop(const SegmentView::Drop& drop);
    /// False: it is too long, and there is none now.
    bool write_report(std::string_view json) noexcept;

    enum class From : std::uint8_t { generation, process };
    /// Adds what has been counted in `old`, by nobody any more. `table`: that of this segment.
    void carry(const SegmentView& old, const MappingTable& table, From from);

    const SegmentView& view() const { return view_; }
    int descriptor() const { return memory_.descriptor(); }

  private:
    template <class T> T* at(std::uint64_t offset) {
        return reinterpret_cast<T*>(memory_.data() + offset);
    }
    template <class T> void make(std::uint64_t offset, std::size_t count);
    void write_table(const MappingTable& table);
    /// Before what has been added here.
    void carry_drops(const SegmentView& old);
    void set_state(SegmentState state) noexcept {
        life().state.store(static_cast<std::uint32_t>(state), std::memory_order_release);
    }
    WorkerCounters& block(std::size_t i) { return at<WorkerCounters>(layout_.blocks)[i]; }
    PairCounters* pairs(std::size_t array) {
        return at<PairCounters>(layout_.pairs + array * layout_.pairs_stride);
    }

    Description description_;
    SegmentCounts counts_;
    SegmentOffsets layout_;
    std::string unpublished_; ///< the name it has until then
    SharedMemory memory_;
    SegmentView view_;
};

/// Tells its readers that there is a newer one: `descriptor` is that of another process's segment.
void supersede_segment(int descriptor) noexcept;

} // namespace xlat646
