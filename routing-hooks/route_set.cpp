// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/route_set.hpp"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/route/route.h>
#include <tuple>

namespace xlat646 {
namespace {

// A dump that is disturbed by other changes is repeated this often. Then what was seen must do: a
// route that was hidden shows up as a conflict, and a conflict with ourselves is none.
constexpr int dump_attempts = 5;
constexpr std::size_t failures_in_summary = 5;

template <class Address> constexpr std::uint8_t family_of() {
    return Address::width == Ipv4Address::width ? AF_INET : AF_INET6;
}

/// IPv6 has no metric 0: the kernel would take it as 1024.
template <class Address> constexpr std::uint32_t tun_metric() {
    return Address::width == Ipv4Address::width ? 0 : 1;
}

/// One kernel route in our table, by what tells it from others.
template <class Address> struct Route {
    Prefix<Address> prefix;
    std::uint8_t type = RTN_UNICAST;
    std::uint32_t metric = 0;
    std::uint32_t ifindex = 0; ///< 0 for `unreachable`
    std::uint8_t protocol = RouteSet::protocol;

    friend constexpr auto operator<=>(const Route&, const Route&) = default;
};
template <class Address> using Routes = std::vector<Route<Address>>;

template <class Address>
std::optional<Route<Address>> read_route(const nlmsghdr& h, std::uint32_t table) {
    if (h.nlmsg_type != RTM_NEWROUTE || h.nlmsg_len < NLMSG_LENGTH(sizeof(rtmsg))) return {};
    rtmsg header;
    std::memcpy(&header, nlmsg_data(&h), sizeof header);
    // Routes for one TOS are other routes to the kernel, and cloned ones are cache entries.
    if (header.rtm_family != family_of<Address>() || header.rtm_dst_len > Address::width ||
        header.rtm_src_len != 0 || header.rtm_tos != 0 || (header.rtm_flags & RTM_F_CLONED) != 0) {
        return {};
    }
    nlattr* attributes[RTA_MAX + 1] = {};
    if (nlmsg_parse(const_cast<nlmsghdr*>(&h), sizeof header, attributes, RTA_MAX, nullptr) < 0) {
        return {};
    }
    const auto number = [&](int type, std::uint32_t otherwise) {
        const nlattr* a = attributes[type];
        return a && nla_len(a) >= int{sizeof(std::uint32_t)} ? nla_get_u32(a) : otherwise;
    };
    if (number(RTA_TABLE, header.rtm_table) != table) return {};
    Route<Address> route;
    typename Address::Bytes bytes{};
    if (const nlattr* a = attributes[RTA_DST]) {
        nla_memcpy(bytes.data(), const_cast<nlattr*>(a), int{sizeof bytes});
    }
    route.prefix = Prefix<Address>(Address::from_bytes(bytes), header.rtm_dst_len);
    route.type = header.rtm_type;
    route.protocol = header.rtm_protocol;
    route.metric = number(RTA_PRIORITY, 0);
    // IPv6 shows the loopback interface for `unreachable`.
    if (route.type != RTN_UNREACHABLE) route.ifindex = number(RTA_OIF, 0);
    return route;
}

template <class Address>
NetlinkMessage route_request(int type, int flags, const Route<Address>& route,
                             std::uint32_t table) {
    NetlinkMessage m = make_request(type, flags);
    rtmsg header{};
    header.rtm_family = family_of<Address>();
    header.rtm_dst_len = static_cast<unsigned char>(route.prefix.length());
    header.rtm_protocol = route.protocol;
    header.rtm_type = route.type;
    header.rtm_scope = route.type == RTN_UNICAST && family_of<Address>() == AF_INET
                           ? RT_SCOPE_LINK
                           : RT_SCOPE_UNIVERSE;
    // A route that was added with another scope by hand must go as well.
    if (type == RTM_DELROUTE) header.rtm_scope = RT_SCOPE_NOWHERE;
    append_header(*m, &header, sizeof header);
    const auto bytes = route.prefix.address().bytes();
    append_attribute(*m, RTA_DST, bytes.data(), bytes.size());
    append_u32(*m, RTA_TABLE, table);
    if (route.metric != 0) append_u32(*m, RTA_PRIORITY, route.metric);
    if (route.ifindex != 0) append_u32(*m, RTA_OIF, route.ifindex);
    return m;
}

template <class Address> std::string describe(const Route<Address>& route, std::uint32_t table) {
    char text[64] = {};
    std::string s;
    if (route.type != RTN_UNICAST)
        s = nl_rtntype2str(route.type, text, sizeof text) + std::string(" ");
    s += route.prefix.to_string();
    char name[IF_NAMESIZE] = {};
    if (route.ifindex != 0) {
        s += " dev ";
        s += if_indextoname(route.ifindex, name) ? name : std::to_string(route.ifindex);
    }
    rtnl_route_proto2str(route.protocol, text, sizeof text);
    // libnl has names for a few only and hexadecimal numbers for the rest; ip(8) writes decimal.
    s += " proto " + (std::isdigit(text[0]) != 0 ? std::to_string(route.protocol) : text);
    if (route.metric != 0) s += " metric " + std::to_string(route.metric);
    if (table != RT_TABLE_MAIN) s += " table " + std::to_string(table);
    return s;
}

/// All routes of one family in one table, of one protocol or (RTPROT_UNSPEC) of any.
template <class Address>
Routes<Address> list(RouteSocket& socket, std::uint32_t table, std::uint8_t protocol) {
    Routes<Address> routes;
    for (int attempt = 0; attempt < dump_attempts; ++attempt) {
        routes.clear();
        NetlinkMessage m = make_request(RTM_GETROUTE, 0);
        rtmsg header{};
        header.rtm_family = family_of<Address>();
        header.rtm_protocol = protocol;
        append_header(*m, &header, sizeof header);
        append_u32(*m, RTA_TABLE, table);
        const bool is_consistent = socket.dump(std::move(m), [&](const nlmsghdr& h) {
            const auto route = read_route<Address>(h, table);
            // A kernel before 4.20 does not filter.
            if (route && (protocol == RTPROT_UNSPEC || route->protocol == protocol)) {
                routes.push_back(*route);
            }
        });
        if (is_consistent) break;
    }
    std::sort(routes.begin(), routes.end());
    routes.erase(std::unique(routes.begin(), routes.end()), routes.end());
    return routes;
}

/// What of our protocol belongs to this TUN. A fallback belongs to whom its prefix belongs.
template <class Address>
Routes<Address> list_ours(RouteSocket& socket, std::uint32_t table, unsigned tun) {
    Routes<Address> all = list<Address>(socket, table, RouteSet::protocol);
    std::vector<Prefix<Address>> of_others;
    for (const auto& r : all) {
        if (r.type == RTN_UNICAST && r.ifindex != tun) of_others.push_back(r.prefix);
    }
    std::erase_if(all, [&](const Route<Address>& r) {
        if (r.type == RTN_UNICAST) return r.ifindex != tun;
        return r.type != RTN_UNREACHABLE ||
               std::binary_search(of_others.begin(), of_others.end(), r.prefix);
    });
    return all;
}

template <class Address>
Routes<Address> wanted_routes(const std::vector<Prefix<Address>>& prefixes, unsigned tun) {
    Routes<Address> routes;
    routes.reserve(prefixes.size() * 2);
    for (const auto& p : prefixes) {
        routes.push_back({p, RTN_UNICAST, tun_metric<Address>(), tun});
        routes.push_back({p, RTN_UNREACHABLE, RouteSet::fallback_metric, 0});
    }
    std::sort(routes.begin(), routes.end());
    routes.erase(std::unique(routes.begin(), routes.end()), routes.end());
    return routes;
}

template <class Address>
Routes<Address> without(const Routes<Address>& all, const Routes<Address>& excluded) {
    Routes<Address> rest;
    rest.reserve(all.size()); // at a first start all of them
    std::set_difference(all.begin(), all.end(), excluded.begin(), excluded.end(),
                        std::back_inserter(rest));
    return rest;
}

using Failures = std::vector<RouteError::Failure>;

/// Replaces "File exists" by the route that is in the way, and forgets refusals of routes that are
/// there already exactly as wanted.
template <class Address>
void explain_conflicts(RouteSocket& socket, std::uint32_t table, const Routes<Address>& routes,
                       std::vector<RouteSocket::Refusal>& refusals) {
    const auto is_conflict = [](const RouteSocket::Refusal& r) { return r.error == EEXIST; };
    if (std::none_of(refusals.begin(), refusals.end(), is_conflict)) return;
    const Routes<Address> present = list<Address>(socket, table, RTPROT_UNSPEC);
    std::erase_if(refusals, [&](RouteSocket::Refusal& refusal) {
        if (!is_conflict(refusal)) return false;
        const Route<Address>& mine = routes[refusal.index];
        if (std::binary_search(present.begin(), present.end(), mine)) return true;
        auto other = std::lower_bound(
            present.begin(), present.end(), mine.prefix,
            [](const Route<Address>& r, const Prefix<Address>& p) { return r.prefix < p; });
        for (; other != present.end() && other->prefix == mine.prefix; ++other) {
            if (other->metric != mine.metric) continue;
            refusal.text = "in the way is another route: " + describe(*other, table);
            break;
        }
        return false;
    });
}

/// 0..count-1: first every 2^k-th, then those half-way between, and so on down to every odd one. A
/// kernel's table that grows so, evenly, takes a million sorted routes in a third less time.
std::vector<std::uint32_t> coarse_to_fine(std::size_t count) {
    std::vector<std::uint32_t> order;
    order.reserve(count);
    if (count != 0) order.push_back(0);
    for (std::size_t step = std::bit_ceil(count); step != 0; step /= 2) {
        for (std::size_t i = step; i < count; i += 2 * step)
            order.push_back(static_cast<std::uint32_t>(i));
    }
    return order;
}

/// Adds sorted `routes`; on return they hold those that were added by this call.
template <class Address>
void add(RouteSocket& socket, std::uint32_t table, Routes<Address>& routes, Failures& failures) {
    const std::vector<std::uint32_t> order = coarse_to_fine(routes.size());
    auto refusals = socket.send(routes.size(), [&](std::size_t i) {
        return route_request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, routes[order[i]], table);
    });
    if (refusals.empty()) return;
    std::vector<bool> is_refused(routes.size());
    for (auto& r : refusals) {
        r.index = order[r.index];
        is_refused[r.index] = true;
    }
    std::sort(refusals.begin(), refusals.end(),
              [](const auto& a, const auto& b) { return a.index < b.index; });
    explain_conflicts(socket, table, routes, refusals);
    for (const auto& r : refusals) {
        failures.push_back({describe(routes[r.index], table), r.text, r.error});
    }
    std::size_t i = 0;
    std::erase_if(routes, [&](const Route<Address>&) { return is_refused[i++]; });
}

/// Returns how many went. One that was gone before is no failure.
template <class Address>
std::size_t remove_routes(RouteSocket& socket, std::uint32_t table, const Routes<Address>& routes,
                          Failures& failures) {
    const auto refusals = socket.send(routes.size(), [&](std::size_t i) {
        return route_request(RTM_DELROUTE, 0, routes[i], table);
    });
    for (const auto& r : refusals) {
        if (r.error == ESRCH || r.error == ENODEV || r.error == ENOENT) continue;
        failures.push_back({describe(routes[r.index], table), r.text, r.error});
    }
    return routes.size() - refusals.size();
}

void throw_if_any(const char* summary, Failures failures) {
    if (!failures.empty()) throw RouteError(summary, std::move(failures));
}

std::string summarize(const std::string& summary, const Failures& failures) {
    std::string s = summary;
    for (std::size_t i = 0; i < std::min(failures.size(), failures_in_summary); ++i) {
        s += "\n  " + failures[i].route + ": " + failures[i].reason;
    }
    if (failures.size() > failures_in_summary) {
        s += "\n  and " + std::to_string(failures.size() - failures_in_summary) + " more";
    }
    return s;
}

} // namespace

