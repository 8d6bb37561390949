// SPDX-License-Identifier: BSD-2-Clause
//
// What one golden row cannot show: sequences of packets through one translator.
#include "tests/support/cast.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/packets.hpp"
#include "tests/unit/catch.hpp"
#include "translator/siit/translator.hpp"

#include <algorithm>
#include <set>

using namespace xlat646;
using namespace xlat646::test;

namespace {

const Ipv6Address router6 = *Ipv6Address::parse("2001:db8:ff::1");

std::uint64_t now = 0;

struct Fixture {
    Fixture() {
        settings.prefix = *TranslationPrefix::from(*Ipv6Prefix::parse("2001:db8:64::/96"));
        settings.own4 = *Ipv4Address::parse("203.0.113.1");
        settings.own6 = *Ipv6Address::parse("2001:db8:ffff::1");
        settings.clients4 = Ipv4Classifier(Profile::any);
        settings.routers6 = Ipv6Classifier(Profile::any);
        settings.secrets = {11, 22, 33, 44};
        settings.now_ms = [] { return now; };
        now = 1000;
        MappingList list;
        Eam m;
        m.ipv4 = Ipv4Prefix(server4, 32);
        m.ipv6 = Ipv6Prefix(server6, 128);
        list.mappings.push_back(m);
        table = MappingTable::build(std::move(list), nullptr, 9);
    }
    Outcome run(Translator& t, const Bytes& in, Bytes* out = nullptr) {
        TestBuffer buffer(in, {});
        const Outcome outcome = t.translate(buffer.packet, *table);
        if (out) *out = buffer.bytes();
        return outcome;
    }
    Settings settings;
    std::unique_ptr<const MappingTable> table;
};

Bytes ping4(std::uint8_t ttl, std::uint32_t from = 0) {
    return finish(ipv4_packet({Ipv4Address(client4.value() + from), server4, 1, ttl},
                              icmp(8, 0, 1, counting(20))));
}
Bytes udp6(std::size_t length, std::uint8_t hop_limit = 64) {
    return finish(ipv6_packet({server6, client6, 17, hop_limit}, udp(1, 2, counting(length))));
}
Bytes time_exceeded6() {
    Bytes quote = finish(ipv6_packet({client6, server6, 17, 1}, udp(1, 2, counting(20))));
    return finish(ipv6_packet({router6, client6, 58}, icmp(3, 0, 0, quote)));
}

} // namespace

TEST_CASE("translator: own errors stop at the rate limit and go on later",
          "[G4-09][G6-07][SEC-08]") {
    Fixture f;
    f.settings.icmp_rate = {50, 20, 0, 0};
    Translator t(f.settings);
    const auto replies = [&](const Bytes& packet, int n) {
        int count = 0;
        for (int i = 0; i < n; ++i) {
            const Outcome o = f.run(t, packet);
            CHECK(o.reason() == DropReason::hop_limit);
            if (o.verdict() == Verdict::reply)
                ++count;
            else
                CHECK(o.is_suppressed());
        }
        return count;
    };
    CHECK(replies(ping4(1), 1000) == 20);
    CHECK(replies(udp6(30, 1), 1000) == 20); // the other family has its own
    now += 100;
    CHECK(replies(ping4(1), 1000) == 5);
    now += 3600 * 1000;
    CHECK(replies(ping4(1), 1000) == 20);
}

TEST_CASE("translator: per source limits leave room for others", "[G4-09]") {
    Fixture f;
    f.settings.icmp_rate = {100, 100, 10, 10};
    Translator t(f.settings);
    int flood = 0;
    for (int i = 0; i < 5000; ++i)
        if (f.run(t, ping4(1)).verdict() == Verdict::reply) ++flood;
    CHECK(flood == 51);
    int others = 0;
    for (std::uint32_t i = 1; i <= 5; ++i)
        if (f.run(t, ping4(1, i)).verdict() == Verdict::reply) ++others;
    CHECK(others == 5);
}

TEST_CASE("translator: nothing is said about what is translated or silent", "[G4-02][G4-03]") {
    Fixture f;
    f.settings.icmp_rate = {1, 1, 0, 0};
    Translator t(f.settings);
    for (int i = 0; i < 100; ++i) { // uses up no token
        CHECK(f.run(t, ping4(64)).is_forward());
        CHECK(f.run(t, ipv4_packet({client4, server4, 2}, {})).verdict() == Verdict::drop);
    }
    CHECK(f.run(t, ping4(1)).verdict() == Verdict::reply);
}

