// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/status_text.hpp"

#include "translator/cli/command.hpp"
#include "translator/cli/control_client.hpp"
#include "translator/cli/segment_source.hpp"
#include "translator/daemon/exit_status.hpp"
#include "translator/stats/segment_json.hpp"

#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

namespace xlat646 {

namespace po = boost::program_options;

namespace {

void show(const nlohmann::ordered_json& status, const po::variables_map& given) {
    std::cout << (given.count("json") != 0 ? to_text(status, 2) + "\n" : status_text(status));
    std::cout.flush();
}

} // namespace

int run_status(const Words& words) {
    constexpr unsigned patience = 20; // seconds
    po::options_description options;
    options.add_options()("json", "all of it as JSON");
    add_stats_option(options);
    add_socket_options(options, patience);
    const auto given = read_options(
        words, options,
        "status [--json] [--stats PATH | --socket PATH]\n\n"
        "Reads the statistics segment; asks the daemon where --socket is given or there is no\n"
        "segment. Exit status 69 when xlat646d does not run: then these are its last values, if\n"
        "there are any.");
    if (!given) return exit_status::fine;
    const bool has_stats = !(*given)["stats"].defaulted();
    const bool has_socket = !(*given)["socket"].defaulted();
    if (has_stats && has_socket) throw po::error("--stats and --socket do not go together");
    const auto ask = [&] {
        show(ask_daemon((*given)["socket"].as<std::string>(), {},
                        std::chrono::seconds((*given)["timeout"].as<unsigned>())),
             *given);
        return exit_status::fine;
    };
    if (has_socket) return ask();
    std::optional<SegmentReader> reader;
    try {
        reader.emplace(open_segment(*given));
    } catch (const Unreachable&) {
        if (has_stats) throw;
        return ask(); // it may run all the same, and count in memory
    }
    const std::uint64_t now = unix_now_ms();
    const auto status = status_json(reader->view(), now);
    if (!status.contains("version"))
        throw Unreachable("xlat646d has not written its report yet; try again in a second",
                          exit_status::unavailable);
    show(status, *given);
    const Summary summary = summarize(reader->view());
    warn_if_not_running("status", summary, now);
    return pulse(summary.life, now) == Pulse::running ? exit_status::fine
                                                      : exit_status::unavailable;
}

} // namespace xlat646
