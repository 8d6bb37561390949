// SPDX-License-Identifier: BSD-2-Clause
//
// That nothing is remembered: the same packet gives the same result whatever came before it, and
// any node can translate any packet of a flow.
#include "tests/support/cast.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/packets.hpp"
#include "tests/unit/catch.hpp"
#include "translator/siit/translator.hpp"

#include <functional>

using namespace xlat646;
using namespace xlat646::test;

namespace {

/// A translator, its settings and its table of one pair.
class Node {
  public:
    explicit Node(std::uint64_t secret, const char* prefix = "2001:db8:64::/96",
                  Ipv4Address pair4 = server4, const Ipv6Address& pair6 = server6)
        : settings_(make_settings(secret, prefix)), table_(make_table(pair4, pair6)),
          translator_(settings_) {}

    /// What leaves, in order; nothing for a drop.
    std::vector<Bytes> translate(const Bytes& in) {
        TestBuffer buffer(in, {});
        const Outcome outcome = translator_.translate(buffer.packet, *table_);
        std::vector<Bytes> out;
        if (outcome.verdict() == Verdict::drop) return out;
        do
            out.push_back(buffer.bytes());
        while (translator_.next_piece(buffer.packet));
        return out;
    }

  private:
    static Settings make_settings(std::uint64_t secret, const char* prefix) {
        Settings s;
        s.prefix = *TranslationPrefix::from(*Ipv6Prefix::parse(prefix));
        s.own4 = *Ipv4Address::parse("203.0.113.1");
        s.own6 = *Ipv6Address::parse("2001:db8:ffff::1");
        s.clients4 = Ipv4Classifier(Profile::any);
        s.routers6 = Ipv6Classifier(Profile::any);
        s.icmp_rate.per_second = 0;
        s.secrets = {secret, secret + 1, secret + 2, secret + 3};
        return s;
    }
    static std::unique_ptr<const MappingTable> make_table(Ipv4Address a4, const Ipv6Address& a6) {
        MappingList list;
        Eam m;
        m.ipv4 = Ipv4Prefix(a4, 32);
        m.ipv6 = Ipv6Prefix(a6, 128);
        list.mappings.push_back(m);
        return MappingTable::build(std::move(list), nullptr, 9);
    }
    Settings settings_;
    std::unique_ptr<const MappingTable> table_;
    Translator translator_;
};

Bytes tcp4(std::size_t size, std::uint16_t flags = 0, std::uint16_t id = 1) {
    return finish(ipv4_packet({client4, server4, 6, 64, 0, id, flags},
                              tcp(1, 0x10, {}, counting(size - 40))));
}
Bytes tcp6(std::size_t size) {
    return finish(ipv6_packet({server6, client6, 6}, tcp(1, 0x10, {}, counting(size - 60))));
}
/// Packet too big from an inner router about a packet of the client.
Bytes too_big6(std::uint32_t mtu) {
    const Bytes quote = finish(ipv6_packet({client6, server6, 6}, tcp(1, 0x10, {}, counting(100))));
    return finish(
        ipv6_packet({*Ipv6Address::parse("2001:db8:ff::1"), client6, 58}, icmp(2, 0, mtu, quote)));
}
/// Fragmentation needed from an IPv4 router about a packet of the server.
Bytes too_big4(std::uint16_t mtu) {
    const Bytes quote = finish(ipv4_packet({server4, client4, 6}, tcp(1, 0x10, {}, counting(100))));
    return finish(
        ipv4_packet({*Ipv4Address::parse("203.0.113.9"), server4, 1}, icmp(3, 4, mtu, quote)));
}
/// Fragments of one UDP datagram with valid checksum, 8 * `units` bytes of data each.
std::vector<Bytes> fragments4(const Bytes& datagram, std::size_t units) {
    std::vector<Bytes> out;
    for (std::size_t at = 0; at < datagram.size(); at += 8 * units) {
        const std::size_t end = std::min(at + 8 * units, datagram.size());
        const auto word = static_cast<std::uint16_t>(at / 8 | (end < datagram.size() ? 0x2000 : 0));
        out.push_back(ipv4_packet({client4, server4, 17, 64, 0, 0x4711, word},
                                  Bytes(datagram.begin() + static_cast<std::ptrdiff_t>(at),
                                        datagram.begin() + static_cast<std::ptrdiff_t>(end))));
    }
    return out;
}
/// Header and checksum of what has been translated, without the Identification that is free.
Bytes without_identification(Bytes packet) {
    if (packet[0] >> 4 == 4) packet[4] = packet[5] = packet[10] = packet[11] = 0;
    return packet;
}

} // namespace

