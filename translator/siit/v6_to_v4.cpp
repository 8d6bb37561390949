// SPDX-License-Identifier: BSD-2-Clause
//
// RFC 7915 section 5 in the order of matrix section 0.2, and intrinsic hairpinning (RFC 7757
// section 4.2.2) as a second pass. Nothing is written to the packet before the last check that may
// answer it with an ICMP error.
#include "translator/siit/icmp_tables.hpp"
#include "translator/siit/probe_pair.hpp"
#include "translator/siit/trace.hpp"
#include "translator/siit/translator.hpp"
#include "translator/siit/transport.hpp"

#include <algorithm>

namespace xlat646 {
namespace {

constexpr std::size_t ipv6_minimum_mtu = 1280;

} // namespace

Outcome Translator::v6_to_v4(Packet& packet, const MappingTable& table) noexcept {
    Ipv6View view;
    if (!parse(packet.data, packet.length, view)) return Outcome::drop(DropReason::malformed6);
    trace(Rule::header6_sound);
    packet.length = Ipv6Header::size + view.transport_length; // T64-14
    const Ipv6Address source = view.header.source();
    const Ipv6Address destination = view.header.destination();

    if (is_hard_martian(source) || is_hard_martian(destination))
        return Outcome::drop(DropReason::martian6);
    trace(Rule::not_martian6);

    const bool is_probe = settings_.probe != nullptr && source == settings_.probe->server() &&
                          view.header.next_header == protocol::icmp6 &&
                          settings_.probe->marks_icmp6(view.transport, view.transport_length);
    bool is_own = destination == settings_.own6;
    Ipv4Address client;
    if (!is_own) {
        if (!settings_.prefix.contains(destination)) return Outcome::drop(DropReason::not_for_us);
        trace(Rule::destination_extracted);
        client = settings_.prefix.extract(destination);
        if (is_hard_martian(client)) return Outcome::drop(DropReason::martian4);
        is_own = client == settings_.own4;
        // A pair is no client: the policy has nothing to say about hairpinning.
        if (!is_own && !is_probe &&
            (is_denied_client(client) || is_refused_by_well_known_prefix(client)) &&
            !table.contains(client))
            return Outcome::drop(DropReason::policy4);
        trace_if(!is_own, Rule::client_allowed6);
    }

    if (view.transport_length == 0 && view.header.next_header != protocol::no_next_header)
        return Outcome::drop(DropReason::jumbogram); // T64-13
    std::uint32_t pointer = 0;
    const ExtensionWalk walk = walk_extensions(view, view.transport_length, pointer);
    if (walk != ExtensionWalk::ok) return refuse_walk(packet, view, walk, pointer);
    trace(Rule::extensions);
    if (is_own) return answer_own6(packet, view);

    MatchedIpv4 server{};
    if (is_probe) {
        server.address = settings_.own4;
        slot_ = probe_slot;
    } else if (table.find(source, server)) {
        trace(Rule::source_mapped);
        slot_ = server.slot;
        if (server.address == client) return Outcome::drop(DropReason::same_host); // T64-24
    } else if (settings_.prefix.contains(source)) {
        return Outcome::drop(DropReason::spoof); // T64-21
    } else if (view.is_icmp_error()) {           // S91-01
        if (settings_.routers6.classify(source) != AddressClass::allowed)
            return Outcome::drop(DropReason::policy6);
        trace(Rule::source_from_pool);
        server.address = pool_address();
    } else {
        return reject_unmapped6(packet, view);
    }

    if (view.header.hop_limit <= 1) // T64-07
        return reject(packet, view, DropReason::hop_limit,
                      {ErrorKind::time_exceeded, icmp::v6::time_exceeded, 0});
    trace(Rule::hop_limit);

    switch (view.protocol) {
    case protocol::icmp4: // T64-16
    case protocol::igmp: return Outcome::drop(DropReason::v4only_proto);
    case protocol::mobility: // T64-19
    case protocol::hip:
    case protocol::shim6: return Outcome::drop(DropReason::v6only_proto);
    default: break;
    }
    trace(Rule::protocol6);
    const bool is_fragment =
        view.is_real_fragment() || (view.has_fragment_header && packet.is_gso()); // GSO-11
    if (!normalize_offload(packet, view.transport, view.protocol, is_fragment, true))
        return Outcome::drop(DropReason::bad_offload);

    const bool hairpin = !is_probe && table.contains(client);
    if (hairpin && !settings_.hairpin) return Outcome::drop(DropReason::hairpin);
    if (!hairpin && !is_probe && is_in_pool(client))
        return reject_unmapped6(packet, view); // ours, and nobody there: it would come back
    trace_if(!hairpin, Rule::client_outside);

    const Outcome outcome =
        view.protocol == protocol::icmp6
            ? icmp_v6_to_v4(packet, view, server.address, client, table, hairpin)
            : transport_v6_to_v4(packet, view, server, client, hairpin);
    if (!hairpin || !outcome.is_forward()) return outcome;
    trace(Rule::hairpin_second_pass);
    const std::uint32_t sender = slot_;
    const Outcome turned = v4_to_v6(packet, table, Pass::hairpin); // HP-05
    receiver_slot_ = slot_;
    slot_ = sender;
    return turned;
}

Outcome Translator::refuse_walk(Packet& packet, const Ipv6View& view, ExtensionWalk walk,
                                std::uint32_t pointer) noexcept {
    switch (walk) {
    case ExtensionWalk::segments_left: // T64-11
        return reject(packet, view, DropReason::routing_header,
                      {ErrorKind::parameter_problem, icmp::v6::parameter_problem, 0, pointer});
    case ExtensionWalk::behind_fragment: // F64-02
        // G6-01: 1/1 is not for ICMPv6.
        if (view.fragment.offset() != 0 || view.protocol == protocol::icmp6)
            return Outcome::drop(DropReason::frag_extension);
        return reject(packet, view, DropReason::frag_extension,
                      {ErrorKind::unreachable, icmp::v6::unreachable, icmp::v6::code_prohibited});
    case ExtensionWalk::second_fragment: // F64-09
        return Outcome::drop(DropReason::bad_fragment);
    case ExtensionWalk::ok:
    case ExtensionWalk::malformed: break;
    }
    return Outcome::drop(DropReason::malformed6);
}

Outcome Translator::reject_unmapped6(Packet& packet, const Ipv6View& view) noexcept {
    trace(Rule::source_unmapped); // T64-22; G6-01: not about any ICMPv6 message
    if (settings_.unmapped == UnmappedPolicy::drop || view.protocol == protocol::icmp6)
        return Outcome::drop(DropReason::no_mapping);
    return reject(packet, view, DropReason::no_mapping,
                  {ErrorKind::unreachable, icmp::v6::unreachable, icmp::v6::code_prohibited});
}

Outcome Translator::answer_own6(Packet& packet, const Ipv6View& view) noexcept {
    trace(Rule::own6); // T46-24
    if (view.protocol != protocol::icmp6 || view.is_real_fragment() ||
        view.transport_length < IcmpHeader::size || view.transport[0] != icmp::v6::echo_request)
        return Outcome::drop(DropReason::own_address);
    if (!normalize_offload(packet, view.transport, view.protocol, false, true))
        return Outcome::drop(DropReason::bad_offload);
    if (ChecksumSum()
            .add(view.header.source())
            .add(view.header.destination())
            .add(Be16(static_cast<std::uint16_t>(view.transport_length)))
            .add(Be16(protocol::icmp6))
            .add(view.transport, view.transport_length)
            .fold() != 0xffff)
        return Outcome::drop(DropReason::icmp_checksum);
    trace(Rule::echo_answered);

    // Swapping the addresses leaves the pseudo-header's sum as it is.
    const auto type_word = load<Be16>(view.transport);
    view.transport[0] = icmp::v6::echo_reply;
    const ChecksumSum delta =
        ChecksumSum().subtract(ChecksumSum().add(type_word)).add(load<Be16>(view.transport));
    store_native16(view.transport + 2, updated_checksum(load_native16(view.transport + 2), delta));

    Ipv6Header header;
    header.set_traffic_class(view.header.traffic_class());
    header.payload_length = static_cast<std::uint16_t>(view.transport_length);
    header.next_header = protocol::icmp6;
    header.hop_limit = 64;
    header.set_source(view.header.destination());
    header.set_destination(view.header.source());
    packet.data = view.transport - Ipv6Header::size;
    packet.length = Ipv6Header::size + view.transport_length;
    packet.offload = {};
    store(packet.data, header);
    return Outcome::echo_reply();
}

std::uint32_t Translator::exceeded_mtu4(const Packet& packet, const Ipv6View& view,
                                        bool hairpin) const noexcept {
    std::size_t payload = view.transport_length; // of one segment
    std::size_t received = packet.length;
    if (packet.is_gso()) { // GSO-08
        payload = gso_transport_header(packet, view.transport) + packet.offload.gso_size;
        received = static_cast<std::size_t>(view.transport - packet.data) + payload;
    }
    std::size_t mtu = 0;
    if (hairpin) { // HP-07, HP-08: only the IPv6 packet counts
        const std::size_t extra = view.is_real_fragment() ? FragmentHeader::size : 0;
        if (Ipv6Header::size + payload + extra <= settings_.mtu6) return 0;
        mtu = settings_.mtu6;
    } else {
        if (Ipv4Header::size + payload <= settings_.mtu4 || received <= ipv6_minimum_mtu) return 0;
        // F64-07, F64-08.
        mtu = settings_.mtu4 + 20 + (view.has_fragment_header ? FragmentHeader::size : 0);
    }
    return static_cast<std::uint32_t>(std::max(mtu, ipv6_minimum_mtu));
}

Outcome Translator::reject_too_big(Packet& packet, const Ipv6View& view,
                                   std::uint32_t mtu) noexcept {
    return reject(packet, view, DropReason::too_big,
                  {ErrorKind::too_big, icmp::v6::packet_too_big, 0, mtu});
}

Outcome Translator::transport_v6_to_v4(Packet& packet, const Ipv6View& view,
                                       const MatchedIpv4& server, Ipv4Address client,
                                       bool hairpin) noexcept {
    const std::uint8_t proto = view.protocol;
    const std::size_t length = view.transport_length;
    if (view.is_real_fragment()) {
        if (const auto fault =
                fault_of_fragment(proto, view.fragment.offset(), view.fragment.more(), length))
            return Outcome::drop(*fault);
        trace(Rule::fragment6);
    }
    const std::size_t field = view.is_first_or_whole() ? checksum_offset(proto) : 0;
    if (field != 0 && length < needed_transport_bytes(proto, field))
        return Outcome::drop(DropReason::tiny_fragment);
    trace_if(field != 0, Rule::transport6);

    const bool is_partial = packet.has_partial_checksum();
    const bool has_no_checksum = field != 0 && proto == protocol::udp && !is_partial &&
                                 load_native16(view.transport + field) == 0;
    if (hairpin && has_no_checksum) { // HP-07: what the second pass would refuse
        if (view.is_real_fragment()) return Outcome::drop(DropReason::udp_zero_checksum);
        if (settings_.udp_zero_checksum == UdpZeroChecksum::drop)
            return reject(
                packet, view, DropReason::udp_zero_checksum,
                {ErrorKind::unreachable, icmp::v6::unreachable, icmp::v6::code_prohibited});
        const std::size_t udp_length = load<Be16>(view.transport + 4).value();
        if (udp_length < 8 || udp_length > length) return Outcome::drop(DropReason::udp_length);
    }
    if (Ipv4Header::size + length > largest_packet) // GSO-09, T64-03
        return Outcome::drop(DropReason::too_big);
    if (const std::uint32_t mtu = exceeded_mtu4(packet, view, hairpin))
        return reject_too_big(packet, view, mtu);
    trace(Rule::fits4);

    trace(has_no_checksum ? Rule::no_checksum6
          : field != 0    ? Rule::checksum_updated
                          : Rule::checksum_left);
    if (field != 0 && !has_no_checksum) { // L4-06
        update_transport_checksum(
            view.transport + field, proto, is_partial,
            ChecksumSum().subtract(ChecksumSum(prefix_sum_).add_native(server.delta)));
        if (proto == protocol::tcp) clamp_mss(view.transport, length, is_partial);
    }
    return emit_v4(packet, view, server.address, client, hairpin);
}

Outcome Translator::emit_v4(Packet& packet, const Ipv6View& view, Ipv4Address source,
                            Ipv4Address client, bool hairpin) noexcept {
    const std::size_t length = view.transport_length;
    const std::size_t total = Ipv4Header::size + length;

    trace(Rule::header_to_v4);
    trace_if(settings_.dscp.has_value(), Rule::dscp_set);
    Ipv4Header header;
    header.tos = traffic_class(view.header.traffic_class());
    header.total_length = static_cast<std::uint16_t>(total);
    header.ttl = static_cast<std::uint8_t>(view.header.hop_limit - 1);
    header.protocol = view.protocol == protocol::icmp6 ? protocol::icmp4 : view.protocol; // T64-08
    header.set_source(source);
    header.set_destination(client);

    std::size_t segment_total = total;
    if (packet.is_gso() || packet.has_partial_checksum()) { // GSO-03, GSO-06
        OffloadHeader& offload = packet.offload;
        if (packet.is_gso()) {
            const std::size_t transport_header = gso_transport_header(packet, view.transport);
            const std::size_t headers = Ipv4Header::size + transport_header;
            if ((offload.gso_type & ~OffloadHeader::gso_ecn) == OffloadHeader::gso_tcp6) {
                offload.gso_type ^= OffloadHeader::gso_tcp4 ^ OffloadHeader::gso_tcp6;
                // A segment that may not be answered with packet too big (PM-02) is cut smaller.
                if (!hairpin && headers + offload.gso_size > settings_.mtu4)
                    offload.gso_size = static_cast<std::uint16_t>(std::min<std::size_t>(
                        offload.gso_size,
                        std::max<std::size_t>(settings_.mtu4, headers + 8) - headers));
            }
            offload.header_length = static_cast<std::uint16_t>(headers);
            segment_total = headers + offload.gso_size;
        }
        if (packet.has_partial_checksum()) offload.checksum_start = Ipv4Header::size;
    }

    trace(view.has_fragment_header             ? Rule::identification_copied
          : segment_total > largest_without_df ? Rule::df_set
                                               : Rule::identification_made);
    if (view.has_fragment_header) { // F64-01, F64-03, ID-04
        header.identification = static_cast<std::uint16_t>(view.fragment.identification.value());
        header.flags_and_offset = static_cast<std::uint16_t>(
            view.fragment.offset() | (view.fragment.more() ? Ipv4Header::more_fragments : 0u));
    } else if (segment_total > largest_without_df) { // T64-06
        header.flags_and_offset = Ipv4Header::dont_fragment;
    } else { // T64-04, GSO-08
        header.identification = identification_.next(source, client, header.protocol,
                                                     segment_count(packet, view.transport, length));
    }

    packet.data = view.transport - Ipv4Header::size;
    packet.length = total;
    if (!hairpin && !packet.is_gso() && total > settings_.mtu4) { // F64-06
        if (packet.has_partial_checksum() && !complete_checksum(packet))
            return Outcome::drop(DropReason::bad_offload);
        trace(Rule::split4);
        split(packet, header, view.transport, length);
        return Outcome::forward();
    }
    header.set_checksum(); // T64-09
    store(packet.data, header);
    return Outcome::forward();
}

} // namespace xlat646
