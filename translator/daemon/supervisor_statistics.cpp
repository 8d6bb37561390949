// SPDX-License-Identifier: BSD-2-Clause
//
// What the supervisor puts into the segment, and what it counts for its control socket.
#include "translator/daemon/supervisor.hpp"
#include "translator/stats/segment.hpp"

#include <nlohmann/json.hpp>

namespace xlat646 {

void Supervisor::settle_statistics() {
    if (tables_.reclaim() == 0 && !statistics_.is_settled())
        statistics_.settle(table(), fastpath_.get());
}

LifeNumbers Supervisor::life_numbers() const {
    LifeNumbers life;
    if (readiness_) {
        const auto probes = readiness_->counters();
        life.is_ready = readiness_->is_ready();
        life.probes_sent = probes.at("sent").get<std::uint64_t>();
        life.probes_answered = probes.at("answered").get<std::uint64_t>();
        life.rounds_failed = probes.at("failed").get<std::uint64_t>();
        life.rounds_excused = probes.at("excused").get<std::uint64_t>();
    }
    if (!reloads_seen_.empty()) {
        life.last_reload = static_cast<std::uint64_t>(
            std::chrono::system_clock::to_time_t(reloads_seen_.front().at));
        life.is_last_reload_failed = !reloads_seen_.front().is_done;
    }
    life.reloads = reloads_;
    life.failed_reloads = failed_reloads_;
    return life;
}

void Supervisor::write_statistics() {
    statistics_.say(report_text(report()));
    statistics_.look(life_numbers(), table(), fastpath_.get());
}

nlohmann::ordered_json Supervisor::counters() const {
    nlohmann::ordered_json all = counters_json(statistics_.blocks(), fastpath_.get());
    if (readiness_) all["probes"] = readiness_->counters();
    add_counters(all, before_);
    return all;
}

} // namespace xlat646
