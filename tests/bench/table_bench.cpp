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

/// How the mapped addresses lie: what a hash of only some of their bits would stumble over.
enum class Layout : std::uint8_t { one_block, strided, scattered };

std::uint32_t number(Layout layout, std::uint32_t i) {
    switch (layout) {
    case Layout::one_block: return first_mapped + i; // 1,000,000 of them: a /12
    case Layout::strided: return i << 12;
    case Layout::scattered: return i * 0x9e3779b1u; // odd: each number once
    }
    return 0;
}

struct Keys {
    static Ipv4Address ipv4(Layout layout, std::uint32_t i) {
        return Ipv4Address(number(layout, i));
    }
    static Ipv6Address ipv6(Layout layout, std::uint32_t i) {
        return {0x20010db800010000ull, std::uint64_t{number(layout, i)} << 16};
    }
};

template <class Key, class Found>
void find_hot(benchmark::State& state, Key (*key_of)(Layout, std::uint32_t), Layout layout) {
    const auto pairs = static_cast<std::uint32_t>(state.range(0));
    MappingList list;
    for (std::uint32_t i = 0; i < pairs; ++i) {
        Eam eam;
        eam.ipv4 = Ipv4Prefix(Keys::ipv4(layout, i), 32);
        eam.ipv6 = Ipv6Prefix(Keys::ipv6(layout, i), 128);
        list.mappings.push_back(eam);
    }
    const auto table = MappingTable::build(std::move(list), nullptr, 7);
    std::uint32_t x = 1;
    Found found{};
    for (auto _ : state) {
        x = x * 1664525 + 1013904223;
        benchmark::DoNotOptimize(table->find(key_of(layout, (x >> 8) % pairs), found));
    }
}
void find_ipv4(benchmark::State& state, Layout layout) {
    find_hot<Ipv4Address, MatchedIpv6>(state, Keys::ipv4, layout);
}
void find_ipv6(benchmark::State& state, Layout layout) {
    find_hot<Ipv6Address, MatchedIpv4>(state, Keys::ipv6, layout);
}
#define XLAT646_EACH_SIZE ->Arg(30)->Arg(10'000)->Arg(100'000)->Arg(1'000'000)
BENCHMARK_CAPTURE(find_ipv4, one_block, Layout::one_block) XLAT646_EACH_SIZE;
BENCHMARK_CAPTURE(find_ipv4, strided, Layout::strided) XLAT646_EACH_SIZE;
BENCHMARK_CAPTURE(find_ipv4, scattered, Layout::scattered) XLAT646_EACH_SIZE;
BENCHMARK_CAPTURE(find_ipv6, one_block, Layout::one_block) XLAT646_EACH_SIZE;
BENCHMARK_CAPTURE(find_ipv6, strided, Layout::strided) XLAT646_EACH_SIZE;
BENCHMARK_CAPTURE(find_ipv6, scattered, Layout::scattered) XLAT646_EACH_SIZE;
#undef XLAT646_EACH_SIZE

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
