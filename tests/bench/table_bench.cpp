// SPDX-License-Identifier: BSD-2-Clause
//
// One lookup, by table size. Hot: at random, and one need not wait for the one before. Cold: the
// line of the pair was flushed from all caches, and each lookup needs the result of the one before.
#include "tests/bench/pairs.hpp"

#include <array>
#include <benchmark/benchmark.h>
#include <chrono>
#include <random>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

using namespace xlat646;
using namespace xlat646::bench;

void find_ipv4(benchmark::State& state) {
    const auto pairs = static_cast<std::uint32_t>(state.range(0));
    const MappingTable& table = table_of(pairs);
    std::uint32_t x = 1;
    MatchedIpv6 found{};
    for (auto _ : state) {
        x = x * 1664525 + 1013904223;
        benchmark::DoNotOptimize(table.find(public_address((x >> 8) % pairs), found));
    }
}
void find_ipv6(benchmark::State& state) {
    const auto pairs = static_cast<std::uint32_t>(state.range(0));
    const MappingTable& table = table_of(pairs);
    std::uint32_t x = 1;
    MatchedIpv4 found{};
    for (auto _ : state) {
        x = x * 1664525 + 1013904223;
        benchmark::DoNotOptimize(table.find(server_address((x >> 8) % pairs), found));
    }
}
BENCHMARK(find_ipv4)->Arg(30)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(find_ipv6)->Arg(30)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);

#if defined(__x86_64__)
Ipv4Address plus(Ipv4Address a, std::uint32_t n) { return Ipv4Address(a.value() + n); }
Ipv6Address plus(const Ipv6Address& a, std::uint32_t n) { return {a.high(), a.low() + n}; }

template <class Key> void find_cold(benchmark::State& state, Key (*key_of)(std::uint32_t)) {
    constexpr std::size_t batch = 16;
    const auto pairs = static_cast<std::uint32_t>(state.range(0));
    HostTable<Key> table({{1, 2, 3}}, pairs);
    for (std::uint32_t i = 0; i < pairs; ++i)
        table.insert({server_address(i), public_address(i), i, 0, 0});
    std::mt19937 random(1);
    std::array<Key, batch> keys;
    for (auto _ : state) {
        // No key twice in a batch, if there are enough.
        const std::uint32_t first = static_cast<std::uint32_t>(random()) % pairs;
        const std::uint32_t step = std::max(1u, pairs / std::uint32_t{batch});
        for (std::uint32_t i = 0; i < batch; ++i) {
            keys[i] = key_of((first + i * step) % pairs);
            _mm_clflush(table.find(keys[i]));
        }
        _mm_mfence();
        std::uint32_t none = 0; // as no compiler knows: `used` is 1
        const auto start = std::chrono::steady_clock::now();
        for (const Key& key : keys)
            none = table.find(plus(key, none))->used - 1u;
        const auto end = std::chrono::steady_clock::now();
        benchmark::DoNotOptimize(none);
        state.SetIterationTime(std::chrono::duration<double>(end - start).count() / batch);
    }
}
// A batch takes 2 us, most of it not measured: so few that a run takes no second.
BENCHMARK_CAPTURE(find_cold, ipv4, public_address)
    ->UseManualTime()
    ->Iterations(20'000)
    ->Arg(30)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000);
BENCHMARK_CAPTURE(find_cold, ipv6, server_address)
    ->UseManualTime()
    ->Iterations(20'000)
    ->Arg(30)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000);
#endif

} // namespace
