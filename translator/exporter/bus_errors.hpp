// SPDX-License-Identifier: BSD-2-Clause
//
// A mapped file that somebody shortens: whoever reads behind its new end gets SIGBUS and would die.
// Here he gets zeros, and finds out afterwards. For one range of memory; one thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace xlat646::bus_errors {

/// For the life of the process. Elsewhere than in the range SIGBUS ends it, with a line on stderr.
void survive();
/// The range from now on; nothing has happened in it yet. nullptr: none.
void watch(const std::uint8_t* begin, std::size_t size);
/// From the first page that was not there, all of the range reads as zeros.
bool have_happened();

} // namespace xlat646::bus_errors
