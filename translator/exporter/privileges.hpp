// SPDX-License-Identifier: BSD-2-Clause
//
// What the exporter gives up at start: statistics come after packets, and need no right.
#pragma once

#include <string>

namespace xlat646 {

/// From now on whoever wants the CPU comes first.
void lower_priority();

/// Becomes that user, for good. Throws std::system_error.
void become(const std::string& user);

} // namespace xlat646
