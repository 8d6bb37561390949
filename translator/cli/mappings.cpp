// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646 mappings: what each pair, or each tenant, has carried.
#include "translator/cli/command.hpp"
#include "translator/cli/segment_source.hpp"
#include "translator/cli/text.hpp"
#include "translator/cli/traffic_table.hpp"
#include "translator/daemon/exit_status.hpp"
#include "translator/stats/segment_json.hpp"

#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

namespace xlat646 {
namespace {

namespace po = boost::program_options;

constexpr std::uint32_t all_rows = std::numeric_limits<std::uint32_t>::max();

void show_tenants(const SegmentView& view, const po::variables_map& given, std::uint64_t now) {
    const MappingKey key = sort_key(given, MappingKey::tenant);
    const TenantQuery query{key, is_descending_by_nature(key) != (given.count("reverse") != 0),
                            number_option(given, "limit", all_rows)};
    if (given.count("json") != 0)
        std::cout << to_text(tenants_json(view, query, now), 2) << "\n";
    else
        write_table(std::cout, list_tenants(view, query).rows, Numbers::totals);
}

void show_mappings(const SegmentView& view, const po::variables_map& given, std::uint64_t now) {
    MappingQuery query;
    query.key = sort_key(given, MappingKey::ipv4);
    query.is_descending = is_descending_by_nature(query.key) != (given.count("reverse") != 0);
    query.limit = number_option(given, "limit", all_rows);
    query.offset = number_option(given, "offset", 0);
    if (given.count("filter") != 0) query.filter = given["filter"].as<std::string>();
    if (given.count("tenant") != 0) query.tenant = given["tenant"].as<std::string>();
    if (given.count("json") != 0) return write_mappings_json(std::cout, view, query, now);
    const MappingPage page = list_mappings(view, query);
    write_table(std::cout, page.rows, Numbers::totals);
    if (page.rows.size() != page.matches)
        std::cerr << grouped(page.rows.size()) << " of " << plural(page.matches, "mapping") << "\n";
}

} // namespace

int run_mappings(const Words& words) {
    po::options_description options;
    options.add_options() //
        ("tenant", po::value<std::string>()->value_name("NAME"),
         "only this tenant's; \"\": only those without") //
        ("filter", po::value<std::string>()->value_name("TEXT"),
         "only with this part of an address, name or tenant, or with this address or prefix") //
        ("by-tenant", "sums by tenant")                                                       //
        ("sort", po::value<std::string>()->value_name("KEY"),
         "ipv4 (default), name, tenant, or from the largest: packets, bytes, packets_v4_to_v6, "
         "packets_v6_to_v4, bytes_v4_to_v6, bytes_v6_to_v4")                          //
        ("reverse", "the other way round")                                            //
        ("limit", po::value<std::string>()->value_name("N"), "so many at most (all)") //
        ("offset", po::value<std::string>()->value_name("N"), "without the first N")  //
        ("json", "as JSON");
    add_stats_option(options);
    const auto given = read_options(words, options, "mappings [OPTION]...");
    if (!given) return exit_status::fine;
    const bool by_tenant = given->count("by-tenant") != 0;
    for (const char* const other : {"tenant", "filter", "offset"})
        if (by_tenant && given->count(other) != 0)
            throw po::error(std::string("--by-tenant and --") + other + " do not go together");
    const MappingKey key = sort_key(*given, MappingKey::ipv4);
    if (key == MappingKey::packet_rate || key == MappingKey::bit_rate)
        throw po::error("rates need two looks: see xlat646 top");
    const SegmentReader reader = open_segment(*given);
    const std::uint64_t now = unix_now_ms();
    (by_tenant ? show_tenants : show_mappings)(reader.view(), *given, now);
    std::cout.flush();
    warn_if_not_running("mappings", summarize(reader.view()), now);
    return exit_status::fine;
}

} // namespace xlat646
