// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/yaml_report.hpp"

#include <algorithm>
#include <tuple>

namespace xlat646 {

Diagnostic YamlReport::make(Severity severity, std::uint32_t file, TextPosition at,
                            std::string message) {
    return {severity, file < files_.size() ? files_[file] : std::string(), at.line, at.column,
            std::move(message)};
}

void YamlReport::add(Severity severity, std::uint32_t file, TextPosition at, std::string message) {
    const bool is_error = severity == Severity::error;
    ++(is_error ? errors_ : warnings_);
    std::size_t& shown = is_error ? shown_errors_ : shown_warnings_;
    last_was_shown_ = shown < limit_;
    if (!last_was_shown_) return;
    ++shown;
    entries_.push_back({file, at, make(severity, file, at, std::move(message)), {}});
}

void YamlReport::note(std::uint32_t file, TextPosition at, std::string message) {
    if (!last_was_shown_) return;
    entries_.back().notes.push_back(make(Severity::note, file, at, std::move(message)));
}

void YamlReport::finish(Diagnostics& out) {
    std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        return std::tie(a.file, a.at) < std::tie(b.file, b.at);
    });
    for (Entry& e : entries_) {
        out.push_back(std::move(e.head));
        for (Diagnostic& n : e.notes)
            out.push_back(std::move(n));
    }
    entries_.clear();
    const auto say_rest = [&](std::size_t all, std::size_t shown, const char* what) {
        if (all > shown)
            out.push_back({Severity::note, "", 0, 0,
                           "and " + std::to_string(all - shown) + " more " + what +
                               (all - shown == 1 ? "" : "s")});
    };
    say_rest(errors_, shown_errors_, "error");
    say_rest(warnings_, shown_warnings_, "warning");
}

} // namespace xlat646
