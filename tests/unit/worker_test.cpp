// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/worker_bench.hpp"

#include <algorithm>
#include <poll.h>

using namespace xlat646;
using namespace xlat646::test;

TEST_CASE("worker: packets go through in both directions and in order",
          "[worker][T46-21][T64-20][GSO-12]") {
    const bool vnet_header = GENERATE(false, true);
    const std::uint32_t busy_poll_us = GENERATE(0u, 50u);
    const bool merge = vnet_header && GENERATE(false, true);
    Bench bench(vnet_header, busy_poll_us, merge);
    bench.start();
    for (std::uint16_t i = 0; i < 200; ++i) {
        bench.send(ping4(i));
        bench.send(udp6(counting(i)));
        if (i % 8 != 7) continue;
        for (std::uint16_t k = static_cast<std::uint16_t>(i - 7); k <= i; ++k) {
            OffloadHeader offload;
            const Bytes six = bench.receive(&offload);
            const Parsed p6 = whole(six);
            REQUIRE(p6.version == 6);
            CHECK(p6.destination6 == server6);
            CHECK(p6.source6 == client6);
            CHECK(get32(&six[44]) == k);
            CHECK(transport_checksum(six.data(), p6) == ChecksumState::valid);
            CHECK(offload == OffloadHeader{});
            const Bytes four = bench.receive();
            const Parsed p4 = whole(four);
            REQUIRE(p4.version == 4);
            CHECK(p4.transport_length == 8u + k);
            CHECK(transport_checksum(four.data(), p4) == ChecksumState::valid);
        }
    }
    bench.stop();
    const WorkerCounters& c = bench.counters();
    CHECK(c.direction[d46].received.get() == 200);
    CHECK(c.direction[d46].forwarded.get() == 200);
    CHECK(c.direction[d46].received_bytes.get() == 200 * 48);
    CHECK(c.direction[d46].forwarded_bytes.get() == 200 * 68);
    CHECK(c.direction[d64].forwarded.get() == 200);
    CHECK(c.direction[d64].received_bytes.get() == c.direction[d64].forwarded_bytes.get() + 4000);
    CHECK(c.write_errors.get() == 0);
    CHECK(c.read_errors.get() == 0);
    CHECK(c.unknown_reads.get() == 0);
}

TEST_CASE("worker: every packet is found in exactly one counter", "[worker][counters]") {
    Bench bench(false);
    bench.settings().unmapped = UnmappedPolicy::drop;
    bench.start();
    bench.send(udp4({1, 2, 3}));
    bench.send(ping4(1, 1)); // answered: time exceeded
    bench.send(finish(ipv4_packet({client4, bench.settings().own4, 1}, icmp(8, 0, 7, {}))));
    bench.send(ipv4_packet({client4, *Ipv4Address::parse("192.0.2.77"), 17}, udp(1, 2, {})));
    bench.send(ipv4_packet({client4, server4, 2}, {})); // IGMP
    bench.send(Bytes(3, 0x45));
    bench.send(Bytes(50, 0xff));
    bench.send(ipv6_packet({server6, server6, 17}, udp(1, 2, {})));
    bench.send(udp6({9})); // the last one: when it is out, all are counted
    CHECK(whole(bench.receive()).version == 6);
    const Bytes error = bench.receive();
    CHECK(error[20] == 11);
    CHECK(bench.receive()[20] == 0); // the echo reply
    CHECK(whole(bench.receive()).version == 4);
    bench.stop();
    const WorkerCounters& c = bench.counters();
    const auto dropped = [&](std::size_t d, DropReason r) {
        return c.direction[d].dropped[static_cast<std::size_t>(r)].get();
    };
    CHECK(dropped(d46, DropReason::no_mapping) == 1);
    CHECK(dropped(d46, DropReason::igmp) == 1);
    CHECK(dropped(d46, DropReason::malformed4) == 1);
    CHECK(dropped(d64, DropReason::malformed6) == 1);
    CHECK(dropped(d64, DropReason::not_for_us) == 1);
    CHECK(c.direction[d46].rejected[static_cast<std::size_t>(DropReason::hop_limit)].get() == 1);
    CHECK(c.direction[d46].errors_sent[static_cast<std::size_t>(ErrorKind::time_exceeded)].get() ==
          1);
    CHECK(c.direction[d46].answered.get() == 1);
    const Sums s = sums(c);
    CHECK(s.received == 9);
    CHECK(s.received == s.forwarded + s.answered + s.rejected + s.dropped);
}

