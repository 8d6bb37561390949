// SPDX-License-Identifier: BSD-2-Clause
//
// SIGHUP, SIGUSR2 and the control socket: new mapping files become the table, or nothing changes.
#include "translator/daemon/config_changes.hpp"
#include "translator/daemon/config_files.hpp"
#include "translator/daemon/log.hpp"
#include "translator/daemon/supervisor.hpp"

#include <future>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <thread>
#include <time.h>
#include <unistd.h>

namespace xlat646 {
namespace {

void notify_reloading() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    // One message: newer managers want the time with it, older ones ignore it.
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
               static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
}

/// What is said on a reload goes to the log and into its result.
void warn(ReloadResult& result, const std::string& text) {
    log_warning("{}", text);
    result.say("warning: " + text);
}

void tell(ReloadResult& result, const Diagnostics& diagnostics) {
    log_diagnostics(diagnostics);
    result.say(diagnostics);
}

void fail(ReloadResult& result, const std::string& text) {
    log_error("reload failed: {}", text);
    result.say("error: " + text);
}

} // namespace

void Supervisor::run_aside(const std::function<void()>& work) {
    constexpr int a_tenth_of_their_share = 10; // as a nice value
    auto end = std::async(std::launch::async, [&] {
        (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), a_tenth_of_their_share);
        work();
    });
    while (end.wait_for(readiness_->beat_interval()) != std::future_status::ready)
        readiness_->beat();
    end.get();
}

void Supervisor::reload(Guard guard) {
    notify_reloading();
    ReloadResult result;
    result.is_forced = guard == Guard::overrule;
    run_aside([&] {
        try {
            compare_config(result);
            reload_table(guard, result);
        } catch (const std::exception& e) {
            fail(result, std::string(e.what()) + "; the old table stays");
        }
    });
    const bool is_done = result.is_done;
    reloads_seen_.push_front(std::move(result));
    if (reloads_seen_.size() > most_reloads_seen) reloads_seen_.pop_back();
    ++(is_done ? reloads_ : failed_reloads_);
    write_statistics();
    sd_notify(0, "READY=1");
    if (is_done) hooks_.run(Hooks::Event::after_reload);
}

void Supervisor::compare_config(ReloadResult& result) {
    Diagnostics diagnostics;
    const auto file =
        read_config_file(config_path_, config_file_limit, diagnostics, {Directories::are_judged});
    if (!file) {
        tell(result, diagnostics);
        return;
    }
    if (file->text == config_text_) return;
    Config changed;
    if (!parse_config(config_path_, file->text, changed, diagnostics)) {
        tell(result, diagnostics);
        warn(result, config_path_ + " has errors now; the running settings stay");
        return;
    }
    const std::vector<std::string> keys = changed_keys(config_text_, file->text);
    if (keys.empty()) return;
    std::string names;
    for (const std::string& key : keys)
        names += (names.empty() ? "" : ", ") + key;
    warn(result, config_path_ + ": changed, and applied only by a restart: " + names);
}

void Supervisor::reload_table(Guard guard, ReloadResult& result) {
    const MappingTable& current = table();
    Diagnostics diagnostics;
    LoadedTable loaded = load_table(config_path_, config_, &current, diagnostics);
    tell(result, diagnostics);
    if (!loaded.table) {
        fail(result, "the old table with " + std::to_string(current.size()) + " mappings stays");
        return;
    }
    const std::string objection =
        guard_against_loss(loaded.diff, current.size(), config_.reload_guard);
    if (!objection.empty() && guard == Guard::ask) {
        fail(result, objection + "; the old table stays");
        return;
    }
    if (!objection.empty()) warn(result, "reload guard overruled: " + objection);
    // Routes first: a packet that comes by a new route before the table knows it is refused, as it
    // was until now; the other way round new pairs would be unreachable for longer.
    if (routes_) install_routes(*loaded.table);
    const std::size_t size = loaded.table->size();
    const MappingDiff diff = loaded.diff;
    publish(std::move(loaded.table), loaded.digest);
    digest_ = loaded.digest;
    ++generation_;
    result.diff = loaded.diff;
    result.seconds = loaded.seconds;
    result.is_done = true;
    log_info("reloaded: {} mappings, {} added, {} removed, {} changed, {:.3f} seconds, "
             "digest {:.16}",
             size, diff.added, diff.removed, diff.readdressed + diff.relabelled, loaded.seconds,
             loaded.digest);
}

} // namespace xlat646
