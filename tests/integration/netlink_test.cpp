// SPDX-License-Identifier: BSD-2-Clause
//
// Links and routes against the real kernel. Every test case lives in a network namespace of its
// own, which goes with the process; nothing outside is touched. Needs root and /dev/net/tun.
// What the kernel has is read with ip(8), not with the code under test.
#include "routing-hooks/netlink.hpp"
#include "routing-hooks/route_set.hpp"
#include "routing-hooks/sysctl_check.hpp"
#include "tests/integration/netlink_lab.hpp"
#include "tests/unit/catch.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

using namespace xlat646;

namespace {

constexpr std::uint32_t main_table = 254;

NodeRoutes routes_of(const std::vector<std::string>& ipv4, const std::vector<std::string>& ipv6) {
    NodeRoutes routes;
    for (const auto& text : ipv4)
        routes.ipv4.push_back(Ipv4Prefix::parse(text).value());
    for (const auto& text : ipv6)
        routes.ipv6.push_back(Ipv6Prefix::parse(text).value());
    return routes;
}

/// "TYPE DESTINATION DEVICE METRIC" of all routes with our protocol number, both families.
std::set<std::string> kernel_routes(const std::string& table = "main") {
    std::set<std::string> routes;
    for (const char* family : {"-4", "-6"}) {
        const auto list = nlohmann::json::parse(output_of(std::string("ip -N -j -d ") + family +
                                                          " route show proto 64 table " + table));
        for (const auto& r : list) {
            const std::string type = r.value("type", "unicast");
            const bool is_unicast = type == "unicast" || type == "1";
            routes.insert((is_unicast ? "unicast " : "unreachable ") +
                          r.at("dst").get<std::string>() + " " +
                          (is_unicast ? r.at("dev").get<std::string>() : "-") + " " +
                          std::to_string(r.value("metric", 0u)));
        }
    }
    return routes;
}

/// As kernel_routes() should show it.
std::set<std::string> both(const std::vector<std::string>& destinations,
                           const std::string& device = "xlat646") {
    std::set<std::string> routes;
    for (const auto& d : destinations) {
        const bool is_ipv6 = d.find(':') != std::string::npos;
        routes.insert("unicast " + d + " " + device + (is_ipv6 ? " 1" : " 0"));
        routes.insert("unreachable " + d + " - 4278198272");
    }
    return routes;
}

std::string error_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const std::system_error& e) {
        return e.what();
    }
    return "";
}

bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

const NodeRoutes two_by_two =
    routes_of({"192.0.2.0/31", "192.0.2.254"}, {"2001:db8:46::/96", "2001:db8:46:ff::1"});
const std::vector<std::string> two_by_two_texts = {"192.0.2.0/31", "192.0.2.254",
                                                   "2001:db8:46::/96", "2001:db8:46:ff::1"};

} // namespace

TEST_CASE("DC-11 the TUN is up, large and silent") {
    const Namespace ns;
    const ReadyTun tun;
    RouteSocket socket;
    const auto link = nlohmann::json::parse(output_of("ip -j -d link show dev xlat646")).at(0);
    CHECK(link.at("mtu") == 65535);
    CHECK(link.at("inet6_addr_gen_mode") == "none");
    // GSO-09: a super-packet has at most 65535 bytes, IPv6 header included, so that its payload
    // fits IPv4's Total Length. A lower limit would make the kernel cut packets of some segment
    // sizes.
    CHECK(link.at("gso_max_size") == 65536);
    const auto flags = link.at("flags").get<std::set<std::string>>();
    CHECK(flags.count("UP") == 1);
    CHECK(flags.count("MULTICAST") == 0);
    // No address to solicit routers from, no membership to report by MLD.
    CHECK(output_of("ip -6 addr show dev xlat646").empty());
    CHECK(output_of("ip maddr show dev xlat646").find("ff02::2") == std::string::npos);

    set_link_up(socket, tun.ifindex(), false);
    CHECK(contains(output_of("ip -br link show dev xlat646"), "DOWN"));
    const std::string error = error_of([&] { prepare_tun(socket, tun.ifindex(), 70000); });
    CHECK(contains(error, "xlat646: cannot set MTU 70000"));
    CHECK(contains(error, "Invalid argument"));
    CHECK(contains(error_of([&] { set_link_up(socket, 99, true); }), "number 99"));
}

