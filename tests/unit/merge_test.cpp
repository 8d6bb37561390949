// SPDX-License-Identifier: BSD-2-Clause
//
// Merger: what may be joined, what never, and that a Segmenter gets back the packets that went in.
#include "tests/support/golden.hpp"
#include "tests/support/packets.hpp"
#include "tests/unit/catch.hpp"
#include "translator/wire/merge.hpp"
#include "translator/wire/segment.hpp"

using namespace xlat646;
using namespace xlat646::test;

namespace {

constexpr std::uint8_t fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32, ece = 64, cwr = 128;

/// One packet of a flow, in either family; the fields that a test may spoil.
struct Piece {
    bool is_ipv6 = false;
    bool is_tcp = false;
    std::size_t data = 100;
    std::uint8_t start = 0; ///< of the data
    Ipv4Fields four = {*Ipv4Address::parse("198.51.100.7"),
                       *Ipv4Address::parse("192.0.2.1"),
                       17,
                       60,
                       0x28,
                       0xfffe};
    Ipv6Fields six = {*Ipv6Address::parse("2001:db8:64::c633:6407"),
                      *Ipv6Address::parse("2001:db8:1::10"),
                      17,
                      60,
                      0x28,
                      0x12345};
    std::uint16_t port = 2000;
    std::uint32_t sequence = 0xffffff80;
    std::uint8_t flags = ack;
    Bytes options = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};

    Bytes bytes() const {
        Bytes transport = is_tcp ? tcp(sequence, flags, options, counting(data, start))
                                 : udp(1000, port, counting(data, start));
        if (is_tcp) put16(&transport[2], port);
        Ipv4Fields f4 = four;
        Ipv6Fields f6 = six;
        f4.protocol = f6.next_header = is_tcp ? 6 : 17;
        return finish(is_ipv6 ? ipv6_packet(f6, transport) : ipv4_packet(f4, transport));
    }
    /// The packet that would follow this one.
    Piece next() const {
        Piece p = *this;
        p.sequence += static_cast<std::uint32_t>(data);
        ++p.four.identification;
        p.start = static_cast<std::uint8_t>(start + 17);
        return p;
    }
};

Piece any_piece() {
    Piece p;
    p.is_ipv6 = GENERATE(false, true);
    p.is_tcp = GENERATE(false, true);
    return p;
}

/// With room for the largest packet behind, as in the worker's buffers.
struct Room {
    explicit Room(const Bytes& bytes) : storage(packet_headroom + largest_packet) {
        std::copy(bytes.begin(), bytes.end(), storage.begin() + packet_headroom);
        packet.data = storage.data() + packet_headroom;
        packet.length = bytes.size();
    }
    Bytes storage;
    Packet packet;
};

bool start(Merger& merger, const Room& room) { return merger.start(room.packet, true, true); }
bool append(Merger& merger, const Bytes& bytes, const OffloadHeader& offload = {}) {
    TestBuffer buffer(bytes, offload);
    const bool taken = merger.append(buffer.packet);
    CHECK(buffer.bytes() == bytes);
    return taken;
}
bool joins(const Bytes& first, const Bytes& second) {
    Room room(first);
    Merger merger;
    REQUIRE(start(merger, room));
    const bool joined = append(merger, second);
    const Packet out = merger.finish();
    CHECK(merger.count() == 0);
    if (!joined) CHECK(Bytes(out.data, out.data + out.length) == first);
    CHECK(out.is_gso() == joined);
    return joined;
}
std::vector<Bytes> cut(const Packet& super) {
    std::vector<Bytes> all;
    Segmenter segmenter;
    REQUIRE(segmenter.start(super));
    for (Packet segment; segmenter.next(segment);)
        all.emplace_back(segment.data, segment.data + segment.length);
    return all;
}
/// The checksum field as an offload wants it.
Bytes partial(Bytes packet, OffloadHeader& offload) {
    const auto parsed = parse_packet(packet.data(), packet.size());
    const std::size_t field = *checksum_field(*parsed);
    put16(&packet[field], pseudo_sum(*parsed, parsed->transport_length));
    offload = {};
    offload.flags = OffloadHeader::needs_checksum;
    offload.checksum_start = static_cast<std::uint16_t>(parsed->transport);
    offload.checksum_offset = static_cast<std::uint16_t>(field - parsed->transport);
    return packet;
}

} // namespace

