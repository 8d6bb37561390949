// SPDX-License-Identifier: BSD-2-Clause
//
// The JSON about a segment: its forms, and that nothing hostile in the segment gets through.
#include "translator/stats/segment_json.hpp"

#include "tests/unit/catch.hpp"
#include "tests/unit/named_table.hpp"
#include "translator/stats/drop_advice.hpp"
#include "translator/stats/segment_writer.hpp"

#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

using namespace xlat646;

namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t now = 1700000000000;

SegmentWriter::Description description(bool has_fastpath = false) {
    return {"", 1, has_fastpath, 7, 1234567890, std::string(64, 'd')};
}

SegmentView::Drop some_drop(DropReason reason, std::uint64_t time_ms = 1) {
    DropSample sample;
    sample.ip_version = 4;
    sample.protocol = 17;
    sample.length = 60;
    sample.has_ports = true;
    sample.source = {192, 0, 2, 1};
    sample.destination = {198, 51, 100, 7};
    sample.source_port = 53;
    sample.destination_port = 999;
    return {time_ms, Direction::v4_to_v6, reason, sample};
}

ordered_json mappings(const SegmentView& view, const MappingQuery& query = {},
                      const MappingRates* rates = nullptr) {
    std::ostringstream out;
    write_mappings_json(out, view, query, now, rates);
    return ordered_json::parse(out.str());
}

struct Segment {
    std::unique_ptr<const MappingTable> table;
    SegmentWriter writer;
    explicit Segment(const std::vector<NamedPair>& pairs = {{"192.0.2.1", "2001:db8::1", "www",
                                                             "acme"}},
                     bool has_fastpath = false)
        : table(named_table(pairs)), writer(description(has_fastpath), *table) {
        writer.publish();
        writer.life().beat_ms = now;
    }
    DirectionCounters& direction(std::size_t d) {
        return writer.blocks()[0].counters->direction[d];
    }
};

} // namespace

TEST_CASE("segment json: whether the daemon runs", "[segment_json]") {
    Segment segment;
    segment.writer.life().is_ready = 1;
    segment.writer.life().failed_reloads = 2;
    ordered_json daemon = daemon_json(summarize(segment.writer.view()), now + 1000);
    CHECK(daemon.at("state") == "running");
    CHECK(daemon.at("ready") == true);
    CHECK(daemon.at("silent_ms") == 1000);
    CHECK(daemon.at("generation") == 7);
    CHECK(daemon.at("digest") == std::string(64, 'd'));
    CHECK(daemon.at("failed_reloads") == 2);
    daemon = daemon_json(summarize(segment.writer.view()), now + 60000);
    CHECK(daemon.at("state") == "silent");
    CHECK(daemon.at("ready") == false); // whatever it said a minute ago
    segment.writer.end(SegmentState::stopped);
    CHECK(daemon_json(summarize(segment.writer.view()), now).at("state") == "stopped");
}

TEST_CASE("segment json: the report, counters and probes are the status", "[segment_json]") {
    Segment segment;
    segment.direction(0).received.add(5);
    segment.direction(0).protocols[1].add(100);
    segment.direction(1).dropped[static_cast<std::size_t>(DropReason::spoof)].add(3);
    segment.direction(1).errors_sent[2].add(4);
    segment.writer.life().probes_sent = 9;
    ordered_json status = status_json(segment.writer.view(), now);
    CHECK(status.size() == 2); // there is no report so far
    CHECK(status.at("counters").at("v4_to_v6").at("received") == 5);
    CHECK(status.at("counters").at("v4_to_v6").at("protocols").at("udp") ==
          ordered_json{{"packets", 1}, {"bytes", 100}});
    CHECK(status.at("counters").at("v6_to_v4").at("dropped") == ordered_json{{"spoof", 3}});
    CHECK(status.at("counters").at("v6_to_v4").at("rejected") == ordered_json::object());
    CHECK(status.at("counters").at("v6_to_v4").at("errors_sent") ==
          ordered_json{{"unreachable", 4}});
    CHECK(status.at("counters").at("probes").at("sent") == 9);
    CHECK_FALSE(status.at("counters").contains("fastpath"));

    REQUIRE(segment.writer.write_report(R"({"version": "1.2", "counters": 7, "daemon": []})"));
    status = status_json(segment.writer.view(), now);
    CHECK(status.at("version") == "1.2");
    CHECK(status.at("counters").at("v4_to_v6").at("received") == 5);
    CHECK(status.at("daemon").at("state") == "running");
    CHECK(status.begin().key() == "version");

    Segment fast({}, true);
    fast.writer.fastpath().translated[1][2].add(80);
    fast.writer.fastpath().passed[0][1].add();
    const ordered_json counters = counters_json(summarize(fast.writer.view()));
    CHECK(counters.at("fastpath").at("v6_to_v4").at("icmp").at("bytes") == 80);
    CHECK(counters.at("fastpath").at("v4_to_v6").at("passed") == ordered_json{{"foreign", 1}});
    CHECK(counters.at("v6_to_v4").at("received") == 1);
    CHECK(counters.at("v6_to_v4").at("protocols").at("icmp").at("packets") == 1);
}

