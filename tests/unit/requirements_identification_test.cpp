// SPDX-License-Identifier: BSD-2-Clause
//
// ID-02: value = F(triple) + counter[G(triple)]. Triples that share a counter must not see each
// other's values, or a stranger could read a host's counter from his own packets.
#include "tests/unit/catch.hpp"
#include "translator/siit/identification.hpp"

#include <memory>

using namespace xlat646;

TEST_CASE("identification: who shares a counter learns nothing of the other's values", "[ID-02]") {
    const auto ids = std::make_unique<IdentificationGenerator>(12, 34);
    const Ipv4Address server(0xc0000201);
    const Ipv4Address victim(0xc6336407);
    unsigned sharing = 0;
    unsigned alike = 0;
    std::uint16_t last = ids->next(server, victim, 17);
    for (std::uint32_t i = 0; i < 200000; ++i) {
        const std::uint16_t seen = ids->next(server, Ipv4Address(0x0a000000 + i), 17);
        const std::uint16_t now = ids->next(server, victim, 17);
        const bool shares = static_cast<std::uint16_t>(now - last) == 2;
        sharing += shares;
        alike += shares && static_cast<std::uint16_t>(seen - last) == 1;
        last = now;
    }
    CHECK(sharing > 0); // about 200000 / 8192
    CHECK(sharing < 100);
    CHECK(alike == 0);
}
