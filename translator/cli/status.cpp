// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/status_text.hpp"

#include "translator/cli/command.hpp"
#include "translator/cli/control_client.hpp"
#include "translator/daemon/exit_status.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

namespace xlat646 {

namespace po = boost::program_options;

int run_status(const Words& words) {
    constexpr unsigned patience = 20; // seconds
    po::options_description options;
    options.add_options()("json", "the whole answer as JSON");
    add_socket_options(options, patience);
    const auto given = read_options(words, options, "status [--json] [--socket PATH]");
    if (!given) return exit_status::fine;
    const auto status = ask_daemon((*given)["socket"].as<std::string>(), {},
                                   std::chrono::seconds((*given)["timeout"].as<unsigned>()));
    if (given->count("json") != 0)
        std::cout << status.dump(2) << "\n";
    else
        std::cout << status_text(status);
    return exit_status::fine;
}

} // namespace xlat646
