// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/config.hpp"

#include "tests/unit/catch.hpp"
#include "tests/unit/diagnostic_text.hpp"

namespace xlat646 {

namespace {

const std::string head = "translation_prefix: 2001:db8:46::/96\nmapping_files: [m.yaml]\n";

/// What is said about `text`; lines 1 and 2 are `head`.
Lines said(const std::string& text, Config& config) {
    Diagnostics diagnostics;
    const bool good = parse_config("c", head + text, config, diagnostics);
    CHECK(good == !has_errors(diagnostics));
    return lines_of(diagnostics);
}
Lines said(const std::string& text) {
    Config config;
    return said(text, config);
}

Config good(const std::string& text) {
    Config config;
    INFO(text);
    REQUIRE(said(text, config) == Lines{});
    return config;
}

Ipv4Address ip4(const char* text) { return Ipv4Address::parse(text).value(); }
Ipv6Address ip6(const char* text) { return Ipv6Address::parse(text).value(); }

} // namespace

TEST_CASE("main file: every key of the documentation", "[config]") {
    const std::string text = R"(
translation_prefix: "2001:db8:46::/96"        # required
mapping_files: ["mapping.yaml", "mapping.d/*.yaml"]
tun: { name: siit0, queues: 0, lanes: 9, offload: false, busy_poll_us: 50, cpus: [3, 0], priority: 3, coalesce: "off" }
own_addresses: { ipv4: 192.0.2.254, ipv6: "2001:db8:46:ff::1" }
icmp_source_pool: [192.0.2.240/29]
mtu: { ipv4: 1400, ipv6: 9000, lowest_ipv6: 1300, plateaus: [1006, 65535, 1492, 1006] }
policy:
  profile: any
  unmapped: drop
  udp_zero_checksum: drop
  traffic_class: 46
  tcp_mss_clamp: 1360
  hairpin: false
  drop_spoofed_pairs: false
  icmpv6_policy_codes: true
  allow: [test-net-1]
  deny: [198.41.5.0/24, "2001:db8:5::/48"]
icmp_rate: { per_second: 1, burst: 2, per_source_per_second: 3, per_source_burst: 4 }
icmp_errors: { unreachable: false, parameter_problem: false, original_source: false,
  size_ipv4: 1260 }
routes: { install: false, table: 646 }
control_socket: /run/a.sock
control_group: operators
user: translator
group: translators
stats_segment: /run/b
fastpath: { mode: "auto", interfaces: [eth0, ens1f0.100] }
readiness: { probe: false, interval_ms: 100, failures: 2, successes: 4, watchdog_ms: 900,
  require: [{ ping4: 203.0.113.1 }, { ping6: "2001:db8:6::2" }, { route: 0.0.0.0/0 },
            { route: "2001:db8:6::/48" }] }
reload_guard: 10
)";
    Config c;
    Diagnostics diagnostics;
    REQUIRE(parse_config("c", text, c, diagnostics));
    CHECK(lines_of(diagnostics) == Lines{});
    const Settings& s = c.settings;
    CHECK(s.prefix.prefix().to_string() == "2001:db8:46::/96");
    CHECK(c.mapping_files == std::vector<std::string>{"mapping.yaml", "mapping.d/*.yaml"});
    CHECK(c.tun.name == "siit0");
    CHECK(c.tun.queues == 0);
    CHECK_FALSE(c.tun.offload);
    CHECK(c.tun.busy_poll_us == 50);
    CHECK(c.tun.lanes == 9);
    CHECK(c.tun.cpus == std::vector<std::uint32_t>{3, 0});
    CHECK(c.tun.priority == 3);
    CHECK_FALSE(c.tun.coalesce);
    CHECK(c.tun.queue_count(7) == 2);
    CHECK(s.own4 == ip4("192.0.2.254"));
    CHECK(s.own6 == ip6("2001:db8:46:ff::1"));
    REQUIRE(s.pool4.size() == 8);
    CHECK(s.pool4.front() == ip4("192.0.2.240"));
    CHECK(s.pool4.back() == ip4("192.0.2.247"));
    CHECK(s.mtu4 == 1400);
    CHECK(s.mtu6 == 9000);
    CHECK(s.lowest_ipv6_mtu == 1300);
    CHECK(s.plateaus == std::vector<std::uint16_t>{65535, 1492, 1006});
    CHECK(c.profile == Profile::any);
    CHECK(s.unmapped == UnmappedPolicy::drop);
    CHECK(s.udp_zero_checksum == UdpZeroChecksum::drop);
    CHECK(s.dscp == std::uint8_t{46});
    CHECK(s.tcp_mss_clamp.mode == MssClamp::Mode::fixed);
    CHECK(s.tcp_mss_clamp.bytes == 1360);
    CHECK_FALSE(s.hairpin);
    CHECK_FALSE(s.drop_spoofed_pairs);
    CHECK(s.map_icmpv6_policy_codes);
    CHECK(s.clients4.classify(ip4("10.0.0.1")) == AddressClass::allowed);
    CHECK(s.clients4.classify(ip4("198.41.5.1")) == AddressClass::denied);
    CHECK(s.routers6.classify(ip6("2001:db8:5::1")) == AddressClass::denied);
    CHECK(s.icmp_rate.per_second == 1);
    CHECK(s.icmp_rate.burst == 2);
    CHECK(s.icmp_rate.per_source_per_second == 3);
    CHECK(s.icmp_rate.per_source_burst == 4);
    CHECK_FALSE(s.send_unreachable);
    CHECK_FALSE(s.send_parameter_problem);
    CHECK(s.icmp4_error_size == 1260);
    CHECK_FALSE(s.append_original_source);
    CHECK_FALSE(c.routes.install);
    CHECK(c.routes.table == 646);
    CHECK(c.control_socket == "/run/a.sock");
    CHECK(c.control_group.text == "operators");
    CHECK(c.user.text == "translator");
    CHECK(c.group.text == "translators");
    CHECK(c.stats_segment == "/run/b");
    CHECK(c.fastpath.mode == FastpathMode::automatic);
    CHECK(c.fastpath.interfaces == std::vector<std::string>{"eth0", "ens1f0.100"});
    CHECK_FALSE(c.readiness.probe);
    CHECK(c.readiness.interval_ms == 100);
    CHECK(c.readiness.failures == 2);
    CHECK(c.readiness.successes == 4);
    CHECK(c.readiness.watchdog_ms == 900);
    CHECK(c.readiness.require ==
          std::vector<Requirement>{ip4("203.0.113.1"), ip6("2001:db8:6::2"),
                                   Ipv4Prefix::parse("0.0.0.0/0").value(),
                                   Ipv6Prefix::parse("2001:db8:6::/48").value()});
    CHECK(c.reload_guard == 10);
    CHECK(c.loader_rules().own4 == s.own4);
    CHECK(c.loader_rules().pool4 == s.pool4);
}

