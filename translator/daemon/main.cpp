// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646d: the stateless IPv4/IPv6 translator.
#include "translator/daemon/exit_status.hpp"
#include "translator/daemon/log.hpp"
#include "translator/daemon/privileges.hpp"
#include "translator/daemon/supervisor.hpp"
#include "translator/daemon/table_loader.hpp"

#include <boost/program_options.hpp>
#include <cerrno>
#include <iostream>
#include <optional>
#include <sys/random.h>
#include <system_error>
#include <time.h>
#include <unistd.h>

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

bool ask_for_readability(const std::string& config_path, const Account& account,
                         Diagnostics& diagnostics) {
    if (::access(config_path.c_str(), R_OK) == 0) return true;
    diagnostics.push_back({Severity::error, config_path, 0, 0,
                           "user " + account.name +
                               " cannot read it, and reload and restart need it; the file must be "
                               "readable and its directories searchable for that user"});
    return false;
}

int check(const std::string& config_path) {
    Diagnostics diagnostics;
    LoadedConfiguration loaded;
    const bool is_good =
        load_configuration(config_path, loaded, diagnostics, Directories::are_judged);
    log_diagnostics(diagnostics);
    if (!is_good) {
        log_critical("{}: not usable, see the errors above", config_path);
        return exit_status::configuration;
    }
    log_info("{}: {} mappings, digest {:.16}", config_path, loaded.table.table->size(),
             loaded.table.digest);
    return exit_status::fine;
}

int translate(const std::string& config_path, CommandLine command, Inheritance* inheritance) {
    Diagnostics diagnostics;
    LoadedConfiguration loaded;
    const auto refuse = [&] {
        log_diagnostics(diagnostics);
        log_critical("{}: not usable, see the errors above", config_path);
        if (inheritance != nullptr) inheritance->refuse(summary(config_path, diagnostics));
        return exit_status::configuration;
    };
    Accounts accounts;
    if (!load_main_file(config_path, loaded, diagnostics, {Directories::are_judged}) ||
        !find_accounts(config_path, loaded.config, Severity::error, accounts, diagnostics))
        return refuse();
    Supervisor::FromRoot from_root;
    from_root.control_group = accounts.control;
    if (accounts.daemon) {
        from_root.tun_devices =
            give_up_privileges(loaded.config, *accounts.daemon, inheritance != nullptr);
        if (!ask_for_readability(config_path, *accounts.daemon, diagnostics)) return refuse();
    } else if (::geteuid() == 0 && inheritance == nullptr) {
        log_info("runs as root, with all that root may; 'user' in {} gives up what is not "
                 "needed",
                 config_path);
    }
    Watchdog watchdog; // a child: of the same user, and made before the table needs its memory
    loaded.table = load_table(config_path, loaded.config, nullptr, diagnostics);
    if (loaded.table.table == nullptr) return refuse();
    log_diagnostics(diagnostics);
    log_info("{}: {} mappings loaded in {:.3f} seconds, digest {:.16}", config_path,
             loaded.table.table->size(), loaded.table.seconds, loaded.table.digest);
    log_without_waiting();

    add_secrets(loaded.config.settings);
    loaded.config.settings.now_ms = monotonic_ms;
    Supervisor(config_path, std::move(loaded), watchdog, std::move(command), inheritance,
               std::move(from_root))
        .run();
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
        log_critical("{}", e.what());
        if (inheritance) inheritance->refuse(e.what());
        return status;
    };
    try {
        const auto& config_path = given["config"].as<std::string>();
        if (given.count("check") != 0) return check(config_path);
        Supervisor::block_signals();
        inheritance = Inheritance::from_environment();
        return translate(config_path, CommandLine::of(argc, argv),
                         inheritance ? &*inheritance : nullptr);
    } catch (const std::system_error& e) {
        return give_up(e, exit_status_of(e));
    } catch (const std::exception& e) {
        return give_up(e, exit_status::internal);
    }
}
