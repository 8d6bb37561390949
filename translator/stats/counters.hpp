// SPDX-License-Identifier: BSD-2-Clause
//
// What a worker counts. One writer each: the worker adds with plain stores (relaxed atomics, no
// locked instruction), anybody may read at any time.
//
// Always, per direction: received = forwarded + answered + sum(rejected) + sum(dropped).
#pragma once

#include "translator/siit/outcome.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace xlat646 {

class Counter {
  public:
    void add(std::uint64_t n = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

/// By what forwarded packets are told apart.
enum class CountedProtocol : std::uint8_t { tcp, udp, icmp, other };
inline constexpr std::size_t counted_protocol_count = 4;

struct Traffic {
    Counter packets; ///< a super-packet is one
    Counter bytes;   ///< as received, from the IP header on

    void add(std::uint64_t length) noexcept {
        packets.add();
        bytes.add(length);
    }
};

/// What one pair has carried, by direction: half a cache line, one for each worker.
struct alignas(32) PairCounters {
    std::array<Traffic, direction_count> direction;
};
static_assert(sizeof(PairCounters) == 32);

struct alignas(64) DirectionCounters {
    Counter received;       ///< packets; a super-packet is one
    Counter received_bytes; ///< from the IP header on
    Counter forwarded;
    Counter forwarded_bytes;                               ///< after translation, all pieces
    Counter pieces;                                        ///< fragments made by us
    Counter super_packets;                                 ///< received with GSO
    Counter segments;                                      ///< in those that were forwarded
    Counter fragments;                                     ///< received
    std::array<Traffic, counted_protocol_count> protocols; ///< forwarded
    Counter merged;                                  ///< forwarded in super-packets made by us
    Counter answered;                                ///< echo requests to our own address
    std::array<Counter, drop_reason_count> rejected; ///< discarded, answered by an ICMP error
    std::array<Counter, drop_reason_count> dropped;  ///< discarded in silence
    std::array<Counter, error_kind_count> errors_sent;
    std::array<Counter, error_kind_count> errors_suppressed; ///< by the rate limit

    void count(const Outcome& outcome) noexcept {
        const auto reason = static_cast<std::size_t>(outcome.reason());
        const auto kind = static_cast<std::size_t>(outcome.error_kind());
        switch (outcome.verdict()) {
        case Verdict::forward: forwarded.add(); break;
        case Verdict::reply:
            if (outcome.is_echo_reply()) {
                answered.add();
            } else {
                rejected[reason].add();
                errors_sent[kind].add();
            }
            break;
        case Verdict::drop:
            dropped[reason].add();
            if (outcome.is_suppressed()) errors_suppressed[kind].add();
            break;
        }
    }
};

struct alignas(64) WorkerCounters {
    std::array<DirectionCounters, direction_count> direction;
    DirectionCounters probes; ///< the daemon's own packets, which `direction` does not count
    Counter read_errors;
    Counter write_errors;     ///< packets lost on output: queue full, link down
    Counter unknown_reads;    ///< shorter than an offload header
    Counter segmented_writes; ///< super-packets that the kernel refused and we cut ourselves
    Counter sleeps;           ///< times the worker had read all there was
    Counter futile_polls;     ///< times it had looked for a packet in vain before
};

} // namespace xlat646
