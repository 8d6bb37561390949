// SPDX-License-Identifier: BSD-2-Clause
//
// One thread per TUN queue: read a packet, pin the table, translate in place, write to the same
// queue, count. Packets of one flow stay in order because the kernel keeps a flow on one queue.
//
// Nothing that a packet can cause makes a worker stop, wait or grow: what cannot be written is
// counted and forgotten.
#pragma once

#include "mapping/snapshot.hpp"
#include "mapping/table.hpp"
#include "translator/siit/translator.hpp"
#include "translator/stats/counters.hpp"
#include "translator/stats/drop_samples.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace xlat646 {

struct WorkerOptions {
    int queue = -1;                 ///< non-blocking descriptor of the TUN queue; not owned
    int wake = -1;                  ///< becomes readable when the worker shall stop; not owned
    bool vnet_header = false;       ///< every packet has an OffloadHeader in front
    std::uint32_t busy_poll_us = 0; ///< how long to look for the next packet before sleeping
};

class Worker {
  public:
    /// `settings` and `reader`'s snapshot must outlive the worker; a table has been published.
    Worker(const WorkerOptions& options, const Settings& settings,
           Snapshot<MappingTable>::Reader reader);

    /// The thread's function: returns when `wake` is readable.
    void run() noexcept;

    const WorkerCounters& counters() const { return counters_; }
    DropSamples& samples() { return samples_; }

  private:
    enum class Read : std::uint8_t { packet, nothing, failed };
    Read read_packet(Packet& packet) noexcept;
    void handle_read(Packet& packet) noexcept;
    void handle(Packet& packet) noexcept;
    bool write(Packet& packet) noexcept;
    bool write_once(const Packet& packet) noexcept;
    /// False when it is time to stop.
    bool sleep() noexcept;

    WorkerOptions options_;
    Snapshot<MappingTable>::Reader reader_;
    Translator translator_;
    std::vector<std::uint8_t> buffer_;
    WorkerCounters counters_;
    DropSamples samples_;
};

} // namespace xlat646
