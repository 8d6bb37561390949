// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/config_section.hpp"

#include "mapping/yaml_words.hpp"

#include <algorithm>
#include <charconv>

namespace xlat646 {

std::string ConfigSection::name_of(std::string_view key) const { return path_ + std::string(key); }

void ConfigSection::error(std::string_view key, TextPosition at, const std::string& message) {
    report_.error(0, at, name_of(key) + ": " + message);
}

void ConfigSection::warning(std::string_view key, TextPosition at, const std::string& message) {
    report_.warning(0, at, name_of(key) + ": " + message);
}

void ConfigSection::missing(std::string_view key) {
    const bool is_main = path_.empty() || map_ == nullptr;
    report_.error(0, is_main ? TextPosition{} : map_->at, "'" + name_of(key) + "' is missing");
}

TextPosition ConfigSection::position(std::string_view key) const {
    if (map_ != nullptr)
        for (const ConfigEntry& e : map_->entries)
            if (e.key == key) return e.value.at;
    return {};
}

const ConfigNode* ConfigSection::find(std::string_view key) {
    known_.push_back(key);
    if (map_ == nullptr) return nullptr;
    for (const ConfigEntry& e : map_->entries) {
        if (e.key != key) continue;
        if (e.value.kind == ConfigNode::Kind::null) error(key, e.at, "no value");
        if (e.value.kind == ConfigNode::Kind::null || e.value.kind == ConfigNode::Kind::refused)
            return nullptr;
        return &e.value;
    }
    return nullptr;
}

void ConfigSection::wrong_type(std::string_view key, const ConfigNode& node, const char* expected) {
    std::string found = "nothing";
    if (node.kind == ConfigNode::Kind::map) found = "a map";
    if (node.kind == ConfigNode::Kind::list) found = "a list";
    if (node.is_scalar()) found = quote(node.text);
    error(key, node.at, std::string("expected ") + expected + ", found " + found);
}

const ConfigNode* ConfigSection::find_scalar(std::string_view key) {
    const ConfigNode* node = find(key);
    if (node == nullptr || node->is_scalar()) return node;
    wrong_type(key, *node, "one value");
    return nullptr;
}

const ConfigNode* ConfigSection::find_list(std::string_view key) {
    const ConfigNode* node = find(key);
    if (node == nullptr) return nullptr;
    if (node->kind != ConfigNode::Kind::list) {
        wrong_type(key, *node, "a list like [a, b]");
        return nullptr;
    }
    for (const ConfigNode& item : node->items) {
        if (!item.is_scalar() && item.kind != ConfigNode::Kind::refused)
            wrong_type(key, item, "one value for each item");
    }
    return node;
}

ConfigSection ConfigSection::section(std::string_view key) {
    const ConfigNode* node = find(key);
    if (node != nullptr && node->kind != ConfigNode::Kind::map) {
        wrong_type(key, *node, "a map like { key: value }");
        node = nullptr;
    }
    return ConfigSection(report_, node, name_of(key) + ".");
}

std::vector<ConfigSection> ConfigSection::sections(std::string_view key) {
    std::vector<ConfigSection> items;
    const ConfigNode* node = find(key);
    if (node == nullptr) return items;
    if (node->kind != ConfigNode::Kind::list)
        wrong_type(key, *node, "a list like [{ key: value }]");
    else if (node->items.empty())
        error(key, node->at, "at least one is needed");
    for (std::size_t i = 0; i < node->items.size(); ++i) {
        const ConfigNode& item = node->items[i];
        if (item.kind == ConfigNode::Kind::map)
            items.emplace_back(report_, &item, name_of(key) + "[" + std::to_string(i) + "].");
        else if (item.kind != ConfigNode::Kind::refused)
            wrong_type(key, item, "a map like { key: value } for each item");
    }
    return items;
}

void ConfigSection::read(std::string_view key, bool& out) {
    const ConfigNode* node = find_scalar(key);
    if (node == nullptr) return;
    const bool is_plain = node->kind == ConfigNode::Kind::plain;
    if (is_plain && node->text == "true")
        out = true;
    else if (is_plain && node->text == "false")
        out = false;
    else
        error(key, node->at, "expected true or false (without quotes), found " + quote(node->text));
}

void ConfigSection::read(std::string_view key, std::string& out) {
    const ConfigNode* node = find_scalar(key);
    if (node == nullptr) return;
    if (node->text.empty())
        error(key, node->at, "it is empty");
    else
        out = node->text;
}

std::optional<std::uint32_t> ConfigSection::number_of(std::string_view key, const ConfigNode& node,
                                                      std::uint32_t least, std::uint32_t most,
                                                      std::string_view or_words) {
    const std::string& text = node.text;
    std::uint32_t number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_digits = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c >= '0' && c <= '9';
    });
    const bool is_number =
        node.kind == ConfigNode::Kind::plain && is_digits && (text.size() == 1 || text[0] != '0');
    if (is_number && result.ec == std::errc() && number >= least && number <= most) return number;

    std::string expected = "a number from " + std::to_string(least) + " to " + std::to_string(most);
    if (!or_words.empty()) expected = std::string(or_words) + " or " + expected;
    error(key, node.at,
          "expected " + expected + (is_digits && !is_number ? " (plain)" : "") + ", found " +
              quote(text));
    return std::nullopt;
}

void ConfigSection::unknown_word(std::string_view key, const ConfigNode& node,
                                 std::span<const std::string_view> words) {
    std::string list;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i != 0) list += i + 1 == words.size() ? " or " : ", ";
        list += words[i];
    }
    error(key, node.at, "expected " + list + ", found " + quote(node.text));
}

void ConfigSection::finish() {
    if (map_ == nullptr) return;
    for (const ConfigEntry& e : map_->entries) {
        if (std::find(known_.begin(), known_.end(), e.key) != known_.end()) continue;
        std::string where;
        if (!path_.empty()) where = " in '" + path_.substr(0, path_.size() - 1) + "'";
        report_.error(0, e.at, "unknown key " + quote(e.key) + where + suggestion(e.key, known_));
    }
}

} // namespace xlat646
