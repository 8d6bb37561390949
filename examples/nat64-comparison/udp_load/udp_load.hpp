// SPDX-License-Identifier: BSD-2-Clause
//
// Sends and receives UDP datagrams faster than the path between them. A datagram begins with the
// tag of its run, so that stragglers of an earlier run are not counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <string>

namespace xlat646::udp_load {

struct SendOptions {
    in6_addr to{};             ///< IPv4 as ::ffff:a.b.c.d
    std::uint32_t targets = 1; ///< random ones of that many addresses from `to` on
    in6_addr from{};
    std::uint32_t sources = 0; ///< random ones of that many IPv6 addresses from `from` on; 0: as is
    std::uint16_t port = 0;
    std::size_t size = 64;
    unsigned segments = 1; ///< datagrams in one send (UDP_SEGMENT)
    double rate = 0;       ///< datagrams per second; 0: as fast as it goes
    double seconds = 1;
    bool precedence = false; ///< over all else on this CPU, as if it were a machine of its own
    std::uint64_t tag = 0;
};

struct ReceiveOptions {
    bool ipv6 = false;
    std::uint16_t port = 0;
    std::size_t size = 64;
    bool merged = false; ///< UDP_GRO: takes several datagrams in one go
    std::uint64_t tag = 0;
};

/// Both print one line of JSON and throw std::system_error.
void send(const SendOptions& options);
/// Prints "ready", and the result once standard input is closed and nothing arrives any more.
void receive(const ReceiveOptions& options);

/// Throws std::invalid_argument.
in6_addr parse_address(const std::string& text);
bool is_ipv4(const in6_addr& address);
double now();
[[noreturn]] void fail(const char* what);
void set_option(int fd, int level, int name, int value, const char* what);

} // namespace xlat646::udp_load
