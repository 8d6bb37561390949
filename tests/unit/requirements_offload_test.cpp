// SPDX-License-Identifier: BSD-2-Clause
//
// What the mask of a golden row hides: the Identifications that a super-packet takes.
#include "tests/support/golden.hpp"
#include "tests/support/packets.hpp"
#include "tests/unit/catch.hpp"
#include "translator/siit/translator.hpp"

using namespace xlat646;
using namespace xlat646::test;

TEST_CASE("translator: a super-packet takes one Identification per segment", "[GSO-08][ID-01]") {
    const Ipv6Address client = *Ipv6Address::parse("2001:db8:64::198.51.100.7");
    const Ipv6Address server = *Ipv6Address::parse("2001:db8:1::10");
    Settings settings;
    settings.prefix = *TranslationPrefix::from(*Ipv6Prefix::parse("2001:db8:64::/96"));
    settings.clients4 = Ipv4Classifier(Profile::any);
    settings.secrets = {1, 2, 3, 4};
    MappingList list;
    Eam m;
    m.ipv4 = *Ipv4Prefix::parse("192.0.2.1/32");
    m.ipv6 = Ipv6Prefix(server, 128);
    list.mappings.push_back(m);
    const auto table = MappingTable::build(std::move(list), nullptr, 9);
    Translator translator(settings);

    const auto identification = [&](std::size_t data, std::uint16_t segment) {
        OffloadHeader offload;
        if (segment != 0) {
            offload.flags = OffloadHeader::needs_checksum;
            offload.gso_type = OffloadHeader::gso_tcp6;
            offload.gso_size = segment;
            offload.checksum_start = 40;
            offload.checksum_offset = 16;
        }
        TestBuffer buffer(ipv6_packet({server, client, 6}, tcp(1, 0x10, {}, Bytes(data))), offload);
        REQUIRE(translator.translate(buffer.packet, *table).is_forward());
        const Bytes out = buffer.bytes();
        CHECK(get16(&out[6]) == 0); // DF=0: the number matters
        return get16(&out[4]);
    };
    std::uint16_t expected = identification(100, 0);
    for (const std::size_t data : {1000u, 1001u, 2000u, 3999u, 60000u, 60001u}) {
        expected = static_cast<std::uint16_t>(expected + 1);
        CHECK(identification(data, 1000) == expected);
        expected = static_cast<std::uint16_t>(expected + (data + 999) / 1000);
        CHECK(identification(100, 0) == expected);
    }
}
