// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/supervisor.hpp"

#include "routing-hooks/netlink.hpp"
#include "routing-hooks/node_routes.hpp"
#include "routing-hooks/sysctl_check.hpp"
#include "translator/daemon/config_changes.hpp"
#include "translator/daemon/config_files.hpp"
#include "translator/daemon/log.hpp"
#include "translator/daemon/table_loader.hpp"
#include "translator/dataplane/cpu_pin.hpp"

#include <algorithm>
#include <csignal>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <system_error>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

namespace xlat646 {
namespace {

constexpr std::uint32_t tun_mtu = 65535;           // DC-11: the kernel must never answer for us
constexpr std::size_t most_tun_queues = 256;       // the kernel's MAX_TAP_QUEUES
constexpr std::size_t config_file_limit = 1 << 20; // bytes

std::size_t queue_count(const Config& config) {
    return config.tun.queue_count(std::thread::hardware_concurrency());
}

sigset_t handled_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int s : {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2})
        sigaddset(&set, s);
    return set;
}

int checked(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
    return result;
}

void notify_reloading() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    // One message: newer managers want the time with it, older ones ignore it.
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
               static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
}

void log_findings(const std::vector<SysctlFinding>& findings) {
    for (const SysctlFinding& f : findings) {
        const std::string line = f.what + " Fix: " + f.fix;
        switch (f.severity) {
        case SysctlFinding::Severity::error: spdlog::error("{}", line); break;
        case SysctlFinding::Severity::warning: spdlog::warn("{}", line); break;
        case SysctlFinding::Severity::info: spdlog::info("{}", line); break;
        }
    }
}

} // namespace

