// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/supervisor.hpp"

#include "routing-hooks/netlink.hpp"
#include "routing-hooks/node_routes.hpp"
#include "routing-hooks/sysctl_check.hpp"
#include "translator/daemon/log.hpp"
#include "translator/dataplane/cpu_pin.hpp"
#include "translator/dataplane/priority.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <pthread.h>
#include <span>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <system_error>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace xlat646 {
namespace {

constexpr std::uint32_t tun_mtu = 65535;  // DC-11: the kernel must never answer for us
constexpr std::uint32_t main_table = 254; // RT_TABLE_MAIN

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

void log_findings(const std::vector<SysctlFinding>& findings) {
    for (const SysctlFinding& f : findings) {
        const std::string line = f.what + " Fix: " + f.fix;
        switch (f.severity) {
        case SysctlFinding::Severity::error: log_error("{}", line); break;
        case SysctlFinding::Severity::warning: log_warning("{}", line); break;
        case SysctlFinding::Severity::info: log_info("{}", line); break;
        }
    }
}

void warn_about_priority(int of_threads, int of_session) {
    const int error = of_threads != 0 ? of_threads : of_session;
    if (error != 0)
        log_warning("the workers do not come before other programs (tun.priority): {}; "
                    "CAP_SYS_NICE or RLIMIT_NICE is needed",
                    std::strerror(error));
}

} // namespace