TEST_CASE("segment json: reports that are none", "[segment_json]") {
    Segment segment;
    const auto keys = [&](const std::string& report) {
        REQUIRE(segment.writer.write_report(report));
        const ordered_json status = status_json(segment.writer.view(), now);
        (void)to_text(status, 2);
        return status.size();
    };
    CHECK(keys("{\"a\": 1}") == 3);
    for (const char* const report :
         {"", "{", "[1]", "null", "7", "\"text\"", "{\"a\": 1} x", "{\"a\": \xff}", "\xff\xfe"})
        CHECK(keys(report) == 2);
    // What is nested deeply would end whoever walks through it.
    std::string deep =
        R"({"a": 1, "b": )" + std::string(60000, '[') + std::string(60000, ']') + "}";
    const std::string objects = [] {
        std::string out;
        for (int i = 0; i < 15000; ++i)
            out += "{\"a\":";
        return out + "1" + std::string(15000, '}');
    }();
    const auto length = [&] { return to_text(status_json(segment.writer.view(), now)).size(); };
    CHECK(keys(deep) >= 3);
    CHECK(length() < 10000);
    CHECK(keys(objects) >= 2);
    CHECK(length() < 10000);
    CHECK(keys(std::string(100000, '[')) == 2);
}

TEST_CASE("segment json: mappings and tenants", "[segment_json]") {
    Segment segment(
        {{"192.0.2.1", "2001:db8::1", "www", "acme"}, {"192.0.2.16/28", "2001:db8:7::/124"}});
    segment.writer.blocks()[0].pairs[0].direction[1].add(100);
    ordered_json document = mappings(segment.writer.view());
    CHECK(document.at("daemon").at("state") == "running");
    CHECK(document.at("mappings") == 2);
    CHECK(document.at("matches") == 2);
    CHECK(document.at("offset") == 0);
    REQUIRE(document.at("rows").size() == 2);
    CHECK(document.at("rows")[0] == ordered_json::parse(R"({
        "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "name": "www", "tenant": "acme",
        "v4_to_v6": {"packets": 0, "bytes": 0}, "v6_to_v4": {"packets": 1, "bytes": 100}})"));
    CHECK(document.at("rows")[1].at("ipv4") == "192.0.2.16/28");
    CHECK(document.at("rows")[1].at("tenant") == "");
    MappingQuery query;
    query.offset = 1;
    query.filter = "2001";
    document = mappings(segment.writer.view(), query);
    CHECK(document.at("offset") == 1);
    CHECK(document.at("matches") == 2);
    CHECK(document.at("rows").size() == 1);
    query.filter = "nobody";
    CHECK(mappings(segment.writer.view(), query).at("rows").empty());

    MappingRates rates;
    rates.look(segment.writer.view(), MappingRates::Clock::time_point(std::chrono::seconds(1)));
    segment.writer.blocks()[0].pairs[0].direction[1].add(50);
    rates.look(segment.writer.view(), MappingRates::Clock::time_point(std::chrono::seconds(3)));
    document = mappings(segment.writer.view(), {}, &rates);
    CHECK(document.at("rows")[0].at("v6_to_v4").at("bits_per_second") == 200);
    CHECK(document.at("rows")[0].at("v6_to_v4").at("packets_per_second") == 0.5);

    document = tenants_json(segment.writer.view(), {}, now, &rates);
    CHECK(document.at("tenants") == 2);
    CHECK(document.at("rows")[0].at("tenant") == "");
    CHECK(document.at("rows")[1].at("tenant") == "acme");
    CHECK(document.at("rows")[1].at("mappings") == 1);
    CHECK(document.at("rows")[1].at("v6_to_v4").at("bytes") == 150);
    CHECK(document.at("rows")[1].at("v6_to_v4").at("bits_per_second") == 200);
}

