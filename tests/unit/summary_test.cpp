// SPDX-License-Identifier: BSD-2-Clause
//
// The totals of a segment: each counter in its place, each block in each sum.
#include "translator/stats/summary.hpp"

#include "tests/unit/catch.hpp"
#include "tests/unit/named_table.hpp"
#include "tests/unit/temporary_directory.hpp"
#include "translator/stats/segment_writer.hpp"

using namespace xlat646;

namespace {

constexpr std::size_t block_numbers = sizeof(WorkerCounters) / sizeof(Counter);
constexpr std::size_t fastpath_numbers = sizeof(FastpathCounters) / sizeof(Counter);

/// The counter at place i gets (i + 1) * factor.
template <class T> void fill(T& counters, std::uint64_t factor) {
    auto* const all = reinterpret_cast<Counter*>(&counters);
    for (std::size_t i = 0; i < sizeof(T) / sizeof(Counter); ++i)
        all[i].add((i + 1) * factor);
}

SegmentWriter::Description description(bool has_fastpath) {
    return {"", 2, has_fastpath, 7, 1234567890, std::string(64, 'd')};
}

/// Of a segment in which all blocks are filled, also those of earlier generations and processes.
class Filled {
  public:
    explicit Filled(bool has_fastpath)
        : table_(named_table({{"192.0.2.1", "2001:db8::1"}})),
          older_(description(has_fastpath), *table_), old_(description(has_fastpath), *table_),
          now_(description(has_fastpath), *table_) {
        fill(*older_.blocks()[0].counters, 1);
        if (has_fastpath) fill(older_.fastpath(), 1);
        if (has_fastpath) fill(now_.fastpath(), 100);
        old_.carry(older_.view(), *table_, SegmentWriter::From::process);
        fill(*old_.blocks()[1].counters, 10);
        now_.carry(old_.view(), *table_, SegmentWriter::From::generation);
        fill(*now_.blocks()[0].counters, 100);
        fill(*now_.blocks()[1].counters, 1000);
    }

    SegmentLife& life() { return now_.life(); }
    Summary summary() const { return summarize(now_.view()); }
    template <class Member> static std::uint64_t wanted(const Member& member) {
        return place(block(), member) * 1111;
    }
    template <class Member> static std::uint64_t fast(const Member& member) {
        return place(fastpath(), member) * 101;
    }

    static const WorkerCounters& block() {
        static const WorkerCounters some{};
        return some;
    }
    static const FastpathCounters& fastpath() {
        static const FastpathCounters some{};
        return some;
    }

  private:
    template <class Whole, class Member>
    static std::uint64_t place(const Whole& whole, const Member& member) {
        return static_cast<std::uint64_t>(reinterpret_cast<const Counter*>(&member) -
                                          reinterpret_cast<const Counter*>(&whole)) +
               1;
    }

    std::unique_ptr<const MappingTable> table_;
    SegmentWriter older_, old_, now_;
};

} // namespace

TEST_CASE("summary: each counter of each block, in its place", "[summary]") {
    static_assert(block_numbers == 296 && fastpath_numbers == 48);
    Filled segment(false);
    segment.life().reloads = 3;
    const Summary s = segment.summary();
    CHECK_FALSE(s.has_fastpath);
    const WorkerCounters& block = Filled::block();
    for (std::size_t d = 0; d < direction_count; ++d) {
        const DirectionSummary& sum = s.direction[d];
        const DirectionCounters& from = block.direction[d];
        CHECK(sum.received == Filled::wanted(from.received));
        CHECK(sum.received_bytes == Filled::wanted(from.received_bytes));
        CHECK(sum.forwarded == Filled::wanted(from.forwarded));
        CHECK(sum.forwarded_bytes == Filled::wanted(from.forwarded_bytes));
        CHECK(sum.answered == Filled::wanted(from.answered));
        CHECK(sum.pieces == Filled::wanted(from.pieces));
        CHECK(sum.super_packets == Filled::wanted(from.super_packets));
        CHECK(sum.segments == Filled::wanted(from.segments));
        CHECK(sum.fragments == Filled::wanted(from.fragments));
        CHECK(sum.merged == Filled::wanted(from.merged));
        for (std::size_t p = 0; p < counted_protocol_count; ++p) {
            CHECK(sum.protocols[p].packets == Filled::wanted(from.protocols[p].packets));
            CHECK(sum.protocols[p].bytes == Filled::wanted(from.protocols[p].bytes));
        }
        for (std::size_t r = 0; r < drop_reason_count; ++r) {
            CHECK(sum.rejected[r] == Filled::wanted(from.rejected[r]));
            CHECK(sum.dropped[r] == Filled::wanted(from.dropped[r]));
            CHECK(sum.discarded(static_cast<DropReason>(r)) == sum.rejected[r] + sum.dropped[r]);
        }
        for (std::size_t k = 0; k < error_kind_count; ++k) {
            CHECK(sum.errors_sent[k] == Filled::wanted(from.errors_sent[k]));
            CHECK(sum.errors_suppressed[k] == Filled::wanted(from.errors_suppressed[k]));
        }
    }
    CHECK(s.tun.read_errors == Filled::wanted(block.read_errors));
    CHECK(s.tun.write_errors == Filled::wanted(block.write_errors));
    CHECK(s.tun.unknown_reads == Filled::wanted(block.unknown_reads));
    CHECK(s.tun.segmented_writes == Filled::wanted(block.segmented_writes));
    CHECK(s.tun.sleeps == Filled::wanted(block.sleeps));
    CHECK(s.tun.futile_polls == Filled::wanted(block.futile_polls));
    CHECK(s.life.reloads == 3);
    CHECK(s.generation == 7);
    CHECK(s.started == 1234567890);
    CHECK(s.workers == 2);
    CHECK(s.mappings == 1);
    CHECK(s.digest == std::string(64, 'd'));
}

