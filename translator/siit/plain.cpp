// SPDX-License-Identifier: BSD-2-Clause
//
// The short way of most packets: whole TCP and UDP packets of a pair that need no option, fragment,
// answer or second look. Each condition stands for a rule of v4_to_v6.cpp or v6_to_v4.cpp and is
// not asked more exactly than is cheap. False: the bytes of the packet are what they were, and the
// full way decides.
#include "translator/siit/translator.hpp"
#include "translator/siit/transport.hpp"

#include <algorithm>

namespace xlat646 {
namespace {

/// The checksum's offset in a plain packet of this protocol; 0: not a plain one.
constexpr std::size_t plain_checksum_offset(std::uint8_t proto) {
    if (proto == protocol::tcp) return 16;
    return proto == protocol::udp ? 6 : 0;
}

/// True for an offload header that is put in order without a look at more than its own fields:
/// a checksum anywhere else has to be completed in the packet.
[[gnu::always_inline]] inline bool has_plain_offload(Packet& packet, const std::uint8_t* transport,
                                                     std::uint8_t proto, std::size_t field,
                                                     bool is_ipv6) {
    if (!packet.is_gso() && !packet.has_partial_checksum()) {
        packet.offload = {};
        return true;
    }
    if (packet.has_partial_checksum() &&
        (packet.data + packet.offload.checksum_start != transport ||
         packet.offload.checksum_offset != field))
        return false;
    return normalize_used_offload(packet, transport, proto, false, is_ipv6);
}

/// Transport header and data of the largest packet in it.
std::size_t segment_length(const Packet& packet, const std::uint8_t* transport,
                           std::size_t length) {
    return packet.is_gso() ? gso_transport_header(packet, transport) + packet.offload.gso_size
                           : length;
}

ChecksumSum ipv4_sum(const std::uint8_t* header) {
    const auto word = [header](std::size_t i) {
        std::uint32_t native;
        std::memcpy(&native, header + 4 * i, sizeof native);
        return native;
    };
    return ChecksumSum()
        .add_native(word(0))
        .add_native(word(1))
        .add_native(word(2))
        .add_native(word(3))
        .add_native(word(4));
}

Ipv6Address load_address(const std::uint8_t* from) {
    return {load<Be64>(from).value(), load<Be64>(from + 8).value()};
}

/// GSO-03, GSO-06: of a packet whose IP header has now `size` bytes.
void translate_offload(Packet& packet, std::uint8_t proto, const std::uint8_t* transport,
                       std::size_t size) {
    OffloadHeader& offload = packet.offload;
    if (packet.is_gso()) {
        if (proto == protocol::tcp)
            offload.gso_type ^= OffloadHeader::gso_tcp4 ^ OffloadHeader::gso_tcp6;
        offload.header_length =
            static_cast<std::uint16_t>(size + gso_transport_header(packet, transport));
    }
    if (packet.has_partial_checksum()) offload.checksum_start = static_cast<std::uint16_t>(size);
}

} // namespace

bool Translator::plain_v4_to_v6(Packet& packet, const MappingTable& table) noexcept {
    if (packet.length < Ipv4Header::size + 8) return false;
    const std::uint8_t* const in = packet.data;
    const std::size_t total = load<Be16>(in + offsetof(Ipv4Header, total_length)).value();
    const std::uint32_t flags = load<Be16>(in + offsetof(Ipv4Header, flags_and_offset)).value();
    const std::uint8_t ttl = in[offsetof(Ipv4Header, ttl)];
    const std::uint8_t proto = in[offsetof(Ipv4Header, protocol)];
    const std::size_t field = plain_checksum_offset(proto);
    if (in[0] != 0x45 || field == 0 || total > packet.length || ttl <= 1 ||
        (flags & ~std::uint32_t{Ipv4Header::dont_fragment}) != 0 || ipv4_sum(in).fold() != 0xffff ||
        total < Ipv4Header::size + needed_transport_bytes(proto, field))
        return false;

    const Ipv4Address source(load<Be32>(in + offsetof(Ipv4Header, raw_source)).value());
    const Ipv4Address destination(load<Be32>(in + offsetof(Ipv4Header, raw_destination)).value());
    const HostPair* const server = table.find_host(destination);
    if (server == nullptr || server->has_martian || destination == settings_.own4 ||
        is_denied_client(source) || is_refused_by_well_known_prefix(source) ||
        table.contains(source))
        return false;

    std::uint8_t* const transport = packet.data + Ipv4Header::size;
    const std::size_t length = total - Ipv4Header::size;
    packet.length = total;
    if (!has_plain_offload(packet, transport, proto, field, false)) return false;
    const std::uint32_t mtu = flags != 0 ? settings_.mtu6 : limit6_;
    if (Ipv6Header::size + segment_length(packet, transport, length) > mtu ||
        needs_second_look(packet, proto, transport))
        return false;

    slot_ = server->slot;
    update_transport_checksum(transport + field, proto, packet.has_partial_checksum(),
                              ChecksumSum(prefix_sum_).add_native(server->delta));
    translate_offload(packet, proto, transport, Ipv6Header::size);
    Ipv6Header out;
    out.set_traffic_class(traffic_class(in[offsetof(Ipv4Header, tos)]));
    out.payload_length = static_cast<std::uint16_t>(length);
    out.next_header = proto;
    out.hop_limit = static_cast<std::uint8_t>(ttl - 1);
    out.set_source(settings_.prefix.embed(source));
    out.set_destination(server->ipv6);
    packet.data = transport - Ipv6Header::size;
    packet.length = Ipv6Header::size + length;
    store(packet.data, out);
    return true;
}

bool Translator::plain_v6_to_v4(Packet& packet, const MappingTable& table) noexcept {
    if (packet.length < Ipv6Header::size + 8) return false;
    const std::uint8_t* const in = packet.data;
    const std::uint32_t first = load<Be32>(in).value();
    const std::size_t length = load<Be16>(in + offsetof(Ipv6Header, payload_length)).value();
    const std::uint8_t proto = in[offsetof(Ipv6Header, next_header)];
    const std::uint8_t hop_limit = in[offsetof(Ipv6Header, hop_limit)];
    const std::size_t field = plain_checksum_offset(proto);
    if (first >> 28 != 6 || field == 0 || Ipv6Header::size + length > packet.length ||
        hop_limit <= 1 || length < needed_transport_bytes(proto, field) ||
        Ipv4Header::size + length > largest_packet)
        return false;

    const Ipv6Address source = load_address(in + offsetof(Ipv6Header, raw_source));
    const Ipv6Address destination = load_address(in + offsetof(Ipv6Header, raw_destination));
    if (!settings_.prefix.contains(destination)) return false;
    const Ipv4Address client = settings_.prefix.extract(destination);
    const HostPair* const server = table.find_host(source);
    if (server == nullptr || server->has_martian || may_be_martian6_ ||
        destination == settings_.own6 || client == settings_.own4 || is_denied_client(client) ||
        is_refused_by_well_known_prefix(client) || table.contains(client) || is_in_pool(client))
        return false;

    std::uint8_t* const transport = packet.data + Ipv6Header::size;
    packet.length = Ipv6Header::size + length;
    if (!has_plain_offload(packet, transport, proto, field, true)) return false;
    const std::size_t segment = Ipv4Header::size + segment_length(packet, transport, length);
    if (segment > settings_.mtu4 || needs_second_look(packet, proto, transport)) return false;

    slot_ = server->slot;
    const auto size = static_cast<std::uint16_t>(Ipv4Header::size + length);
    update_transport_checksum(
        transport + field, proto, packet.has_partial_checksum(),
        ChecksumSum().subtract(ChecksumSum(prefix_sum_).add_native(server->delta)));
    translate_offload(packet, proto, transport, Ipv4Header::size);
    Ipv4Header out;
    out.tos = traffic_class(static_cast<std::uint8_t>(first >> 20));
    out.total_length = size;
    out.ttl = static_cast<std::uint8_t>(hop_limit - 1);
    out.protocol = proto;
    out.set_source(server->ipv4);
    out.set_destination(client);
    if (segment > largest_without_df)
        out.flags_and_offset = Ipv4Header::dont_fragment;
    else
        out.identification = identification_.next(server->ipv4, client, proto,
                                                  segment_count(packet, transport, length));
    out.set_checksum();
    packet.data = transport - Ipv4Header::size;
    packet.length = size;
    store(packet.data, out);
    return true;
}

} // namespace xlat646
