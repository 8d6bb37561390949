// SPDX-License-Identifier: BSD-2-Clause
//
// One thread with some queues of the TUN, its lanes: read a packet, pin the table, translate in
// place, write to the same lane, count. Packets of one flow stay in order because the kernel keeps
// a flow on one lane. The lanes are served in turn, 64 KiB or 64 packets each: a ping or a name
// lookup does not wait behind all that a bulk transfer has in flight.
//
// With `merge_tcp` or `merge_udp` a small packet waits for what the next read brings, and the two
// leave as one super-packet if they can (wire/merge.hpp). Nothing overtakes it, and it waits for
// nothing but that read.
//
// Nothing that a packet can cause makes a worker stop, wait or grow: what cannot be written is
// counted and forgotten.
#pragma once

#include "mapping/snapshot.hpp"
#include "translator/dataplane/capture_ring.hpp"
#include "translator/dataplane/packet_buffer.hpp"
#include "translator/siit/translator.hpp"
#include "translator/stats/drop_samples.hpp"
#include "translator/stats/served_table.hpp"
#include "translator/wire/merge.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <poll.h>
#include <vector>

namespace xlat646 {

struct WorkerOptions {
    std::size_t index = 0;          ///< of its counters in ServedTable::blocks
    std::vector<int> lanes;         ///< non-blocking descriptors of TUN queues; not owned
    int wake = -1;                  ///< becomes readable when the worker shall stop; not owned
    bool vnet_header = false;       ///< every packet has an OffloadHeader in front
    std::uint32_t busy_poll_us = 0; ///< how long to look for the next packet before sleeping
    bool merge_tcp = false;         ///< the kernel must take such super-packets
    bool merge_udp = false;
};

class Worker {
  public:
    /// `settings` and both snapshots must outlive the worker; a table has been published.
    Worker(const WorkerOptions& options, const Settings& settings,
           Snapshot<ServedTable>::Reader reader, Snapshot<CaptureRings>::Reader captures);

    /// The thread's function: returns when `wake` is readable.
    void run() noexcept;

    DropSamples& samples() { return samples_; }

  private:
    enum class Look : std::uint8_t { packets, nothing, stop };
    /// Turns to the next lane with packets in it.
    Look look(int timeout_ms) noexcept;
    /// Reads the lanes again and again for a while, if that has paid lately. `packets`: they have
    /// been served.
    Look busy_poll() noexcept;
    Look wait() noexcept;
    enum class Served : std::uint8_t { nothing, all, share };
    /// What lies in the lane, but not more than its share.
    Served serve_lane() noexcept;
    /// False when there is nothing.
    bool read_packet(Packet& packet) noexcept;
    void handle_read(Packet& packet) noexcept;
    /// `is_alone`: nothing else of value lies in its buffer.
    void handle(Packet& packet, bool is_alone) noexcept {
        if (captures_.is_empty()) [[likely]]
            translate(packet, is_alone, nullptr);
        else
            handle_captured(packet, is_alone);
    }
    void handle_captured(Packet& packet, bool is_alone) noexcept;
    void translate(Packet& packet, bool is_alone, CaptureRing* capture) noexcept;
    /// True: the packet will leave with the next flush() at the latest.
    bool hold(const Packet& packet) noexcept;
    void flush() noexcept;
    /// `count`: how many packets it stands for, should it be lost.
    bool write(Packet& packet, unsigned count = 1) noexcept;
    bool write_once(const Packet& packet) noexcept;
    /// The newest table and its counters, until the next pin() or unpin().
    const ServedTable& pin() noexcept { return *(served_ = reader_.pin()); }
    /// Before every sleep: others wait for it.
    void unpin() noexcept {
        served_ = nullptr;
        reader_.unpin();
    }
    WorkerCounters& counters() noexcept {
        return *(served_ != nullptr ? *served_ : pin()).blocks[options_.index].counters;
    }

    WorkerOptions options_;
    Snapshot<ServedTable>::Reader reader_;
    const ServedTable* served_ = nullptr; ///< what is pinned
    Snapshot<CaptureRings>::Reader captures_;
    Translator translator_;
    std::vector<pollfd> events_; ///< one for each lane, and `wake`
    std::size_t lane_ = 0;
    PacketBuffer buffers_[2]; ///< to read into, and the one that holds what waits
    unsigned reading_ = 0;
    unsigned futile_polls_ = 0; ///< in a row
    Merger merger_;
    Direction held_direction_ = Direction::v4_to_v6; ///< of what waits
    std::uint64_t held_bytes_ = 0;
    std::uint64_t idle_since_us_ = 0;
    DropSamples samples_;
};

} // namespace xlat646
