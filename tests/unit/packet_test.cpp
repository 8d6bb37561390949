// SPDX-License-Identifier: BSD-2-Clause
#include "tests/support/golden.hpp"
#include "tests/support/packets.hpp"
#include "tests/unit/catch.hpp"
#include "translator/wire/headers.hpp"
#include "translator/wire/packet.hpp"

using namespace xlat646;
using namespace xlat646::test;

namespace {

const Ipv4Fields fields{*Ipv4Address::parse("198.51.100.7"), *Ipv4Address::parse("192.0.2.1"), 17};

/// A datagram whose checksum field holds the pseudo-header's sum, as the kernel leaves it.
Bytes partial_udp(const Bytes& data) {
    Bytes p = ipv4_packet(fields, udp(1, 2, data));
    put16(&p[26], pseudo_sum(*parse_packet(p.data(), p.size()), 8 + data.size()));
    return p;
}

OffloadHeader needs_checksum(std::uint16_t start, std::uint16_t offset) {
    OffloadHeader o;
    o.flags = OffloadHeader::needs_checksum;
    o.checksum_start = start;
    o.checksum_offset = offset;
    return o;
}

} // namespace

TEST_CASE("packet: a partial checksum is completed", "[GSO-01][GSO-02]") {
    for (const std::size_t length : {0u, 1u, 2u, 7u, 1000u, 1471u}) {
        CAPTURE(length);
        const Bytes in = partial_udp(counting(length, 3));
        TestBuffer buffer(in, needs_checksum(20, 6));
        REQUIRE(complete_checksum(buffer.packet));
        CHECK(buffer.packet.offload == OffloadHeader{});
        CHECK(buffer.bytes() == finish(in));
    }
}

TEST_CASE("packet: a completed checksum is never 0", "[GSO-02][L4-03][CK-08]") {
    // Choose the last word so that everything sums to 0xffff: the complement is 0.
    Bytes in = partial_udp({0, 0});
    const std::uint16_t sum = plain_sum(&in[20], in.size() - 20);
    put16(&in[28], 0xffffu - sum);
    REQUIRE(plain_sum(&in[20], in.size() - 20) == 0xffff);
    TestBuffer buffer(in, needs_checksum(20, 6));
    REQUIRE(complete_checksum(buffer.packet));
    CHECK(get16(buffer.packet.data + 26) == 0xffff);
}

TEST_CASE("packet: offsets outside of the packet change nothing", "[GSO-05]") {
    const Bytes in = partial_udp(counting(10));
    const auto length = static_cast<std::uint16_t>(in.size());
    for (const auto& [start, offset] :
         std::vector<std::pair<unsigned, unsigned>>{{65535, 6},
                                                    {20, 65535},
                                                    {65535, 65535},
                                                    {length, 0},
                                                    {length - 1u, 0},
                                                    {20, length - 21u},
                                                    {0, length - 1u}}) {
        CAPTURE(start, offset);
        TestBuffer buffer(in, needs_checksum(static_cast<std::uint16_t>(start),
                                             static_cast<std::uint16_t>(offset)));
        const OffloadHeader before = buffer.packet.offload;
        CHECK_FALSE(complete_checksum(buffer.packet));
        CHECK(buffer.bytes() == in);
        CHECK(buffer.packet.offload == before);
    }
    TestBuffer last(in, needs_checksum(20, static_cast<std::uint16_t>(length - 22)));
    CHECK(complete_checksum(last.packet));

    OffloadHeader gso = needs_checksum(20, 6);
    gso.gso_type = OffloadHeader::gso_udp;
    TestBuffer super(in, gso);
    CHECK_FALSE(complete_checksum(super.packet)); // one field cannot serve all segments
    CHECK(super.bytes() == in);
}

TEST_CASE("packet: headers have the wire's layout", "[wire]") {
    const Bytes p4 = ipv4_packet({*Ipv4Address::parse("1.2.3.4"), *Ipv4Address::parse("5.6.7.8"), 6,
                                  63, 0xb9, 0x1234, 0x6005, counting(8, 1)},
                                 {});
    const auto h4 = load<Ipv4Header>(p4.data());
    CHECK(h4.version() == 4);
    CHECK(h4.header_length() == 28);
    CHECK(h4.tos == 0xb9);
    CHECK(h4.total_length.value() == 28);
    CHECK(h4.identification.value() == 0x1234);
    CHECK(h4.df());
    CHECK(h4.mf());
    CHECK(h4.fragment_offset() == 5);
    CHECK(h4.is_fragment());
    CHECK(h4.ttl == 63);
    CHECK(h4.protocol == 6);
    CHECK(h4.source().to_string() == "1.2.3.4");
    CHECK(h4.destination().to_string() == "5.6.7.8");

    const Ipv6Address a = *Ipv6Address::parse("2001:db8::1");
    const Ipv6Address b = *Ipv6Address::parse("2001:db8:1:2:3:4:5:6");
    const Bytes p6 = ipv6_packet({a, b, 44, 9, 0xa7, 0xfffff}, counting(8));
    auto h6 = load<Ipv6Header>(p6.data());
    CHECK(h6.version() == 6);
    CHECK(h6.traffic_class() == 0xa7);
    CHECK(h6.payload_length.value() == 8);
    CHECK(h6.next_header == 44);
    CHECK(h6.hop_limit == 9);
    CHECK(h6.source() == a);
    CHECK(h6.destination() == b);
    h6.set_traffic_class(0x5a);
    h6.set_source(b);
    h6.set_destination(a);
    std::uint8_t wire[40];
    store(wire, h6);
    CHECK(get32(wire) == 0x65a00000);
    CHECK(Bytes(wire + 8, wire + 40) == [&] {
        const Bytes swapped = ipv6_packet({b, a}, {});
        return Bytes(swapped.begin() + 8, swapped.end());
    }());

    const Bytes raw = {17, 0, 0x00, 0xb9, 0xde, 0xad, 0xbe, 0xef};
    auto f = load<FragmentHeader>(raw.data());
    CHECK(f.offset() == 23);
    CHECK(f.more());
    CHECK(f.identification.value() == 0xdeadbeef);
    f.set_offset(0x1fff, false);
    CHECK(f.offset_and_more.value() == 0xfff8);
}
