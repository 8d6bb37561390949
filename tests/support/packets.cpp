// SPDX-License-Identifier: BSD-2-Clause
#include "tests/support/packets.hpp"

#include <algorithm>

namespace xlat646::test {

std::uint16_t plain_sum(const std::uint8_t* bytes, std::size_t length, std::uint32_t start) {
    std::uint64_t sum = start;
    for (std::size_t i = 0; i < length; ++i)
        sum += i % 2 == 0 ? std::uint64_t{bytes[i]} * 256 : bytes[i];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

std::uint16_t get16(const std::uint8_t* at) {
    return static_cast<std::uint16_t>(at[0] * 256 + at[1]);
}
std::uint32_t get32(const std::uint8_t* at) {
    return std::uint32_t{get16(at)} * 65536 + get16(at + 2);
}
void put16(std::uint8_t* at, std::size_t value) {
    at[0] = static_cast<std::uint8_t>(value >> 8);
    at[1] = static_cast<std::uint8_t>(value);
}
void put32(std::uint8_t* at, std::uint32_t value) {
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

Bytes ipv4_packet(const Ipv4Fields& f, const Bytes& payload) {
    const std::size_t header = 20 + f.options.size();
    Bytes p(20);
    p[0] = static_cast<std::uint8_t>(0x40 + header / 4);
    p[1] = f.tos;
    put16(&p[2], header + payload.size());
    put16(&p[4], f.identification);
    put16(&p[6], f.flags_and_offset);
    p[8] = f.ttl;
    p[9] = f.protocol;
    put32(&p[12], f.source.value());
    put32(&p[16], f.destination.value());
    p.insert(p.end(), f.options.begin(), f.options.end());
    put16(&p[10], 0xffffu - plain_sum(p.data(), header));
    p.insert(p.end(), payload.begin(), payload.end());
    return p;
}

Bytes ipv6_packet(const Ipv6Fields& f, const Bytes& payload) {
    Bytes p(40);
    put32(&p[0], 0x60000000u + f.traffic_class * 0x100000u + f.flow_label);
    put16(&p[4], payload.size());
    p[6] = f.next_header;
    p[7] = f.hop_limit;
    const auto source = f.source.bytes();
    const auto destination = f.destination.bytes();
    std::copy(source.begin(), source.end(), p.begin() + 8);
    std::copy(destination.begin(), destination.end(), p.begin() + 24);
    p.insert(p.end(), payload.begin(), payload.end());
    return p;
}

Bytes udp(std::uint16_t from, std::uint16_t to, const Bytes& data) {
    Bytes p(8);
    put16(&p[0], from);
    put16(&p[2], to);
    put16(&p[4], 8 + data.size());
    p.insert(p.end(), data.begin(), data.end());
    return p;
}

Bytes tcp(std::uint32_t sequence, std::uint8_t flags, const Bytes& options, const Bytes& data) {
    Bytes p(20);
    put16(&p[0], 40000);
    put16(&p[2], 443);
    put32(&p[4], sequence);
    put32(&p[8], 0x01020304);
    p[12] = static_cast<std::uint8_t>((20 + options.size()) / 4 * 16);
    p[13] = flags;
    put16(&p[14], 8192);
    p.insert(p.end(), options.begin(), options.end());
    p.insert(p.end(), data.begin(), data.end());
    return p;
}

Bytes icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest, const Bytes& body) {
    Bytes p = {type, code, 0, 0, 0, 0, 0, 0};
    put32(&p[4], rest);
    p.insert(p.end(), body.begin(), body.end());
    return p;
}

Bytes counting(std::size_t length, std::uint8_t start) {
    Bytes b(length);
    for (auto& byte : b)
        byte = start++;
    return b;
}

namespace {

bool parse_ipv4(const std::uint8_t* p, std::size_t length, Parsed& out) {
    if (length < 20) return false;
    const std::size_t header = (p[0] & 15u) * 4u;
    out.length = get16(p + 2);
    if (header < 20 || out.length < header || out.length > length) return false;
    if (plain_sum(p, header) != 0xffff) return false;
    out.octet = p[1];
    out.identification = get16(p + 4);
    const unsigned word = get16(p + 6);
    out.df = (word & 0x4000) != 0;
    out.more = (word & 0x2000) != 0;
    out.offset = (word & 0x1fffu) * 8u;
    out.hops = p[8];
    out.protocol = p[9];
    out.source4 = Ipv4Address(get32(p + 12));
    out.destination4 = Ipv4Address(get32(p + 16));
    out.transport = header;
    out.transport_length = out.length - header;
    return true;
}

Ipv6Address address6(const std::uint8_t* p) {
    Ipv6Address::Bytes b;
    std::copy(p, p + 16, b.begin());
    return Ipv6Address::from_bytes(b);
}

bool parse_ipv6(const std::uint8_t* p, std::size_t length, Parsed& out) {
    if (length < 40) return false;
    out.length = std::size_t{40} + get16(p + 4);
    if (out.length > length) return false;
    out.octet = static_cast<std::uint8_t>(get16(p) >> 4);
    out.hops = p[7];
    out.source6 = address6(p + 8);
    out.destination6 = address6(p + 24);
    std::size_t at = 40;
    std::uint8_t next = p[6];
    while (next == 0 || next == 43 || next == 60 || next == 44) {
        std::size_t size = 8;
        out.has_broken_chain = at + size > out.length;
        if (out.has_broken_chain) break;
        if (next == 44) {
            if (out.has_fragment_header) break;
            out.has_fragment_header = true;
            out.offset = get16(p + at + 2) & 0xfff8u;
            out.more = (p[at + 3] & 1) != 0;
            out.identification = get32(p + at + 4);
        } else if (out.offset != 0) {
            break;
        } else {
            size = 8 * (std::size_t{p[at + 1]} + 1);
        }
        out.has_broken_chain = at + size > out.length;
        if (out.has_broken_chain) break;
        next = p[at];
        at += size;
    }
    out.protocol = next;
    out.transport = at;
    out.transport_length = out.length - at;
    return true;
}

} // namespace

std::optional<Parsed> parse_packet(const std::uint8_t* bytes, std::size_t length) {
    Parsed out;
    if (length == 0) return std::nullopt;
    out.version = bytes[0] >> 4;
    const bool good = out.version == 4   ? parse_ipv4(bytes, length, out)
                      : out.version == 6 ? parse_ipv6(bytes, length, out)
                                         : false;
    return good ? std::optional(out) : std::nullopt;
}

std::uint16_t pseudo_sum(const Parsed& p, std::size_t length) {
    if (p.version == 4 && p.protocol == 1) return 0;
    std::uint8_t header[40] = {};
    const std::size_t size = p.version == 4 ? 12 : 40;
    if (p.version == 4) {
        put32(header, p.source4.value());
        put32(header + 4, p.destination4.value());
        header[9] = p.protocol;
        put16(header + 10, length);
    } else {
        const auto source = p.source6.bytes();
        const auto destination = p.destination6.bytes();
        std::copy(source.begin(), source.end(), header);
        std::copy(destination.begin(), destination.end(), header + 16);
        put32(header + 32, static_cast<std::uint32_t>(length));
        header[39] = p.protocol;
    }
    return plain_sum(header, size);
}

std::optional<std::size_t> checksum_field(const Parsed& p) {
    std::size_t field = 0;
    if (p.is_icmp())
        field = 2;
    else if (p.protocol == 6)
        field = 16;
    else if (p.protocol == 17 || p.protocol == 136 || p.protocol == 33)
        field = 6;
    if (field == 0 || p.offset != 0 || field + 2 > p.transport_length) return std::nullopt;
    return p.transport + field;
}

ChecksumState transport_checksum(const std::uint8_t* packet, const Parsed& p) {
    const auto field = checksum_field(p);
    if (!field || p.is_fragment()) return ChecksumState::none;
    const std::uint8_t* const transport = packet + p.transport;
    std::size_t covered = p.transport_length;
    std::size_t claimed = p.transport_length;
    if (p.protocol == 17) {
        if (get16(packet + *field) == 0) return ChecksumState::none;
        if (p.transport_length < 8) return ChecksumState::none;
        covered = claimed = get16(transport + 4);
        if (covered < 8 || covered > p.transport_length) return ChecksumState::none;
    } else if (p.protocol == 136) {
        if (p.transport_length < 8) return ChecksumState::none;
        const std::size_t coverage = get16(transport + 4);
        if ((coverage != 0 && coverage < 8) || coverage > p.transport_length)
            return ChecksumState::none;
        if (coverage != 0) covered = coverage;
    }
    return plain_sum(transport, covered, pseudo_sum(p, claimed)) == 0xffff ? ChecksumState::valid
                                                                           : ChecksumState::wrong;
}

Bytes finish(Bytes packet) {
    const auto p = parse_packet(packet.data(), packet.size());
    const auto field = p ? checksum_field(*p) : std::nullopt;
    if (!field) return packet;
    put16(&packet[*field], 0);
    std::size_t covered = p->transport_length;
    if (p->protocol == 136 && get16(&packet[p->transport + 4]) != 0)
        covered = std::min<std::size_t>(covered, get16(&packet[p->transport + 4]));
    std::size_t sum =
        0xffffu - plain_sum(&packet[p->transport], covered, pseudo_sum(*p, p->transport_length));
    if (sum == 0 && (p->protocol == 17 || p->protocol == 136)) sum = 0xffff;
    put16(&packet[*field], sum);
    return packet;
}

} // namespace xlat646::test
