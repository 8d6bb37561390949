// SPDX-License-Identifier: BSD-2-Clause
//
// Who takes part in unit tests: a server with a pair, and a client seen through the prefix
// 2001:db8:64::/96.
#pragma once

#include "mapping/address.hpp"

namespace xlat646::test {

inline const Ipv4Address client4 = *Ipv4Address::parse("198.51.100.7");
inline const Ipv4Address server4 = *Ipv4Address::parse("192.0.2.1");
inline const Ipv6Address client6 = *Ipv6Address::parse("2001:db8:64::198.51.100.7");
inline const Ipv6Address server6 = *Ipv6Address::parse("2001:db8:1::10");

} // namespace xlat646::test
