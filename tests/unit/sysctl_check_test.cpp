// SPDX-License-Identifier: BSD-2-Clause
// DC-12: the start-up check prints what is wrong.
#include "routing-hooks/sysctl_check.hpp"
#include "tests/unit/catch.hpp"

#include <cstdlib>
#include <fstream>

using namespace xlat646;
using Severity = SysctlFinding::Severity;

namespace {

/// A /proc/sys of our own, as a healthy node has it.
class FakeSysctls {
  public:
    explicit FakeSysctls(const std::string& tun = "xlat646") {
        std::string path = (std::filesystem::temp_directory_path() / "sysctl-XXXXXX").string();
        if (!mkdtemp(path.data())) throw std::runtime_error("mkdtemp failed");
        root = path;
        set("net/ipv4/ip_forward", "1");
        for (const std::string& device : {std::string("all"), tun}) {
            set("net/ipv4/conf/" + device + "/forwarding", "1");
            set("net/ipv4/conf/" + device + "/rp_filter", "0");
            set("net/ipv4/conf/" + device + "/send_redirects", "0");
            set("net/ipv6/conf/" + device + "/forwarding", "1");
            set("net/ipv6/conf/" + device + "/disable_ipv6", "0");
        }
    }
    FakeSysctls(const FakeSysctls&) = delete;
    FakeSysctls& operator=(const FakeSysctls&) = delete;
    ~FakeSysctls() { std::filesystem::remove_all(root); }

    void set(const std::string& path, const std::string& value) const {
        std::filesystem::create_directories((root / path).parent_path());
        std::ofstream(root / path) << value << '\n';
    }

    std::filesystem::path root;
};

SysctlFinding only_finding(const FakeSysctls& sysctls, const std::string& tun = "xlat646") {
    const auto findings = check_sysctls(tun, sysctls.root);
    REQUIRE(findings.size() == 1);
    return findings.front();
}

} // namespace

TEST_CASE("DC-12 a healthy node has no findings") {
    const FakeSysctls sysctls;
    CHECK(check_sysctls("xlat646", sysctls.root).empty());
}

TEST_CASE("DC-12 each wrong setting is named with its cure") {
    struct Row {
        const char* path;
        const char* value;
        Severity severity;
        const char* fix;
    };
    const Row rows[] = {
        {"net/ipv4/ip_forward", "0", Severity::error, "sysctl -w net.ipv4.ip_forward=1"},
        {"net/ipv4/conf/xlat646/forwarding", "0", Severity::error,
         "sysctl -w net.ipv4.conf.xlat646.forwarding=1"},
        {"net/ipv4/conf/xlat646/rp_filter", "1", Severity::warning,
         "sysctl -w net.ipv4.conf.xlat646.rp_filter=0"},
        {"net/ipv4/conf/all/rp_filter", "1", Severity::warning,
         "sysctl -w net.ipv4.conf.xlat646.rp_filter=2"},
        {"net/ipv4/conf/all/send_redirects", "1", Severity::warning,
         "sysctl -w net.ipv4.conf.all.send_redirects=0"},
        {"net/ipv4/conf/xlat646/send_redirects", "1", Severity::warning,
         "sysctl -w net.ipv4.conf.xlat646.send_redirects=0"},
        {"net/ipv6/conf/all/forwarding", "0", Severity::error,
         "sysctl -w net.ipv6.conf.all.forwarding=1"},
        {"net/ipv6/conf/xlat646/disable_ipv6", "1", Severity::error,
         "sysctl -w net.ipv6.conf.xlat646.disable_ipv6=0"},
    };
    for (const Row& row : rows) {
        INFO(row.path);
        const FakeSysctls sysctls;
        sysctls.set(row.path, row.value);
        const auto finding = only_finding(sysctls);
        CHECK(finding.severity == row.severity);
        CHECK(finding.fix == row.fix);
        CHECK(finding.what.find(" is " + std::string(row.value)) != std::string::npos);
    }
}

TEST_CASE("DC-12 the greater rp_filter counts") {
    const FakeSysctls sysctls;
    sysctls.set("net/ipv4/conf/all/rp_filter", "1");
    sysctls.set("net/ipv4/conf/xlat646/rp_filter", "2");
    CHECK(check_sysctls("xlat646", sysctls.root).empty());
    sysctls.set("net/ipv4/conf/all/rp_filter", "2");
    sysctls.set("net/ipv4/conf/xlat646/rp_filter", "1");
    CHECK(check_sysctls("xlat646", sysctls.root).empty());
}

