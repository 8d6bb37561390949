// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646 bird-config: the configuration for BIRD to stdout, or into its place and into BIRD.
#include "routing-hooks/bird_config.hpp"

#include "routing-hooks/bird_control.hpp"
#include "routing-hooks/drain_file.hpp"
#include "routing-hooks/replace_file.hpp"
#include "translator/cli/command.hpp"
#include "translator/daemon/config_files.hpp"
#include "translator/daemon/exit_status.hpp"
#include "translator/daemon/table_loader.hpp"

#include <cerrno>
#include <iostream>
#include <optional>
#include <spawn.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

namespace po = boost::program_options;

NodeRoutes routes_of(const LoadedConfiguration& loaded) {
    const Settings& s = loaded.config.settings;
    return announced_routes(node_routes(loaded.table.table->list().mappings, s.prefix, s.own4,
                                        s.own6, s.pool4, loaded.config.routing->pool));
}

/// What BIRD says about the file by itself; it may include others.
bool is_good_for_bird(const std::string& bird, const std::string& path) {
    std::string parse = "-p", config = "-c", file = path, program = bird;
    char* const words[] = {program.data(), parse.data(), config.data(), file.data(), nullptr};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    pid_t pid = -1;
    const int error = posix_spawn(&pid, bird.c_str(), &files, nullptr, words, environ);
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) throw std::system_error(error, std::generic_category(), bird);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) throw std::system_error(errno, std::generic_category(), bird);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// False: it is there and cannot be read or trusted, so it could not be put back either.
bool read_present(const std::string& path, std::optional<std::string>& text) {
    constexpr std::size_t limit = std::size_t{256} << 20;
    if (::access(path.c_str(), F_OK) != 0) return true;
    Diagnostics diagnostics;
    auto file = read_config_file(path, limit, diagnostics);
    for (const Diagnostic& d : diagnostics)
        std::cerr << d.to_string() << "\n";
    if (file) text = std::move(file->text);
    return file.has_value();
}

/// The exit status. After a failure the file is the old one, and so is what BIRD does.
int configure(const RoutingSettings& routing, const std::string& path,
              const std::optional<std::string>& before) {
    constexpr std::chrono::seconds patience{30};
    const BirdReply reply = ask_bird(routing.bird_socket, bird_configure, patience);
    switch (reply.kind) {
    case BirdReply::Kind::done:
        std::cout << path << ": " << reply.text << "\n";
        return exit_status::fine;
    case BirdReply::Kind::absent:
        std::cout << path << ": installed; " << reply.text << ", and reads it when it starts\n";
        return exit_status::fine;
    case BirdReply::Kind::refused:
    case BirdReply::Kind::failed: break;
    }
    // Also when BIRD is silent: the next run then tries again.
    if (before)
        replace_file(path, *before);
    else
        ::unlink(path.c_str());
    const bool is_refused = reply.kind == BirdReply::Kind::refused;
    std::cerr << (is_refused ? "BIRD refuses" : "BIRD cannot be told")
              << ", nothing has changed: " << reply.text << "\n";
    return is_refused ? exit_status::wrong : exit_status::unavailable;
}

int install(const RoutingSettings& routing, const std::string& text, const std::string& path,
            const std::string& bird) {
    if (::access(routing.drain_file.c_str(), F_OK) != 0)
        write_drain(routing.drain_file, DrainState::none);
    std::optional<std::string> before;
    if (!read_present(path, before)) return exit_status::no_permission;
    if (before == text) {
        std::cout << path << ": unchanged\n";
        return exit_status::fine;
    }
    const std::string fresh = write_beside(path, text);
    bool is_good = false;
    try {
        is_good = is_good_for_bird(bird, fresh);
    } catch (...) {
        ::unlink(fresh.c_str());
        throw;
    }
    if (!is_good) {
        ::unlink(fresh.c_str());
        std::cerr << path << ": " << bird << " -p refuses the new text, nothing has changed\n";
        return exit_status::wrong;
    }
    move_into_place(fresh, path);
    return configure(routing, path, before);
}

} // namespace

int run_bird_config(const Words& words) {
    po::options_description options;
    add_config_option(options);
    options.add_options() //
        ("install", po::value<std::string>()->value_name("FILE"),
         "write it there, if BIRD finds it good, and let BIRD read it") //
        ("bird", po::value<std::string>()->value_name("PROGRAM")->default_value("/usr/sbin/bird"),
         "what checks it");
    const auto given = read_options(words, options,
                                    "bird-config [--config FILE] [--install FILE]\nPrints an "
                                    "include for bird.conf, made from the section 'routing' and "
                                    "the mapping files.");
    if (!given) return exit_status::fine;
    const auto config_path = (*given)["config"].as<std::string>();
    LoadedConfiguration loaded;
    Diagnostics diagnostics;
    const bool is_good = load_configuration(config_path, loaded, diagnostics);
    for (const Diagnostic& d : diagnostics)
        std::cerr << d.to_string() << "\n";
    if (!is_good) return exit_status::configuration;
    if (!loaded.config.routing) {
        std::cerr << config_path << ": error: there is no section 'routing'\n";
        return exit_status::configuration;
    }
    const RoutingSettings& routing = *loaded.config.routing;
    const std::string text = bird_config(routing, loaded.config.tun.name, routes_of(loaded));
    if (given->count("install") != 0)
        return install(routing, text, (*given)["install"].as<std::string>(),
                       (*given)["bird"].as<std::string>());
    std::cout << text;
    return exit_status::fine;
}

} // namespace xlat646
