// SPDX-License-Identifier: BSD-2-Clause
//
// The fast path beside the workers: they share the table and the reload; the workers need nothing
// of it, so whatever fails here leaves a complete translator.
#include "routing-hooks/sysctl_check.hpp"
#include "translator/daemon/log.hpp"
#include "translator/daemon/supervisor.hpp"

#include <cerrno>
#include <chrono>
#include <net/if.h>
#include <nlohmann/json.hpp>
#include <system_error>

namespace xlat646 {

void Supervisor::start_fastpath() {
    const bool must_work = config_.fastpath.mode == FastpathMode::on;
    if (config_.fastpath.interfaces.empty()) {
        const char* const what = "fastpath.interfaces names no interface";
        if (must_work) throw std::system_error(ENODEV, std::generic_category(), what);
        fastpath_problem_ = what;
        log_warning("no fast path: {}", what);
        return;
    }
    try {
        fastpath_ = std::make_unique<Fastpath>(config_.settings);
        fastpath_->prepare(table());
    } catch (const std::system_error& e) {
        if (must_work) throw;
        fastpath_problem_ = e.what();
        log_warning("no fast path, user space translates everything: {}", e.what());
        fastpath_.reset();
        return;
    }
    fastpath_->flip();
    for (const std::string& interface : config_.fastpath.interfaces) {
        FastpathUplink& uplink = uplinks_.emplace_back();
        uplink.interface = interface;
        // Our predecessor's program is at work there; until it is gone ours is not tried.
        if (is_owner_) attach_fastpath(uplink, must_work);
    }
}

void Supervisor::watch_fastpath() {
    if (!uplinks_.empty()) readiness_->be_patient();
    for (FastpathUplink& uplink : uplinks_) {
        if (uplink.hook && fastpath_->is_attached(uplink.interface)) continue;
        if (uplink.hook) {
            log_warning("fast path: no longer at the ingress of {}: the interface has gone, or "
                        "somebody has removed the program",
                        uplink.interface);
            fastpath_->detach(uplink.interface);
            uplink.hook.reset();
        }
        attach_fastpath(uplink, false);
    }
}

void Supervisor::attach_fastpath(FastpathUplink& uplink, bool must_work) {
    const bool is_on = config_.fastpath.mode == FastpathMode::on;
    std::string missing; // in the surroundings
    if (if_nametoindex(uplink.interface.c_str()) != 0)
        for (const SysctlFinding& f :
             check_fastpath_sysctls(uplink.interface, has_ipv4_address(uplink.interface)))
            missing += (missing.empty() ? "" : " ") + f.what + " Fix: " + f.fix;
    std::string trouble = is_on ? "" : missing;
    if (trouble.empty()) {
        try {
            uplink.hook = must_work ? attach_after_crash(uplink.interface)
                                    : fastpath_->attach(uplink.interface);
        } catch (const std::system_error& e) {
            if (must_work) throw;
            trouble = e.what();
        }
    }
    if (uplink.hook) {
        if (!missing.empty()) log_error("fast path: {}", missing);
        log_info("fast path: at the ingress of {}, by {}", uplink.interface,
                 uplink.hook == FastpathHook::tcx ? "tcx" : "clsact");
    } else if (trouble != uplink.why_not) {
        log_warning("no fast path for packets from {}: {}", uplink.interface, trouble);
    }
    uplink.why_not = trouble;
}

FastpathHook Supervisor::attach_after_crash(const std::string& interface) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + Fastpath::permission + std::chrono::seconds(1);
    for (;;) {
        try {
            return fastpath_->attach(interface);
        } catch (const std::system_error& e) {
            if (e.code().value() != EBUSY || Clock::now() > end) throw;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

void Supervisor::publish(std::unique_ptr<const MappingTable> table, const std::string& digest) {
    if (fastpath_) {
        fastpath_problem_.clear();
        try {
            fastpath_->prepare(*table);
        } catch (const std::system_error& e) {
            log_error("the fast path stops until the next reload, user space goes on: {}",
                      e.what());
            fastpath_->pause();
            fastpath_problem_ = std::string("paused until the next reload: ") + e.what();
        }
    }
    tables_.publish(statistics_.serve(std::move(table), digest));
    if (fastpath_) {
        fastpath_->flip();
        try {
            fastpath_->retire();
        } catch (const std::system_error& e) {
            log_warning("counters of the fast path for the previous table are lost: {}", e.what());
        }
    }
    // A worker holds a table for one packet. One that is kept from its CPU is waited for elsewhere.
    constexpr int most_tries = 50;
    for (int i = 0; i < most_tries && tables_.reclaim() != 0; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    settle_statistics();
}

} // namespace xlat646
