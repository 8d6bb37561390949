// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/route_lookup.hpp"

#include <cstring>
#include <fstream>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sstream>
#include <sys/socket.h>

namespace xlat646 {
namespace {

template <class Address> constexpr std::uint8_t family_of() {
    return Address::width == Ipv4Address::width ? AF_INET : AF_INET6;
}

template <class Address>
FoundRoute<Address> ask(RouteSocket& socket, const Address& target, unsigned flags) {
    NetlinkMessage m = make_request(RTM_GETROUTE, 0);
    rtmsg header{};
    header.rtm_family = family_of<Address>();
    header.rtm_dst_len = Address::width;
    header.rtm_flags = flags;
    append_header(*m, &header, sizeof header);
    const auto wanted = target.bytes();
    append_attribute(*m, RTA_DST, wanted.data(), wanted.size());

    FoundRoute<Address> found;
    found.error = socket.get(std::move(m), [&](const nlmsghdr& h) {
        if (h.nlmsg_type != RTM_NEWROUTE || h.nlmsg_len < NLMSG_LENGTH(sizeof(rtmsg))) return;
        rtmsg route;
        std::memcpy(&route, nlmsg_data(&h), sizeof route);
        nlattr* attributes[RTA_MAX + 1] = {};
        if (nlmsg_parse(const_cast<nlmsghdr*>(&h), sizeof route, attributes, RTA_MAX, nullptr) < 0)
            return;
        found.type = route.rtm_type;
        found.length = route.rtm_dst_len;
        const nlattr* const out = attributes[RTA_OIF];
        if (out != nullptr && nla_len(out) >= int{sizeof found.ifindex})
            found.ifindex = nla_get_u32(out);
        typename Address::Bytes bytes{};
        nlattr* const source = attributes[RTA_PREFSRC];
        if (source == nullptr || nla_len(source) < int{sizeof bytes}) return;
        nla_memcpy(bytes.data(), source, int{sizeof bytes});
        found.source = Address::from_bytes(bytes);
    });
    return found;
}

} // namespace

FoundRoute<Ipv4Address> look_up_route(RouteSocket& socket, Ipv4Address target) {
    return ask(socket, target, 0);
}
FoundRoute<Ipv6Address> look_up_route(RouteSocket& socket, const Ipv6Address& target) {
    return ask(socket, target, 0);
}
FoundRoute<Ipv4Address> find_route(RouteSocket& socket, Ipv4Address target) {
    return ask(socket, target, RTM_F_FIB_MATCH);
}
FoundRoute<Ipv6Address> find_route(RouteSocket& socket, const Ipv6Address& target) {
    return ask(socket, target, RTM_F_FIB_MATCH);
}

std::uint64_t dropped_on_output(const std::string& interface) {
    constexpr int column = 11; // of 16 numbers, those of reception first
    std::ifstream table("/proc/thread-self/net/dev");
    for (std::string line; std::getline(table, line);) {
        const std::size_t colon = line.find(':');
        const std::size_t name = line.find_first_not_of(' ');
        if (colon == std::string::npos || line.compare(name, colon - name, interface) != 0)
            continue;
        std::istringstream numbers(line.substr(colon + 1));
        std::uint64_t number = 0;
        for (int i = 0; i <= column; ++i)
            numbers >> number;
        return numbers ? number : 0;
    }
    return 0;
}

} // namespace xlat646