TEST_CASE("segment json: discarded packets", "[segment_json]") {
    Segment segment;
    CHECK(drops_json(segment.writer.view(), now, 10).at("counts").empty());
    segment.direction(0).rejected[static_cast<std::size_t>(DropReason::no_mapping)].add(5);
    segment.direction(1).dropped[static_cast<std::size_t>(DropReason::no_mapping)].add(1);
    segment.direction(1).dropped[static_cast<std::size_t>(DropReason::spoof)].add(7);
    for (std::uint64_t i = 1; i <= 3; ++i)
        segment.writer.add_drop(some_drop(DropReason::no_mapping, i));
    DropSample nothing;
    nothing.length = 3;
    segment.writer.add_drop({4, Direction::v6_to_v4, DropReason::malformed6, nothing});

    ordered_json drops = drops_json(segment.writer.view(), now, 3);
    REQUIRE(drops.at("counts").size() == 2);
    CHECK(drops.at("counts")[0].at("reason") == "spoof"); // most frequent first
    CHECK(drops.at("counts")[1] == ordered_json{{"reason", "no_mapping"},
                                                {"sentence", sentence_of(DropReason::no_mapping)},
                                                {"advice", advice_for(DropReason::no_mapping)},
                                                {"v4_to_v6", {{"rejected", 5}, {"dropped", 0}}},
                                                {"v6_to_v4", {{"rejected", 0}, {"dropped", 1}}}});
    REQUIRE(drops.at("last").size() == 3);
    CHECK(drops.at("last")[0].at("time_ms") == 4); // newest first
    CHECK(drops.at("last")[0].at("source").is_null());
    CHECK(drops.at("last")[0].at("packet") == "no IP header, 3 bytes");
    CHECK(drops.at("last")[1] ==
          ordered_json::parse(R"({"time_ms": 3, "direction": "v4_to_v6", "reason": "no_mapping",
        "packet": "192.0.2.1:53 > 198.51.100.7:999, protocol 17, 60 bytes", "length": 60,
        "ip_version": 4, "source": "192.0.2.1", "destination": "198.51.100.7", "protocol": 17,
        "source_port": 53, "destination_port": 999})"));
    drops = drops_json(segment.writer.view(), now, 0, Reasons::all);
    CHECK(drops.at("counts").size() == drop_reason_count);
    CHECK(drops.at("last").empty());
}

TEST_CASE("segment json: each reason has its advice", "[segment_json][drop_advice]") {
    for (std::size_t r = 0; r < drop_reason_count; ++r) {
        const auto reason = static_cast<DropReason>(r);
        INFO(name_of(reason));
        const std::string_view advice = advice_for(reason);
        CHECK(advice.size() > 20);
        CHECK(advice.size() < 300);
        CHECK(advice.back() == '.');
        CHECK(advice != sentence_of(reason));
    }
    CHECK(advice_for(static_cast<DropReason>(255)).empty());
}

TEST_CASE("segment json: hostile names and nonsense", "[segment_json]") {
    Segment segment({{"192.0.2.1", "2001:db8::1", "a\xff\x1b[2J\"\\\n", "\xc3("},
                     {"192.0.2.2", "2001:db8::2", "</script>", "\xed\xa0\x80"}});
    const ordered_json document = mappings(segment.writer.view());
    CHECK(document.at("rows")[0].at("name") == "a\xef\xbf\xbd\x1b[2J\"\\\n");
    CHECK(document.at("rows")[0].at("tenant") == "\xef\xbf\xbd(");
    std::ostringstream raw;
    write_mappings_json(raw, segment.writer.view(), {}, now);
    CHECK(raw.str().find('\x1b') == std::string::npos); // escaped
    (void)to_text(tenants_json(segment.writer.view(), {}, now));

    // Any bytes behind a good header.
    const SegmentHeader& header = segment.writer.view().header();
    std::vector<std::uint64_t> words(header.offsets.size / 8, 0xffffffffffffffff);
    auto* const bytes = reinterpret_cast<std::uint8_t*>(words.data());
    for (const int fill : {0x00, 0x01, 0x41, 0x7f, 0x80, 0xff}) {
        std::memset(bytes, fill, header.offsets.size);
        std::memcpy(bytes, &header, sizeof header);
        REQUIRE(SegmentView::check(bytes, header.offsets.size).empty());
        const SegmentView view(bytes);
        MappingRates rates;
        rates.look(view, MappingRates::Clock::time_point(std::chrono::seconds(1)));
        rates.look(view, MappingRates::Clock::time_point(std::chrono::seconds(2)));
        for (std::size_t key = 0; key < mapping_key_names.size(); ++key) {
            MappingQuery query;
            query.key = static_cast<MappingKey>(key);
            query.filter = fill % 2 == 0 ? "" : "a";
            (void)mappings(view, query, &rates);
            (void)to_text(tenants_json(view, {query.key, true, 5}, now, &rates));
        }
        CHECK(ordered_json::parse(to_text(status_json(view, now))).contains("counters"));
        CHECK(drops_json(view, now, 1000, Reasons::all).at("counts").size() == drop_reason_count);
    }
}
