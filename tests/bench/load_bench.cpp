// SPDX-License-Identifier: BSD-2-Clause
//
// From the text of a mapping file to a table, in the daemon's order and without its reading of
// files. Addresses are scattered at random, every pair has a name and one of 1000 tenants.
#include "mapping/diff.hpp"
#include "mapping/digest.hpp"
#include "mapping/loader.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace xlat646;

enum class Shape { flow, block, not_plain };

std::string file_of(std::uint32_t pairs, Shape shape) {
    std::string text = "version: 1\nmappings:\n";
    if (shape == Shape::not_plain) text += "# f\xc3\xbcr yaml-cpp\n";
    for (std::uint32_t i = 0; i < pairs; ++i) {
        // A multiplication by an odd number only changes the order: no address comes twice.
        const std::uint32_t scattered = i * 0x9e3779b1u & 0xffffffu;
        const std::string ipv4 = Ipv4Address(0x0b000000 | scattered).to_string();
        const std::string ipv6 =
            Ipv6Address(0x2a00000100000000ull | scattered, (i + 1ull) * 0x9e3779b97f4a7c15ull)
                .to_string();
        const std::string name = "host-" + std::to_string(i) + ".example.net";
        const std::string tenant = "tenant-" + std::to_string(i % 1000);
        if (shape == Shape::block)
            text += "  - ipv4: " + ipv4 + "\n    ipv6: '" + ipv6 + "'\n    name: " + name +
                    "\n    tenant: " + tenant + "\n";
        else
            text += "  - { ipv4: " + ipv4 + ", ipv6: \"" + ipv6 + "\", name: " + name +
                    ", tenant: " + tenant + " }\n";
    }
    return text;
}

void load(benchmark::State& state, Shape shape) {
    const auto pairs = static_cast<std::uint32_t>(state.range(0));
    const std::string text = file_of(pairs, shape);
    const auto prefix = TranslationPrefix::from(*Ipv6Prefix::parse("2001:db8:46::/96")).value();
    const LoaderRules rules{prefix, Ipv4Address(0xc00002fe), Ipv6Address(0x2a00ull << 48, 1), {}};
    for (auto _ : state) {
        const LoaderInput input{"mapping.yaml", text};
        MappingList list;
        Diagnostics diagnostics;
        if (!load_mappings({&input, 1}, &rules, {}, list, diagnostics)) {
            state.SkipWithError(diagnostics.front().to_string().c_str());
            break;
        }
        benchmark::DoNotOptimize(diff_mappings({}, list));
        benchmark::DoNotOptimize(digest(list, prefix, 1280));
        benchmark::DoNotOptimize(MappingTable::build(std::move(list), nullptr, 7));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}

BENCHMARK_CAPTURE(load, flow, Shape::flow)
    ->Unit(benchmark::kMillisecond)
    ->Arg(30)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000);
BENCHMARK_CAPTURE(load, block, Shape::block)
    ->Unit(benchmark::kMillisecond)
    ->Arg(30)
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000);
/// The same by yaml-cpp, because of one letter beyond ASCII.
BENCHMARK_CAPTURE(load, not_plain, Shape::not_plain)
    ->Unit(benchmark::kMillisecond)
    ->Arg(30)
    ->Arg(10'000)
    ->Arg(1'000'000);

} // namespace
