// SPDX-License-Identifier: BSD-2-Clause
//
// Mappings and tenants as tables for people. Pure.
#pragma once

#include "translator/stats/mapping_list.hpp"

#include <ostream>

namespace xlat646 {

/// What the columns of numbers hold.
enum class Numbers : std::uint8_t { totals, rates };

/// `width`: of the terminal, where lines are cut; 0: as wide as they are.
void write_table(std::ostream& out, const std::vector<MappingRow>& rows, Numbers numbers,
                 std::size_t width = 0);
void write_table(std::ostream& out, const std::vector<TenantRow>& rows, Numbers numbers,
                 std::size_t width = 0);

} // namespace xlat646