TEST_CASE("stateless: messages about the path MTU change nothing", "[PM-07][DC-04]") {
    Node node(1);
    const std::vector<std::function<Bytes()>> packets = {
        [] { return tcp4(1400, 0x4000); }, [] { return tcp4(1480, 0x4000); },
        [] { return tcp4(1481, 0x4000); }, [] { return tcp4(1400); },
        [] { return tcp6(1500); },         [] { return tcp6(1521); }};
    std::vector<std::vector<Bytes>> before;
    for (const auto& make : packets)
        before.push_back(node.translate(make()));
    CHECK(before[3].size() == 2); // DF=0: split at 1280
    REQUIRE(node.translate(too_big6(1280)).size() == 1);
    REQUIRE(node.translate(too_big4(576)).size() == 1);
    for (std::size_t i = 0; i < packets.size(); ++i) {
        CAPTURE(i);
        const auto after = node.translate(packets[i]());
        REQUIRE(after.size() == before[i].size());
        REQUIRE_FALSE(after.empty());
        for (std::size_t k = 0; k < after.size(); ++k)
            CHECK(without_identification(after[k]) == without_identification(before[i][k]));
    }
}

TEST_CASE("stateless: an Identification seen before means nothing", "[ID-08]") {
    Node node(1);
    // The same datagram again, another one with its number, and fragments of both.
    const auto first = node.translate(tcp4(100, 0, 7));
    REQUIRE(first.size() == 1);
    CHECK(node.translate(tcp4(100, 0, 7)) == first);
    CHECK(node.translate(tcp4(200, 0, 7)).size() == 1);
    const Bytes whole = finish(ipv4_packet({client4, server4, 17}, udp(1, 2, counting(100))));
    const auto pieces = fragments4(Bytes(whole.begin() + 20, whole.end()), 4);
    for (int again = 0; again < 2; ++again)
        for (const Bytes& piece : pieces)
            CHECK(node.translate(piece).size() == 1);
}

TEST_CASE("stateless: a reply needs no request, and any node may take it", "[DC-03][DC-04]") {
    Node request_node(1);
    Node reply_node(1000);
    const Bytes syn = finish(ipv4_packet({client4, server4, 6}, tcp(1, 0x02, {}, {})));
    const Bytes syn_ack = finish(ipv6_packet({server6, client6, 6}, tcp(9, 0x12, {}, {})));
    const auto reply = reply_node.translate(syn_ack); // has seen nothing else
    REQUIRE(reply.size() == 1);
    REQUIRE(request_node.translate(syn).size() == 1);
    const auto other = request_node.translate(syn_ack);
    REQUIRE(other.size() == 1);
    CHECK(without_identification(reply[0]) == without_identification(other[0]));
    CHECK(reply_node.translate(syn) == request_node.translate(syn));
}

TEST_CASE("stateless: fragments go through different nodes, at once and in any order",
          "[DC-04][ALG-04]") {
    Node nodes[] = {Node(1), Node(1000)};
    const Bytes whole = finish(ipv4_packet({client4, server4, 17}, udp(5, 6, counting(4000))));
    const Bytes datagram(whole.begin() + 20, whole.end());
    const auto pieces = fragments4(datagram, 100);
    REQUIRE(pieces.size() == 6);
    Bytes joined(datagram.size());
    for (std::size_t n = pieces.size(); n-- > 0;) { // the last one first
        const auto out = nodes[n % 2].translate(pieces[n]);
        REQUIRE(out.size() == 1); // held back by nobody
        const auto p = parse_packet(out[0].data(), out[0].size());
        REQUIRE(p);
        CHECK(p->identification == 0x4711);
        std::copy(out[0].begin() + static_cast<std::ptrdiff_t>(p->transport), out[0].end(),
                  joined.begin() + static_cast<std::ptrdiff_t>(p->offset));
    }
    const Bytes reassembled = ipv6_packet({client6, server6, 17}, joined);
    const auto p = parse_packet(reassembled.data(), reassembled.size());
    REQUIRE(p);
    CHECK(transport_checksum(reassembled.data(), *p) == ChecksumState::valid);
    CHECK(std::equal(joined.begin() + 8, joined.end(), datagram.begin() + 8));
}

TEST_CASE("stateless: a loop of two translators ends with the Hop Limit", "[TTL-04]") {
    // Each has the other's prefix for its servers: what one makes IPv4 the other makes IPv6 again.
    const auto inside = [](const char* prefix, Ipv4Address a) {
        return TranslationPrefix::from(*Ipv6Prefix::parse(prefix))->embed(a);
    };
    const char* const prefix_a = "2001:db8:a::/96";
    const char* const prefix_b = "2001:db8:b::/96";
    Node a(1, prefix_a, server4, inside(prefix_b, server4));
    Node b(2, prefix_b, client4, inside(prefix_a, client4));
    Bytes packet = finish(ipv6_packet({inside(prefix_b, server4), inside(prefix_a, client4), 17},
                                      udp(1, 2, counting(30))));
    const Bytes start = packet;
    unsigned translations = 0;
    for (;; ++translations) {
        REQUIRE(translations <= 64);
        const auto out = (translations % 2 == 0 ? a : b).translate(packet);
        REQUIRE(out.size() == 1);
        const auto p = parse_packet(out[0].data(), out[0].size());
        REQUIRE(p);
        if (p->is_icmp()) break; // time exceeded
        packet = out[0];
        if (translations == 1) { // once around: the very same packet, but older
            CHECK(packet[7] == start[7] - 2);
            packet[7] = start[7];
            CHECK(packet == start);
            packet[7] = static_cast<std::uint8_t>(start[7] - 2);
        }
    }
    CHECK(translations == 63);
}
