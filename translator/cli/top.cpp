// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646 top: who has the traffic now, by mapping or by tenant.
#include "translator/cli/command.hpp"
#include "translator/cli/segment_source.hpp"
#include "translator/cli/terminal.hpp"
#include "translator/cli/text.hpp"
#include "translator/cli/top_text.hpp"
#include "translator/cli/traffic_table.hpp"
#include "translator/daemon/exit_status.hpp"
#include "translator/stats/segment_json.hpp"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace xlat646 {
namespace {

namespace po = boost::program_options;
using Clock = Terminal::Clock;

struct Choice {
    char key;
    MappingKey sort;
    const char* text;
};
constexpr std::array choices = {
    Choice{'b', MappingKey::bit_rate, "bit/s"},  Choice{'p', MappingKey::packet_rate, "packets/s"},
    Choice{'B', MappingKey::bytes, "all bytes"}, Choice{'P', MappingKey::packets, "all packets"},
    Choice{'a', MappingKey::ipv4, "address"},    Choice{'n', MappingKey::name, "name"},
    Choice{'t', MappingKey::tenant, "tenant"},
};

class Top {
  public:
    Top(SegmentReader reader, MappingQuery query, bool by_tenant)
        : reader_(std::move(reader)), query_(std::move(query)), by_tenant_(by_tenant) {
        look();
    }

    void look() {
        reader_.follow();
        Summary next = summarize(reader_.view());
        rates_.look(reader_.view());
        totals_ = total_rates(summary_, next, rates_.seconds());
        summary_ = std::move(next);
    }

    const Summary& summary() const { return summary_; }
    bool by_tenant() const { return by_tenant_; }

    void write_json(std::ostream& out) const {
        if (by_tenant_)
            out << to_text(tenants_json(reader_.view(), tenant_query(), unix_now_ms(), &rates_), 2)
                << "\n";
        else
            write_mappings_json(out, reader_.view(), query_, unix_now_ms(), &rates_);
    }

    void write_text(std::ostream& out, std::size_t width = 0) const {
        const SegmentView& view = reader_.view();
        // Totals when they are what it is sorted by.
        const bool by_total =
            query_.key >= MappingKey::packets && query_.key < MappingKey::packet_rate;
        const Numbers numbers = by_total ? Numbers::totals : Numbers::rates;
        if (by_tenant_)
            write_table(out, list_tenants(view, tenant_query(), &rates_).rows, numbers, width);
        else
            write_table(out, list_mappings(view, query_, &rates_).rows, numbers, width);
    }

    /// A screen of this size.
    std::string screen(Terminal::Size size) {
        const std::uint64_t now = unix_now_ms();
        std::string head = top_head(summary_, totals_, now);
        if (const std::string problem = why_not_running(summary_, now); !problem.empty())
            head += "!! " + problem + "\n";
        head += keys_line() + "\n";
        std::string out;
        for (std::istringstream lines(head); std::getline(lines, head);)
            out += cut(head, size.columns) + "\n";
        const auto used = static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n')) + 1;
        query_.limit = size.rows - std::min(size.rows, used);
        std::ostringstream table;
        write_text(table, size.columns);
        return out + table.str();
    }

    /// False: the end is asked for.
    bool press(int key) {
        constexpr int ctrl_d = 4;
        if (key == 'q' || key == ctrl_d) return false;
        if (key == 'r') query_.is_descending = !query_.is_descending;
        if (key == 'm' && query_.filter.empty() && !query_.tenant) by_tenant_ = !by_tenant_;
        for (const Choice& choice : choices)
            if (key == choice.key) {
                query_.key = choice.sort;
                query_.is_descending = is_descending_by_nature(choice.sort);
            }
        return true;
    }

  private:
    TenantQuery tenant_query() const { return {query_.key, query_.is_descending, query_.limit}; }

