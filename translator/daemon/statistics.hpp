// SPDX-License-Identifier: BSD-2-Clause
//
// The statistics segment in the daemon's life: a generation for each table, the numbers that only
// the daemon knows, the hand-over to another process. What fails here is said and costs numbers,
// never packets: without a file the workers count in memory.
#pragma once

#include "translator/fastpath/fastpath.hpp"
#include "translator/stats/segment_reader.hpp"
#include "translator/stats/segment_writer.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace xlat646 {

/// What the daemon says about itself.
struct LifeNumbers {
    bool is_ready = false;
    std::uint64_t probes_sent = 0;
    std::uint64_t probes_answered = 0;
    std::uint64_t rounds_failed = 0;
    std::uint64_t rounds_excused = 0;
    std::uint64_t last_reload = 0; ///< Unix time
    bool is_last_reload_failed = false;
    std::uint64_t reloads = 0;
    std::uint64_t failed_reloads = 0;
    std::uint64_t restarts = 0; ///< from one process to the next
};

class Statistics {
  public:
    /// `path`: of the file.
    Statistics(std::string path, std::size_t workers, bool has_fastpath);

    /// The table with counters of its own, to be published to the workers next. Throws
    /// std::system_error when there is no memory.
    std::unique_ptr<const ServedTable> serve(std::unique_ptr<const MappingTable> table,
                                             const std::string& digest);
    /// Readers get the newest segment. To be called when nobody uses an older table any more.
    /// `table`: the one served last.
    void settle(const MappingTable& table, const Fastpath* fastpath);
    bool is_settled() const { return is_published_ && old_.empty(); }
    /// settle() with what a predecessor has counted, and counts no more. Takes the descriptor of
    /// its segment; -1: it had none.
    void inherit(int descriptor, const MappingTable& table, const Fastpath* fastpath);

    enum class Pairs : std::uint8_t { now_and_then, now };
    /// About once a second. `pairs`: of the fast path, which are costly to ask for.
    void look(const LifeNumbers& life, const MappingTable& table, const Fastpath* fastpath,
              Pairs pairs = Pairs::now_and_then);
    /// The daemon's report, from the next look() on. JSON.
    void say(std::string report) { report_ = std::move(report); }
    void add_drop(Direction direction, DropReason reason, const DropSample& sample);
    /// The daemon ends in order.
    void end() noexcept { current_->end(SegmentState::stopped); }

    /// Sums over these are all that this process has counted, without the fast path.
    std::vector<const WorkerCounters*> blocks() const;
    /// To be passed to a successor.
    int descriptor() const { return current_->descriptor(); }
    const std::string& path() const { return path_; }
    /// Why there is no file; empty: there is one.
    const std::string& problem() const { return problem_; }

  private:
    void copy_fastpath(const Fastpath& fastpath);
    void copy_fastpath_pairs(const Fastpath& fastpath, const MappingTable& table);
    void write_life();

    std::string path_;
    SegmentWriter::Description description_;
    std::string problem_;
    std::unique_ptr<SegmentWriter> current_;
    std::vector<std::unique_ptr<SegmentWriter>> old_; ///< whose tables may still be in use
    bool is_published_ = false;                       ///< `current_`, to readers
    LifeNumbers life_;
    LifeNumbers before_; ///< of predecessors
    std::string report_;
    std::chrono::steady_clock::time_point next_pairs_;
};

} // namespace xlat646
