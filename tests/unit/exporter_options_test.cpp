// SPDX-License-Identifier: BSD-2-Clause
//
// What xlat646-exporter is asked: at its command line, and behind a question mark.
#include "tests/unit/catch.hpp"
#include "translator/exporter/mapping_arguments.hpp"
#include "translator/exporter/options.hpp"

#include <boost/program_options/errors.hpp>

using namespace xlat646;
using Catch::Matchers::Contains;

TEST_CASE("exporter: addresses to listen on", "[exporter]") {
    const auto text = [](const char* wanted) {
        const auto address = ListenAddress::parse(wanted);
        return address ? address->to_string() : "";
    };
    for (const char* good : {"127.0.0.1:9646", "0.0.0.0:1", "[::1]:65535", "[2001:db8::1]:9646"})
        CHECK(text(good) == good);
    for (const char* bad : {"",
                            ":",
                            "9646",
                            ":9646",
                            "127.0.0.1",
                            "127.0.0.1:",
                            "127.0.0.1:0",
                            "127.0.0.1:65536",
                            "127.0.0.1:-1",
                            "127.0.0.1:+1",
                            "127.0.0.1: 1",
                            "127.0.0.1:1x",
                            "::1:9646",
                            "[::1]",
                            "[::1]9646",
                            "[127.0.0.1]:9646",
                            "[::1:9646",
                            "localhost:9646",
                            "127.1:9646",
                            "[]:1",
                            "[:1",
                            "[fe80::1%lo]:9646",
                            " 127.0.0.1:9646"}) {
        CAPTURE(bad);
        CHECK(!ListenAddress::parse(bad));
    }
}

TEST_CASE("exporter: its options", "[exporter]") {
    const ExporterOptions defaults = read_exporter_options({});
    CHECK(defaults.stats == "/run/xlat646/stats");
    CHECK(defaults.listen.empty());
    CHECK(defaults.series.per_mapping == PerMapping::off);
    CHECK(defaults.series.top == 20);
    CHECK(defaults.series.limit == 1000);
    CHECK(defaults.user.empty());

    const ExporterOptions all = read_exporter_options(
        {"--stats", "/x", "--listen", "192.0.2.1:1", "--listen=[::1]:2", "--per-mapping", "tenant",
         "--top", "7", "--per-mapping-limit=0", "--user", "nobody"});
    CHECK(all.stats == "/x");
    REQUIRE(all.listen.size() == 2);
    CHECK(all.listen[1].to_string() == "[::1]:2");
    CHECK(all.series.per_mapping == PerMapping::tenant);
    CHECK(all.series.top == 7);
    CHECK(all.series.limit == 0);
    CHECK(all.user == "nobody");
    CHECK(read_exporter_options({"--per-mapping", "all"}).series.per_mapping == PerMapping::all);
    CHECK(read_exporter_options({"--per-mapping", "top"}).series.per_mapping == PerMapping::top);
    CHECK(read_exporter_options({"-h"}).task == ExporterOptions::Task::help);
    CHECK(read_exporter_options({"--version"}).task == ExporterOptions::Task::version);
    CHECK(read_exporter_options({"--list-metrics"}).task == ExporterOptions::Task::list_metrics);

    using Words = std::vector<std::string>;
    for (const Words& bad : std::vector<Words>{{"word"},
                                               {"--stat", "/x"},
                                               {"--stats", ""},
                                               {"--stats", "a", "--stats", "b"},
                                               {"--listen", "80"},
                                               {"--per-mapping", "ALL"},
                                               {"--per-mapping", ""},
                                               {"--top", "0"},
                                               {"--top", "-1"},
                                               {"--top", "1e3"},
                                               {"--top", "99999999999999999999"},
                                               {"--per-mapping-limit", "x"},
                                               {"--user", ""}}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(read_exporter_options(bad), boost::program_options::error);
    }
}

TEST_CASE("exporter: questions about mappings", "[exporter]") {
    const auto good = mapping_query({{"filter", "a b"},
                                     {"tenant", ""},
                                     {"sort", "bytes"},
                                     {"order", "asc"},
                                     {"offset", "4294967295"},
                                     {"limit", "1000"}});
    const auto* const query = std::get_if<MappingQuery>(&good);
    REQUIRE(query != nullptr);
    CHECK(query->filter == "a b");
    CHECK(query->tenant == "");
    CHECK(query->key == MappingKey::bytes);
    CHECK(!query->is_descending);
    CHECK(query->offset == 4294967295);
    CHECK(query->limit == 1000);

    CHECK(!std::get<MappingQuery>(mapping_query({})).tenant);
    CHECK(!std::get<MappingQuery>(mapping_query({})).is_descending);
    CHECK(std::get<MappingQuery>(mapping_query({{"sort", "packets"}})).is_descending);
    CHECK(std::get<MappingQuery>(mapping_query({{"order", "desc"}})).is_descending);
    CHECK(std::get<TenantQuery>(tenant_query({{"sort", "bytes"}, {"limit", "3"}})).limit == 3);

    const auto wrong = [](const Arguments& arguments) {
        const auto out = mapping_query(arguments);
        const auto* const problem = std::get_if<std::string>(&out);
        return problem == nullptr ? std::string() : *problem;
    };
    CHECK_THAT(wrong({{"limit", "1001"}}), Contains("up to 1000"));
    for (const char* number : {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "99999999999999999999"})
        CHECK_THAT(wrong({{"offset", number}}), Contains("offset must be"));
    CHECK_THAT(wrong({{"sort", "colour"}}), Contains("ipv4, name"));
    CHECK_THAT(wrong({{"order", "up"}}), Contains("asc or desc"));
    CHECK_THAT(wrong({{"filter", "a"}, {"filter", "a"}}), Contains("twice"));
    CHECK_THAT(wrong({{"tenant", std::string(257, 'a')}}), Contains("longer than 256"));
    CHECK(wrong({{"tenant", std::string(256, '\xff')}}).empty());
    CHECK_THAT(wrong({{"Limit", "1"}}), Contains("known are: filter, tenant, sort"));
    CHECK_THAT(wrong({{"", ""}}), Contains("unknown"));
    CHECK_THAT(std::get<std::string>(tenant_query({{"filter", "a"}})), Contains("known are: sort"));
}
