// SPDX-License-Identifier: BSD-2-Clause
//
// One example of a discarded packet per direction and reason, handed from a worker to whoever
// writes the log. The reader asks for a sample; the worker fills it with the next such packet and
// hands it back. Neither waits for the other; a worker that is not asked only reads one flag.
#pragma once

#include "translator/siit/outcome.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace xlat646 {

/// Addresses, protocol and ports; never payload (DC-17).
struct DropSample {
    std::array<std::uint8_t, 16> source{};
    std::array<std::uint8_t, 16> destination{};
    std::uint32_t length = 0;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t ip_version = 0; ///< 0: the packet was too short to tell
    std::uint8_t protocol = 0;
    bool has_ports = false;

    /// "192.0.2.1:53 > 198.51.100.7:999, protocol 17, 60 bytes"
    std::string to_string() const;
};

/// Reads what it can of any bytes, however broken.
DropSample describe_packet(const std::uint8_t* packet, std::size_t length) noexcept;

class DropSamples {
  public:
    /// Worker.
    bool is_wanted(Direction d, DropReason r) const noexcept {
        return slot(d, r).wanted.load(std::memory_order_acquire);
    }
    void put(Direction d, DropReason r, const DropSample& sample) noexcept {
        slot(d, r).sample = sample;
        slot(d, r).wanted.store(false, std::memory_order_release);
    }

    /// Reader. True once after each ask() that was served.
    bool take(Direction d, DropReason r, DropSample& sample) noexcept {
        Slot& s = slot(d, r);
        if (!s.asked || s.wanted.load(std::memory_order_acquire)) return false;
        sample = s.sample;
        s.asked = false;
        return true;
    }
    void ask(Direction d, DropReason r) noexcept {
        Slot& s = slot(d, r);
        if (s.asked) return;
        s.asked = true;
        s.wanted.store(true, std::memory_order_release);
    }

  private:
    struct Slot {
        std::atomic<bool> wanted{false}; ///< true: `sample` is the worker's; false: the reader's
        bool asked = false;              ///< reader only
        DropSample sample;
    };
    Slot& slot(Direction d, DropReason r) noexcept {
        return slots_[static_cast<std::size_t>(d) * drop_reason_count +
                      static_cast<std::size_t>(r)];
    }
    const Slot& slot(Direction d, DropReason r) const noexcept {
        return const_cast<DropSamples*>(this)->slot(d, r);
    }
    std::array<Slot, direction_count * drop_reason_count> slots_;
};

} // namespace xlat646
