// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/worker_bench.hpp"
#include "translator/wire/segment.hpp"

#include <poll.h>

using namespace xlat646;
using namespace xlat646::test;

TEST_CASE("worker: small packets that wait in a row leave as one", "[worker][merge]") {
    Bench bench(true, 0, true);
    const auto four = [](std::uint8_t i) { return udp4(Bytes(30, i)); };
    for (std::uint8_t i = 0; i < 70; ++i) // more than fit into one super-packet
        bench.send(four(i));
    bench.start();
    std::uint8_t next = 0;
    for (const unsigned count : {64u, 6u}) {
        OffloadHeader offload;
        const Bytes super = bench.receive(&offload);
        CHECK(offload.gso_type == OffloadHeader::gso_udp);
        TestBuffer buffer(super, offload);
        Segmenter segmenter;
        REQUIRE(segmenter.start(buffer.packet));
        unsigned segments = 0;
        for (Packet s; segmenter.next(s); ++segments) {
            const auto parsed = parse_packet(s.data, s.length);
            REQUIRE(parsed);
            CHECK(parsed->destination6 == server6);
            CHECK(transport_checksum(s.data, *parsed) == ChecksumState::valid);
            CHECK(Bytes(s.data + 48, s.data + s.length) == Bytes(30, next++));
        }
        CHECK(segments == count);
    }
    bench.stop();
    const DirectionCounters& c = bench.counters().direction[d46];
    CHECK(c.merged.get() == 70);
    CHECK(c.super_packets.get() == 0); // those are received ones
    CHECK(c.received.get() == 70);
    CHECK(c.forwarded.get() == 70);
    CHECK(c.forwarded_bytes.get() == 70 * (40 + 8 + 30));
}

TEST_CASE("worker: merging keeps the order of everything", "[worker][merge]") {
    Bench bench(true, 0, true);
    const auto other = [] {
        return finish(ipv4_packet({client4, server4, 17}, udp(1001, 2000, counting(20))));
    };
    bench.send(udp4(counting(20)));
    bench.send(udp4(counting(20)));
    bench.send(ping4(1));
    bench.send(udp4(counting(20)));
    bench.send(other());
    bench.send(udp4(counting(20)));
    bench.send(ping4(2, 1));                            // answered by us: time exceeded
    bench.send(udp4(Bytes(3000)));                      // leaves in pieces
    bench.send(udp6(counting(20)));                     // the other way
    bench.send(ipv4_packet({client4, server4, 2}, {})); // dropped: does not part its neighbours
    bench.send(udp6(counting(20)));
    bench.send(udp6({}));
    bench.start();
    const auto is = [&](std::size_t length, std::uint8_t proto, bool super) {
        OffloadHeader offload;
        const Bytes packet = bench.receive(&offload);
        const auto parsed = parse_packet(packet.data(), packet.size());
        REQUIRE(parsed);
        CHECK(packet.size() == length);
        CHECK(parsed->protocol == proto);
        CHECK((offload.gso_type == OffloadHeader::gso_udp) == super);
        return parsed->transport;
    };
    is(48 + 2 * 20, 17, true);
    is(40 + 28, 58, false);
    is(48 + 20, 17, false);
    is(48 + 20, 17, false);
    is(48 + 20, 17, false);
    is(20 + 8 + 48, 1, false);
    is(1280, 17, false);
    is(1280, 17, false);
    is(40 + 8 + 3008 - 2 * 1232, 17, false);
    is(28 + 2 * 20, 17, true);
    is(28, 17, false);
    bench.stop();
    CHECK(bench.counters().direction[d46].merged.get() == 2);
    CHECK(bench.counters().direction[d64].merged.get() == 2);
    CHECK(sums(bench.counters()).received == 12);
}

TEST_CASE("worker: a super-packet that cannot be written is as many lost packets",
          "[worker][merge]") {
    Bench bench(true, 0, true);
    bench.start();
    std::uint64_t sent = 0;
    while (bench.counters().write_errors.get() < 100) { // nobody reads
        pollfd can_write{bench.fd(), POLLOUT, 0};
        REQUIRE(poll(&can_write, 1, 60000) == 1);
        bench.send(udp4(Bytes(100)));
        ++sent;
    }
    bench.stop();
    const WorkerCounters& c = bench.counters();
    const Sums s = sums(c);
    CHECK(s.received == s.forwarded);
    CHECK(s.received <= sent);
    CHECK(c.direction[d46].forwarded_bytes.get() ==
          (s.forwarded - c.write_errors.get()) * (40 + 8 + 100));
}

TEST_CASE("worker: datagrams that were cut wait for what came before, and for nothing else",
          "[worker][merge][GSO-07]") {
    Bench bench(true, 0, true);
    OffloadHeader offload;
    offload.flags = OffloadHeader::needs_checksum;
    offload.gso_type = OffloadHeader::gso_udp;
    offload.gso_size = 1400; // more than 1280 in IPv6, and DF is not set
    offload.checksum_start = 20;
    offload.checksum_offset = 6;
    const Bytes small = udp4(counting(100));
    bench.send(small);
    bench.send(ipv4_packet({client4, server4, 17}, udp(1000, 2000, counting(2 * 1400 + 100))),
               offload);
    bench.send(small);
    bench.send(small);
    bench.start();
    for (const std::size_t length : {148u, 1280u, 224u, 1280u, 224u, 148u, 248u}) {
        OffloadHeader out;
        CHECK(bench.receive(&out).size() == length);
        CHECK((out.gso_type == OffloadHeader::gso_udp) == (length == 248));
    }
    bench.stop();
    CHECK(bench.counters().direction[d46].merged.get() == 2);
}
