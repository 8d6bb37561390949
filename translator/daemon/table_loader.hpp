// SPDX-License-Identifier: BSD-2-Clause
//
// From configuration files to a table: read, parse, check, build. Nothing changes anywhere until
// the caller takes the result.
#pragma once

#include "mapping/diff.hpp"
#include "mapping/table.hpp"
#include "translator/daemon/account.hpp"
#include "translator/daemon/config.hpp"
#include "translator/daemon/config_files.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace xlat646 {

struct LoadedTable {
    std::unique_ptr<const MappingTable> table; ///< nullptr: there were errors
    MappingDiff diff;                          ///< against the previous table
    std::string digest;                        ///< see mapping/digest.hpp
    double seconds = 0;
    std::vector<std::string> files; ///< that it has been made of
};

/// The main file and what it names.
struct LoadedConfiguration {
    std::string text; ///< of the main file
    Config config;
    LoadedTable table;
};

/// The key `user`, for who judges files without starting: root judges for that user, others for
/// themselves. Appends to `diagnostics` when there is no such user here.
class FilesOfUser {
  public:
    FilesOfUser(const std::string& config_path, const Config& config, Directories directories,
                Diagnostics& diagnostics);

    const FileRules& rules() const { return rules_; }
    /// Errors for mapping files that this user cannot read, a warning for the main file.
    [[nodiscard]] bool can_be_read(std::vector<std::string> paths, Diagnostics& diagnostics) const;

  private:
    std::string config_path_;
    FileRules rules_;
    std::optional<Account> user_; ///< nullopt: nobody else's matter
};

/// All that can be checked without starting. Appends to `diagnostics`; false: errors are there.
/// Root also learns what the user of the daemon could not read.
[[nodiscard]] bool load_configuration(const std::string& config_path, LoadedConfiguration& out,
                                      Diagnostics& diagnostics,
                                      Directories directories = Directories::are_named);

/// The first half: all but the table.
[[nodiscard]] bool load_main_file(const std::string& config_path, LoadedConfiguration& out,
                                  Diagnostics& diagnostics, const FileRules& rules);

/// Appends to `diagnostics`. `previous` gives the counter slots; nullptr at start.
LoadedTable load_table(const std::string& config_path, const Config& config,
                       const MappingTable* previous, Diagnostics& diagnostics,
                       const FileRules& rules = {Directories::are_judged});

/// The reload guard: a sentence when `diff` removes more than `percent` of `pairs`, else empty.
std::string guard_against_loss(const MappingDiff& diff, std::size_t pairs, std::uint32_t percent);

} // namespace xlat646
