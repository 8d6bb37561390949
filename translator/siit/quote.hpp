// SPDX-License-Identifier: BSD-2-Clause
//
// The packet quoted in an ICMP error and the RFC 4884 extension behind it (matrix sections 4 and
// 12). A quote is mostly cut short: its length fields are claims about a packet that is not here.
#pragma once

#include "translator/siit/views.hpp"

#include <cstddef>
#include <cstdint>

namespace xlat646 {

/// The quote's field in an extended message is at least this long (X84-02).
inline constexpr std::size_t least_extended_quote = 128;

/// What follows the 8 bytes of an ICMP error's header.
struct ExtendedQuote {
    std::uint8_t* quote = nullptr;
    std::size_t quote_length = 0;
    std::uint8_t* extension = nullptr;
    std::size_t extension_length = 0; ///< 0: none
};

/// X84-07, X84-08. `attribute`: the length attribute in bytes, 0 for none. False: it lies.
[[nodiscard]] bool split_extension(std::uint8_t* message, std::size_t length, std::size_t attribute,
                                   ExtendedQuote& parts) noexcept;

enum class QuoteParse : std::uint8_t { ok, too_short, broken };

struct Quoted {
    std::uint8_t* transport = nullptr;
    std::size_t available = 0; ///< bytes in hand from `transport` on

    Be16 type_word() const {
        const std::uint8_t word[2] = {transport[0], available > 1 ? transport[1] : std::uint8_t{0}};
        return load<Be16>(word);
    }
    /// INN-07, INN-08: by difference, if there is a field and it was quoted; a UDP checksum of 0
    /// stays 0.
    void update_checksum(std::uint8_t proto, const ChecksumSum& delta) noexcept;
};

struct QuotedIpv4 : Quoted {
    Ipv4Header header;

    /// Bytes behind the header in the packet that was sent (INN-05).
    std::uint16_t claimed_length() const {
        return static_cast<std::uint16_t>(header.total_length.value() - header.header_length());
    }
};

/// INN-06, INN-10, INN-11: options are skipped, the header checksum is not looked at.
[[nodiscard]] QuoteParse parse_quote(std::uint8_t* bytes, std::size_t length,
                                     QuotedIpv4& quote) noexcept;

struct QuotedIpv6 : Quoted {
    Ipv6View view;

    std::size_t claimed_length() const { return view.transport_length; }
};

/// INN-13.
[[nodiscard]] QuoteParse parse_quote(std::uint8_t* bytes, std::size_t length,
                                     QuotedIpv6& quote) noexcept;

/// The field that holds the quote is padded with zeros (X84-02): they are no part of the packet.
template <class Quote> void strip_padding(Quote& quote) noexcept {
    if (quote.available > quote.claimed_length()) quote.available = quote.claimed_length();
}

struct Arranged {
    std::size_t length = 0;            ///< of quote, padding and extension
    std::uint8_t length_attribute = 0; ///< in `unit` bytes; 0: no extension
};

/// X84-03, X84-04, X84-06: puts the extension behind the translated quote at `quote`, padded to 128
/// bytes and a multiple of `unit` (8 for ICMPv6, 4 for ICMPv4), all within `limit` bytes; without
/// an extension cuts the quote at the limit.
Arranged arrange(std::uint8_t* quote, std::size_t quote_length, const ExtendedQuote& parts,
                 bool is_extensible, std::size_t unit, std::size_t limit) noexcept;

} // namespace xlat646
