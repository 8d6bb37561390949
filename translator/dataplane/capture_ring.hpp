// SPDX-License-Identifier: BSD-2-Clause
//
// Copies of packets on their way out of a worker: each as it came, and what has become of it. One
// ring for each worker, one reader, none waits for the other: what finds no room is counted and
// gone. Packets go through in any case; nothing here can hold one up.
//
// Indices and memory are the daemon's own. Rings live while somebody captures; how a worker finds
// them and when they may go is Snapshot's business.
#pragma once

#include "translator/dataplane/capture_wish.hpp"
#include "translator/siit/translator.hpp"
#include "translator/stats/counters.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace xlat646 {

/// In front of the bytes of each record, also on its way to the operator's command (same machine).
struct CaptureRecord {
    enum class Kind : std::uint8_t {
        pair,  ///< a packet, and what has become of it, if anything has
        piece, ///< one more packet that the last pair of this worker was split into
        end,   ///< of the capture; the bytes are JSON
    };
    static constexpr std::uint8_t is_echo_reply = 1, is_suppressed = 2;
    static constexpr std::uint8_t partial_before = 4, partial_after = 8; ///< checksums
    static constexpr std::uint8_t super_before = 16, super_after = 32;   ///< GSO

    std::uint64_t time_ns = 0;       ///< Unix time
    std::uint32_t before_length = 0; ///< of the packet
    std::uint32_t before_kept = 0;   ///< bytes of it that follow
    std::uint32_t after_length = 0;
    std::uint32_t after_kept = 0;
    std::uint32_t slot = no_slot;
    std::uint32_t worker = 0;
    Kind kind = Kind::pair;
    std::uint8_t direction = 0;
    std::uint8_t verdict = 0;
    std::uint8_t reason = 0;
    std::uint8_t error_kind = 0;
    std::uint8_t flags = 0;
    std::uint16_t reserved = 0;
};
static_assert(sizeof(CaptureRecord) == 40 &&
              std::has_unique_object_representations_v<CaptureRecord>);

// The two sides write to cache lines of their own.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
class CaptureRing {
  public:
    static constexpr std::size_t memory = std::size_t{2} << 20;

    CaptureRing(const CaptureWish& wish, std::uint32_t worker);

    /// Worker: a packet as it came, before anything is written over it.
    void begin(const Packet& packet) noexcept;
    /// Worker: what has become of it. `packet` is read only if there is an answer or a translation.
    void end(const Translator& translator, const Outcome& outcome, const Packet& packet) noexcept;
    /// Worker: after end(), one more piece.
    void add_piece(const Packet& packet) noexcept;

    /// Reader: the oldest record, nullptr when there is none. It stays until pop().
    const CaptureRecord* front(const std::uint8_t*& before, const std::uint8_t*& after) noexcept;
    void pop() noexcept { tail_.store(tail_.load(std::memory_order_relaxed) + 1, release); }

    Counter matched; ///< pairs that were wanted; each was taken or missed
    Counter taken;
    Counter missed_by_rate;
    Counter missed_by_room;
    Counter missed_pieces;

  private:
    static constexpr auto release = std::memory_order_release;
    static constexpr auto acquire = std::memory_order_acquire;

    std::uint8_t* slot(std::uint64_t index) noexcept {
        return bytes_.get() + index % slots_ * slot_size_;
    }
    bool has_room() const noexcept { return head_ - tail_.load(acquire) < slots_; }
    bool is_match(const Packet& packet) const noexcept;
    bool is_wanted(const Outcome& outcome) const noexcept;
    bool take_token() noexcept;
    /// Appends the packet's first bytes to the record being made.
    std::uint32_t keep(const Packet& packet, std::size_t offset) noexcept;
    void commit() noexcept;

    CaptureWish wish_;
    std::size_t slot_size_;
    std::size_t slots_;
    std::unique_ptr<std::uint8_t[]> bytes_;
    // The worker's.
    CaptureRecord record_;
    std::uint64_t head_ = 0;
    std::uint64_t tokens_ns_ = 0; ///< how long ago the bucket was empty, so to say
    std::uint64_t filled_ns_ = 0;
    bool is_first_match_ = false;
    bool has_room_ = false;
    bool is_taken_ = false;
    alignas(64) std::atomic<std::uint64_t> published_{0};
    alignas(64) std::atomic<std::uint64_t> tail_{0};
};

/// Of one capture: a ring for each worker.
struct CaptureRings {
    std::vector<std::shared_ptr<CaptureRing>> of_worker;
};

} // namespace xlat646
