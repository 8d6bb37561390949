// SPDX-License-Identifier: BSD-2-Clause
#include "tests/fuzz/packet_checks.hpp"

#include <array>

namespace xlat646::fuzz {
namespace {

/// Twenty errors per second of the limit of variant 2, whatever the time of day.
std::uint64_t fuzz_clock() {
    static std::uint64_t now = 0;
    return now += 50;
}

void add_pair(MappingList& list, const char* ipv4, const char* ipv6) {
    Eam m;
    m.ipv4 = Ipv4Prefix::parse(ipv4).value();
    m.ipv6 = Ipv6Prefix::parse(ipv6).value();
    list.mappings.push_back(m);
}

void make(Variant& v, std::size_t number) {
    Settings& s = v.settings;
    // Addresses of the golden rows, so that these are good seeds.
    s.prefix = *TranslationPrefix::from(
        *Ipv6Prefix::parse(number == 3 ? "64:ff9b::/96" : "2001:db8:64::/96"));
    s.own4 = *Ipv4Address::parse("203.0.113.1");
    s.own6 = *Ipv6Address::parse("2001:db8:ffff::1");
    s.pool4 = {*Ipv4Address::parse("203.0.113.65")};
    s.clients4 = Ipv4Classifier(Profile::any);
    s.routers6 = Ipv6Classifier(Profile::any);
    s.icmp_rate.per_second = 0;
    s.secrets = {1, 2, 3, 4};
    s.now_ms = fuzz_clock;
    switch (number) {
    case 1: // small links, checksums refused
        s.mtu4 = 576;
        s.mtu6 = 1280;
        s.udp_zero_checksum = UdpZeroChecksum::drop;
        s.pool4.clear();
        break;
    case 2: // strict, and rate limits at work
        s.clients4 = Ipv4Classifier(Profile::internet);
        s.routers6 = Ipv6Classifier(Profile::internet);
        s.icmp_rate = {};
        s.unmapped = UnmappedPolicy::reject_host;
        s.append_original_source = true;
        break;
    case 4: // everything rewritten
        s.dscp = std::uint8_t{46};
        s.tcp_mss_clamp = {MssClamp::Mode::fixed, 1220};
        s.hairpin = false;
        s.drop_spoofed_pairs = false;
        s.map_icmpv6_policy_codes = true;
        s.unmapped = UnmappedPolicy::drop;
        s.icmp4_error_size = 1260;
        s.append_original_source = true;
        break;
    case 5: // large links
        s.mtu4 = 40000;
        s.mtu6 = 9000;
        s.lowest_ipv6_mtu = 9000;
        s.tcp_mss_clamp.mode = MssClamp::Mode::automatic;
        s.send_unreachable = false;
        s.send_parameter_problem = false;
        s.drop_spoofed_pairs = false;
        break;
    case 6: // the smallest IPv4 link there is
        s.mtu4 = 68;
        s.lowest_ipv6_mtu = 1500;
        break;
    default: break;
    }
    MappingList list;
    add_pair(list, "192.0.2.1", "2001:db8:1::10");
    add_pair(list, "192.0.2.2", "2001:db8:2::20");
    add_pair(list, "192.0.2.16/28", "2001:db8:cccc::/124");
    add_pair(list, "192.0.2.128/26", "2001:db8:dddd::/64");
    v.table = MappingTable::build(std::move(list), nullptr, 5);
    v.translator = std::make_unique<Translator>(s);
    v.in_full = std::make_unique<Translator>(s);
}

} // namespace

Variant& variant(std::uint8_t choice) {
    static std::array<Variant, variant_count> variants;
    Variant& v = variants[choice % variant_count];
    if (!v.translator) make(v, choice % variant_count);
    return v;
}

} // namespace xlat646::fuzz
