// SPDX-License-Identifier: BSD-2-Clause
//
// Joins packets of one flow that came one behind the other into one super-packet: what a Segmenter
// takes apart again. Only packets that lose nothing by it: same headers, full segments but the
// last, checksums that are right (or left to an offload), TCP without any flag but ACK and a last
// PSH, Identifications that count on (or DF, where they mean nothing: RFC 6864 section 4.1).
#pragma once

#include "translator/wire/packet.hpp"

#include <cstddef>
#include <cstdint>

namespace xlat646 {

class Merger {
  public:
    /// What older kernels take as one UDP super-packet.
    static constexpr unsigned most_segments = 64;

    /// Takes a packet that others may be joined to, of the protocols that may be. False, and
    /// nothing is taken: nothing could be joined to it. The packet is not copied: its buffer stays
    /// in use until finish(), and what lies behind the packet is overwritten, up to what one of
    /// largest_packet bytes would take.
    [[nodiscard]] bool start(const Packet& first, bool tcp, bool udp) noexcept;
    /// Copies the data of `next` behind what is there. False, and nothing is changed: it cannot
    /// be joined, now or for ever.
    [[nodiscard]] bool append(const Packet& next) noexcept;
    /// The packet taken, or the super-packet that it has become; the merger is empty then.
    Packet finish() noexcept;

    /// Packets taken since the last finish().
    unsigned count() const { return count_; }

  private:
    /// Where things are in a packet that can be a segment.
    struct Layout {
        bool is_ipv6 = false;
        bool is_tcp = false;
        std::size_t network = 0; ///< length of the IP header
        std::size_t headers = 0; ///< with the transport header
    };
    static bool read(const Packet& packet, Layout& layout) noexcept;
    static bool has_right_checksum(const Packet& packet, const Layout& layout) noexcept;
    bool has_same_headers(const Packet& next, const Layout& layout) const noexcept;

    Packet packet_;
    Layout layout_;
    std::size_t segment_size_ = 0;
    unsigned count_ = 0;
    bool is_checked_ = false; ///< the first one's checksum
    bool is_closed_ = false;  ///< nothing may follow
    bool has_push_ = false;
};

} // namespace xlat646
