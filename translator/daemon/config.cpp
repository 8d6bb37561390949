// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/config.hpp"

#include "mapping/yaml_words.hpp"
#include "translator/daemon/config_policy.hpp"
#include "translator/daemon/config_routing.hpp"
#include "translator/daemon/config_section.hpp"

#include <algorithm>
#include <functional>

namespace xlat646 {

namespace {

constexpr std::uint32_t most_per_second = 1'000'000;
constexpr std::uint32_t most_queues = 64;
/// More than four threads are for who asks for them: each has megabytes of buffers in the kernel.
constexpr std::size_t most_default_queues = 4;

void read_mapping_files(ConfigSection& root, std::vector<std::string>& files) {
    constexpr std::string_view key = "mapping_files";
    const ConfigNode* list = root.find_list(key);
    if (list == nullptr) return;
    for (const ConfigNode& item : list->items) {
        if (item.is_scalar() && item.text.empty()) root.error(key, item.at, "a name is empty");
        if (item.is_scalar()) files.push_back(item.text);
    }
    if (list->items.empty()) root.error(key, list->at, "at least one file is needed");
}

void read_interface(ConfigSection& section, std::string_view key, const ConfigNode& node,
                    std::string& out) {
    if (is_interface_name(node.text))
        out = node.text;
    else
        section.error(key, node.at,
                      quote(node.text) + " is not an interface name (1 to 15 letters, digits, "
                                         "'-', '_', '.')");
}

void read_cpus(ConfigSection& tun, std::uint32_t queues, std::vector<std::uint32_t>& cpus) {
    constexpr std::string_view key = "cpus";
    constexpr std::uint32_t last_cpu = 1023; // cpu_set_t
    const ConfigNode* list = tun.find_list(key);
    if (list == nullptr) return;
    for (const ConfigNode& item : list->items) {
        if (!item.is_scalar()) continue;
        const auto cpu = tun.number_of(key, item, 0, last_cpu);
        if (!cpu) continue;
        if (std::find(cpus.begin(), cpus.end(), *cpu) != cpus.end())
            tun.error(key, item.at, "CPU " + item.text + " is named twice");
        cpus.push_back(*cpu);
    }
    const std::size_t count = list->items.size();
    if (count == 0 || count > most_queues)
        tun.error(key, list->at, "expected 1 to " + std::to_string(most_queues) + " CPUs");
    else if (queues != 0 && count != queues)
        tun.error(key, list->at,
                  "one CPU for each queue is needed: " + std::to_string(count) + " for " +
                      std::to_string(queues) + " (tun.queues)");
}

void read_tun(ConfigSection& root, TunConfig& tun) {
    constexpr std::array<std::pair<std::string_view, bool>, 2> coalesce = {
        {{"auto", true}, {"off", false}}};
    ConfigSection s = root.section("tun");
    if (const ConfigNode* node = s.find_scalar("name")) read_interface(s, "name", *node, tun.name);
    s.read("queues", 0, most_queues, tun.queues);
    s.read("lanes", 1, 16, tun.lanes);
    s.read("offload", tun.offload);
    s.read("busy_poll_us", 0, 1'000'000, tun.busy_poll_us);
    read_cpus(s, tun.queues, tun.cpus);
    s.read("priority", 0, 20, tun.priority);
    s.read("coalesce", coalesce, tun.coalesce);
    s.finish();
}

void read_plateaus(ConfigSection& mtu, std::vector<std::uint16_t>& plateaus) {
    constexpr std::string_view key = "plateaus";
    const ConfigNode* list = mtu.find_list(key);
    if (list == nullptr) return;
    if (list->items.empty()) mtu.error(key, list->at, "at least one number is needed");
    plateaus.clear();
    for (const ConfigNode& item : list->items) {
        if (!item.is_scalar()) continue;
        if (const auto n = mtu.number_of(key, item, 68, 65535))
            plateaus.push_back(static_cast<std::uint16_t>(*n));
    }
    std::sort(plateaus.begin(), plateaus.end(), std::greater<>());
    plateaus.erase(std::unique(plateaus.begin(), plateaus.end()), plateaus.end());
}

void read_mtu(ConfigSection& root, Settings& settings) {
    ConfigSection s = root.section("mtu");
    s.read("ipv4", 68, 65535, settings.mtu4);
    s.read("ipv6", 1280, 65535, settings.mtu6);
    s.read("lowest_ipv6", 1280, 65535, settings.lowest_ipv6_mtu);
    read_plateaus(s, settings.plateaus);
    s.finish();
    // F46-05: the smaller one counts.
    settings.lowest_ipv6_mtu = std::min(settings.lowest_ipv6_mtu, settings.mtu6);
}

void read_icmp(ConfigSection& root, Settings& settings) {
    ConfigSection rate = root.section("icmp_rate");
    RateLimit& limit = settings.icmp_rate;
    rate.read("per_second", 0, most_per_second, limit.per_second);
    rate.read("burst", 1, most_per_second, limit.burst);
    rate.read("per_source_per_second", 0, most_per_second, limit.per_source_per_second);
    rate.read("per_source_burst", 1, most_per_second, limit.per_source_burst);
    rate.finish();

    ConfigSection errors = root.section("icmp_errors");
    errors.read("unreachable", settings.send_unreachable);
    errors.read("parameter_problem", settings.send_parameter_problem);
    errors.read("original_source", settings.append_original_source);
    errors.read("size_ipv4", 576, 1260, settings.icmp4_error_size);
    errors.finish();
}

void read_routes(ConfigSection& root, RoutesConfig& routes) {
    constexpr std::string_view key = "table";
    constexpr std::uint32_t local_table = 255;
    ConfigSection s = root.section("routes");
    s.read("install", routes.install);
    const ConfigNode* node = s.find_scalar(key);
    if (node != nullptr && node->text != "main") {
        if (const auto n = s.number_of(key, *node, 1, 0xffffffff, "main")) routes.table = *n;
        if (routes.table == local_table)
            s.error(key, node->at, "table 255 (local) belongs to the kernel");
    }
    s.finish();
}

void read_fastpath(ConfigSection& root, FastpathConfig& fastpath) {
    constexpr std::array<std::pair<std::string_view, FastpathMode>, 3> modes = {
        {{"off", FastpathMode::off}, {"auto", FastpathMode::automatic}, {"on", FastpathMode::on}}};
    ConfigSection s = root.section("fastpath");
    s.read("mode", modes, fastpath.mode);
    if (const ConfigNode* list = s.find_list("interfaces")) {
        for (const ConfigNode& item : list->items) {
            std::string name;
            if (item.is_scalar()) read_interface(s, "interfaces", item, name);
            if (!name.empty()) fastpath.interfaces.push_back(name);
        }
    }
    s.finish();
}

/// For control_socket: "" means none.
enum class Empty : std::uint8_t { refused, allowed };

void read_path(ConfigSection& root, std::string_view key, std::size_t longest, Empty empty,
               std::string& out) {
    const ConfigNode* node = root.find_scalar(key);
    if (node == nullptr) return;
    if (node->text.empty() && empty == Empty::allowed)
        out.clear();
    else if (node->text.empty() || node->text[0] != '/')
        root.error(key, node->at, quote(node->text) + " is not an absolute path");
    else if (node->text.size() > longest)
        root.error(key, node->at, "longer than " + std::to_string(longest) + " bytes");
    else
        out = node->text;
}

void read_account(ConfigSection& root, std::string_view key, AccountName& out) {
    constexpr std::size_t longest = 255;
    const ConfigNode* node = root.find_scalar(key);
    if (node == nullptr) return;
    if (node->text.empty() || node->text.size() > longest ||
        node->text.find('\0') != std::string::npos)
        root.error(key, node->at,
                   "expected the name of a " + std::string(key == "user" ? "user" : "group"));
    else
        out = {node->text, node->at};
}

void read_accounts(ConfigSection& root, Config& config) {
    read_account(root, "user", config.user);
    read_account(root, "group", config.group);
    read_account(root, "control_group", config.control_group);
    if (!config.group.text.empty() && config.user.text.empty())
        root.error("group", config.group.at, "it belongs to a 'user', which is missing");
    if (!config.control_group.text.empty() && config.control_socket.empty())
        root.error("control_group", config.control_group.at, "there is no control_socket");
}

} // namespace

bool is_interface_name(std::string_view name) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789-_.";
    return !name.empty() && name.size() <= 15 && name != "." && name != ".." &&
           name.find_first_not_of(letters) == std::string_view::npos;
}

