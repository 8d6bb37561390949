// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/config_routing.hpp"

#include "mapping/special_purpose.hpp"
#include "mapping/yaml_address.hpp"
#include "mapping/yaml_words.hpp"

#include <algorithm>

namespace xlat646 {

namespace {

constexpr std::size_t longest_path = 4095;
constexpr std::size_t longest_socket_path = 107; // sockaddr_un
constexpr std::uint32_t highest_metric = 65535;

void read_bird_path(ConfigSection& s, std::string_view key, std::size_t longest, std::string& out) {
    const ConfigNode* node = s.find_scalar(key);
    if (node == nullptr) return;
    if (!node->text.starts_with('/'))
        s.error(key, node->at, quote(node->text) + " is not an absolute path");
    else if (node->text.size() > longest)
        s.error(key, node->at, "longer than " + std::to_string(longest) + " bytes");
    else if (!is_bird_word(node->text))
        s.error(key, node->at,
                quote(node->text) + ": BIRD takes only letters, digits and - _ . / + : @ ~ , = "
                                    "in a path");
    else
        out = node->text;
}

/// RT-02: written down, and no anycast address taken by chance.
void read_router_id(ConfigSection& s, Ipv4Address& out) {
    constexpr std::string_view key = "router_id";
    const ConfigNode* node = s.find_scalar(key);
    if (node == nullptr) return;
    const auto id = Ipv4Address::parse(node->text);
    if (!id || id->value() == 0)
        s.error(key, node->at,
                quote(node->text) + " is not a router id (like 10.255.0.1, another on each node)");
    else
        out = *id;
}

/// "0" and "0.0.0.0" are the same.
void read_area(ConfigSection& s, Ipv4Address& out) {
    constexpr std::string_view key = "area";
    const ConfigNode* node = s.find_scalar(key);
    if (node == nullptr) return;
    if (const auto dotted = Ipv4Address::parse(node->text))
        out = *dotted;
    else if (const auto n = s.number_of(key, *node, 0, 0xffffffff, "an area like 0.0.0.1"))
        out = Ipv4Address(*n);
}

void read_family(ConfigSection& s, OspfInterface& interface) {
    enum class Family : std::uint8_t { both, ipv4, ipv6 };
    constexpr std::array<std::pair<std::string_view, Family>, 3> words = {
        {{"both", Family::both}, {"ipv4", Family::ipv4}, {"ipv6", Family::ipv6}}};
    Family family = Family::both;
    s.read("family", words, family);
    interface.ipv4 = family != Family::ipv6;
    interface.ipv6 = family != Family::ipv4;
}

void read_interfaces(ConfigSection& s, std::vector<OspfInterface>& interfaces) {
    constexpr std::string_view key = "interfaces";
    constexpr std::array<std::pair<std::string_view, bool>, 2> types = {
        {{"ptp", true}, {"broadcast", false}}};
    std::vector<ConfigSection> items = s.sections(key);
    for (ConfigSection& item : items) {
        OspfInterface interface;
        if (const ConfigNode* name = item.find_scalar("name")) {
            const bool is_known =
                std::any_of(interfaces.begin(), interfaces.end(),
                            [&](const OspfInterface& other) { return other.name == name->text; });
            if (!is_interface_name(name->text))
                item.error("name", name->at, quote(name->text) + " is not an interface name");
            else if (is_known)
                item.error("name", name->at, quote(name->text) + " is named twice");
            interface.name = name->text;
        } else {
            item.missing("name");
        }
        item.read("cost", 1, highest_metric, interface.cost);
        item.read("type", types, interface.is_ptp);
        read_family(item, interface);
        item.finish();
        interfaces.push_back(interface);
    }
}

void read_metric(ConfigSection& s, std::uint32_t& metric) {
    enum class Site : std::uint8_t { primary, standby };
    constexpr std::array<std::pair<std::string_view, Site>, 2> sites = {
        {{"primary", Site::primary}, {"standby", Site::standby}}};
    constexpr std::uint32_t standby_metric = 1000; // more than the way to any other site costs
    Site site = Site::primary;
    s.read("site", sites, site);
    if (site == Site::standby) metric = standby_metric;
    s.read("metric", 1, highest_metric, metric);
    if (s.has("site") && s.has("metric"))
        s.error("metric", s.position("metric"),
                "'site' stands for a metric; one of the two is enough");
}

/// RT-15, RT-16.
void read_timers(ConfigSection& s, RoutingSettings& r) {
    constexpr std::uint32_t hello_with_password = 5; // BIRD warns about replay below
    constexpr std::uint32_t hellos_until_dead = 4;
    constexpr std::uint32_t most_dead = 65535;
    constexpr std::uint32_t most_hello = most_dead / hellos_until_dead;
    const std::uint32_t least = r.password_file.empty() ? 1 : hello_with_password;
    r.hello = least;
    s.read("hello", 1, most_hello, r.hello);
    r.dead = r.hello * hellos_until_dead;
    s.read("dead", 1, most_dead, r.dead);
    if (r.dead <= r.hello)
        s.error("dead", s.position("dead"), "must be more than hello, " + std::to_string(r.hello));
    if (r.hello < least)
        s.warning("hello", s.position("hello"),
                  "BIRD warns of replayed packets where there is a password and less than " +
                      std::to_string(hello_with_password) + "; bfd is the faster way");
}

void read_bfd(ConfigSection& routing, BfdSettings& bfd) {
    ConfigSection s = routing.section("bfd");
    s.read("enabled", bfd.enabled);
    s.read("interval_ms", 10, 60'000, bfd.interval_ms);
    s.read("multiplier", 2, 255, bfd.multiplier);
    s.finish();
}

void read_owned(ConfigSection& s, std::vector<Ipv4Prefix>& pool) {
    constexpr std::string_view key = "pool";
    constexpr unsigned shortest = 8; // nobody owns more, and /0 would be a default route
    const ConfigNode* list = s.find_list(key);
    if (list == nullptr) return;
    for (const ConfigNode& item : list->items) {
        if (!item.is_scalar()) continue;
        const auto prefix = Ipv4Prefix::parse(item.text);
        if (!prefix)
            s.error(key, item.at, explain_bad_ipv4(item.text, true));
        else if (prefix->length() < shortest)
            s.error(key, item.at, prefix->to_string() + " is shorter than /8");
        else if (const Ipv4Block* block = find_block(prefix->address());
                 block != nullptr && block->address_class == AddressClass::hard)
            s.error(key, item.at, prefix->to_string() + " is never forwarded");
        else
            pool.push_back(*prefix);
    }
}

/// argv: no shell, and no search for the program.
void read_command(ConfigSection& s, std::string_view key, std::vector<std::string>& argv) {
    constexpr std::size_t most_words = 100;
    const ConfigNode* list = s.find_list(key);
    if (list == nullptr) return;
    for (const ConfigNode& item : list->items) {
        if (!item.is_scalar()) continue;
        if (item.text.find('\0') != std::string::npos)
            s.error(key, item.at, "a word has a zero byte");
        argv.push_back(item.text);
    }
    if (argv.empty() || !argv[0].starts_with('/'))
        s.error(key, list->at, "expected a command like [/path/to/program, word, ...]");
    else if (argv.size() > most_words)
        s.error(key, list->at, "more than " + std::to_string(most_words) + " words");
}

} // namespace

void read_routing(ConfigSection& root, std::optional<RoutingSettings>& routing) {
    ConfigSection s = root.section("routing");
    if (!s.is_there()) return;
    RoutingSettings& r = routing.emplace();
    read_router_id(s, r.router_id);
    read_area(s, r.area);
    read_interfaces(s, r.interfaces);
    read_metric(s, r.metric);
    s.read("tag", 1, 0xffffffff, r.tag);
    read_bird_path(s, "password_file", longest_path, r.password_file);
    read_timers(s, r);
    s.read("ttl_security", r.ttl_security);
    read_bfd(s, r.bfd);
    read_owned(s, r.pool);
    read_bird_path(s, "drain_file", longest_path, r.drain_file);
    read_bird_path(s, "bird_socket", longest_socket_path, r.bird_socket);
    for (const std::string_view key : {"router_id", "interfaces"})
        if (!s.has(key)) s.missing(key);
    s.finish();
}

void read_hooks(ConfigSection& root, HooksConfig& hooks) {
    ConfigSection s = root.section("hooks");
    read_command(s, "after_start", hooks.after_start);
    read_command(s, "after_reload", hooks.after_reload);
    s.read("time_limit", 1, 3600, hooks.time_limit);
    s.finish();
}

void read_shutdown(ConfigSection& root, Config& config) {
    ConfigSection s = root.section("shutdown");
    s.read("drain", config.shutdown.drain);
    s.read("limit", 5, 3600, config.shutdown.limit);
    s.finish();
    if (config.shutdown.drain && !config.routing)
        s.error("drain", s.position("drain"),
                "there is no section 'routing', so nothing is announced");
}

} // namespace xlat646
