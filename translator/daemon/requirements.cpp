// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/requirements.hpp"

#include "routing-hooks/route_lookup.hpp"
#include "translator/siit/icmp_tables.hpp"

#include <cerrno>
#include <linux/rtnetlink.h>
#include <system_error>

namespace xlat646 {
namespace {

/// Somewhere in the Internet, for a default route.
constexpr Ipv4Address anywhere4(0x01000001);               // 1.0.0.1
constexpr Ipv6Address anywhere6(0x2000'0000'0000'0000, 1); // 2000::1
constexpr Ipv4Address anywhere(Ipv4Address) { return anywhere4; }
constexpr Ipv6Address anywhere(const Ipv6Address&) { return anywhere6; }

/// The first of a network names the network itself in IPv4, and all its routers in IPv6.
Ipv4Address first_host(Ipv4Address a) { return Ipv4Address(a.value() + 1); }
Ipv6Address first_host(const Ipv6Address& a) { return {a.high(), a.low() + 1}; }

template <class Address> Address representative(const Prefix<Address>& prefix) {
    if (prefix.length() == 0) return anywhere(prefix.address());
    return prefix.suffix_length() < 2 ? prefix.address() : first_host(prefix.address());
}

} // namespace

Requirements::Requirements(const std::vector<Requirement>& wanted, unsigned tun) : tun_(tun) {
    for (const Requirement& r : wanted) {
        wanted_.push_back({r, false, {}});
        if (std::holds_alternative<Ipv4Address>(r) && !socket4_)
            socket4_.emplace(icmp::v4::echo_reply, "");
        if (std::holds_alternative<Ipv6Address>(r) && !socket6_)
            socket6_.emplace(icmp::v6::echo_reply, "");
    }
}

template <class Address>
void Requirements::ping(Wanted& wanted, const Address& target, const EchoSocket<Address>& socket,
                        const EchoMessage& message) {
    wanted.why_not = "no answer to pings of " + target.to_string();
    const auto route = look_up_route(routes_, target);
    if (route.error == 0 && route.ifindex == tun_) {
        // It could only answer while the carrier is on, and so never bring it back.
        wanted.why_not = target.to_string() + " is reached through the translator itself";
    } else if (const int error = socket.send(message, target, nullptr)) {
        wanted.why_not =
            "cannot ping " + target.to_string() + ": " + std::generic_category().message(error);
    }
}

template <class Address>
void Requirements::look_for_route(Wanted& wanted, const Prefix<Address>& prefix) {
    const auto route = find_route(routes_, representative(prefix));
    wanted.is_met = route.error == 0 && route.ifindex != tun_ &&
                    (route.type == RTN_UNICAST || route.type == RTN_LOCAL) &&
                    route.length >= prefix.length();
    wanted.why_not = "no route to " + prefix.to_string();
}

void Requirements::begin(const Nonce& nonce) {
    const EchoContent content{{}, nonce};
    // Raw ICMPv6 sockets fill in the checksum, whose addresses are not known here.
    const auto message4 = make_echo4(icmp::v4::echo_request, content);
    const auto message6 = make_echo6(icmp::v6::echo_request, content, {}, {});
    for (Wanted& w : wanted_) {
        w.is_met = false;
        if (const auto* a = std::get_if<Ipv4Address>(&w.what)) ping(w, *a, *socket4_, message4);
        if (const auto* a = std::get_if<Ipv6Address>(&w.what)) ping(w, *a, *socket6_, message6);
        if (const auto* p = std::get_if<Ipv4Prefix>(&w.what)) look_for_route(w, *p);
        if (const auto* p = std::get_if<Ipv6Prefix>(&w.what)) look_for_route(w, *p);
    }
}

void Requirements::collect(const RecentNonces& nonces) {
    const auto answered = [&](const auto& source, const EchoContent& content) {
        if (!nonces.contains(content.nonce)) return;
        for (Wanted& w : wanted_)
            if (w.what == Requirement(source)) w.is_met = true;
    };
    if (socket4_) socket4_->receive(answered);
    if (socket6_) socket6_->receive(answered);
}

std::string Requirements::why_not() const {
    std::string all;
    for (const Wanted& w : wanted_)
        if (!w.is_met) all += (all.empty() ? "" : "; ") + w.why_not;
    return all;
}

} // namespace xlat646
