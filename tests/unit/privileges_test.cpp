// SPDX-License-Identifier: BSD-2-Clause
//
// Which user, and what it keeps; what a process then may is tests/integration/privileges_test.py.
#include "translator/daemon/privileges.hpp"

#include "tests/unit/catch.hpp"
#include "tests/unit/diagnostic_text.hpp"

#include <algorithm>
#include <linux/capability.h>

namespace xlat646 {

namespace {

const std::string head = "translation_prefix: 2001:db8:46::/96\nmapping_files: [m.yaml]\n";

Lines said(const std::string& text, Config& config) {
    Diagnostics diagnostics;
    const bool is_good = parse_config("c", head + text, config, diagnostics);
    CHECK(is_good == !has_errors(diagnostics));
    return lines_of(diagnostics);
}

Config good(const std::string& text) {
    Config config;
    INFO(text);
    REQUIRE(said(text, config) == Lines{});
    return config;
}

Accounts found(const std::string& text, const Lines& errors) {
    Accounts out;
    Diagnostics diagnostics;
    const Config config = good(text);
    const bool is_good = find_accounts("c", config, Severity::error, out, diagnostics);
    CHECK(is_good == errors.empty());
    CHECK(lines_of(diagnostics) == errors);
    return out;
}

} // namespace

TEST_CASE("privileges: names in the main file", "[config]") {
    Config config;
    CHECK(said("control_socket: \"\"\ncontrol_group: g\n", config) ==
          Lines{"c:4:16: error: control_group: there is no control_socket"});
    CHECK(said("group: g\n", config) ==
          Lines{"c:3:8: error: group: it belongs to a 'user', which is missing"});
    CHECK(said("user: \"\"\n", config) == Lines{"c:3:7: error: user: expected the name of a user"});
    CHECK(said("control_group: \"a\\0b\"\n", config) ==
          Lines{"c:3:16: error: control_group: expected the name of a group"});
    CHECK(said("user: [a]\n", config).size() == 1);
}

TEST_CASE("privileges: users and groups of this machine", "[config]") {
    CHECK_FALSE(found("", {}).daemon);
    const Accounts root = found("user: root\n", {});
    REQUIRE(root.daemon);
    CHECK(root.daemon->user == 0);
    CHECK(root.daemon->group == 0);
    CHECK_FALSE(root.control);
    const Accounts all = found("user: nobody\ngroup: daemon\ncontrol_group: bin\n", {});
    REQUIRE((all.daemon && all.control));
    CHECK(all.daemon->user == 65534);
    CHECK(all.daemon->group == 1);
    CHECK(*all.control == 2);
    for (const gid_t group : {gid_t{1}, gid_t{2}})
        CHECK(std::count(all.daemon->groups.begin(), all.daemon->groups.end(), group) == 1);
    CHECK_FALSE(found("user: nonesuch\ngroup: nobody's\ncontrol_group: no one\n",
                      {"c:5:16: error: this machine has no group 'no one'",
                       "c:3:7: error: this machine has no user 'nonesuch'",
                       "c:4:8: error: this machine has no group 'nobody's'"})
                    .daemon);
}

TEST_CASE("privileges: what is needed, and no more", "[config][SEC-09]") {
    const CapabilityMask always = capability(CAP_NET_ADMIN);
    const CapabilityMask pings = always | capability(CAP_NET_RAW);
    CHECK(needed_capabilities(good("")) == pings);
    CHECK(needed_capabilities(good("readiness: { probe: false }\n")) == always);
    CHECK(needed_capabilities(
              good("readiness: { probe: false, require: [{ route: 0.0.0.0/0 }] }\n")) == always);
    for (const char* target : {"ping4: 203.0.113.1", "ping6: \"2001:db8:6::2\""})
        CHECK(needed_capabilities(good("readiness: { probe: false, require: [{ " +
                                       std::string(target) + " }] }\n")) == pings);
    const CapabilityMask kernel =
        needed_capabilities(good("fastpath: { mode: auto, interfaces: [eth0] }\n"));
    CHECK((kernel & ~capability(CAP_SYS_ADMIN)) ==
          (pings | capability(CAP_BPF) | capability(CAP_PERFMON)));
}

} // namespace xlat646
