// SPDX-License-Identifier: BSD-2-Clause
//
// Cost of the pure core per packet, by kind and size: all checks, the lookup and the rewriting of
// headers. Each iteration restores the header bytes that the translation before has overwritten,
// by a copy of constant size (of any size it is a string instruction, as dear as a lookup).
#include "tests/bench/pairs.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/packets.hpp"
#include "translator/siit/translator.hpp"
#include "translator/stats/counting.hpp"
#include "translator/wire/headers.hpp"

#include <algorithm>
#include <array>
#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>
#include <random>

namespace {

using namespace xlat646;
using namespace xlat646::bench;
using namespace xlat646::test;

Bytes make_v4(std::size_t total, std::uint8_t proto, std::uint32_t server, bool df) {
    Bytes b(total, 0x5a);
    Ipv4Header h;
    h.total_length = static_cast<std::uint16_t>(total);
    h.flags_and_offset = df ? Ipv4Header::dont_fragment : std::uint16_t{0};
    h.ttl = 64;
    h.protocol = proto;
    h.set_source(Ipv4Address(0x08080808));
    h.set_destination(public_address(server));
    h.set_checksum();
    store(b.data(), h);
    return b;
}

Bytes make_v6(std::size_t total, std::uint8_t proto, std::uint32_t server, const Settings& s) {
    Bytes b(total, 0x5a);
    Ipv6Header h;
    h.set_traffic_class(0);
    h.payload_length = static_cast<std::uint16_t>(total - Ipv6Header::size);
    h.next_header = proto;
    h.hop_limit = 64;
    h.set_source(server_address(server));
    h.set_destination(s.prefix.embed(Ipv4Address(0x08080808)));
    store(b.data(), h);
    return b;
}

/// A packet that was just read is in the cache: few originals for few pairs.
int packet_count(std::uint32_t pairs) { return pairs < 4096 ? 64 : 4096; }

/// What a worker counts on the way.
enum class Count : std::uint8_t { nothing, all };

/// Translates the members of `packets`, which all have one size, one after the other.
template <Count count = Count::nothing>
void run(benchmark::State& state, const Settings& settings, const MappingTable& table,
         const std::vector<Bytes>& packets, const OffloadHeader& offload = {}) {
    Translator translator(settings);
    WorkerCounters counters;
    std::vector<PairCounters> pairs(table.slot_count());
    const CounterBlock block{&counters, pairs.data()};
    TestBuffer buffer(packets[0], offload);
    std::uint8_t* const data = buffer.packet.data;
    const std::size_t length = packets[0].size();
    std::vector<std::array<std::uint8_t, 128>> headers(packets.size()); // the quoted ones are in it
    for (std::size_t i = 0; i < packets.size(); ++i)
        std::copy_n(packets[i].begin(), std::min(length, headers[i].size()), headers[i].begin());
    static_assert(sizeof headers[0] <= packet_tailroom);
    std::size_t next = 0;
    for (auto _ : state) {
        std::memcpy(data, headers[next].data(), sizeof headers[next]);
        if (++next == headers.size()) next = 0;
        Packet packet;
        packet.data = data;
        packet.length = length;
        packet.offload = offload;
        [[maybe_unused]] const Received received = Received::of(packet);
        const Outcome outcome = translator.translate(packet, table);
        if constexpr (count == Count::all)
            count_packet(block, received, translator, outcome, packet);
        if (!outcome.is_forward()) {
            state.SkipWithError("not forwarded");
            break;
        }
        benchmark::DoNotOptimize(packet);
    }
}

const GoldenConfig& config() {
    static const GoldenConfig c = make_config(nlohmann::json::object());
    return c;
}

OffloadHeader tcp_super_packet(std::size_t network_header, std::uint8_t type) {
    OffloadHeader o;
    o.flags = OffloadHeader::needs_checksum;
    o.gso_type = type;
    o.gso_size = 1440;
    o.checksum_start = static_cast<std::uint16_t>(network_header);
    o.checksum_offset = 16;
    return o;
}

/// range(0): bytes, range(1): pairs in the table.
template <Count count = Count::nothing> void v4_to_v6_udp(benchmark::State& state) {
    const auto pairs = static_cast<std::uint32_t>(state.range(1));
    const MappingTable& table = table_of(pairs);
    std::mt19937 random(1);
    std::vector<Bytes> packets;
    for (int i = 0; i < packet_count(pairs); ++i)
        packets.push_back(make_v4(static_cast<std::size_t>(state.range(0)), protocol::udp,
                                  static_cast<std::uint32_t>(random() % pairs), true));
    run<count>(state, config().settings, table, packets);
}
template <Count count = Count::nothing> void v6_to_v4_udp(benchmark::State& state) {
    const auto pairs = static_cast<std::uint32_t>(state.range(1));
    const MappingTable& table = table_of(pairs);
    std::mt19937 random(1);
    std::vector<Bytes> packets;
    for (int i = 0; i < packet_count(pairs); ++i)
        packets.push_back(make_v6(static_cast<std::size_t>(state.range(0)), protocol::udp,
                                  static_cast<std::uint32_t>(random() % pairs), config().settings));
    run<count>(state, config().settings, table, packets);
}
BENCHMARK(v4_to_v6_udp<>)
    ->Args({64, 30})
    ->Args({1480, 30})
    ->Args({64, 10'000})
    ->Args({64, 1'000'000});
BENCHMARK(v6_to_v4_udp<>)
    ->Args({64, 30})
    ->Args({1500, 30})
    ->Args({64, 10'000})
    ->Args({64, 1'000'000});

// The same with everything that a worker counts (stats/counting.hpp): compare with the rows above.
BENCHMARK(v4_to_v6_udp<Count::all>)->Args({64, 30})->Args({64, 10'000})->Args({64, 1'000'000});
BENCHMARK(v6_to_v4_udp<Count::all>)->Args({64, 30})->Args({64, 10'000})->Args({64, 1'000'000});

void v4_to_v6_tcp_super_packet(benchmark::State& state) {
    const MappingTable& table = table_of(30);
    Bytes packet = make_v4(static_cast<std::size_t>(state.range(0)), protocol::tcp, 3, true);
    packet[20 + 12] = 0x50;
    run(state, config().settings, table, {packet},
        tcp_super_packet(Ipv4Header::size, OffloadHeader::gso_tcp4));
}
void v6_to_v4_tcp_super_packet(benchmark::State& state) {
    const MappingTable& table = table_of(30);
    Bytes packet =
        make_v6(static_cast<std::size_t>(state.range(0)), protocol::tcp, 3, config().settings);
    packet[40 + 12] = 0x50;
    run(state, config().settings, table, {packet},
        tcp_super_packet(Ipv6Header::size, OffloadHeader::gso_tcp6));
}
BENCHMARK(v4_to_v6_tcp_super_packet)->Arg(1480)->Arg(65000);
BENCHMARK(v6_to_v4_tcp_super_packet)->Arg(1500)->Arg(65000);

/// `packet` again and again, in a table of 30 pairs.
void run_one(benchmark::State& state, const Bytes& packet) {
    const MappingTable& table = table_of(30);
    run(state, config().settings, table, {packet});
}

constexpr Ipv4Address client(0x08080808);
constexpr std::uint16_t more_fragments = 0x2000;

Bytes from_client(std::uint8_t proto, std::uint16_t flags_and_offset, const Bytes& payload) {
    return ipv4_packet({.source = client,
                        .destination = public_address(3),
                        .protocol = proto,
                        .identification = 7,
                        .flags_and_offset = flags_and_offset},
                       payload);
}
Bytes from_server(std::uint8_t proto, const Bytes& payload) {
    return ipv6_packet({.source = server_address(3),
                        .destination = config().settings.prefix.embed(client),
                        .next_header = proto},
                       payload);
}
/// range(0): bytes of data in the echo request; in the packet that an error quotes; in a fragment.
std::size_t data_size(const benchmark::State& state) {
    return static_cast<std::size_t>(state.range(0));
}

void v4_to_v6_echo(benchmark::State& state) {
    run_one(state, finish(from_client(protocol::icmp4, 0,
                                      icmp(8, 0, 0x00010001, counting(data_size(state))))));
}
void v6_to_v4_echo(benchmark::State& state) {
    run_one(state, finish(from_server(protocol::icmp6,
                                      icmp(129, 0, 0x00010001, counting(data_size(state))))));
}
void v4_to_v6_icmp_error(benchmark::State& state) {
    const Bytes lost = finish(ipv4_packet({.source = public_address(3), .destination = client},
                                          udp(53, 53, counting(data_size(state)))));
    run_one(state, finish(from_client(protocol::icmp4, 0, icmp(3, 3, 0, lost))));
}
void v6_to_v4_icmp_error(benchmark::State& state) {
    const Bytes lost = finish(ipv6_packet(
        {.source = config().settings.prefix.embed(client), .destination = server_address(3)},
        udp(53, 53, counting(data_size(state)))));
    run_one(state, finish(from_server(protocol::icmp6, icmp(1, 4, 0, lost))));
}
void v4_to_v6_fragment(benchmark::State& state) {
    run_one(state, from_client(protocol::udp, more_fragments | 64, counting(data_size(state))));
}
void v6_to_v4_fragment(benchmark::State& state) {
    Bytes payload = {protocol::udp, 0, 0x02, 0x01, 0, 0, 0, 7}; // offset 512, more to come
    const Bytes data = counting(data_size(state));
    payload.insert(payload.end(), data.begin(), data.end());
    run_one(state, from_server(protocol::fragment, payload));
}
BENCHMARK(v4_to_v6_echo)->Arg(56)->Arg(1400);
BENCHMARK(v6_to_v4_echo)->Arg(56)->Arg(1400);
BENCHMARK(v4_to_v6_icmp_error)->Arg(32)->Arg(500);
BENCHMARK(v6_to_v4_icmp_error)->Arg(32)->Arg(500);
BENCHMARK(v4_to_v6_fragment)->Arg(64)->Arg(1400);
BENCHMARK(v6_to_v4_fragment)->Arg(64)->Arg(1400);

} // namespace