TEST_CASE("worker: who sleeps keeps no table and no counters", "[worker][counters]") {
    Bench bench(false, GENERATE(0u, 50u));
    bench.start();
    bench.send(udp4({1}));
    bench.receive();
    for (int i = 0; i < 3; ++i) {
        const std::uint64_t before = bench.counters().sleeps.get();
        bench.publish(make_table(&bench.table(), 5)); // no packet shows it to the worker
        while (bench.snapshot().reclaim() != 0)
            std::this_thread::yield();
        CHECK(bench.counters().sleeps.get() >= before);
    }
    bench.stop();
}

TEST_CASE("worker: what is counted of each packet", "[worker][counters]") {
    const bool merge = GENERATE(false, true);
    Bench bench(true, 0, merge);
    bench.start();
    const auto traffic = [&](std::size_t direction, CountedProtocol protocol) -> const Traffic& {
        return bench.counters().direction[direction].protocols[static_cast<std::size_t>(protocol)];
    };
    const auto is = [](const Traffic& t, std::uint64_t packets, std::uint64_t bytes) {
        return t.packets.get() == packets && t.bytes.get() == bytes;
    };
    const Bytes fragment =
        finish(ipv4_packet({client4, server4, 17, 64, 9, 0, 0x2000}, udp(1, 2, counting(80))));
    const Bytes unknown = finish(ipv4_packet({client4, server4, 99}, counting(30)));
    const Bytes icmp6 = finish(ipv6_packet({server6, client6, 58}, icmp(129, 0, 1, counting(9))));
    OffloadHeader offload;
    offload.flags = OffloadHeader::needs_checksum;
    offload.gso_type = OffloadHeader::gso_tcp4;
    offload.gso_size = 1200;
    offload.checksum_start = 20;
    offload.checksum_offset = 16;
    const Bytes super =
        ipv4_packet({client4, server4, 6, 64, 0, 0, 0x4000}, tcp(1, 16, {}, Bytes(12001)));
    bench.send(super, offload);
    for (const Bytes& packet :
         {udp4({1, 2}), fragment, unknown, udp6(counting(5)), icmp6, ping4(1), ping4(2)})
        bench.send(packet);
    for (int i = 0; i < 8; ++i)
        bench.receive();
    bench.stop();
    CHECK(is(traffic(d46, CountedProtocol::tcp), 1, super.size()));
    CHECK(is(traffic(d46, CountedProtocol::udp), 2, 30 + fragment.size()));
    CHECK(is(traffic(d46, CountedProtocol::icmp), 2, 2 * ping4(1).size()));
    CHECK(is(traffic(d46, CountedProtocol::other), 1, 50));
    CHECK(is(traffic(d64, CountedProtocol::udp), 1, 53));
    CHECK(is(traffic(d64, CountedProtocol::icmp), 1, icmp6.size()));
    CHECK(is(traffic(d64, CountedProtocol::tcp), 0, 0));
    const DirectionCounters& c = bench.counters().direction[d46];
    CHECK(c.super_packets.get() == 1);
    CHECK(c.segments.get() == 11);
    CHECK(c.fragments.get() == 1);
    CHECK(bench.counters().direction[d64].fragments.get() == 0);
    CHECK(is(bench.pair(0).direction[d46], 6,
             super.size() + 30 + fragment.size() + 50 + 2 * ping4(1).size()));
    CHECK(is(bench.pair(0).direction[d64], 2, 53 + icmp6.size()));
    CHECK(is(bench.pair(1).direction[d46], 0, 0));
}