TEST_CASE("translator: identifications of one triple do not repeat",
          "[ID-01][ID-02][ID-05][T64-04]") {
    Fixture f;
    Translator t(f.settings);
    std::vector<bool> seen(65536);
    std::size_t repeats = 0;
    for (int i = 0; i < 65536; ++i) {
        Bytes out;
        if (!f.run(t, udp6(10), &out).is_forward()) ++repeats;
        const std::uint16_t id = get16(&out[4]);
        repeats += seen[id];
        seen[id] = true;
    }
    CHECK(repeats == 0);

    // Another instance, another secret: other values (ID-05).
    Settings other = f.settings;
    other.secrets = {5, 6, 7, 8};
    Translator a(f.settings);
    Translator b(other);
    std::size_t equal = 0;
    for (int i = 0; i < 16; ++i) {
        Bytes from_a;
        Bytes from_b;
        CHECK(f.run(a, udp6(10), &from_a).is_forward());
        CHECK(f.run(b, udp6(10), &from_b).is_forward());
        equal += get16(&from_a[4]) == get16(&from_b[4]);
    }
    CHECK(equal < 16);
}

TEST_CASE("translator: all members of the pool are used", "[S91-03][S91-04]") {
    Fixture f;
    for (std::uint32_t i = 0; i < 4; ++i)
        f.settings.pool4.push_back(Ipv4Address(0xcb007140 + i));
    Translator t(f.settings);
    std::set<std::uint32_t> used;
    for (int i = 0; i < 200; ++i) {
        Bytes out;
        REQUIRE(f.run(t, time_exceeded6(), &out).is_forward());
        used.insert(get32(&out[12]));
    }
    CHECK(used == std::set<std::uint32_t>{0xcb007140, 0xcb007141, 0xcb007142, 0xcb007143});

    f.settings.pool4.clear();
    Translator lone(f.settings);
    Bytes out;
    REQUIRE(f.run(lone, time_exceeded6(), &out).is_forward());
    CHECK(Ipv4Address(get32(&out[12])) == f.settings.own4);
}

TEST_CASE("translator: a packet leaves nothing behind for the next one", "[translator]") {
    Fixture f;
    Translator t(f.settings);
    TestBuffer large(finish(ipv4_packet({client4, server4, 17}, udp(1, 2, counting(5000)))), {});
    CHECK(t.translate(large.packet, *f.table).is_forward());
    CHECK(t.slot() == 0);
    CHECK(t.next_piece(large.packet)); // two of its pieces stay unsent
    TestBuffer small(ipv4_packet({client4, server4, 2}, {}), {});
    CHECK(t.translate(small.packet, *f.table).verdict() == Verdict::drop);
    CHECK(t.slot() == no_slot);
    CHECK_FALSE(t.next_piece(small.packet));
    CHECK(t.direction() == Direction::v4_to_v6);
    TestBuffer empty({}, {});
    CHECK(t.translate(empty.packet, *f.table).reason() == DropReason::malformed6);
    CHECK(t.direction() == Direction::v6_to_v4);
}

TEST_CASE("translator: an echo reply of zeros has checksum 0xffff", "[CK-04][CK-06]") {
    // Identifier, sequence and data 0: all other words of the ICMPv4 message are 0, and a checksum
    // of 0 would be refused by its receiver.
    Fixture f;
    Translator t(f.settings);
    for (const std::size_t length : {0u, 1u, 56u}) {
        Bytes out;
        REQUIRE(f.run(t,
                      finish(ipv6_packet({server6, client6, 58}, icmp(129, 0, 0, Bytes(length)))),
                      &out)
                    .is_forward());
        CHECK(get16(&out[22]) == 0xffff);
        REQUIRE(
            f.run(t,
                  finish(ipv4_packet({client4, f.settings.own4, 1}, icmp(8, 0, 0, Bytes(length)))),
                  &out)
                .is_echo_reply());
        CHECK(get16(&out[22]) == 0xffff);
        // With anything else in it, equation 3 is right, also when it gives 0.
        Bytes data(length + 2);
        data[0] = data[1] = 0xff;
        REQUIRE(f.run(t, finish(ipv6_packet({server6, client6, 58}, icmp(129, 0, 0, data))), &out)
                    .is_forward());
        CHECK(get16(&out[22]) == 0);
    }
}

