// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/options.hpp"

#include <array>
#include <boost/program_options.hpp>
#include <charconv>
#include <ostream>

namespace xlat646 {
namespace {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

constexpr std::array per_mapping_names = {"off", "top", "tenant", "all"};

po::options_description described() {
    po::options_description options("Options");
    const ExporterOptions defaults;
    options.add_options() //
        ("stats", po::value<std::string>()->value_name("PATH")->default_value(defaults.stats),
         "the daemon's stats_segment") //
        ("listen", po::value<Texts>()->value_name("ADDRESS:PORT"),
         "where to serve HTTP, repeatable; default: the sockets that systemd passes, or "
         "127.0.0.1:9646 and [::1]:9646") //
        ("per-mapping", po::value<std::string>()->value_name("MODE")->default_value("off"),
         "series for single mappings: off, top, tenant, all") //
        ("top", po::value<std::string>()->value_name("N")->default_value("20"),
         "with --per-mapping top: how many, by packets") //
        ("per-mapping-limit", po::value<std::string>()->value_name("N")->default_value("1000"),
         "with more mappings (tenants) than that there are no such series at all") //
        ("user", po::value<std::string>()->value_name("NAME"),
         "when started as root: whom to become once the sockets are open")             //
        ("list-metrics", "print name, type, labels and help of all metrics, and exit") //
        ("version", "print the version and exit")                                      //
        ("help,h", "print this and exit");
    return options;
}

[[noreturn]] void refuse(const std::string& option, const std::string& value,
                         const std::string& wanted) {
    throw po::error("--" + option + " " + value + ": " + wanted);
}

template <class Number> std::optional<Number> number(std::string_view text) {
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

std::size_t count(const po::variables_map& given, const std::string& option, std::size_t least) {
    const auto& text = given[option].as<std::string>();
    constexpr std::uint32_t most = 100'000'000;
    const auto value = number<std::uint32_t>(text);
    if (!value || *value < least || *value > most)
        refuse(option, text, "a number from " + std::to_string(least) + " is wanted");
    return *value;
}

} // namespace

std::optional<ListenAddress> ListenAddress::parse(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = number<std::uint16_t>(text.substr(colon + 1));
    if (!port || *port == 0) return std::nullopt;
    const std::string_view host = text.substr(0, colon);
    if (const auto ipv4 = Ipv4Address::parse(host)) return ListenAddress{*ipv4, *port};
    if (host.size() < 2 || host.front() != '[' || host.back() != ']') return std::nullopt;
    const auto ipv6 = Ipv6Address::parse(host.substr(1, host.size() - 2));
    if (!ipv6) return std::nullopt;
    return ListenAddress{*ipv6, *port};
}

std::string ListenAddress::to_string() const {
    const auto* const ipv6 = std::get_if<Ipv6Address>(&address);
    const std::string host = ipv6 != nullptr ? "[" + ipv6->to_string() + "]"
                                             : std::get<Ipv4Address>(address).to_string();
    return host + ":" + std::to_string(port);
}

ExporterOptions read_exporter_options(const std::vector<std::string>& words) {
    namespace style = po::command_line_style;
    const po::options_description options = described();
    po::variables_map given;
    po::store(po::command_line_parser(words)
                  .options(options)
                  .positional({}) // prefixes of names are no options (allow_guessing is off)
                  .style(style::unix_style & ~style::allow_guessing)
                  .run(),
              given);
    po::notify(given);

    ExporterOptions out;
    if (given.count("help") != 0) {
        out.task = ExporterOptions::Task::help;
        return out;
    }
    if (given.count("version") != 0) {
        out.task = ExporterOptions::Task::version;
        return out;
    }
    if (given.count("list-metrics") != 0) out.task = ExporterOptions::Task::list_metrics;
    out.stats = given["stats"].as<std::string>();
    if (out.stats.empty()) throw po::error("--stats: a path is wanted");
    if (given.count("listen") != 0) {
        for (const std::string& text : given["listen"].as<Texts>()) {
            const auto address = ListenAddress::parse(text);
            if (!address) refuse("listen", text, "192.0.2.1:9646 or [2001:db8::1]:9646 is wanted");
            out.listen.push_back(*address);
        }
    }
    const auto& mode = given["per-mapping"].as<std::string>();
    std::size_t index = 0;
    while (index < per_mapping_names.size() && mode != per_mapping_names[index])
        ++index;
    if (index == per_mapping_names.size())
        refuse("per-mapping", mode, "off, top, tenant or all is wanted");
    out.series.per_mapping = static_cast<PerMapping>(index);
    out.series.top = count(given, "top", 1);
    out.series.limit = count(given, "per-mapping-limit", 0);
    if (given.count("user") != 0) out.user = given["user"].as<std::string>();
    if (given.count("user") != 0 && out.user.empty()) throw po::error("--user: a name is wanted");
    return out;
}

void print_exporter_help(std::ostream& out) {
    out << "Usage: xlat646-exporter [OPTION]...\n"
           "Serves the statistics of xlat646d: /metrics for Prometheus, / for people.\n\n"
        << described()
        << "\nExit status: 0 stopped, 64 usage, 70 internal, 77 no permission, 78 an address that "
           "cannot be had.\n";
}

} // namespace xlat646
