// SPDX-License-Identifier: BSD-2-Clause
//
// What one list of mappings adds, removes and changes against another. Mappings are the same when
// their IPv4 prefix is; where they were written does not matter.
#pragma once

#include "mapping/table.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace xlat646 {

enum class ChangeKind : std::uint8_t {
    added,
    removed,
    readdressed, ///< another IPv6 prefix
    relabelled,  ///< the same pair with another name or tenant
};

struct MappingChange {
    ChangeKind kind;
    const Eam* before; ///< into the old list; nullptr: added
    const Eam* after;  ///< into the new list; nullptr: removed
};

struct MappingDiff {
    std::size_t added = 0;
    std::size_t removed = 0;
    std::size_t readdressed = 0;
    std::size_t relabelled = 0;
    std::size_t unchanged = 0;
    std::vector<MappingChange> changes; ///< the first ones, by IPv4 prefix

    bool empty() const { return added + removed + readdressed + relabelled == 0; }
};

/// `max_changes` bounds the list, not the counts; 0: counts only. Both lists are free of
/// duplicates and must outlive the answer.
MappingDiff diff_mappings(const MappingList& before, const MappingList& after,
                          std::size_t max_changes = 0);

} // namespace xlat646
