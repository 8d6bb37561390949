// SPDX-License-Identifier: BSD-2-Clause
//
// RFC 7915 sections 5.2 and 5.3: ICMPv6 messages and the packets quoted in ICMPv6 errors.
#include "translator/siit/icmp_tables.hpp"
#include "translator/siit/interface_object.hpp"
#include "translator/siit/quote.hpp"
#include "translator/siit/trace.hpp"
#include "translator/siit/translator.hpp"

#include <algorithm>

namespace xlat646 {
namespace {

constexpr std::uint32_t ipv6_minimum_mtu = 1280;
constexpr std::size_t largest_without_df = 1260; // T64-06

constexpr bool is_translatable_quote(std::uint8_t proto) {
    // T64-16, T64-19 hold for quoted packets too (INN-01).
    return proto != protocol::icmp4 && proto != protocol::igmp && proto != protocol::mobility &&
           proto != protocol::hip && proto != protocol::shim6;
}

} // namespace

Outcome Translator::icmp_v6_to_v4(Packet& packet, const Ipv6View& view, Ipv4Address source,
                                  Ipv4Address client, const MappingTable& table,
                                  bool hairpin) noexcept {
    if (view.is_real_fragment()) return Outcome::drop(DropReason::frag_icmp); // F64-05
    if (view.transport_length < IcmpHeader::size) return Outcome::drop(DropReason::icmp_malformed);
    std::uint8_t* const message = view.transport;
    const std::uint8_t type = message[0];
    if (type != icmp::v6::echo_request && type != icmp::v6::echo_reply)
        return icmp_error_v6_to_v4(packet, view, source, client, table, hairpin);

    if (Ipv4Header::size + view.transport_length > largest_packet)
        return Outcome::drop(DropReason::too_big);
    if (const std::uint32_t mtu = exceeded_mtu4(packet, view, hairpin))
        return reject_too_big(packet, view, mtu);
    trace(Rule::fits4);
    trace(Rule::echo_to_v4);
    const auto old_word = load<Be16>(message);
    message[0] = type == icmp::v6::echo_request ? icmp::v4::echo_request : icmp::v4::echo_reply;
    const ChecksumSum delta = // CK-06
        ChecksumSum()
            .add(load<Be16>(message))
            .subtract(ChecksumSum()
                          .add(old_word)
                          .add(view.header.source())
                          .add(view.header.destination())
                          .add(Be16(static_cast<std::uint16_t>(view.transport_length)))
                          .add(Be16(protocol::icmp6)));
    store_native16(message + 2, updated_checksum(load_native16(message + 2), delta));
    settle_zero_message(message, view.transport_length, 2);
    return emit_v4(packet, view, source, client, hairpin);
}

Outcome Translator::icmp_error_v6_to_v4(Packet& packet, const Ipv6View& view, Ipv4Address source,
                                        Ipv4Address client, const MappingTable& table,
                                        bool hairpin) noexcept {
    std::uint8_t* const message = view.transport;
    const auto icmp_in = load<IcmpHeader>(message);
    const icmp::Translated target =
        icmp::error_to_v4(icmp_in.type, icmp_in.code, settings_.map_icmpv6_policy_codes);
    if (!target.exists) return Outcome::drop(DropReason::icmp_type);
    trace(Rule::error_type6);
    const auto message_in_length = static_cast<std::uint16_t>(view.transport_length);
    if (ChecksumSum() // I64-02
            .add(view.header.source())
            .add(view.header.destination())
            .add(Be16(message_in_length))
            .add(Be16(protocol::icmp6))
            .add(message, message_in_length)
            .fold() != 0xffff)
        return Outcome::drop(DropReason::icmp_checksum);
    trace(Rule::error_checksum6);

    // The second word, but for the MTU.
    std::uint32_t rest = 0; // I64-05
    if (target.rest == icmp::Rest::pointer) {
        const int pointer = icmp::pointer_to_v4(icmp_in.rest.value());
        if (pointer == icmp::no_pointer) return Outcome::drop(DropReason::icmp_pointer);
        rest = static_cast<std::uint32_t>(pointer) << 24;
    }

    // The quoted packet (matrix section 4).
    ExtendedQuote parts;
    if (!split_extension(message, view.transport_length,
                         icmp::is_extensible_v6(icmp_in.type) ? message[4] * 8u : 0, parts))
        return Outcome::drop(DropReason::icmp_extension); // X84-07
    QuotedIpv6 quote;
    switch (parse_quote(parts.quote, parts.quote_length, quote)) {
    case QuoteParse::ok: break;
    case QuoteParse::too_short: return Outcome::drop(DropReason::icmp_malformed);
    case QuoteParse::broken: return Outcome::drop(DropReason::icmp_quote);
    }
    if (parts.extension_length != 0) strip_padding(quote);
    const Ipv6View& inner_view = quote.view;
    if (inner_view.header.source() != view.header.destination()) // I64-07
        return Outcome::drop(DropReason::icmp_mismatch);
    MatchedIpv4 server{};
    if (!table.find(inner_view.header.destination(), server))
        return Outcome::drop(DropReason::icmp_quote);
    if (!is_translatable_quote(inner_view.protocol)) return Outcome::drop(DropReason::icmp_quote);
    const bool is_first = inner_view.is_first_or_whole();
    const bool is_icmp = inner_view.protocol == protocol::icmp6;
    if (is_icmp && is_first) {
        if (quote.available == 0 || inner_view.is_real_fragment()) // INN-12
            return Outcome::drop(DropReason::icmp_quote);
        const std::uint8_t type = quote.transport[0];
        if (type != icmp::v6::echo_request && type != icmp::v6::echo_reply) // INN-02, INN-09
            return Outcome::drop(DropReason::icmp_nested);
    }
    trace(Rule::quote6);
    if (target.rest == icmp::Rest::mtu) { // I64-03, I64-04
        trace(Rule::mtu_to_v4);
        const std::uint32_t growth = inner_view.has_fragment_header ? 28 : 20;
        rest = std::min({std::max(icmp_in.rest.value(), ipv6_minimum_mtu) - growth, settings_.mtu4,
                         settings_.mtu6 - 20, std::uint32_t{0xffff}});
    }

    trace(Rule::quote_to_v4);
    // From here on the message is rewritten: first what lies behind the quoted header.
    constexpr std::size_t outer_headers = Ipv4Header::size + IcmpHeader::size;
    const std::size_t limit =
        std::min(settings_.icmp4_error_size, settings_.mtu4) - outer_headers; // INN-14
    const bool is_unmapped = slot_ == no_slot; // the source is from the pool
    if (is_unmapped && settings_.append_original_source && icmp::is_extensible_v4(target.type))
        append_source_object(parts, view.header.source(), limit); // S91-05
    if (is_icmp && is_first) {                                    // INN-09
        const auto old_word = quote.type_word();
        quote.transport[0] = quote.transport[0] == icmp::v6::echo_request ? icmp::v4::echo_request
                                                                          : icmp::v4::echo_reply;
        if (quote.available >= 4) {
            const ChecksumSum delta =
                ChecksumSum()
                    .add(quote.type_word())
                    .subtract(ChecksumSum()
                                  .add(old_word)
                                  .add(inner_view.header.source())
                                  .add(inner_view.header.destination())
                                  .add(Be16(static_cast<std::uint16_t>(quote.claimed_length())))
                                  .add(Be16(protocol::icmp6)));
            store_native16(quote.transport + 2,
                           updated_checksum(load_native16(quote.transport + 2), delta));
        }
    } else if (is_first) { // INN-07
        quote.update_checksum(
            inner_view.protocol,
            ChecksumSum().subtract(ChecksumSum(prefix_sum_).add_native(server.delta)));
    }

    Ipv4Header inner; // INN-10
    const std::size_t inner_total =
        std::min(Ipv4Header::size + quote.claimed_length(), largest_packet); // INN-05
    inner.tos = traffic_class(inner_view.header.traffic_class());
    inner.total_length = static_cast<std::uint16_t>(inner_total);
    inner.ttl = inner_view.header.hop_limit; // TTL-05
    inner.protocol = is_icmp ? protocol::icmp4 : inner_view.protocol;
    if (inner_view.has_fragment_header) {
        inner.identification =
            static_cast<std::uint16_t>(inner_view.fragment.identification.value());
        inner.flags_and_offset = static_cast<std::uint16_t>(
            inner_view.fragment.offset() |
            (inner_view.fragment.more() ? Ipv4Header::more_fragments : 0u));
    } else if (inner_total > largest_without_df) {
        inner.flags_and_offset = Ipv4Header::dont_fragment;
    }
    inner.set_source(client);
    inner.set_destination(server.address);
    inner.set_checksum();
    std::uint8_t* const inner_at = quote.transport - Ipv4Header::size;
    store(inner_at, inner);

    trace(Rule::error_to_v4);
    const Arranged arranged =
        arrange(inner_at, Ipv4Header::size + quote.available, parts,
                icmp::is_extensible_v4(target.type), 4, limit); // X84-03, X84-04
    IcmpHeader icmp_out;
    icmp_out.type = target.type;
    icmp_out.code = target.code;
    icmp_out.rest = rest | (static_cast<std::uint32_t>(arranged.length_attribute) << 16); // X84-01
    std::uint8_t* const message_out = inner_at - IcmpHeader::size;
    const std::size_t message_length = IcmpHeader::size + arranged.length;
    store(message_out, icmp_out);
    icmp_out.checksum =
        Be16::from_native(ChecksumSum().add(message_out, message_length).complement()); // INN-15
    store(message_out, icmp_out);

    Ipv6View outer = view; // INN-03
    outer.transport = message_out;
    outer.transport_length = message_length;
    packet.offload = {};
    return emit_v4(packet, outer, source, client, hairpin);
}

} // namespace xlat646
