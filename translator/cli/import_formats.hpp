// SPDX-License-Identifier: BSD-2-Clause
//
// Files of other translators: text in, our mappings and what else we can express out. Pure.
// Whatever has no counterpart is reported where it stands: an error if a translation would be lost
// by it, a warning if not. What comes out has passed the loader's own rules.
#pragma once

#include "mapping/address.hpp"
#include "mapping/diagnostic.hpp"
#include "mapping/yaml_report.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

struct ImportedPair {
    Ipv4Prefix ipv4;
    Ipv6Prefix ipv6;
    TextPosition ipv4_at;
    TextPosition ipv6_at;
};

struct Imported {
    std::vector<ImportedPair> pairs;  ///< in the order of the text, without duplicates
    std::optional<Ipv6Prefix> prefix; ///< a translation prefix that we can use
    std::optional<Ipv4Address> own4;
    std::optional<Ipv6Address> own6;
    std::optional<Ipv4Prefix> pool; ///< sources of ICMP errors (RFC 6791)
};

enum class ImportFormat : std::uint8_t { map646, tayga, jool };
std::optional<ImportFormat> import_format(std::string_view name);

struct ImportResult {
    Imported content;
    Diagnostics diagnostics;
    std::size_t errors = 0;   ///< all, also those that are only counted in `diagnostics`
    std::size_t warnings = 0; ///< the same
};

/// `name`: of the file, for diagnostics.
ImportResult import_text(ImportFormat format, const std::string& name, std::string_view text);

/// A mapping file. What belongs into the main file stands at its head as a comment.
std::string mapping_file_of(const Imported& content);
/// A main file beside it; `content.prefix` is there.
std::string main_file_of(const Imported& content, const std::string& mapping_file);

// The parts, one for each format. They append to `out`; import_text() settles what they bring.
struct ImportRun {
    Imported& out;
    YamlReport& report;
    void error(TextPosition at, std::string message) { report.error(0, at, std::move(message)); }
    void warning(TextPosition at, std::string message) {
        report.warning(0, at, std::move(message));
    }
};
/// A word of a line.
struct ImportWord {
    std::string_view text;
    TextPosition at;
};
void import_map646(std::string_view text, ImportRun& run);
void import_tayga(std::string_view text, ImportRun& run);
void import_jool_json(std::string_view text, ImportRun& run);
void import_jool_lines(std::string_view text, ImportRun& run);

/// A pair, or an error why not.
void add_pair(const ImportWord& ipv4, const ImportWord& ipv6, ImportRun& run);
/// A translation prefix, or an error why not; `length`: if none is written, 0: one must be.
void set_prefix(const ImportWord& word, unsigned length, ImportRun& run);
/// A single value that may be given once.
void set_own_address(const ImportWord& word, ImportRun& run);

/// The words of the lines of a text, parted by `separators`, without what follows a '#' that begins
/// a word.
class ImportLines {
  public:
    ImportLines(std::string_view text, std::string_view separators)
        : rest_(text), separators_(separators) {}
    /// The next line that has words; false: there is none.
    bool next(std::vector<ImportWord>& words);

  private:
    std::string_view rest_;
    std::string_view separators_;
    std::uint32_t line_ = 0;
};

} // namespace xlat646
