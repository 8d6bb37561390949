// SPDX-License-Identifier: BSD-2-Clause
//
// The table of metrics, the text that is made from it, and how often it is made.
#include "tests/unit/catch.hpp"
#include "tests/unit/named_table.hpp"
#include "tests/unit/temporary_directory.hpp"
#include "translator/exporter/documents.hpp"
#include "translator/exporter/metric_table.hpp"
#include "translator/exporter/metrics_text.hpp"
#include "translator/exporter/metrics_writer.hpp"
#include "translator/stats/segment_writer.hpp"

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

using namespace xlat646;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

/// A daemon that lives, with three pairs, of which the second has hostile names.
class Segment {
  public:
    Segment()
        : table_(named_table({{"192.0.2.1", "2001:db8::1", "www", "acme"},
                              {"192.0.2.2", "2001:db8::2", "a\"b\\c\nd\xff", "t\xfe"},
                              {"192.0.2.16/28", "2001:db8::10/124", "", "t\xff"}})),
          writer_({path(), 2, false, 7, 1234567890, std::string(64, 'd')}, *table_) {
        writer_.life().beat_ms = unix_now_ms();
        writer_.life().is_ready = 1;
        writer_.publish();
        for (const Eam& m : table_->list().mappings)
            for (std::size_t worker = 0; worker < 2; ++worker) {
                auto& pair = writer_.blocks()[worker].pairs[m.slot];
                pair.direction[0].add(100 * (m.slot + 1));
                pair.direction[1].add(10);
            }
    }
    std::string path() const { return directory_.at("stats"); }
    SegmentWriter& writer() { return writer_; }

  private:
    TemporaryDirectory directory_;
    std::unique_ptr<const MappingTable> table_;
    SegmentWriter writer_;
};

std::string text_of(const std::string& path, const SeriesOptions& options) {
    SegmentSource source(path);
    return metrics_text(source.look(), options);
}

} // namespace

TEST_CASE("exporter: the table of metrics keeps the conventions", "[exporter]") {
    const std::regex name("(xlat646|process)_[a-z0-9_]+");
    const std::regex labels("([a-z0-9_]+(,[a-z0-9_]+)*)?");
    std::set<std::string_view> names;
    for (const Metric& m : metric_table()) {
        CAPTURE(m.name);
        CHECK(names.insert(m.name).second);
        CHECK(std::regex_match(std::string(m.name), name));
        CHECK(std::regex_match(std::string(m.labels), labels));
        CHECK(m.name.ends_with("_total") == (m.type == prometheus::MetricType::Counter));
        CHECK(m.help.ends_with("."));
        CHECK(m.help.find_first_of("\n\t\\") == std::string_view::npos);
        CHECK((m.collect == nullptr) == (m.given == Given::per_mapping));
        CHECK(&metric_row(m.name) == &m);
    }
    CHECK(count_of(list_metrics(), "\n") == metric_table().size());
    CHECK_THAT(list_metrics(), Contains("\nxlat646_packets_dropped_total\tcounter\t"
                                        "direction,reason\tPackets discarded"));
}

TEST_CASE("exporter: many series, one head", "[exporter]") {
    std::string text = "before\n";
    MetricsWriter out(text);
    const Metric& metric = metric_row("xlat646_tenant_bytes_total");
    for (const std::size_t count : {0u, 1u, 511u, 512u, 513u, 2000u}) {
        text = "before\n";
        out.begin(metric);
        for (std::size_t i = 0; i < count; ++i)
            out.add(static_cast<double>(i), {std::to_string(i), ""});
        out.end();
        CAPTURE(count);
        CHECK_THAT(text, StartsWith("before\n"));
        CHECK(count_of(text, "# HELP ") == (count == 0 ? 0 : 1));
        CHECK(count_of(text, "# TYPE xlat646_tenant_bytes_total counter\n") ==
              (count == 0 ? 0 : 1));
        CHECK(count_of(text, "\n") == (count == 0 ? 1 : count + 3));
        for (std::size_t i = 0; i < count; i += 100)
            CHECK_THAT(text, Contains("\nxlat646_tenant_bytes_total{tenant=\"" + std::to_string(i) +
                                      "\"} " + std::to_string(i) + "\n"));
    }
    out.begin(metric_row("xlat646_beat_timestamp_seconds"));
    out.add(1795387089.173);
    out.end();
    CHECK_THAT(text, EndsWith("\nxlat646_beat_timestamp_seconds 1795387089.173\n"));
    out.begin(metric_row("xlat646_beat_timestamp_seconds"));
    out.add(9007199254740992.0);
    out.end();
    CHECK_THAT(text, EndsWith(" 9007199254740992\n"));
}

