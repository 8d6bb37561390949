// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/segment_source.hpp"

#include "translator/cli/control_client.hpp"
#include "translator/cli/text.hpp"
#include "translator/daemon/config.hpp"
#include "translator/daemon/exit_status.hpp"

#include <cerrno>
#include <iostream>
#include <system_error>

namespace xlat646 {

namespace po = boost::program_options;

void add_stats_option(po::options_description& options) {
    options.add_options() //
        ("stats",
         po::value<std::string>()->value_name("PATH")->default_value(default_stats_segment),
         "the daemon's stats_segment");
}

SegmentReader open_segment(const po::variables_map& given) {
    try {
        return SegmentReader(given["stats"].as<std::string>());
    } catch (const std::system_error& e) {
        if (e.code() == std::errc::no_such_file_or_directory)
            throw Unreachable(std::string(e.what()) +
                                  ". Does xlat646d run, and with this stats_segment? --stats names "
                                  "another",
                              exit_status::unavailable);
        if (e.code() == std::errc::permission_denied)
            throw Unreachable(std::string(e.what()) + "; it is for its owner and group",
                              exit_status::no_permission);
        throw Unreachable(e.what(), exit_status::unavailable);
    } catch (const std::runtime_error& e) {
        throw Unreachable(e.what(), exit_status::unavailable);
    }
}

std::string why_not_running(const Summary& summary, std::uint64_t now_ms) {
    const std::string process = "xlat646d (process " + std::to_string(summary.pid) + ")";
    const std::string seconds = duration(silence_ms(summary.life, now_ms) / 1000);
    switch (pulse(summary.life, now_ms)) {
    case Pulse::running: return {};
    case Pulse::stopped: return process + " has stopped; these are its last values";
    case Pulse::silent: break;
    }
    return process + " has written nothing for " + seconds +
           ": it has crashed, hangs, or is busy with a long reload; these are its last values";
}

void warn_if_not_running(const char* command, const Summary& summary, std::uint64_t now_ms) {
    const std::string problem = why_not_running(summary, now_ms);
    if (!problem.empty()) std::cerr << "xlat646 " << command << ": " << problem << "\n";
}

MappingKey sort_key(const po::variables_map& given, MappingKey fallback) {
    if (given.count("sort") == 0) return fallback;
    const auto& name = given["sort"].as<std::string>();
    if (const auto key = mapping_key(name)) return *key;
    std::string names;
    for (const std::string_view known : mapping_key_names)
        names += (names.empty() ? "" : ", ") + std::string(known);
    throw po::error("--sort " + printable(name) + ": there are " + names);
}

} // namespace xlat646
