// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646 drain and undrain: the switch in the drain file (RT-20), and BIRD's word that it counts.
// The daemon has no part in it, so both work whatever has become of it.
#include "routing-hooks/bird_control.hpp"
#include "routing-hooks/drain_file.hpp"
#include "translator/cli/command.hpp"
#include "translator/cli/control_client.hpp"
#include "translator/daemon/config.hpp"
#include "translator/daemon/config_files.hpp"
#include "translator/daemon/exit_status.hpp"
#include "translator/daemon/quiet_watch.hpp"

#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

namespace xlat646 {
namespace {

namespace po = boost::program_options;

/// The main file alone: draining works while a mapping file has errors. nullopt: said why not.
std::optional<Config> read_main_file(const std::string& path) {
    Diagnostics diagnostics;
    Config config;
    const auto file = read_config_file(path, config_file_limit, diagnostics);
    const bool is_good = file && parse_config(path, file->text, config, diagnostics);
    for (const Diagnostic& d : diagnostics)
        std::cerr << d.to_string() << "\n";
    if (!is_good) return std::nullopt;
    if (!config.routing) {
        std::cerr << path << ": error: there is no section 'routing'\n";
        return std::nullopt;
    }
    return config;
}

/// Makes BIRD obey the drain file; `instead` when one of its files has an error. Exit status.
int apply(const RoutingSettings& routing, const char* done, const char* instead) {
    constexpr std::chrono::seconds patience{30};
    const BirdReply reply = ask_bird(routing.bird_socket, bird_configure, patience);
    switch (reply.kind) {
    case BirdReply::Kind::done:
        std::cout << done << " (BIRD: " << reply.text << ")\n";
        return exit_status::fine;
    case BirdReply::Kind::absent:
        std::cout << done << "; " << reply.text << ", so nothing is announced in any case\n";
        return exit_status::fine;
    case BirdReply::Kind::failed:
        std::cerr << reply.text << "; it still announces what it did, and will obey the next time "
                  << "it reads its configuration\n";
        return exit_status::unavailable;
    case BirdReply::Kind::refused: break;
    }
    std::cerr << "BIRD refuses its configuration: " << reply.text << "\n";
    const BirdReply second = ask_bird(routing.bird_socket, instead, patience);
    if (second.kind == BirdReply::Kind::done)
        std::cout << done << ", by hand (BIRD: " << second.text << "); mend bird.conf\n";
    else
        std::cerr << "nothing has changed at BIRD: " << second.text << "\n";
    return exit_status::wrong;
}

std::uint64_t packets_of(const nlohmann::ordered_json& status) {
    const auto& counters = status.at("counters");
    return counters.at("v4_to_v6").at("received").get<std::uint64_t>() +
           counters.at("v6_to_v4").at("received").get<std::uint64_t>();
}

/// Exit status: fine once hardly a packet comes, wrong when the limit came first.
int wait_until_quiet(const std::string& socket, std::chrono::seconds limit) {
    constexpr std::chrono::seconds pace{1}, patience{20};
    const auto packets = [&] { return packets_of(ask_daemon(socket, {}, patience)); };
    using Clock = QuietWatch::Clock;
    QuietWatch watch(Clock::now(), packets(), limit);
    QuietWatch::Verdict verdict = QuietWatch::Verdict::wait;
    while (verdict == QuietWatch::Verdict::wait) {
        std::this_thread::sleep_for(pace);
        const std::uint64_t received = packets();
        verdict = watch.look(Clock::now(), received);
    }
    const bool is_quiet = verdict == QuietWatch::Verdict::quiet;
    (is_quiet ? std::cout : std::cerr)
        << (is_quiet ? "quiet" : "NOT quiet") << " after " << watch.elapsed(Clock::now()).count()
        << " s: " << std::fixed << std::setprecision(1) << watch.rate()
        << " packets per second still come\n";
    return is_quiet ? exit_status::fine : exit_status::wrong;
}

} // namespace

int run_drain(const Words& words) {
    po::options_description options;
    add_config_option(options);
    options.add_options()                                                          //
        ("wait", "until hardly a packet comes, at least 5 s")                      //
        ("limit", po::value<unsigned>()->value_name("SECONDS")->default_value(30), //
         "how long to wait at most")                                               //
        ("socket", po::value<std::string>()->value_name("PATH"),
         "the daemon's control_socket, if not that of the configuration");
    const auto given = read_options(words, options,
                                    "drain [--wait] [--limit SECONDS] [--config FILE]\nWithdraws "
                                    "this node's routes; it goes on translating.");
    if (!given) return exit_status::fine;
    const auto config = read_main_file((*given)["config"].as<std::string>());
    if (!config) return exit_status::configuration;
    write_drain(config->routing->drain_file, DrainState::by_operator);
    const int status = apply(*config->routing, "drained: no route is announced", bird_withdraw);
    if (given->count("wait") == 0 || status == exit_status::unavailable) return status;
    std::cout.flush();
    const int waited = wait_until_quiet(
        given->count("socket") != 0 ? (*given)["socket"].as<std::string>() : config->control_socket,
        std::chrono::seconds((*given)["limit"].as<unsigned>()));
    return status == exit_status::fine ? waited : status;
}

int run_undrain(const Words& words) {
    po::options_description options;
    add_config_option(options);
    const auto given = read_options(words, options,
                                    "undrain [--config FILE]\nAnnounces this node's routes again.");
    if (!given) return exit_status::fine;
    const auto config = read_main_file((*given)["config"].as<std::string>());
    if (!config) return exit_status::configuration;
    write_drain(config->routing->drain_file, DrainState::none);
    return apply(*config->routing, "undrained: routes are announced while the translator is ready",
                 bird_announce);
}

} // namespace xlat646
