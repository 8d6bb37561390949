// SPDX-License-Identifier: BSD-2-Clause
//
// What parsing finds out about a packet. Parsing is validation: a view exists only of a packet
// whose lengths have all been checked against the bytes in hand (SEC-06).
#pragma once

#include "translator/wire/headers.hpp"
#include "translator/wire/packet.hpp"

#include <cstddef>
#include <cstdint>

namespace xlat646 {

struct Ipv4View {
    Ipv4Header header;
    std::uint8_t* transport = nullptr;
    std::size_t header_length = 0;
    std::size_t transport_length = 0;
    bool has_source_route = false; ///< an unexpired one

    Ipv4Address source() const { return header.source(); }
    Ipv4Address destination() const { return header.destination(); }
    bool is_fragment() const { return header.is_fragment(); }
    bool is_first_or_whole() const { return header.fragment_offset() == 0; }
    /// An ICMP message whose type is in hand and is an error's (or unknown: then it counts as one).
    bool is_icmp_error() const;
};

/// T46-15..T46-18. Reads at most `length` bytes.
[[nodiscard]] bool parse(std::uint8_t* bytes, std::size_t length, Ipv4View& view) noexcept;

struct Ipv6View {
    Ipv6Header header;
    std::uint8_t* transport = nullptr;
    std::size_t transport_length = 0;
    std::uint8_t protocol = 0; ///< the first next header that is no extension header
    bool has_fragment_header = false;
    FragmentHeader fragment;

    bool is_real_fragment() const {
        return has_fragment_header && (fragment.offset() != 0 || fragment.more());
    }
    bool is_first_or_whole() const { return !has_fragment_header || fragment.offset() == 0; }
    bool is_icmp_error() const;
};

enum class ExtensionWalk : std::uint8_t {
    ok,
    malformed,       ///< T64-12
    segments_left,   ///< T64-11; `pointer` is set
    behind_fragment, ///< F64-02
    second_fragment, ///< F64-09
};

/// T64-14, only the fixed header; `view.transport` is behind it, `view.transport_length` is the
/// Payload Length. Reads at most `length` bytes.
[[nodiscard]] bool parse(std::uint8_t* bytes, std::size_t length, Ipv6View& view) noexcept;

/// T64-10..T64-12: moves `transport` behind the extension headers. `available` bytes are in hand
/// behind the fixed header (fewer than the Payload Length in a quoted packet).
[[nodiscard]] ExtensionWalk walk_extensions(Ipv6View& view, std::size_t available,
                                            std::uint32_t& pointer) noexcept;

/// GSO-03..GSO-05, GSO-10, GSO-11: makes the offload header agree with what parsing found, or
/// completes the checksum in software. False: the header is nonsense.
[[nodiscard]] bool normalize_used_offload(Packet& packet, const std::uint8_t* transport,
                                          std::uint8_t proto, bool is_fragment,
                                          bool is_ipv6) noexcept;
[[nodiscard, gnu::always_inline]] inline bool
normalize_offload(Packet& packet, const std::uint8_t* transport, std::uint8_t proto,
                  bool is_fragment, bool is_ipv6) noexcept {
    if (packet.is_gso() || packet.has_partial_checksum())
        return normalize_used_offload(packet, transport, proto, is_fragment, is_ipv6);
    packet.offload = {}; // GSO-10
    return true;
}

/// Bytes of TCP or UDP header of a GSO packet that normalize_offload has accepted.
inline std::size_t gso_transport_header(const Packet& packet,
                                        const std::uint8_t* transport) noexcept {
    if (packet.offload.gso_type == OffloadHeader::gso_udp) return 8;
    return (transport[12] >> 4) * std::size_t{4};
}

} // namespace xlat646
