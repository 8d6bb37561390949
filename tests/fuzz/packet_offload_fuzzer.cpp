// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as an offload header (native byte order) and a packet of either family. What comes out
// as a super-packet is cut into segments, and every one of them is judged.
#include "tests/fuzz/packet_checks.hpp"
#include "tests/fuzz/packet_input.hpp"

#include <cstring>

using namespace xlat646;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    OffloadHeader offload;
    if (size < sizeof offload + 3) return 0;
    std::memcpy(&offload, data, sizeof offload);
    data += sizeof offload;
    size -= sizeof offload;
    const test::Bytes packet = fuzz::packet_of(data, size);
    fuzz::require_good(
        fuzz::check_packet(fuzz::variant(data[0]), packet.data(), packet.size(), offload),
        packet.data(), packet.size());
    return 0;
}
