// SPDX-License-Identifier: BSD-2-Clause
//
// Random packets that a translator has to forward: all protocols it knows, fragments, errors.
#pragma once

#include "tests/support/packets.hpp"
#include "tests/support/random.hpp"

namespace xlat646::test {

/// Client and server as the translator sees them on both sides.
struct Peers {
    Ipv4Address client4 = *Ipv4Address::parse("198.51.100.7");
    Ipv4Address server4 = *Ipv4Address::parse("192.0.2.1");
    Ipv6Address client6 = *Ipv6Address::parse("2001:db8:64::198.51.100.7");
    Ipv6Address server6 = *Ipv6Address::parse("2001:db8:1::10");
};

/// From client to server, with a right checksum; at most `largest` bytes.
Bytes random_ipv4(Random& random, const Peers& peers, std::size_t largest);
/// From server to client.
Bytes random_ipv6(Random& random, const Peers& peers, std::size_t largest);
/// An ICMPv4 error from the client about a packet of the server, 11/x, 3/1, 3/3 or 3/4.
Bytes random_error4(Random& random, const Peers& peers, std::size_t largest);

} // namespace xlat646::test
