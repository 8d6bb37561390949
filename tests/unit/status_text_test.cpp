// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/status_text.hpp"

#include "tests/unit/catch.hpp"
#include "translator/daemon/report.hpp"
#include "translator/daemon/status_report.hpp"

#include <nlohmann/json.hpp>

namespace xlat646 {

namespace {

using nlohmann::ordered_json;

ordered_json quiet_counters() {
    ordered_json counters = counters_json({}, nullptr); // the daemon's own keys
    counters["probes"] = {{"sent", 1000}, {"answered", 996}, {"failed", 3}, {"excused", 1}};
    return counters;
}

ordered_json example() {
    ordered_json counters = quiet_counters();
    counters["v4_to_v6"]["received"] = 1234567;
    counters["v4_to_v6"]["rejected"]["no_mapping"] = 5;
    counters["v4_to_v6"]["dropped"]["no_mapping"] = 2;
    counters["v6_to_v4"]["dropped"]["spoof"] = 1000;
    counters["v6_to_v4"]["dropped"]["from_the_future"] = 1;
    return {{"version", "1.2.3"},
            {"pid", 646},
            {"uptime_seconds", 11530},
            {"config", "/etc/x\x1b[2J.yaml"},
            {"translation_prefix", "2001:db8:46::/96"},
            {"table", {{"mappings", 1}, {"digest", std::string(64, 'd')}, {"generation", 3}}},
            {"last_reload", nullptr},
            {"readiness",
             {{"ready", true},
              {"why_not", ""},
              {"since", "2026-11-22T11:15:22Z"},
              {"seconds", 75},
              {"withdrawals", 1}}},
            {"tun", {{"name", "xlat646"}, {"queues", 2}, {"offload", "off"}}},
            {"fastpath",
             {{"mode", "off"},
              {"runs", false},
              {"why_not", ""},
              {"interfaces", ordered_json::array()}}},
            {"routing", nullptr},
            {"hooks", ordered_json::array()},
            {"counters", std::move(counters)}};
}

void has(const std::string& text, const std::string& part) {
    INFO(text << "\n--- should contain: " << part);
    CHECK(text.find(part) != std::string::npos);
}

} // namespace

TEST_CASE("status text: the whole of a quiet one", "[status]") {
    ordered_json status = example();
    status["counters"] = quiet_counters();
    CHECK(status_text(status) ==
          "xlat646d         1.2.3, up 3 h 12 min, process 646\n"
          "ready            yes, since 2026-11-22T11:15:22Z (1 min 15 s), 1 withdrawal\n"
          "probes           1,000 sent, 996 answered, 3 failed, 1 lost in full queues\n"
          "configuration    /etc/x?[2J.yaml\n" // no control character reaches the terminal
          "prefix           2001:db8:46::/96\n"
          "table            1 mapping, generation 3, digest dddddddddddddddd\n"
          "last reload      none since the start\n"
          "TUN              xlat646, 2 queues, offload: off\n"
          "fast path        off\n"
          "\n"
          "packets                       IPv4 to IPv6          IPv6 to IPv4\n"
          "received                                 0                     0\n"
          "forwarded                                0                     0\n"
          "pings answered                           0                     0\n"
          "rejected                                 0                     0\n"
          "dropped                                  0                     0\n"
          "bytes received                           0                     0\n"
          "bytes forwarded                          0                     0\n");
}

TEST_CASE("status text: draining and hooks", "[status]") {
    ordered_json status = example();
    ordered_json& routing = status["routing"];
    routing = {{"draining", false}, {"by", nullptr}, {"problem", ""}};
    has(status_text(status), "\nrouting          not drained\n\n");
    routing["draining"] = true;
    routing["by"] = "operator";
    has(status_text(status), "\nrouting          DRAINING, by the operator\n\n");
    routing["problem"] = "/a\x1b: not allowed";
    has(status_text(status), "\nrouting          UNKNOWN: /a?: not allowed\n\n");

    ordered_json hook = {{"event", "after_reload"},
                         {"runs", 1},
                         {"failures", 0},
                         {"running", true},
                         {"last", nullptr}};
    status["hooks"].push_back(hook);
    has(status_text(status), "\nhook after_reload 1 run, 0 failed, running now\n\n");
    hook["running"] = false;
    hook["last"] = {{"good", true}, {"result", ""}, {"said", "x"}, {"seconds_ago", 61}};
    status["hooks"][0] = hook;
    has(status_text(status),
        "\nhook after_reload 1 run, 0 failed; the last was good, 1 min 1 s ago\n\n");
    hook["failures"] = 1;
    hook["last"]["good"] = false;
    hook["last"]["result"] = "exit status 1";
    status["hooks"][0] = hook;
    has(status_text(status),
        "\nhook after_reload 1 run, 1 failed; the last FAILED 1 min 1 s ago: exit status 1\n"
        "                 x\n\n");
}

TEST_CASE("status text: why the node is not ready", "[status]") {
    ordered_json status = example();
    status["readiness"]["ready"] = false;
    status["readiness"]["why_not"] = "no route to\x1b 0.0.0.0/0";
    has(status_text(status), "\nready            NO, since 2026-11-22T11:15:22Z (1 min 15 s), "
                             "no carrier: no route to? 0.0.0.0/0\n");
}

TEST_CASE("status text: why packets were discarded", "[status]") {
    const std::string text = status_text(example());
    has(text, "received                         1,234,567                     0\n");
    has(text, "rejected                                 5                     0\n");
    has(text, "dropped                                  2                 1,001\n");
    has(text, "\n\ndiscarded                     IPv4 to IPv6          IPv6 to IPv4\n"
              "spoof                                    0                 1,000\n"
              "    The source address is one that cannot come from that side.\n"
              "no_mapping                               7                     0\n"
              "    No explicit address mapping exists for the server's address.\n"
              "from_the_future                          0                     1\n");
}

TEST_CASE("status text: a reload that failed", "[status]") {
    ReloadResult result;
    result.at -= std::chrono::seconds(125);
    result.say({{Severity::error, "mapping.yaml", 3, 5, "bad\x07 thing"}});
    for (int i = 0; i < 60; ++i)
        result.say(std::string(1000, 'x'));
    ordered_json status = example();
    status["last_reload"] = to_json(result);
    const std::string text = status_text(status);
    has(text, "last reload      FAILED 2 min 5 s ago, at " + utc_text(result.at) +
                  "; the table before it stays\n  mapping.yaml:3:5: error: bad? thing\n  xxx");
    has(text, "  and 11 messages more, in the log\n");
    CHECK(text.size() < 40000);

    ordered_json answer = to_json(ReloadResult{});
    answer["table"] = status["table"];
    CHECK(reload_text(answer) ==
          "reload FAILED, nothing has changed: 1 mapping, digest dddddddddddddddd\n");
}

TEST_CASE("status text: a reload that went well", "[status]") {
    ReloadResult result;
    result.is_done = true;
    result.is_forced = true;
    result.diff.added = 1000;
    result.diff.removed = 2;
    result.diff.readdressed = 3;
    result.diff.relabelled = 4;
    result.say("warning: look");
    ordered_json status = example();
    status["last_reload"] = to_json(result);
    has(status_text(status), ", forced: 1000 added, 2 removed, 7 changed\n  warning: look\n");
    ordered_json answer = to_json(result);
    answer["table"] = status["table"];
    CHECK(reload_text(answer) == "reloaded: 1 mapping, 1,000 added, 2 removed, 7 changed, digest "
                                 "dddddddddddddddd\n  warning: look\n");
}

TEST_CASE("status text: the fast path, interface by interface", "[status]") {
    ordered_json status = example();
    status["fastpath"] = {{"mode", "auto"},
                          {"runs", true},
                          {"why_not", ""},
                          {"interfaces",
                           {to_json(FastpathUplink{"eth0", FastpathHook::tcx, {}}),
                            to_json(FastpathUplink{"eth1", FastpathHook::clsact, {}}),
                            to_json(FastpathUplink{"eth2", std::nullopt, "no interface eth2"})}}};
    ordered_json alone;
    for (const char* const protocol : {"tcp", "udp", "icmp"})
        alone[protocol] = {{"packets", 10}, {"bytes", 1000}};
    status["counters"]["fastpath"] = {{"v4_to_v6", alone}, {"v6_to_v4", alone}};
    const std::string text = status_text(status);
    has(text, "fast path        auto\n"
              "  eth0           attached by tcx\n"
              "  eth1           attached by clsact\n"
              "  eth2           NOT attached: no interface eth2\n");
    has(text, "  by the fast path                      30                    30\n");
    status["fastpath"]["why_not"] = "the kernel refuses";
    has(status_text(status), "fast path        auto, NOT RUNNING: the kernel refuses\n");
}

TEST_CASE("status text: an answer without some part is refused", "[status]") {
    const ordered_json whole = example();
    for (const auto& [key, value] : whole.items()) {
        ordered_json part = whole;
        part.erase(key);
        CHECK_THROWS_AS(status_text(part), nlohmann::json::exception);
    }
    CHECK_THROWS_AS(status_text("text"), nlohmann::json::exception);
}

} // namespace xlat646
