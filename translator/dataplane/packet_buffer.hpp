// SPDX-License-Identifier: BSD-2-Clause
//
// Memory for one packet of any size with packet_headroom and packet_tailroom. All of its pages are
// there from the start: the first large packet waits for none.
#pragma once

#include "translator/wire/packet.hpp"

namespace xlat646 {

class PacketBuffer {
  public:
    /// Throws std::system_error.
    PacketBuffer();
    PacketBuffer(const PacketBuffer&) = delete;
    PacketBuffer& operator=(const PacketBuffer&) = delete;
    ~PacketBuffer();

    // The IP header lies on a cache line; the offload header right before it.
    static constexpr std::size_t packet_at = 128;
    static_assert(packet_at >= packet_headroom + sizeof(OffloadHeader));
    static constexpr std::size_t size = packet_at + largest_packet + packet_tailroom;

    /// Where a packet that is read begins.
    std::uint8_t* packet() const { return memory_ + packet_at; }

  private:
    std::uint8_t* memory_;
};

} // namespace xlat646