TEST_CASE("main file: defaults", "[config][F46-05][ECN-02][INN-14][HP-04][SEC-04][L4-02]") {
    const Config c = good("");
    const Settings& s = c.settings;
    CHECK(c.tun.name == "xlat646");
    CHECK(c.tun.queues == 0);
    CHECK(c.tun.queue_count(7) == 4);
    CHECK(good("tun: { queues: 7 }\n").tun.queue_count(2) == 7);
    CHECK(good("tun: { queues: 0 }\n").tun.queue_count(3) == 3);
    CHECK(good("tun: { busy_poll_us: 9 }\n").tun.queue_count(6) == 3);
    CHECK(good("tun: { busy_poll_us: 9 }\n").tun.queue_count(1) == 1);
    CHECK(good("tun: { queues: 0 }\n").tun.queue_count(7) == 4);
    CHECK(good("tun: { queues: 0 }\n").tun.queue_count(0) == 1);
    CHECK(c.tun.offload);
    CHECK(c.tun.cpus.empty());
    CHECK(c.tun.lanes == 4);
    CHECK(c.tun.coalesce);
    CHECK(s.own4 == ip4("192.0.0.8"));
    CHECK(s.own6 == ip6("2001:db8:46::c000:8"));
    CHECK(s.pool4.empty());
    CHECK(s.mtu4 == 1500);
    CHECK(s.mtu6 == 1500);
    CHECK(s.lowest_ipv6_mtu == 1280);
    CHECK(s.plateaus.size() == 11);
    CHECK(c.profile == Profile::internet);
    CHECK(s.clients4.classify(ip4("10.0.0.1")) == AddressClass::denied);
    CHECK(s.unmapped == UnmappedPolicy::reject);
    CHECK(s.hairpin);
    CHECK(s.drop_spoofed_pairs);
    CHECK(s.udp_zero_checksum == UdpZeroChecksum::compute);
    CHECK_FALSE(s.dscp.has_value());
    CHECK(s.tcp_mss_clamp.mode == MssClamp::Mode::off);
    CHECK(s.icmp_rate.per_second == 100);
    CHECK(s.icmp4_error_size == 576);
    CHECK(s.append_original_source);
    CHECK(c.routes.install);
    CHECK(c.routes.table == 254);
    CHECK(c.control_socket == "/run/xlat646/control.sock");
    CHECK(c.stats_segment == "/run/xlat646/stats");
    CHECK(c.fastpath.mode == FastpathMode::off);
    CHECK(c.readiness.probe);
    CHECK(c.readiness.interval_ms == 200);
    CHECK(c.readiness.failures == 3);
    CHECK(c.readiness.successes == 5);
    CHECK(c.readiness.watchdog_ms == 1500);
    CHECK(c.readiness.require.empty());
    CHECK(c.reload_guard == 50);
}

