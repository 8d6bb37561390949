// SPDX-License-Identifier: BSD-2-Clause
//
// RFC 7915 section 4 in the order of matrix section 0.1. Nothing is written to the packet before
// the last check that may answer it with an ICMP error: errors quote packets as received.
#include "translator/siit/icmp_tables.hpp"
#include "translator/siit/probe_pair.hpp"
#include "translator/siit/trace.hpp"
#include "translator/siit/translator.hpp"
#include "translator/siit/transport.hpp"

namespace xlat646 {
namespace {

/// T46-19: an IPv4 sender must not forge IPv6 extension headers or ICMPv6.
constexpr bool is_v6_only(std::uint8_t proto) {
    switch (proto) {
    case protocol::hop_by_hop:
    case protocol::routing:
    case protocol::fragment:
    case protocol::icmp6:
    case protocol::destination_options:
    case protocol::mobility:
    case protocol::hip:
    case protocol::shim6: return true;
    default: return false;
    }
}

} // namespace

Outcome Translator::v4_to_v6(Packet& packet, const MappingTable& table, Pass pass) noexcept {
    Ipv4View view;
    if (!parse(packet.data, packet.length, view)) return Outcome::drop(DropReason::malformed4);
    trace(Rule::header4);
    packet.length = view.header_length + view.transport_length; // T46-17
    const Ipv4Address source = view.source();
    const Ipv4Address destination = view.destination();

    if (is_hard_martian(source) || is_hard_martian(destination))
        return Outcome::drop(DropReason::martian4);
    trace(Rule::not_martian4);
    const std::uint8_t proto = view.header.protocol;
    if (proto == protocol::igmp) return Outcome::drop(DropReason::igmp);
    if (is_v6_only(proto)) return Outcome::drop(DropReason::v6only_proto);
    trace(Rule::protocol4);

    const bool is_own = destination == settings_.own4;
    const bool is_probe = is_own && settings_.probe != nullptr && proto == protocol::icmp4 &&
                          settings_.probe->marks_icmp4(view.transport, view.transport_length);
    MatchedIpv6 server{};
    if (is_probe) {
        server.address = settings_.probe->server();
        slot_ = probe_slot;
    } else if (!is_own) {
        if (!table.find(destination, server)) return reject_unmapped4(packet, view);
        trace(Rule::destination_mapped);
        slot_ = server.slot;
    }

    if (pass == Pass::only) {
        if (!is_probe) { // a probe's source is this node, whatever the policy says of its address
            if (is_denied_client(source) && !view.is_icmp_error()) // T46-12
                return Outcome::drop(DropReason::policy4);
            if (is_refused_by_well_known_prefix(source)) return Outcome::drop(DropReason::policy4);
            if (settings_.drop_spoofed_pairs && table.contains(source)) // SEC-04
                return Outcome::drop(DropReason::spoof);
            trace(Rule::client_allowed4);
            if (is_own) return answer_own4(packet, view);
        }
        if (view.header.ttl <= 1) // T46-08
            return reject(packet, view, DropReason::hop_limit,
                          {ErrorKind::time_exceeded, icmp::v4::time_exceeded, 0});
        trace(Rule::ttl);
        if (view.has_source_route) // T46-14
            return reject(packet, view, DropReason::source_route,
                          {ErrorKind::unreachable, icmp::v4::unreachable,
                           icmp::v4::code_source_route_failed});
        trace(Rule::no_source_route);
    }

    if (!normalize_offload(packet, view.transport, proto, view.is_fragment(), false))
        return Outcome::drop(DropReason::bad_offload);
    if (proto == protocol::icmp4) return icmp_v4_to_v6(packet, view, server, table, pass);
    return transport_v4_to_v6(packet, view, server, pass);
}

Outcome Translator::reject_unmapped4(Packet& packet, const Ipv4View& view) noexcept {
    trace(Rule::destination_unmapped); // T46-23
    if (settings_.unmapped == UnmappedPolicy::drop) return Outcome::drop(DropReason::no_mapping);
    const std::uint8_t code = settings_.unmapped == UnmappedPolicy::reject_host
                                  ? icmp::v4::code_host_unreachable
                                  : icmp::v4::code_prohibited;
    return reject(packet, view, DropReason::no_mapping,
                  {ErrorKind::unreachable, icmp::v4::unreachable, code});
}

Outcome Translator::answer_own4(Packet& packet, const Ipv4View& view) noexcept {
    trace(Rule::own4); // T46-24
    if (view.header.protocol != protocol::icmp4 || view.is_fragment() ||
        view.transport_length < IcmpHeader::size || view.transport[0] != icmp::v4::echo_request)
        return Outcome::drop(DropReason::own_address);
    if (!normalize_offload(packet, view.transport, view.header.protocol, false, false))
        return Outcome::drop(DropReason::bad_offload);
    // A host drops what is damaged (RFC 1122 section 3.2.2).
    if (ChecksumSum().add(view.transport, view.transport_length).fold() != 0xffff)
        return Outcome::drop(DropReason::icmp_checksum);
    trace(Rule::echo_answered);

    const auto type_word = load<Be16>(view.transport);
    view.transport[0] = icmp::v4::echo_reply;
    const ChecksumSum delta =
        ChecksumSum().subtract(ChecksumSum().add(type_word)).add(load<Be16>(view.transport));
    store_native16(view.transport + 2, updated_checksum(load_native16(view.transport + 2), delta));
    settle_zero_message(view.transport, view.transport_length, 2);

    Ipv4Header header;
    header.tos = view.header.tos;
    header.total_length = static_cast<std::uint16_t>(Ipv4Header::size + view.transport_length);
    header.ttl = 64;
    header.protocol = protocol::icmp4;
    header.set_source(settings_.own4);
    header.set_destination(view.source());
    header.identification = identification_.next(settings_.own4, view.source(), protocol::icmp4);
    header.set_checksum();
    packet.data = view.transport - Ipv4Header::size;
    packet.length = header.total_length.value();
    packet.offload = {};
    store(packet.data, header);
    return Outcome::echo_reply();
}

std::uint32_t Translator::exceeded_mtu6(const Packet& packet, const Ipv4View& view) const noexcept {
    if (!view.header.df()) return 0;
    const std::size_t extra = view.is_fragment() ? FragmentHeader::size : 0;
    std::size_t length6 = Ipv6Header::size + view.transport_length + extra;
    if (packet.is_gso()) // GSO-07: what counts is one segment
        length6 = Ipv6Header::size + gso_transport_header(packet, view.transport) +
                  packet.offload.gso_size;
    // F46-06, F46-07.
    return length6 <= settings_.mtu6 ? 0 : static_cast<std::uint32_t>(settings_.mtu6 - 20 - extra);
}

Outcome Translator::reject_too_big(Packet& packet, const Ipv4View& view,
                                   std::uint32_t mtu) noexcept {
    return reject(
        packet, view, DropReason::too_big,
        {ErrorKind::too_big, icmp::v4::unreachable, icmp::v4::code_fragmentation_needed, mtu});
}

Outcome Translator::transport_v4_to_v6(Packet& packet, const Ipv4View& view,
                                       const MatchedIpv6& server, Pass pass) noexcept {
    const std::uint8_t proto = view.header.protocol;
    const std::size_t length = view.transport_length;
    if (view.is_fragment()) {
        if (const auto fault =
                fault_of_fragment(proto, view.header.fragment_offset(), view.header.mf(), length))
            return Outcome::drop(*fault);
        trace(Rule::fragment4);
    }
    const std::size_t field = view.is_first_or_whole() ? checksum_offset(proto) : 0;
    if (field != 0 && length < needed_transport_bytes(proto, field))
        return Outcome::drop(DropReason::tiny_fragment);
    trace_if(field != 0, Rule::transport4);

    const bool is_partial = packet.has_partial_checksum();
    const bool has_no_checksum = field != 0 && proto == protocol::udp && !is_partial &&
                                 load_native16(view.transport + field) == 0;
    std::size_t udp_length = 0;
    if (has_no_checksum) {
        if (view.is_fragment()) // F46-13, L4-04
            return Outcome::drop(DropReason::udp_zero_checksum);
        if (settings_.udp_zero_checksum == UdpZeroChecksum::drop) { // L4-02
            if (pass == Pass::hairpin) return Outcome::drop(DropReason::udp_zero_checksum);
            return reject(
                packet, view, DropReason::udp_zero_checksum,
                {ErrorKind::unreachable, icmp::v4::unreachable, icmp::v4::code_prohibited});
        }
        udp_length = load<Be16>(view.transport + 4).value();
        if (udp_length < 8 || udp_length > length) // L4-05
            return Outcome::drop(DropReason::udp_length);
    }
    if (pass == Pass::only)
        if (const std::uint32_t mtu = exceeded_mtu6(packet, view))
            return reject_too_big(packet, view, mtu);
    trace_if(view.header.df(), Rule::fits6);

    trace(Rule::source_embedded);
    const Ipv6Address source = settings_.prefix.embed(view.source());
    if (has_no_checksum) {
        trace(Rule::no_checksum4);
        const std::uint16_t checksum = ChecksumSum()
                                           .add(source)
                                           .add(server.address)
                                           .add(Be16(static_cast<std::uint16_t>(udp_length)))
                                           .add(Be16(protocol::udp))
                                           .add(view.transport, udp_length)
                                           .complement();
        store_native16(view.transport + field, never_zero(checksum));
    } else if (field != 0) {
        trace(Rule::checksum_updated);
        update_transport_checksum(view.transport + field, proto, is_partial,
                                  ChecksumSum(prefix_sum_).add_native(server.delta));
        if (proto == protocol::tcp) clamp_mss(view.transport, length, is_partial);
    } else {
        trace(Rule::checksum_left);
    }
    return emit_v6(packet, view, source, server.address, pass);
}

Outcome Translator::emit_v6(Packet& packet, const Ipv4View& view, const Ipv6Address& source,
                            const Ipv6Address& destination, Pass pass) noexcept {
    const std::size_t length = view.transport_length;
    const std::uint8_t proto =
        view.header.protocol == protocol::icmp4 ? protocol::icmp6 : view.header.protocol; // T46-06

    trace(Rule::header6);
    trace_if(settings_.dscp.has_value(), Rule::dscp_set);
    Ipv6Header header;
    header.set_traffic_class(traffic_class(view.header.tos)); // T46-02..T46-04
    header.payload_length = static_cast<std::uint16_t>(length);
    header.next_header = proto;
    header.hop_limit =
        static_cast<std::uint8_t>(view.header.ttl - (pass == Pass::only ? 1 : 0)); // HP-06
    header.set_source(source);
    header.set_destination(destination);

    FragmentHeader fragment; // F46-03
    fragment.next_header = proto;
    fragment.set_offset(view.header.fragment_offset(), view.header.mf());
    fragment.identification = view.header.identification.value();

    if (packet.is_gso() || packet.has_partial_checksum()) { // GSO-03, GSO-06
        OffloadHeader& offload = packet.offload;
        const std::size_t transport_header =
            packet.is_gso() ? gso_transport_header(packet, view.transport) : 0;
        if ((offload.gso_type & ~OffloadHeader::gso_ecn) == OffloadHeader::gso_tcp4) {
            offload.gso_type ^= OffloadHeader::gso_tcp4 ^ OffloadHeader::gso_tcp6;
            const std::size_t room = limit6_ - Ipv6Header::size - transport_header;
            if (!view.header.df() && pass == Pass::only && offload.gso_size > room)
                offload.gso_size = static_cast<std::uint16_t>(room); // GSO-07
        }
        if (packet.is_gso())
            offload.header_length = static_cast<std::uint16_t>(Ipv6Header::size + transport_header);
        if (packet.has_partial_checksum()) offload.checksum_start = Ipv6Header::size;
    }

    if (!view.header.df() && pass == Pass::only && !packet.is_gso()) {
        const std::size_t extra = view.is_fragment() ? FragmentHeader::size : 0;
        if (Ipv6Header::size + length + extra > limit6_) { // F46-04, F46-09
            packet.data = view.transport - Ipv6Header::size;
            packet.length = Ipv6Header::size + length;
            if (packet.has_partial_checksum() && !complete_checksum(packet)) // F46-11
                return Outcome::drop(DropReason::bad_offload);
            trace(Rule::split6);
            split(packet, header, fragment, view.transport, length);
            return Outcome::forward();
        }
    }

    packet.data = view.transport - Ipv6Header::size;
    packet.length = Ipv6Header::size + length;
    trace(view.is_fragment() ? Rule::fragment_header : Rule::no_fragment_header);
    if (view.is_fragment()) { // F46-01
        header.next_header = protocol::fragment;
        header.payload_length = static_cast<std::uint16_t>(length + FragmentHeader::size);
        packet.data -= FragmentHeader::size;
        packet.length += FragmentHeader::size;
        store(packet.data + Ipv6Header::size, fragment);
    }
    store(packet.data, header);
    return Outcome::forward();
}

} // namespace xlat646
