// SPDX-License-Identifier: BSD-2-Clause
//
// Blocks of a pcapng file (draft-ietf-opsawg-pcapng) with bare IP packets. Pure: they come as
// bytes, to be written one after the other. Native byte order, as the format has it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace xlat646::pcapng {

/// Goes first. `application`: what has made the file.
std::string section(std::string_view application);

/// Goes second: of all packets, whose times are in nanoseconds. There is one: libpcap 1.10.3 takes
/// two for different types if their type is this (LINKTYPE_RAW, which has another number as
/// DLT_RAW).
std::string interface(std::string_view name, std::string_view description,
                      std::uint32_t snap_length);

struct PacketInfo {
    std::uint64_t time_ns = 0;     ///< Unix time
    std::uint32_t length = 0;      ///< of the packet, of which not all need be kept
    bool is_outbound = false;      ///< else inbound
    std::string_view comment = {}; ///< UTF-8
};
std::string packet(const PacketInfo& info, std::string_view kept);

} // namespace xlat646::pcapng
