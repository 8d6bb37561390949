// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/command.hpp"
#include "translator/daemon/exit_status.hpp"
#include "translator/daemon/table_loader.hpp"

#include <iostream>

namespace xlat646 {
namespace {

namespace po = boost::program_options;

bool check(const std::string& path) {
    LoadedConfiguration loaded;
    Diagnostics diagnostics;
    const bool is_good = load_configuration(path, loaded, diagnostics);
    for (const Diagnostic& d : diagnostics)
        std::cerr << d.to_string() << "\n";
    if (is_good)
        std::cout << path << ": good, " << loaded.table.table->size() << " mappings, digest "
                  << loaded.table.digest.substr(0, 16) << "\n";
    else
        std::cerr << path << ": not usable\n";
    return is_good;
}

} // namespace

int run_check(const Words& words) {
    const auto given = read_options(words, po::options_description(),
                                    "check FILE...\nEach FILE is a main file (xlat646.yaml), "
                                    "checked with all mapping files that it names.",
                                    "file");
    if (!given) return exit_status::fine;
    if (given->count("file") == 0) throw po::error("a FILE is missing");
    bool all_good = true;
    for (const std::string& path : (*given)["file"].as<Words>())
        all_good = check(path) && all_good;
    return all_good ? exit_status::fine : exit_status::wrong;
}

} // namespace xlat646