TEST_CASE("worker: a large packet leaves in pieces", "[worker][F46-04][F46-17]") {
    const bool vnet_header = GENERATE(false, true);
    Bench bench(vnet_header);
    bench.start();
    const Bytes data = counting(4000);
    bench.send(udp4(data));
    Bytes joined;
    std::size_t count = 0;
    for (bool more = true; more; ++count) {
        const Bytes piece = bench.receive();
        const Parsed p = whole(piece);
        CHECK(piece.size() <= 1280);
        CHECK(p.offset == joined.size());
        joined.insert(joined.end(), &piece[p.transport], piece.data() + piece.size());
        more = p.more;
    }
    CHECK(joined.size() == 4008);
    CHECK(std::equal(data.begin(), data.end(), joined.begin() + 8));
    bench.stop();
    CHECK(count == 4);
    CHECK(bench.counters().direction[d46].pieces.get() == count);
    CHECK(bench.counters().direction[d46].received.get() == 1);
    CHECK(bench.counters().direction[d46].forwarded.get() == 1);
    CHECK(bench.counters().direction[d46].forwarded_bytes.get() == 4008 + count * 48);
}

TEST_CASE("worker: super-packets stay whole", "[worker][GSO-06]") {
    Bench bench(true);
    bench.start();
    OffloadHeader offload;
    offload.flags = OffloadHeader::needs_checksum;
    offload.gso_type = OffloadHeader::gso_tcp4;
    offload.gso_size = 1200;
    offload.header_length = 40;
    offload.checksum_start = 20;
    offload.checksum_offset = 16;
    bench.send(ipv4_packet({client4, server4, 6, 64, 0, 0, 0x4000}, tcp(1, 16, {}, Bytes(60000))),
               offload);
    OffloadHeader out;
    const Bytes six = bench.receive(&out);
    CHECK(six.size() == 60000 + 20 + 40);
    CHECK(out.gso_type == OffloadHeader::gso_tcp6);
    CHECK(out.gso_size == 1200);
    CHECK(out.checksum_start == 40);
    CHECK(out.header_length == 60);
    bench.stop();
    CHECK(bench.counters().direction[d46].super_packets.get() == 1);
}

TEST_CASE("worker: datagrams that no offload can fragment are cut first",
          "[worker][GSO-07][F46-04]") {
    Bench bench(true, 0, GENERATE(false, true));
    bench.start();
    OffloadHeader offload;
    offload.flags = OffloadHeader::needs_checksum;
    offload.gso_type = OffloadHeader::gso_udp;
    offload.gso_size = 1400; // more than 1280 in IPv6, and DF is not set
    offload.checksum_start = 20;
    offload.checksum_offset = 6;
    bench.send(ipv4_packet({client4, server4, 17}, udp(5, 6, counting(2 * 1400 + 100))), offload);
    for (int datagram = 0; datagram < 2; ++datagram) {
        const Bytes first = bench.receive();
        CHECK(first.size() == 1280);
        CHECK(whole(first).more);
        const Bytes second = bench.receive();
        CHECK(whole(second).offset == 1232);
        CHECK(whole(second).transport_length == 8 + 1400 - 1232);
        CHECK(whole(second).identification == whole(first).identification);
    }
    const Bytes last = bench.receive();
    CHECK_FALSE(whole(last).is_fragment());
    CHECK(transport_checksum(last.data(), whole(last)) == ChecksumState::valid);
    bench.stop();
    CHECK(bench.counters().direction[d46].received.get() == 3);
    CHECK(bench.counters().direction[d46].pieces.get() == 4);
}

TEST_CASE("worker: nonsense in the offload header is dropped and counted", "[worker][GSO-05]") {
    Bench bench(true);
    bench.start();
    OffloadHeader offload;
    offload.flags = OffloadHeader::needs_checksum;
    offload.gso_type = OffloadHeader::gso_udp;
    offload.gso_size = 1400;
    offload.checksum_start = 20;
    offload.checksum_offset = 6;
    bench.send(ipv4_packet({client4, server4, 6}, tcp(1, 2, {}, Bytes(3000))), offload);
    offload = {};
    offload.flags = OffloadHeader::needs_checksum;
    offload.checksum_start = 65535;
    offload.checksum_offset = 65535;
    bench.send(udp4({}), offload);
    bench.send_raw(Bytes(9)); // shorter than an offload header
    bench.send(udp4({1}));
    CHECK(whole(bench.receive()).transport_length == 9);
    bench.stop();
    const auto reason = static_cast<std::size_t>(DropReason::bad_offload);
    CHECK(bench.counters().direction[d46].dropped[reason].get() == 2);
    CHECK(bench.counters().unknown_reads.get() == 1);
    const Sums s = sums(bench.counters());
    CHECK(s.received == 3);
    CHECK(s.received == s.forwarded + s.answered + s.rejected + s.dropped);
}

