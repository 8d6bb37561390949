// SPDX-License-Identifier: BSD-2-Clause
#include "tests/support/golden.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/catch.hpp"
#include "translator/wire/segment.hpp"

using namespace xlat646;
using namespace xlat646::test;

namespace {

constexpr std::uint8_t fin = 1, psh = 8, ack = 16, cwr = 128;

OffloadHeader gso(std::uint8_t type, std::size_t size) {
    OffloadHeader o;
    o.flags = OffloadHeader::needs_checksum;
    o.gso_type = type;
    o.gso_size = static_cast<std::uint16_t>(size);
    return o;
}

Bytes super4(std::uint8_t proto, const Bytes& transport, const Bytes& options = {}) {
    return ipv4_packet({*Ipv4Address::parse("198.51.100.7"), *Ipv4Address::parse("192.0.2.1"),
                        proto, 60, 0x28, 0xfffe, 0, options},
                       transport);
}
Bytes super6(std::uint8_t proto, const Bytes& transport) {
    return ipv6_packet({*Ipv6Address::parse("2001:db8:1::10"),
                        *Ipv6Address::parse("2001:db8:64::c633:6407"), proto, 60, 0x28, 0x12345},
                       transport);
}

struct Segment {
    Bytes bytes;
    Parsed parsed;
    const std::uint8_t* transport() const { return &bytes[parsed.transport]; }
};

/// All segments; each must be whole, with right lengths and checksums.
std::vector<Segment> cut(const Bytes& super, const OffloadHeader& offload) {
    TestBuffer buffer(super, offload);
    std::vector<Segment> all;
    Segmenter segmenter;
    REQUIRE(segmenter.start(buffer.packet));
    CHECK(buffer.bytes() == super); // start() touches nothing
    for (Packet segment; segmenter.next(segment);) {
        Bytes bytes(segment.data, segment.data + segment.length);
        const auto parsed = parse_packet(bytes.data(), bytes.size());
        REQUIRE(parsed);
        CHECK(parsed->length == bytes.size());
        CHECK(transport_checksum(bytes.data(), *parsed) == ChecksumState::valid);
        CHECK(segment.offload == OffloadHeader{});
        all.push_back({bytes, *parsed});
    }
    return all;
}

} // namespace

TEST_CASE("segment: TCP in both families", "[GSO-07][GSO-08][GSO-12]") {
    const bool is_ipv6 = GENERATE(false, true);
    const std::size_t tcp_options = GENERATE(std::size_t{0}, std::size_t{12}, std::size_t{40});
    const std::size_t data_length = GENERATE(std::size_t{1}, std::size_t{1448}, std::size_t{1449},
                                             std::size_t{14480}, std::size_t{60001});
    CAPTURE(is_ipv6, tcp_options, data_length);
    const Bytes data = counting(data_length, 5);
    const Bytes transport = tcp(0xfffffff0, fin | psh | ack | cwr, Bytes(tcp_options, 1), data);
    const auto segments = is_ipv6
                              ? cut(super6(6, transport), gso(OffloadHeader::gso_tcp6, 1448))
                              : cut(super4(6, transport),
                                    gso(OffloadHeader::gso_tcp4 | OffloadHeader::gso_ecn, 1448));
    REQUIRE(segments.size() == (data_length + 1447) / 1448);
    Bytes joined;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const Segment& s = segments[i];
        const bool first = i == 0;
        const bool last = i + 1 == segments.size();
        const std::size_t header = 20 + tcp_options;
        CHECK(s.parsed.transport_length - header == (last ? data_length - i * 1448 : 1448));
        CHECK(get32(s.transport() + 4) == static_cast<std::uint32_t>(0xfffffff0 + i * 1448));
        // FIN and PSH on the last one, CWR on the first one only (RFC 3168).
        CHECK(s.transport()[13] == (ack | (last ? fin | psh : 0) | (first ? cwr : 0)));
        CHECK(s.parsed.octet == 0x28);
        CHECK(s.parsed.hops == 60);
        if (!is_ipv6) CHECK(s.parsed.identification == ((0xfffe + i) & 0xffff));
        if (is_ipv6) CHECK(get32(s.bytes.data()) == 0x62812345);
        joined.insert(joined.end(), s.transport() + header,
                      s.transport() + s.parsed.transport_length);
    }
    CHECK(joined == data);
}

