// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/catch.hpp"
#include "translator/siit/identification.hpp"

#include <memory>
#include <set>

using namespace xlat646;

namespace {

const Ipv4Address source = *Ipv4Address::parse("192.0.2.1");
const Ipv4Address destination = *Ipv4Address::parse("198.51.100.7");

std::unique_ptr<IdentificationGenerator> make(std::uint64_t key) {
    return std::make_unique<IdentificationGenerator>(key, key * 3 + 1);
}

/// How often the distance between two sequences is the one that most pairs of steps have.
template <class Next> std::size_t distinct_distances(Next next_a, Next next_b) {
    std::set<std::uint16_t> distances;
    for (int i = 0; i < 64; ++i)
        distances.insert(static_cast<std::uint16_t>(next_a() - next_b()));
    return distances.size();
}

} // namespace

TEST_CASE("identification: no repeat in 65536 consecutive packets of one triple", "[ID-01]") {
    const auto ids = make(1);
    std::vector<bool> seen(65536);
    std::size_t repeats = 0;
    for (int i = 0; i < 65536; ++i) {
        const std::uint16_t id = ids->next(source, destination, 17);
        if (seen[id]) ++repeats;
        seen[id] = true;
    }
    CHECK(repeats == 0);
}

TEST_CASE("identification: a super-packet reserves one value per segment", "[GSO-08][ID-01]") {
    const auto ids = make(2);
    const std::uint16_t first = ids->next(source, destination, 6, 45);
    CHECK(ids->next(source, destination, 6, 1) == static_cast<std::uint16_t>(first + 45));
    CHECK(ids->next(source, destination, 6) == static_cast<std::uint16_t>(first + 46));
}

TEST_CASE("identification: triples start anywhere and count by themselves", "[ID-02]") {
    const auto ids = make(3);
    std::set<std::uint16_t> starts;
    for (std::uint32_t i = 0; i < 256; ++i)
        starts.insert(ids->next(source, Ipv4Address(destination.value() + i), 17));
    CHECK(starts.size() > 240); // neighbours' values are not one sequence

    // What one destination sees says nothing about the traffic to another one.
    const Ipv4Address other = *Ipv4Address::parse("203.0.113.5");
    const std::uint16_t before = ids->next(source, other, 17);
    for (int i = 0; i < 1000; ++i)
        (void)ids->next(source, destination, 17);
    CHECK(ids->next(source, other, 17) == static_cast<std::uint16_t>(before + 1));

    // The protocol and the source belong to the triple.
    const std::uint16_t udp = ids->next(source, other, 17);
    const std::uint16_t tcp = ids->next(source, other, 6);
    const std::uint16_t reverse = ids->next(other, source, 17);
    CHECK((udp != tcp || udp != reverse));
}

TEST_CASE("identification: another secret gives another sequence", "[ID-02][ID-05]") {
    std::set<std::uint16_t> starts;
    for (std::uint64_t key = 0; key < 256; ++key)
        starts.insert(make(key)->next(source, destination, 17));
    CHECK(starts.size() > 200);
    const auto same_a = make(77);
    const auto same_b = make(77);
    for (int i = 0; i < 10; ++i)
        CHECK(same_a->next(source, destination, 1) == same_b->next(source, destination, 1));
}

TEST_CASE("identification: first values spread evenly", "[ID-02]") {
    const auto ids = make(4);
    std::vector<int> buckets(16);
    for (std::uint32_t i = 0; i < 16000; ++i)
        ++buckets[ids->next(Ipv4Address(0x0a000000 + i), destination, 17) >> 12];
    for (const int n : buckets) {
        CHECK(n > 800);
        CHECK(n < 1200);
    }
}

TEST_CASE("identification: who came before changes nothing but shared counters", "[ID-02][ID-03]") {
    // Protocols 6 and 150 of the same addresses often meet in the place of a kept hash.
    int different = 0;
    for (std::uint32_t i = 0; i < 300; ++i) {
        const Ipv4Address client(0x0a000000 + i);
        const auto busy = make(5);
        (void)busy->next(client, destination, 150);
        if (busy->next(client, destination, 6) != make(5)->next(client, destination, 6))
            ++different;
    }
    CHECK(different < 10);
}
