// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/control_request.hpp"

#include "translator/daemon/control_request_capture.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace xlat646 {
namespace {

using nlohmann::json;
using Command = ControlRequest::Command;

constexpr std::array<std::pair<std::string_view, Command>, 4> commands = {
    {{"status", Command::status},
     {"reload", Command::reload},
     {"restart", Command::restart},
     {"capture", Command::capture}}};

/// Bytes that are no UTF-8 must not make the answer fail.
std::string dump(const json& document) {
    return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string unknown(const char* what, const std::string& name) {
    constexpr std::size_t enough = 40;
    return std::string("unknown ") + what + " " + dump(name.substr(0, enough));
}

} // namespace

std::variant<ControlRequest, std::string> parse_request(std::string_view line) {
    const json document = json::parse(line, nullptr, false);
    if (document.is_discarded()) return "the request is not JSON";
    if (!document.is_object()) return "the request is not a JSON object";
    ControlRequest request;
    bool has_command = false;
    std::string capture_key;
    for (const auto& [key, value] : document.items()) {
        if (key == "command") {
            if (!value.is_string()) return "\"command\" is not a string";
            const auto& name = value.get_ref<const std::string&>();
            const auto* const found =
                std::find_if(commands.begin(), commands.end(),
                             [&](const auto& known) { return known.first == name; });
            if (found == commands.end())
                return unknown("command", name) + "; known are status, reload, restart and capture";
            request.command = found->second;
            has_command = true;
        } else if (key == "force") {
            if (!value.is_boolean()) return "\"force\" is not true or false";
            request.force = value.get<bool>();
        } else if (is_capture_key(key)) {
            capture_key = key;
            std::string wrong = read_capture_value(key, value, request.capture);
            if (!wrong.empty()) return wrong;
        } else {
            return unknown("key", key);
        }
    }
    if (!has_command) return "\"command\" is missing";
    if (request.force && request.command != Command::reload)
        return "\"force\" belongs to the command reload";
    if (!capture_key.empty() && request.command != Command::capture)
        return "\"" + capture_key + "\" belongs to the command capture";
    return request;
}

std::string request_line(const ControlRequest& request) {
    const auto* const found =
        std::find_if(commands.begin(), commands.end(),
                     [&](const auto& known) { return known.second == request.command; });
    json document = {{"command", found->first}};
    if (request.force) document["force"] = true;
    if (request.command == Command::capture) write_capture_values(request.capture, document);
    return dump(document) + "\n";
}

std::string error_answer(std::string_view what) { return dump({{"error", what}}) + "\n"; }

RequestBuffer::State RequestBuffer::add(std::string_view bytes) {
    if (state_ != State::incomplete) return state_;
    const std::size_t newline = bytes.find('\n');
    const std::size_t wanted = newline == std::string_view::npos ? bytes.size() : newline;
    // A line that fills the limit without a newline cannot become a good one.
    if (wanted >= longest - bytes_.size()) return state_ = State::too_long;
    bytes_.append(bytes.substr(0, wanted));
    if (newline != std::string_view::npos) state_ = State::complete;
    return state_;
}

} // namespace xlat646
