// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/diff.hpp"
#include "mapping/loader.hpp"
#include "tests/unit/catch.hpp"

#include <algorithm>

namespace xlat646 {

namespace {

MappingList load(const std::string& mappings) {
    const std::string text = "version: 1\nmappings:\n" + mappings;
    const LoaderInput input{"m", text};
    MappingList list;
    Diagnostics diagnostics;
    REQUIRE(load_mappings({&input, 1}, nullptr, {}, list, diagnostics));
    return list;
}

const std::string old_text = "  - { ipv4: 198.41.0.9, ipv6: \"2a00::9\", name: same }\n"
                             "  - { ipv4: 198.41.0.2, ipv6: \"2a00::2\" }\n"
                             "  - { ipv4: 198.41.0.0/30, ipv6: \"2a00::/126\" }\n"
                             "  - { ipv4: 198.41.0.0/31, ipv6: \"2a00::/127\" }\n"
                             "  - { ipv4: 198.41.0.4, ipv6: \"2a00::4\", name: a, tenant: t }\n"
                             "  - { ipv4: 198.41.0.5, ipv6: \"2a00::5\", tenant: t }\n";

} // namespace

TEST_CASE("diff: a list and itself in another order", "[diff]") {
    const MappingList before = load(old_text);
    MappingList after = load(old_text);
    std::reverse(after.mappings.begin(), after.mappings.end());
    const MappingDiff diff = diff_mappings(before, after, 10);
    CHECK(diff.empty());
    CHECK(diff.unchanged == 6);
    CHECK(diff.changes.empty());
}

TEST_CASE("diff: every kind of change", "[diff]") {
    const MappingList before = load(old_text);
    const MappingList after = load("  - { ipv4: 198.41.0.1, ipv6: \"2a00::2\" }\n"
                                   "  - { ipv4: 198.41.0.0/30, ipv6: \"2a01::/126\" }\n"
                                   "  - { ipv4: 198.41.0.5, ipv6: \"2a00::5\", tenant: u }\n"
                                   "  - { ipv4: 198.41.0.4, ipv6: \"2a00::4\", tenant: t }\n"
                                   "  - { ipv4: 198.41.0.9, ipv6: \"2a00::9\", name: same }\n");
    const MappingDiff diff = diff_mappings(before, after, 100);
    CHECK_FALSE(diff.empty());
    CHECK(diff.added == 1);
    CHECK(diff.removed == 2);
    CHECK(diff.readdressed == 1);
    CHECK(diff.relabelled == 2);
    CHECK(diff.unchanged == 1);

    const struct {
        ChangeKind kind;
        const char* ipv4;
    } expected[] = {
        {ChangeKind::readdressed, "198.41.0.0/30"}, {ChangeKind::removed, "198.41.0.0/31"},
        {ChangeKind::added, "198.41.0.1/32"},       {ChangeKind::removed, "198.41.0.2/32"},
        {ChangeKind::relabelled, "198.41.0.4/32"},  {ChangeKind::relabelled, "198.41.0.5/32"},
    };
    REQUIRE(diff.changes.size() == std::size(expected));
    for (std::size_t i = 0; i < diff.changes.size(); ++i) {
        const MappingChange& c = diff.changes[i];
        CHECK(c.kind == expected[i].kind);
        CHECK((c.before == nullptr) == (c.kind == ChangeKind::added));
        CHECK((c.after == nullptr) == (c.kind == ChangeKind::removed));
        CHECK((c.after ? c.after : c.before)->ipv4.to_string() == expected[i].ipv4);
    }
}

TEST_CASE("diff: the list is bounded, the counts are not", "[diff]") {
    const MappingList before = load(old_text);
    const MappingList none;
    CHECK(diff_mappings(before, none).removed == 6);
    CHECK(diff_mappings(before, none).changes.empty());
    const MappingDiff diff = diff_mappings(none, before, 2);
    CHECK(diff.added == 6);
    CHECK(diff.changes.size() == 2);
    CHECK(diff_mappings(none, none).empty());
}

} // namespace xlat646