TEST_CASE("summary: the fast path's share is in the totals, and alone", "[summary]") {
    const Summary s = Filled(true).summary();
    REQUIRE(s.has_fastpath);
    const FastpathCounters& fast = Filled::fastpath();
    for (std::size_t d = 0; d < direction_count; ++d) {
        const DirectionSummary& sum = s.direction[d];
        const DirectionCounters& from = Filled::block().direction[d];
        std::uint64_t packets = 0, bytes = 0;
        for (std::size_t p = 0; p < fastpath_protocol_count; ++p) {
            const TrafficTotal alone = {Filled::fast(fast.translated[d][p].packets),
                                        Filled::fast(fast.translated[d][p].bytes)};
            CHECK(s.fastpath[d].translated[p] == alone);
            CHECK(sum.protocols[p].packets ==
                  Filled::wanted(from.protocols[p].packets) + alone.packets);
            CHECK(sum.protocols[p].bytes == Filled::wanted(from.protocols[p].bytes) + alone.bytes);
            packets += alone.packets;
            // Nonsense of fewer bytes than headers takes nothing away from others.
            bytes += d == 0 ? alone.bytes + 20 * alone.packets : 0;
        }
        CHECK(sum.protocols[3].packets == Filled::wanted(from.protocols[3].packets));
        CHECK(sum.received == Filled::wanted(from.received) + packets);
        CHECK(sum.forwarded == Filled::wanted(from.forwarded) + packets);
        CHECK(sum.forwarded_bytes == Filled::wanted(from.forwarded_bytes) + bytes);
        CHECK(sum.super_packets ==
              Filled::wanted(from.super_packets) + Filled::fast(fast.super_packets[d]));
        CHECK(s.fastpath[d].super_packets == Filled::fast(fast.super_packets[d]));
        CHECK(s.fastpath[d].lost == Filled::fast(fast.lost[d]));
        for (std::size_t r = 0; r < fastpath_pass_count; ++r)
            CHECK(s.fastpath[d].passed[r] == Filled::fast(fast.passed[d][r]));
    }
    Summary one;
    std::array<FastpathSummary, direction_count> traffic{};
    traffic[1].translated[0] = {10, 1000};
    one.add_fastpath(traffic);
    CHECK(one.direction[1].received_bytes == 1000);
    CHECK(one.direction[1].forwarded_bytes == 800);
}

TEST_CASE("summary: a fast path shows without a pair, and when only a process before had one",
          "[summary]") {
    const auto empty = named_table({});
    SegmentWriter writer(description(true), *empty);
    CHECK_FALSE(summarize(writer.view()).has_fastpath);
    writer.fastpath().passed[1][3].add();
    CHECK(summarize(writer.view()).has_fastpath);
    SegmentWriter next(description(false), *empty);
    next.carry(writer.view(), *empty, SegmentWriter::From::process);
    CHECK(summarize(next.view()).fastpath[1].passed[3] == 1);
    CHECK(summarize(next.view()).has_fastpath);
}

TEST_CASE("summary: whether the numbers are still being written", "[summary]") {
    LifeSummary life;
    life.state = SegmentState::current;
    life.beat_ms = 1000000;
    CHECK(pulse(life, 1000000) == Pulse::running);
    CHECK(pulse(life, 1000000 + longest_silence_ms) == Pulse::running);
    CHECK(pulse(life, 1000001 + longest_silence_ms) == Pulse::silent);
    CHECK(silence_ms(life, 1007000) == 7000);
    // The clock has been set back a little, and a lot.
    CHECK(pulse(life, 999000) == Pulse::running);
    CHECK(silence_ms(life, 999000) == 0);
    CHECK(pulse(life, 1000) == Pulse::silent);
    life.beat_ms = 0xffffffffffffffff;
    CHECK(pulse(life, 1000) == Pulse::silent);
    life.state = SegmentState::stopped;
    CHECK(pulse(life, 1000) == Pulse::stopped);
    life.beat_ms = unix_now_ms();
    life.state = SegmentState::superseded; // the next one is about to have the name
    CHECK(pulse(life, unix_now_ms()) == Pulse::running);
    CHECK(unix_now_ms() / 1000 >= 1700000000);
}
