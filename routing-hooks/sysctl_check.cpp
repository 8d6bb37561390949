// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/sysctl_check.hpp"

#include <algorithm>
#include <fstream>
#include <ifaddrs.h>
#include <optional>
#include <sys/socket.h>

namespace xlat646 {
namespace {

using Severity = SysctlFinding::Severity;

class Checker {
  public:
    explicit Checker(const std::filesystem::path& proc_sys) : proc_sys_(proc_sys) {}

    bool exists(const std::string& path) const {
        std::error_code ignored;
        return std::filesystem::exists(proc_sys_ / path, ignored);
    }

    std::optional<long> read(const std::string& path) const {
        std::ifstream file(proc_sys_ / path);
        long value = 0;
        if (file >> value) return value;
        return {};
    }

    void add(Severity severity, std::string what, std::string fix) {
        findings_.push_back({severity, std::move(what), std::move(fix)});
    }

    /// One finding unless `path` holds `wanted`.
    void require(const std::string& path, long wanted, Severity severity, const std::string& why) {
        const auto value = read(path);
        if (value == wanted) return;
        add(severity,
            name(path) + " is " + (value ? std::to_string(*value) : "not readable") + ": " + why,
            set(path, wanted));
    }

    /// How sysctl(8) writes it: dots between the parts, a slash for a dot in an interface's name.
    static std::string name(std::string path) {
        for (char& c : path)
            c = c == '/' ? '.' : c == '.' ? '/' : c;
        return path;
    }
    static std::string set(const std::string& path, long value) {
        return "sysctl -w " + name(path) + "=" + std::to_string(value);
    }

    std::vector<SysctlFinding> sorted_findings() && {
        std::stable_sort(findings_.begin(), findings_.end(),
                         [](const auto& a, const auto& b) { return a.severity < b.severity; });
        return std::move(findings_);
    }

  private:
    std::filesystem::path proc_sys_;
    std::vector<SysctlFinding> findings_;
};

void check_ipv4(Checker& c, const std::string& tun) {
    const std::string of_tun = "net/ipv4/conf/" + tun + "/";
    const std::string of_all = "net/ipv4/conf/all/";
    c.require("net/ipv4/ip_forward", 1, Severity::error, "the kernel does not forward IPv4");
    if (!c.exists(of_tun)) return;
    // ip_forward=1 sets this for all, but each can be changed afterwards.
    if (c.read("net/ipv4/ip_forward") == 1) {
        c.require(of_tun + "forwarding", 1, Severity::error,
                  "translated IPv4 packets are not forwarded");
    }
    // The kernel uses the greater of the two; 1 is strict, 2 loose.
    if (std::max(c.read(of_all + "rp_filter"), c.read(of_tun + "rp_filter")) == 1) {
        const bool by_all = c.read(of_all + "rp_filter") == 1;
        c.add(Severity::warning,
              Checker::name((by_all ? of_all : of_tun) + "rp_filter") +
                  " is 1: translated packets whose source is not routed into " + tun +
                  " are dropped",
              // 2 for the TUN overrides 1 for all without weakening the other interfaces.
              Checker::set(of_tun + "rp_filter", by_all ? 2 : 0));
    }
    // Here either of the two is enough to send.
    for (const std::string& path : {of_all + "send_redirects", of_tun + "send_redirects"}) {
        c.require(path, 0, Severity::warning,
                  "the kernel may send ICMP redirects for packets in " + tun);
    }
}

void check_ipv6(Checker& c, const std::string& tun) {
    if (!c.exists("net/ipv6")) {
        c.add(Severity::error, "IPv6 is disabled in this kernel",
              "remove ipv6.disable=1 from the kernel command line and restart the machine");
        return;
    }
    c.require("net/ipv6/conf/all/forwarding", 1, Severity::error,
              "the kernel does not forward IPv6 (where this node learns routes from router "
              "advertisements, set accept_ra=2 on that interface first)");
    const std::string disabled = "net/ipv6/conf/" + tun + "/disable_ipv6";
    if (c.exists(disabled)) {
        c.require(disabled, 0, Severity::error, "no IPv6 packet passes the translator");
    }
}

} // namespace

std::vector<SysctlFinding> check_sysctls(std::string_view tun_name,
                                         const std::filesystem::path& proc_sys) {
    Checker c(proc_sys);
    const std::string tun(tun_name);
    check_ipv4(c, tun);
    check_ipv6(c, tun);
    if (c.exists("net/netfilter/nf_conntrack_max")) {
        c.add(Severity::info,
              "connection tracking is loaded: it costs throughput, and rules that drop packets in "
              "state invalid break paths that are asymmetric",
              "nft 'add table inet xlat646; add chain inet xlat646 raw { type filter hook "
              "prerouting priority raw; }; add rule inet xlat646 raw notrack'");
    }
    return std::move(c).sorted_findings();
}

bool has_ipv4_address(const std::string& interface) {
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return false;
    bool found = false;
    for (const ifaddrs* a = all; a != nullptr; a = a->ifa_next)
        found = found || (a->ifa_addr != nullptr && a->ifa_addr->sa_family == AF_INET &&
                          interface == a->ifa_name);
    ::freeifaddrs(all);
    return found;
}

std::vector<SysctlFinding> check_fastpath_sysctls(std::string_view interface, bool has_ipv4_address,
                                                  const std::filesystem::path& proc_sys) {
    Checker c(proc_sys);
    const std::string of_ipv4 = "net/ipv4/conf/" + std::string(interface) + "/";
    const std::string of_ipv6 = "net/ipv6/conf/" + std::string(interface) + "/";
    c.require(of_ipv4 + "forwarding", 1, Severity::error,
              "translated IPv4 packets are not forwarded");
    // The kernel uses the greater of the two. A loose filter takes a source that is routed
    // elsewhere, but nothing at all from elsewhere on an interface without an IPv4 address.
    const std::string of_all = "net/ipv4/conf/all/rp_filter", of_this = of_ipv4 + "rp_filter";
    const long filter = std::max(c.read(of_all), c.read(of_this)).value_or(0);
    if (filter == 1 || (filter == 2 && !has_ipv4_address)) {
        const bool by_all = c.read(of_all).value_or(0) != 0;
        c.add(Severity::error,
              Checker::name(of_this) + " (or that of all) is " + std::to_string(filter) +
                  (has_ipv4_address ? "" : " and there is no IPv4 address") +
                  ": packets from pairs, whose IPv4 addresses are routed into the TUN, are dropped "
                  "after their translation",
              has_ipv4_address
                  ? Checker::set(of_this, 2)
                  : Checker::set(of_this, 0) + (by_all ? " " + Checker::name(of_all) + "=0" : ""));
    }
    c.require(of_ipv6 + "disable_ipv6", 0, Severity::error, "translated IPv6 packets are dropped");
    return std::move(c).sorted_findings();
}

} // namespace xlat646
