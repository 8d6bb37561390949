// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646: the operator's command.
#include "translator/cli/command.hpp"
#include "translator/cli/control_client.hpp"
#include "translator/daemon/exit_status.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <string_view>

namespace {

using namespace xlat646;

struct Command {
    std::string_view name;
    const char* summary;
    int (*run)(const Words&);
};

constexpr std::array commands = {
    Command{"status", "what the running daemon does, and what became of its packets", run_status},
    Command{"top", "who has the traffic now, live", run_top},
    Command{"mappings", "what each mapping or tenant has carried", run_mappings},
    Command{"drops", "why packets were discarded, and what to do about it", run_drops},
    Command{"capture", "packets as they came and as they left, live, into a file", run_capture},
    Command{"reload", "read the mapping files again, and say what came out", run_reload},
    Command{"restart", "replace the running daemon without losing a packet", run_restart},
    Command{"drain", "withdraw this node's routes, and go on translating", run_drain},
    Command{"undrain", "announce them again", run_undrain},
    Command{"bird-config", "BIRD's part: print it, or install it", run_bird_config},
    Command{"check", "judge configuration files without a daemon", run_check},
    Command{"diff", "what changes when one file takes the place of another", run_diff},
    Command{"lookup", "what becomes of an address, and by which rule", run_lookup},
    Command{"explain", "one packet, step by step through the rules", run_explain},
    Command{"import", "files of map646, TAYGA and Jool as ours", run_import},
};

void print_help() {
    std::cout << "Usage: xlat646 COMMAND [OPTION]...\n\n";
    for (const Command& c : commands)
        std::cout << "  " << c.name << std::string(13 - c.name.size(), ' ') << c.summary << "\n";
    std::cout
        << "  version      print the version\n"
           "\nxlat646 COMMAND --help says more. Exit status: 0 fine, 1 checked and wrong,\n"
           "64 usage, 65 no packet, 69 no daemon answers, 70 internal, 73 a file is in the way,\n"
           "77 no permission, 78 configuration.\n";
}

int run(const Command& command, const Words& words) {
    try {
        const int status = command.run(words);
        std::cout.flush();
        return std::cout ? status : exit_status::internal; // as with a full disk
    } catch (const boost::program_options::error& e) {
        std::cerr << "xlat646 " << command.name << ": " << e.what() << " (try --help)\n";
        return exit_status::usage;
    } catch (const Unreachable& e) {
        std::cerr << "xlat646 " << command.name << ": " << e.what() << "\n";
        return e.exit_status();
    } catch (const std::exception& e) {
        std::cerr << "xlat646 " << command.name << ": " << e.what() << "\n";
        return exit_status::internal;
    }
}

} // namespace

int main(int argc, char** argv) {
    const Words words(argv + std::min(argc, 1), argv + argc);
    if (words.empty()) {
        std::cerr << "xlat646: a command is missing (try --help)\n";
        return exit_status::usage;
    }
    if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
        print_help();
        return exit_status::fine;
    }
    if (words[0] == "version" || words[0] == "--version") {
        std::cout << "xlat646 " XLAT646_VERSION "\n";
        return exit_status::fine;
    }
    const auto* const found = std::find_if(commands.begin(), commands.end(),
                                           [&](const Command& c) { return c.name == words[0]; });
    if (found == commands.end()) {
        std::cerr << "xlat646: unknown command '" << words[0] << "' (try --help)\n";
        return exit_status::usage;
    }
    return run(*found, Words(words.begin() + 1, words.end()));
}
