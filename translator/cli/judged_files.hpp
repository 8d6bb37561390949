// SPDX-License-Identifier: BSD-2-Clause
//
// Configuration files as the commands that need no daemon get them: a main file with the mapping
// files that it names, or a mapping file alone; "-" is the standard input. The daemon's readers,
// and so its judgement, but for the table, which only lookup needs.
#pragma once

#include "mapping/diagnostic.hpp"
#include "mapping/table.hpp"
#include "translator/cli/command.hpp"
#include "translator/daemon/config.hpp"

#include <optional>
#include <string>

namespace xlat646 {

struct MainFile {
    std::string text;
    Config config;
};

struct JudgedFiles {
    std::optional<MainFile> main; ///< nullopt: a mapping file alone
    MappingList list;
};

enum class FileKind : std::uint8_t { unknown, main, mapping };

struct FileQuestion {
    std::string path;
    FileKind kind = FileKind::unknown; ///< unknown: by the keys in it
    /// Where the main file is going to lie: its mapping files are looked for from there.
    std::string main_path;
    Words mapping_files;                ///< instead of those that the main file names
    const LoaderRules* rules = nullptr; ///< for a mapping file alone (EAM-07)
};

/// False: at least one error in `diagnostics`.
[[nodiscard]] bool judge_files(const FileQuestion& question, JudgedFiles& out,
                               Diagnostics& diagnostics);

/// A main file without any mapping file; `out.list` stays empty.
[[nodiscard]] bool judge_main_alone(const std::string& path, JudgedFiles& out,
                                    Diagnostics& diagnostics);

/// To stderr, safe for a terminal.
void print_diagnostics(const Diagnostics& diagnostics);

} // namespace xlat646
