// SPDX-License-Identifier: BSD-2-Clause
//
// Mappings filtered, sorted and paged; sums by tenant.
#include "translator/stats/mapping_list.hpp"

#include "tests/unit/catch.hpp"
#include "tests/unit/named_table.hpp"
#include "translator/stats/segment_writer.hpp"

#include <algorithm>
#include <map>
#include <random>

using namespace xlat646;

namespace {

SegmentWriter::Description description() {
    return {"", 2, false, 1, 1234567890, std::string(64, 'd')};
}

const std::vector<NamedPair> some = {
    {"192.0.2.10", "2001:db8:6::a", "www", "acme"},
    {"192.0.2.1", "2001:db8:6::2", "Mail", "acme"},
    {"192.0.2.16/28", "2001:db8:7::/124", "", "zenith"},
    {"203.0.113.1", "2001:db8:6::1", "acme's guest", ""},
};

class Lists {
  public:
    explicit Lists(const std::vector<NamedPair>& pairs = some)
        : table_(named_table(pairs)), writer_(description(), *table_) {}

    void add(const std::string& ipv4, std::size_t direction, std::uint64_t packets,
             std::uint64_t bytes, std::size_t worker = 0) {
        const auto slot = table_->slot_of(*Ipv4Prefix::parse(ipv4));
        REQUIRE(slot != no_slot);
        Traffic& to = writer_.blocks()[worker].pairs[slot].direction[direction];
        to.packets.add(packets);
        to.bytes.add(bytes);
    }
    const SegmentView& view() const { return writer_.view(); }
    MappingPage page(const MappingQuery& query) const { return list_mappings(view(), query); }
    std::vector<std::string> addresses(const MappingQuery& query) const {
        std::vector<std::string> out;
        for (const MappingRow& row : page(query).rows)
            out.push_back(address_text(row.mapping.ipv4));
        return out;
    }
    std::vector<std::string> found(const std::string& filter) const {
        MappingQuery query;
        query.filter = filter;
        return addresses(query);
    }
    std::vector<std::string> sorted(MappingKey key, bool is_descending) const {
        MappingQuery query;
        query.key = key;
        query.is_descending = is_descending;
        return addresses(query);
    }