TEST_CASE("exporter: no byte breaks the text", "[exporter]") {
    CHECK(valid_utf8("plain") == "plain");
    CHECK(valid_utf8("Zo\xc3\xab") == "Zo\xc3\xab");
    CHECK(valid_utf8("a\xff\xc3") == "a\xef\xbf\xbd\xef\xbf\xbd");
    CHECK(valid_utf8("\xed\xa0\x80") != "\xed\xa0\x80"); // half of a surrogate pair

    const Segment segment;
    const std::string all = text_of(segment.path(), {PerMapping::all, 20, 3});
    CHECK_THAT(all, Contains("xlat646_mapping_packets_total{ipv4=\"192.0.2.1\",direction=\"4to6\","
                             "name=\"www\"} 2\n"));
    CHECK_THAT(all, Contains("name=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 20\n"));
    CHECK_THAT(all, Contains("{ipv4=\"192.0.2.16/28\",direction=\"6to4\"} 20\n"));
    CHECK(count_of(all, "\nxlat646_mapping_bytes_total{") == 6);

    // What looks the same is one series.
    const std::string tenants = text_of(segment.path(), {PerMapping::tenant, 20, 3});
    CHECK_THAT(tenants, Contains("xlat646_tenant_packets_total{tenant=\"acme\",direction=\"4to6\"} "
                                 "2\n"));
    CHECK_THAT(tenants, Contains("{tenant=\"t\xef\xbf\xbd\",direction=\"6to4\"} 40\n"));
    CHECK(count_of(tenants, "\nxlat646_tenant_bytes_total{") == 4);
}

TEST_CASE("exporter: series of mappings are all there, or none", "[exporter]") {
    const Segment segment;
    const auto series = [&](PerMapping mode, std::size_t top, std::size_t limit) {
        const std::string text = text_of(segment.path(), {mode, top, limit});
        CHECK_THAT(text, Contains("\nxlat646_up 1\n"));
        const std::size_t n = count_of(text, "\nxlat646_mapping_packets_total{") +
                              count_of(text, "\nxlat646_tenant_packets_total{");
        const bool is_suppressed = count_of(text, "\nxlat646_mapping_series_suppressed 1\n") == 1;
        return std::pair(n, is_suppressed);
    };
    CHECK(series(PerMapping::off, 20, 0) == std::pair<std::size_t, bool>(0, false));
    CHECK(series(PerMapping::top, 2, 0) == std::pair<std::size_t, bool>(4, false));
    CHECK(series(PerMapping::all, 1, 3) == std::pair<std::size_t, bool>(6, false));
    CHECK(series(PerMapping::all, 1, 2) == std::pair<std::size_t, bool>(0, true));
    CHECK(series(PerMapping::tenant, 1, 3) == std::pair<std::size_t, bool>(4, false));
    CHECK(series(PerMapping::tenant, 1, 2) == std::pair<std::size_t, bool>(0, true));
}

TEST_CASE("exporter: without a daemon", "[exporter]") {
    const TemporaryDirectory directory;
    const std::string text = text_of(directory.at("stats"), {PerMapping::all, 20, 1000});
    CHECK_THAT(text, Contains("\nxlat646_up 0\n") && Contains("\nxlat646_ready 0\n") &&
                         Contains("{state=\"missing\"} 1\n"));
    CHECK_THAT(text, !Contains("xlat646_mappings ") && !Contains("xlat646_packets"));

    Segment segment;
    segment.writer().life().beat_ms = unix_now_ms() - 60'000;
    const std::string silent = text_of(segment.path(), {});
    CHECK_THAT(silent, Contains("\nxlat646_up 0\n") && Contains("\nxlat646_ready 0\n") &&
                           Contains("{state=\"current\"} 1\n") &&
                           Contains("\nxlat646_mappings 3\n"));
}