TEST_CASE("main file: what readiness may require", "[config][RT-28]") {
    CHECK(good("readiness: { watchdog_ms: 0 }\n").readiness.watchdog_ms == 0);
    CHECK(said("readiness: { watchdog_ms: 99, interval: 5 }\n") ==
          Lines{"c:3:27: error: readiness.watchdog_ms: less than 100 would end a process that only "
                "waits for a CPU; 0: no watchdog",
                "c:3:31: error: unknown key \"interval\" in 'readiness'; did you mean "
                "'interval_ms'?"});
    CHECK(said("readiness: { require: 203.0.113.1 }\n") ==
          Lines{"c:3:23: error: readiness.require: expected a list like [{ ping4: 203.0.113.1 }]"});
    CHECK(said("own_addresses: { ipv4: 198.41.0.1, ipv6: \"2a00::1\" }\n"
               "readiness:\n"
               "  require:\n"
               "    - 203.0.113.1\n"
               "    - { ping4: 203.0.113.1, ping6: \"2a00::2\" }\n"
               "    - { ping: 203.0.113.1 }\n"
               "    - { ping4: \"2a00::2\" }\n"
               "    - { ping6: 203.0.113.1 }\n"
               "    - { ping4: 127.0.0.1 }\n"
               "    - { ping4: 198.41.0.1 }\n"
               "    - { ping6: \"2a00::1\" }\n"
               "    - { ping6: \"2001:db8:46::1.2.3.4\" }\n"
               "    - { route: 198.41.0.1/8 }\n"
               "    - { route: [a] }\n") ==
          Lines{"c:6:7: error: readiness.require: expected { ping4: ADDRESS }, { ping6: ADDRESS } "
                "or { route: PREFIX }",
                "c:7:7: error: readiness.require: expected { ping4: ADDRESS }, { ping6: ADDRESS } "
                "or { route: PREFIX }",
                "c:8:9: error: readiness.require: unknown key \"ping\"; did you mean 'ping4'?",
                "c:9:16: error: readiness.require: \"2a00::2\" is not an IPv4 address: it is IPv6",
                "c:10:16: error: readiness.require: \"203.0.113.1\" is not an IPv6 address: it is "
                "IPv4",
                "c:11:16: error: readiness.require: 127.0.0.1 is no address of a host",
                "c:12:16: error: readiness.require: 198.41.0.1 is reached through the translator "
                "itself, which carries nothing as long as it is not ready",
                "c:13:16: error: readiness.require: 2a00::1 is reached through the translator "
                "itself, which carries nothing as long as it is not ready",
                "c:14:16: error: readiness.require: 2001:db8:46::102:304 is reached through the "
                "translator itself, which carries nothing as long as it is not ready",
                "c:15:16: error: readiness.require: \"198.41.0.1/8\" is not an IPv4 address or "
                "prefix: bits behind the prefix length are set; the prefix is 198.0.0.0/8",
                "c:16:7: error: readiness.require: expected { ping4: ADDRESS }, { ping6: ADDRESS } "
                "or { route: PREFIX }"});
}

