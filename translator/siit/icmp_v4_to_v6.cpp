// SPDX-License-Identifier: BSD-2-Clause
//
// RFC 7915 sections 4.2 and 4.3: ICMPv4 messages and the packets quoted in ICMPv4 errors.
#include "translator/siit/icmp_tables.hpp"
#include "translator/siit/quote.hpp"
#include "translator/siit/trace.hpp"
#include "translator/siit/translator.hpp"

#include <algorithm>

namespace xlat646 {
namespace {

constexpr std::size_t largest_error6 = 1280; // F46-18
constexpr std::uint32_t ipv6_minimum_mtu = 1280;

constexpr bool is_translatable_quote(std::uint8_t proto) {
    // T46-19 holds for quoted packets too (INN-01): we have never made such a packet.
    switch (proto) {
    case protocol::igmp:
    case protocol::hop_by_hop:
    case protocol::routing:
    case protocol::fragment:
    case protocol::icmp6:
    case protocol::destination_options:
    case protocol::mobility:
    case protocol::hip:
    case protocol::shim6: return false;
    default: return true;
    }
}

} // namespace

Outcome Translator::icmp_v4_to_v6(Packet& packet, const Ipv4View& view, const MatchedIpv6& server,
                                  const MappingTable& table, Pass pass) noexcept {
    if (view.is_fragment()) return Outcome::drop(DropReason::frag_icmp); // F46-12
    if (view.transport_length < IcmpHeader::size)                        // I46-04
        return Outcome::drop(DropReason::icmp_malformed);
    std::uint8_t* const message = view.transport;
    const std::uint8_t type = message[0];
    if (type != icmp::v4::echo_request && type != icmp::v4::echo_reply)
        return icmp_error_v4_to_v6(packet, view, server, table, pass);

    if (pass == Pass::only)
        if (const std::uint32_t mtu = exceeded_mtu6(packet, view))
            return reject_too_big(packet, view, mtu);
    trace_if(view.header.df(), Rule::fits6);
    trace(Rule::echo_to_v6);
    trace(Rule::source_embedded);
    const Ipv6Address source = settings_.prefix.embed(view.source());
    const auto old_word = load<Be16>(message);
    message[0] = type == icmp::v4::echo_request ? icmp::v6::echo_request : icmp::v6::echo_reply;
    const ChecksumSum delta = // CK-06
        ChecksumSum()
            .subtract(ChecksumSum().add(old_word))
            .add(load<Be16>(message))
            .add(source)
            .add(server.address)
            .add(Be16(static_cast<std::uint16_t>(view.transport_length)))
            .add(Be16(protocol::icmp6));
    store_native16(message + 2, updated_checksum(load_native16(message + 2), delta));
    return emit_v6(packet, view, source, server.address, pass);
}

std::uint32_t Translator::mtu_to_v6(std::uint32_t mtu, std::uint32_t quoted_total) const noexcept {
    if (mtu == 0) { // I46-06
        for (const std::uint16_t plateau : settings_.plateaus) {
            if (plateau < ipv6_minimum_mtu) break;
            if (plateau >= quoted_total) continue;
            mtu = plateau;
            break;
        }
        if (mtu == 0) return ipv6_minimum_mtu;
    }
    return std::max(ipv6_minimum_mtu,
                    std::min({mtu + 20, settings_.mtu6, settings_.mtu4 + 20})); // I46-05
}

Outcome Translator::icmp_error_v4_to_v6(Packet& packet, const Ipv4View& view,
                                        const MatchedIpv6& server, const MappingTable& table,
                                        Pass pass) noexcept {
    std::uint8_t* const message = view.transport;
    const auto icmp_in = load<IcmpHeader>(message);
    const icmp::Translated target = icmp::error_to_v6(icmp_in.type, icmp_in.code);
    if (!target.exists) return Outcome::drop(DropReason::icmp_type);
    trace(Rule::error_type4);
    if (ChecksumSum().add(message, view.transport_length).fold() != 0xffff) // I46-03
        return Outcome::drop(DropReason::icmp_checksum);
    trace(Rule::error_checksum4);

    // The second word.
    std::uint32_t rest = 0; // I46-09
    if (target.rest == icmp::Rest::pointer) {
        const int pointer = icmp::pointer_to_v6(icmp_in.rest.value() >> 24);
        if (pointer == icmp::no_pointer) return Outcome::drop(DropReason::icmp_pointer);
        rest = static_cast<std::uint32_t>(pointer);
    } else if (target.rest == icmp::Rest::next_header_pointer) {
        rest = offsetof(Ipv6Header, next_header); // I46-08
    }

    // The quoted packet (matrix section 4).
    ExtendedQuote parts;
    if (!split_extension(message, view.transport_length,
                         icmp::is_extensible_v4(icmp_in.type) ? message[5] * 4u : 0, parts))
        return Outcome::drop(DropReason::icmp_extension); // X84-07
    QuotedIpv4 quote;
    switch (parse_quote(parts.quote, parts.quote_length, quote)) {
    case QuoteParse::ok: break;
    case QuoteParse::too_short: return Outcome::drop(DropReason::icmp_malformed); // I46-04
    case QuoteParse::broken: return Outcome::drop(DropReason::icmp_quote);
    }
    if (parts.extension_length != 0) strip_padding(quote);
    if (quote.header.source() != view.destination()) // I46-11
        return Outcome::drop(DropReason::icmp_mismatch);
    if (is_hard_martian(quote.header.destination()) ||
        !is_translatable_quote(quote.header.protocol))
        return Outcome::drop(DropReason::icmp_quote);
    const bool is_first = quote.header.fragment_offset() == 0;
    const bool is_icmp = quote.header.protocol == protocol::icmp4;
    if (is_icmp && is_first) {
        if (quote.available == 0 || quote.header.mf()) // INN-12
            return Outcome::drop(DropReason::icmp_quote);
        const std::uint8_t type = quote.transport[0];
        if (type != icmp::v4::echo_request && type != icmp::v4::echo_reply) // INN-02, INN-09
            return Outcome::drop(DropReason::icmp_nested);
    }
    trace(Rule::quote4);
    trace_if(target.rest == icmp::Rest::mtu, Rule::mtu_to_v6);
    if (target.rest == icmp::Rest::mtu)
        rest = mtu_to_v6(icmp_in.rest.value() & 0xffff, quote.header.total_length.value());
    const Ipv6Address quoted_destination =
        settings_.prefix.embed(quote.header.destination()); // HP-02

    trace(Rule::quote_to_v6);
    // From here on the message is rewritten: first what lies behind the quoted header.
    if (is_icmp && is_first) { // INN-09
        const auto old_word = quote.type_word();
        quote.transport[0] = quote.transport[0] == icmp::v4::echo_request ? icmp::v6::echo_request
                                                                          : icmp::v6::echo_reply;
        if (quote.available >= 4) {
            const ChecksumSum delta = ChecksumSum()
                                          .subtract(ChecksumSum().add(old_word))
                                          .add(quote.type_word())
                                          .add(server.address)
                                          .add(quoted_destination)
                                          .add(Be16(quote.claimed_length()))
                                          .add(Be16(protocol::icmp6));
            store_native16(quote.transport + 2,
                           updated_checksum(load_native16(quote.transport + 2), delta));
        }
    } else if (is_first) { // INN-07
        quote.update_checksum(quote.header.protocol,
                              ChecksumSum(prefix_sum_).add_native(server.delta));
    }

    Ipv6Header inner;
    const bool has_fragment_header = quote.header.is_fragment(); // INN-12
    const std::size_t inner_header =
        Ipv6Header::size + (has_fragment_header ? FragmentHeader::size : 0);
    const std::uint8_t inner_protocol = is_icmp ? protocol::icmp6 : quote.header.protocol;
    inner.set_traffic_class(traffic_class(quote.header.tos));
    inner.payload_length = static_cast<std::uint16_t>( // INN-05
        quote.claimed_length() + (inner_header - Ipv6Header::size));
    inner.next_header = has_fragment_header ? protocol::fragment : inner_protocol;
    inner.hop_limit = quote.header.ttl; // TTL-05
    inner.set_source(server.address);
    inner.set_destination(quoted_destination);
    std::uint8_t* const inner_at = quote.transport - inner_header;
    store(inner_at, inner);
    if (has_fragment_header) {
        FragmentHeader fragment;
        fragment.next_header = inner_protocol;
        fragment.set_offset(quote.header.fragment_offset(), quote.header.mf());
        fragment.identification = quote.header.identification.value();
        store(inner_at + Ipv6Header::size, fragment);
    }

    trace(Rule::error_to_v6);
    constexpr std::size_t outer_headers = Ipv6Header::size + IcmpHeader::size;
    const Arranged arranged = arrange(inner_at, inner_header + quote.available, parts,
                                      icmp::is_extensible_v6(target.type), 8,
                                      largest_error6 - outer_headers); // X84-03, X84-04
    IcmpHeader icmp_out;
    icmp_out.type = target.type;
    icmp_out.code = target.code;
    icmp_out.rest = rest | (static_cast<std::uint32_t>(arranged.length_attribute) << 24); // X84-01
    std::uint8_t* const message_out = inner_at - IcmpHeader::size;
    store(message_out, icmp_out);
    const auto message_length = static_cast<std::uint16_t>(IcmpHeader::size + arranged.length);

    // HP-03: the outer source comes from the table unless it is the quoted destination.
    Ipv6Address source = settings_.prefix.embed(view.source());
    MatchedIpv6 router{};
    if (view.source() != quote.header.destination() && table.find(view.source(), router))
        source = router.address;
    icmp_out.checksum = Be16::from_native(ChecksumSum() // INN-15
                                              .add(source)
                                              .add(server.address)
                                              .add(Be16(message_length))
                                              .add(Be16(protocol::icmp6))
                                              .add(message_out, message_length)
                                              .complement());
    store(message_out, icmp_out);

    trace(Rule::header6);
    trace_if(settings_.dscp.has_value(), Rule::dscp_set);
    Ipv6Header outer;
    outer.set_traffic_class(traffic_class(view.header.tos));
    outer.payload_length = message_length; // INN-03
    outer.next_header = protocol::icmp6;
    outer.hop_limit = static_cast<std::uint8_t>(view.header.ttl - (pass == Pass::only ? 1 : 0));
    outer.set_source(source);
    outer.set_destination(server.address);
    packet.data = message_out - Ipv6Header::size;
    packet.length = Ipv6Header::size + message_length;
    packet.offload = {};
    store(packet.data, outer);
    return Outcome::forward();
}

} // namespace xlat646