TEST_CASE("RT-12 routes and fallbacks come and go") {
    const Namespace ns;
    const ReadyTun tun;
    RouteSet routes(tun.ifindex(), main_table);
    CHECK(routes.install(two_by_two).added == 8);
    CHECK(kernel_routes() == both(two_by_two_texts));
    CHECK(contains(output_of("ip route get 192.0.2.1"), "dev xlat646"));
    CHECK(contains(output_of("ip route get 2001:db8:46::c633:640a"), "dev xlat646"));
    // Routed, but not addresses of the node (T46-24).
    CHECK(output_of("ip addr show dev xlat646").find("inet") == std::string::npos);

    const auto again = routes.install(two_by_two);
    CHECK(again.added + again.removed == 0);
    CHECK(again.unchanged == 8);

    // A reload: one address leaves, another joins; its aggregate changes.
    const auto change = routes.install(routes_of({"192.0.2.1", "192.0.2.254", "192.0.2.7"},
                                                 {"2001:db8:46::/96", "2001:db8:46:ff::1"}));
    CHECK(change.added == 4);
    CHECK(change.removed == 2);
    CHECK(change.unchanged == 6);
    CHECK(kernel_routes() ==
          both({"192.0.2.1", "192.0.2.254", "192.0.2.7", "2001:db8:46::/96", "2001:db8:46:ff::1"}));
    CHECK_FALSE(succeeds("ip route get 192.0.2.0"));

    CHECK(routes.remove(RouteSet::Keep::fallbacks) == 5);
    CHECK_FALSE(succeeds("ip route get 192.0.2.1"));
    CHECK(routes.remove() == 5);
    CHECK(kernel_routes().empty());
    CHECK(routes.remove() == 0);
}

TEST_CASE("RT-12 a destination that stays is never without a route") {
    const Namespace ns;
    const ReadyTun tun;
    RouteSet routes(tun.ifindex(), main_table);
    const NodeRoutes one = routes_of({"192.0.2.1"}, {"2001:db8:46::/96"});
    const NodeRoutes whole = routes_of({"192.0.2.0/24"}, {"2001:db8:46::/96"});
    routes.install(one);
    // Every event the kernel reports, in order: at no point may 192.0.2.1 be uncovered.
    RouteMonitor monitor;
    for (int i = 0; i < 20; ++i) {
        routes.install(whole);
        routes.install(one);
    }
    run("ip route add blackhole 203.0.113.100");
    std::set<std::string> covering = {"192.0.2.1"};
    std::size_t events = 0;
    for (;;) {
        const std::string text = monitor.next_line();
        if (text.find("203.0.113.100") != std::string::npos) break;
        if (text.find("dev xlat646") == std::string::npos) continue;
        ++events;
        const bool is_deleted = text.rfind("Deleted ", 0) == 0;
        const std::string rest = is_deleted ? text.substr(8) : text;
        const std::string destination = rest.substr(0, rest.find(' '));
        if (is_deleted) {
            covering.erase(destination);
        } else {
            covering.insert(destination);
        }
        REQUIRE_FALSE(covering.empty());
    }
    CHECK(events == 80);
}

TEST_CASE("RT-12 nothing loops while the TUN is away, and leftovers are repaired") {
    const Namespace ns;
    // A default route back to where packets come from: the loop that must not happen.
    run("ip link add up0 type veth peer name up1 && ip link set up0 up && ip link set up1 up && ip "
        "addr add 198.51.100.2/24 dev up0 "
        "&& ip route add default via 198.51.100.1 && ip addr add 2001:db8:a::2/64 dev up0 nodad "
        "&& ip -6 route add default via 2001:db8:a::1");
    CHECK(contains(output_of("ip route get 192.0.2.1"), "dev up0"));

    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        try {
            const ReadyTun tun;
            RouteSet(tun.ifindex(), main_table).install(two_by_two);
        } catch (...) {
            _exit(1);
        }
        const ReadyTun still_there("other0");
        raise(SIGKILL);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    const auto left = kernel_routes();
    CHECK(left.size() == 4);
    for (const auto& route : left)
        CHECK(route.rfind("unreachable ", 0) == 0);
    CHECK_FALSE(succeeds("ip route get 192.0.2.1"));
    CHECK_FALSE(succeeds("ip route get 2001:db8:46::c633:640a"));
    CHECK(succeeds("ip route get 192.0.2.3"));

    // The next life has another pool: what it still needs stays, the rest goes.
    const ReadyTun tun;
    RouteSet routes(tun.ifindex(), main_table);
    const auto change = routes.install(routes_of({"192.0.2.0/31"}, {"2001:db8:46::/96"}));
    CHECK(change.added == 2);
    CHECK(change.removed == 2);
    CHECK(change.unchanged == 2);
    CHECK(kernel_routes() == both({"192.0.2.0/31", "2001:db8:46::/96"}));

    SECTION("a link that went down and up is repaired by the next install") {
        run("ip link set xlat646 down && ip link set xlat646 up");
        CHECK_FALSE(succeeds("ip route get 192.0.2.1"));
        CHECK(routes.install(routes_of({"192.0.2.0/31"}, {"2001:db8:46::/96"})).added == 2);
        CHECK(succeeds("ip route get 192.0.2.1"));
    }
    SECTION("routes removed by hand are repaired by the next install") {
        run("ip route del 192.0.2.0/31 dev xlat646");
        run("ip -6 route del unreachable 2001:db8:46::/96 metric 4278198272");
        CHECK(routes.install(routes_of({"192.0.2.0/31"}, {"2001:db8:46::/96"})).added == 2);
        CHECK(kernel_routes() == both({"192.0.2.0/31", "2001:db8:46::/96"}));
    }
    SECTION("all can be removed after the TUN has gone") {
        run("ip link del xlat646");
        CHECK(routes.remove() == 2);
        CHECK(kernel_routes().empty());
    }
}

