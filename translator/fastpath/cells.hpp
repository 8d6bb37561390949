// SPDX-License-Identifier: BSD-2-Clause
//
// One table of the kernel program: made, filled, read.
//
// The kernel's memory is looked at a piece at a time: all of it, for a million addresses, would be
// 128 MiB more in this process.
#pragma once

#include "translator/fastpath/kernel_table.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace xlat646 {

/// An address of a table: where it belongs, and who knows what its cell holds.
struct CellKey {
    std::uint64_t hash;
    std::uint32_t owner;
};

/// By what the cells are found.
enum class CellsBy : std::uint8_t { ipv4, ipv6 };

/// Throws std::system_error. `keys`: without duplicates. `make`: the cell of an owner.
CellMap make_cells(CellsBy by, const std::vector<CellKey>& keys,
                   const std::function<xlat646_cell(std::uint32_t owner)>& make);

/// Every cell that is in use.
void visit_cells(const CellMap& map, const std::function<void(const xlat646_cell&)>& visitor);

} // namespace xlat646
