// SPDX-License-Identifier: BSD-2-Clause
//
// Turns a fuzzer's bytes into packets that get past the first checks, else no mutation would
// survive the IPv4 header checksum. Inputs of the packet targets: variant, repair flags, packet.
#pragma once

#include "tests/support/packets.hpp"

namespace xlat646::fuzz {

/// Repair flags. 0 repairs the IPv4 header checksum only.
enum Repair : std::uint8_t {
    leave_header_checksum = 1,
    map_addresses = 2, ///< the server's side becomes a mapped address
    fill_length = 4,   ///< the length field covers all bytes
    fill_checksum = 8, ///< the transport checksum becomes right
    leave_version = 16,
    hairpin = 32, ///< IPv6: the client is another server
};

void repair(test::Bytes& packet, std::uint8_t flags);

/// The packet of an input; `data` begins with variant and flags. `version`: 4, 6, or 0 for either.
test::Bytes packet_of(const std::uint8_t* data, std::size_t size, unsigned version = 0);

/// An ICMP error with a right checksum around a quote made of the input's bytes:
/// variant, shape, type, code, 4 bytes of rest, 2 bytes of length attribute, quote.
test::Bytes icmp_error_of(const std::uint8_t* data, std::size_t size);

} // namespace xlat646::fuzz
