// SPDX-License-Identifier: BSD-2-Clause
//
// SIGTERM with shutdown.drain: routes away first, then wait until hardly a packet comes. A second
// signal ends that at once.
#include "translator/daemon/log.hpp"
#include "translator/daemon/supervisor.hpp"

#include <nlohmann/json.hpp>
#include <systemd/sd-daemon.h>

namespace xlat646 {

std::uint64_t Supervisor::packets_received() const {
    const auto all = counters();
    return all.at("v4_to_v6").at("received").get<std::uint64_t>() +
           all.at("v6_to_v4").at("received").get<std::uint64_t>();
}

bool Supervisor::begin_to_leave() {
    if (leaving_ || !config_.shutdown.drain || !announcement_) return false;
    log_info("draining for at most {} s before the stop; a second signal stops at once",
             config_.shutdown.limit);
    sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu",
               (config_.shutdown.limit + 10ULL) * 1'000'000);
    leaving_.emplace(QuietWatch::Clock::now(), packets_received(),
                     std::chrono::seconds(config_.shutdown.limit));
    announcement_->withdraw();
    return true;
}

bool Supervisor::may_leave() {
    if (!leaving_) return false;
    if (!announcement_->is_withdrawing()) return true;
    switch (leaving_->look(QuietWatch::Clock::now(), packets_received())) {
    case QuietWatch::Verdict::wait: return false;
    case QuietWatch::Verdict::quiet:
        log_info("drained: {:.1f} packets per second still come", leaving_->rate());
        return true;
    case QuietWatch::Verdict::limit: break;
    }
    log_warning("drained for {} s, and {:.1f} packets per second still come: they are lost now",
                config_.shutdown.limit, leaving_->rate());
    return true;
}

} // namespace xlat646
