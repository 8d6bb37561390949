// SPDX-License-Identifier: BSD-2-Clause
//
// The filter of a capture, in tcpdump's language (pcap-filter(7)).
#pragma once

#include "translator/dataplane/capture_wish.hpp"

#include <string>
#include <vector>

namespace xlat646 {

/// For packets that begin with the IP header. Throws std::invalid_argument: what is wrong with it.
std::vector<FilterInstruction> compile_filter(const std::string& expression);

} // namespace xlat646
