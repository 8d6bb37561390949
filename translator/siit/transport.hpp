// SPDX-License-Identifier: BSD-2-Clause
//
// What both directions do alike with the transport header.
#pragma once

#include "translator/siit/outcome.hpp"
#include "translator/siit/views.hpp"
#include "translator/wire/headers.hpp"

#include <optional>

namespace xlat646 {

inline constexpr std::size_t largest_without_df = 1260; ///< T64-06

/// F46-14, F46-15, F64-09, F64-10: why a fragment is dropped. `offset` in units of 8 bytes.
inline std::optional<DropReason> fault_of_fragment(std::uint8_t proto, unsigned offset, bool more,
                                                   std::size_t length) noexcept {
    if ((more && length % 8 != 0) || offset * std::size_t{8} + length > 65515)
        return DropReason::bad_fragment;
    if (proto == protocol::tcp && offset == 1) return DropReason::tiny_fragment;
    return std::nullopt;
}

/// Bytes that a transport header must have so that its checksum, at `field`, can be rewritten.
constexpr std::size_t needed_transport_bytes(std::uint8_t proto, std::size_t field) {
    return proto == protocol::tcp ? field + 2 : 8;
}

/// CK-05, GSO-01: the checksum at `field` when what it covers grows by `delta`.
/// (Inline by force, as others here: a call costs as much as what it does.)
[[gnu::always_inline]] inline void update_transport_checksum(std::uint8_t* field,
                                                             std::uint8_t proto, bool is_partial,
                                                             const ChecksumSum& delta) noexcept {
    const std::uint16_t old = load_native16(field);
    std::uint16_t checksum =
        is_partial ? updated_partial(old, delta) : updated_checksum(old, delta);
    if (!is_partial && (proto == protocol::udp || proto == protocol::udp_lite))
        checksum = never_zero(checksum); // L4-03
    store_native16(field, checksum);
}

/// Packets that one of `length` transport bytes is or will be cut into.
inline unsigned segment_count(const Packet& packet, const std::uint8_t* transport,
                              std::size_t length) noexcept {
    if (!packet.is_gso()) return 1;
    const std::size_t data = length - gso_transport_header(packet, transport);
    return static_cast<unsigned>((data + packet.offload.gso_size - 1) / packet.offload.gso_size);
}

} // namespace xlat646