std::optional<std::uint32_t> parse_route_table(std::string_view text) noexcept {
    if (text == "main") return RT_TABLE_MAIN;
    std::uint32_t table = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), table);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    if (table == RT_TABLE_UNSPEC || table == RT_TABLE_LOCAL) return {};
    return table;
}

RouteError::RouteError(const std::string& summary, std::vector<Failure> failures)
    : std::system_error(failures.front().error, std::generic_category()),
      text_(summarize(summary, failures)), failures_(std::move(failures)) {}

RouteSet::RouteSet(unsigned tun_ifindex, std::uint32_t table)
    : tun_ifindex_(tun_ifindex), table_(table) {}

RouteSet::Change RouteSet::install(const NodeRoutes& wanted) {
    const auto wanted4 = wanted_routes(wanted.ipv4, tun_ifindex_);
    const auto wanted6 = wanted_routes(wanted.ipv6, tun_ifindex_);
    const auto present4 = list_ours<Ipv4Address>(socket_, table_, tun_ifindex_);
    const auto present6 = list_ours<Ipv6Address>(socket_, table_, tun_ifindex_);

    auto missing4 = without(wanted4, present4);
    auto missing6 = without(wanted6, present6);
    Failures failures;
    add(socket_, table_, missing4, failures);
    add(socket_, table_, missing6, failures);
    if (!failures.empty()) {
        remove_routes(socket_, table_, missing4, failures);
        remove_routes(socket_, table_, missing6, failures);
        throw RouteError("routes cannot be installed, nothing is changed", std::move(failures));
    }

    const auto stale4 = without(present4, wanted4);
    const auto stale6 = without(present6, wanted6);
    Change change;
    change.added = missing4.size() + missing6.size();
    change.removed = remove_routes(socket_, table_, stale4, failures) +
                     remove_routes(socket_, table_, stale6, failures);
    change.unchanged = present4.size() + present6.size() - stale4.size() - stale6.size();
    throw_if_any("stale routes cannot be removed", std::move(failures));
    return change;
}

std::size_t RouteSet::remove(Keep keep) {
    auto present4 = list_ours<Ipv4Address>(socket_, table_, tun_ifindex_);
    auto present6 = list_ours<Ipv6Address>(socket_, table_, tun_ifindex_);
    if (keep == Keep::fallbacks) {
        std::erase_if(present4, [](const auto& r) { return r.type == RTN_UNREACHABLE; });
        std::erase_if(present6, [](const auto& r) { return r.type == RTN_UNREACHABLE; });
    }
    Failures failures;
    const std::size_t removed = remove_routes(socket_, table_, present4, failures) +
                                remove_routes(socket_, table_, present6, failures);
    throw_if_any("routes cannot be removed", std::move(failures));
    return removed;
}

} // namespace xlat646
