// SPDX-License-Identifier: BSD-2-Clause
#include "translator/wire/packet.hpp"

#include "translator/wire/checksum.hpp"
#include "translator/wire/headers.hpp"

namespace xlat646 {

bool complete_checksum(Packet& packet) noexcept {
    const std::size_t start = packet.offload.checksum_start;
    const std::size_t field = start + packet.offload.checksum_offset;
    if (packet.is_gso() || field + 2 > packet.length) return false;
    // The field holds the pseudo-header's sum (GSO-01), so it takes part in its own sum.
    std::uint16_t checksum =
        ChecksumSum().add(packet.data + start, packet.length - start).complement();
    // 0 means "none" only in UDP, and is avoided everywhere as the kernel does (GSO-02).
    checksum = never_zero(checksum);
    store_native16(packet.data + field, checksum);
    packet.offload = {};
    return true;
}

} // namespace xlat646
