// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/circuit_probe.hpp"

#include "mapping/special_purpose.hpp"
#include "routing-hooks/route_lookup.hpp"
#include "translator/siit/icmp_tables.hpp"

#include <cerrno>
#include <cstring>
#include <net/if.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

std::string name_of(unsigned ifindex) {
    char name[IF_NAMESIZE] = {};
    return if_indextoname(ifindex, name) != nullptr ? name : "somewhere else";
}

bool is_link_local(const Ipv6Address& a) { return a.high() >> 54 == 0xfe80 >> 6; }
bool is_link_local(Ipv4Address) { return false; }

} // namespace

CircuitProbe::CircuitProbe(const Tun& tun, const Settings& settings, bool routes_are_ours)
    : tun_(tun), settings_(settings), routes_are_ours_(routes_are_ours),
      socket4_(icmp::v4::echo_reply, tun.name()), socket6_(icmp::v6::echo_request, tun.name()) {}

void CircuitProbe::say(const std::string& trouble) {
    trouble_ += (trouble_.empty() ? "" : "; ") + trouble;
}

template <class Address>
void CircuitProbe::take_source(const Address& target, Address& here, const char* family) {
    const auto route = look_up_route(routes_, target);
    const std::string where = target.to_string() + " is not routed to " + tun_.name();
    if (route.error != 0)
        say(where + ": " + std::generic_category().message(route.error) +
            (routes_are_ours_ ? " (is ignore_routes_with_linkdown set?)" : ""));
    else if (routes_are_ours_ && route.ifindex != tun_.ifindex())
        say(where + " but to " + name_of(route.ifindex));
    if (route.source && !is_hard_martian(*route.source) && !is_link_local(*route.source))
        here = *route.source;
    else if (route.error == 0)
        say(std::string("this node has no ") + family + " address to probe from");
}

const ProbePath& CircuitProbe::find_path() {
    trouble_.clear();
    path_ = {nobody4, settings_.own4, settings_.own6, {}};
    take_source(settings_.own4, path_.here4, "IPv4");
    path_.there6 = settings_.prefix.embed(path_.here4);
    take_source(path_.there6, path_.here6, "IPv6");
    return path_;
}

void CircuitProbe::begin(const EchoContent& content, bool has_carrier) {
    token_ = content.token;
    arrived6_ = arrived4_ = false;
    if (!trouble_.empty()) return;
    const auto sent = [&](int error, const std::string& what) {
        if (error != 0)
            say("cannot send a probe to " + what + ": " + std::generic_category().message(error) +
                (error == EPERM ? " (a firewall of this node?)" : ""));
    };
    sent(socket4_.send(make_echo4(icmp::v4::echo_request, content), path_.own4, &path_.here4),
         path_.own4.to_string());
    if (has_carrier) return; // the kernel answers
    // As the kernel's answer would leave, were it not for the carrier.
    sent(socket6_.send(make_echo6(icmp::v6::echo_reply, content, path_.here6, path_.there6),
                       path_.there6, &path_.here6),
         path_.there6.to_string());
}

void CircuitProbe::put(std::span<const std::uint8_t> translated) const {
    (void)!::write(tun_.queue(0), translated.data(), translated.size());
}

void CircuitProbe::collect(const RecentNonces& nonces) {
    const auto is_ours = [&](const EchoContent& c) {
        return c.token == token_ && nonces.contains(c.nonce);
    };
    socket6_.receive([&](const Ipv6Address& source, const EchoContent& content) {
        arrived6_ = arrived6_ || (source == path_.there6 && is_ours(content));
    });
    socket4_.receive([&](Ipv4Address source, const EchoContent& content) {
        arrived4_ = arrived4_ || (source == path_.own4 && is_ours(content));
    });
}

std::string CircuitProbe::why_not() const {
    if (!trouble_.empty()) return trouble_;
    if (!arrived6_)
        return "a probe from " + path_.here4.to_string() + " to " + path_.own4.to_string() +
               " does not come out of " + tun_.name() + " as one from " + path_.there6.to_string() +
               " to " + path_.here6.to_string();
    if (!arrived4_)
        return "the answer of " + path_.here6.to_string() + " to a probe does not come out of " +
               tun_.name() + " as one from " + path_.own4.to_string() + " to " +
               path_.here4.to_string();
    return {};
}

} // namespace xlat646
