// SPDX-License-Identifier: BSD-2-Clause
//
// The mappings of the benchmarks: pair i is 11.0.0.0 plus twice i, and server_address(i).
#pragma once

#include "mapping/table.hpp"

#include <map>
#include <memory>

namespace xlat646::bench {

constexpr std::uint32_t first_mapped = 0x0b000000; // 11.0.0.0

inline Ipv4Address public_address(std::uint32_t i) { return Ipv4Address(first_mapped + i * 2); }
inline Ipv6Address server_address(std::uint32_t i) { return {0x20010db800010000ull, i + 1ull}; }

/// Built once: Google Benchmark calls a function several times to find how often to repeat it.
inline const MappingTable& table_of(std::uint32_t pairs) {
    static std::map<std::uint32_t, std::unique_ptr<const MappingTable>> tables;
    auto& table = tables[pairs];
    if (table) return *table;
    MappingList list;
    for (std::uint32_t i = 0; i < pairs; ++i) {
        Eam eam;
        eam.ipv4 = Ipv4Prefix(public_address(i), 32);
        eam.ipv6 = Ipv6Prefix(server_address(i), 128);
        list.mappings.push_back(eam);
    }
    table = MappingTable::build(std::move(list), nullptr, 7);
    return *table;
}

} // namespace xlat646::bench
