// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/status_text.hpp"

#include "translator/cli/text.hpp"
#include "translator/siit/outcome.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

namespace xlat646 {
namespace {

using nlohmann::ordered_json;

constexpr std::array directions = {"v4_to_v6", "v6_to_v4"};
constexpr std::size_t label_width = 17;
constexpr std::size_t name_width = 20;
constexpr std::size_t number_width = 22;

std::string text_of(const ordered_json& object, const char* key) {
    return printable(object.at(key).get<std::string>());
}

std::uint64_t number_of(const ordered_json& object, const char* key) {
    return object.at(key).get<std::uint64_t>();
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size() + 1, width), ' ');
    return text;
}

std::string number(std::uint64_t n) { return right(grouped(n), number_width); }

std::string line(const std::string& label, const std::string& text) {
    return padded(label, label_width) + text + "\n";
}

std::string messages_of(const ordered_json& reload) {
    std::string out;
    for (const ordered_json& message : reload.at("messages"))
        out += "  " + printable(message.get<std::string>()) + "\n";
    if (const auto more = number_of(reload, "messages_left_out"); more != 0)
        out += "  and " + plural(more, "message") + " more, in the log\n";
    return out;
}

std::string last_reload(const ordered_json& reload) {
    if (reload.is_null()) return line("last reload", "none since the start");
    const bool is_done = text_of(reload, "result") == "reloaded";
    const std::string when = duration(number_of(reload, "seconds_ago")) + " ago, at " +
                             text_of(reload, "at") + (reload.at("forced") ? ", forced" : "");
    if (!is_done)
        return line("last reload", "FAILED " + when + "; the table before it stays") +
               messages_of(reload);
    return line("last reload", "good, " + when + ": " + std::to_string(number_of(reload, "added")) +
                                   " added, " + std::to_string(number_of(reload, "removed")) +
                                   " removed, " + std::to_string(number_of(reload, "changed")) +
                                   " changed") +
           messages_of(reload);
}

std::string readiness(const ordered_json& readiness, const ordered_json& probes) {
    const bool is_ready = readiness.at("ready").get<bool>();
    const std::string since = "since " + text_of(readiness, "since") + " (" +
                              duration(number_of(readiness, "seconds")) + "), ";
    return line("ready", (is_ready ? "yes, " : "NO, ") + since +
                             (is_ready ? plural(number_of(readiness, "withdrawals"), "withdrawal")
                                       : "no carrier: " + text_of(readiness, "why_not"))) +
           line("probes", grouped(number_of(probes, "sent")) + " sent, " +
                              grouped(number_of(probes, "answered")) + " answered, " +
                              grouped(number_of(probes, "failed")) + " failed, " +
                              grouped(number_of(probes, "excused")) + " lost in full queues");
}

std::string fastpath(const ordered_json& fastpath) {
    const std::string mode = text_of(fastpath, "mode");
    if (mode == "off") return line("fast path", "off");
    const std::string problem = text_of(fastpath, "why_not");
    std::string out =
        line("fast path", problem.empty() ? mode : mode + ", NOT RUNNING: " + problem);
    for (const ordered_json& interface : fastpath.at("interfaces")) {
        const bool runs = !interface.at("runs").is_null();
        out += line("  " + text_of(interface, "name"),
                    runs ? "attached by " + text_of(interface, "runs")
                         : "NOT attached: " + text_of(interface, "why_not"));
    }
    return out;
}

std::string routing(const ordered_json& routing) {
    if (routing.is_null()) return {};
    const std::string problem = text_of(routing, "problem");
    if (!problem.empty()) return line("routing", "UNKNOWN: " + problem);
    if (!routing.at("draining").get<bool>()) return line("routing", "not drained");
    return line("routing", "DRAINING, by the " + text_of(routing, "by"));
}

std::string hooks(const ordered_json& hooks) {
    std::string out;
    for (const ordered_json& hook : hooks) {
        std::string text = plural(number_of(hook, "runs"), "run") + ", " +
                           grouped(number_of(hook, "failures")) + " failed";
        if (hook.at("running").get<bool>()) text += ", running now";
        const ordered_json& last = hook.at("last");
        if (!last.is_null() && last.at("good").get<bool>())
            text += "; the last was good, " + duration(number_of(last, "seconds_ago")) + " ago";
        else if (!last.is_null())
            text += "; the last FAILED " + duration(number_of(last, "seconds_ago")) +
                    " ago: " + text_of(last, "result");
        out += line("hook " + text_of(hook, "event"), text);
        if (!last.is_null() && !last.at("good").get<bool>() && !text_of(last, "said").empty())
            out += line("", text_of(last, "said"));
    }
    return out;
}

using Pair = std::array<std::uint64_t, 2>;

std::string row(const std::string& name, const Pair& pair) {
    return padded(name, name_width) + number(pair[0]) + number(pair[1]) + "\n";
}

std::uint64_t total(const ordered_json& reasons) {
    std::uint64_t sum = 0;
    for (const ordered_json& n : reasons)
        sum += n.get<std::uint64_t>();
    return sum;
}