void Supervisor::block_signals() {
    const sigset_t signals = handled_signals();
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

Supervisor::Supervisor(std::string config_path, std::string config_text, Config config,
                       std::unique_ptr<const MappingTable> table)
    : config_path_(std::move(config_path)), config_text_(std::move(config_text)),
      config_(std::move(config)), tables_(queue_count(config_)) {
    tables_.publish(std::move(table));
}

Supervisor::~Supervisor() { stop(); }

void Supervisor::run() {
    const sigset_t signals = handled_signals();
    signals_ =
        FileDescriptor(checked(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"));
    start();

    for (;;) {
        pollfd event{signals_.get(), POLLIN, 0};
        (void)poll(&event, 1, 1000);
        drop_log_->look();
        tables_.reclaim();
        signalfd_siginfo info;
        while (::read(signals_.get(), &info, sizeof info) == ssize_t{sizeof info}) {
            switch (static_cast<int>(info.ssi_signo)) {
            case SIGHUP: reload(Guard::ask); break;
            case SIGUSR2: reload(Guard::overrule); break;
            case SIGUSR1: spdlog::info("counters: {}", counters()); break;
            default:
                spdlog::info("stopping: signal {}", info.ssi_signo);
                sd_notify(0, "STOPPING=1");
                stop();
                spdlog::info("stopped");
                return;
            }
        }
    }
}

void Supervisor::start() {
    const std::size_t queues = queue_count(config_);
    const std::size_t lanes = std::min<std::size_t>(config_.tun.lanes, most_tun_queues / queues);
    tun_ = Tun::create(config_.tun.name, queues * lanes, config_.tun.offload);
    wake_ = FileDescriptor(checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"));

    // Several workers share the limits of our own errors.
    RateLimit& rate = config_.settings.icmp_rate;
    const auto share = [&](std::uint32_t& n) {
        if (n != 0) n = std::max(1u, n / static_cast<std::uint32_t>(queues));
    };
    share(rate.per_second);
    share(rate.burst);

    // Worker and thread are made on the CPU where they are to be.
    const auto pin = [&](std::optional<CpuPin>& place, std::size_t i) {
        place.reset();
        if (!config_.tun.cpus.empty()) place.emplace(config_.tun.cpus[i]);
    };
    std::optional<CpuPin> place;
    for (std::size_t i = 0; i < queues; ++i) {
        pin(place, i);
        WorkerOptions options;
        for (std::size_t k = i * lanes; k < (i + 1) * lanes; ++k)
            options.lanes.push_back(tun_->queue(k));
        options.wake = wake_.get();
        options.vnet_header = tun_->offloads().vnet_header;
        options.busy_poll_us = config_.tun.busy_poll_us;
        options.merge_tcp = config_.tun.coalesce && tun_->offloads().tcp_segmentation;
        options.merge_udp = config_.tun.coalesce && tun_->offloads().udp_segmentation;
        workers_.push_back(std::make_unique<Worker>(options, config_.settings, tables_.reader(i)));
    }
    drop_log_.emplace(workers_);
    for (std::size_t i = 0; i < queues; ++i) {
        pin(place, i);
        threads_.emplace_back([w = workers_[i].get()] { w->run(); });
    }
    place.reset();

    RouteSocket socket;
    prepare_tun(socket, tun_->ifindex(), tun_mtu);
    set_link_up(socket, tun_->ifindex(), true);
    if (config_.routes.install) {
        routes_.emplace(tun_->ifindex(), config_.routes.table);
        install_routes(*tables_.current());
    }
    warn_about_sysctls();
    if (config_.fastpath.mode != FastpathMode::off) start_fastpath();

    const MappingTable& table = *tables_.current();
    spdlog::info("ready: {} mappings, translation prefix {}, TUN {} with {} queue{}, offload: {}",
                 table.size(), config_.settings.prefix.prefix().to_string(), tun_->name(), queues,
                 queues == 1 ? "" : "s", tun_->offloads().to_string());
    sd_notify(0, "READY=1");
}

void Supervisor::stop() {
    if (fastpath_) fastpath_->detach_all();
    if (routes_) {
        try {
            routes_->remove();
        } catch (const std::exception& e) {
            spdlog::warn("cannot remove the routes: {}", e.what());
        }
        routes_.reset();
    }
    if (!threads_.empty()) {
        const std::uint64_t one = 1;
        (void)!::write(wake_.get(), &one, sizeof one);
        for (std::thread& t : threads_)
            t.join();
        threads_.clear();
        spdlog::info("counters: {}", counters());
    }
    fastpath_.reset();
    tun_.reset();
}

void Supervisor::install_routes(const MappingTable& table) {
    const auto change = routes_->install(node_routes(table.list().mappings, config_.settings.prefix,
                                                     config_.settings.own4, config_.settings.own6,
                                                     config_.settings.pool4));
    if (change.added + change.removed != 0)
        spdlog::info("kernel routes: {} added, {} removed, {} unchanged", change.added,
                     change.removed, change.unchanged);
}

void Supervisor::warn_about_sysctls() { log_findings(check_sysctls(config_.tun.name)); }

void Supervisor::reload(Guard guard) {
    notify_reloading();
    try {
        compare_config();
        reload_table(guard);
    } catch (const std::exception& e) {
        spdlog::error("reload failed: {}; the old table stays", e.what());
    }
    sd_notify(0, "READY=1");
}

void Supervisor::compare_config() {
    Diagnostics diagnostics;
    const auto file = read_config_file(config_path_, config_file_limit, diagnostics);
    if (!file) {
        log_diagnostics(diagnostics);
        return;
    }
    if (file->text == config_text_) return;
    Config changed;
    if (!parse_config(config_path_, file->text, changed, diagnostics)) {
        log_diagnostics(diagnostics);
        spdlog::warn("{} has errors now; the running settings stay", config_path_);
        return;
    }
    const std::vector<std::string> keys = changed_keys(config_text_, file->text);
    if (keys.empty()) return;
    std::string names;
    for (const std::string& key : keys)
        names += (names.empty() ? "" : ", ") + key;
    spdlog::warn("{}: changed, and applied only by a restart: {}", config_path_, names);
}

void Supervisor::reload_table(Guard guard) {
    const MappingTable& current = *tables_.current();
    Diagnostics diagnostics;
    LoadedTable loaded = load_table(config_path_, config_, &current, diagnostics);
    log_diagnostics(diagnostics);
    if (!loaded.table) {
        spdlog::error("reload failed: the old table with {} mappings stays", current.size());
        return;
    }
    const std::string objection =
        guard_against_loss(loaded.diff, current.size(), config_.reload_guard);
    if (!objection.empty() && guard == Guard::ask) {
        spdlog::error("reload failed: {}; the old table stays", objection);
        return;
    }
    if (!objection.empty()) spdlog::warn("reload guard overruled: {}", objection);
    // Routes first: a packet that comes by a new route before the table knows it is refused, as it
    // was until now; the other way round new pairs would be unreachable for longer.
    if (routes_) install_routes(*loaded.table);
    const std::size_t size = loaded.table->size();
    const MappingDiff diff = loaded.diff;
    publish(std::move(loaded.table));
    spdlog::info("reloaded: {} mappings, {} added, {} removed, {} changed, {:.3f} seconds, "
                 "digest {:.16}",
                 size, diff.added, diff.removed, diff.readdressed + diff.relabelled, loaded.seconds,
                 loaded.digest);
}

} // namespace xlat646
