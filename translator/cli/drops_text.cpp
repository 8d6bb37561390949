// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/drops_text.hpp"

#include "translator/cli/text.hpp"
#include "translator/daemon/status_report.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

namespace xlat646 {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t name_width = 18, number_width = 15;
constexpr std::array directions = {"v4_to_v6", "v6_to_v4"};
constexpr std::array ways = {"rejected", "dropped"};

std::string text_of(const ordered_json& object, const char* key) {
    return object.at(key).get<std::string>();
}

std::string time_text(std::uint64_t unix_ms) {
    constexpr std::uint64_t year_2200_ms = 7258118400000;
    if (unix_ms >= year_2200_ms) return "?"; // beyond what the clock can express
    return utc_text(std::chrono::system_clock::time_point(std::chrono::milliseconds(unix_ms)));
}

constexpr const char* nothing = "no packet has been discarded\n";

} // namespace

std::string drops_text(const ordered_json& drops) {
    if (drops.at("counts").empty()) return nothing;
    std::string out = left("", name_width) + right("IPv4 to IPv6", 2 * number_width) +
                      right("IPv6 to IPv4", 2 * number_width) + "\n" + left("reason", name_width);
    for (std::size_t d = 0; d < directions.size(); ++d)
        for (const char* const way : ways)
            out += right(way, number_width);
    out += "\n";
    for (const ordered_json& reason : drops.at("counts")) {
        out += left(text_of(reason, "reason"), name_width);
        for (const char* const direction : directions)
            for (const char* const way : ways)
                out +=
                    right(grouped(reason.at(direction).at(way).get<std::uint64_t>()), number_width);
        out += "\n";
    }
    return out;
}

std::string explained_drops_text(const ordered_json& drops, std::size_t width) {
    constexpr std::size_t indent = 4;
    std::string out;
    for (const ordered_json& reason : drops.at("counts")) {
        std::uint64_t all = 0;
        std::string by_direction;
        for (const char* const direction : directions) {
            std::uint64_t n = 0;
            for (const char* const way : ways)
                n += reason.at(direction).at(way).get<std::uint64_t>();
            all += n;
            by_direction += (by_direction.empty() ? "" : ", ") + grouped(n) +
                            (direction == directions[0] ? " of IPv4" : " of IPv6");
        }
        out += text_of(reason, "reason") + ": " + (all == 0 ? "none" : by_direction) + "\n" +
               wrapped(text_of(reason, "sentence"), indent, width) +
               wrapped("-> " + text_of(reason, "advice"), indent, width);
    }
    return out;
}

std::string last_drops_text(const ordered_json& drops) {
    const ordered_json& last = drops.at("last");
    std::string out;
    for (auto drop = last.rbegin(); drop != last.rend(); ++drop)
        out += left(time_text(drop->at("time_ms").get<std::uint64_t>()), 22) +
               left(text_of(*drop, "reason"), name_width) + "  " + text_of(*drop, "packet") + "\n";
    return out.empty() ? "no example of a discarded packet has been kept\n" : out;
}

} // namespace xlat646
