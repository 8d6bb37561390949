// SPDX-License-Identifier: BSD-2-Clause
//
// Fragmentation (F46-04, F46-09, F64-06). The headers of a piece are written in front of its part
// of the payload, over the piece before it, which has been sent by then.
#include "translator/siit/translator.hpp"

namespace xlat646 {

void Translator::split(Packet& packet, Ipv6Header header, FragmentHeader fragment,
                       std::uint8_t* payload, std::size_t length) noexcept {
    pieces_.payload = payload;
    pieces_.remaining = length;
    pieces_.room = limit6_ - Ipv6Header::size - FragmentHeader::size;
    pieces_.offset = fragment.offset();
    pieces_.final_more = fragment.more();
    pieces_.is_ipv6 = true;
    pieces_.header6 = header;
    pieces_.header6.next_header = protocol::fragment;
    pieces_.fragment = fragment;
    (void)next_piece(packet);
}

void Translator::split(Packet& packet, Ipv4Header header, std::uint8_t* payload,
                       std::size_t length) noexcept {
    pieces_.payload = payload;
    pieces_.remaining = length;
    pieces_.room = settings_.mtu4 - Ipv4Header::size;
    pieces_.offset = header.fragment_offset();
    pieces_.final_more = header.mf();
    pieces_.is_ipv6 = false;
    pieces_.header4 = header;
    (void)next_piece(packet);
}

bool Translator::next_piece(Packet& packet) noexcept {
    if (pieces_.remaining == 0) return false;
    const bool is_last = pieces_.remaining <= pieces_.room;
    const std::size_t size = is_last ? pieces_.remaining : pieces_.room & ~std::size_t{7}; // F46-17
    const bool more = !is_last || pieces_.final_more;

    if (pieces_.is_ipv6) {
        pieces_.header6.payload_length = static_cast<std::uint16_t>(FragmentHeader::size + size);
        pieces_.fragment.set_offset(pieces_.offset, more);
        packet.data = pieces_.payload - Ipv6Header::size - FragmentHeader::size;
        packet.length = Ipv6Header::size + FragmentHeader::size + size;
        store(packet.data, pieces_.header6);
        store(packet.data + Ipv6Header::size, pieces_.fragment);
    } else {
        pieces_.header4.total_length = static_cast<std::uint16_t>(Ipv4Header::size + size);
        pieces_.header4.flags_and_offset = static_cast<std::uint16_t>(
            pieces_.offset | (more ? Ipv4Header::more_fragments : 0u)); // DF=0
        pieces_.header4.set_checksum();
        packet.data = pieces_.payload - Ipv4Header::size;
        packet.length = Ipv4Header::size + size;
        store(packet.data, pieces_.header4);
    }
    packet.offload = {};
    pieces_.payload += size;
    pieces_.remaining -= size;
    pieces_.offset += static_cast<unsigned>(size / 8);
    return true;
}

} // namespace xlat646