TEST_CASE("RT-12 routes of others are left alone") {
    const Namespace ns;
    const ReadyTun tun;
    RouteSet routes(tun.ifindex(), main_table);
    run("ip link add up0 type veth peer name up1 && ip link set up0 up && ip link set up1 up");

    SECTION("the same prefix with a worse metric coexists, and ours is used") {
        run("ip route add 192.0.2.0/31 dev up0 metric 100 proto bird");
        run("ip -6 route add 2001:db8:46::/96 dev up0 metric 32 proto bird");
        routes.install(two_by_two);
        CHECK(contains(output_of("ip route get 192.0.2.1"), "dev xlat646"));
        CHECK(contains(output_of("ip route get 2001:db8:46::1"), "dev xlat646"));
        routes.remove();
        CHECK(contains(output_of("ip route get 192.0.2.1"), "dev up0"));
        CHECK(contains(output_of("ip route get 2001:db8:46::1"), "dev up0"));
    }
    SECTION("the very same metric is an error that names both, and nothing is changed") {
        routes.install(routes_of({"192.0.2.9"}, {}));
        run("ip route add 192.0.2.254 dev up0 proto static");
        run("ip -6 route add blackhole 2001:db8:46:ff::1 metric 1");
        const std::string before = output_of("ip route; ip -6 route");
        NodeRoutes wanted = two_by_two;
        std::size_t count = 0;
        try {
            routes.install(wanted);
        } catch (const RouteError& e) {
            count = e.failures().size();
            CHECK(e.code() == std::errc::file_exists);
            CHECK(e.failures().at(0).route == "192.0.2.254/32 dev xlat646 proto 64");
            CHECK(e.failures().at(0).reason ==
                  "in the way is another route: 192.0.2.254/32 dev up0 proto static");
            CHECK(e.failures().at(1).route ==
                  "2001:db8:46:ff::1/128 dev xlat646 proto 64 metric 1");
            CHECK(contains(e.failures().at(1).reason, "blackhole 2001:db8:46:ff::1/128"));
        }
        CHECK(count == 2);
        CHECK(output_of("ip route; ip -6 route") == before);
    }
    SECTION("other types, devices, protocols and tables") {
        run("ip route add blackhole 203.0.113.1 proto 64");
        run("ip route add unreachable 203.0.113.2");
        run("ip route add 203.0.113.3 dev up0 proto 64");
        run("ip route add 203.0.113.4 dev xlat646");
        run("ip route add 203.0.113.5 dev xlat646 proto 64 table 100");
        const std::string before = output_of("ip route show table all | sort");
        routes.install(two_by_two);
        routes.remove();
        CHECK(output_of("ip route show table all | sort") == before);
    }
    SECTION("a second translator on the node") {
        const ReadyTun other("second");
        RouteSet others(other.ifindex(), main_table);
        others.install(routes_of({"203.0.113.0/24"}, {"2001:db8:47::/96"}));
        const auto before = kernel_routes();
        routes.install(two_by_two);
        routes.remove();
        CHECK(kernel_routes() == before);
        const NodeRoutes the_same = routes_of({"203.0.113.0/24"}, {});
        CHECK(contains(error_of([&] { routes.install(the_same); }), "dev second"));
        CHECK(kernel_routes() == before);
    }
}

TEST_CASE("RT-12 a table of its own") {
    const Namespace ns;
    const ReadyTun tun;
    RouteSet routes(tun.ifindex(), 64646);
    CHECK(routes.remove() == 0); // a table that does not exist is empty
    routes.install(two_by_two);
    CHECK(kernel_routes("64646") == both(two_by_two_texts));
    CHECK(kernel_routes().empty());
    routes.remove();
    CHECK(kernel_routes("64646").empty());
}

