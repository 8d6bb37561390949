// SPDX-License-Identifier: BSD-2-Clause
#include "tests/property/generator.hpp"

#include <algorithm>

namespace xlat646::test {
namespace {

Bytes random_bytes(Random& random, std::size_t length) {
    Bytes b(length);
    const bool constant = random.one_in(8); // all zeros, all ones: where checksums are special
    const std::uint8_t value = random.one_in(2) ? 0 : 0xff;
    for (auto& byte : b)
        byte = constant ? value : random.byte();
    return b;
}

/// The checksum of a datagram of which this is the first part: any value but 0 and 0xffff, which
/// are one number to a difference.
void put_any_checksum(Random& random, std::uint8_t proto, Bytes& transport) {
    if (proto == 6) put16(&transport[16], 1 + random.below(0xfffe));
    if (proto == 17 || proto == 33 || proto == 136) put16(&transport[6], 1 + random.below(0xfffe));
}

constexpr std::uint8_t protocols[] = {6, 17, 1, 33, 136, 132, 50, 253};

/// A transport header of this protocol (1: an echo message of the family) and data behind it.
Bytes random_transport(Random& random, std::uint8_t proto, bool is_ipv6, std::size_t room) {
    const std::size_t length = random.one_in(3) ? random.below(room - 63) : random.below(64);
    const Bytes data = random_bytes(random, length);
    switch (proto) {
    case 6: {
        Bytes options(4 * random.below(11), 1);
        return tcp(random.number(), random.byte(), options, data);
    }
    case 17: return udp(random.word(), random.word(), data);
    case 1:
        return icmp(random.one_in(2) ? (is_ipv6 ? 128 : 8) : (is_ipv6 ? 129 : 0),
                    random.one_in(8) ? random.byte() : std::uint8_t{0}, random.number(), data);
    case 33: {
        Bytes header = random_bytes(random, 16);
        header[8] = static_cast<std::uint8_t>(header[8] & 0xfe);
        header.insert(header.end(), data.begin(), data.end());
        return header;
    }
    case 136: {
        Bytes b = udp(random.word(), random.word(), data);
        put16(&b[4], random.one_in(2) ? 0 : 8 + random.below(data.size() + 1)); // coverage
        return b;
    }
    default: return random_bytes(random, 20 + length);
    }
}

} // namespace

Bytes random_ipv4(Random& random, const Peers& peers, std::size_t largest) {
    Ipv4Fields f;
    f.source = peers.client4;
    f.destination = peers.server4;
    f.protocol = protocols[random.below(std::size(protocols))];
    f.ttl = static_cast<std::uint8_t>(3 + random.below(253));
    f.tos = random.byte();
    f.identification = random.word();
    f.options = Bytes(random.one_in(5) ? 4 * random.below(11) : 0, 1);
    const std::size_t room = largest - 20 - f.options.size();
    Bytes transport = random_transport(random, f.protocol, false, room);
    const bool is_fragment = f.protocol != 1 && random.one_in(5);
    if (!is_fragment) {
        if (random.one_in(2)) f.flags_and_offset = 0x4000;
        return finish(ipv4_packet(f, transport));
    }
    const std::size_t offset = random.one_in(2) ? 0 : 2 + random.below(7000);
    const bool more = offset == 0 || random.one_in(2);
    if (more) transport.resize(std::max<std::size_t>(24, transport.size() / 8 * 8));
    if (offset == 0) put_any_checksum(random, f.protocol, transport);
    f.flags_and_offset = static_cast<std::uint16_t>(offset | (more ? 0x2000u : 0u));
    return ipv4_packet(f, transport);
}

Bytes random_ipv6(Random& random, const Peers& peers, std::size_t largest) {
    std::uint8_t proto = protocols[random.below(std::size(protocols))];
    Bytes headers;
    Ipv6Fields f;
    f.source = peers.server6;
    f.destination = peers.client6;
    f.hop_limit = static_cast<std::uint8_t>(3 + random.below(253));
    f.traffic_class = random.byte();
    f.flow_label = random.number() & 0xfffff;
    const std::size_t room = largest - 40 - 32;
    Bytes transport = random_transport(random, proto, true, room);
    const bool is_fragment = proto != 1 && random.one_in(5);
    if (proto == 1) proto = 58;
    f.next_header = proto;
    if (is_fragment) {
        const std::size_t offset = random.one_in(2) ? 0 : 2 + random.below(7000);
        const bool more = offset == 0 || random.one_in(2);
        if (more) transport.resize(std::max<std::size_t>(24, transport.size() / 8 * 8));
        if (offset == 0) put_any_checksum(random, proto, transport);
        headers = {proto, 0, 0, 0, 0, 0, random.byte(), random.byte()};
        put16(&headers[2], offset * 8 + (more ? 1 : 0));
        f.next_header = 44;
    }
    for (std::size_t n = random.one_in(4) ? 1 + random.below(2) : 0; n > 0; --n) {
        Bytes option(8);
        option[0] = f.next_header;
        f.next_header = 60;
        headers.insert(headers.begin(), option.begin(), option.end());
    }
    headers.insert(headers.end(), transport.begin(), transport.end());
    const Bytes packet = ipv6_packet(f, headers);
    return is_fragment ? packet : finish(packet);
}

Bytes random_error4(Random& random, const Peers& peers, std::size_t largest) {
    // The quoted packet went from the server to the client.
    Peers reverse = peers;
    std::swap(reverse.client4, reverse.server4);
    Bytes quote = random_ipv4(random, reverse, 1400);
    if ((quote[0] & 15) != 5) { // options are lost on the way
        quote.erase(quote.begin() + 20, quote.begin() + (quote[0] & 15) * 4);
        quote[0] = 0x45;
        put16(&quote[2], quote.size());
    }
    const bool df = quote.size() > 1260 && (get16(&quote[6]) & 0x3fff) == 0;
    put16(&quote[6], (get16(&quote[6]) & 0x3fffu) | (df ? 0x4000u : 0u));
    if ((get16(&quote[6]) & 0x3fff) == 0) put16(&quote[4], 0); // only fragments keep theirs
    put16(&quote[10], 0);
    put16(&quote[10], 0xffffu - plain_sum(quote.data(), 20));
    quote.resize(std::min(quote.size(), 28 + random.below(largest - 56)));

    struct Kind {
        std::uint8_t type;
        std::uint8_t code;
    };
    static constexpr Kind kinds[] = {{11, 0}, {11, 1}, {3, 1}, {3, 3}, {3, 4}};
    // A quoted fragment costs the MTU 8 bytes more on the way back (I64-03): not a round trip.
    const bool is_fragment = (get16(&quote[6]) & 0x3fff) != 0;
    const Kind kind = kinds[random.below(std::size(kinds) - (is_fragment ? 1 : 0))];
    const std::uint32_t rest =
        kind.type == 3 && kind.code == 4 ? static_cast<std::uint32_t>(1260 + random.below(221)) : 0;
    Ipv4Fields f;
    f.source = peers.client4;
    f.destination = peers.server4;
    f.protocol = 1;
    f.tos = random.byte();
    f.ttl = static_cast<std::uint8_t>(3 + random.below(253));
    return finish(ipv4_packet(f, icmp(kind.type, kind.code, rest, quote)));
}

} // namespace xlat646::test