TEST_CASE("worker: a full output queue costs the packet and nothing else",
          "[worker][G6-08][ECN-06]") {
    Bench bench(false);
    bench.start();
    std::uint64_t sent = 0;
    constexpr std::uint8_t ect0 = 2;
    // Nobody reads: at some time the socket is full, and the worker goes on reading.
    while (bench.counters().write_errors.get() < 100) {
        pollfd can_write{bench.fd(), POLLOUT, 0};
        REQUIRE(poll(&can_write, 1, 60000) == 1);
        bench.send(
            finish(ipv4_packet({client4, server4, 17, 64, ect0}, udp(1000, 2000, Bytes(1000)))));
        ++sent;
    }
    bench.stop();
    const WorkerCounters& c = bench.counters();
    const Sums s = sums(c);
    CHECK(s.rejected == 0); // no ICMP error about congestion
    CHECK(s.received == s.forwarded);
    CHECK(s.received <= sent);
    CHECK(c.direction[d46].forwarded_bytes.get() ==
          (s.forwarded - c.write_errors.get()) * (1000 + 8 + 40));
    for (std::uint64_t i = c.write_errors.get(); i < s.forwarded; ++i)
        REQUIRE(whole(bench.receive()).octet == ect0); // dropped, not marked
}

TEST_CASE("worker: a packet leaves by the lane that it came from", "[worker]") {
    Bench bench(false);
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    const FileDescriptor near(ends[0]), far(ends[1]);
    bench.options().lanes.push_back(near.get());
    bench.start();
    for (std::uint16_t i = 0; i < 50; ++i) {
        const Bytes packet = ping4(static_cast<std::uint16_t>(1000 + i));
        REQUIRE(write(far.get(), packet.data(), packet.size()) ==
                static_cast<ssize_t>(packet.size()));
        bench.send(ping4(i));
        CHECK(get32(&bench.receive()[44]) == i);
        pollfd event{far.get(), POLLIN, 0};
        REQUIRE(poll(&event, 1, 60000) == 1);
        Bytes back(100);
        REQUIRE(read(far.get(), back.data(), back.size()) == 68);
        CHECK(get32(&back[44]) == 1000u + i);
    }
}

TEST_CASE("worker: a lane that never ends does not starve the others", "[worker]") {
    // Two endless sources of nonsense: 64 KiB and 8 bytes with every read.
    const FileDescriptor zeros(open("/dev/zero", O_RDWR | O_CLOEXEC));
    const FileDescriptor events(eventfd(0xffffffff, EFD_CLOEXEC | EFD_SEMAPHORE | EFD_NONBLOCK));
    Bench bench(false);
    bench.options().lanes.insert(bench.options().lanes.begin(), {zeros.get(), events.get()});
    bench.start();
    constexpr std::uint16_t pings = 200; // more than the share of one turn, should all meet in it
    for (std::uint16_t i = 0; i < pings; ++i) {
        bench.send(ping4(i));
        CHECK(get32(&bench.receive()[44]) == i);
    }
    bench.stop();
    const WorkerCounters& c = bench.counters();
    CHECK(c.direction[d46].forwarded.get() == pings);
    // In each turn one lane's share is two reads (65535 bytes each) and the other's 64.
    const std::uint64_t received = c.direction[d64].received.get();
    const std::uint64_t large =
        (c.direction[d64].received_bytes.get() - received * 8) / (65535 - 8);
    const std::uint64_t small = received - large;
    CHECK(large > 1);
    CHECK(small + 64 >= large / 2 * 64);
    CHECK(small <= (large / 2 + 1) * 64);
}

