// SPDX-License-Identifier: BSD-2-Clause
//
// The switch that withdraws a node's routes (RT-20): one line that BIRD includes. It is the only
// memory of being drained, and outlives the daemon, BIRD and the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xlat646 {

enum class DrainState : std::uint8_t {
    none,
    by_operator, ///< stays until undrained by hand
    by_shutdown, ///< ends when the daemon starts again
};

/// nullopt: neither this program nor a hand that knows BIRD has written that. A line by hand counts
/// as the operator's.
std::optional<DrainState> parse_drain(std::string_view text);
std::string drain_text(DrainState state);

/// none where there is no file. Throws std::system_error; std::runtime_error when it makes no
/// sense.
DrainState read_drain(const std::string& path);
/// Throws std::system_error.
void write_drain(const std::string& path, DrainState state);

} // namespace xlat646