template <class Get> Pair both(const ordered_json& counters, Get get) {
    return {get(counters.at(directions[0])), get(counters.at(directions[1]))};
}

std::string totals(const ordered_json& counters) {
    std::string out = padded("packets", name_width) + right("IPv4 to IPv6", number_width) +
                      right("IPv6 to IPv4", number_width) + "\n";
    const auto plain = [&](const std::string& name, const char* key) {
        out += row(name, both(counters, [&](const ordered_json& d) { return number_of(d, key); }));
    };
    plain("received", "received");
    if (counters.contains("fastpath"))
        out += row("  by the fast path", both(counters.at("fastpath"), [](const ordered_json& d) {
                       std::uint64_t packets = 0;
                       for (const char* const protocol : {"tcp", "udp", "icmp"})
                           packets += number_of(d.at(protocol), "packets");
                       return packets;
                   }));
    plain("forwarded", "forwarded");
    plain("pings answered", "answered");
    for (const char* const how : {"rejected", "dropped"})
        out += row(how, both(counters, [&](const ordered_json& d) { return total(d.at(how)); }));
    plain("bytes received", "received_bytes");
    plain("bytes forwarded", "forwarded_bytes");
    return out;
}

std::string sentence_for(const std::string& reason) {
    const auto* const found = std::find(drop_reason_names.begin(), drop_reason_names.end(), reason);
    if (found == drop_reason_names.end()) return {}; // a newer daemon's
    return "    " +
           std::string(
               drop_reason_sentences[static_cast<std::size_t>(found - drop_reason_names.begin())]) +
           "\n";
}

/// Most frequent first.
std::string reasons(const ordered_json& counters) {
    std::vector<std::pair<std::string, Pair>> found;
    for (std::size_t d = 0; d < directions.size(); ++d)
        for (const char* const how : {"rejected", "dropped"})
            for (const auto& [name, n] : counters.at(directions[d]).at(how).items()) {
                auto place =
                    std::find_if(found.begin(), found.end(),
                                 [&wanted = name](const auto& f) { return f.first == wanted; });
                if (place == found.end()) place = found.insert(place, {name, Pair{}});
                place->second[d] += n.get<std::uint64_t>();
            }
    if (found.empty()) return {};
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return a.second[0] + a.second[1] > b.second[0] + b.second[1];
    });
    std::string out = padded("discarded", name_width) + right("IPv4 to IPv6", number_width) +
                      right("IPv6 to IPv4", number_width) + "\n";
    for (const auto& [name, pair] : found)
        out += row(printable(name), pair) + sentence_for(name);
    return "\n" + out;
}

std::string errors_of_tun(const ordered_json& tun) {
    std::string out;
    for (const char* const key : {"read_errors", "write_errors"})
        if (const auto n = number_of(tun, key); n != 0)
            out += line("", grouped(n) + (key[0] == 'r' ? " reads" : " writes") + " FAILED");
    return out;
}

} // namespace

std::string status_text(const ordered_json& status) {
    const ordered_json& table = status.at("table");
    const ordered_json& tun = status.at("tun");
    const ordered_json& counters = status.at("counters");
    std::string out;
    out += line("xlat646d", text_of(status, "version") + ", up " +
                                duration(number_of(status, "uptime_seconds")) + ", process " +
                                std::to_string(number_of(status, "pid")));
    out += readiness(status.at("readiness"), counters.at("probes"));
    out += line("configuration", text_of(status, "config"));
    out += line("prefix", text_of(status, "translation_prefix"));
    out += line("table", plural(number_of(table, "mappings"), "mapping") + ", generation " +
                             grouped(number_of(table, "generation")) + ", digest " +
                             text_of(table, "digest").substr(0, 16));
    out += last_reload(status.at("last_reload"));
    out += line("TUN", text_of(tun, "name") + ", " + plural(number_of(tun, "queues"), "queue") +
                           ", offload: " + text_of(tun, "offload"));
    out += errors_of_tun(counters.at("tun"));
    out += fastpath(status.at("fastpath"));
    out += routing(status.at("routing"));
    out += hooks(status.at("hooks"));
    return out + "\n" + totals(counters) + reasons(counters);
}

std::string reload_text(const ordered_json& result) {
    const ordered_json& table = result.at("table");
    const bool is_done = text_of(result, "result") == "reloaded";
    std::string out = is_done ? "reloaded: " : "reload FAILED, nothing has changed: ";
    out += plural(number_of(table, "mappings"), "mapping");
    if (is_done)
        for (const char* const what : {"added", "removed", "changed"})
            out += ", " + grouped(number_of(result, what)) + " " + what;
    return out + ", digest " + text_of(table, "digest").substr(0, 16) + "\n" + messages_of(result);
}

std::string restart_text(const ordered_json& result) {
    const std::string process = "process " + std::to_string(number_of(result, "pid"));
    if (result.at("done").get<bool>()) return "restarted: " + process + " has taken over\n";
    return "NOT restarted, " + process + " goes on: " + text_of(result, "problem") + "\n";
}

} // namespace xlat646
