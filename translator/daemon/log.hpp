// SPDX-License-Identifier: BSD-2-Clause
//
// Messages to stderr. Under systemd each line starts with its priority (`<4>`), so the journal
// files it by level; on a terminal it starts with the time and the level.
#pragma once

#include "mapping/diagnostic.hpp"

#include <spdlog/spdlog.h>

namespace xlat646 {

void set_up_log();

/// Diagnostics of a file, each at its own level.
void log_diagnostics(const Diagnostics& diagnostics);

} // namespace xlat646
