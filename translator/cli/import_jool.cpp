// SPDX-License-Identifier: BSD-2-Clause
//
// Jool's file of an instance. JSON is YAML (1.2 section 1.3), so our reader with its limits and
// positions serves.
#include "translator/cli/import_formats.hpp"

#include "mapping/yaml_events.hpp"
#include "mapping/yaml_words.hpp"

#include <string>

namespace xlat646 {
namespace {

constexpr YamlLimits limits{std::size_t{256} << 20};

/// yaml-cpp looks ahead to the end of open brackets, at 200 bytes for each, before our reader sees
/// the first and stops at its own limit. Brackets in strings count, too: few are not in pairs.
constexpr std::size_t most_open_brackets = 1000;

/// The bracket that is one too many; line 0: none.
TextPosition find_deep_bracket(std::string_view text) {
    std::size_t open = 0;
    TextPosition at{1, 0};
    for (const char c : text) {
        ++at.column;
        if (c == '\n') at = {at.line + 1, 0};
        if (c == '[' || c == '{') ++open;
        if ((c == ']' || c == '}') && open != 0) --open;
        if (open > most_open_brackets) return at;
    }
    return {};
}

class JoolReader final : public YamlEvents {
  public:
    explicit JoolReader(ImportRun& run) : run_(run) {}

    void scalar(TextPosition at, std::string_view value, ScalarKind kind) override {
        if (skipped_ != 0) return;
        if (is_map() && !has_key_) return take_key(at, value);
        has_key_ = false;
        if (kind == ScalarKind::null || kind == ScalarKind::refused) return; // not set
        take_value({value, at});
    }
    void begin_map(TextPosition at) override { begin(at, true); }
    void end_map() override { end(); }
    void begin_list(TextPosition at) override { begin(at, false); }
    void end_list() override { end(); }

  private:
    enum class Place : std::uint8_t { file, top, global, eamt, pair };

    bool is_map() const {
        return place_ == Place::top || place_ == Place::global || place_ == Place::pair;
    }
    void take_key(TextPosition at, std::string_view value) {
        key_ = value;
        key_at_ = at;
        has_key_ = true;
    }
    /// The place that begins here, or `place_` itself: none that we know.
    Place inner(bool map) const {
        if (place_ == Place::file && map) return Place::top;
        if (place_ == Place::top && map && key_ == "global") return Place::global;
        if (place_ == Place::top && !map && key_ == "eamt") return Place::eamt;
        if (place_ == Place::eamt && map) return Place::pair;
        return place_;
    }
    void begin(TextPosition at, bool map) {
        if (skipped_ == 0) {
            const bool is_key = is_map() && !has_key_;
            if (!is_key && inner(map) != place_) {
                place_ = inner(map);
                has_key_ = false;
                if (place_ == Place::pair) pair_at_ = at, ipv4_ = ipv6_ = {};
                return;
            }
            has_key_ = is_key; // a key that is no word takes a value all the same
            if (is_key)
                key_ = "", key_at_ = at;
            else if (!is_comment())
                lose(is_map() ? key_at_ : at);
        }
        ++skipped_;
    }
    void end() {
        if (skipped_ != 0) {
            --skipped_;
            return;
        }
        switch (place_) {
        case Place::pair:
            finish_pair();
            place_ = Place::eamt;
            return;
        case Place::global:
        case Place::eamt: place_ = Place::top; return;
        case Place::top:
        case Place::file: place_ = Place::file; return;
        }
    }

    bool is_comment() const { return is_map() && key_ == "comment"; }
    /// Something with values in it that we do not have.
    void lose(TextPosition at) {
        if (place_ == Place::global) return warn_of_global();
        run_.error(at, (is_map() ? quote(key_) : std::string("this")) +
                           " has no counterpart here, and is lost");
    }

    void warn_of_global() {
        run_.warning(key_at_, "global " + quote(key_) +
                                  " has no counterpart, or another name: see xlat646.yaml(5)");
    }

    void take_value(const ImportWord& value) {
        if (is_comment()) return;
        switch (place_) {
        case Place::file:
        case Place::eamt: return lose(value.at);
        case Place::top: return take_top(value);
        case Place::global: return take_global(value);
        case Place::pair: return take_side(value);
        }
    }
    void take_top(const ImportWord& value) {
        if (key_ == "pool6") return set_prefix(value, 0, run_);
        if (key_ == "instance" || key_ == "framework")
            return run_.warning(key_at_, key_ + " has no counterpart");
        lose(key_at_);
    }
    void take_global(const ImportWord& value) {
        if (key_ == "pool6") return set_prefix(value, 0, run_);
        if (key_ != "rfc6791v4-prefix") return warn_of_global();
        const auto pool = Ipv4Prefix::parse(value.text);
        if (!pool || pool->length() < 20 || run_.out.pool)
            return run_.error(value.at, quote(value.text) +
                                            " cannot be icmp_source_pool: expected one IPv4 "
                                            "prefix of at least 20 bits");
        run_.out.pool = pool;
    }
    void take_side(const ImportWord& value) {
        Side* const side = key_ == "ipv4 prefix"   ? &ipv4_
                           : key_ == "ipv6 prefix" ? &ipv6_
                                                   : nullptr;
        if (side == nullptr) return lose(key_at_);
        if (side->at.line != 0) run_.error(key_at_, quote(key_) + " stands twice in one entry");
        *side = {std::string(value.text), value.at};
    }
    void finish_pair() {
        if (ipv4_.at.line == 0 || ipv6_.at.line == 0)
            return run_.error(pair_at_, "an entry of eamt needs \"ipv4 prefix\" and \"ipv6 "
                                        "prefix\"; it is lost");
        add_pair({ipv4_.text, ipv4_.at}, {ipv6_.text, ipv6_.at}, run_);
    }

    struct Side {
        std::string text;
        TextPosition at;
    };

    ImportRun& run_;
    Place place_ = Place::file;
    unsigned skipped_ = 0; ///< how deep we are in what is not ours
    bool has_key_ = false;
    std::string key_;
    TextPosition key_at_;
    TextPosition pair_at_;
    Side ipv4_;
    Side ipv6_;
};

} // namespace

void import_jool_json(std::string_view text, ImportRun& run) {
    const TextPosition deep = find_deep_bracket(text);
    if (deep.line != 0) return run.error(deep, "nested too deeply");
    JoolReader reader(run);
    // An error in the text is in the report; what was read before it is of use.
    (void)read_yaml(text, limits, 0, reader, run.report);
}

} // namespace xlat646