  private:
    std::unique_ptr<const MappingTable> table_;
    SegmentWriter writer_;
};

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("mapping list: filters", "[mapping_list]") {
    const Lists lists;
    CHECK(lists.found("") == Texts{"192.0.2.1", "192.0.2.10", "192.0.2.16/28", "203.0.113.1"});
    // A whole address is no part of another one, and finds the prefix that it lies in.
    CHECK(lists.found("192.0.2.1") == Texts{"192.0.2.1"});
    CHECK(lists.found("192.0.2.20") == Texts{"192.0.2.16/28"});
    CHECK(lists.found("2001:db8:7::f") == Texts{"192.0.2.16/28"});
    CHECK(lists.found("2001:DB8:6::2") == Texts{"192.0.2.1"});
    CHECK(lists.found("192.0.2.0/28") == Texts{"192.0.2.1", "192.0.2.10"});
    CHECK(lists.found("192.0.2.") == Texts{"192.0.2.1", "192.0.2.10", "192.0.2.16/28"});
    CHECK(lists.found("/28") == Texts{"192.0.2.16/28"});
    CHECK(lists.found(":6::A") == Texts{"192.0.2.10"});
    // Names and tenants in any case.
    CHECK(lists.found("mAIL") == Texts{"192.0.2.1"});
    CHECK(lists.found("ACME") == Texts{"192.0.2.1", "192.0.2.10", "203.0.113.1"});
    CHECK(lists.found("nobody").empty());
    CHECK(lists.found("192.0.2.0/99").empty());
    CHECK(lists.found(std::string(100000, '1')).empty());

    MappingQuery query;
    query.tenant = "acme";
    CHECK(lists.addresses(query) == Texts{"192.0.2.1", "192.0.2.10"});
    query.filter = "www";
    CHECK(lists.addresses(query) == Texts{"192.0.2.10"});
    query.tenant = "Acme"; // as written
    CHECK(lists.addresses(query).empty());
    query.tenant = "";
    query.filter = "";
    CHECK(lists.addresses(query) == Texts{"203.0.113.1"});
    const MappingPage page = lists.page(query);
    CHECK(page.mappings == 4);
    CHECK(page.matches == 1);
    CHECK(page.rows.at(0).mapping.name == "acme's guest");
}

TEST_CASE("mapping list: each key", "[mapping_list]") {
    Lists lists;
    lists.add("192.0.2.1", 0, 5, 500);
    lists.add("192.0.2.1", 0, 5, 500, 1); // both workers
    lists.add("192.0.2.1", 1, 1, 9000);
    lists.add("192.0.2.10", 0, 3, 3000);
    lists.add("192.0.2.10", 1, 9, 90);
    lists.add("203.0.113.1", 0, 1, 20000);
    lists.add("203.0.113.1", 1, 2, 1);
    const auto order = [&](MappingKey key) { return lists.sorted(key, true); };
    const std::string a = "192.0.2.1", b = "192.0.2.10", c = "192.0.2.16/28", d = "203.0.113.1";
    CHECK(order(MappingKey::ipv4) == Texts{d, c, b, a});
    CHECK(order(MappingKey::name) == Texts{b, d, a, c});
    CHECK(order(MappingKey::tenant) == Texts{c, b, a, d}); // equal ones as in the file
    CHECK(order(MappingKey::packets) == Texts{b, a, d, c});
    CHECK(order(MappingKey::packets_v4_to_v6) == Texts{a, b, d, c});
    CHECK(order(MappingKey::packets_v6_to_v4) == Texts{b, d, a, c});
    CHECK(order(MappingKey::bytes) == Texts{d, a, b, c});
    CHECK(order(MappingKey::bytes_v4_to_v6) == Texts{d, b, a, c});
    CHECK(order(MappingKey::bytes_v6_to_v4) == Texts{a, b, d, c});
    CHECK(lists.sorted(MappingKey::packets, false) == Texts{c, d, a, b});
    CHECK(lists.sorted(MappingKey::name, false) == Texts{c, a, d, b});

    for (std::size_t i = 0; i < mapping_key_names.size(); ++i)
        CHECK(mapping_key(mapping_key_names[i]) == static_cast<MappingKey>(i));
    CHECK(!mapping_key("Packets"));
    CHECK(!mapping_key(""));
    CHECK(is_descending_by_nature(MappingKey::bit_rate));
    CHECK_FALSE(is_descending_by_nature(MappingKey::tenant));
}

TEST_CASE("mapping list: pages of many are those of all, sorted", "[mapping_list]") {
    constexpr std::uint32_t many = 3000;
    std::vector<NamedPair> pairs;
    for (std::uint32_t i = 0; i < many; ++i) {
        const std::string host = std::to_string(i / 250) + "." + std::to_string(i % 250);
        pairs.push_back({"198.18." + host, "2001:db8::" + std::to_string(i),
                         "n" + std::to_string(i), "t" + std::to_string(i % 7)});
    }
    std::mt19937 random(646);
    std::shuffle(pairs.begin(), pairs.end(), random);
    Lists lists(pairs);
    std::vector<std::uint64_t> bytes;
    for (const NamedPair& pair : pairs) {
        bytes.push_back(random() % 500); // many are equal
        lists.add(pair.ipv4, random() % 2, 1, bytes.back());
    }
    std::vector<std::size_t> order(many);
    for (std::size_t i = 0; i < many; ++i)
        order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t x, std::size_t y) { return bytes[x] > bytes[y]; });
    Texts wanted;
    for (const std::size_t i : order)
        wanted.push_back(pairs[i].ipv4);

    MappingQuery query;
    query.key = MappingKey::bytes;
    query.is_descending = true;
    query.limit = many;
    CHECK(lists.addresses(query) == wanted);
    query.limit = 10;
    for (const std::size_t offset : {0u, 1u, 990u, many - 10, many - 3, many, many + 5}) {
        query.offset = offset;
        const auto part = [&](std::size_t n) {
            return wanted.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(n, many));
        };
        CHECK(lists.addresses(query) == Texts(part(offset), part(offset + 10)));
        CHECK(lists.page(query).matches == many);
    }
    query.offset = std::numeric_limits<std::size_t>::max();
    query.limit = std::numeric_limits<std::size_t>::max();
    CHECK(lists.addresses(query).empty());
    query.offset = 0;
    query.limit = 0;
    CHECK(lists.addresses(query).empty());
}

TEST_CASE("mapping list: by tenant", "[mapping_list]") {
    Lists lists;
    lists.add("192.0.2.1", 0, 1, 10);
    lists.add("192.0.2.10", 0, 2, 20);
    lists.add("192.0.2.10", 1, 4, 40);
    lists.add("203.0.113.1", 1, 100, 1);
    TenantPage page = list_tenants(lists.view(), {});
    REQUIRE(page.tenants == 3);
    REQUIRE(page.rows.size() == 3);
    CHECK(page.rows[0].tenant.empty());
    CHECK(page.rows[0].mappings == 1);
    CHECK(page.rows[1].tenant == "acme");
    CHECK(page.rows[1].mappings == 2);
    CHECK(page.rows[1].total == PairTotal{TrafficTotal{3, 30}, TrafficTotal{4, 40}});
    CHECK(page.rows[2].tenant == "zenith");
    page = list_tenants(lists.view(), {MappingKey::packets, true, 1});
    CHECK(page.tenants == 3);
    REQUIRE(page.rows.size() == 1);
    CHECK(page.rows[0].total[1] == TrafficTotal{100, 1});
    page = list_tenants(lists.view(), {MappingKey::name, true, 2});
    REQUIRE(page.rows.size() == 2);
    CHECK(page.rows[0].tenant == "zenith");
    CHECK(list_tenants(Lists(std::vector<NamedPair>{}).view(), {}).tenants == 0);
}

