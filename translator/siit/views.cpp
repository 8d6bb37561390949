// SPDX-License-Identifier: BSD-2-Clause
#include "translator/siit/views.hpp"

#include "translator/siit/icmp_tables.hpp"

namespace xlat646 {
namespace {

constexpr unsigned max_extension_headers = 8; // T64-12

/// T46-14, T46-15: false when an option does not fit.
bool walk_options(const std::uint8_t* options, std::size_t length, bool& source_route) noexcept {
    constexpr std::uint8_t end = 0, no_operation = 1, loose = 131, strict = 137;
    for (std::size_t at = 0; at < length;) {
        const std::uint8_t type = options[at];
        if (type == end) return true;
        if (type == no_operation) {
            ++at;
            continue;
        }
        if (at + 1 >= length) return false;
        const std::size_t size = options[at + 1];
        if (size < 2 || at + size > length) return false;
        if (type == loose || type == strict) {
            if (size < 3) return false; // no room for its pointer
            if (options[at + 2] <= size) source_route = true;
        }
        at += size;
    }
    return true;
}

bool is_extension_header(std::uint8_t next) {
    return next == protocol::hop_by_hop || next == protocol::routing ||
           next == protocol::destination_options;
}

/// F64-02.
bool is_refused_behind_fragment(std::uint8_t next) {
    return is_extension_header(next) || next == protocol::ah || next == protocol::mobility ||
           next == protocol::hip || next == protocol::shim6;
}

} // namespace

bool Ipv4View::is_icmp_error() const {
    if (header.protocol != protocol::icmp4) return false;
    if (!is_first_or_whole() || transport_length == 0) return true;
    return icmp::v4::is_error(transport[0]);
}

bool Ipv6View::is_icmp_error() const {
    if (protocol != protocol::icmp6) return false;
    if (!is_first_or_whole() || transport_length == 0) return true;
    return icmp::v6::is_error(transport[0]);
}

bool parse(std::uint8_t* bytes, std::size_t length, Ipv4View& view) noexcept {
    if (length < Ipv4Header::size) return false;
    view.header = load<Ipv4Header>(bytes);
    const std::size_t header_length = view.header.header_length();
    const std::size_t total = view.header.total_length.value();
    if (view.header.version() != 4 || header_length < Ipv4Header::size) return false;
    if (total < header_length || total > length) return false;
    const bool has_options = header_length != Ipv4Header::size;
    const ChecksumSum sum =
        has_options ? ChecksumSum().add(bytes, header_length) : view.header.sum();
    if (sum.fold() != 0xffff) return false;
    view.transport = bytes + header_length;
    view.header_length = header_length;
    view.transport_length = total - header_length;
    view.has_source_route = false;
    return !has_options || walk_options(bytes + Ipv4Header::size, header_length - Ipv4Header::size,
                                        view.has_source_route);
}

bool parse(std::uint8_t* bytes, std::size_t length, Ipv6View& view) noexcept {
    if (length < Ipv6Header::size) return false;
    view.header = load<Ipv6Header>(bytes);
    view.transport = bytes + Ipv6Header::size;
    view.transport_length = view.header.payload_length.value();
    view.protocol = view.header.next_header;
    view.has_fragment_header = false;
    return view.header.version() == 6 && Ipv6Header::size + view.transport_length <= length;
}

ExtensionWalk walk_extensions(Ipv6View& view, std::size_t available,
                              std::uint32_t& pointer) noexcept {
    std::uint8_t next = view.header.next_header;
    std::uint8_t* at = view.transport;
    std::size_t payload = view.transport_length;
    bool segments_left = false;
    const auto advance = [&](std::size_t size) {
        if (size > available || size > payload) return false;
        at += size;
        available -= size;
        payload -= size;
        return true;
    };

    for (unsigned count = 0; is_extension_header(next); ++count) {
        if (count == max_extension_headers) return ExtensionWalk::malformed;
        if (next == protocol::hop_by_hop && count != 0) return ExtensionWalk::malformed;
        const std::uint8_t* const header = at;
        if (available < 8 || payload < 8) return ExtensionWalk::malformed;
        if (!advance(8 * (std::size_t{header[1]} + 1))) return ExtensionWalk::malformed;
        if (next == protocol::routing && header[3] != 0 && !segments_left) {
            pointer = static_cast<std::uint32_t>(header - view.transport) + Ipv6Header::size + 3;
            segments_left = true; // walk on: what may be answered depends on the last header
        }
        next = header[0];
    }

    if (next == protocol::fragment) {
        const std::uint8_t* const header = at;
        if (!advance(FragmentHeader::size)) return ExtensionWalk::malformed;
        view.fragment = load<FragmentHeader>(header);
        view.has_fragment_header = true;
        next = view.fragment.next_header;
    }
    ExtensionWalk result = segments_left ? ExtensionWalk::segments_left : ExtensionWalk::ok;
    if (view.has_fragment_header && !segments_left) {
        if (next == protocol::fragment)
            result = ExtensionWalk::second_fragment;
        else if (is_refused_behind_fragment(next))
            result = ExtensionWalk::behind_fragment;
    }
    // Refused, but what may be answered still depends on the last header (G6-04).
    while (result != ExtensionWalk::ok && view.is_first_or_whole() && is_extension_header(next) &&
           available >= 8) {
        const std::uint8_t* const header = at;
        if (!advance(8 * (std::size_t{header[1]} + 1))) break;
        next = header[0];
    }
    view.transport = at;
    view.transport_length = payload;
    view.protocol = next;
    return result;
}

bool normalize_used_offload(Packet& packet, const std::uint8_t* transport, std::uint8_t proto,
                            bool is_fragment, bool is_ipv6) noexcept {
    OffloadHeader& offload = packet.offload;
    offload.flags &= OffloadHeader::needs_checksum; // GSO-10
    if (is_fragment) return false;                  // GSO-11

    const auto start = static_cast<std::size_t>(transport - packet.data);
    const std::size_t available = packet.length - start;
    if (packet.is_gso()) {
        const auto type = static_cast<std::uint8_t>(offload.gso_type & ~OffloadHeader::gso_ecn);
        const std::uint8_t tcp = is_ipv6 ? OffloadHeader::gso_tcp6 : OffloadHeader::gso_tcp4;
        const bool is_tcp = proto == protocol::tcp && type == tcp && available >= 20;
        const bool is_udp = proto == protocol::udp && available >= 8 &&
                            offload.gso_type == OffloadHeader::gso_udp && offload.flags != 0;
        if ((!is_tcp && !is_udp) || offload.gso_size == 0) return false;
        const std::size_t header = gso_transport_header(packet, transport);
        // GSO-05: without data there is nothing that could be cut.
        if (header >= available || (proto == protocol::tcp && header < 20)) return false;
        offload.header_length = static_cast<std::uint16_t>(start + header);
    }
    if (offload.flags == 0) {
        offload.checksum_start = 0;
        offload.checksum_offset = 0;
        return true;
    }
    const unsigned field = checksum_offset(proto);
    if (field != 0 && offload.checksum_start == start && offload.checksum_offset == field &&
        field + 2 <= available) {
        if (!packet.is_gso()) offload.header_length = 0;
        return true;
    }
    // A checksum over the ICMP type would turn the message into one that nothing has judged.
    const std::size_t at = std::size_t{offload.checksum_start} + offload.checksum_offset;
    const bool is_icmp = proto == (is_ipv6 ? protocol::icmp6 : protocol::icmp4);
    if (is_icmp && (at == start || at + 1 == start)) return false;
    return complete_checksum(packet); // GSO-04; refuses GSO packets
}

} // namespace xlat646