TEST_CASE("segment: UDP in both families", "[GSO-06][GSO-12]") {
    const bool is_ipv6 = GENERATE(false, true);
    const std::size_t data_length =
        GENERATE(std::size_t{1}, std::size_t{1200}, std::size_t{1201}, std::size_t{30000});
    CAPTURE(is_ipv6, data_length);
    const Bytes data = counting(data_length, 9);
    const auto segments =
        cut(is_ipv6 ? super6(17, udp(7, 9, data)) : super4(17, udp(7, 9, data), Bytes(8, 1)),
            gso(OffloadHeader::gso_udp, 1200));
    REQUIRE(segments.size() == (data_length + 1199) / 1200);
    Bytes joined;
    for (const Segment& s : segments) {
        CHECK(get16(s.transport() + 4) == s.parsed.transport_length);
        CHECK(get16(s.transport()) == 7);
        CHECK(s.parsed.transport == (is_ipv6 ? 40 : 28)); // options are in every segment
        joined.insert(joined.end(), s.transport() + 8, s.transport() + s.parsed.transport_length);
    }
    CHECK(joined == data);
}

TEST_CASE("segment: a UDP checksum that comes out as 0 is sent as 0xffff", "[L4-03][GSO-02]") {
    Bytes data(4);
    for (unsigned i = 0; i < 2; ++i) { // make each datagram of two bytes sum to 0xffff
        const Bytes alone = finish(super4(17, udp(7, 9, {0, 0})));
        put16(&data[2 * i], get16(&alone[26]));
    }
    const auto segments = cut(super4(17, udp(7, 9, data)), gso(OffloadHeader::gso_udp, 2));
    REQUIRE(segments.size() == 2);
    for (const Segment& s : segments)
        CHECK(get16(s.transport() + 6) == 0xffff);
}

TEST_CASE("segment: what is no super-packet is refused", "[GSO-05][GSO-11]") {
    const Bytes data = counting(4000);
    const Bytes good4 = super4(6, tcp(1, ack, {}, data));
    const Bytes good6 = super6(6, tcp(1, ack, {}, data));
    const Bytes datagrams = super4(17, udp(1, 2, data));
    constexpr auto tcp4 = OffloadHeader::gso_tcp4;
    constexpr auto tcp6 = OffloadHeader::gso_tcp6;
    constexpr auto gso_udp = OffloadHeader::gso_udp;
    const auto refused = [](Bytes bytes, std::uint8_t type, std::size_t size) {
        TestBuffer buffer(bytes, gso(type, size));
        Segmenter segmenter;
        const bool started = segmenter.start(buffer.packet);
        return !started && buffer.bytes() == bytes;
    };
    CHECK_FALSE(refused(good4, tcp4, 1448));
    CHECK(refused(good4, tcp4, 0));
    CHECK(refused(good4, tcp6, 1448));
    CHECK(refused(good6, tcp4, 1448));
    CHECK(refused(good4, gso_udp, 1448));
    CHECK(refused(datagrams, tcp4, 1448));
    CHECK(refused(good4, OffloadHeader::gso_none, 1448));
    CHECK(refused(datagrams, 3, 1448)); // UFO, never enabled
    CHECK(refused(super4(1, icmp(8, 0, 1, data)), gso_udp, 1448));
    CHECK(refused(Bytes(good4.begin(), good4.begin() + 40), tcp4, 1448)); // no data
    CHECK(refused(Bytes(datagrams.begin(), datagrams.begin() + 28), gso_udp, 1448));

    Bytes broken = good4;
    broken[0] = 0x44; // IHL 4
    CHECK(refused(broken, tcp4, 1448));
    broken = good4;
    broken[0] = 0x4f; // IHL 15: TCP lies elsewhere, with nonsense for a header length
    broken[60 + 12] = 0;
    CHECK(refused(broken, tcp4, 1448));
    broken = good4;
    broken[32] = 0x40; // data offset 4
    CHECK(refused(broken, tcp4, 1448));
    broken = good4;
    broken[6] = 0x20; // a fragment
    CHECK(refused(broken, tcp4, 1448));

    const auto only = [](const Bytes& whole, std::size_t length, std::uint8_t type) {
        TestBuffer buffer(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)),
                          gso(type, 100));
        Segmenter segmenter;
        return segmenter.start(buffer.packet);
    };
    for (std::size_t length = 0; length <= 40; ++length)
        CHECK_FALSE(only(good4, length, tcp4));
    for (std::size_t length = 0; length <= 60; ++length)
        CHECK_FALSE(only(good6, length, tcp6));
    for (std::size_t length = 0; length <= 28; ++length)
        CHECK_FALSE(only(datagrams, length, gso_udp));
}

