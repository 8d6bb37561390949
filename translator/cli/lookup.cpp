// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646 lookup: what becomes of an address, by which rule, and where that is written.
#include "translator/cli/command.hpp"
#include "translator/cli/judged_files.hpp"
#include "translator/cli/lookup_answer.hpp"
#include "translator/cli/segment_source.hpp"
#include "translator/cli/text.hpp"
#include "translator/daemon/exit_status.hpp"
#include "translator/stats/segment_json.hpp"

#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>

namespace xlat646 {
namespace {

namespace po = boost::program_options;
using nlohmann::ordered_json;

struct RuleWords {
    const char* name;
    const char* sentence;
};
constexpr RuleWords words_of(LookupRule rule) {
    switch (rule) {
    case LookupRule::pair: return {"pair", "explicit address mapping (RFC 7757)"};
    case LookupRule::translation_prefix:
        return {"translation_prefix",
                "a client, by the translation prefix (RFC 6052); no server has it"};
    case LookupRule::hairpin:
        return {"hairpin",
                "a server reached by its IPv4 address from another (RFC 7757 section 4)"};
    case LookupRule::own_address:
        return {"own_address", "the translator's own address: it answers pings, nothing else"};
    case LookupRule::source_pool:
        return {"source_pool", "icmp_source_pool: a source of ICMP errors from routers without a "
                               "mapping (RFC 6791), and nobody's destination"};
    case LookupRule::router:
        return {"router", "none; a router's ICMP errors leave with a source of icmp_source_pool "
                          "(RFC 6791)"};
    case LookupRule::none: break;
    }
    return {"none", "none"};
}

std::string text_of(const AnyAddress& address) {
    return std::visit([](const auto& a) { return a.to_string(); }, address);
}

/// What the statistics of a daemon say of the same address.
struct Running {
    std::string problem;                      ///< empty: the daemon runs
    std::optional<SegmentView::Mapping> pair; ///< by longest match, as for the table
    bool is_same = false;
};

bool matches(const SegmentView::Mapping& m, const AnyAddress& address) {
    if (const auto* a = std::get_if<Ipv4Address>(&address)) return m.ipv4.contains(*a);
    return m.ipv6.contains(std::get<Ipv6Address>(address));
}
unsigned length_of(const SegmentView::Mapping& m, const AnyAddress& address) {
    return std::holds_alternative<Ipv4Address>(address) ? m.ipv4.length() : m.ipv6.length();
}

Running ask_segment(const SegmentView& view, const AnyAddress& address, const Eam* expected) {
    Running running;
    running.problem = why_not_running(summarize(view), unix_now_ms());
    for (std::size_t i = 0; i < view.mapping_count(); ++i) {
        const auto m = view.mapping(i);
        if (m && matches(*m, address) &&
            (!running.pair || length_of(*m, address) > length_of(*running.pair, address)))
            running.pair = m;
    }
    running.is_same = running.pair.has_value() == (expected != nullptr) &&
                      (expected == nullptr || (running.pair->ipv4 == expected->ipv4 &&
                                               running.pair->ipv6 == expected->ipv6));
    return running;
}

std::string pair_text(const Ipv4Prefix& ipv4, const Ipv6Prefix& ipv6) {
    return address_text(ipv4) + " = " + address_text(ipv6);
}

void write_text(std::ostream& out, const AnyAddress& asked, const LookupAnswer& answer,
                const MappingList& list, const std::optional<Running>& running) {
    const auto line = [&](const char* key, const std::string& value) {
        out << "  " << left(key, 12) << value << "\n";
    };
    out << text_of(asked);
    if (answer.becomes)
        out << " is translated to " << text_of(*answer.becomes) << "\n";
    else
        out << " is not translated\n";
    line("rule", words_of(answer.rule).sentence);
    if (answer.reason)
        line("reason", std::string(name_of(*answer.reason)) + ": " +
                           std::string(sentence_of(*answer.reason)));
    if (answer.pair != nullptr) {
        const Eam& m = *answer.pair;
        line("mapping", pair_text(m.ipv4, m.ipv6));
        if (m.name != 0) line("name", printable(list.name_of(m)));
        if (m.tenant != 0) line("tenant", printable(list.tenant_of(m)));
        line("written in", printable(list.files[m.where.file]) + ":" +
                               std::to_string(m.where.line) + ":" + std::to_string(m.where.column));
    }
    if (!running) return;
    std::string text = "the same";
    if (!running->is_same)
        text = "DIFFERENT: " +
               (running->pair ? pair_text(running->pair->ipv4, running->pair->ipv6)
                              : std::string("no mapping")) +
               " (xlat646 reload reads the files)";
    if (!running->problem.empty()) text += "; " + running->problem;
    line("running", text);
}

ordered_json to_json(const AnyAddress& asked, const LookupAnswer& answer, const MappingList& list,
                     const std::optional<Running>& running) {
    ordered_json out = {{"address", text_of(asked)},
                        {"mapped", is_mapped(answer.rule)},
                        {"rule", words_of(answer.rule).name}};
    out["becomes"] = answer.becomes ? ordered_json(text_of(*answer.becomes)) : nullptr;
    out["reason"] = answer.reason ? ordered_json(name_of(*answer.reason)) : nullptr;
    out["mapping"] = nullptr;
    if (answer.pair != nullptr) {
        const Eam& m = *answer.pair;
        out["mapping"] = {{"ipv4", address_text(m.ipv4)},     {"ipv6", address_text(m.ipv6)},
                          {"name", list.name_of(m)},          {"tenant", list.tenant_of(m)},
                          {"file", list.files[m.where.file]}, {"line", m.where.line},
                          {"column", m.where.column}};
    }
    out["running"] = nullptr;
    if (running) {
        out["running"] = {{"state", running->problem.empty() ? "running" : "not running"},
                          {"same", running->is_same},
                          {"mapping", nullptr}};
        if (running->pair)
            out["running"]["mapping"] = {{"ipv4", address_text(running->pair->ipv4)},
                                         {"ipv6", address_text(running->pair->ipv6)}};
    }
    return out;
}

AnyAddress parse_address(const std::string& text) {
    if (const auto a = Ipv4Address::parse(text)) return *a;
    if (const auto a = Ipv6Address::parse(text)) return *a;
    throw po::error("'" + printable(text) + "' is neither an IPv4 nor an IPv6 address");
}

/// nullopt: nobody has asked for a segment, and that of the main file cannot be read.
std::optional<SegmentReader> find_segment(const po::variables_map& given, const Config& config) {
    if (given.count("stats") != 0 && !given["stats"].defaulted()) return open_segment(given);
    try {
        return SegmentReader(config.stats_segment);
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

} // namespace

int run_lookup(const Words& words) {
    po::options_description options;
    add_config_option(options);
    options.add_options() //
        ("mapping,m", po::value<Words>()->composing()->value_name("FILE"),
         "mapping files instead of those that the main file names; may be repeated") //
        ("json", "as JSON");
    add_stats_option(options);
    const auto given =
        read_options(words, options,
                     "lookup [OPTION]... ADDRESS\nWhat becomes of an IPv4 or IPv6 address, by the "
                     "files, and whether a running\ndaemon has the same mapping. Exit status: 0 "
                     "mapped, 1 not, 78 the files are\nnot usable.",
                     "address");
    if (!given) return exit_status::fine;
    const Words addresses =
        given->count("address") == 0 ? Words() : (*given)["address"].as<Words>();
    if (addresses.size() != 1) throw po::error("one ADDRESS is needed");
    const AnyAddress asked = parse_address(addresses[0]);

    FileQuestion question{(*given)["config"].as<std::string>(), FileKind::main, {}, {}, nullptr};
    if (given->count("mapping") != 0) question.mapping_files = (*given)["mapping"].as<Words>();
    JudgedFiles files;
    Diagnostics diagnostics;
    const bool is_good = judge_files(question, files, diagnostics);
    if (!is_good) {
        print_diagnostics(diagnostics);
        return exit_status::configuration;
    }

    const auto table = MappingTable::build(std::move(files.list), nullptr, std::random_device()());
    const Settings& settings = files.main->config.settings;
    const LookupAnswer answer =
        std::visit([&](const auto& a) { return look_up(a, settings, *table); }, asked);
    const auto reader = find_segment(*given, files.main->config);
    std::optional<Running> running;
    // A pair behind a hairpin is not this address's own.
    if (reader && answer.rule != LookupRule::hairpin)
        running = ask_segment(reader->view(), asked, answer.pair);
    if (given->count("json") != 0)
        std::cout << to_text(to_json(asked, answer, table->list(), running), 2) << "\n";
    else
        write_text(std::cout, asked, answer, table->list(), running);
    return is_mapped(answer.rule) ? exit_status::fine : exit_status::wrong;
}

} // namespace xlat646