TEST_CASE("main file: words", "[config]") {
    CHECK(good("fastpath: { mode: off }\n").fastpath.mode == FastpathMode::off);
    CHECK(good("fastpath: { mode: \"on\" }\n").fastpath.mode == FastpathMode::on);
    CHECK(good("policy: { tcp_mss_clamp: auto }\n").settings.tcp_mss_clamp.mode ==
          MssClamp::Mode::automatic);
    CHECK(good("policy: { tcp_mss_clamp: \"off\" }\n").settings.tcp_mss_clamp.mode ==
          MssClamp::Mode::off);
    CHECK(good("policy: { traffic_class: 0 }\n").settings.dscp == std::uint8_t{0});
    CHECK(good("policy: { unmapped: reject_host }\n").settings.unmapped ==
          UnmappedPolicy::reject_host);
    CHECK(good("routes: { table: main }\n").routes.table == 254);
    CHECK(good("routes: { table: 4294967295 }\n").routes.table == 4294967295u);
    CHECK(good("tun: {}\n").tun.name == "xlat646");
}

TEST_CASE("main file: one own address alone", "[config]") {
    const Settings only4 = good("own_addresses: { ipv4: 198.41.0.1 }\n").settings;
    CHECK(only4.own4 == ip4("198.41.0.1"));
    CHECK(only4.own6 == ip6("2001:db8:46::c629:1"));
    const Settings only6 = good("own_addresses: { ipv6: \"2a00::1\" }\n").settings;
    CHECK(only6.own4 == ip4("192.0.0.8"));
    CHECK(only6.own6 == ip6("2a00::1"));
}

TEST_CASE("main file: the lowest IPv6 MTU is not above the IPv6 MTU", "[config][F46-05]") {
    CHECK(good("mtu: { ipv6: 1400, lowest_ipv6: 1500 }\n").settings.lowest_ipv6_mtu == 1400);
}

