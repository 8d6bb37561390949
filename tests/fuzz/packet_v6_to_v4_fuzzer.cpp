// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as IPv6 packets (packet_input.hpp).
#include "tests/fuzz/packet_checks.hpp"
#include "tests/fuzz/packet_input.hpp"

using namespace xlat646;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    const test::Bytes packet = fuzz::packet_of(data, size, 6);
    fuzz::require_good(fuzz::check_packet(fuzz::variant(data[0]), packet.data(), packet.size(), {}),
                       packet.data(), packet.size());
    return 0;
}
