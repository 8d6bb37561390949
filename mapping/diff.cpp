// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/diff.hpp"

#include <algorithm>

namespace xlat646 {

namespace {

/// A mapping's IPv4 prefix as a number that sorts like it, and its index.
struct Key {
    std::uint64_t prefix;
    std::uint32_t index;
    friend constexpr bool operator<(const Key& a, const Key& b) { return a.prefix < b.prefix; }
};

std::vector<Key> sorted_keys(const MappingList& list) {
    std::vector<Key> keys;
    keys.reserve(list.mappings.size());
    for (std::uint32_t i = 0; i < list.mappings.size(); ++i) {
        const Ipv4Prefix& p = list.mappings[i].ipv4;
        keys.push_back({std::uint64_t{p.address().value()} << 8 | p.length(), i});
    }
    if (!std::is_sorted(keys.begin(), keys.end())) std::sort(keys.begin(), keys.end());
    return keys;
}

class Comparison {
  public:
    Comparison(const MappingList& before, const MappingList& after, std::size_t max_changes)
        : before_(before), after_(after), max_changes_(max_changes) {}

    void removed(const Eam& m) { add(diff_.removed, {ChangeKind::removed, &m, nullptr}); }
    void added(const Eam& m) { add(diff_.added, {ChangeKind::added, nullptr, &m}); }
    void kept(const Eam& old_one, const Eam& new_one) {
        if (old_one.ipv6 != new_one.ipv6)
            add(diff_.readdressed, {ChangeKind::readdressed, &old_one, &new_one});
        else if (before_.name_of(old_one) != after_.name_of(new_one) ||
                 before_.tenant_of(old_one) != after_.tenant_of(new_one))
            add(diff_.relabelled, {ChangeKind::relabelled, &old_one, &new_one});
        else
            ++diff_.unchanged;
    }
    MappingDiff take() { return std::move(diff_); }

  private:
    void add(std::size_t& count, const MappingChange& change) {
        ++count;
        if (diff_.changes.size() < max_changes_) diff_.changes.push_back(change);
    }

    const MappingList& before_;
    const MappingList& after_;
    std::size_t max_changes_;
    MappingDiff diff_;
};

} // namespace

MappingDiff diff_mappings(const MappingList& before, const MappingList& after,
                          std::size_t max_changes) {
    const std::vector<Key> old_keys = sorted_keys(before);
    const std::vector<Key> new_keys = sorted_keys(after);
    Comparison comparison(before, after, max_changes);
    auto o = old_keys.begin();
    auto n = new_keys.begin();
    while (o != old_keys.end() || n != new_keys.end()) {
        if (n == new_keys.end() || (o != old_keys.end() && *o < *n)) {
            comparison.removed(before.mappings[o++->index]);
        } else if (o == old_keys.end() || *n < *o) {
            comparison.added(after.mappings[n++->index]);
        } else {
            comparison.kept(before.mappings[o++->index], after.mappings[n++->index]);
        }
    }
    return comparison.take();
}

} // namespace xlat646