TEST_CASE("exporter: an answer is made once a second, for all", "[exporter]") {
    Segment segment;
    Documents documents(segment.path(), {PerMapping::all, 20, 1000});
    auto now = Documents::Clock::now();
    for (const char* path : {"/metrics", "/api/v1/status", "/api/v1/drops", "/api/v1/mappings"}) {
        const AnswerPtr first = documents.answer(path, {}, now);
        CHECK(first->status == 200);
        CHECK(documents.answer(path, {}, now + std::chrono::milliseconds(999)) == first);
        now += std::chrono::seconds(60);
        CHECK(documents.answer(path, {}, now) != first);
    }
    CHECK(documents.answer("/api/v1/mappings", {{"limit", "1"}}, now) !=
          documents.answer("/api/v1/mappings", {{"limit", "2"}}, now));
    // Bytes that would make another key look the same.
    CHECK(documents.answer("/api/v1/mappings", {{"filter", "a"}, {"tenant", "b"}}, now) !=
          documents.answer("/api/v1/mappings", {{"filter", "a 6,1:tenantb"}}, now));

    // Whoever asks something new without pause is told to wait; /metrics is not his.
    unsigned refused = 0;
    for (int i = 0; i < 200'000 && refused == 0; ++i)
        refused +=
            documents.answer("/api/v1/mappings", {{"filter", std::to_string(i)}}, now)->status ==
            503;
    CHECK(refused == 1);
    CHECK(documents.answer("/metrics", {}, now)->status == 200);
    now += std::chrono::seconds(10);
    CHECK(documents.answer("/api/v1/mappings", {{"filter", "later"}}, now)->status == 200);
    CHECK(documents.answer("/api/v1/mappings", {{"limit", "x"}}, now)->status == 400);
    CHECK(documents.answer("/api/v1/mapping", {}, now)->status == 404);
    CHECK(documents.answer("/-/ready", {}, now)->status == 200);

    const auto page = documents.answer("/", {}, now);
    CHECK_THAT(page->body, Contains("<style>") && !Contains("@STYLE@") && !Contains("@SCRIPT@") &&
                               !Contains("innerHTML"));
    CHECK(std::regex_search(page->headers.at(0).second,
                            std::regex("script-src 'sha256-[A-Za-z0-9+/]{43}='; ")));
}

TEST_CASE("exporter: rates are of the mappings they stand beside", "[exporter]") {
    Segment segment;
    Documents documents(segment.path(), {});
    const Arguments question = {{"sort", "packet_rate"}};
    auto now = Documents::Clock::now();
    (void)documents.answer("/api/v1/mappings", question, now);
    segment.writer().blocks()[1].pairs[2].direction[0].packets.add(600);
    now += std::chrono::seconds(2);
    const auto answer =
        nlohmann::json::parse(documents.answer("/api/v1/mappings", question, now)->body);
    const auto& first = answer["rows"][0];
    CHECK(first["v4_to_v6"]["packets_per_second"] == 300);
    CHECK(first["v4_to_v6"]["packets"] == 602);
    CHECK(answer["rows"][1]["v4_to_v6"]["packets_per_second"] == 0);
}

TEST_CASE("exporter: rates of one table are not shown beside the next one's mappings",
          "[exporter]") {
    const TemporaryDirectory directory;
    const std::string path = directory.at("stats");
    const NamedPair a{"192.0.2.1", "2001:db8::1"};
    const NamedPair b{"192.0.2.2", "2001:db8::2"};
    const auto publish = [&](SegmentWriter& writer) {
        writer.life().beat_ms = unix_now_ms();
        writer.publish();
    };
    const auto before = named_table({a, b});
    const auto after = named_table({b, a});
    SegmentWriter old({path, 2, false, 7, 1234567890, std::string(64, 'd')}, *before);
    publish(old);
    Documents documents(path, {});
    const auto busiest = [&](const char* limit, Documents::Clock::time_point now) {
        const AnswerPtr answer =
            documents.answer("/api/v1/mappings", {{"sort", "packet_rate"}, {"limit", limit}}, now);
        const double rate =
            nlohmann::json::parse(answer->body)["rows"][0]["v4_to_v6"]["packets_per_second"];
        return rate;
    };
    const auto start = Documents::Clock::now();
    CHECK(busiest("1", start) == 0);
    old.blocks()[0].pairs[before->list().mappings[0].slot].direction[0].packets.add(100);
    CHECK(busiest("1", start + std::chrono::seconds(2)) == 50);
    SegmentWriter next({path, 2, false, 8, 1234567890, std::string(64, 'e')}, *after);
    publish(next);
    CHECK(busiest("2", start + std::chrono::milliseconds(2500)) == 0);
}

TEST_CASE("exporter: what comes and what leaves, by version", "[exporter]") {
    Segment segment;
    auto& direction = segment.writer().blocks()[0].counters->direction;
    direction[0].received_bytes.add(1);
    direction[0].forwarded_bytes.add(2);
    direction[1].received_bytes.add(3);
    direction[1].forwarded_bytes.add(4);
    direction[1].errors_sent[0].add(5);
    direction[0].protocols[2].packets.add(6);
    const std::string text = text_of(segment.path(), {});
    for (const char* line :
         {"received_bytes_total{ip_version=\"4\"} 1", "received_bytes_total{ip_version=\"6\"} 3",
          "sent_bytes_total{ip_version=\"6\"} 2", "sent_bytes_total{ip_version=\"4\"} 4",
          "icmp_errors_sent_total{ip_version=\"6\",kind=\"time_exceeded\"} 5",
          "packets_translated_total{direction=\"4to6\",protocol=\"icmp\"} 6"})
        CHECK_THAT(text, Contains("\nxlat646_" + std::string(line) + "\n"));
}

TEST_CASE("exporter: what a process takes", "[exporter]") {
    const std::string stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 3 0 "
                             "1000 8192 2 18446744073709551615 1 1 0";
    const auto usage = parse_process_usage(stat, 1e9, 100, 4096);
    REQUIRE(usage);
    CHECK(usage->name == "a) b (c)");
    CHECK(usage->cpu_seconds == 2);
    CHECK(usage->threads == 3);
    CHECK(usage->start_seconds == 1e9 + 10);
    CHECK(usage->virtual_bytes == 8192);
    CHECK(usage->resident_bytes == 8192);
    for (const char* bad : {"", "1", ")(", "1 (a)", "1 (a) S 1 2 3"})
        CHECK(!parse_process_usage(bad, 0, 100, 4096));
    CHECK(process_usage(static_cast<std::uint32_t>(::getpid())));
    CHECK(!process_usage(0));
}
