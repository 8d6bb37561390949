// SPDX-License-Identifier: BSD-2-Clause
//
// Counters over reloads and hand-overs: nothing is lost, mixed or taken back while others count.
#include "mapping/snapshot.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/temporary_directory.hpp"
#include "translator/daemon/statistics.hpp"

#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <random>
#include <set>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace xlat646;

namespace {

constexpr std::uint32_t most_hosts = 300; // the first ones are in every table
constexpr std::uint32_t steady_hosts = 5;

Ipv4Address address4(std::uint32_t host) { return Ipv4Address(0xc6120000 + host); }

std::unique_ptr<const MappingTable> table_of(const std::set<std::uint32_t>& hosts,
                                             const MappingTable* previous, int generation = 0) {
    MappingList list;
    list.files = {std::to_string(generation)};
    for (const std::uint32_t host : hosts) {
        Eam m;
        m.ipv4 = Ipv4Prefix(address4(host), 32);
        m.ipv6 = Ipv6Prefix(Ipv6Address(0x20010db800060000, host), 128);
        list.mappings.push_back(m);
    }
    return MappingTable::build(std::move(list), previous, 5);
}

std::uint64_t packets(const SegmentView& view, const MappingTable& table, std::uint32_t host,
                      std::size_t direction = 0) {
    const std::uint32_t slot = table.slot_of(Ipv4Prefix(address4(host), 32));
    REQUIRE(slot != no_slot);
    const TrafficTotal total = view.pair(slot)[direction];
    CHECK(total.bytes == 100 * total.packets);
    return total.packets;
}

void count(const ServedTable& served, std::size_t worker, std::uint32_t host, int times = 1) {
    const std::uint32_t slot = served.table->slot_of(Ipv4Prefix(address4(host), 32));
    REQUIRE(slot != no_slot);
    for (int i = 0; i < times; ++i)
        served.blocks[worker].pairs[slot].direction[0].add(100);
}

std::string digest_of(int generation) {
    std::string text = std::to_string(generation);
    return text + std::string(64 - text.size(), '-');
}

} // namespace

TEST_CASE("statistics: a slot's new owner begins at zero", "[statistics]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("stats");
    Statistics statistics(path, 2, false);
    const auto first = statistics.serve(table_of({1, 2}, nullptr), digest_of(1));
    statistics.settle(*first->table, nullptr);
    SegmentReader reader(path);
    count(*first, 0, 1, 3);
    count(*first, 1, 2, 4);

    const auto second = statistics.serve(table_of({2, 3}, first->table.get()), digest_of(2));
    REQUIRE(second->table->slot_of(Ipv4Prefix(address4(3), 32)) ==
            first->table->slot_of(Ipv4Prefix(address4(1), 32)));
    // Meanwhile one worker has the old table still, another one the new one already.
    count(*first, 0, 1);
    count(*first, 0, 2);
    count(*second, 1, 2);
    count(*second, 1, 3);
    CHECK_FALSE(statistics.is_settled());
    CHECK_FALSE(reader.follow());
    CHECK(packets(reader.view(), *first->table, 2) == 5);
    statistics.settle(*second->table, nullptr);
    CHECK(statistics.is_settled());
    CHECK(reader.view().state() == SegmentState::superseded);
    REQUIRE(reader.follow());
    CHECK(reader.view().digest() == digest_of(2));
    CHECK(packets(reader.view(), *second->table, 2) == 6);
    CHECK(packets(reader.view(), *second->table, 3) == 1);

    // Two tables later, with nothing settled in between.
    const auto third = statistics.serve(table_of({2}, second->table.get()), digest_of(3));
    count(*third, 0, 2);
    const auto fourth = statistics.serve(table_of({2, 4}, third->table.get()), digest_of(4));
    count(*second, 1, 2);
    count(*third, 1, 2);
    count(*fourth, 0, 2);
    statistics.settle(*fourth->table, nullptr);
    REQUIRE(reader.follow());
    CHECK(packets(reader.view(), *fourth->table, 2) == 10);
    CHECK(packets(reader.view(), *fourth->table, 4) == 0);
    statistics.end();
    CHECK(::access(path.c_str(), F_OK) != 0);
    CHECK(::access((path + ".new").c_str(), F_OK) != 0);
}