    std::string keys_line() const {
        std::string out = by_tenant_ ? "m: mappings, " : "m: tenants, ";
        for (const Choice& choice : choices) {
            const bool is_used = query_.key == choice.sort;
            out += std::string(1, choice.key) + ": " + (is_used ? "[" : "") + choice.text +
                   (is_used ? "]" : "") + ", ";
        }
        return out + "r: reverse, q: quit";
    }

    SegmentReader reader_;
    MappingQuery query_;
    bool by_tenant_;
    MappingRates rates_;
    Summary summary_;
    TotalRates totals_;
};

/// Returns the signal that ends it; 0: the person has.
int run_live(Top& top, std::chrono::seconds interval) {
    const Terminal terminal;
    // The first rates come soon.
    constexpr std::chrono::milliseconds first{300};
    auto next = Clock::now() + std::min<std::chrono::milliseconds>(first, interval);
    for (;;) {
        terminal.show(top.screen(terminal.size()));
        const Terminal::Event event = terminal.wait(next);
        switch (event.kind) {
        case Terminal::Event::Kind::time:
            top.look();
            next = std::max(next + interval, Clock::now());
            break;
        case Terminal::Event::Kind::key:
            if (!top.press(event.value)) return 0;
            break;
        case Terminal::Event::Kind::resized: break;
        case Terminal::Event::Kind::signal: return event.value == SIGINT ? 0 : event.value;
        }
    }
}

} // namespace

int run_top(const Words& words) {
    constexpr std::uint32_t longest_interval = 3600, rows_once = 20;
    po::options_description options;
    options.add_options()                                   //
        ("by-tenant", "sums by tenant instead of mappings") //
        ("tenant", po::value<std::string>()->value_name("NAME"),
         "only this tenant's; \"\": only those without") //
        ("filter", po::value<std::string>()->value_name("TEXT"),
         "only with this part of an address, name or tenant, or with this address or prefix") //
        ("sort", po::value<std::string>()->value_name("KEY"),
         "bit_rate (default), packet_rate, or as for xlat646 mappings")                        //
        ("reverse", "the other way round")                                                     //
        ("interval", po::value<std::string>()->value_name("SECONDS"), "between two looks (1)") //
        ("limit", po::value<std::string>()->value_name("N"),
         "so many at most (20; live: the screen)") //
        ("once", "one table, also on a terminal")  //
        ("json", "one table, as JSON");
    add_stats_option(options);
    const auto given = read_options(words, options, "top [OPTION]...");
    if (!given) return exit_status::fine;
    MappingQuery query;
    query.key = sort_key(*given, MappingKey::bit_rate);
    query.is_descending = is_descending_by_nature(query.key) != (given->count("reverse") != 0);
    query.limit = number_option(*given, "limit", rows_once);
    const bool by_tenant = given->count("by-tenant") != 0;
    for (const char* const what : {"filter", "tenant"})
        if (by_tenant && given->count(what) != 0)
            throw po::error(std::string("--by-tenant and --") + what + " do not go together");
    if (given->count("filter") != 0) query.filter = (*given)["filter"].as<std::string>();
    if (given->count("tenant") != 0) query.tenant = (*given)["tenant"].as<std::string>();
    const std::uint32_t seconds = number_option(*given, "interval", 1);
    if (seconds == 0 || seconds > longest_interval)
        throw po::error("--interval: 1 to " + std::to_string(longest_interval));
    const std::chrono::seconds interval(seconds);

    Top top(open_segment(*given), query, by_tenant);
    const bool is_json = given->count("json") != 0;
    if (!is_json && given->count("once") == 0 && Terminal::is_there()) {
        const int signal = run_live(top, interval);
        if (signal != 0) (void)::raise(signal); // the terminal is as before
        return exit_status::fine;
    }
    std::this_thread::sleep_for(interval);
    top.look();
    if (is_json)
        top.write_json(std::cout);
    else
        top.write_text(std::cout);
    std::cout.flush();
    warn_if_not_running("top", top.summary(), unix_now_ms());
    return exit_status::fine;
}

} // namespace xlat646
