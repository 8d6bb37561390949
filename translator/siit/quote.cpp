// SPDX-License-Identifier: BSD-2-Clause
#include "translator/siit/quote.hpp"

#include <algorithm>
#include <cstring>

namespace xlat646 {
bool split_extension(std::uint8_t* message, std::size_t length, std::size_t attribute,
                     ExtendedQuote& parts) noexcept {
    parts.quote = message + IcmpHeader::size;
    parts.quote_length = length - IcmpHeader::size;
    if (attribute == 0) return true;
    if (attribute > parts.quote_length) return false;
    parts.extension = parts.quote + attribute;
    parts.extension_length = parts.quote_length - attribute;
    parts.quote_length = attribute;
    return true;
}

void Quoted::update_checksum(std::uint8_t proto, const ChecksumSum& delta) noexcept {
    const unsigned field = checksum_offset(proto);
    if (field == 0 || available < field + 2) return;
    const std::uint16_t old = load_native16(transport + field);
    if (proto == protocol::udp && old == 0) return;
    const std::uint16_t checksum = updated_checksum(old, delta);
    const bool is_udp = proto == protocol::udp || proto == protocol::udp_lite; // L4-03
    store_native16(transport + field, is_udp ? never_zero(checksum) : checksum);
}

QuoteParse parse_quote(std::uint8_t* bytes, std::size_t length, QuotedIpv4& quote) noexcept {
    if (length < Ipv4Header::size) return QuoteParse::too_short;
    quote.header = load<Ipv4Header>(bytes);
    const std::size_t header_length = quote.header.header_length();
    if (quote.header.version() != 4 || header_length < Ipv4Header::size) return QuoteParse::broken;
    if (length < header_length) return QuoteParse::too_short;
    if (quote.header.total_length.value() < header_length) return QuoteParse::broken;
    quote.transport = bytes + header_length;
    quote.available = length - header_length;
    return QuoteParse::ok;
}

QuoteParse parse_quote(std::uint8_t* bytes, std::size_t length, QuotedIpv6& quote) noexcept {
    if (length < Ipv6Header::size) return QuoteParse::too_short;
    Ipv6View& view = quote.view;
    view.header = load<Ipv6Header>(bytes);
    view.transport = bytes + Ipv6Header::size;
    view.transport_length = view.header.payload_length.value();
    view.has_fragment_header = false;
    if (view.header.version() != 6) return QuoteParse::broken;
    std::uint32_t pointer = 0;
    if (walk_extensions(view, length - Ipv6Header::size, pointer) != ExtensionWalk::ok)
        return QuoteParse::broken;
    quote.transport = view.transport;
    quote.available = length - static_cast<std::size_t>(view.transport - bytes);
    return QuoteParse::ok;
}

Arranged arrange(std::uint8_t* quote, std::size_t quote_length, const ExtendedQuote& parts,
                 bool is_extensible, std::size_t unit, std::size_t limit) noexcept {
    const std::size_t extension = parts.extension_length;
    if (extension == 0 || !is_extensible || least_extended_quote + extension > limit)
        return {std::min(quote_length, limit), 0};

    const std::size_t room = (limit - extension) / unit * unit;
    const std::size_t wanted =
        std::max(least_extended_quote, (quote_length + unit - 1) / unit * unit);
    const std::size_t field = std::min({wanted, room, 255 * unit}); // the attribute is one octet
    const std::size_t kept = std::min(quote_length, field);
    std::memmove(quote + field, parts.extension, extension);
    std::memset(quote + kept, 0, field - kept);
    return {field + extension, static_cast<std::uint8_t>(field / unit)};
}

} // namespace xlat646
