// SPDX-License-Identifier: BSD-2-Clause
//
// From configuration files to a table: read, parse, check, build. Nothing changes anywhere until
// the caller takes the result.
#pragma once

#include "mapping/diff.hpp"
#include "mapping/table.hpp"
#include "translator/daemon/config.hpp"

#include <memory>
#include <string>

namespace xlat646 {

struct LoadedTable {
    std::unique_ptr<const MappingTable> table; ///< nullptr: there were errors
    MappingDiff diff;                          ///< against the previous table
    std::string digest;                        ///< see mapping/digest.hpp
    double seconds = 0;
};

/// The main file and what it names.
struct LoadedConfiguration {
    std::string text; ///< of the main file
    Config config;
    LoadedTable table;
};

/// All that can be checked without starting. Appends to `diagnostics`; false: errors are there.
[[nodiscard]] bool load_configuration(const std::string& config_path, LoadedConfiguration& out,
                                      Diagnostics& diagnostics);

/// Appends to `diagnostics`. `previous` gives the counter slots; nullptr at start.
LoadedTable load_table(const std::string& config_path, const Config& config,
                       const MappingTable* previous, Diagnostics& diagnostics);

/// The reload guard: a sentence when `diff` removes more than `percent` of `pairs`, else empty.
std::string guard_against_loss(const MappingDiff& diff, std::size_t pairs, std::uint32_t percent);

} // namespace xlat646
