// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646d: the stateless IPv4/IPv6 translator.
#include "translator/daemon/exit_status.hpp"
#include "translator/daemon/log.hpp"
#include "translator/daemon/supervisor.hpp"
#include "translator/daemon/table_loader.hpp"

#include <boost/program_options.hpp>
#include <cerrno>
#include <iostream>
#include <optional>
#include <sys/random.h>
#include <system_error>
#include <time.h>

namespace {

namespace po = boost::program_options;
using namespace xlat646;

std::uint64_t monotonic_ms() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

/// ID-02: other sequences after every start.
void add_secrets(Settings& settings) {
    for (auto& secret : settings.secrets)
        if (getrandom(&secret, sizeof secret, 0) != ssize_t{sizeof secret})
            throw std::system_error(errno, std::generic_category(), "getrandom");
}

/// The first errors, for who reads no log.
std::string summary(const std::string& config_path, const Diagnostics& diagnostics) {
    constexpr std::size_t longest = 2000;
    std::string text = config_path + " is not usable";
    for (const Diagnostic& d : diagnostics)
        if (d.severity == Severity::error && text.size() < longest) text += "; " + d.to_string();
    return text;
}

int exit_status_of(const std::system_error& e) {
    switch (e.code().value()) {
    case EPERM:
    case EACCES: return exit_status::no_permission;
    case ENOENT:
    case ENOTDIR:
    case EROFS:
    case ENODEV:
    case ENXIO:
    case EOPNOTSUPP: return exit_status::configuration;
    case EADDRINUSE:
    case EBUSY:
    case EEXIST: return exit_status::cannot_create;
    default: return exit_status::internal;
    }
}

int translate(const std::string& config_path, std::optional<Watchdog>& watchdog,
              CommandLine command, Inheritance* inheritance) {
    Diagnostics diagnostics;
    LoadedConfiguration loaded;
    const bool is_valid = load_configuration(config_path, loaded, diagnostics);
    log_diagnostics(diagnostics);
    if (!is_valid) {
        spdlog::critical("{}: not usable, see the errors above", config_path);
        if (inheritance != nullptr) inheritance->refuse(summary(config_path, diagnostics));
        return exit_status::configuration;
    }
    spdlog::info("{}: {} mappings loaded in {:.3f} seconds, digest {:.16}", config_path,
                 loaded.table.table->size(), loaded.table.seconds, loaded.table.digest);
    if (!watchdog) return exit_status::fine;
    log_without_waiting();

    add_secrets(loaded.config.settings);
    loaded.config.settings.now_ms = monotonic_ms;
    Supervisor(config_path, std::move(loaded), *watchdog, std::move(command), inheritance).run();
    return exit_status::fine;
}

} // namespace

int main(int argc, char** argv) {
    po::options_description options("Options");
    options.add_options()                                                                 //
        ("config,c", po::value<std::string>()->value_name("FILE"), "main file, required") //
        ("check", "check all files and exit: 0 fine, 78 not")                             //
        ("version", "print the version and exit")                                         //
        ("help,h", "print this and exit");
    po::variables_map given;
    try {
        namespace style = po::command_line_style;
        po::store(po::command_line_parser(argc, argv)
                      .options(options)
                      .positional({}) // prefixes of names are no options (allow_guessing is off)
                      .style(style::unix_style & ~style::allow_guessing)
                      .run(),
                  given);
        po::notify(given);
        if (given.count("help") == 0 && given.count("version") == 0 && given.count("config") == 0)
            throw po::error("--config FILE is missing");
    } catch (const po::error& e) {
        std::cerr << "xlat646d: " << e.what() << " (try --help)\n";
        return exit_status::usage;
    }
    if (given.count("help") != 0) {
        std::cout << "Usage: xlat646d --config FILE [--check]\n"
                     "Stateless IPv4/IPv6 translator. SIGHUP reloads the mapping files,\n"
                     "SIGUSR2 does so even if reload_guard objects, SIGUSR1 logs all counters, "
                     "SIGTERM stops.\n\n"
                  << options;
        return exit_status::fine;
    }
    if (given.count("version") != 0) {
        std::cout << "xlat646d " XLAT646_VERSION "\n";
        return exit_status::fine;
    }

    set_up_log();
    std::optional<Inheritance> inheritance;
    const auto give_up = [&](const std::exception& e, int status) {
        spdlog::critical("{}", e.what());
        if (inheritance) inheritance->refuse(e.what());
        return status;
    };
    try {
        std::optional<Watchdog> watchdog; // only --check does without
        if (given.count("check") == 0) {
            Supervisor::block_signals();
            inheritance = Inheritance::from_environment();
            watchdog.emplace();
        }
        return translate(given["config"].as<std::string>(), watchdog, CommandLine::of(argc, argv),
                         inheritance ? &*inheritance : nullptr);
    } catch (const std::system_error& e) {
        return give_up(e, exit_status_of(e));
    } catch (const std::exception& e) {
        return give_up(e, exit_status::internal);
    }
}
