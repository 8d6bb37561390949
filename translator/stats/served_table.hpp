// SPDX-License-Identifier: BSD-2-Clause
//
// What is published to the workers: a table, and where its packets are counted. One packet sees one
// of them as a whole, so what a packet of an old table adds can never be found under a pair of the
// new one that has got the same slot.
#pragma once

#include "mapping/table.hpp"
#include "translator/stats/counting.hpp"

#include <memory>
#include <vector>

namespace xlat646 {

struct ServedTable {
    std::unique_ptr<const MappingTable> table;
    std::vector<CounterBlock> blocks; ///< one for each worker; must outlive this object
};

} // namespace xlat646
