// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/diff.hpp"

#include "mapping/order.hpp"

#include <utility>

namespace xlat646 {

namespace {

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
    const auto old_ones = order_by_ipv4(before);
    const auto new_ones = order_by_ipv4(after);
    Comparison comparison(before, after, max_changes);
    auto o = old_ones.begin();
    auto n = new_ones.begin();
    while (o != old_ones.end() || n != new_ones.end()) {
        if (n == new_ones.end() || (o != old_ones.end() && o->prefix < n->prefix)) {
            comparison.removed(before.mappings[o++->index]);
        } else if (o == old_ones.end() || n->prefix < o->prefix) {
            comparison.added(after.mappings[n++->index]);
        } else {
            comparison.kept(before.mappings[o++->index], after.mappings[n++->index]);
        }
    }
    return comparison.take();
}

} // namespace xlat646