TEST_CASE("main file: policy overrides", "[config][SPA-02][SPA-03][SPA-06]") {
    const Config c = good("policy:\n"
                          "  allow: [private-10, cgn, test-net-1, 2001:db8::/32]\n"
                          "  deny: [10.1.0.0/16, as112]\n");
    const auto client = [&](const char* a) { return c.settings.clients4.classify(ip4(a)); };
    CHECK(client("10.0.0.1") == AddressClass::allowed);
    CHECK(client("10.1.0.1") == AddressClass::denied);
    CHECK(client("100.64.0.1") == AddressClass::allowed);
    CHECK(client("192.0.2.1") == AddressClass::allowed);
    CHECK(client("198.51.100.1") == AddressClass::denied);
    CHECK(client("192.31.196.1") == AddressClass::denied);
    CHECK(client("127.0.0.1") == AddressClass::hard);
    CHECK(c.settings.routers6.classify(ip6("2001:db8::1")) == AddressClass::allowed);
    CHECK(c.settings.routers6.classify(ip6("3fff::1")) == AddressClass::denied);

    CHECK(said("policy:\n"
               "  allow: [10.0.0.1/8, 127.0.0.0/8, fe80::1, tset-net-1, 1.2.3, \"::1::\", [x]]\n"
               "  deny: [8.8.8.8, 127.0.0.0/8]\n") ==
          Lines{"c:4:11: error: policy.allow: \"10.0.0.1/8\" is not an IPv4 address or prefix: "
                "bits behind the prefix length are set; the prefix is 10.0.0.0/8",
                "c:4:23: error: policy.allow: 127.0.0.0/8 lies in 127.0.0.0/8 (loopback), which "
                "can never be allowed",
                "c:4:36: error: policy.allow: fe80::1/128 lies in fe80::/10 (link-local-6), which "
                "can never be allowed",
                "c:4:45: error: policy.allow: \"tset-net-1\" is neither a prefix nor the name of a "
                "block; did you mean 'test-net-1'?",
                "c:4:57: error: policy.allow: \"1.2.3\" is not an IPv4 address or prefix: 4 "
                "numbers are needed, not 3",
                "c:4:64: error: policy.allow: \"::1::\" is not an IPv6 address or prefix: '::' may "
                "stand only once",
                "c:4:73: error: policy.allow: expected one value for each item, found a list"});
    CHECK(said("policy: { allow: [192.0.2.0/24], deny: [test-net-1] }\n") ==
          Lines{"c:3:41: error: policy.deny: 192.0.2.0/24 is allowed and denied"});
}

TEST_CASE("main file: the translation prefix", "[config][A52-01][A52-02][A52-06][A52-12]") {
    const auto prefix = [](const std::string& text) {
        Config c;
        Diagnostics diagnostics;
        const bool is_good = parse_config("c",
                                          "translation_prefix: " + text + "\nmapping_files: [m]\n" +
                                              "own_addresses: { ipv4: 198.41.0.1 }\n",
                                          c, diagnostics);
        CHECK(is_good == diagnostics.empty());
        return lines_of(diagnostics);
    };
    CHECK(prefix("2001:db8:46::/96") == Lines{});
    CHECK(prefix("64:ff9b::/96") == Lines{});
    CHECK(prefix("64:ff9b:1::/96") == Lines{});
    const std::string at = "c:1:21: error: translation_prefix: ";
    for (const char* length : {"32", "40", "48", "56", "64"})
        CHECK(prefix("2001:db8::/" + std::string(length)) ==
              Lines{at + "2001:db8::/" + length + ": the length must be /96"});
    CHECK(prefix("2001:db8:1:2:100::/96") ==
          Lines{at + "2001:db8:1:2:100::/96: bits 64 to 71 must be zero (RFC 6052 section 2.2)"});
    CHECK(prefix("2001:db8::1/96") ==
          Lines{at + "\"2001:db8::1/96\" is not an IPv6 address or prefix: bits behind the prefix "
                     "length are set; the prefix is 2001:db8::/96"});
    CHECK(prefix("fe80::/96") == Lines{at + "fe80::/96 lies in fe80::/10 (link-local-6), which is "
                                            "never forwarded"});
    CHECK(prefix("[a]") == Lines{at + "expected one value, found a list"});
}

TEST_CASE("main file: the well-known prefix carries global addresses only", "[config][A52-06]") {
    Config c;
    Diagnostics diagnostics;
    CHECK(parse_config("c",
                       "translation_prefix: 64:ff9b::/96\nmapping_files: [m]\n"
                       "policy: { profile: private }\n",
                       c, diagnostics));
    CHECK(lines_of(diagnostics) ==
          Lines{"c: warning: own_addresses.ipv6: the default 64:ff9b::192.0.0.8 joins the "
                "well-known prefix with a non-global address; set another",
                "c:3:20: warning: policy.profile: non-global IPv4 addresses must not be joined "
                "with 64:ff9b::/96 (RFC 6052 section 3.1); use a prefix of your own for them"});
}

