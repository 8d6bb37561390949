// SPDX-License-Identifier: BSD-2-Clause
//
// A packet in a buffer with room in front and behind, and what the TUN's offload header says of it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xlat646 {

/// struct virtio_net_hdr: 10 bytes in front of every packet of a TUN with IFF_VNET_HDR, native byte
/// order. (The kernel's header is not valid C++ on Debian 12.)
struct OffloadHeader {
    static constexpr std::uint8_t needs_checksum = 1;
    static constexpr std::uint8_t data_valid = 2;
    static constexpr std::uint8_t gso_none = 0;
    static constexpr std::uint8_t gso_tcp4 = 1;
    static constexpr std::uint8_t gso_tcp6 = 4;
    static constexpr std::uint8_t gso_udp = 5;
    static constexpr std::uint8_t gso_ecn = 0x80;

    std::uint8_t flags = 0;
    std::uint8_t gso_type = 0;
    std::uint16_t header_length = 0;   ///< IP and transport header; a hint
    std::uint16_t gso_size = 0;        ///< payload bytes of one segment
    std::uint16_t checksum_start = 0;  ///< offset of the transport header
    std::uint16_t checksum_offset = 0; ///< from there to the checksum field

    friend constexpr bool operator==(const OffloadHeader&, const OffloadHeader&) = default;
};
static_assert(sizeof(OffloadHeader) == 10);

/// Bytes that a translation may need in front of a packet: outer +20, quoted +28, an IPv6 header
/// with ICMPv6 in front of a quote is 48; and the offload header.
inline constexpr std::size_t packet_headroom = 64;
/// Bytes behind it: padding of the quoted packet in extended ICMP messages.
inline constexpr std::size_t packet_tailroom = 160;
inline constexpr std::size_t largest_packet = 65535;

struct Packet {
    std::uint8_t* data = nullptr; ///< first byte of the IP header, packet_headroom bytes before it
    std::size_t length = 0;       ///< packet_tailroom bytes behind it
    OffloadHeader offload;

    bool is_gso() const { return offload.gso_type != OffloadHeader::gso_none; }
    bool has_partial_checksum() const {
        return (offload.flags & OffloadHeader::needs_checksum) != 0;
    }
};

/// Completes a partial checksum in place and clears the flag. False, and nothing is changed, when
/// the offsets lie outside of the packet. Not for GSO packets: their checksum is per segment.
[[nodiscard]] bool complete_checksum(Packet& packet) noexcept;

} // namespace xlat646
