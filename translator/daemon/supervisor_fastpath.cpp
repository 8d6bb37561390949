// SPDX-License-Identifier: BSD-2-Clause
//
// The fast path beside the workers: they share the table and the reload; the workers need nothing
// of it, so whatever fails here leaves a complete translator.
#include "routing-hooks/sysctl_check.hpp"
#include "translator/daemon/log.hpp"
#include "translator/daemon/supervisor.hpp"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

namespace xlat646 {

void Supervisor::start_fastpath() {
    const bool must_work = config_.fastpath.mode == FastpathMode::on;
    if (config_.fastpath.interfaces.empty()) {
        const char* const what = "fastpath.interfaces names no interface";
        if (must_work) throw std::system_error(ENODEV, std::generic_category(), what);
        fastpath_problem_ = what;
        spdlog::warn("no fast path: {}", what);
        return;
    }
    try {
        fastpath_ = std::make_unique<Fastpath>(config_.settings);
        fastpath_->prepare(*tables_.current());
    } catch (const std::system_error& e) {
        if (must_work) throw;
        fastpath_problem_ = e.what();
        spdlog::warn("no fast path, user space translates everything: {}", e.what());
        fastpath_.reset();
        return;
    }
    fastpath_->flip();
    for (const std::string& interface : config_.fastpath.interfaces)
        attach_fastpath(interface);
}

void Supervisor::attach_fastpath(const std::string& interface) {
    const bool must_work = config_.fastpath.mode == FastpathMode::on;
    std::string why;
    for (const SysctlFinding& f : check_fastpath_sysctls(interface)) {
        const std::string text = f.what + " Fix: " + f.fix;
        if (must_work)
            spdlog::error("fast path: {}", text);
        else
            why = text;
    }
    if (why.empty()) {
        try {
            const FastpathHook hook = fastpath_->attach(interface);
            uplinks_.push_back({interface, hook, {}});
            spdlog::info("fast path: at the ingress of {}, by {}", interface,
                         hook == FastpathHook::tcx ? "tcx" : "clsact");
            return;
        } catch (const std::system_error& e) {
            if (must_work) throw;
            why = e.what();
        }
    }
    uplinks_.push_back({interface, std::nullopt, why});
    spdlog::warn("no fast path for packets from {}: {}", interface, why);
}

void Supervisor::publish(std::unique_ptr<const MappingTable> table) {
    if (fastpath_) {
        fastpath_problem_.clear();
        try {
            fastpath_->prepare(*table);
        } catch (const std::system_error& e) {
            spdlog::error("the fast path stops until the next reload, user space goes on: {}",
                          e.what());
            fastpath_->pause();
            fastpath_problem_ = std::string("paused until the next reload: ") + e.what();
        }
    }
    tables_.publish(std::move(table));
    if (!fastpath_) return;
    fastpath_->flip();
    try {
        fastpath_->retire();
    } catch (const std::system_error& e) {
        spdlog::warn("counters of the fast path for the previous table are lost: {}", e.what());
    }
}

nlohmann::ordered_json Supervisor::counters() const {
    return counters_json(workers_, fastpath_.get());
}

} // namespace xlat646
