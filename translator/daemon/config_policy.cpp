// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/config_policy.hpp"

#include "mapping/yaml_address.hpp"
#include "mapping/yaml_words.hpp"

#include <algorithm>

namespace xlat646 {

namespace {

/// Of each family; the classifier numbers its rules in 16 bits.
constexpr std::size_t most_overrides = 1000;

template <class Address>
void add_override(ConfigSection& policy, std::string_view key, TextPosition at,
                  const Prefix<Address>& prefix, bool allow,
                  std::vector<BlockOverride<Address>>& overrides) {
    if (overrides.size() == most_overrides)
        return policy.error(key, at, "more than " + std::to_string(most_overrides) + " prefixes");
    const bool is_contradiction =
        std::any_of(overrides.begin(), overrides.end(),
                    [&](const auto& o) { return o.prefix == prefix && o.allow != allow; });
    if (is_contradiction)
        policy.error(key, at, prefix.to_string() + " is allowed and denied");
    else
        overrides.push_back({prefix, allow});
}

/// SPA-01: class H is not configurable.
template <class Blocks, class Address>
bool is_refused(ConfigSection& policy, std::string_view key, TextPosition at, const Blocks& blocks,
                const Prefix<Address>& prefix, bool allow) {
    if (!allow) return false;
    for (const auto& b : blocks) {
        if (b.address_class != AddressClass::hard || !b.prefix.contains(prefix)) continue;
        policy.error(key, at,
                     prefix.to_string() + " lies in " + b.prefix.to_string() + " (" +
                         std::string(b.name) + "), which can never be allowed");
        return true;
    }
    return false;
}

/// SPA-03: an item is a prefix or the name of a block.
void read_override(ConfigSection& policy, std::string_view key, const ConfigNode& item, bool allow,
                   Config& config) {
    const auto add4 = [&](const Ipv4Prefix& p) {
        if (!is_refused(policy, key, item.at, ipv4_blocks(), p, allow))
            add_override(policy, key, item.at, p, allow, config.overrides4);
    };
    const auto add6 = [&](const Ipv6Prefix& p) {
        if (!is_refused(policy, key, item.at, ipv6_blocks(), p, allow))
            add_override(policy, key, item.at, p, allow, config.overrides6);
    };
    const std::string& text = item.text;
    if (const auto p = Ipv4Prefix::parse(text)) return add4(*p);
    if (const auto p = Ipv6Prefix::parse(text)) return add6(*p);
    if (text.find(':') != std::string::npos)
        return policy.error(key, item.at, explain_bad_ipv6(text, true));
    if (text.find_first_of("./") != std::string::npos)
        return policy.error(key, item.at, explain_bad_ipv4(text, true));

    std::vector<std::string_view> names;
    bool found = false;
    for (const Ipv4Block& b : ipv4_blocks()) {
        names.push_back(b.name);
        if (b.name != text) continue;
        found = true;
        add4(b.prefix);
    }
    for (const Ipv6Block& b : ipv6_blocks()) {
        names.push_back(b.name);
        if (b.name != text) continue;
        found = true;
        add6(b.prefix);
    }
    if (!found)
        policy.error(key, item.at,
                     quote(text) + " is neither a prefix nor the name of a block" +
                         suggestion(text, names));
}

void read_traffic_class(ConfigSection& policy, Settings& settings) {
    constexpr std::string_view key = "traffic_class";
    const ConfigNode* node = policy.find_scalar(key);
    if (node == nullptr || node->text == "copy") return;
    // ECN-02: a DSCP, so that ECN is always kept.
    if (const auto dscp = policy.number_of(key, *node, 0, 63, "copy"))
        settings.dscp = static_cast<std::uint8_t>(*dscp);
}

void read_mss_clamp(ConfigSection& policy, MssClamp& clamp) {
    constexpr std::string_view key = "tcp_mss_clamp";
    const ConfigNode* node = policy.find_scalar(key);
    if (node == nullptr || node->text == "off") return;
    if (node->text == "auto") {
        clamp.mode = MssClamp::Mode::automatic;
    } else if (const auto bytes = policy.number_of(key, *node, 536, 65495, "off, auto")) {
        clamp.mode = MssClamp::Mode::fixed;
        clamp.bytes = static_cast<std::uint16_t>(*bytes);
    }
}

constexpr std::array<std::pair<std::string_view, Profile>, 3> profiles = {
    {{"internet", Profile::internet}, {"private", Profile::private_}, {"any", Profile::any}}};
constexpr std::array<std::pair<std::string_view, UnmappedPolicy>, 3> unmapped_policies = {
    {{"reject", UnmappedPolicy::reject},
     {"reject_host", UnmappedPolicy::reject_host},
     {"drop", UnmappedPolicy::drop}}};
constexpr std::array<std::pair<std::string_view, UdpZeroChecksum>, 2> udp_policies = {
    {{"compute", UdpZeroChecksum::compute}, {"drop", UdpZeroChecksum::drop}}};

} // namespace

void read_policy(ConfigSection& root, Config& config) {
    ConfigSection policy = root.section("policy");
    Settings& settings = config.settings;
    policy.read("profile", profiles, config.profile);
    policy.read("unmapped", unmapped_policies, settings.unmapped);
    policy.read("udp_zero_checksum", udp_policies, settings.udp_zero_checksum);
    read_traffic_class(policy, settings);
    read_mss_clamp(policy, settings.tcp_mss_clamp);
    policy.read("hairpin", settings.hairpin);
    policy.read("drop_spoofed_pairs", settings.drop_spoofed_pairs);
    policy.read("icmpv6_policy_codes", settings.map_icmpv6_policy_codes);
    for (const bool allow : {true, false}) {
        const std::string_view key = allow ? "allow" : "deny";
        const ConfigNode* list = policy.find_list(key);
        if (list == nullptr) continue;
        for (const ConfigNode& item : list->items) {
            if (item.is_scalar()) read_override(policy, key, item, allow, config);
        }
    }
    policy.finish();

    settings.clients4 = Ipv4Classifier(config.profile, config.overrides4);
    settings.routers6 = Ipv6Classifier(config.profile, config.overrides6);
    if (settings.prefix.is_well_known() && config.profile != Profile::internet) {
        const ConfigNode* node = policy.find("profile");
        policy.warning("profile", node->at,
                       "non-global IPv4 addresses must not be joined with 64:ff9b::/96 "
                       "(RFC 6052 section 3.1); use a prefix of your own for them");
    }
}

} // namespace xlat646
