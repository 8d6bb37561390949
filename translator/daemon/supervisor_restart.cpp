// SPDX-License-Identifier: BSD-2-Clause
//
// Both ends of a hand-over (handover.hpp). Neither of the two processes may switch the carrier,
// remove a route or a file while the other one is the daemon.
#include "translator/daemon/exit_status.hpp"
#include "translator/daemon/log.hpp"
#include "translator/daemon/supervisor.hpp"

#include <csignal>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/signalfd.h>
#include <system_error>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace xlat646 {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

/// A million scattered pairs and their routes take half a minute on a slow machine.
constexpr std::chrono::seconds patience{120};
constexpr std::chrono::seconds time_for_a_probe{10};

} // namespace

std::string Supervisor::restart() {
    log_info("restart asked for by the control socket ({}): starting {}", control_->peer(),
             command_.program);
    std::string problem;
    try {
        if (leaving_) throw std::runtime_error("this one is about to stop");
        if (hooks_.is_running()) throw std::runtime_error("a hook is running; try again");
        if (::getpid() == 1)
            throw std::runtime_error("process 1 cannot be replaced: all others end with it");
        Successor::Descriptors descriptors;
        for (std::size_t i = 0; i < tun_->queue_count(); ++i)
            descriptors.queues.push_back(tun_->queue(i));
        descriptors.control = control_->file().descriptor();
        descriptors.control_lock = control_->file().lock_descriptor();
        settle_statistics();
        descriptors.statistics = statistics_.descriptor();
        successor_.emplace(command_, descriptors, legacy());
        problem = wait_for_successor();
        if (problem.empty()) {
            hand_over();
            return {};
        }
        successor_.reset();
        // It may have begun to exchange them.
        if (routes_) run_aside([&] { install_routes(table()); });
    } catch (const std::exception& e) {
        successor_.reset();
        problem = e.what();
    }
    log_error("restart failed: {}; this process goes on", problem);
    return problem;
}

Legacy Supervisor::legacy() const {
    Legacy out;
    out.tun = config_.tun.name;
    out.offload = config_.tun.offload;
    out.route_table = config_.routes.install ? config_.routes.table : 0;
    out.control_socket = config_.control_socket;
    out.made_directory = control_->file().made_directory();
    out.is_ready = readiness_->is_ready();
    out.token = probe_pair_->token();
    out.probe_server = probe_pair_->server();
    out.counters = counters();
    return out;
}

std::string Supervisor::wait_for_successor() {
    Successor& successor = *successor_;
    const Clock::time_point end = Clock::now() + patience;
    std::string refusal;
    try {
        while (Clock::now() < end) {
            readiness_->beat();
            flush_log();
            pollfd events[] = {{successor.channel().descriptor(), POLLIN, 0},
                               {signals_.get(), POLLIN, 0}};
            if (poll(events, std::size(events),
                     static_cast<int>(readiness_->beat_interval().count())) <= 0)
                continue;
            if (events[1].revents != 0) return "a signal has come";
            const auto said = successor.channel().receive(std::chrono::milliseconds(0));
            if (!said) continue;
            keeps_socket_ = !said->value("serves_control_socket", false);
            if (said->value("translating", false)) return {};
            refusal = said->value("refused", "");
        }
    } catch (const GoneError&) {
        const std::string end_of_it = "the new process: " + successor.how_it_ended();
        return refusal.empty() ? end_of_it : end_of_it + ": " + refusal;
    }
    return "the new process does not take over within " + std::to_string(patience.count()) + " s";
}

void Supervisor::hand_over() {
    const bool is_ready = readiness_->is_ready();
    readiness_->leave();
    if (fastpath_) fastpath_->detach_all();
    stop_workers();
    settle_statistics();
    statistics_.look(life_numbers(), table(), fastpath_.get(), Statistics::Pairs::now);
    // From the main process: systemd hears nobody else.
    sd_notifyf(0, "MAINPID=%d", static_cast<int>(successor_->pid()));
    try {
        successor_->channel().send({{"is_ready", is_ready}, {"counters", counters()}});
    } catch (const std::exception&) {
        log_critical("the new process {}, when this one had stopped to translate",
                     successor_->how_it_ended());
        ::_exit(exit_status::internal); // nobody translates now: the TUN goes at once
    }
    is_owner_ = false;
    successor_->release();
    if (capture_) capture_->end("restart");
    if (!keeps_socket_) control_->file().own(false);
    log_info("handed over to process {}", successor_->pid());
}

void Supervisor::hand_on_signals() {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof info) == ssize_t{sizeof info})
        (void)::kill(successor_->pid(), static_cast<int>(info.ssi_signo));
}

void Supervisor::check_inheritance(std::size_t queues) const {
    const Legacy& old = inheritance_->legacy;
    std::string changed;
    const auto compare = [&](bool is_same, const char* key) {
        if (!is_same) changed += (changed.empty() ? "" : ", ") + std::string(key);
    };
    compare(old.tun == config_.tun.name, "tun.name");
    compare(old.offload == config_.tun.offload, "tun.offload");
    compare(inheritance_->queues.size() == queues, "tun.queues or tun.lanes");
    compare(old.route_table == (config_.routes.install ? config_.routes.table : 0), "routes");
    if (!changed.empty())
        throw std::system_error(EEXIST, std::generic_category(),
                                "only a stop and a start can change " + changed);
}

void Supervisor::take_over() {
    const Clock::time_point end = Clock::now() + time_for_a_probe;
    while (inheritance_->legacy.is_ready && !readiness_->why_no_success().empty()) {
        if (Clock::now() > end)
            throw std::runtime_error("no round of probes has succeeded: " +
                                     readiness_->why_no_success());
        pollfd none{};
        (void)poll(&none, 0, 5);
        readiness_->beat();
    }
    const bool has_socket =
        control_ && config_.control_socket == inheritance_->legacy.control_socket;
    const auto last =
        inheritance_->take_over({{"translating", true}, {"serves_control_socket", has_socket}});
    is_owner_ = true;
    before_ = inheritance_->legacy.counters;
    run_aside(
        [&] { statistics_.inherit(inheritance_->statistics.release(), table(), fastpath_.get()); });
    inheritance_->control = {};
    inheritance_->control_lock = {};
    inheritance_ = nullptr;
    if (control_) control_->file().own(true);
    readiness_->settle();
    if (last && last->contains("counters")) {
        before_ = last->at("counters");
        log_info("taken over from another process: TUN, routes and counters go on");
    } else {
        log_warning("taken over from a process that ended without a word: what it has counted "
                    "lately is lost");
    }
    if (fastpath_) watch_fastpath();
}

} // namespace xlat646
