// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/config_changes.hpp"

#include "translator/daemon/config_tree.hpp"

#include <algorithm>
#include <map>

namespace xlat646 {
namespace {

using Values = std::map<std::string, std::string>;

/// A list is one value: its items have no names.
std::string text_of(const ConfigNode& node) {
    std::string text = node.text;
    for (const ConfigNode& item : node.items)
        text += text_of(item) + '\n';
    Values entries; // in an order of their own
    for (const ConfigEntry& entry : node.entries)
        entries[entry.key] = text_of(entry.value);
    for (const auto& [key, value] : entries)
        text += key + ": " + value + '\n';
    return text;
}

void flatten(const ConfigNode& node, const std::string& path, Values& values) {
    if (node.kind != ConfigNode::Kind::map) {
        values[path] = text_of(node);
        return;
    }
    for (const ConfigEntry& entry : node.entries)
        flatten(entry.value, path.empty() ? entry.key : path + "." + entry.key, values);
}

Values values_of(std::string_view text) {
    YamlReport report({""});
    ConfigNode root;
    Values values;
    if (read_config_tree(text, report, root)) flatten(root, "", values);
    return values;
}

} // namespace

std::vector<std::string> changed_keys(std::string_view before, std::string_view after) {
    const Values old_values = values_of(before);
    const Values new_values = values_of(after);
    std::vector<std::string> keys;
    for (const auto& [key, value] : old_values) {
        const auto now = new_values.find(key);
        if (now == new_values.end() || now->second != value) keys.push_back(key);
    }
    for (const auto& [key, value] : new_values)
        if (old_values.count(key) == 0) keys.push_back(key);
    std::sort(keys.begin(), keys.end());
    return keys;
}

} // namespace xlat646