TEST_CASE("main file: own addresses and pool", "[config][S91-02]") {
    CHECK(said("own_addresses: { ipv4: 127.0.0.1, ipv6: \"ff02::1\", ip: x }\n") ==
          Lines{"c:3:24: error: own_addresses.ipv4: 127.0.0.1 is no address of a host",
                "c:3:41: error: own_addresses.ipv6: ff02::1 is no address of a host",
                "c:3:52: error: unknown key \"ip\" in 'own_addresses'; did you mean 'ipv4'?"});
    CHECK(said("own_addresses: { ipv4: 198.41.0.0/31, ipv6: \"x\" }\n") ==
          Lines{"c:3:24: error: own_addresses.ipv4: \"198.41.0.0/31\" is not an IPv4 address: a "
                "prefix length is not allowed here",
                "c:3:45: error: own_addresses.ipv6: \"x\" is not an IPv6 address: \"x\" is not a "
                "hexadecimal number"});
    CHECK(said("icmp_source_pool: [10.0.0.0/30, 100.64.0.1, 192.0.2.1]\n") ==
          Lines{"c:3:20: warning: icmp_source_pool: \"10.0.0.0/30\" is in 10.0.0.0/8 "
                "(private-10); routers with source filters drop such errors",
                "c:3:33: warning: icmp_source_pool: \"100.64.0.1\" is in 100.64.0.0/10 (cgn); "
                "routers with source filters drop such errors"});
    CHECK(said("icmp_source_pool: [224.0.0.1, 1.2.3, \"2a00::1\"]\n") ==
          Lines{"c:3:20: error: icmp_source_pool: \"224.0.0.1\" is in 224.0.0.0/4 (multicast), "
                "which is never forwarded",
                "c:3:31: error: icmp_source_pool: \"1.2.3\" is not an IPv4 address or prefix: 4 "
                "numbers are needed, not 3",
                "c:3:38: error: icmp_source_pool: \"2a00::1\" is not an IPv4 address or prefix: it "
                "is IPv6"});
    CHECK(good("icmp_source_pool: [198.40.0.0/20]\n").settings.pool4.size() == 4096);
    for (const char* pool : {"198.40.0.0/19", "0.0.0.0/0", "198.40.0.0/20, 198.41.0.0"})
        CHECK(said("icmp_source_pool: [" + std::string(pool) + "]\n")
                  .at(0)
                  .ends_with("icmp_source_pool: more than 4096 addresses in all"));
    Config c;
    CHECK(said("icmp_source_pool: [198.41.0.1, 198.41.0.0/31]\n", c) ==
          Lines{"c:3:19: warning: icmp_source_pool: some addresses are listed twice"});
    CHECK(c.settings.pool4 == std::vector{ip4("198.41.0.0"), ip4("198.41.0.1")});
}

