// SPDX-License-Identifier: BSD-2-Clause
//
// Where a packet to be explained comes from. All of it is hostile.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

/// The input is no packet; what() says why, in one line.
class BadInput : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

struct InputPacket {
    std::vector<std::uint8_t> bytes; ///< from the IP header on, at most 65535
    std::string note;                ///< what one should know of it; may be empty
};

/// Hexadecimal digits with spaces, colons and line ends between bytes, or lines of `tcpdump -x`.
/// An IP packet, or an Ethernet frame with one. Throws BadInput.
InputPacket packet_from_hex(std::string_view text);

/// Packet `number`, from 1, of a pcap or pcapng file; "-" is the standard input. Throws BadInput.
InputPacket packet_from_capture(const std::string& path, std::uint32_t number);

/// The IP packet of an Ethernet frame, VLAN tags skipped. Throws BadInput.
std::span<const std::uint8_t> ip_of_ethernet(std::span<const std::uint8_t> frame);

} // namespace xlat646