TEST_CASE("mapping list: rates go on over reloads and hand-overs", "[mapping_rates]") {
    using Clock = MappingRates::Clock;
    const Clock::time_point begin{std::chrono::seconds(1000)};
    const auto at = [&](int seconds) { return begin + std::chrono::seconds(seconds); };
    const auto first_table = named_table(some);
    SegmentWriter first(description(), *first_table);
    const auto add = [](SegmentWriter& writer, const MappingTable& table, const char* ipv4,
                        std::uint64_t packets) {
        Traffic& to =
            writer.blocks()[0].pairs[table.slot_of(*Ipv4Prefix::parse(ipv4))].direction[1];
        to.packets.add(packets);
        to.bytes.add(100 * packets);
    };
    add(first, *first_table, "192.0.2.1", 1000);
    MappingRates rates;
    CHECK(rates.rate(0)[1].packets == 0); // nothing has been looked at
    rates.look(first.view(), at(0));
    CHECK(rates.seconds() == 0);
    CHECK(rates.rate(1)[1].packets == 0);
    add(first, *first_table, "192.0.2.1", 30);
    rates.look(first.view(), at(2));
    CHECK(rates.seconds() == 2);
    CHECK(rates.rate(1)[1].packets == 15);
    CHECK(rates.rate(1)[1].bits == 12000);
    CHECK(rates.rate(1)[0].packets == 0);
    CHECK(rates.rate(0)[1].packets == 0);
    CHECK(rates.rate(4)[1].packets == 0); // behind the end
    CHECK(list_mappings(first.view(), {}, &rates).rows.at(0).rate[1].packets == 15);
    MappingQuery query;
    query.key = MappingKey::bit_rate;
    query.is_descending = true;
    query.limit = 1;
    CHECK(list_mappings(first.view(), query, &rates).rows.at(0).mapping.name == "Mail");
    CHECK(list_tenants(first.view(), {MappingKey::packet_rate, true, 1}, &rates)
              .rows.at(0)
              .rate[1]
              .bits == 12000);
    rates.look(first.view(), at(3));
    CHECK(rates.rate(1)[1].packets == 0);

    // A reload: other slots, other indexes, a new pair in the slot of one that has gone.
    const auto second_table = named_table(
        {{"192.0.2.99", "2001:db8:6::99"}, {"192.0.2.1", "2001:db8:6::2"}}, first_table.get());
    auto next = description();
    next.generation = 2;
    SegmentWriter second(next, *second_table);
    add(first, *first_table, "192.0.2.10", 7777);
    add(first, *first_table, "192.0.2.1", 4);
    second.carry(first.view(), *second_table, SegmentWriter::From::generation);
    add(second, *second_table, "192.0.2.1", 6);
    add(second, *second_table, "192.0.2.99", 50);
    rates.look(second.view(), at(5));
    CHECK(rates.rate(1)[1].packets == 5);
    CHECK(rates.rate(0)[1].packets == 25); // it began at zero
    CHECK(rates.rate(2)[1].packets == 0);

    // Another process that has taken over.
    auto successor = description();
    successor.started += 100;
    SegmentWriter third(successor, *second_table);
    third.carry(second.view(), *second_table, SegmentWriter::From::process);
    third.life().restarts = 1;
    add(third, *second_table, "192.0.2.1", 20);
    rates.look(third.view(), at(6));
    CHECK(rates.rate(1)[1].packets == 20);

    // One that has not: it counts from zero, so there is nothing to compare with.
    successor.started += 100;
    SegmentWriter fourth(successor, *second_table);
    add(fourth, *second_table, "192.0.2.1", 5000);
    rates.look(fourth.view(), at(7));
    CHECK(rates.seconds() == 0);
    CHECK(rates.rate(1)[1].packets == 0);
    add(fourth, *second_table, "192.0.2.1", 3);
    rates.look(fourth.view(), at(8));
    CHECK(rates.rate(1)[1].packets == 3);
    rates.look(fourth.view(), at(8)); // no time has passed
    CHECK(rates.rate(1)[1].packets == 0);
}