std::size_t TunConfig::queue_count(std::size_t available) const {
    if (!cpus.empty()) return cpus.size();
    if (queues != 0) return queues;
    // Who looks for packets all the time must leave CPUs to those who make them.
    const std::size_t wanted = busy_poll_us != 0 ? available / 2 : available;
    return std::clamp<std::size_t>(wanted, 1, most_default_queues);
}

std::size_t TunConfig::kernel_queue_count(std::size_t available) const {
    constexpr std::size_t most = 256; // the kernel's MAX_TAP_QUEUES
    const std::size_t workers = queue_count(available);
    return workers * std::min<std::size_t>(lanes, most / workers);
}

LoaderRules Config::loader_rules() const {
    return {settings.prefix, settings.own4, settings.own6, settings.pool4};
}

bool parse_config(const std::string& name, std::string_view text, Config& out,
                  Diagnostics& diagnostics) {
    constexpr std::size_t longest_socket_path = 107; // sockaddr_un
    constexpr std::size_t longest_path = 4095;
    out = Config();
    YamlReport report({name});
    ConfigNode tree;
    if (read_config_tree(text, report, tree)) {
        ConfigSection root(report, &tree, "");
        read_addresses(root, out);
        read_mapping_files(root, out.mapping_files);
        read_tun(root, out.tun);
        read_mtu(root, out.settings);
        read_policy(root, out);
        read_icmp(root, out.settings);
        read_routes(root, out.routes);
        read_path(root, "control_socket", longest_socket_path, Empty::allowed, out.control_socket);
        read_path(root, "stats_segment", longest_path, Empty::refused, out.stats_segment);
        read_accounts(root, out);
        read_fastpath(root, out.fastpath);
        read_routing(root, out.routing);
        read_hooks(root, out.hooks);
        read_shutdown(root, out);
        read_readiness(root, out.settings, out.readiness);
        root.read("reload_guard", 0, 100, out.reload_guard);
        root.finish();
        for (const std::string_view key : {"translation_prefix", "mapping_files"}) {
            if (!tree.has(key)) root.missing(key);
        }
    }
    report.finish(diagnostics);
    return !report.failed();
}

} // namespace xlat646