TEST_CASE("statistics: reloads while others count", "[statistics]") {
    constexpr std::size_t workers = 2;
    constexpr int generations = 60;
    const TemporaryDirectory directory;
    const std::string path = directory.at("stats");
    Statistics statistics(path, workers, false);
    Snapshot<ServedTable> tables(workers);
    std::mt19937 random(9);
    std::vector<std::set<std::uint32_t>> hosts(generations);
    for (auto& set : hosts) {
        for (std::uint32_t host = 0; host < steady_hosts; ++host)
            set.insert(host);
        const auto more = random() % most_hosts;
        for (std::uint32_t i = 0; i < more; ++i)
            set.insert(static_cast<std::uint32_t>(random() % most_hosts));
    }
    tables.publish(statistics.serve(table_of(hosts[0], nullptr, 0), digest_of(0)));
    statistics.settle(*tables.current()->table, nullptr);

    const auto is_settled = [](std::size_t generation) {
        return generation == 0 || generation % 3 != 0;
    };
    using Tally = std::vector<std::vector<std::uint64_t>>; // by generation and host
    std::vector<Tally> tallies(workers, Tally(generations, std::vector<std::uint64_t>(most_hosts)));
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> made{0};
    std::vector<std::thread> threads;
    for (std::size_t worker = 0; worker < workers; ++worker)
        threads.emplace_back([&, worker] {
            auto reader = tables.reader(worker);
            Tally& tally = tallies[worker];
            for (std::uint32_t i = 0; !stop; ++i) {
                const ServedTable& served = *reader.pin();
                const std::uint32_t host = i * 7919 % most_hosts;
                MatchedIpv6 found;
                served.blocks[worker].counters->direction[0].received.add();
                ++made;
                if (served.table->find(address4(host), found)) {
                    served.blocks[worker].pairs[found.slot].direction[0].add(100);
                    const auto generation = std::stoul(served.table->list().files[0]);
                    ++tally[generation][host];
                }
                if (i % 1000 == 0) {
                    reader.unpin(); // as one that sleeps
                    std::this_thread::yield();
                }
            }
            reader.unpin();
        });
    std::atomic<int> wrong{0}, followed{0};
    std::thread observer([&] {
        SegmentReader reader(path);
        std::vector<std::uint64_t> last(steady_hosts);
        std::uint64_t last_received = 0;
        const auto received = [](const WorkerCounters& c) -> const Counter& {
            return c.direction[0].received;
        };
        while (!stop) {
            if (reader.follow()) ++followed;
            const SegmentView& view = reader.view();
            const std::uint64_t all = view.sum(received);
            if (all < last_received) ++wrong;
            last_received = all;
            for (std::size_t i = 0; i < view.mapping_count(); ++i) {
                const auto m = view.mapping(i);
                const std::uint32_t host = m->ipv4.address().value() - address4(0).value();
                if (host >= steady_hosts) continue;
                const std::uint64_t now = view.pair(m->slot)[0].packets;
                if (now < last[host]) ++wrong;
                last[host] = now;
            }
        }
    });
    for (int generation = 1; generation < generations; ++generation) {
        const std::uint64_t enough = made + 2000;
        while (made < enough)
            std::this_thread::yield();
        const auto g = static_cast<std::size_t>(generation);
        tables.publish(statistics.serve(
            table_of(hosts[g], tables.current()->table.get(), generation), digest_of(generation)));
        if (!is_settled(g)) continue; // not in time: the next one settles two
        while (tables.reclaim() != 0)
            std::this_thread::yield();
        statistics.settle(*tables.current()->table, nullptr);
    }
    stop = true;
    for (std::thread& t : threads)
        t.join();
    observer.join();
    CHECK(tables.reclaim() == 0);
    const MappingTable& table = *tables.current()->table;
    statistics.settle(table, nullptr);
    CHECK(wrong == 0);
    CHECK(followed > 0);

    const SegmentReader reader(path);
    CHECK(reader.view().sum([](const WorkerCounters& c) -> const Counter& {
        return c.direction[0].received;
    }) == made);
    for (const std::uint32_t host : hosts.back()) {
        // Since it has been in every table that readers have seen.
        std::uint64_t expected = 0;
        for (auto g = hosts.size(); g-- > 0;) {
            if (hosts[g].count(host) == 0 && is_settled(g)) break;
            for (const Tally& tally : tallies)
                expected += tally[g][host];
        }
        INFO(host);
        CHECK(packets(reader.view(), table, host) == expected);
        if (host < steady_hosts) CHECK(expected > 0);
    }
}

