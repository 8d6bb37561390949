// SPDX-License-Identifier: BSD-2-Clause
//
// Exit statuses of all programs (sysexits.h; systemd knows them by name).
#pragma once

namespace xlat646::exit_status {

inline constexpr int fine = 0;
inline constexpr int wrong = 1; ///< checked, and found wrong
inline constexpr int usage = 64;
inline constexpr int bad_input = 65;   ///< what is to be read makes no sense
inline constexpr int unavailable = 69; ///< no daemon answers
inline constexpr int internal = 70;
inline constexpr int cannot_create = 73; ///< TUN, route, control socket: something is in the way
inline constexpr int no_permission = 77;
inline constexpr int configuration = 78;

} // namespace xlat646::exit_status
