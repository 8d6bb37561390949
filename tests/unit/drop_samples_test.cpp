// SPDX-License-Identifier: BSD-2-Clause
#include "tests/support/golden.hpp"
#include "tests/support/packets.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/catch.hpp"
#include "translator/stats/drop_samples.hpp"

#include <thread>

using namespace xlat646;
using namespace xlat646::test;

namespace {

constexpr auto d46 = Direction::v4_to_v6;
constexpr auto d64 = Direction::v6_to_v4;

std::string describe(const Bytes& bytes) {
    const Bytes exact(bytes);
    return describe_packet(exact.data(), exact.size()).to_string();
}

const Ipv4Fields v4{*Ipv4Address::parse("198.51.100.7"), *Ipv4Address::parse("192.0.2.1"), 17};
const Ipv6Fields v6{*Ipv6Address::parse("2001:db8::1"), *Ipv6Address::parse("2001:db8::2"), 6};

} // namespace

TEST_CASE("samples: a packet in words", "[samples][L4-04][SPA-07]") {
    CHECK(describe(ipv4_packet(v4, udp(53, 999, {}))) ==
          "198.51.100.7:53 > 192.0.2.1:999, protocol 17, 28 bytes");
    CHECK(describe(ipv6_packet(v6, tcp(1, 2, {}, {}))) ==
          "[2001:db8::1]:40000 > [2001:db8::2]:443, protocol 6, 60 bytes");
    Ipv4Fields with_options = v4;
    with_options.options = Bytes(40, 1);
    CHECK(describe(ipv4_packet(with_options, udp(53, 999, {}))) ==
          "198.51.100.7:53 > 192.0.2.1:999, protocol 17, 68 bytes");
    Ipv4Fields later = v4;
    later.flags_and_offset = 1;
    CHECK(describe(ipv4_packet(later, udp(53, 999, {}))) ==
          "198.51.100.7 > 192.0.2.1, protocol 17, 28 bytes");
    Ipv4Fields ping = v4;
    ping.protocol = 1;
    CHECK(describe(ipv4_packet(ping, icmp(8, 0, 0, {}))) ==
          "198.51.100.7 > 192.0.2.1, protocol 1, 28 bytes");
    CHECK(describe(ipv4_packet(v4, {0, 53, 3})) ==
          "198.51.100.7 > 192.0.2.1, protocol 17, 23 bytes");
    CHECK(describe({}) == "no IP header, 0 bytes");
    CHECK(describe({0x45, 0}) == "no IP header, 2 bytes");
    CHECK(describe(Bytes(39, 0x60)) == "no IP header, 39 bytes");
    CHECK(describe(Bytes(100, 0x55)) == "no IP header, 100 bytes");
}

TEST_CASE("samples: any bytes can be described", "[samples][SEC-06]") {
    const std::uint64_t seed = GENERATE(std::uint64_t{31}, fresh_seed());
    INFO("seed " << seed);
    Random random(seed);
    for (int i = 0; i < 20000; ++i) {
        Bytes bytes(random.below(70));
        for (auto& b : bytes)
            b = random.byte();
        if (!bytes.empty() && random.one_in(2))
            bytes[0] =
                static_cast<std::uint8_t>((random.one_in(2) ? 0x40 : 0x60) | random.below(16));
        const DropSample s = describe_packet(bytes.data(), bytes.size());
        REQUIRE(s.length == bytes.size());
        const bool is_ip =
            (s.ip_version == 4 && bytes.size() >= 20) || (s.ip_version == 6 && bytes.size() >= 40);
        REQUIRE((is_ip || s.ip_version == 0));
        REQUIRE_FALSE(s.to_string().empty());
    }
}

TEST_CASE("samples: asked, filled once, taken once", "[samples]") {
    DropSamples samples;
    DropSample sample;
    CHECK_FALSE(samples.is_wanted(d46, DropReason::igmp));
    CHECK_FALSE(samples.take(d46, DropReason::igmp, sample)); // nobody has asked
    samples.ask(d46, DropReason::igmp);
    CHECK(samples.is_wanted(d46, DropReason::igmp));
    CHECK_FALSE(samples.is_wanted(d64, DropReason::igmp));
    CHECK_FALSE(samples.is_wanted(d46, DropReason::spoof));
    CHECK_FALSE(samples.take(d46, DropReason::igmp, sample)); // nothing yet
    const Bytes packet = ipv4_packet(v4, udp(1, 2, {}));
    samples.put(d46, DropReason::igmp, describe_packet(packet.data(), packet.size()));
    CHECK_FALSE(samples.is_wanted(d46, DropReason::igmp));
    samples.ask(d46, DropReason::igmp); // asking again before taking loses nothing
    REQUIRE(samples.take(d46, DropReason::igmp, sample));
    CHECK(sample.source_port == 1);
    CHECK_FALSE(samples.take(d46, DropReason::igmp, sample));
    samples.ask(d46, DropReason::igmp);
    CHECK(samples.is_wanted(d46, DropReason::igmp));
}

TEST_CASE("samples: handed over between threads", "[samples]") {
    DropSamples samples;
    constexpr auto reason = DropReason::bad_offload; // the last slot
    std::atomic<bool> stop{false};
    std::thread worker([&] {
        std::uint32_t n = 0;
        while (!stop.load(std::memory_order_relaxed)) {
            if (!samples.is_wanted(d64, reason)) {
                std::this_thread::yield();
                continue;
            }
            ++n;
            DropSample s;
            s.length = n;
            s.source.fill(static_cast<std::uint8_t>(n));
            s.destination.fill(static_cast<std::uint8_t>(n));
            samples.put(d64, reason, s);
        }
    });
    std::uint32_t wrong = 0;
    for (std::uint32_t n = 1; n <= 3000; ++n) {
        samples.ask(d64, reason);
        DropSample s;
        while (!samples.take(d64, reason, s))
            std::this_thread::yield();
        if (s.length != n) ++wrong;
        for (const auto b : s.source)
            wrong += b != static_cast<std::uint8_t>(n);
        for (const auto b : s.destination)
            wrong += b != static_cast<std::uint8_t>(n);
    }
    stop = true;
    worker.join();
    CHECK(wrong == 0);
}
