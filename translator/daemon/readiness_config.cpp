// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/readiness_config.hpp"

#include "mapping/special_purpose.hpp"
#include "mapping/yaml_address.hpp"
#include "mapping/yaml_words.hpp"
#include "translator/daemon/config_section.hpp"
#include "translator/siit/settings.hpp"

#include <algorithm>

namespace xlat646 {
namespace {

constexpr std::string_view key = "require";
constexpr std::size_t most_requirements = 16;

std::string explain(Ipv4Address, std::string_view text) { return explain_bad_ipv4(text, false); }
std::string explain(Ipv6Address, std::string_view text) { return explain_bad_ipv6(text, false); }

bool is_translated(const Settings& settings, Ipv4Address a) { return a == settings.own4; }
bool is_translated(const Settings& settings, const Ipv6Address& a) {
    return a == settings.own6 || settings.prefix.contains(a);
}

template <class Address>
void read_ping(ConfigSection& s, const ConfigNode& node, const Settings& settings,
               std::vector<Requirement>& require) {
    const auto address = Address::parse(node.text);
    if (!address)
        s.error(key, node.at, explain(Address(), node.text));
    else if (is_hard_martian(*address))
        s.error(key, node.at, address->to_string() + " is no address of a host");
    else if (is_translated(settings, *address))
        s.error(key, node.at,
                address->to_string() + " is reached through the translator itself, which carries "
                                       "nothing as long as it is not ready");
    else
        require.push_back(*address);
}

void read_route(ConfigSection& s, const ConfigNode& node, std::vector<Requirement>& require) {
    if (const auto prefix4 = Ipv4Prefix::parse(node.text))
        require.push_back(*prefix4);
    else if (const auto prefix6 = Ipv6Prefix::parse(node.text))
        require.push_back(*prefix6);
    else
        s.error(key, node.at,
                node.text.find(':') == std::string::npos ? explain_bad_ipv4(node.text, true)
                                                         : explain_bad_ipv6(node.text, true));
}

void read_requirement(ConfigSection& s, const ConfigNode& item, const Settings& settings,
                      std::vector<Requirement>& require) {
    const auto& entries = item.entries;
    if (item.kind != ConfigNode::Kind::map || entries.size() != 1 ||
        !entries[0].value.is_scalar()) {
        s.error(key, item.at,
                "expected { ping4: ADDRESS }, { ping6: ADDRESS } or { route: PREFIX }");
        return;
    }
    const ConfigEntry& e = entries[0];
    constexpr std::array<std::string_view, 3> kinds = {"ping4", "ping6", "route"};
    if (e.key == kinds[0])
        read_ping<Ipv4Address>(s, e.value, settings, require);
    else if (e.key == kinds[1])
        read_ping<Ipv6Address>(s, e.value, settings, require);
    else if (e.key == kinds[2])
        read_route(s, e.value, require);
    else
        s.error(key, e.at, "unknown key " + quote(e.key) + suggestion(e.key, kinds));
}

} // namespace

void read_readiness(ConfigSection& root, const Settings& settings, ReadinessConfig& readiness) {
    constexpr std::uint32_t longest_ms = 60'000, most_rounds = 1000, shortest_watch = 100;
    ConfigSection s = root.section("readiness");
    s.read("probe", readiness.probe);
    s.read("interval_ms", 10, longest_ms, readiness.interval_ms);
    s.read("failures", 1, most_rounds, readiness.failures);
    s.read("successes", 1, most_rounds, readiness.successes);
    if (const ConfigNode* node = s.find_scalar("watchdog_ms"))
        if (const auto ms = s.number_of("watchdog_ms", *node, 0, longest_ms)) {
            if (*ms != 0 && *ms < shortest_watch)
                s.error("watchdog_ms", node->at,
                        "less than " + std::to_string(shortest_watch) +
                            " would end a process that only waits for a CPU; 0: no watchdog");
            readiness.watchdog_ms = *ms;
        }
    const ConfigNode* list = s.find(key);
    if (list != nullptr && list->kind != ConfigNode::Kind::list) {
        s.error(key, list->at, "expected a list like [{ ping4: 203.0.113.1 }]");
    } else if (list != nullptr) {
        for (const ConfigNode& item : list->items)
            read_requirement(s, item, settings, readiness.require);
        if (list->items.size() > most_requirements)
            s.error(key, list->at, "more than " + std::to_string(most_requirements));
    }
    s.finish();
}

} // namespace xlat646
