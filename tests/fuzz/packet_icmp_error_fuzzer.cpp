// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as the quote of an ICMP error whose own header and checksum are right.
#include "tests/fuzz/packet_checks.hpp"
#include "tests/fuzz/packet_input.hpp"

using namespace xlat646;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 10) return 0;
    const test::Bytes packet = fuzz::icmp_error_of(data, size);
    fuzz::require_good(fuzz::check_packet(fuzz::variant(data[0]), packet.data(), packet.size(), {}),
                       packet.data(), packet.size());
    return 0;
}