void Supervisor::block_signals() {
    const sigset_t signals = handled_signals();
    sigprocmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

Supervisor::Supervisor(std::string config_path, LoadedConfiguration loaded, Watchdog& watchdog,
                       CommandLine command, Inheritance* inheritance, FromRoot from_root)
    : config_path_(std::move(config_path)), config_text_(std::move(loaded.text)),
      config_(std::move(loaded.config)), from_root_(std::move(from_root)),
      first_table_(std::move(loaded.table.table)), tables_(queue_count(config_)),
      captures_(queue_count(config_)), digest_(std::move(loaded.table.digest)),
      statistics_(config_.stats_segment, queue_count(config_),
                  config_.fastpath.mode != FastpathMode::off),
      command_(std::move(command)), inheritance_(inheritance), is_owner_(inheritance == nullptr),
      watchdog_(watchdog), hooks_(config_.hooks, config_path_) {}

Supervisor::~Supervisor() { stop(); }

void Supervisor::run() {
    const sigset_t signals = handled_signals();
    signals_ =
        FileDescriptor(checked(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"));
    start();

    using Clock = std::chrono::steady_clock;
    for (Clock::time_point next_look;;) {
        // poll() ignores a negative descriptor.
        pollfd events[] = {{signals_.get(), POLLIN, 0},
                           {readiness_->news(), POLLIN, 0},
                           {control_ ? control_->descriptor() : -1, POLLIN, 0},
                           {hooks_.descriptor(), POLLIN, 0},
                           {announcement_ ? announcement_->descriptor() : -1, POLLIN, 0}};
        int wait_ms = hooks_.wait_ms(static_cast<int>(readiness_->beat_interval().count()));
        if (control_) wait_ms = control_->wait_ms(wait_ms);
        if (announcement_) wait_ms = announcement_->wait_ms(wait_ms);
        (void)poll(events, std::size(events), wait_ms);
        readiness_->beat();
        flush_log();
        pass_on_readiness();
        if (control_) control_->serve();
        if (successor_) return hand_on_signals();
        hooks_.serve();
        if (announcement_) announcement_->serve();
        // Once a second, however often clients and signals wake us.
        if (const auto now = Clock::now(); now >= next_look) {
            next_look = now + std::chrono::seconds(1);
            drop_log_->look();
            if (capture_ && capture_->is_over()) forget_capture();
            settle_statistics();
            watch_fastpath();
            write_statistics();
            if (may_leave()) return stop_for_good();
        }
        signalfd_siginfo info;
        while (::read(signals_.get(), &info, sizeof info) == ssize_t{sizeof info}) {
            switch (static_cast<int>(info.ssi_signo)) {
            case SIGHUP: reload(Guard::ask); break;
            case SIGUSR2: reload(Guard::overrule); break;
            case SIGUSR1: log_info("counters: {}", counters().dump()); break;
            default:
                log_info("stopping: signal {}", info.ssi_signo);
                if (info.ssi_signo != SIGTERM || !begin_to_leave()) return stop_for_good();
            }
        }
    }
}

void Supervisor::stop_for_good() {
    sd_notify(0, "STOPPING=1");
    stop();
    log_info("stopped");
}

void Supervisor::start() {
    const std::size_t queues = queue_count(config_);
    const std::size_t kernel_queues =
        config_.tun.kernel_queue_count(std::thread::hardware_concurrency());
    const std::size_t lanes = kernel_queues / queues;
    if (inheritance_ != nullptr) {
        check_inheritance(kernel_queues);
        tun_ = Tun::adopt(config_.tun.name, std::move(inheritance_->queues), config_.tun.offload);
    } else {
        if (from_root_.tun_devices.empty())
            from_root_.tun_devices = Tun::open_devices(kernel_queues);
        tun_ =
            Tun::create(config_.tun.name, std::move(from_root_.tun_devices), config_.tun.offload);
    }
    open_control_socket();
    tables_.publish(statistics_.serve(std::move(first_table_), digest_));
    if (is_owner_) tun_->set_carrier(false);
    lane_probe_.emplace(queues, tun_->offloads().vnet_header);
    ProbePair::Token token{};
    if (inheritance_ != nullptr)
        token = inheritance_->legacy.token;
    else if (getrandom(token.data(), token.size(), 0) != ssize_t{sizeof token})
        throw std::system_error(errno, std::generic_category(), "getrandom");
    config_.settings.probe = &probe_pair_.emplace(token);
    if (inheritance_ != nullptr) probe_pair_->set_server(inheritance_->legacy.probe_server);
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
        options.index = i;
        for (std::size_t k = i * lanes; k < (i + 1) * lanes; ++k)
            options.lanes.push_back(tun_->queue(k));
        options.lanes.push_back(lane_probe_->lane(i));
        options.wake = wake_.get();
        options.vnet_header = tun_->offloads().vnet_header;
        options.busy_poll_us = config_.tun.busy_poll_us;
        options.merge_tcp = config_.tun.coalesce && tun_->offloads().tcp_segmentation;
        options.merge_udp = config_.tun.coalesce && tun_->offloads().udp_segmentation;
        workers_.push_back(std::make_unique<Worker>(options, config_.settings, tables_.reader(i),
                                                    captures_.reader(i)));
    }
    drop_log_.emplace(workers_, statistics_);
    {
        const RaisedPriority raised(config_.tun.priority);
        warn_about_priority(raised.error(), raise_session(config_.tun.priority));
        for (std::size_t i = 0; i < queues; ++i) {
            pin(place, i);
            threads_.emplace_back([w = workers_[i].get()] { w->run(); });
            pthread_setname_np(threads_.back().native_handle(),
                               ("worker " + std::to_string(i)).c_str());
        }
    }
    place.reset();

    RouteSocket socket;
    if (is_owner_) {
        prepare_tun(socket, tun_->ifindex(), tun_mtu);
        set_link_up(socket, tun_->ifindex(), true);
    }
    if (config_.routes.install) {
        routes_.emplace(tun_->ifindex(), config_.routes.table);
        install_routes(table());
    }
    warn_about_sysctls();
    if (config_.fastpath.mode != FastpathMode::off) start_fastpath();

    start_readiness();
    if (inheritance_ != nullptr)
        take_over();
    else
        settle_statistics();
    sd_notify(0, "READY=1"); // the service, which serves its control socket now; not the node
    if (config_.routing) {
        announcement_.emplace(config_.routing->drain_file, config_.routing->bird_socket);
        announcement_->begin();
    }
    hooks_.run(Hooks::Event::after_start);
}

void Supervisor::start_readiness() {
    const std::size_t queues = queue_count(config_);
    readiness_.emplace(config_.readiness, *tun_, config_.settings,
                       config_.routes.install && config_.routes.table == main_table, *probe_pair_,
                       *lane_probe_, watchdog_,
                       is_owner_                       ? Readiness::Carrier::ours
                       : inheritance_->legacy.is_ready ? Readiness::Carrier::is_on
                                                       : Readiness::Carrier::is_off);
    readiness_->start(
        fmt::format("{} mappings, translation prefix {}, TUN {} with {} queue{}, offload: {}",
                    table().size(), config_.settings.prefix.prefix().to_string(), tun_->name(),
                    queues, queues == 1 ? "" : "s", tun_->offloads().to_string()));
}

void Supervisor::pass_on_readiness() {
    for (const Readiness::Message& m : readiness_->take_messages()) {
        write_statistics();
        log_line(m.is_good ? LogLevel::info : LogLevel::warning, m.text);
        sd_notifyf(0, "STATUS=%s", m.text.c_str());
    }
}

void Supervisor::stop() {
    LifeNumbers life = life_numbers();
    life.is_ready = false;
    readiness_.reset(); // withdrawn first, and nobody minds if the rest takes its time
    if (fastpath_) fastpath_->detach_all();
    if (routes_ && is_owner_) {
        try {
            routes_->remove();
        } catch (const std::exception& e) {
            log_warning("cannot remove the routes: {}", e.what());
        }
        routes_.reset();
    }
    if (!threads_.empty()) {
        stop_workers();
        if (is_owner_) {
            log_info("counters: {}", counters().dump());
            statistics_.look(life, table(), fastpath_.get(), Statistics::Pairs::now);
            statistics_.end();
        }
    }
    capture_.reset();
    fastpath_.reset();
    tun_.reset();
    control_.reset(); // last: where its socket is gone, so is the rest
}

void Supervisor::stop_workers() {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
    for (std::thread& t : threads_)
        t.join();
    threads_.clear();
}

void Supervisor::install_routes(const MappingTable& table) {
    std::span<const Ipv4Prefix> owned;
    if (config_.routing) owned = config_.routing->pool;
    const auto change = routes_->install(node_routes(table.list().mappings, config_.settings.prefix,
                                                     config_.settings.own4, config_.settings.own6,
                                                     config_.settings.pool4, owned));
    if (change.added + change.removed != 0)
        log_info("kernel routes: {} added, {} removed, {} unchanged", change.added, change.removed,
                 change.unchanged);
}

void Supervisor::warn_about_sysctls() { log_findings(check_sysctls(config_.tun.name)); }

} // namespace xlat646
