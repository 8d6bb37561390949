// SPDX-License-Identifier: BSD-2-Clause
//
// Cost of the pure core per packet: all checks, the lookup and the rewriting of headers. Each
// iteration restores the header bytes that the translation before has overwritten.
#include "tests/support/golden.hpp"
#include "translator/siit/translator.hpp"
#include "translator/wire/headers.hpp"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>
#include <random>

namespace {

using namespace xlat646;
using namespace xlat646::test;

constexpr std::uint32_t first_mapped = 0x0b000000; // 11.0.0.0

Ipv6Address server_address(std::uint32_t i) { return {0x20010db800010000ull, i + 1ull}; }

std::unique_ptr<const MappingTable> table_of(std::uint32_t pairs) {
    MappingList list;
    for (std::uint32_t i = 0; i < pairs; ++i) {
        Eam eam;
        eam.ipv4 = Ipv4Prefix(Ipv4Address(first_mapped + i * 2), 32);
        eam.ipv6 = Ipv6Prefix(server_address(i), 128);
        list.mappings.push_back(eam);
    }
    return MappingTable::build(std::move(list), nullptr, 7);
}

Bytes make_v4(std::size_t total, std::uint8_t proto, std::uint32_t server, bool df) {
    Bytes b(total, 0x5a);
    Ipv4Header h;
    h.total_length = static_cast<std::uint16_t>(total);
    h.flags_and_offset = df ? Ipv4Header::dont_fragment : std::uint16_t{0};
    h.ttl = 64;
    h.protocol = proto;
    h.set_source(Ipv4Address(0x08080808));
    h.set_destination(Ipv4Address(first_mapped + server * 2));
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

/// Translates the members of `packets`, which all have one size, one after the other.
void run(benchmark::State& state, const Settings& settings, const MappingTable& table,
         const std::vector<Bytes>& packets, const OffloadHeader& offload = {}) {
    Translator translator(settings);
    TestBuffer buffer(packets[0], offload);
    std::uint8_t* const data = buffer.packet.data;
    const std::size_t length = packets[0].size();
    const std::size_t header = std::min<std::size_t>(length, 64);
    std::size_t next = 0;
    for (auto _ : state) {
        std::memcpy(data, packets[next].data(), header);
        if (++next == packets.size()) next = 0;
        Packet packet;
        packet.data = data;
        packet.length = length;
        packet.offload = offload;
        const Outcome outcome = translator.translate(packet, table);
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
void v4_to_v6_udp(benchmark::State& state) {
    const auto pairs = static_cast<std::uint32_t>(state.range(1));
    const auto table = table_of(pairs);
    std::mt19937 random(1);
    std::vector<Bytes> packets;
    for (int i = 0; i < packet_count(pairs); ++i)
        packets.push_back(make_v4(static_cast<std::size_t>(state.range(0)), protocol::udp,
                                  static_cast<std::uint32_t>(random() % pairs), true));
    run(state, config().settings, *table, packets);
}
void v6_to_v4_udp(benchmark::State& state) {
    const auto pairs = static_cast<std::uint32_t>(state.range(1));
    const auto table = table_of(pairs);
    std::mt19937 random(1);
    std::vector<Bytes> packets;
    for (int i = 0; i < packet_count(pairs); ++i)
        packets.push_back(make_v6(static_cast<std::size_t>(state.range(0)), protocol::udp,
                                  static_cast<std::uint32_t>(random() % pairs), config().settings));
    run(state, config().settings, *table, packets);
}
BENCHMARK(v4_to_v6_udp)
    ->Args({64, 30})
    ->Args({1480, 30})
    ->Args({64, 10'000})
    ->Args({64, 1'000'000});
BENCHMARK(v6_to_v4_udp)
    ->Args({64, 30})
    ->Args({1500, 30})
    ->Args({64, 10'000})
    ->Args({64, 1'000'000});

void v4_to_v6_tcp_super_packet(benchmark::State& state) {
    const auto table = table_of(30);
    Bytes packet = make_v4(static_cast<std::size_t>(state.range(0)), protocol::tcp, 3, true);
    packet[20 + 12] = 0x50;
    run(state, config().settings, *table, {packet},
        tcp_super_packet(Ipv4Header::size, OffloadHeader::gso_tcp4));
}
void v6_to_v4_tcp_super_packet(benchmark::State& state) {
    const auto table = table_of(30);
    Bytes packet =
        make_v6(static_cast<std::size_t>(state.range(0)), protocol::tcp, 3, config().settings);
    packet[40 + 12] = 0x50;
    run(state, config().settings, *table, {packet},
        tcp_super_packet(Ipv6Header::size, OffloadHeader::gso_tcp6));
}
BENCHMARK(v4_to_v6_tcp_super_packet)->Arg(1480)->Arg(65000);
BENCHMARK(v6_to_v4_tcp_super_packet)->Arg(1500)->Arg(65000);

void find_ipv4(benchmark::State& state) {
    const auto pairs = static_cast<std::uint32_t>(state.range(0));
    const auto table = table_of(pairs);
    std::uint32_t x = 1;
    MatchedIpv6 found{};
    for (auto _ : state) {
        x = x * 1664525 + 1013904223;
        benchmark::DoNotOptimize(
            table->find(Ipv4Address(first_mapped + (x >> 8) % pairs * 2), found));
    }
}
void find_ipv6(benchmark::State& state) {
    const auto pairs = static_cast<std::uint32_t>(state.range(0));
    const auto table = table_of(pairs);
    std::uint32_t x = 1;
    MatchedIpv4 found{};
    for (auto _ : state) {
        x = x * 1664525 + 1013904223;
        benchmark::DoNotOptimize(table->find(server_address((x >> 8) % pairs), found));
    }
}
BENCHMARK(find_ipv4)->Arg(30)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(find_ipv6)->Arg(30)->Arg(10'000)->Arg(1'000'000);

} // namespace

BENCHMARK_MAIN();
