// SPDX-License-Identifier: BSD-2-Clause
//
// Header fields of a packet as words, so that two packets can be compared by people. Reads as far
// as the bytes go, judges nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace xlat646 {

struct PacketField {
    std::string name; ///< the same in both families where the field means the same
    std::string value;
};

/// `packet`: from the IP header on. Quoted packets of ICMP errors follow as "quoted ...".
std::vector<PacketField> fields_of(std::span<const std::uint8_t> packet);

} // namespace xlat646
