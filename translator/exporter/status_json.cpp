// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/status_json.hpp"

#include "translator/stats/segment_json.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace xlat646 {
namespace {

constexpr std::array mode_names = {"off", "top", "tenant", "all"};

} // namespace

nlohmann::ordered_json exporter_json(const SegmentLook& look, const std::string& path,
                                     const SeriesOptions& series) {
    nlohmann::ordered_json out;
    if (look.view != nullptr)
        out = status_json(*look.view, look.now_ms);
    else
        out["daemon"] = {{"state", "absent"}, {"problem", look.problem}};
    const std::string why = why_not_ready(look);
    out["exporter"] = {
        {"version", XLAT646_VERSION},
        {"stats", path},
        {"per_mapping", mode_names[static_cast<std::size_t>(series.per_mapping)]},
        {"now_ms", look.now_ms},
        {"ready", why.empty()},
        {"why_not", why},
    };
    return out;
}

std::string why_not_ready(const SegmentLook& look) {
    if (look.view == nullptr) return "no daemon: " + look.problem;
    switch (look.pulse) {
    case Pulse::stopped: return "the daemon has stopped";
    case Pulse::silent:
        return "no sign of life from the daemon for " +
               std::to_string(silence_ms(look.summary.life, look.now_ms) / 1000) + " seconds";
    case Pulse::running: break;
    }
    if (look.summary.life.is_ready) return {};
    const auto report = nlohmann::json::parse(look.view->report(), nullptr, false);
    const nlohmann::json::json_pointer reason("/readiness/why_not");
    if (report.is_object() && report.contains(reason) && report[reason].is_string())
        if (auto why = report[reason].get<std::string>(); !why.empty()) return why;
    return "the daemon says so";
}

} // namespace xlat646
