// SPDX-License-Identifier: BSD-2-Clause
#include "tests/fuzz/packet_input.hpp"

#include "translator/wire/packet.hpp"

#include <algorithm>

namespace xlat646::fuzz {
namespace {

using test::Bytes;

// Of the table that every variant has; `p` is the prefix of all variants but one.
const Ipv4Address client4 = *Ipv4Address::parse("198.51.100.7");
const Ipv4Address server4 = *Ipv4Address::parse("192.0.2.1");
const Ipv4Address other4 = *Ipv4Address::parse("192.0.2.2");
const Ipv6Address server6 = *Ipv6Address::parse("2001:db8:1::10");
const Ipv6Address other6 = *Ipv6Address::parse("2001:db8:2::20");
const Ipv6Address client6 = *Ipv6Address::parse("2001:db8:64::198.51.100.7");
const Ipv6Address other_in_p = *Ipv6Address::parse("2001:db8:64::192.0.2.2");
const Ipv6Address router6 = *Ipv6Address::parse("2001:db8:ff::1");

void put_address(std::uint8_t* at, const Ipv6Address& a) {
    const auto bytes = a.bytes();
    std::copy(bytes.begin(), bytes.end(), at);
}

void repair_ipv4(Bytes& p, std::uint8_t flags) {
    if (p.size() < 20) return;
    if ((flags & map_addresses) != 0) test::put32(&p[16], server4.value());
    if ((flags & fill_length) != 0) test::put16(&p[2], p.size());
    const std::size_t header = (p[0] & 15u) * 4u;
    if ((flags & leave_header_checksum) == 0 && header >= 20 && header <= p.size()) {
        test::put16(&p[10], 0);
        test::put16(&p[10], 0xffffu - test::plain_sum(p.data(), header));
    }
    if ((flags & fill_checksum) != 0) p = test::finish(std::move(p));
}

void repair_ipv6(Bytes& p, std::uint8_t flags) {
    if (p.size() < 40) return;
    if ((flags & map_addresses) != 0) {
        put_address(&p[8], server6);
        put_address(&p[24], (flags & hairpin) != 0 ? other_in_p : client6);
    }
    if ((flags & fill_length) != 0) test::put16(&p[4], p.size() - 40);
    if ((flags & fill_checksum) != 0) p = test::finish(std::move(p));
}

Bytes error_v4(std::uint8_t shape, Bytes message) {
    if (message.size() >= 28 && (shape & 2) == 0) { // the quote is of a packet from the server
        std::uint8_t* const quote = &message[8];
        quote[0] = static_cast<std::uint8_t>(0x40 | std::max(quote[0] & 15, 5));
        test::put32(quote + 12, server4.value());
    }
    if (message.size() >= 28 && (shape & 4) == 0) test::put16(&message[10], message.size() - 8);
    test::Ipv4Fields f;
    f.source = (shape & 8) != 0 ? other4 : client4;
    f.destination = server4;
    f.protocol = 1;
    return test::finish(test::ipv4_packet(f, message));
}

Bytes error_v6(std::uint8_t shape, Bytes message) {
    test::Ipv6Fields f;
    f.source = (shape & 8) != 0 ? other6 : router6;
    f.destination = (shape & 16) != 0 ? other_in_p : client6;
    f.next_header = 58;
    if (message.size() >= 48 && (shape & 2) == 0) {
        std::uint8_t* const quote = &message[8];
        quote[0] = static_cast<std::uint8_t>(0x60 | (quote[0] & 15));
        put_address(quote + 8, f.destination);
        put_address(quote + 24, server6);
    }
    if (message.size() >= 48 && (shape & 4) == 0) test::put16(&message[12], message.size() - 48);
    return test::finish(test::ipv6_packet(f, message));
}

} // namespace

void repair(Bytes& packet, std::uint8_t flags) {
    if (packet.empty()) return;
    if (packet[0] >> 4 == 4)
        repair_ipv4(packet, flags);
    else
        repair_ipv6(packet, flags);
}

Bytes packet_of(const std::uint8_t* data, std::size_t size, unsigned version) {
    Bytes packet(data + 2, data + std::min(size, 2 + largest_packet));
    if (version != 0 && (data[1] & leave_version) == 0)
        packet[0] = static_cast<std::uint8_t>(version * 16 + (packet[0] & 15u));
    repair(packet, data[1]);
    return packet;
}

Bytes icmp_error_of(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t header = 10;
    const std::uint8_t shape = data[1];
    const Bytes quote(data + header, data + std::min<std::size_t>(size, header + 60000));
    Bytes message = test::icmp(data[2], data[3], test::get32(data + 4), quote);
    // The length attribute lies where the family has it; mostly it shall be possible.
    const bool is_ipv4 = (shape & 1) == 0;
    const std::size_t unit = is_ipv4 ? 4 : 8;
    if ((shape & 32) == 0)
        message[is_ipv4 ? 5 : 4] =
            static_cast<std::uint8_t>(std::min<std::size_t>(data[8], quote.size() / unit));
    return is_ipv4 ? error_v4(shape, std::move(message)) : error_v6(shape, std::move(message));
}

} // namespace xlat646::fuzz
