// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646-exporter: the statistics of xlat646d, by HTTP.
#include "translator/daemon/exit_status.hpp"
#include "translator/daemon/log.hpp"
#include "translator/exporter/bus_errors.hpp"
#include "translator/exporter/http_server.hpp"
#include "translator/exporter/listening.hpp"
#include "translator/exporter/metric_table.hpp"
#include "translator/exporter/privileges.hpp"

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <cerrno>
#include <csignal>
#include <iostream>
#include <sys/signalfd.h>
#include <system_error>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace {

using namespace xlat646;

FileDescriptor stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    (void)::sigprocmask(SIG_BLOCK, &set, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);
    FileDescriptor out(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (out.get() < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
    return out;
}

int serve(const ExporterOptions& options) {
    const FileDescriptor stop = stop_signals();
    std::vector<FileDescriptor> listeners;
    try {
        listeners = open_listeners(options.listen);
    } catch (const std::system_error& e) {
        log_critical("{}", e.what());
        return exit_status::configuration;
    }
    if (!options.user.empty())
        become(options.user);
    else if (::geteuid() == 0)
        log_warning("running as root; it needs no right but to read the segment (--user NAME)");
    lower_priority();
    bus_errors::survive();
    Documents documents(options.stats, options.series);
    HttpServer server(std::move(listeners), documents);
    (void)::sd_notify(0, "READY=1");
    log_without_waiting();
    server.run(stop.get());
    (void)::sd_notify(0, "STOPPING=1");
    log_info("stopped");
    return exit_status::fine;
}

int run(const ExporterOptions& options) {
    switch (options.task) {
    case ExporterOptions::Task::help: print_exporter_help(std::cout); break;
    case ExporterOptions::Task::version:
        std::cout << "xlat646-exporter " XLAT646_VERSION "\n";
        break;
    case ExporterOptions::Task::list_metrics: std::cout << list_metrics(); break;
    case ExporterOptions::Task::serve: set_up_log(); return serve(options);
    }
    std::cout.flush();
    return std::cout ? exit_status::fine : exit_status::internal; // as with a full disk
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(read_exporter_options({argv + std::min(argc, 1), argv + argc}));
    } catch (const boost::program_options::error& e) {
        std::cerr << "xlat646-exporter: " << e.what() << " (try --help)\n";
        return exit_status::usage;
    } catch (const std::system_error& e) {
        const int error = e.code().value();
        log_critical("{}", e.what());
        return error == EPERM || error == EACCES ? exit_status::no_permission
                                                 : exit_status::internal;
    } catch (const std::exception& e) {
        log_critical("{}", e.what());
        return exit_status::internal;
    }
}