TEST_CASE("merge: segments of one flow become what a Segmenter takes apart", "[merge][GSO-06]") {
    Piece piece = any_piece();
    piece.data = GENERATE(std::size_t{1}, std::size_t{22}, std::size_t{1199}, std::size_t{1400});
    const bool last_is_shorter = GENERATE(false, true);
    const bool has_push = GENERATE(false, true);
    std::vector<Bytes> in;
    Room room(piece.bytes());
    Merger merger;
    REQUIRE(start(merger, room));
    in.push_back(piece.bytes());
    for (unsigned i = 2; i <= 40; ++i) {
        piece = piece.next();
        if (i == 40 && last_is_shorter) piece.data = (piece.data + 1) / 2;
        if (i == 40 && has_push) piece.flags = ack | psh;
        in.push_back(piece.bytes());
        REQUIRE(append(merger, in.back()));
        REQUIRE(merger.count() == i);
    }
    const Packet super = merger.finish();
    CHECK(super.length <= largest_packet);
    const OffloadHeader& o = super.offload;
    CHECK(o.flags == OffloadHeader::needs_checksum);
    CHECK(o.gso_type == (!piece.is_tcp   ? OffloadHeader::gso_udp
                         : piece.is_ipv6 ? OffloadHeader::gso_tcp6
                                         : OffloadHeader::gso_tcp4));
    const std::size_t network = piece.is_ipv6 ? 40 : 20;
    CHECK(o.checksum_start == network);
    CHECK(o.checksum_offset == (piece.is_tcp ? 16 : 6));
    CHECK(o.header_length == network + (piece.is_tcp ? 32 : 8));
    const auto parsed = parse_packet(super.data, super.length);
    REQUIRE(parsed);
    CHECK(parsed->length == super.length);
    CHECK(get16(super.data + network + o.checksum_offset) ==
          pseudo_sum(*parsed, super.length - network));
    CHECK(cut(super) == in);
}

TEST_CASE("merge: packets with partial checksums, alone or among whole ones", "[merge][GSO-01]") {
    const Piece piece = any_piece();
    const bool first_partial = GENERATE(false, true);
    const bool second_partial = GENERATE(false, true);
    OffloadHeader offload;
    const Bytes first = first_partial ? partial(piece.bytes(), offload) : piece.bytes();
    Room room(first);
    room.packet.offload = offload;
    Merger merger;
    REQUIRE(start(merger, room));
    offload = {};
    const Bytes second =
        second_partial ? partial(piece.next().bytes(), offload) : piece.next().bytes();
    REQUIRE(append(merger, second, offload));
    CHECK(cut(merger.finish()) == std::vector<Bytes>{piece.bytes(), piece.next().bytes()});

    OffloadHeader wrong;
    const Bytes third = partial(piece.bytes(), wrong);
    for (std::uint16_t OffloadHeader::*field :
         {&OffloadHeader::checksum_start, &OffloadHeader::checksum_offset}) {
        Room other(third);
        other.packet.offload = wrong;
        ++(other.packet.offload.*field);
        CHECK_FALSE(start(merger, other));
    }
}

TEST_CASE("merge: a wrong checksum stays in its packet", "[merge][L4-12]") {
    const Piece piece = any_piece();
    Bytes first = piece.bytes(), second = piece.next().bytes();
    Room good(first);
    Merger merger;
    REQUIRE(start(merger, good));
    second.back() ^= 1;
    CHECK_FALSE(append(merger, second));
    second.back() ^= 1;
    CHECK(append(merger, second)); // nothing is left of the bad one

    first.back() ^= 1;
    CHECK_FALSE(joins(first, second));
    Room bad(first);
    REQUIRE(start(merger, bad));
    CHECK_FALSE(append(merger, second));
    CHECK_FALSE(append(merger, second)); // and again: it is known to be bad
}

TEST_CASE("merge: only the next packet of the same flow", "[merge][ECN-06]") {
    const Piece piece = any_piece();
    const Bytes first = piece.bytes();
    CHECK(joins(first, piece.next().bytes()));
    const auto refuses = [&](auto spoil) {
        Piece p = piece.next();
        spoil(p);
        return !joins(first, p.bytes());
    };
    CHECK(refuses([](Piece& p) { p.port ^= 1; }));
    CHECK(refuses([](Piece& p) { p.is_tcp = !p.is_tcp; }));
    CHECK(refuses([](Piece& p) { p.is_ipv6 = !p.is_ipv6; }));
    CHECK(refuses([](Piece& p) { p.data = 101; }));
    CHECK(refuses([](Piece& p) { p.data = 0; }));
    CHECK(refuses([](Piece& p) { p.four.ttl = p.six.hop_limit = 61; }));
    CHECK(refuses([](Piece& p) { p.four.tos = p.six.traffic_class = 0x2b; })); // CE
    CHECK(refuses([](Piece& p) {
        p.four.source = *Ipv4Address::parse("198.51.100.8");
        p.six.source = *Ipv6Address::parse("2001:db8:64::c633:6408");
    }));
    CHECK(refuses([](Piece& p) {
        p.four.destination = *Ipv4Address::parse("192.0.2.2");
        p.six.destination = *Ipv6Address::parse("2001:db8:1::11");
    }));
    if (piece.is_ipv6) CHECK(refuses([](Piece& p) { p.six.flow_label = 1; }));
    if (!piece.is_ipv6) {
        CHECK(refuses([](Piece& p) { ++p.four.identification; }));
        CHECK(refuses([](Piece& p) { --p.four.identification; }));
        CHECK(refuses([](Piece& p) { p.four.flags_and_offset = 0x4000; }));
        CHECK(refuses([](Piece& p) { p.four.flags_and_offset = 0x2000; }));
        CHECK(refuses([](Piece& p) { p.four.flags_and_offset = 1; }));
        CHECK(refuses([](Piece& p) { p.four.flags_and_offset = 0x8000; }));
        CHECK(refuses([](Piece& p) { p.four.options = Bytes(4, 1); }));
    }
    if (!piece.is_tcp) return;
    CHECK(refuses([](Piece& p) { ++p.sequence; }));
    CHECK(refuses([](Piece& p) { --p.sequence; }));
    CHECK(refuses([](Piece& p) { p.options.back() ^= 1; }));
    CHECK(refuses([](Piece& p) { p.options.resize(8); }));
    for (const std::uint8_t flag : {fin, syn, rst, urg, ece, cwr})
        CHECK(refuses([&](Piece& p) { p.flags = static_cast<std::uint8_t>(ack | flag); }));
    CHECK(refuses([](Piece& p) { p.flags = 0; }));
    for (const std::size_t at : {8u, 12u, 14u, 18u}) { // ack, reserved bits, window, urgent
        Bytes next = piece.next().bytes();
        next[(piece.is_ipv6 ? 40u : 20u) + at] ^= 1;
        CHECK_FALSE(joins(first, finish(next)));
    }
}

