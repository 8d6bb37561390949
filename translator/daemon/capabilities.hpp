// SPDX-License-Identifier: BSD-2-Clause
//
// Capabilities of the calling thread; threads and processes that it starts get the same. All throw
// std::system_error.
#pragma once

#include <cstdint>

namespace xlat646 {

/// Bit n: capability n.
using CapabilityMask = std::uint64_t;
constexpr CapabilityMask capability(int number) { return CapabilityMask{1} << number; }

CapabilityMask effective_capabilities();
CapabilityMask permitted_capabilities();

/// Programs that this thread starts get none by it, as long as their user is not root.
void keep_capabilities_from_programs();

/// Exactly these (of those that it has) from now on, for this thread and for programs that it
/// starts; the others never again.
void limit_capabilities(CapabilityMask kept);

/// No program that is started from now on gets any right by its file or by being root's. Needs
/// CAP_SETPCAP; without it does what it can.
void close_ways_to_capabilities(CapabilityMask kept);

} // namespace xlat646
