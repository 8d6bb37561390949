// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/command.hpp"
#include "translator/cli/control_client.hpp"
#include "translator/cli/status_text.hpp"
#include "translator/daemon/exit_status.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

namespace xlat646 {

namespace po = boost::program_options;

int run_reload(const Words& words) {
    constexpr unsigned patience = 300; // seconds: a million pairs and their routes take a while
    po::options_description options;
    options.add_options()("force", "even if reload_guard objects");
    add_socket_options(options, patience);
    const auto given = read_options(words, options, "reload [--force] [--socket PATH]");
    if (!given) return exit_status::fine;
    const ControlRequest request{ControlRequest::Command::reload, given->count("force") != 0};
    const auto result = ask_daemon((*given)["socket"].as<std::string>(), request,
                                   std::chrono::seconds((*given)["timeout"].as<unsigned>()));
    const bool is_done = result.at("result") == "reloaded";
    (is_done ? std::cout : std::cerr) << reload_text(result);
    return is_done ? exit_status::fine : exit_status::wrong;
}

} // namespace xlat646
