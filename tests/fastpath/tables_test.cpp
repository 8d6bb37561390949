// SPDX-License-Identifier: BSD-2-Clause
//
// Tables that change while packets pass, permission, and what is counted.
#include "tests/fastpath/harness.hpp"
#include "tests/support/packets.hpp"
#include "tests/unit/catch.hpp"

#include <atomic>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

using namespace xlat646;
using namespace xlat646::test;

namespace {

Ipv4Address address4(const char* text) { return *Ipv4Address::parse(text); }
Ipv6Address address6(const char* text) { return *Ipv6Address::parse(text); }

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::unique_ptr<const MappingTable> table_of(const Pairs& pairs,
                                             const MappingTable* previous = nullptr) {
    MappingList list;
    for (const auto& [ipv4, ipv6] : pairs) {
        Eam m;
        m.ipv4 = *Ipv4Prefix::parse(ipv4);
        m.ipv6 = *Ipv6Prefix::parse(ipv6);
        list.mappings.push_back(m);
    }
    return MappingTable::build(std::move(list), previous, 1);
}

std::shared_ptr<const GoldenConfig> config_of(const Pairs& pairs) {
    GoldenConfig config = make_config(nlohmann::json::object());
    config.table = table_of(pairs);
    return std::make_shared<const GoldenConfig>(std::move(config));
}

Bytes to_server(const char* server, std::size_t size = 100) {
    return finish(
        ipv4_packet({address4("198.51.100.7"), address4(server)}, udp(1000, 2000, counting(size))));
}
Bytes to_client(const char* server, const char* client = "198.51.100.7", std::size_t size = 100) {
    Ipv6Fields f;
    f.source = address6(server);
    f.destination =
        TranslationPrefix::from(*Ipv6Prefix::parse("2001:db8:64::/96"))->embed(address4(client));
    return finish(ipv6_packet(f, udp(2000, 1000, counting(size))));
}

PairTraffic traffic_of(const Fastpath& fastpath, const char* ipv4) {
    for (const PairTraffic& t : fastpath.pair_traffic())
        if (t.ipv4 == *Ipv4Prefix::parse(ipv4)) return t;
    return {};
}

} // namespace

TEST_CASE("fast path: nothing without permission", "[fastpath]") {
    const auto config = config_of({{"192.0.2.1", "2001:db8:1::10"}});
    Harness harness(config);
    CHECK(harness.run(to_server("192.0.2.1")).is_taken);
    harness.fastpath().pause();
    CHECK(harness.run(to_server("192.0.2.1")).reason == "stopped");
    CHECK(harness.run(to_client("2001:db8:1::10")).reason == "stopped");
    harness.fastpath().prepare(*config->table);
    CHECK(harness.run(to_server("192.0.2.1")).reason == "stopped");
    harness.fastpath().flip();
    CHECK(harness.run(to_server("192.0.2.1")).is_taken);
}

TEST_CASE("fast path: a new table holds from the flip on", "[fastpath]") {
    Harness harness(config_of({{"192.0.2.1", "2001:db8:1::10"}}));
    const auto next = table_of({{"192.0.2.1", "2001:db8:1::11"}, {"192.0.2.2", "2001:db8:1::12"}});
    const auto server = [&](const char* ipv4) {
        const ProgramRun run = harness.run(to_server(ipv4));
        if (!run.is_taken) return run.reason;
        const auto parsed = parse_packet(run.out.data(), run.out.size());
        return parsed ? parsed->destination6.to_string() : "broken";
    };
    for (int round = 0; round < 3; ++round) {
        harness.fastpath().prepare(*next);
        CHECK(server("192.0.2.1") == "2001:db8:1::10");
        CHECK(server("192.0.2.2") == "foreign");
        harness.fastpath().flip();
        CHECK(server("192.0.2.1") == "2001:db8:1::11");
        CHECK(server("192.0.2.2") == "2001:db8:1::12");
        harness.fastpath().retire();
        CHECK(server("192.0.2.1") == "2001:db8:1::11");
        harness.fastpath().prepare(*harness.config().table);
        harness.fastpath().flip();
        harness.fastpath().retire();
    }
}

TEST_CASE("fast path: no packet sees two tables", "[fastpath]") {
    // In the first the server is a pair and the client none, in the second it is the other way
    // round. Only who mixed them would see a pair that talks to a pair.
    const auto first = config_of({{"192.0.2.1", "2001:db8:1::10"}});
    const auto second = table_of({{"192.0.2.9", "2001:db8:1::19"}});
    Harness harness(first);
    std::atomic<bool> is_done = false;
    std::thread writer([&] {
        for (int i = 0; i < 100; ++i) {
            harness.fastpath().prepare(i % 2 == 0 ? *second : *first->table);
            harness.fastpath().flip();
            harness.fastpath().retire();
        }
        is_done = true;
    });
    const Bytes packet = to_client("2001:db8:1::10", "192.0.2.9");
    Tally tally;
    while (!is_done) {
        const ProgramRun run = harness.run(packet);
        ++tally[run.is_taken ? "taken" : run.reason];
    }
    writer.join();
    INFO(to_string(tally));
    CHECK(tally["taken"] > 0);
    CHECK(tally["no_pair"] > 0);
    CHECK(tally["client"] == 0);
}