TEST_CASE("DC-12 an interface name with a dot gives a command that works") {
    const FakeSysctls sysctls("tun.46");
    sysctls.set("net/ipv4/conf/tun.46/rp_filter", "1");
    CHECK(only_finding(sysctls, "tun.46").fix == "sysctl -w net.ipv4.conf.tun/46.rp_filter=0");
}

TEST_CASE("DC-12 connection tracking is worth a line, errors come before it") {
    const FakeSysctls sysctls;
    sysctls.set("net/netfilter/nf_conntrack_max", "65536");
    CHECK(only_finding(sysctls).severity == Severity::info);
    sysctls.set("net/ipv6/conf/all/forwarding", "0");
    const auto findings = check_sysctls("xlat646", sysctls.root);
    REQUIRE(findings.size() == 2);
    CHECK(findings.front().severity == Severity::error);
}

TEST_CASE("DC-12 settings that cannot be read are findings, not crashes") {
    SECTION("nothing is there") {
        const FakeSysctls sysctls;
        const auto findings = check_sysctls("xlat646", sysctls.root / "absent");
        REQUIRE(findings.size() == 2);
        CHECK(findings[0].what.find("not readable") != std::string::npos);
        CHECK(findings[1].what.find("IPv6 is disabled") != std::string::npos);
    }
    SECTION("no number") {
        const FakeSysctls sysctls;
        sysctls.set("net/ipv4/ip_forward", "yes");
        CHECK(only_finding(sysctls).what.find("not readable") != std::string::npos);
    }
    SECTION("the TUN does not exist yet") {
        const FakeSysctls sysctls;
        CHECK(check_sysctls("other0", sysctls.root).empty());
    }
}

TEST_CASE("an interface with the fast path receives what is translated") {
    const FakeSysctls sysctls("eth0.10");
    bool has_address = true;
    const auto findings = [&] {
        return check_fastpath_sysctls("eth0.10", has_address, sysctls.root);
    };
    CHECK(findings().empty());
    struct Row {
        const char* path;
        const char* value;
        const char* fix;
    };
    const Row rows[] = {
        {"net/ipv4/conf/eth0.10/rp_filter", "1", "sysctl -w net.ipv4.conf.eth0/10.rp_filter=2"},
        {"net/ipv4/conf/all/rp_filter", "1", "sysctl -w net.ipv4.conf.eth0/10.rp_filter=2"},
        {"net/ipv4/conf/eth0.10/forwarding", "0", "sysctl -w net.ipv4.conf.eth0/10.forwarding=1"},
        {"net/ipv6/conf/eth0.10/disable_ipv6", "1",
         "sysctl -w net.ipv6.conf.eth0/10.disable_ipv6=0"}};
    for (const Row& row : rows) {
        CAPTURE(row.path);
        const std::string healthy =
            std::string(row.path).find("forwarding") != std::string::npos ? "1" : "0";
        sysctls.set(row.path, row.value);
        const auto found = findings();
        REQUIRE(found.size() == 1);
        CHECK(found[0].severity == Severity::error);
        CHECK(found[0].fix == row.fix);
        sysctls.set(row.path, healthy);
    }
    // 2 for the interface overrides 1 for all.
    sysctls.set("net/ipv4/conf/all/rp_filter", "1");
    sysctls.set("net/ipv4/conf/eth0.10/rp_filter", "2");
    CHECK(findings().empty());

    // But not where there is no IPv4 address.
    has_address = false;
    const auto fix = [&](const char* all, const char* this_one) {
        sysctls.set("net/ipv4/conf/all/rp_filter", all);
        sysctls.set("net/ipv4/conf/eth0.10/rp_filter", this_one);
        const auto found = findings();
        return found.empty() ? "" : found.front().fix;
    };
    const std::string own = "sysctl -w net.ipv4.conf.eth0/10.rp_filter=0";
    const std::string both = own + " net.ipv4.conf.all.rp_filter=0";
    CHECK(fix("0", "2") == own);
    CHECK(fix("0", "1") == own);
    CHECK(fix("2", "0") == both);
    CHECK(fix("1", "2") == both);
    CHECK(fix("0", "0").empty());
}
