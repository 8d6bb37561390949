// SPDX-License-Identifier: BSD-2-Clause
#include "translator/wire/segment.hpp"

#include "translator/wire/checksum.hpp"
#include "translator/wire/headers.hpp"

#include <algorithm>
#include <cstring>

namespace xlat646 {
namespace {

constexpr std::size_t tcp_flags_at = 13;
constexpr std::uint8_t tcp_fin = 0x01;
constexpr std::uint8_t tcp_psh = 0x08;
constexpr std::uint8_t tcp_cwr = 0x80;

bool is_extension_header(std::uint8_t next) {
    return next == protocol::hop_by_hop || next == protocol::routing ||
           next == protocol::destination_options;
}

} // namespace

bool Segmenter::start(const Packet& super) noexcept {
    const std::uint8_t type = super.offload.gso_type & ~OffloadHeader::gso_ecn & 0xff;
    if (super.offload.gso_size == 0 || super.length < Ipv4Header::size) return false;

    std::uint8_t proto = 0;
    std::size_t length = 0; // what the IP header says; more bytes are ignored
    is_ipv6_ = super.data[0] >> 4 == 6;
    if (is_ipv6_) {
        if (super.length < Ipv6Header::size) return false;
        const auto ip = load<Ipv6Header>(super.data);
        network_length_ = Ipv6Header::size;
        length = Ipv6Header::size + ip.payload_length.value();
        proto = ip.next_header;
        while (is_extension_header(proto)) {
            if (network_length_ + 8 > super.length) return false;
            proto = super.data[network_length_];
            network_length_ += 8 * (std::size_t{super.data[network_length_ + 1]} + 1);
        }
    } else {
        const auto ip = load<Ipv4Header>(super.data);
        network_length_ = ip.header_length();
        if (network_length_ < Ipv4Header::size || ip.is_fragment()) return false;
        length = ip.total_length.value();
        proto = ip.protocol;
    }
    if (length > super.length) return false;
    is_tcp_ = proto == protocol::tcp;
    if (is_tcp_ ? type != (is_ipv6_ ? OffloadHeader::gso_tcp6 : OffloadHeader::gso_tcp4)
                : proto != protocol::udp || type != OffloadHeader::gso_udp)
        return false;

    std::size_t transport_length = 8;
    if (is_tcp_) {
        if (network_length_ + 20 > length) return false;
        transport_length = (super.data[network_length_ + 12] >> 4) * 4u;
        if (transport_length < 20) return false;
    }
    header_length_ = network_length_ + transport_length;
    if (header_length_ >= length || header_length_ > headers_.size()) return false;

    std::memcpy(headers_.data(), super.data, header_length_);
    payload_ = super.data + header_length_;
    remaining_ = length - header_length_;
    segment_size_ = super.offload.gso_size;
    index_ = 0;
    return true;
}

bool Segmenter::next(Packet& segment) noexcept {
    if (remaining_ == 0) return false;
    const std::size_t size = std::min(remaining_, segment_size_);
    const bool last = size == remaining_;

    segment.data = payload_ - header_length_;
    segment.length = header_length_ + size;
    segment.offload = {};
    std::memcpy(segment.data, headers_.data(), header_length_);
    std::uint8_t* const transport = segment.data + network_length_;
    const std::size_t transport_length = segment.length - network_length_;

    ChecksumSum pseudo;
    if (is_ipv6_) {
        auto ip = load<Ipv6Header>(segment.data);
        ip.payload_length = static_cast<std::uint16_t>(segment.length - Ipv6Header::size);
        store(segment.data, ip);
        pseudo.add(ip.source()).add(ip.destination());
    } else {
        auto ip = load<Ipv4Header>(segment.data);
        ip.total_length = static_cast<std::uint16_t>(segment.length);
        ip.identification = static_cast<std::uint16_t>(ip.identification.value() + index_);
        ip.checksum = 0;
        store(segment.data, ip);
        ip.checksum =
            Be16::from_native(ChecksumSum().add(segment.data, network_length_).complement());
        store(segment.data, ip);
        pseudo.add(ip.source()).add(ip.destination());
    }
    pseudo.add(Be16(is_tcp_ ? protocol::tcp : protocol::udp));
    pseudo.add(Be16(static_cast<std::uint16_t>(transport_length)));

    if (is_tcp_) {
        const auto sequence = load<Be32>(transport + 4).value();
        store(transport + 4, Be32(sequence + index_ * static_cast<std::uint32_t>(segment_size_)));
        std::uint8_t& flags = transport[tcp_flags_at];
        if (!last) flags &= static_cast<std::uint8_t>(~(tcp_fin | tcp_psh));
        if (index_ != 0) flags &= static_cast<std::uint8_t>(~tcp_cwr); // RFC 3168: first one only
    } else {
        store(transport + 4, Be16(static_cast<std::uint16_t>(transport_length)));
    }
    std::uint8_t* const field = transport + (is_tcp_ ? 16 : 6);
    store_native16(field, 0);
    const std::uint16_t checksum = pseudo.add(transport, transport_length).complement();
    store_native16(field, is_tcp_ ? checksum : never_zero(checksum));

    payload_ += size;
    remaining_ -= size;
    ++index_;
    return true;
}

} // namespace xlat646