TEST_CASE("statistics: another process goes on with the numbers", "[statistics]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("stats");
    Statistics old(path, 3, false);
    const auto first = old.serve(table_of({1, 2, 3}, nullptr), digest_of(1));
    old.settle(*first->table, nullptr);
    SegmentReader reader(path);
    for (std::size_t worker = 0; worker < 3; ++worker) {
        count(*first, worker, 2);
        count(*first, worker, 3);
        first->blocks[worker].counters->sleeps.add(5);
    }
    LifeNumbers life;
    life.probes_sent = 11;
    life.reloads = 2;
    life.last_reload = 77;
    life.is_last_reload_failed = true;
    old.say("{}");
    old.look(life, *first->table, nullptr);

    // Other slots, another number of workers.
    Statistics next(path, 1, true);
    const auto second = next.serve(table_of({3, 2, 9}, nullptr), digest_of(1));
    count(*second, 0, 2);
    CHECK_FALSE(reader.follow());
    count(*first, 0, 2); // until it is told to stop
    next.inherit(::dup(old.descriptor()), *second->table, nullptr);
    CHECK(reader.view().state() == SegmentState::superseded);
    REQUIRE(reader.follow());
    CHECK(packets(reader.view(), *second->table, 2) == 5);
    CHECK(packets(reader.view(), *second->table, 3) == 3);
    CHECK(packets(reader.view(), *second->table, 9) == 0);
    const auto sleeps = [](const WorkerCounters& c) -> const Counter& { return c.sleeps; };
    CHECK(reader.view().sum(sleeps) == 15);
    CHECK(reader.view().life().probes_sent == 11);
    CHECK(reader.view().life().last_reload == 77);
    CHECK(reader.view().life().is_last_reload_failed == 1);
    CHECK(reader.view().life().restarts == 1);
    CHECK(reader.view().report().empty()); // the new one has not said anything yet
    // What this process has counted itself is told apart.
    std::uint64_t own = 0;
    for (const WorkerCounters* block : next.blocks())
        own += block->sleeps.get();
    CHECK(own == 0);
    life = {};
    life.probes_sent = 1;
    life.last_reload = 99;
    next.say("[1]");
    next.look(life, *second->table, nullptr);
    CHECK(reader.view().report() == "[1]");
    CHECK(reader.view().life().probes_sent == 12);
    CHECK(reader.view().life().reloads == 2);
    CHECK(reader.view().life().last_reload == 99);
    CHECK(reader.view().life().is_last_reload_failed == 0);

    // A reload and a second hand-over.
    const auto third = next.serve(table_of({2}, second->table.get()), digest_of(2));
    next.settle(*third->table, nullptr);
    REQUIRE(reader.follow());
    CHECK(reader.view().report() == "[1]"); // each generation has it
    Statistics last(path, 2, false);
    const auto fourth = last.serve(table_of({2}, nullptr), digest_of(2));
    last.inherit(::dup(next.descriptor()), *fourth->table, nullptr);
    REQUIRE(reader.follow());
    CHECK(packets(reader.view(), *fourth->table, 2) == 5);
    CHECK(reader.view().sum(sleeps) == 15);
    CHECK(reader.view().life().restarts == 2);
    // The old ones end, and the file of the new one stays.
    old.end();
    next.end();
    CHECK(SegmentReader(path).view().header().offsets.size > 0);
}

TEST_CASE("statistics: without a file the workers count all the same", "[statistics]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("missing/stats");
    Statistics statistics(path, 1, false);
    const auto first = statistics.serve(table_of({1}, nullptr), digest_of(1));
    CHECK_FALSE(statistics.problem().empty());
    count(*first, 0, 1, 3);
    statistics.settle(*first->table, nullptr);
    // There is room again at the next reload.
    REQUIRE(::mkdir(directory.at("missing").c_str(), 0700) == 0);
    const auto second = statistics.serve(table_of({1}, first->table.get()), digest_of(2));
    CHECK(statistics.problem().empty());
    statistics.settle(*second->table, nullptr);
    CHECK(packets(SegmentReader(path).view(), *second->table, 1) == 3);
    // And none after that: the old numbers must not look like new ones.
    REQUIRE(::rename(directory.at("missing").c_str(), directory.at("away").c_str()) == 0);
    const auto third = statistics.serve(table_of({1}, second->table.get()), digest_of(3));
    CHECK_FALSE(statistics.problem().empty());
    statistics.settle(*third->table, nullptr);
    CHECK(SegmentReader(directory.at("away/stats")).view().state() == SegmentState::superseded);
}

TEST_CASE("statistics: what cannot be inherited begins anew", "[statistics]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("stats");
    std::ofstream(directory.at("nonsense")) << std::string(5000, 'x');
    for (const int descriptor :
         {-1, ::open(directory.at("nonsense").c_str(), O_RDWR | O_CLOEXEC)}) {
        Statistics statistics(path, 1, false);
        const auto served = statistics.serve(table_of({1}, nullptr), digest_of(1));
        count(*served, 0, 1);
        statistics.inherit(descriptor, *served->table, nullptr);
        CHECK(packets(SegmentReader(path).view(), *served->table, 1) == 1);
        CHECK(SegmentReader(path).view().life().restarts == 1);
    }
    CHECK(std::ifstream(directory.at("nonsense")).rdbuf()->in_avail() != 0);
}
