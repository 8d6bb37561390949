// SPDX-License-Identifier: BSD-2-Clause
//
// Messages to stderr. Under systemd each line starts with its priority (`<4>`), so the journal
// files it by level; on a terminal it starts with the time and the level.
#pragma once

#include "mapping/diagnostic.hpp"

#include <cstdint>
#include <fmt/core.h>
#include <string>

namespace xlat646 {

enum class LogLevel : std::uint8_t { info, warning, error, critical };

void log_line(LogLevel level, const std::string& text);

// Formatted by the compiled library: spdlog's own templates would cost each file seconds of
// compilation.
template <class... Arguments>
void log_info(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    log_line(LogLevel::info, fmt::vformat(format, fmt::make_format_args(arguments...)));
}
template <class... Arguments>
void log_warning(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    log_line(LogLevel::warning, fmt::vformat(format, fmt::make_format_args(arguments...)));
}
template <class... Arguments>
void log_error(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    log_line(LogLevel::error, fmt::vformat(format, fmt::make_format_args(arguments...)));
}
template <class... Arguments>
void log_critical(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    log_line(LogLevel::critical, fmt::vformat(format, fmt::make_format_args(arguments...)));
}

/// Until log_without_waiting() a slow reader is waited for: a start that fails says why,
/// completely.
void set_up_log();

/// From now on a log that nobody reads stops nobody; lines may get lost. What is late is written
/// with the next line, or by flush_log().
void log_without_waiting();
void flush_log();

/// Diagnostics of a file, each at its own level.
void log_diagnostics(const Diagnostics& diagnostics);

} // namespace xlat646