TEST_CASE("worker: busy polling gives up where pauses are long", "[worker]") {
    Bench bench(false, 1);
    bench.start();
    for (std::uint16_t i = 0; i < 30; ++i) {
        const std::uint64_t before = bench.counters().sleeps.get();
        bench.send(ping4(i));
        CHECK(get32(&bench.receive()[44]) == i);
        while (bench.counters().sleeps.get() == before)
            std::this_thread::yield();
        usleep(1000);
    }
    bench.stop();
    CHECK(bench.counters().futile_polls.get() > 0);
    CHECK(bench.counters().futile_polls.get() < 10);
}

TEST_CASE("worker: stops in the middle of a long busy poll", "[worker]") {
    Bench bench(false, 3'600'000'000);
    bench.start();
    bench.send(ping4(1));
    CHECK(bench.receive().size() == 68);
    bench.stop();
    CHECK(bench.counters().futile_polls.get() == 0);
}

TEST_CASE("worker: stops while packets keep coming", "[worker]") {
    Bench bench(false);
    bench.start();
    std::atomic<bool> stop{false};
    std::thread flood([&] {
        const Bytes packet = udp4(Bytes(64));
        while (!stop)
            if (::send(bench.fd(), packet.data(), packet.size(), MSG_DONTWAIT) < 0)
                std::this_thread::yield();
    });
    while (bench.counters().direction[d46].received.get() < 2000)
        std::this_thread::yield();
    bench.stop(); // returns: the burst has an end
    stop = true;
    flood.join();
    const Sums s = sums(bench.counters());
    CHECK(s.received == s.forwarded);
}

TEST_CASE("worker: under load while tables change and everything is read",
          "[worker][snapshot][samples][EAM-09]") {
    Bench bench(false);
    bench.start();
    constexpr std::uint32_t packets = 8000;
    constexpr int publications = 1000;
    constexpr std::uint32_t window = 64; // fits the socket's buffer, so nothing is lost there
    std::atomic<std::uint32_t> arrived{0};
    const Ipv4Address nobody = *Ipv4Address::parse("192.0.2.200");

    std::thread sender([&] {
        const Bytes good = udp4(counting(30));
        const Bytes bad = ipv4_packet({client4, nobody, 2}, counting(8)); // IGMP: silent
        for (std::uint32_t i = 0; i < packets; ++i) {
            while (i > arrived + window)
                std::this_thread::yield();
            for (const Bytes* p : {&good, &bad})
                if (::write(bench.fd(), p->data(), p->size()) < 0) std::abort();
        }
    });
    std::atomic<std::uint32_t> wrong{0};
    std::thread receiver([&] { // unchanged pairs lose nothing, whatever else comes and goes
        Bytes packet(2000);
        for (std::uint32_t i = 0; i < packets; ++i) {
            const ssize_t got = ::read(bench.fd(), packet.data(), packet.size());
            if (got != 40 + 8 + 30 || packet[0] != 0x60) ++wrong;
            ++arrived;
        }
    });
    int samples_taken = 0;
    std::uint64_t last = 0;
    for (int i = 0; i < publications; ++i) {
        bench.publish(make_table(&bench.table(), static_cast<std::uint32_t>(i % 50)));
        bench.worker().samples().ask(Direction::v4_to_v6, DropReason::igmp);
        DropSample sample;
        if (bench.worker().samples().take(Direction::v4_to_v6, DropReason::igmp, sample)) {
            ++samples_taken;
            if (sample.protocol != 2 || sample.length != 28) ++wrong;
        }
        const std::uint64_t now = sums(bench.counters()).received;
        if (now < last) ++wrong;
        last = now;
        std::this_thread::yield();
    }
    sender.join();
    receiver.join();
    while (sums(bench.counters()).received < 2 * packets)
        std::this_thread::yield();
    bench.stop();
    CHECK(wrong == 0);
    CHECK(bench.snapshot().reclaim() == 0);
    const Sums s = sums(bench.counters());
    CHECK(s.forwarded == packets);
    CHECK(s.dropped == packets);
    CHECK(bench.counters().write_errors.get() == 0);
    DropSample sample;
    if (bench.worker().samples().take(Direction::v4_to_v6, DropReason::igmp, sample))
        ++samples_taken;
    CHECK(samples_taken > 0);
}
