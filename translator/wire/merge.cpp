// SPDX-License-Identifier: BSD-2-Clause
#include "translator/wire/merge.hpp"

#include "translator/wire/checksum.hpp"
#include "translator/wire/headers.hpp"

#include <cstring>

namespace xlat646 {
namespace {

constexpr std::size_t udp_header = 8;
constexpr std::size_t tcp_header = 20;
constexpr std::size_t tcp_flags_at = 13;
constexpr std::uint8_t tcp_psh = 0x08;
constexpr std::uint8_t tcp_ack = 0x10;

ChecksumSum pseudo_sum(const std::uint8_t* ip, bool is_ipv6, bool is_tcp, std::size_t length) {
    ChecksumSum sum;
    if (is_ipv6) {
        const auto header = load<Ipv6Header>(ip);
        sum.add(header.source()).add(header.destination());
    } else {
        const auto header = load<Ipv4Header>(ip);
        sum.add(header.source()).add(header.destination());
    }
    return sum.add(Be16(is_tcp ? protocol::tcp : protocol::udp))
        .add(Be16(static_cast<std::uint16_t>(length)));
}

} // namespace

bool Merger::read(const Packet& packet, Layout& layout) noexcept {
    const std::uint8_t* const ip = packet.data;
    if (packet.is_gso() || packet.length < Ipv4Header::size + udp_header) return false;
    std::uint8_t proto = 0;
    layout.is_ipv6 = ip[0] >> 4 == 6;
    if (layout.is_ipv6) {
        layout.network = Ipv6Header::size;
        if (packet.length < Ipv6Header::size + udp_header ||
            load<Be16>(ip + 4).value() != packet.length - Ipv6Header::size)
            return false;
        proto = ip[6];
    } else {
        layout.network = Ipv4Header::size;
        const auto header = load<Ipv4Header>(ip);
        if (header.version_ihl != 0x45 || header.total_length.value() != packet.length ||
            (header.flags_and_offset.value() & ~unsigned{Ipv4Header::dont_fragment}) != 0 ||
            header.sum().fold() != 0xffff)
            return false;
        proto = header.protocol;
    }
    const std::uint8_t* const transport = ip + layout.network;
    const std::size_t length = packet.length - layout.network;
    layout.is_tcp = proto == protocol::tcp;
    std::size_t transport_header = udp_header;
    if (layout.is_tcp) {
        if (length < tcp_header || (transport[tcp_flags_at] & ~tcp_psh) != tcp_ack) return false;
        transport_header = (transport[12] >> 4) * std::size_t{4};
        if (transport_header < tcp_header) return false;
    } else if (proto != protocol::udp || load<Be16>(transport + 4).value() != length) {
        return false;
    }
    if (transport_header >= length) return false; // no data
    layout.headers = layout.network + transport_header;
    const std::size_t field = layout.is_tcp ? 16 : 6;
    if (packet.has_partial_checksum())
        return packet.offload.checksum_start == layout.network &&
               packet.offload.checksum_offset == field;
    return layout.is_tcp || load_native16(transport + field) != 0; // 0: has none
}

bool Merger::has_right_checksum(const Packet& packet, const Layout& layout) noexcept {
    if (packet.has_partial_checksum()) return true;
    const std::size_t length = packet.length - layout.network;
    return pseudo_sum(packet.data, layout.is_ipv6, layout.is_tcp, length)
               .add(packet.data + layout.network, length)
               .fold() == 0xffff;
}

bool Merger::has_same_headers(const Packet& next, const Layout& layout) const noexcept {
    const std::uint8_t* const a = packet_.data;
    const std::uint8_t* const b = next.data;
    if (layout.is_ipv6 != layout_.is_ipv6 || layout.is_tcp != layout_.is_tcp ||
        layout.headers != layout_.headers)
        return false;
    const auto same = [&](std::size_t from, std::size_t to) {
        return std::memcmp(a + from, b + from, to - from) == 0;
    };
    if (layout_.is_ipv6) {
        if (!same(0, 4) || !same(6, Ipv6Header::size)) return false;
    } else {
        if (!same(0, 2) || !same(6, 10) || !same(12, Ipv4Header::size)) return false;
        const auto first = load<Ipv4Header>(a);
        const auto expected = static_cast<std::uint16_t>(first.identification.value() + count_);
        if (!first.df() && load<Be16>(b + 4).value() != expected) return false;
    }
    const std::size_t at = layout_.network;
    if (!same(at, at + 4)) return false; // ports
    if (!layout_.is_tcp) return true;
    const auto expected =
        static_cast<std::uint32_t>(load<Be32>(a + at + 4).value() + count_ * segment_size_);
    return load<Be32>(b + at + 4).value() == expected && same(at + 8, at + tcp_flags_at) &&
           same(at + 14, at + 16) && same(at + 18, layout_.headers);
}

bool Merger::start(const Packet& first, bool tcp, bool udp) noexcept {
    if (!read(first, layout_) || !(layout_.is_tcp ? tcp : udp)) return false;
    // What has PSH is the last of its kind.
    if (layout_.is_tcp && (first.data[layout_.network + tcp_flags_at] & tcp_psh) != 0) return false;
    packet_ = first;
    segment_size_ = first.length - layout_.headers;
    count_ = 1;
    is_checked_ = is_closed_ = has_push_ = false;
    return true;
}

bool Merger::append(const Packet& next) noexcept {
    Layout layout;
    if (is_closed_ || count_ == 0 || count_ == most_segments || !read(next, layout)) return false;
    const std::size_t size = next.length - layout.headers;
    if (size > segment_size_ || packet_.length + size > largest_packet ||
        !has_same_headers(next, layout))
        return false;
    if (!is_checked_) {
        is_closed_ = !has_right_checksum(packet_, layout_);
        if (is_closed_) return false;
        is_checked_ = true;
    }
    if (!has_right_checksum(next, layout)) return false;
    std::memcpy(packet_.data + packet_.length, next.data + layout.headers, size);
    packet_.length += size;
    ++count_;
    has_push_ = layout.is_tcp && (next.data[layout.network + tcp_flags_at] & tcp_psh) != 0;
    is_closed_ = has_push_ || size < segment_size_;
    return true;
}

Packet Merger::finish() noexcept {
    const unsigned count = count_;
    count_ = 0;
    if (count <= 1) return packet_;

    std::uint8_t* const ip = packet_.data;
    std::uint8_t* const transport = ip + layout_.network;
    const std::size_t length = packet_.length - layout_.network;
    if (layout_.is_ipv6) {
        store(ip + 4, Be16(static_cast<std::uint16_t>(length)));
    } else {
        auto header = load<Ipv4Header>(ip);
        header.total_length = static_cast<std::uint16_t>(packet_.length);
        header.set_checksum();
        store(ip, header);
    }
    const std::size_t field = layout_.is_tcp ? 16 : 6;
    OffloadHeader& offload = packet_.offload;
    offload = {};
    if (layout_.is_tcp) {
        if (has_push_) transport[tcp_flags_at] |= tcp_psh;
        offload.gso_type = layout_.is_ipv6 ? OffloadHeader::gso_tcp6 : OffloadHeader::gso_tcp4;
    } else {
        store(transport + 4, Be16(static_cast<std::uint16_t>(length)));
        offload.gso_type = OffloadHeader::gso_udp;
    }
    // GSO-01: the uncomplemented sum of the pseudo-header, the kernel does the rest.
    store_native16(transport + field,
                   pseudo_sum(ip, layout_.is_ipv6, layout_.is_tcp, length).fold());
    offload.flags = OffloadHeader::needs_checksum;
    offload.header_length = static_cast<std::uint16_t>(layout_.headers);
    offload.gso_size = static_cast<std::uint16_t>(segment_size_);
    offload.checksum_start = static_cast<std::uint16_t>(layout_.network);
    offload.checksum_offset = static_cast<std::uint16_t>(field);
    return packet_;
}

} // namespace xlat646
