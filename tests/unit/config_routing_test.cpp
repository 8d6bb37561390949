// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/catch.hpp"
#include "tests/unit/diagnostic_text.hpp"
#include "translator/daemon/config.hpp"

namespace xlat646 {

namespace {

// Lines 1 and 2.
const std::string head = "translation_prefix: 2001:db8:46::/96\nmapping_files: [m.yaml]\n";
const std::string least = "router_id: 10.0.0.1, interfaces: [{ name: eth0 }]";

Lines said(const std::string& text) {
    Config config;
    Diagnostics diagnostics;
    (void)parse_config("c", head + text + "\n", config, diagnostics);
    return lines_of(diagnostics);
}

Config good(const std::string& text) {
    Config config;
    Diagnostics diagnostics;
    INFO(text);
    REQUIRE(parse_config("c", head + text + "\n", config, diagnostics));
    REQUIRE(lines_of(diagnostics) == Lines{});
    return config;
}

RoutingSettings routing(const std::string& more) {
    return good("routing: { " + least + more + " }").routing.value();
}

Lines said_of(const std::string& more) { return said("routing: { " + least + more + " }"); }

} // namespace

TEST_CASE("routing: every key of the documentation", "[config]") {
    const RoutingSettings r = good(R"(routing:
  router_id: 10.255.0.1
  area: 0.0.0.7
  interfaces:
    - { name: eth0 }
    - { name: eth1.5, cost: 100, type: broadcast, family: ipv6 }
    - { name: eth2, family: ipv4, type: ptp }
  metric: 30
  tag: 4294967295
  password_file: /etc/xlat646/ospf-password.conf
  hello: 6
  dead: 30
  ttl_security: true
  bfd: { enabled: false, interval_ms: 50, multiplier: 5 }
  pool: [192.0.2.0/24, 198.51.100.7]
  drain_file: /srv/drain.conf
  bird_socket: /run/b.ctl)")
                                  .routing.value();
    CHECK(r.router_id == Ipv4Address(0x0aff0001));
    CHECK(r.area == Ipv4Address(7));
    REQUIRE(r.interfaces.size() == 3);
    CHECK(r.interfaces[0].name == "eth0");
    CHECK(r.interfaces[0].cost == 10);
    CHECK((r.interfaces[0].is_ptp && r.interfaces[0].ipv4 && r.interfaces[0].ipv6));
    CHECK(r.interfaces[1].cost == 100);
    CHECK((!r.interfaces[1].is_ptp && !r.interfaces[1].ipv4 && r.interfaces[1].ipv6));
    CHECK((r.interfaces[2].is_ptp && r.interfaces[2].ipv4 && !r.interfaces[2].ipv6));
    CHECK(r.metric == 30);
    CHECK(r.tag == 0xffffffff);
    CHECK(r.password_file == "/etc/xlat646/ospf-password.conf");
    CHECK(r.hello == 6);
    CHECK(r.dead == 30);
    CHECK(r.ttl_security);
    CHECK_FALSE(r.bfd.enabled);
    CHECK(r.bfd.interval_ms == 50);
    CHECK(r.bfd.multiplier == 5);
    CHECK(r.pool.size() == 2);
    CHECK(r.drain_file == "/srv/drain.conf");
    CHECK(r.bird_socket == "/run/b.ctl");
    const Config c = good("routing: { " + least +
                          " }\nshutdown: { drain: true, limit: 60 }\n"
                          "hooks: { after_start: [/bin/a], after_reload: [/bin/b, \"c d\", 7],\n"
                          "  time_limit: 5 }");
    CHECK(c.shutdown.drain);
    CHECK(c.shutdown.limit == 60);
    CHECK(c.hooks.after_start == std::vector<std::string>{"/bin/a"});
    CHECK(c.hooks.after_reload == std::vector<std::string>{"/bin/b", "c d", "7"});
    CHECK(c.hooks.time_limit == 5);
}

TEST_CASE("routing: what is not written (RT-15, RT-16)", "[config]") {
    CHECK_FALSE(good("").routing.has_value());
    CHECK_FALSE(good("").shutdown.drain);
    RoutingSettings r = routing("");
    CHECK(r.hello == 1);
    CHECK(r.dead == 4);
    CHECK(r.metric == 20);
    CHECK(r.area == Ipv4Address());
    r = routing(", password_file: /p");
    CHECK(r.hello == 5);
    CHECK(r.dead == 20);
    CHECK(routing(", hello: 3").dead == 12);
    CHECK(routing(", site: primary").metric == 20);
    CHECK(routing(", site: standby").metric == 1000);
    CHECK(routing(", area: 7").area == Ipv4Address(7));
    CHECK(said_of(", password_file: /p, hello: 4") ==
          Lines{"c:3:89: warning: routing.hello: BIRD warns of replayed packets where there is a "
                "password and less than 5; bfd is the faster way"});
}

TEST_CASE("routing: errors with their places (RT-02)", "[config]") {
    const struct {
        const char* more;
        const char* expected;
    } rows[] = {
        {"site: standby, metric: 4", "86: error: routing.metric: 'site' stands for a metric; one "
                                     "of the two is enough"},
        {"metric: 65536", "71: error: routing.metric: expected a number from 1 to 65535, found "
                          "\"65536\""},
        {"hello: 5, dead: 5", "79: error: routing.dead: must be more than hello, 5"},
        {"area: x", "69: error: routing.area: expected an area like 0.0.0.1 or a number from 0 to "
                    "4294967295, found \"x\""},
        {"pool: [0.0.0.0/7]", "70: error: routing.pool: 0.0.0.0/7 is shorter than /8"},
        {"pool: [224.0.0.0/8]", "70: error: routing.pool: 224.0.0.0/8 is never forwarded"},
        {"drain_file: x", "75: error: routing.drain_file: \"x\" is not an absolute path"},
        {"password_file: \"/a\\\"; x\"",
         "78: error: routing.password_file: \"/a\\\"; x\": BIRD takes only letters, digits and - _ "
         ". / + : @ ~ , = in a path"},
        {"drain_file: /etc/*.conf",
         "75: error: routing.drain_file: \"/etc/*.conf\": BIRD takes only letters, digits and - _ "
         ". / + : @ ~ , = in a path"},
        {"bfd: { interval: 1 }", "70: error: unknown key \"interval\" in 'routing.bfd'; did you "
                                 "mean 'interval_ms'?"},
        {"tags: 1", "63: error: unknown key \"tags\" in 'routing'; did you mean 'tag'?"},
    };
    for (const auto& row : rows)
        CHECK(said_of(std::string(", ") + row.more) == Lines{std::string("c:3:") + row.expected});
    CHECK(said("routing: {}") == Lines{"c:3:10: error: 'routing.router_id' is missing",
                                       "c:3:10: error: 'routing.interfaces' is missing"});
    CHECK(said("routing: { router_id: 0.0.0.0, interfaces: [] }") ==
          Lines{"c:3:23: error: routing.router_id: \"0.0.0.0\" is not a router id (like "
                "10.255.0.1, another on each node)",
                "c:3:44: error: routing.interfaces: at least one is needed"});
    CHECK(said("routing: { router_id: 10.0.0.1, interfaces: [{ cost: 1 }, a, { name: e, names: e "
               "}, { name: e }, { name: \"x\\\"; y\" }] }") ==
          Lines{"c:3:46: error: 'routing.interfaces[0].name' is missing",
                "c:3:59: error: routing.interfaces: expected a map like { key: value } for each "
                "item, found \"a\"",
                "c:3:73: error: unknown key \"names\" in 'routing.interfaces[2]'; did you mean "
                "'name'?",
                "c:3:93: error: routing.interfaces[3].name: \"e\" is named twice",
                "c:3:106: error: routing.interfaces[4].name: \"x\\\"; y\" is not an interface "
                "name"});
}

TEST_CASE("hooks, shutdown: errors with their places", "[config]") {
    CHECK(said("hooks: { after_reload: [ls] }") ==
          Lines{"c:3:24: error: hooks.after_reload: expected a command like [/path/to/program, "
                "word, ...]"});
    CHECK(said("hooks: { after_start: [] }") ==
          Lines{"c:3:23: error: hooks.after_start: expected a command like [/path/to/program, "
                "word, ...]"});
    CHECK(said("hooks: { after_start: [/a, \"b\\0\"] }") ==
          Lines{"c:3:28: error: hooks.after_start: a word has a zero byte"});
    CHECK(said("hooks: { time_limit: 0 }") ==
          Lines{"c:3:22: error: hooks.time_limit: expected a number from 1 to 3600, found \"0\""});
    CHECK(said("shutdown: { drain: true }") ==
          Lines{"c:3:20: error: shutdown.drain: there is no section 'routing', so nothing is "
                "announced"});
    CHECK(said("shutdown: { drains: true }") ==
          Lines{"c:3:13: error: unknown key \"drains\" in 'shutdown'; did you mean 'drain'?"});
}

} // namespace xlat646
