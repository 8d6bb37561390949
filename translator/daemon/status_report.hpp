// SPDX-License-Identifier: BSD-2-Clause
//
// What the control socket says about the daemon's life: the pieces of the status document.
#pragma once

#include "mapping/diagnostic.hpp"
#include "mapping/diff.hpp"
#include "translator/fastpath/fastpath.hpp"

#include <chrono>
#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace xlat646 {

/// How one reload went.
struct ReloadResult {
    static constexpr std::size_t most_messages = 50;
    static constexpr std::size_t longest_message = 500;

    std::chrono::system_clock::time_point at = std::chrono::system_clock::now();
    bool is_forced = false;
    bool is_done = false; ///< false: the old table stayed
    MappingDiff diff;
    double seconds = 0;
    std::vector<std::string> messages; ///< errors and warnings; the log has the same
    std::size_t left_out = 0;          ///< messages beyond the limit

    void say(std::string message);
    void say(const Diagnostics& diagnostics);
};

/// An interface that `fastpath.interfaces` names.
struct FastpathUplink {
    std::string interface;
    std::optional<FastpathHook> hook; ///< nullopt: the program does not run there
    std::string why_not;
};

/// "2026-11-22T11:15:22Z"
std::string utc_text(std::chrono::system_clock::time_point at);

nlohmann::ordered_json to_json(const ReloadResult& result);
/// In short: when and how, and the first error.
nlohmann::ordered_json to_json(const std::deque<ReloadResult>& history);
nlohmann::ordered_json to_json(const FastpathUplink& uplink);

/// JSON for the segment. Where it would not fit, without what the last reload has said.
std::string report_text(nlohmann::ordered_json report);

/// One line. Bytes that are no UTF-8, as in names of files, are replaced.
std::string answer_line(const char* key, const nlohmann::ordered_json& document);

} // namespace xlat646
