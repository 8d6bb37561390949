// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/bird_config.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace xlat646 {
namespace {

constexpr const char* head =
    R"(# BIRD 2 for an xlat646 node. Made by "xlat646 bird-config": change xlat646.yaml, not this.
#
# bird.conf includes this file, and has a "protocol device" and a "router id" of its own. The other
# routers need the same type, hello, dead and password on these links, bfd where it is used here,
# and, if they are BIRD and are to use several nodes at once, "ecmp yes; merge external yes;".
)";

struct Family {
    char digit;            ///< of the names
    const char* channel;   ///< BIRD's word for the family
    const char* version;   ///< of OSPF
    const char* announces; ///< what
    bool OspfInterface::*runs;
};

constexpr Family ipv4{'4', "ipv4", "v2", "IPv4 addresses of this node", &OspfInterface::ipv4};
constexpr Family ipv6{'6', "ipv6", "v3", "Translation prefix, the Internet as servers see it",
                      &OspfInterface::ipv6};

std::string quoted(const std::string& text) {
    assert(is_bird_word(text));
    return '"' + text + '"';
}

/// Room for a reload, which adds and removes (reload_guard), and no more: what is beyond is not
/// announced. A power of two, so that few changes of the mappings change it.
std::size_t export_limit(std::size_t routes) {
    return std::max<std::size_t>(64, std::bit_ceil(2 * routes));
}

template <class Address>
std::string originate(const Family& family, const std::vector<Prefix<Address>>& prefixes,
                      const std::string& tun) {
    const std::string d(1, family.digit);
    if (prefixes.empty()) // BIRD takes no empty set
        return "\n# No address is mapped.\nfilter xlat646_export" + d +
               " { reject; }\nfilter xlat646_import" + d + " { accept; }\n";
    std::string set, routes;
    for (const Prefix<Address>& p : prefixes) {
        const std::string text = p.to_string();
        set += (set.empty() ? "" : ",\n") + ("  " + text) + '+';
        routes += "  route " + text + " via " + tun + ";\n";
    }
    return "\n# " + std::string(family.announces) + ".\ndefine XLAT646_OWN" + d + " = [\n" + set +
           "\n];\n"
           "# Only while the translator is ready (check link) and not drained.\n"
           "protocol static xlat646_v" +
           d + " {\n  disabled XLAT646_DRAIN;\n  " + family.channel + ";\n  check link yes;\n" +
           routes +
           "}\n"
           "filter xlat646_export" +
           d + " {\n  if proto != \"xlat646_v" + d + "\" || net !~ XLAT646_OWN" + d +
           " then reject;\n"
           "  ospf_metric1 = XLAT646_METRIC; # external type 1: the nearest node wins\n"
           "  ospf_tag = XLAT646_TAG;\n"
           "  accept;\n"
           "}\n"
           "# The other nodes announce the same.\n"
           "filter xlat646_import" +
           d +
           " {\n  if defined(ospf_tag) && ospf_tag = XLAT646_TAG then reject;\n"
           "  if net ~ XLAT646_OWN" +
           d + " then reject;\n  accept;\n}\n";
}

std::string interface_text(const OspfInterface& interface, const RoutingSettings& s) {
    return "    interface " + quoted(interface.name) +
           " {\n"
           "      type " +
           (interface.is_ptp ? "ptp" : "broadcast") + ";\n      cost " +
           std::to_string(interface.cost) + ";\n      hello " + std::to_string(s.hello) +
           ";\n      dead " + std::to_string(s.dead) +
           ";\n      check link yes;\n      ttl security " + (s.ttl_security ? "yes" : "tx only") +
           ";\n" + (s.bfd.enabled ? "      bfd yes;\n" : "") +
           (s.password_file.empty() ? ""
                                    : "      authentication cryptographic;\n"
                                      "      password XLAT646_PASSWORD {\n"
                                      "        id 1;\n"
                                      "        algorithm hmac sha256;\n"
                                      "      };\n") +
           "    };\n";
}

/// RT-10: no transit through the node; in OSPFv3 that would hide its own routes from strict ones.
std::string ospf(const Family& family, const RoutingSettings& s, std::size_t routes) {
    std::string interfaces;
    for (const OspfInterface& interface : s.interfaces)
        if (interface.*family.runs) interfaces += interface_text(interface, s);
    if (interfaces.empty()) return {};
    const std::string d(1, family.digit);
    return "\nprotocol ospf " + std::string(family.version) + " xlat646_ospf" + d +
           " {\n  router id " + s.router_id.to_string() + ";\n  ecmp yes;\n" +
           (family.digit == '4' ? "  stub router yes; # no transit through this node\n" : "") +
           "  " + family.channel + " {\n    import filter xlat646_import" + d +
           ";\n    export filter xlat646_export" + d + ";\n    export limit " +
           std::to_string(export_limit(routes)) + " action block;\n  };\n  area " +
           s.area.to_string() + " {\n" + interfaces + "  };\n}\n";
}

std::string bfd(const RoutingSettings& s) {
    constexpr std::uint32_t idle_ms = 300; // until the other end has been heard
    std::string names;
    for (const OspfInterface& interface : s.interfaces)
        names += (names.empty() ? "" : ", ") + quoted(interface.name);
    return "\nprotocol bfd xlat646_bfd {\n  interface " + names + " {\n    interval " +
           std::to_string(s.bfd.interval_ms) + " ms;\n    multiplier " +
           std::to_string(s.bfd.multiplier) + ";\n    idle tx interval " +
           std::to_string(std::max(idle_ms, s.bfd.interval_ms)) + " ms;\n  };\n}\n";
}

} // namespace

bool is_bird_word(std::string_view text) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789-_./+:@~,=";
    return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

std::string bird_config(const RoutingSettings& s, const std::string& tun,
                        const NodeRoutes& announced) {
    std::string out = head;
    out += "\n# One line, \"define XLAT646_DRAIN = 0;\" or 1: see xlat646 drain.\ninclude " +
           quoted(s.drain_file) + ";\n";
    if (!s.password_file.empty())
        out += "# One line, \"define XLAT646_PASSWORD = ...;\", for BIRD's eyes only.\ninclude " +
               quoted(s.password_file) + ";\n";
    out += "define XLAT646_METRIC = " + std::to_string(s.metric) +
           ";\ndefine XLAT646_TAG = " + std::to_string(s.tag) + ";\n";
    out += originate(ipv4, announced.ipv4, quoted(tun));
    out += originate(ipv6, announced.ipv6, quoted(tun));
    if (s.bfd.enabled) out += bfd(s);
    return out + ospf(ipv4, s, announced.ipv4.size()) + ospf(ipv6, s, announced.ipv6.size());
}

} // namespace xlat646
