// SPDX-License-Identifier: BSD-2-Clause
//
// What stands behind the question mark of /api/v1/mappings and /api/v1/tenants. Pure.
#pragma once

#include "translator/stats/mapping_list.hpp"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace xlat646 {

/// Decoded, in the order of the request; any bytes.
using Arguments = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::size_t most_rows = 1000;       ///< of one answer
inline constexpr std::size_t longest_argument = 256; ///< in bytes

/// filter, tenant, sort, order (asc, desc), offset, limit; else a sentence that says what is wrong.
std::variant<MappingQuery, std::string> mapping_query(const Arguments& arguments);
/// sort, order, limit.
std::variant<TenantQuery, std::string> tenant_query(const Arguments& arguments);
/// For what takes none.
std::string unexpected_argument(const Arguments& arguments);

} // namespace xlat646
