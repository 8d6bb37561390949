// SPDX-License-Identifier: BSD-2-Clause
//
// A fingerprint of everything in which several nodes have to agree (DC-02, DC-10): equal digests,
// equal translation. Order, names and files do not matter.
#pragma once

#include "mapping/table.hpp"
#include "mapping/translation_prefix.hpp"

#include <cstdint>
#include <string>

namespace xlat646 {

/// SHA-256 in 64 hexadecimal digits.
std::string digest(const MappingList& list, const TranslationPrefix& prefix,
                   std::uint32_t lowest_ipv6_mtu);

} // namespace xlat646