TEST_CASE("translator: ICMPv6 deep in a refused chain is not answered", "[G6-01][G6-04][F64-02]") {
    Fixture f;
    Translator t(f.settings);
    const auto packet = [](std::uint8_t last, const Bytes& message) {
        Bytes chain(16 + message.size()); // an atomic Fragment header, then destination options
        chain[0] = 60;
        chain[8] = last;
        chain[10] = 1;
        chain[11] = 4;
        std::copy(message.begin(), message.end(), chain.begin() + 16);
        return ipv6_packet({server6, client6, 44}, chain);
    };
    CHECK(f.run(t, packet(17, udp(1, 2, {}))).verdict() == Verdict::reply);
    CHECK(f.run(t, packet(58, icmp(128, 0, 0, {}))).verdict() == Verdict::drop); // G6-01
    const Outcome silent = f.run(t, packet(58, icmp(1, 0, 0, Bytes(40))));
    CHECK(silent.verdict() == Verdict::drop);
    CHECK(silent.reason() == DropReason::frag_extension);
    CHECK(f.run(t, packet(58, icmp(137, 0, 0, {}))).verdict() == Verdict::drop); // redirect
}

TEST_CASE("translator: segments are cut smaller, never larger", "[GSO-08][PM-02]") {
    Fixture f;
    f.settings.mtu4 = 68; // less than the largest TCP header and 8 bytes
    Translator t(f.settings);
    const Bytes packet =
        ipv6_packet({server6, client6, 6}, tcp(1, 16, Bytes(40, 1), counting(500)));
    for (const auto& [before, after] :
         std::vector<std::pair<std::uint16_t, std::uint16_t>>{{1, 1}, {8, 8}, {9, 8}, {400, 8}}) {
        OffloadHeader o;
        o.flags = OffloadHeader::needs_checksum;
        o.gso_type = OffloadHeader::gso_tcp6;
        o.gso_size = before;
        o.checksum_start = 40;
        o.checksum_offset = 16;
        TestBuffer buffer(packet, o);
        REQUIRE(t.translate(buffer.packet, *f.table).is_forward());
        CHECK(buffer.packet.offload.gso_size == after);
    }
}

TEST_CASE("translator: which super-packets must be cut first", "[GSO-07][GSO-08]") {
    Fixture f;
    Translator t(f.settings);
    const auto must = [&](const Bytes& bytes, std::uint8_t type, std::uint16_t size) {
        OffloadHeader o;
        o.flags = 1;
        o.gso_type = type;
        o.gso_size = size;
        o.checksum_start = bytes[0] >> 4 == 4 ? 20 : 40;
        o.checksum_offset = type == 5 ? 6 : 16;
        TestBuffer buffer(bytes, o);
        return t.must_segment(buffer.packet);
    };
    const Bytes four = ipv4_packet({client4, server4, 17}, udp(1, 2, Bytes(5000)));
    const Bytes four_df =
        ipv4_packet({client4, server4, 17, 64, 0, 0, 0x4000}, udp(1, 2, Bytes(50)));
    const Bytes six = udp6(5000);
    CHECK_FALSE(must(four, 5, 1232)); // 40 + 8 + 1232 = 1280
    CHECK(must(four, 5, 1233));
    CHECK_FALSE(must(four_df, 5, 1400)); // answered with 3/4
    CHECK_FALSE(must(four, 1, 1400));    // TCP is cut smaller instead
    CHECK_FALSE(must(four, 0, 1400));
    CHECK_FALSE(must(six, 5, 1232)); // fits IPv4 as well
    CHECK_FALSE(must(six, 5, 1472)); // answered with 2/0
    CHECK_FALSE(must(Bytes(19, 0x45), 5, 1400));
    f.settings.mtu4 = 1000;
    CHECK(must(six, 5, 1100));
    CHECK_FALSE(must(six, 5, 900));
    Bytes tcp_inside =
        four; // broken in some way: translate() has to drop it, cutting would hide it
    tcp_inside[9] = 6;
    put16(&tcp_inside[10], 0);
    put16(&tcp_inside[10], 0xffffu - plain_sum(tcp_inside.data(), 20));
    CHECK_FALSE(must(tcp_inside, 5, 1400));
    Bytes wrong_checksum = four;
    wrong_checksum[10] ^= 1;
    CHECK_FALSE(must(wrong_checksum, 5, 1400));
}