TEST_CASE("fast path: pairs keep their counters across tables", "[fastpath]") {
    const auto config =
        config_of({{"192.0.2.1", "2001:db8:1::10"}, {"192.0.2.2", "2001:db8:1::12"}});
    Harness harness(config);
    Fastpath& fastpath = harness.fastpath();
    const auto send = [&](const char* ipv4, const char* ipv6, int count) {
        for (int i = 0; i < count; ++i) {
            REQUIRE(harness.run(to_server(ipv4)).is_taken);
            REQUIRE(harness.run(to_client(ipv6)).is_taken);
            REQUIRE(harness.run(to_client(ipv6)).is_taken);
        }
    };
    send("192.0.2.1", "2001:db8:1::10", 3);
    send("192.0.2.2", "2001:db8:1::12", 5);
    CHECK(fastpath.pair_traffic().size() == 2);

    // The second pair's slot goes to a third one.
    const auto next = table_of({{"192.0.2.1", "2001:db8:1::11"}, {"192.0.2.3", "2001:db8:1::13"}},
                               config->table.get());
    REQUIRE(next->slot_of(*Ipv4Prefix::parse("192.0.2.3")) ==
            config->table->slot_of(*Ipv4Prefix::parse("192.0.2.2")));
    fastpath.prepare(*next);
    fastpath.flip();
    CHECK(traffic_of(fastpath, "192.0.2.1").traffic[xlat646_v4_to_v6].packets == 3);
    fastpath.retire();
    send("192.0.2.1", "2001:db8:1::11", 4);
    send("192.0.2.3", "2001:db8:1::13", 1);
    const PairTraffic kept = traffic_of(fastpath, "192.0.2.1");
    CHECK(kept.traffic[xlat646_v4_to_v6].packets == 7);
    CHECK(kept.traffic[xlat646_v4_to_v6].bytes == 7 * 128);
    CHECK(kept.traffic[xlat646_v6_to_v4].packets == 14);
    CHECK(kept.traffic[xlat646_v6_to_v4].bytes == 14 * 148);
    CHECK(traffic_of(fastpath, "192.0.2.3").traffic[xlat646_v6_to_v4].packets == 2);
    CHECK(traffic_of(fastpath, "192.0.2.2").traffic[xlat646_v4_to_v6].packets == 0);
    const xlat646_counters all = fastpath.counters();
    CHECK(all.translated[xlat646_v4_to_v6][xlat646_udp].packets == 13);
    CHECK(all.translated[xlat646_v6_to_v4][xlat646_udp].packets == 26);
}

TEST_CASE("fast path: Identification does not repeat (ID-01, ID-02)", "[fastpath]") {
    Harness harness(config_of({{"192.0.2.1", "2001:db8:1::10"}}));
    const auto identification = [&](const Bytes& packet, std::uint16_t gso_size = 0) {
        const ProgramRun run = harness.run(packet, gso_size);
        REQUIRE(run.is_taken);
        return get16(&run.out[4]);
    };
    const Bytes packet = to_client("2001:db8:1::10");
    std::set<std::uint16_t> seen;
    std::uint16_t last = 0;
    for (int i = 0; i < 65536; ++i)
        seen.insert(last = identification(packet));
    CHECK(seen.size() == 65536);
    // Another triple: another place in another sequence.
    const std::uint16_t other = identification(to_client("2001:db8:1::10", "198.51.100.8"));
    CHECK(static_cast<std::uint16_t>(identification(packet) - last) == 1);
    CHECK(static_cast<std::uint16_t>(identification(to_client("2001:db8:1::10", "198.51.100.8")) -
                                     other) == 1);

    // GSO-08: one for each segment.
    Ipv6Fields f;
    f.source = address6("2001:db8:1::10");
    f.destination = address6("2001:db8:64::198.51.100.7");
    f.next_header = 6;
    const Bytes super = finish(ipv6_packet(f, tcp(1, 0x10, {}, counting(1201))));
    const std::uint16_t before = identification(super, 400);
    CHECK(static_cast<std::uint16_t>(identification(super, 400) - before) == 4);
    // T64-06: one segment decides. DF, and then no number.
    const Bytes large = finish(ipv6_packet(f, tcp(1, 0x10, {}, counting(2800))));
    const ProgramRun run = harness.run(large, 1400);
    REQUIRE(run.is_taken);
    CHECK(get16(&run.out[4]) == 0);
    CHECK(get16(&run.out[6]) == 0x4000);
}

TEST_CASE("fast path: many pairs", "[fastpath]") {
    Pairs pairs;
    constexpr unsigned count = 98'303; // with our own address the fullest table of its size
    for (unsigned i = 0; i < count; ++i)
        pairs.emplace_back(Ipv4Address(0xc6120000 + i).to_string(),
                           Ipv6Address(0x20010db800070000, i + 1).to_string());
    Harness harness(config_of(pairs));
    for (unsigned i = 0; i < count; i += 997) {
        const Ipv6Address server(0x20010db800070000, i + 1);
        ProgramRun run = harness.run(to_server(Ipv4Address(0xc6120000 + i).to_string().c_str()));
        REQUIRE(run.is_taken);
        CHECK(parse_packet(run.out.data(), run.out.size())->destination6 == server);
        run = harness.run(to_client(server.to_string().c_str(), "9.9.9.9"));
        REQUIRE(run.is_taken);
        CHECK(parse_packet(run.out.data(), run.out.size())->source4 == Ipv4Address(0xc6120000 + i));
        // HP-05: a pair as client.
        CHECK(harness.run(to_client(server.to_string().c_str(), "198.18.0.5")).reason == "client");
    }
    CHECK(harness.fastpath().pair_traffic().size() == (count + 996) / 997);
}
