// SPDX-License-Identifier: BSD-2-Clause
//
// Tables with names, for tests of what people read about them.
#pragma once

#include "mapping/table.hpp"
#include "tests/unit/catch.hpp"

#include <memory>
#include <string>
#include <vector>

namespace xlat646 {

struct NamedPair {
    std::string ipv4;
    std::string ipv6;
    std::string name{};
    std::string tenant{};
};

inline std::unique_ptr<const MappingTable> named_table(const std::vector<NamedPair>& pairs,
                                                       const MappingTable* previous = nullptr) {
    MappingList list;
    const auto add = [&](const std::string& text) {
        if (text.empty()) return std::uint32_t{0};
        const auto offset = static_cast<std::uint32_t>(list.text.size());
        list.text += text + '\0';
        return offset;
    };
    for (const NamedPair& pair : pairs) {
        const auto ipv4 = Ipv4Prefix::parse(pair.ipv4);
        const auto ipv6 = Ipv6Prefix::parse(pair.ipv6);
        REQUIRE(ipv4);
        REQUIRE(ipv6);
        Eam m;
        m.ipv4 = *ipv4;
        m.ipv6 = *ipv6;
        m.name = add(pair.name);
        m.tenant = add(pair.tenant);
        list.mappings.push_back(m);
    }
    return MappingTable::build(std::move(list), previous, 1);
}

} // namespace xlat646
