// SPDX-License-Identifier: BSD-2-Clause
//
// Reads configuration files from disk: whole, once, and without ever waiting, and only files that
// others cannot write to (SEC-02).
#pragma once

#include "mapping/diagnostic.hpp"
#include "mapping/loader.hpp"
#include "translator/daemon/config_trust.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace xlat646 {

inline constexpr std::size_t config_file_limit = 1 << 20; ///< bytes of a main file

struct FileText {
    std::string path;
    std::string text;
};

/// Whether others can put another file in its place.
enum class Directories : std::uint8_t {
    are_judged, ///< an error: the daemon itself
    are_named,  ///< a warning: drafts and temporary copies are looked at where they lie
};

/// Who reads, and for whom.
struct FileRules {
    Directories directories = Directories::are_named;
    Trust trust = Trust::of_this_process();
};

/// nullopt, and an error, when the file cannot be read or trusted.
std::optional<FileText> read_config_file(const std::string& path, std::size_t most_bytes,
                                         Diagnostics& diagnostics, const FileRules& rules = {});

/// The same of the standard input, which may make it wait; "-" in diagnostics.
std::optional<FileText> read_standard_input(std::size_t most_bytes, Diagnostics& diagnostics);

/// The files that `patterns` (names and globs, relative to the directory of `config_path`) stand
/// for: in the order of the patterns, each glob sorted, no file twice. A glob without a match is a
/// warning, a name without a file an error, and so is no file at all; nullopt after any error.
std::optional<std::vector<FileText>>
read_mapping_files(const std::string& config_path, std::span<const std::string> patterns,
                   std::size_t most_bytes, Diagnostics& diagnostics, const FileRules& rules = {});

/// Views of the files for load_mappings.
std::vector<LoaderInput> loader_inputs(std::span<const FileText> files);

} // namespace xlat646