TEST_CASE("merge: Identifications mean nothing with DF", "[merge][ID-03]") {
    Piece piece;
    piece.four.flags_and_offset = 0x4000;
    Piece next = piece.next();
    next.four.identification = 7;
    CHECK(joins(piece.bytes(), next.bytes()));
}

TEST_CASE("merge: what cannot have company is not taken", "[merge][GSO-05]") {
    const Piece piece = any_piece();
    Merger merger;
    const auto refused = [&](const Bytes& bytes) { return !start(merger, Room(bytes)); };
    CHECK_FALSE(refused(piece.bytes()));
    const auto spoiled = [&](auto spoil) {
        Piece p = piece;
        spoil(p);
        return refused(p.bytes());
    };
    CHECK(spoiled([](Piece& p) { p.data = 0; }));
    if (piece.is_tcp)
        for (const int flags : {ack | psh, ack | fin, +syn, ack | rst, ack | cwr, 0})
            CHECK(spoiled([&](Piece& p) { p.flags = static_cast<std::uint8_t>(flags); }));
    if (!piece.is_ipv6) {
        CHECK(spoiled([](Piece& p) { p.four.flags_and_offset = 0x2000; }));
        CHECK(spoiled([](Piece& p) { p.four.flags_and_offset = 3; }));
        CHECK(spoiled([](Piece& p) { p.four.options = Bytes(4, 1); }));
    }
    const Bytes good = piece.bytes();
    Bytes longer = good; // more bytes than the IP header says, and fewer
    longer.push_back(0);
    CHECK(refused(longer));
    for (std::size_t length = 0; length < good.size(); ++length)
        CHECK(refused(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length))));
    const std::size_t network = piece.is_ipv6 ? 40 : 20;
    Bytes bytes = good;
    bytes[piece.is_ipv6 ? 6 : 9] = 136; // UDP-Lite
    CHECK(refused(bytes));
    bytes = good;
    if (piece.is_tcp) {
        bytes[network + 12] = 0x40; // data offset 4
        CHECK(refused(bytes));
    } else {
        put16(&bytes[network + 4], 107); // UDP length
        CHECK(refused(bytes));
        bytes = good;
        put16(&bytes[network + 6], 0); // no checksum
        CHECK(refused(bytes));
    }
    Room super(good);
    super.packet.offload.gso_type = OffloadHeader::gso_udp;
    CHECK_FALSE(start(merger, super));
    // A protocol whose super-packets the kernel does not take.
    CHECK_FALSE(merger.start(Room(good).packet, !piece.is_tcp, piece.is_tcp));
    CHECK(merger.start(Room(good).packet, piece.is_tcp, !piece.is_tcp));
}

TEST_CASE("merge: nothing behind a shorter segment or PSH, and never too much", "[merge]") {
    Piece piece = any_piece();
    Merger merger;
    Room room(piece.bytes());
    REQUIRE(start(merger, room));
    piece = piece.next();
    if (piece.is_tcp)
        piece.flags = ack | psh;
    else
        piece.data = 99;
    REQUIRE(append(merger, piece.bytes()));
    piece = piece.next();
    piece.flags = ack;
    CHECK_FALSE(append(merger, piece.bytes()));
    CHECK(merger.finish().offload.gso_size == 100);

    const std::size_t size = GENERATE(std::size_t{10}, std::size_t{1400}, std::size_t{30000});
    piece.data = size;
    Room first(piece.bytes());
    REQUIRE(start(merger, first));
    for (;;) {
        piece = piece.next();
        if (!append(merger, piece.bytes())) break;
    }
    const unsigned count = merger.count();
    const Packet super = merger.finish();
    CHECK(super.length <= largest_packet);
    if (size == 10) CHECK(count == 64);
    if (size != 10) CHECK(super.length + size > largest_packet);
    CHECK(cut(super).size() == count);
}
