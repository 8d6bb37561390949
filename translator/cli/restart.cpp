// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/command.hpp"
#include "translator/cli/control_client.hpp"
#include "translator/cli/status_text.hpp"
#include "translator/daemon/exit_status.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

namespace xlat646 {

namespace po = boost::program_options;

int run_restart(const Words& words) {
    constexpr unsigned patience = 300; // seconds: as for a reload
    po::options_description options;
    add_socket_options(options, patience);
    const auto given = read_options(words, options, "restart [--socket PATH]");
    if (!given) return exit_status::fine;
    const auto result = ask_daemon((*given)["socket"].as<std::string>(),
                                   ControlRequest{ControlRequest::Command::restart, false},
                                   std::chrono::seconds((*given)["timeout"].as<unsigned>()));
    const bool is_done = result.at("done").get<bool>();
    (is_done ? std::cout : std::cerr) << restart_text(result);
    return is_done ? exit_status::fine : exit_status::wrong;
}

} // namespace xlat646