TEST_CASE("segment: IPv6 extension headers are in every segment", "[GSO-03][GSO-07]") {
    Bytes chain = {60, 1, 5, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0};
    const Bytes transport = tcp(1, ack, {}, counting(3000));
    const auto with = [&](const Bytes& headers) {
        Bytes payload = headers;
        payload.insert(payload.end(), transport.begin(), transport.end());
        return super6(0, payload);
    };
    const auto segments = cut(with(chain), gso(OffloadHeader::gso_tcp6, 1000));
    REQUIRE(segments.size() == 3);
    for (const Segment& s : segments) {
        CHECK(s.parsed.transport == 40 + 24);
        CHECK(s.parsed.transport_length == 1020);
        CHECK(Bytes(s.bytes.begin() + 40, s.bytes.begin() + 64) == chain);
    }
    // Headers that are too long to be kept, or that end outside of the packet.
    Bytes long_header(600);
    long_header[0] = 6;
    long_header[1] = 600 / 8 - 1;
    Bytes lying = chain;
    lying[17] = 255;
    const Bytes runs_out(8, 0);
    for (const Bytes& bytes : {with(long_header), super6(0, lying), super6(0, runs_out)}) {
        TestBuffer buffer(bytes, gso(OffloadHeader::gso_tcp6, 1000));
        Segmenter segmenter;
        CHECK_FALSE(segmenter.start(buffer.packet));
    }
}

TEST_CASE("segment: bytes behind the packet's own length are ignored", "[T46-17][T64-14]") {
    Bytes four = super4(17, udp(7, 9, counting(300)));
    const std::size_t length = four.size();
    four.resize(length + 50, 0xee);
    TestBuffer buffer(four, gso(OffloadHeader::gso_udp, 200));
    Segmenter segmenter;
    REQUIRE(segmenter.start(buffer.packet));
    Packet segment;
    REQUIRE(segmenter.next(segment));
    REQUIRE(segmenter.next(segment));
    CHECK(segment.length == 28 + 100);
    CHECK_FALSE(segmenter.next(segment));

    put16(&four[2], four.size() + 1); // claims more than there is
    TestBuffer lying(four, gso(OffloadHeader::gso_udp, 200));
    CHECK_FALSE(segmenter.start(lying.packet));
}

TEST_CASE("segment: random headers stay inside of the buffer", "[GSO-05]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{21}, fresh_seed());
    INFO("seed " << seed);
    Random random(seed);
    static constexpr std::uint8_t types[] = {0, 1, 3, 4, 5, 0x81, 0x84, 0x85, 0xff};
    for (int i = 0; i < 20000; ++i) {
        Bytes bytes(random.below(300));
        for (auto& b : bytes)
            b = random.byte();
        if (!bytes.empty()) bytes[0] = static_cast<std::uint8_t>(random.one_in(2) ? 0x45 : 0x60);
        if (bytes.size() > 9) {
            bytes[6] = random.one_in(2) ? 6 : 17;
            bytes[9] = random.one_in(2) ? 6 : 17;
            bytes[7] = 0;
            put16(&bytes[random.one_in(2) ? 2 : 4], random.below(bytes.size() + 1)); // lengths
        }
        TestBuffer buffer(bytes, gso(types[random.below(std::size(types))], random.below(100)));
        Segmenter segmenter;
        if (!segmenter.start(buffer.packet)) continue;
        std::size_t segments = 0;
        for (Packet segment; segmenter.next(segment);) {
            REQUIRE(segment.data >= buffer.packet.data);
            REQUIRE(segment.data + segment.length <= buffer.packet.data + bytes.size());
            REQUIRE(++segments <= bytes.size());
        }
        REQUIRE(segments > 0);
    }
}
