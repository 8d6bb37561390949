// SPDX-License-Identifier: BSD-2-Clause
//
// ICMP errors that the translator itself sends (matrix section 8). The discarded packet is still as
// received; the error is built in front of it and what does not fit is cut off.
#include "translator/siit/icmp_tables.hpp"
#include "translator/siit/trace.hpp"
#include "translator/siit/translator.hpp"

#include <algorithm>

namespace xlat646 {
namespace {

constexpr std::size_t largest_error4 = 576;  // G4-05
constexpr std::size_t largest_error6 = 1280; // G6-06
constexpr std::uint8_t own_hop_limit = 64;   // G4-06, G6-09
constexpr std::uint8_t error_tos = 0xc0;     // G4-07: internetwork control

/// What would have been on the wire: a super-packet's first segment, a finished checksum.
void make_quotable(Packet& packet) noexcept {
    if (packet.is_gso()) {
        Segmenter segmenter;
        Packet segment;
        if (segmenter.start(packet) && segmenter.next(segment)) packet = segment;
    } else if (packet.has_partial_checksum()) {
        (void)complete_checksum(packet); // nonsense offsets: quoted as they are
    }
    packet.offload = {};
}

} // namespace

bool Translator::may_send(const Error& error, bool is_ipv6, std::uint64_t source) noexcept {
    // A keyed hash of the source, so that a flood cannot aim at somebody else's bucket.
    std::uint64_t hash = (source ^ settings_.secrets[3]) * 0x9e3779b97f4a7c15ull;
    hash = (hash ^ (hash >> 29) ^ settings_.secrets[2]) * 0xbf58476d1ce4e5b9ull;
    return limiter_.allow(error.kind, is_ipv6, hash >> 32,
                          settings_.now_ms ? settings_.now_ms() : 0);
}

bool Translator::is_switched_off(ErrorKind kind) const noexcept {
    // G4-02: time exceeded and packet too big can only be limited.
    return (kind == ErrorKind::unreachable && !settings_.send_unreachable) ||
           (kind == ErrorKind::parameter_problem && !settings_.send_parameter_problem);
}

Outcome Translator::reject(Packet& packet, const Ipv4View& view, DropReason reason,
                           const Error& error) noexcept {
    // G4-03. Addresses that must not be answered are class H and were dropped long before.
    if (view.is_icmp_error() || !view.is_first_or_whole() || is_switched_off(error.kind)) {
        trace(Rule::error_forbidden4);
        return Outcome::drop(reason);
    }
    if (!may_send(error, false, view.source().value()))
        return Outcome::suppressed(reason, error.kind);

    trace(Rule::error_made4);
    make_quotable(packet);
    constexpr std::size_t headers = Ipv4Header::size + IcmpHeader::size;
    const std::size_t quoted = std::min(packet.length, largest_error4 - headers);
    IcmpHeader icmp;
    icmp.type = error.type;
    icmp.code = error.code;
    icmp.rest = error.rest;
    std::uint8_t* const message = packet.data - IcmpHeader::size;
    store(message, icmp);
    icmp.checksum =
        Be16::from_native(ChecksumSum().add(message, IcmpHeader::size + quoted).complement());
    store(message, icmp);

    Ipv4Header header; // G4-04, G4-11
    header.tos = error_tos;
    header.total_length = static_cast<std::uint16_t>(headers + quoted);
    header.ttl = own_hop_limit;
    header.protocol = protocol::icmp4;
    header.set_source(settings_.own4);
    header.set_destination(view.source());
    header.identification = identification_.next(settings_.own4, view.source(), protocol::icmp4);
    header.set_checksum();
    packet.data = message - Ipv4Header::size;
    packet.length = headers + quoted;
    store(packet.data, header);
    return Outcome::error(reason, error.kind);
}

Outcome Translator::reject(Packet& packet, const Ipv6View& view, DropReason reason,
                           const Error& error) noexcept {
    // G6-04. Sources and destinations that must not be answered are class H.
    const bool is_redirect = view.protocol == protocol::icmp6 && view.transport_length != 0 &&
                             view.transport[0] == icmp::v6::redirect;
    if (view.is_icmp_error() || is_redirect || is_switched_off(error.kind)) {
        trace(Rule::error_forbidden6);
        return Outcome::drop(reason);
    }
    const Ipv6Address source = view.header.source();
    if (!may_send(error, true, source.high() ^ (source.low() * 0xff51afd7ed558ccdull)))
        return Outcome::suppressed(reason, error.kind);

    trace(Rule::error_made6);
    make_quotable(packet);
    constexpr std::size_t headers = Ipv6Header::size + IcmpHeader::size;
    const std::size_t quoted = std::min(packet.length, largest_error6 - headers);
    const auto message_length = static_cast<std::uint16_t>(IcmpHeader::size + quoted);
    IcmpHeader icmp;
    icmp.type = error.type;
    icmp.code = error.code;
    icmp.rest = error.rest;
    std::uint8_t* const message = packet.data - IcmpHeader::size;
    store(message, icmp);
    icmp.checksum = Be16::from_native(ChecksumSum() // G6-10
                                          .add(settings_.own6)
                                          .add(source)
                                          .add(Be16(message_length))
                                          .add(Be16(protocol::icmp6))
                                          .add(message, message_length)
                                          .complement());
    store(message, icmp);

    Ipv6Header header;
    header.set_traffic_class(0);
    header.payload_length = message_length;
    header.next_header = protocol::icmp6;
    header.hop_limit = own_hop_limit;
    header.set_source(settings_.own6); // G6-05
    header.set_destination(source);
    packet.data = message - Ipv6Header::size;
    packet.length = headers + quoted;
    store(packet.data, header);
    return Outcome::error(reason, error.kind);
}

} // namespace xlat646
