// SPDX-License-Identifier: BSD-2-Clause
//
// Messages to stderr. Under systemd each line starts with its priority (`<4>`), so the journal
// files it by level; on a terminal it starts with the time and the level.
#pragma once

#include "mapping/diagnostic.hpp"

#include <spdlog/spdlog.h>

namespace xlat646 {

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
