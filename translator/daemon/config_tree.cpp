// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/config_tree.hpp"

#include "mapping/yaml_words.hpp"

#include <algorithm>

namespace xlat646 {

namespace {

constexpr YamlLimits limits{std::size_t{1} << 20};

class TreeBuilder final : public YamlEvents {
  public:
    TreeBuilder(ConfigNode& root, YamlReport& report) : root_(root), report_(report) {}

    void scalar(TextPosition at, std::string_view value, ScalarKind kind) override {
        if (ignored_depth_ != 0) return;
        if (expects_key()) return key(at, value, kind);
        ConfigNode* node = place(at, kind_of(kind));
        if (node != nullptr) node->text = value;
    }
    void begin_map(TextPosition at) override { begin(at, ConfigNode::Kind::map); }
    void begin_list(TextPosition at) override { begin(at, ConfigNode::Kind::list); }
    void end_map() override { end(); }
    void end_list() override { end(); }

  private:
    using Kind = ConfigNode::Kind;

    static Kind kind_of(ScalarKind kind) {
        switch (kind) {
        case ScalarKind::plain: return Kind::plain;
        case ScalarKind::quoted: return Kind::quoted;
        case ScalarKind::null: return Kind::null;
        case ScalarKind::refused: return Kind::refused;
        }
        return Kind::null;
    }

    bool expects_key() const {
        return !open_.empty() && open_.back()->kind == Kind::map && !has_key_;
    }

    void key(TextPosition at, std::string_view value, ScalarKind kind) {
        has_key_ = true;
        ignore_value_ = true;
        if (kind == ScalarKind::null) report_.error(0, at, "a key is missing");
        if (kind == ScalarKind::null || kind == ScalarKind::refused) return;
        auto& entries = open_.back()->entries;
        const auto first = std::find_if(entries.begin(), entries.end(),
                                        [&](const ConfigEntry& e) { return e.key == value; });
        if (first != entries.end()) {
            report_.error(0, at, "duplicate key " + quote(value));
            report_.note(0, first->at, "first given here");
            return;
        }
        entries.push_back({std::string(value), at, {}});
        ignore_value_ = false;
    }

    /// Where the node that begins now belongs; nullptr: it is left out.
    ConfigNode* place(TextPosition at, Kind kind) {
        ConfigNode* node = &root_;
        if (!open_.empty() && open_.back()->kind == Kind::map) {
            has_key_ = false;
            if (ignore_value_) return nullptr;
            node = &open_.back()->entries.back().value;
        } else if (!open_.empty()) {
            node = &open_.back()->items.emplace_back();
        }
        node->kind = kind;
        node->at = at;
        return node;
    }

    void begin(TextPosition at, Kind kind) {
        if (ignored_depth_ != 0) {
            ++ignored_depth_;
        } else if (expects_key()) {
            bad_key_at_ = at;
            has_key_ = true;
            ignore_value_ = true;
            ignored_depth_ = 1;
        } else if (ConfigNode* node = place(at, kind)) {
            open_.push_back(node); // its siblings' vector does not grow while it is open
        } else {
            ignored_depth_ = 1;
        }
    }

    void end() {
        if (ignored_depth_ == 0) return open_.pop_back();
        if (--ignored_depth_ != 0) return;
        if (bad_key_at_.line != 0) report_.error(0, bad_key_at_, "a key must be a word");
        bad_key_at_ = {};
    }

    ConfigNode& root_;
    YamlReport& report_;
    std::vector<ConfigNode*> open_;
    bool has_key_ = false; ///< of the innermost open map
    bool ignore_value_ = false;
    /// A list or map as a key. Reported when it ends: yaml-cpp takes an unclosed bracket for one.
    TextPosition bad_key_at_;
    unsigned ignored_depth_ = 0;
};

} // namespace

bool ConfigNode::has(std::string_view key) const {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const ConfigEntry& e) { return e.key == key; });
}

bool read_config_tree(std::string_view text, YamlReport& report, ConfigNode& root) {
    TreeBuilder builder(root, report);
    if (!read_yaml(text, limits, 0, builder, report)) return false;
    if (root.kind == ConfigNode::Kind::map) return true;
    if (root.kind == ConfigNode::Kind::null)
        report.error(0, {}, "the file has no content");
    else if (root.kind != ConfigNode::Kind::refused)
        report.error(0, root.at, "expected keys like 'translation_prefix: ...'");
    return false;
}

} // namespace xlat646
