// SPDX-License-Identifier: BSD-2-Clause
//
// Turns the events of one mapping file into mappings. Reports what is wrong and goes on, so that
// one run finds everything.
#pragma once

#include "mapping/loader_rules.hpp"
#include "mapping/yaml_events.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace xlat646 {

/// Appends strings to a MappingList's text, equal ones once.
class InternedText {
  public:
    explicit InternedText(std::string& text) : text_(text), slots_(64, 0) {}
    /// The offset of `value`, which is not empty.
    std::uint32_t add(std::string_view value);

  private:
    void grow();
    std::uint32_t& slot_of(std::string_view value);

    std::string& text_;
    std::vector<std::uint32_t> slots_; ///< offsets by hash; 0: free. A power of two.
    std::size_t used_ = 0;
};

/// What all files of a run share.
struct LoaderRun {
    MappingList& list;
    std::vector<PairPosition> positions; ///< one for each mapping
    InternedText tenants;
    PairRules rules;
    YamlReport& report;
};

class MappingReader final : public YamlEvents {
  public:
    MappingReader(LoaderRun& run, std::uint32_t file) : run_(run), file_(file) {}

    void scalar(TextPosition at, std::string_view value, ScalarKind kind) override;
    void begin_map(TextPosition at) override;
    void end_map() override;
    void begin_list(TextPosition at) override;
    void end_list() override;

    /// After a file was read to its end.
    void finish();

  private:
    enum class Expect : std::uint8_t {
        root,
        root_key,
        version,
        mappings,
        entry,
        entry_key,
        entry_value,
        end
    };
    enum Key : std::uint8_t { ipv4, ipv6, name, tenant, key_count, unknown_key };

    void error(TextPosition at, std::string message);
    /// Leaves out the collection that has just begun; `next` is expected behind it.
    void ignore_collection(Expect next);
    void end_ignored();
    void refuse_collection(TextPosition at, const char* what);
    void begin_entry(TextPosition at);
    void finish_entry();
    void root_key(TextPosition at, std::string_view value, ScalarKind kind);
    void entry_key(TextPosition at, std::string_view value, ScalarKind kind);
    void entry_value(TextPosition at, std::string_view value, ScalarKind kind);
    void check_version(TextPosition at, std::string_view value, ScalarKind kind);
    bool check_key(TextPosition at, ScalarKind kind);
    bool is_good_label(TextPosition at, std::string_view value, const char* key);
    std::uint32_t append(std::string_view value);

    LoaderRun& run_;
    std::uint32_t file_;
    Expect expect_ = Expect::root;
    Expect after_ignored_ = Expect::root;
    unsigned ignored_depth_ = 0;
    bool ignore_value_ = false;
    /// A list or map as a key. Reported when it ends: yaml-cpp takes an unclosed bracket for one.
    TextPosition bad_key_at_;
    bool saw_map_ = false; ///< at the top
    TextPosition version_at_;
    TextPosition mappings_at_;

    Key key_ = unknown_key;
    TextPosition key_at_;
    TextPosition entry_at_;
    std::array<TextPosition, key_count> seen_at_{};
    Eam entry_;
    PairPosition entry_position_;
};

} // namespace xlat646
