// SPDX-License-Identifier: BSD-2-Clause
//
// Cuts a GSO super-packet into the packets that it stands for, one after the other, each in place:
// the headers of segment k are written in front of its payload, over the tail of segment k-1. So
// every segment must have been used up before next() is called again.
#pragma once

#include "translator/wire/packet.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace xlat646 {

class Segmenter {
  public:
    /// False when this is not a GSO packet with sane headers (TCP, or UDP for gso_udp; not more
    /// than 512 bytes of headers). `super` stays untouched and must outlive the segmenter.
    [[nodiscard]] bool start(const Packet& super) noexcept;
    /// The next segment with complete lengths and checksum and an empty offload header.
    [[nodiscard]] bool next(Packet& segment) noexcept;

  private:
    std::array<std::uint8_t, 512> headers_; ///< IP with extension headers, and transport
    std::uint8_t* payload_ = nullptr;
    std::size_t remaining_ = 0;
    std::size_t network_length_ = 0;
    std::size_t header_length_ = 0;
    std::size_t segment_size_ = 0;
    std::uint32_t index_ = 0;
    bool is_ipv6_ = false;
    bool is_tcp_ = false;
};

} // namespace xlat646
