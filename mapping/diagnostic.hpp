// SPDX-License-Identifier: BSD-2-Clause
//
// What a loader has to say about a file, in the form that editors and compilers use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace xlat646 {

enum class Severity : std::uint8_t { error, warning, note };

struct Diagnostic {
    Severity severity = Severity::error;
    std::string file;
    std::uint32_t line = 0;   ///< 1-based; 0: the whole file
    std::uint32_t column = 0; ///< 1-based; 0: the whole line
    std::string message;

    /// "file:line:column: error: message"
    std::string to_string() const;
};

using Diagnostics = std::vector<Diagnostic>;

bool has_errors(const Diagnostics& list);

} // namespace xlat646
