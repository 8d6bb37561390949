// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/diagnostic.hpp"

#include <algorithm>

namespace xlat646 {

namespace {

const char* name_of(Severity s) {
    switch (s) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::note: return "note";
    }
    return "error";
}

} // namespace

std::string Diagnostic::to_string() const {
    std::string text = file;
    if (line != 0) {
        text += ':' + std::to_string(line);
        if (column != 0) text += ':' + std::to_string(column);
    }
    if (!text.empty()) text += ": ";
    return text + name_of(severity) + ": " + message;
}

bool has_errors(const Diagnostics& list) {
    return std::any_of(list.begin(), list.end(),
                       [](const Diagnostic& d) { return d.severity == Severity::error; });
}

} // namespace xlat646