TEST_CASE("main file: values out of range", "[config][F46-05][I46-06][G4-02][G4-09][INN-14]") {
    const struct {
        const char* text;
        const char* expected; ///< behind "c:3:"
    } rows[] = {
        {"mtu: { lowest_ipv6: 1279 }",
         "21: error: mtu.lowest_ipv6: expected a number from 1280 to 65535, found \"1279\""},
        {"mtu: { ipv6: 1279 }",
         "14: error: mtu.ipv6: expected a number from 1280 to 65535, found \"1279\""},
        {"mtu: { ipv4: 67 }",
         "14: error: mtu.ipv4: expected a number from 68 to 65535, found \"67\""},
        {"mtu: { ipv4: 99999999999 }",
         "14: error: mtu.ipv4: expected a number from 68 to 65535, found \"99999999999\""},
        {"mtu: { ipv4: \"1500\" }",
         "14: error: mtu.ipv4: expected a number from 68 to 65535 (plain), found \"1500\""},
        {"mtu: { ipv4: 01500 }",
         "14: error: mtu.ipv4: expected a number from 68 to 65535 (plain), found \"01500\""},
        {"mtu: { ipv4: 1.5e3 }",
         "14: error: mtu.ipv4: expected a number from 68 to 65535, found \"1.5e3\""},
        {"mtu: { ipv4: -1 }",
         "14: error: mtu.ipv4: expected a number from 68 to 65535, found \"-1\""},
        {"mtu: { ipv4: [1] }", "14: error: mtu.ipv4: expected one value, found a list"},
        {"mtu: { ipv4: }", "8: error: mtu.ipv4: no value"},
        {"mtu: { plateaus: [] }", "18: error: mtu.plateaus: at least one number is needed"},
        {"mtu: { plateaus: [67] }",
         "19: error: mtu.plateaus: expected a number from 68 to 65535, found \"67\""},
        {"tun: { queues: 65 }",
         "16: error: tun.queues: expected a number from 0 to 64, found \"65\""},
        {"tun: { lanes: 0 }", "15: error: tun.lanes: expected a number from 1 to 16, found \"0\""},
        {"tun: { cpus: [] }", "14: error: tun.cpus: expected 1 to 64 CPUs"},
        {"tun: { cpus: [1024] }",
         "15: error: tun.cpus: expected a number from 0 to 1023, found \"1024\""},
        {"tun: { cpus: [-1] }", "15: error: tun.cpus: expected a number from 0 to 1023, found "
                                "\"-1\""},
        {"tun: { cpus: 1 }", "14: error: tun.cpus: expected a list like [a, b], found \"1\""},
        {"tun: { queues: 1, cpus: [0, 1] }",
         "25: error: tun.cpus: one CPU for each queue is needed: 2 for 1 (tun.queues)"},
        {"tun: { queues: 2, cpus: [1, 1] }", "29: error: tun.cpus: CPU 1 is named twice"},
        {"tun: { coalesce: on }", "18: error: tun.coalesce: expected auto or off, found \"on\""},
        {"tun: { name: a/b }", "14: error: tun.name: \"a/b\" is not an interface name (1 to 15 "
                               "letters, digits, '-', '_', '.')"},
        {"tun: { name: abcdefghijklmnop }",
         "14: error: tun.name: \"abcdefghijklmnop\" is not an interface name (1 to 15 letters, "
         "digits, '-', '_', '.')"},
        {"tun: { name: tun%d }", "14: error: tun.name: \"tun%d\" is not an interface name (1 to 15 "
                                 "letters, digits, '-', '_', '.')"},
        {"tun: { offload: yes }",
         "17: error: tun.offload: expected true or false (without quotes), found \"yes\""},
        {"tun: { offload: \"true\" }",
         "17: error: tun.offload: expected true or false (without quotes), found \"true\""},
        {"tun: [a]", "6: error: tun: expected a map like { key: value }, found a list"},
        {"tun: { que: 1 }", "8: error: unknown key \"que\" in 'tun'; did you mean 'queues'?"},
        {"policy: { profile: public }",
         "20: error: policy.profile: expected internet, private or any, found \"public\""},
        {"policy: { unmapped: no }",
         "21: error: policy.unmapped: expected reject, reject_host or drop, found \"no\""},
        {"policy: { traffic_class: 64 }",
         "26: error: policy.traffic_class: expected copy or a number from 0 to 63, found \"64\""},
        {"policy: { tcp_mss_clamp: 535 }", "26: error: policy.tcp_mss_clamp: expected off, auto or "
                                           "a number from 536 to 65495, found \"535\""},
        {"policy: { tcp_mss_clamp: 65496 }", "26: error: policy.tcp_mss_clamp: expected off, auto "
                                             "or a number from 536 to 65495, found \"65496\""},
        {"icmp_rate: { burst: 0 }",
         "21: error: icmp_rate.burst: expected a number from 1 to 1000000, found \"0\""},
        {"icmp_errors: { size_ipv4: 575 }",
         "27: error: icmp_errors.size_ipv4: expected a number from 576 to 1260, found \"575\""},
        {"icmp_errors: { too_big: false }", "16: error: unknown key \"too_big\" in 'icmp_errors'"},
        {"routes: { table: 0 }",
         "18: error: routes.table: expected main or a number from 1 to 4294967295, found \"0\""},
        {"routes: { table: 255 }",
         "18: error: routes.table: table 255 (local) belongs to the kernel"},
        {"control_socket: run/x", "17: error: control_socket: \"run/x\" is not an absolute path"},
        {"stats_segment: \"\"", "16: error: stats_segment: \"\" is not an absolute path"},
        {"fastpath: { mode: maybe }",
         "19: error: fastpath.mode: expected off, auto or on, found \"maybe\""},
        {"fastpath: { interfaces: [\"eth 0\"] }",
         "26: error: fastpath.interfaces: \"eth 0\" is not an interface name (1 to 15 letters, "
         "digits, '-', '_', '.')"},
        {"reload_guard: 101",
         "15: error: reload_guard: expected a number from 0 to 100, found \"101\""},
        {"fast_path: {}", "1: error: unknown key \"fast_path\"; did you mean 'fastpath'?"},
        {"? [a]\n: b", "3: error: a key must be a word"},
        {": b", "1: error: a key is missing"},
        {"tun: &a {}", "6: error: anchors (&name) are not supported"},
    };
    for (const auto& row : rows)
        CHECK(said(std::string(row.text) + "\n") == Lines{std::string("c:3:") + row.expected});
    CHECK(said("control_socket: \"\"\n").empty()); // none at all
    CHECK(said("control_socket: /" + std::string(107, 'x') + "\n") ==
          Lines{"c:3:17: error: control_socket: longer than 107 bytes"});
}

