// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/digest.hpp"
#include "translator/cli/command.hpp"
#include "translator/cli/judged_files.hpp"
#include "translator/cli/text.hpp"
#include "translator/daemon/exit_status.hpp"

#include <algorithm>
#include <iostream>

namespace xlat646 {
namespace {

namespace po = boost::program_options;

bool check(const FileQuestion& question) {
    JudgedFiles judged;
    Diagnostics diagnostics;
    const bool is_good = judge_files(question, judged, diagnostics);
    print_diagnostics(diagnostics);
    if (!is_good) {
        std::cerr << printable(question.path) << ": not usable\n";
        return false;
    }
    std::cout << printable(question.path) << ": good, " << judged.list.mappings.size()
              << " mappings";
    if (judged.main) {
        const Settings& s = judged.main->config.settings;
        std::cout << ", digest " << digest(judged.list, s.prefix, s.lowest_ipv6_mtu).substr(0, 16);
    }
    std::cout << "\n";
    return true;
}

Words words_of(const po::variables_map& given, const char* name) {
    return given.count(name) == 0 ? Words() : given[name].as<Words>();
}

/// What mapping files alone are checked against. False: the main file is not usable.
bool read_rules(const po::variables_map& given, std::optional<LoaderRules>& rules) {
    if (given.count("config") == 0) return true;
    const auto& path = given["config"].as<std::string>();
    JudgedFiles judged;
    Diagnostics diagnostics;
    // The mapping files that lie there now say nothing about the new one.
    if (!judge_main_alone(path, judged, diagnostics)) {
        print_diagnostics(diagnostics);
        std::cerr << printable(path) << ": not usable\n";
        return false;
    }
    rules = judged.main->config.loader_rules();
    return true;
}

} // namespace

int run_check(const Words& words) {
    po::options_description options;
    options.add_options() //
        ("mapping,m", po::value<Words>()->composing()->value_name("FILE"),
         "a mapping file, whatever it is called; may be repeated") //
        ("config,c", po::value<std::string>()->value_name("MAIN"),
         "mapping files alone: also against the addresses that this main file takes") //
        ("as", po::value<std::string>()->value_name("PATH"),
         "main files: as if they lay there, with the mapping files beside it");
    const auto given =
        read_options(words, options,
                     "check [OPTION]... FILE...\nEach FILE is a main file (xlat646.yaml), checked "
                     "with all mapping files that it names,\nor a mapping file alone; \"-\": the "
                     "standard input.",
                     "file");
    if (!given) return exit_status::fine;
    std::vector<FileQuestion> questions;
    for (const std::string& path : words_of(*given, "file"))
        questions.push_back({path, FileKind::unknown, {}, {}, nullptr});
    for (const std::string& path : words_of(*given, "mapping"))
        questions.push_back({path, FileKind::mapping, {}, {}, nullptr});
    if (questions.empty()) throw po::error("a FILE is missing");
    if (std::count_if(questions.begin(), questions.end(),
                      [](const FileQuestion& q) { return q.path == "-"; }) > 1)
        throw po::error("the standard input can be read only once");

    std::optional<LoaderRules> rules;
    bool all_good = read_rules(*given, rules);
    for (FileQuestion& question : questions) {
        if (given->count("as") != 0) question.main_path = (*given)["as"].as<std::string>();
        if (rules) question.rules = &*rules;
        all_good = check(question) && all_good;
    }
    return all_good ? exit_status::fine : exit_status::wrong;
}

} // namespace xlat646
