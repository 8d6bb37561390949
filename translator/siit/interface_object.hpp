// SPDX-License-Identifier: BSD-2-Clause
//
// The original IPv6 source of an ICMP error that leaves with an RFC 6791 pool address: an interface
// IP address object (RFC 5837 section 4) in the message's extension structure (S91-05, X84-10).
#pragma once

#include "mapping/address.hpp"
#include "translator/siit/quote.hpp"

namespace xlat646 {

/// Bytes that append_source_object() may write behind the message.
inline constexpr std::size_t source_object_room = 28;

/// Appends the object to the extension in `parts`, or begins one behind the quote; both lie at the
/// very end of the message. Does nothing when the message has a role-0 object already, when its
/// extension is not sound, or when the whole would not fit in `limit` bytes.
void append_source_object(ExtendedQuote& parts, const Ipv6Address& source,
                          std::size_t limit) noexcept;

} // namespace xlat646