TEST_CASE("RT-12 routes through a link that is down fail with the kernel's reason") {
    const Namespace ns;
    const Tun tun("xlat646");
    RouteSet routes(tun.ifindex(), main_table);
    const std::string error = error_of([&] { routes.install(two_by_two); });
    CHECK(contains(error, "192.0.2.254/32 dev xlat646 proto 64: "));
    CHECK(contains(error, "is not up"));
    CHECK(kernel_routes().empty());
    RouteSet gone(99, main_table);
    CHECK(contains(error_of([&] { gone.install(two_by_two); }), "192.0.2.0/31 dev 99 proto 64: "));
    CHECK(kernel_routes().empty());
}

TEST_CASE("RT-12 the whole address space can be translated") {
    const Namespace ns;
    const ReadyTun tun;
    RouteSet routes(tun.ifindex(), main_table);
    routes.install(routes_of({"0.0.0.0/0"}, {"::/0"}));
    CHECK(kernel_routes() == std::set<std::string>{"unicast default xlat646 0",
                                                   "unicast default xlat646 1",
                                                   "unreachable default - 4278198272"});
    routes.remove();
    CHECK(kernel_routes().empty());
}

TEST_CASE("the table's name in the configuration") {
    CHECK(parse_route_table("main") == 254u);
    CHECK(parse_route_table("254") == 254u);
    CHECK(parse_route_table("4294967295") == 4294967295u);
    for (const char* bad :
         {"", "0", "255", "4294967296", "-1", "+1", " 1", "1 ", "0x10", "local"}) {
        INFO(bad);
        CHECK_FALSE(parse_route_table(bad).has_value());
    }
}

TEST_CASE("DC-12 the settings of a real kernel") {
    const Namespace ns;
    const ReadyTun tun;
    std::ofstream("/proc/sys/net/ipv4/conf/all/rp_filter") << "0\n";
    std::ofstream("/proc/sys/net/ipv4/conf/xlat646/rp_filter") << "1\n";
    std::ofstream("/proc/sys/net/ipv6/conf/all/forwarding") << "0\n";
    const auto has_wrong = [] {
        const auto findings = check_sysctls("xlat646");
        return std::any_of(findings.begin(), findings.end(),
                           [](const auto& f) { return f.fix.rfind("sysctl -w net", 0) == 0; });
    };
    CHECK(has_wrong());
    // Each command cures its finding.
    for (const auto& finding : check_sysctls("xlat646")) {
        if (finding.fix.rfind("sysctl -w ", 0) == 0) run(finding.fix);
    }
    CHECK_FALSE(has_wrong());
}

TEST_CASE("100,000 scattered routes") {
    const Namespace ns;
    const ReadyTun tun;
    RouteSet routes(tun.ifindex(), main_table);
    NodeRoutes wanted = routes_of({}, {"2001:db8:46::/96"});
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        wanted.ipv4.emplace_back(Ipv4Address(0x0a000000u + 5 * i), 32u);
    }
    const auto timed = [](const char* what, const auto& work) {
        const auto start = std::chrono::steady_clock::now();
        const auto result = work();
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        std::cout << what << ": " << seconds.count() << " s\n";
        return result;
    };
    const auto install = [&] { return routes.install(wanted); };
    CHECK(timed("install 100,001 destinations", install).added == 200'002);
    CHECK(output_of("ip -4 route show proto 64 | grep -c ' dev xlat646 '") == "100000\n");
    CHECK(timed("install again, no change", install).unchanged == 200'002);
    wanted.ipv4.erase(wanted.ipv4.begin(), wanted.ipv4.begin() + 10'000);
    CHECK(timed("install 10,000 fewer", install).removed == 20'000);

    // Somebody sits on 20,000 of them: each is reported, more than one batch of refusals.
    run("ip link add up0 type veth peer name up1 && ip link set up0 up && ip link set up1 up");
    timed("remove all", [&] { return routes.remove(); });
    RouteSet in_the_way(if_nametoindex("up0"), main_table);
    NodeRoutes some;
    some.ipv4.assign(wanted.ipv4.begin(), wanted.ipv4.begin() + 20'000);
    in_the_way.install(some);
    std::size_t failed = 0;
    try {
        timed("install with 20,000 in the way", install);
    } catch (const RouteError& e) {
        failed = e.failures().size();
    }
    CHECK(failed == 20'000); // their fallbacks are the same as ours would be
    CHECK(output_of("ip -4 route show proto 64 | grep -c ' dev xlat646 ' || true") == "0\n");
}
