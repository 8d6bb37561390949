// SPDX-License-Identifier: BSD-2-Clause
#include "translator/stats/drop_advice.hpp"

namespace xlat646 {

// No default: the compiler notices a reason that is missing.
std::string_view advice_for(DropReason reason) {
    switch (reason) {
    case DropReason::malformed4:
    case DropReason::malformed6:
        return "A few are scans or damage on the way: nothing to do. Many from one neighbour: look "
               "at "
               "the errors of that link (ip -s link, ethtool -S) and capture there.";
    case DropReason::jumbogram:
        return "IPv4 has no packets of more than 65,535 bytes. Lower the MTU of the server that "
               "sends them.";
    case DropReason::martian4:
        return "Nobody who expects an answer has such an address: filter it at the border. If it "
               "is "
               "a host of yours, its configuration or a route is wrong.";
    case DropReason::martian6:
        return "A few with a link-local address are this node's own, when the TUN comes up: "
               "harmless. Otherwise the sender uses a wrong source address.";
    case DropReason::policy4:
        return "If these clients are to pass, name their block in policy.allow or choose another "
               "policy.profile, and restart. With 64:ff9b::/96 private addresses never pass "
               "(RFC 6052 section 3.1).";
    case DropReason::policy6:
        return "If it is a router of yours, name its block in policy.allow, and restart; without "
               "its errors path MTU discovery and traceroute may fail.";
    case DropReason::igmp:
        return "Nothing to do here. If there is much of it, find out why multicast is routed into "
               "the TUN.";
    case DropReason::v6only_proto:
    case DropReason::v4only_proto:
        return "No normal program sends this; it is a probe or an attack, or a tunnel that one "
               "side "
               "has set up wrongly. Look at the sender, and filter it if there is much of it.";
    case DropReason::no_mapping:
        return "If the server should be reachable, add its pair to the mapping file and reload; "
               "compare the digest with the other nodes'. Scans of unused addresses end here, too: "
               "then all is well.";
    case DropReason::not_for_us:
        return "Something routes more than the translation prefix into the TUN: look at ip -6 "
               "route "
               "of this node, and compare translation_prefix with what is announced inside.";
    case DropReason::own_address:
        return "Somebody scans or talks to the translator itself. Nothing to do; if it is "
               "monitoring, have it ping.";
    case DropReason::spoof:
        return "From IPv4: the source is a mapped address, so it is forged, or that server also "
               "sends by IPv4 (policy.drop_spoofed_pairs). From IPv6: the source lies in the "
               "translation prefix; look for a forger, or for translated packets that come back.";
    case DropReason::same_host:
        return "A server talks to its own public IPv4 address. Have it use its IPv6 address or "
               "localhost; look at its name resolution.";
    case DropReason::hop_limit:
        return "Some are traceroutes: nothing to do. Many for one destination are a routing loop: "
               "traceroute to it, and compare the routes of this node and of its neighbours.";
    case DropReason::source_route:
        return "Nobody needs source routes today; filter them at the border.";
    case DropReason::routing_header:
        return "The sender must not use a Routing header towards IPv4; its answer said so. Many of "
               "them are a probe or an attack.";
    case DropReason::frag_icmp:
        return "Large pings: use smaller ones (ping -s 1200). RFC 7915 does not allow to translate "
               "them.";
    case DropReason::frag_extension: return "No normal program sends this; look at the sender.";
    case DropReason::bad_fragment:
    case DropReason::tiny_fragment:
        return "An attack on whoever puts fragments together, or a broken sender. Filter the "
               "source if there is much of it.";
    case DropReason::udp_zero_checksum:
        return "If these are whole packets, policy.udp_zero_checksum: compute lets them pass. In "
               "fragments nobody can compute it: have the sender use checksums or smaller packets.";
    case DropReason::udp_length:
        return "The sender's datagram is broken; look at the program or tunnel that makes it.";
    case DropReason::icmp_malformed:
        return "Broken or cut off on the way: nothing to do. Many from one router: it sends too "
               "little of the packet that it answers.";
    case DropReason::icmp_checksum:
        return "Damage on the way, or a router that miscalculates: look where they come from.";
    case DropReason::icmp_type:
        return "Types for one link or one family only; RFC 7915 has them discarded. For ICMPv6 "
               "1/5 and 1/6 there is policy.icmpv6_policy_codes.";
    case DropReason::icmp_pointer:
        return "The field that somebody objects to does not exist in the other family: nothing to "
               "do.";
    case DropReason::icmp_nested:
        return "No host may answer an ICMP error with another one: nothing to do, or filter the "
               "source.";
    case DropReason::icmp_quote:
        return "Some are forged errors: nothing to do. If connections hang, path MTU discovery may "
               "fail: see what the routers on that path quote, and whether every node has the same "
               "mappings.";
    case DropReason::icmp_mismatch:
        return "Forged, or changed by a NAT on the way. If connections hang, look for that NAT.";
    case DropReason::icmp_extension:
        return "A router on the way writes its extension (RFC 4884) wrongly. Nothing to do here; "
               "tell its operator.";
    case DropReason::too_big:
        return "The sender is told the size that fits, and adapts. If it does not, its firewall "
               "swallows ICMP: open that, or set policy.tcp_mss_clamp: auto, or raise the MTU "
               "inside (mtu.ipv6).";
    case DropReason::hairpin:
        return "If servers are to reach each other by their IPv4 addresses, set policy.hairpin: "
               "true; better have them use IPv6.";
    case DropReason::bad_offload:
        return "The kernel or a virtual machine hands over packets that contradict themselves: "
               "tell us, with the kernel's version. tun.offload: false avoids it.";
    }
    return {};
}

} // namespace xlat646
