// SPDX-License-Identifier: BSD-2-Clause
#include "tests/model/second_path.hpp"

#include "tests/fastpath/harness.hpp"

namespace xlat646::test {

struct SecondPath::Parts {
    Harness harness;
};

SecondPath::SecondPath(std::shared_ptr<const GoldenConfig> config)
    : parts_(new Parts{Harness(std::move(config))}) {}
SecondPath::~SecondPath() = default;

SecondPath::Answer SecondPath::run(const Bytes& packet, const OffloadHeader& offload) {
    // BPF_PROG_TEST_RUN knows nothing of partial checksums: to the program the field is one that is
    // complete. A gso_size it gets where a kernel would let one through.
    const bool is_ipv4 = !packet.empty() && packet[0] >> 4 == 4;
    std::uint16_t gso_size = 0;
    if (may_be_super_packet(packet)) {
        const std::uint8_t tcp = is_ipv4 ? OffloadHeader::gso_tcp4 : OffloadHeader::gso_tcp6;
        const std::uint8_t type = packet[is_ipv4 ? 9 : 6] == 6 ? tcp : OffloadHeader::gso_udp;
        if ((offload.gso_type & ~OffloadHeader::gso_ecn) == type) gso_size = offload.gso_size;
    }
    // One router earlier.
    const bool has_room = packet.size() >= 20 && hops_of(packet) < 255;
    const Comparison c =
        compare(parts_->harness, has_room ? with_hops(packet, 1) : packet, nullptr, gso_size);
    std::string text = c.summary();
    if (gso_size != 0 && c.program.is_taken) text += ", super-packet";
    return {!c.wrong.empty(), text + c.wrong};
}

} // namespace xlat646::test
