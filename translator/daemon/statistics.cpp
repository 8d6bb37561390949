// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/statistics.hpp"

#include "translator/daemon/log.hpp"

#include <algorithm>
#include <ctime>
#include <linux/magic.h>
#include <sys/vfs.h>

namespace xlat646 {
namespace {

static_assert(fastpath_pass_count == xlat646_passes);
static_assert(fastpath_protocol_count == xlat646_protocols);

/// Absolute values, of a source that only grows.
void set(Counter& counter, std::uint64_t value) { counter.add(value - counter.get()); }
void set(Traffic& to, const xlat646_traffic& from) {
    set(to.packets, from.packets);
    set(to.bytes, from.bytes);
}

std::uint64_t now_ms() {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(
        duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

bool is_on_disk(int descriptor) {
    struct statfs found {};
    return ::fstatfs(descriptor, &found) == 0 && found.f_type != TMPFS_MAGIC &&
           found.f_type != RAMFS_MAGIC;
}

} // namespace

Statistics::Statistics(std::string path, std::size_t workers, bool has_fastpath)
    : path_(std::move(path)) {
    description_.workers = static_cast<std::uint32_t>(workers);
    description_.has_fastpath = has_fastpath;
    description_.generation = 0;
    description_.started = std::time(nullptr);
}

std::unique_ptr<const ServedTable> Statistics::serve(std::unique_ptr<const MappingTable> table,
                                                     const std::string& digest) {
    ++description_.generation;
    description_.digest = digest;
    std::unique_ptr<SegmentWriter> next;
    std::string problem;
    try {
        description_.path = path_;
        next = std::make_unique<SegmentWriter>(description_, *table);
    } catch (const std::system_error& e) {
        problem = e.what();
        log_warning("stats_segment: {}; the daemon counts, but nobody can read it", problem);
        description_.path.clear();
        next = std::make_unique<SegmentWriter>(description_, *table);
    }
    if (problem.empty() && !current_ && is_on_disk(next->descriptor()))
        log_info("stats_segment: {} is on a disk; in a tmpfs, as /run is, the workers never "
                 "wait for it",
                 path_);
    problem_ = std::move(problem);
    if (current_) old_.push_back(std::move(current_));
    current_ = std::move(next);
    is_published_ = false;
    auto served = std::make_unique<ServedTable>();
    served->table = std::move(table);
    served->blocks = current_->blocks();
    return served;
}

void Statistics::settle(const MappingTable& table, const Fastpath* fastpath) {
    for (const auto& old : old_)
        current_->carry(old->view(), table, SegmentWriter::From::generation);
    if (fastpath != nullptr) {
        copy_fastpath(*fastpath);
        copy_fastpath_pairs(*fastpath, table);
    }
    write_life();
    try {
        current_->publish();
    } catch (const std::system_error& e) {
        problem_ = e.what();
        log_warning("stats_segment: {}", problem_);
    }
    for (const auto& old : old_)
        old->end(SegmentState::superseded);
    old_.clear();
    is_published_ = true;
}

void Statistics::inherit(int descriptor, const MappingTable& table, const Fastpath* fastpath) {
    before_.restarts = 1;
    try {
        if (descriptor < 0) throw std::runtime_error("the predecessor has none");
        const SegmentReader predecessor(descriptor, "that of the predecessor");
        current_->carry(predecessor.view(), table, SegmentWriter::From::process);
        const SegmentLife& life = predecessor.view().life();
        before_.probes_sent = life.probes_sent;
        before_.probes_answered = life.probes_answered;
        before_.rounds_failed = life.probe_rounds_failed;
        before_.rounds_excused = life.probe_rounds_excused;
        before_.reloads = life.reloads;
        before_.failed_reloads = life.failed_reloads;
        before_.last_reload = life.last_reload;
        before_.is_last_reload_failed = life.is_last_reload_failed != 0;
        before_.restarts += life.restarts;
        settle(table, fastpath);
        supersede_segment(descriptor);
    } catch (const std::exception& e) {
        log_warning("stats_segment: its counters begin anew: {}", e.what());
        settle(table, fastpath);
    }
}

void Statistics::look(const LifeNumbers& life, const MappingTable& table, const Fastpath* fastpath,
                      Pairs pairs) {
    using Clock = std::chrono::steady_clock;
    constexpr int rest = 20; // times as long as it took
    life_ = life;
    write_life();
    if (fastpath == nullptr) return;
    copy_fastpath(*fastpath);
    const Clock::time_point begin = Clock::now();
    if (pairs == Pairs::now_and_then && begin < next_pairs_) return;
    copy_fastpath_pairs(*fastpath, table);
    const Clock::time_point end = Clock::now();
    next_pairs_ = end + rest * (end - begin);
}

void Statistics::add_drop(Direction direction, DropReason reason, const DropSample& sample) {
    current_->add_drop({now_ms(), direction, reason, sample});
}

void Statistics::copy_fastpath(const Fastpath& fastpath) {
    const xlat646_counters from = fastpath.counters();
    FastpathCounters& to = current_->fastpath();
    for (std::size_t d = 0; d < direction_count; ++d) {
        for (std::size_t p = 0; p < fastpath_protocol_count; ++p)
            set(to.translated[d][p], from.translated[d][p]);
        set(to.super_packets[d], from.super_packets[d]);
        set(to.lost[d], from.lost[d]);
        for (std::size_t r = 0; r < fastpath_pass_count; ++r)
            set(to.passed[d][r], from.passed[d][r]);
    }
}

void Statistics::copy_fastpath_pairs(const Fastpath& fastpath, const MappingTable& table) {
    PairCounters* const to = current_->fastpath_pairs();
    if (to == nullptr) return;
    for (const PairTraffic& pair : fastpath.pair_traffic()) {
        const std::uint32_t slot = table.slot_of(pair.ipv4);
        if (slot == no_slot) continue; // removed since
        for (std::size_t d = 0; d < direction_count; ++d)
            set(to[slot].direction[d], pair.traffic[d]);
    }
}

void Statistics::write_life() {
    SegmentLife& out = current_->life();
    const LifeNumbers &now = life_, &old = before_;
    const bool has_reloaded = now.last_reload != 0;
    out.is_ready = now.is_ready ? 1 : 0;
    out.last_reload = has_reloaded ? now.last_reload : old.last_reload;
    out.is_last_reload_failed =
        (has_reloaded ? now.is_last_reload_failed : old.is_last_reload_failed) ? 1 : 0;
    out.reloads = now.reloads + old.reloads;
    out.failed_reloads = now.failed_reloads + old.failed_reloads;
    out.restarts = now.restarts + old.restarts;
    out.probes_sent = now.probes_sent + old.probes_sent;
    out.probes_answered = now.probes_answered + old.probes_answered;
    out.probe_rounds_failed = now.rounds_failed + old.rounds_failed;
    out.probe_rounds_excused = now.rounds_excused + old.rounds_excused;
    (void)current_->write_report(report_);
    out.beat_ms = now_ms();
}

std::vector<const WorkerCounters*> Statistics::blocks() const {
    std::vector<const WorkerCounters*> out;
    const auto add = [&](const SegmentWriter& segment) {
        for (std::size_t i = 0; i + 1 < segment.view().block_count(); ++i)
            out.push_back(&segment.view().block(i));
    };
    for (const auto& old : old_)
        add(*old);
    if (current_) add(*current_);
    return out;
}

} // namespace xlat646
