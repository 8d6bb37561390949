// SPDX-License-Identifier: BSD-2-Clause
//
// Shows that every worker moves and translates both ways. A worker has, beside its queues of the
// TUN, one lane more that leads to us: what we send there goes the way of any packet, through the
// same loop, table and translator, and comes back here. No worker does or counts anything for it.
#pragma once

#include "translator/daemon/echo.hpp"
#include "translator/dataplane/tun.hpp"

#include <functional>
#include <string>
#include <vector>

namespace xlat646 {

/// Between which addresses the probes go.
struct ProbePath {
    Ipv4Address here4;  ///< of this node
    Ipv4Address own4;   ///< what `here6` is translated to
    Ipv6Address here6;  ///< of this node
    Ipv6Address there6; ///< what `here4` is translated to
};

class LaneProbe {
  public:
    /// `vnet_header`: as for the worker. Throws std::system_error.
    LaneProbe(std::size_t workers, bool vnet_header);

    /// The worker's end, non-blocking.
    int lane(std::size_t worker) const { return lanes_[worker].theirs.get(); }
    /// Ours: readable when collect() has something to do.
    int descriptor(std::size_t worker) const { return lanes_[worker].ours.get(); }
    std::size_t size() const { return lanes_.size(); }

    void begin(const ProbePath& path, const EchoContent& content);
    /// `on_answer`: the first worker's right answers as they are to be written to the TUN.
    void collect(const RecentNonces& nonces,
                 const std::function<void(std::span<const std::uint8_t>)>& on_answer);
    /// Empty: all have answered this round.
    std::string why_not() const;

  private:
    struct Lane {
        FileDescriptor ours;
        FileDescriptor theirs;
        bool to6 = false; ///< answered this round
        bool to4 = false;
    };
    /// Marks what the answer shows; false: it is none.
    bool take(Lane& lane, std::span<const std::uint8_t> packet, const RecentNonces& nonces) const;

    std::vector<Lane> lanes_;
    std::size_t header_;
    ProbePath path_;
    ProbePair::Token token_{};
};

} // namespace xlat646