TEST_CASE("main file: everything is reported at once", "[config]") {
    Config c;
    Diagnostics diagnostics;
    CHECK_FALSE(parse_config("c",
                             "mapping_file: x\ntun: { queues: x }\npolicy: { hairpin: 1 }\n"
                             "tun: { name: \"\" }\n",
                             c, diagnostics));
    CHECK(lines_of(diagnostics) ==
          Lines{"c: error: 'translation_prefix' is missing", "c: error: 'mapping_files' is missing",
                "c:1:1: error: unknown key \"mapping_file\"; did you mean 'mapping_files'?",
                "c:2:16: error: tun.queues: expected a number from 0 to 64, found \"x\"",
                "c:3:20: error: policy.hairpin: expected true or false (without quotes), found "
                "\"1\"",
                "c:4:1: error: duplicate key \"tun\"", "c:2:1: note: first given here"});
}

TEST_CASE("main file: not a document", "[config]") {
    const struct {
        const char* text;
        const char* expected;
    } rows[] = {
        {"", "c: error: the file is empty"},
        {"---\n", "c: error: the file has no content"},
        {"[a]", "c:1:1: error: expected keys like 'translation_prefix: ...'"},
        {"a: \xff", "c:1:4: error: not UTF-8 (byte 0xFF); save the file as UTF-8"},
    };
    for (const auto& row : rows) {
        Config c;
        Diagnostics diagnostics;
        CHECK_FALSE(parse_config("c", row.text, c, diagnostics));
        CHECK(lines_of(diagnostics) == Lines{row.expected});
    }
    Config c;
    Diagnostics diagnostics;
    CHECK_FALSE(parse_config("c", head + std::string(1 << 20, '#'), c, diagnostics));
    CHECK(lines_of(diagnostics).at(0).starts_with("c: error: too large"));
}

} // namespace xlat646
