// SPDX-License-Identifier: BSD-2-Clause
//
// A segment in memory, to be read while others write it. Believes nothing: what check() has not
// seen is looked at in a copy of the header, and an index that leads out of the segment yields
// nothing.
#pragma once

#include "mapping/address.hpp"
#include "translator/stats/drop_samples.hpp"
#include "translator/stats/segment.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

struct TrafficTotal {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    TrafficTotal& operator+=(const Traffic& more) {
        packets += more.packets.get();
        bytes += more.bytes.get();
        return *this;
    }
    friend bool operator==(const TrafficTotal&, const TrafficTotal&) = default;
};
using PairTotal = std::array<TrafficTotal, direction_count>;

class SegmentView {
  public:
    /// An empty string, or why this is no segment that this program can read.
    static std::string check(const std::uint8_t* bytes, std::size_t size);

    SegmentView() = default;
    /// Of what check() finds nothing wrong with.
    explicit SegmentView(const std::uint8_t* bytes);

    const SegmentHeader& header() const { return header_; }
    const SegmentLife& life() const { return *at<SegmentLife>(header_.offsets.life); }
    SegmentState state() const {
        return static_cast<SegmentState>(life().state.load(std::memory_order_acquire));
    }
    std::string_view digest() const;
    /// The daemon's report, JSON; empty: there is none, or it is being written without pause.
    std::string report() const;

    /// 0 .. workers - 1: those of workers; then earlier generations'; then earlier processes'.
    std::size_t block_count() const { return std::size_t{header_.counts.workers} + 2; }
    const WorkerCounters& block(std::size_t i) const {
        return at<WorkerCounters>(header_.offsets.blocks)[i];
    }
    /// sum([](const WorkerCounters& c) -> const Counter& { return c.write_errors; })
    template <class Get> std::uint64_t sum(Get get) const {
        std::uint64_t total = 0;
        for (std::size_t i = 0; i < block_count(); ++i)
            total += get(block(i)).get();
        return total;
    }
    /// 0: this process; 1: those before.
    const FastpathCounters& fastpath(std::size_t i) const {
        return at<FastpathCounters>(header_.offsets.fastpath)[i];
    }

    struct Mapping {
        Ipv4Prefix ipv4;
        Ipv6Prefix ipv6;
        std::uint32_t slot;
        std::string_view name;
        std::string_view tenant;
    };
    std::size_t mapping_count() const { return header_.counts.mappings; }
    /// nullopt: the record is nonsense.
    std::optional<Mapping> mapping(std::size_t i) const;

    /// Arrays of pairs: 0 .. workers - 1, then what was counted before.
    const PairCounters* pairs(std::size_t array) const {
        return at<PairCounters>(header_.offsets.pairs + array * header_.offsets.pairs_stride);
    }
    const PairCounters* fastpath_pairs() const {
        return at<PairCounters>(header_.offsets.fastpath_pairs);
    }
    enum class With : std::uint8_t { fastpath, user_space_only };
    PairTotal pair(std::uint32_t slot, With with = With::fastpath) const;

    struct Drop {
        std::uint64_t time_ms;
        Direction direction;
        DropReason reason;
        DropSample sample;
    };
    /// The newest ones, oldest first.
    std::vector<Drop> drops() const;

  private:
    std::optional<Drop> drop(std::uint64_t entry) const;
    template <class T> const T* at(std::uint64_t offset) const {
        return reinterpret_cast<const T*>(bytes_ + offset);
    }
    std::string_view text(std::uint32_t offset) const;

    const std::uint8_t* bytes_ = nullptr;
    SegmentHeader header_{}; ///< as it was when it was checked
};

} // namespace xlat646
