// SPDX-License-Identifier: BSD-2-Clause
//
// Builds and reads packets for tests, knowing nothing of the code under test: own parser, own
// checksum. Checksums are judged as a receiver does, over the whole packet.
#pragma once

#include "mapping/address.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xlat646::test {

using Bytes = std::vector<std::uint8_t>;

/// RFC 1071 sum of big-endian words, folded; an odd end is padded.
std::uint16_t plain_sum(const std::uint8_t* bytes, std::size_t length, std::uint32_t start = 0);
std::uint16_t get16(const std::uint8_t* at);
std::uint32_t get32(const std::uint8_t* at);
void put16(std::uint8_t* at, std::size_t value);
void put32(std::uint8_t* at, std::uint32_t value);

struct Ipv4Fields {
    Ipv4Address source;
    Ipv4Address destination;
    std::uint8_t protocol = 17;
    std::uint8_t ttl = 64;
    std::uint8_t tos = 0;
    std::uint16_t identification = 0;
    std::uint16_t flags_and_offset = 0;
    Bytes options = {}; ///< a multiple of 4
};
struct Ipv6Fields {
    Ipv6Address source;
    Ipv6Address destination;
    std::uint8_t next_header = 17;
    std::uint8_t hop_limit = 64;
    std::uint8_t traffic_class = 0;
    std::uint32_t flow_label = 0;
};
/// Header checksum right; the payload as it is.
Bytes ipv4_packet(const Ipv4Fields& fields, const Bytes& payload);
Bytes ipv6_packet(const Ipv6Fields& fields, const Bytes& payload);

/// Transport headers with checksum 0; finish() fills it in.
Bytes udp(std::uint16_t from, std::uint16_t to, const Bytes& data);
Bytes tcp(std::uint32_t sequence, std::uint8_t flags, const Bytes& options, const Bytes& data);
Bytes icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest, const Bytes& body);
/// Computes the transport checksum of a whole packet, ICMP too. Protocols without one: nothing.
Bytes finish(Bytes packet);
/// `length` bytes start, start+1, ...
Bytes counting(std::size_t length, std::uint8_t start = 0);

struct Parsed {
    unsigned version = 0;
    Ipv4Address source4, destination4;
    Ipv6Address source6, destination6;
    std::uint8_t octet = 0; ///< TOS or Traffic Class
    std::uint8_t hops = 0;
    std::uint8_t protocol = 0; ///< behind all extension headers
    std::size_t length = 0;    ///< of the packet by its own header
    std::size_t transport = 0; ///< offset
    std::size_t transport_length = 0;
    bool has_fragment_header = false; ///< IPv6
    bool has_broken_chain = false;    ///< IPv6: `transport` is where no header could be read
    bool df = false;
    bool more = false;
    std::size_t offset = 0; ///< of the fragment, in bytes
    std::uint32_t identification = 0;

    bool is_fragment() const { return more || offset != 0; }
    bool is_icmp() const { return protocol == (version == 4 ? 1 : 58); }
};

/// nullopt unless the packet is whole and its headers are consistent (IPv4 checksum included).
std::optional<Parsed> parse_packet(const std::uint8_t* bytes, std::size_t length);

enum class ChecksumState { none, valid, wrong };
/// `none`: a fragment, a protocol without checksum, UDP without one, or too short.
ChecksumState transport_checksum(const std::uint8_t* packet, const Parsed& parsed);
/// The pseudo-header's sum; for UDP and UDP-Lite too with the length of the IP payload.
std::uint16_t pseudo_sum(const Parsed& parsed, std::size_t length);
/// Where the checksum field of TCP, UDP, DCCP, UDP-Lite and ICMP lies, if it is in hand.
std::optional<std::size_t> checksum_field(const Parsed& parsed);

} // namespace xlat646::test
