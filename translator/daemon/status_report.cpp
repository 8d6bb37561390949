// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/status_report.hpp"

#include "translator/stats/segment.hpp"

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

namespace xlat646 {

using nlohmann::ordered_json;

namespace {

std::string text_of(const ordered_json& document) {
    return document.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

/// The first error; without any, the first warning.
std::string main_message(const ReloadResult& result) {
    for (const std::string& message : result.messages)
        if (message.find("error: ") != message.npos) return message;
    return result.messages.empty() ? "" : result.messages.front();
}

} // namespace

void ReloadResult::say(std::string message) {
    if (messages.size() == most_messages) {
        ++left_out;
        return;
    }
    if (message.size() > longest_message) message.replace(longest_message, message.npos, "...");
    messages.push_back(std::move(message));
}

void ReloadResult::say(const Diagnostics& diagnostics) {
    for (const Diagnostic& d : diagnostics)
        say(d.to_string());
}

std::string utc_text(std::chrono::system_clock::time_point at) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
    std::tm parts{};
    std::array<char, 32> text{};
    if (gmtime_r(&seconds, &parts) == nullptr) return {};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

ordered_json to_json(const ReloadResult& result) {
    using std::chrono::duration_cast, std::chrono::seconds;
    const auto ago = std::chrono::system_clock::now() - result.at;
    return {{"result", result.is_done ? "reloaded" : "failed"},
            {"at", utc_text(result.at)},
            {"seconds_ago", duration_cast<seconds>(ago).count()},
            {"forced", result.is_forced},
            {"seconds", result.seconds},
            {"added", result.diff.added},
            {"removed", result.diff.removed},
            {"changed", result.diff.readdressed + result.diff.relabelled},
            {"messages", result.messages},
            {"messages_left_out", result.left_out}};
}

ordered_json to_json(const std::deque<ReloadResult>& history) {
    ordered_json out = ordered_json::array();
    for (const ReloadResult& result : history) {
        ordered_json one = to_json(result);
        one["message"] = main_message(result);
        one.erase("messages");
        one.erase("messages_left_out");
        out.push_back(std::move(one));
    }
    return out;
}

ordered_json to_json(const FastpathUplink& uplink) {
    ordered_json out = {{"name", uplink.interface}, {"runs", nullptr}, {"why_not", uplink.why_not}};
    if (uplink.hook) out["runs"] = *uplink.hook == FastpathHook::tcx ? "tcx" : "clsact";
    return out;
}

std::string report_text(ordered_json report) {
    std::string whole = text_of(report);
    if (whole.size() <= sizeof(SegmentReport::words)) return whole;
    if (ordered_json& last = report["last_reload"]; last.is_object()) {
        last["messages_left_out"] =
            last["messages_left_out"].get<std::size_t>() + last["messages"].size();
        last["messages"] = ordered_json::array();
    }
    return text_of(report);
}

std::string answer_line(const char* key, const ordered_json& document) {
    return text_of({{key, document}}) + "\n";
}

} // namespace xlat646
