// SPDX-License-Identifier: BSD-2-Clause
//
// Collects what is wrong with a set of files, in any order, and hands it over sorted by file, line
// and column. After `limit` errors the rest is only counted; so are warnings.
#pragma once

#include "mapping/diagnostic.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace xlat646 {

/// 1-based; 0: unknown. Columns count bytes.
struct TextPosition {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    friend constexpr auto operator<=>(const TextPosition&, const TextPosition&) = default;
};

class YamlReport {
  public:
    explicit YamlReport(std::vector<std::string> files, std::size_t limit = 100)
        : files_(std::move(files)), limit_(limit) {}

    void error(std::uint32_t file, TextPosition at, std::string message) {
        add(Severity::error, file, at, std::move(message));
    }
    void warning(std::uint32_t file, TextPosition at, std::string message) {
        add(Severity::warning, file, at, std::move(message));
    }
    /// Belongs to the error or warning before it, and is dropped with it.
    void note(std::uint32_t file, TextPosition at, std::string message);

    /// False when the next error would not be shown: then `count_error` saves making its text.
    bool has_room() const { return shown_errors_ < limit_; }
    void count_error() { ++errors_; }

    bool failed() const { return errors_ != 0; }
    std::size_t errors() const { return errors_; }
    std::size_t warnings() const { return warnings_; }

    /// Appends everything to `out`.
    void finish(Diagnostics& out);

  private:
    struct Entry {
        std::uint32_t file;
        TextPosition at;
        Diagnostic head;
        Diagnostics notes;
    };
    void add(Severity severity, std::uint32_t file, TextPosition at, std::string message);
    Diagnostic make(Severity severity, std::uint32_t file, TextPosition at, std::string message);

    std::vector<std::string> files_;
    std::size_t limit_;
    std::vector<Entry> entries_;
    std::size_t errors_ = 0;
    std::size_t shown_errors_ = 0;
    std::size_t warnings_ = 0;
    std::size_t shown_warnings_ = 0;
    bool last_was_shown_ = false;
};

} // namespace xlat646
