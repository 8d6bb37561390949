// SPDX-License-Identifier: BSD-2-Clause
//
// Mapping files with many of something.
#include "mapping/loader.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/diagnostic_text.hpp"

#include <set>

namespace xlat646 {

namespace {

bool load(const std::string& mappings, MappingList& out, Lines& said) {
    const std::string text = "version: 1\nmappings:\n" + mappings;
    const LoaderInput input{"m", text};
    Diagnostics diagnostics;
    const bool good = load_mappings({&input, 1}, nullptr, {}, out, diagnostics);
    said = lines_of(diagnostics);
    return good;
}

std::string entry(int number, const std::string& more) {
    return "  - { ipv4: 198.41." + std::to_string(number / 250) + "." +
           std::to_string(number % 250) + ", ipv6: \"2a00::" + std::to_string(number) + "\"" +
           more + " }\n";
}

} // namespace

TEST_CASE("mapping files: each tenant's name is stored once", "[loader]") {
    constexpr int tenants = 500;
    std::string text;
    for (int i = 0; i < 3 * tenants; ++i)
        text += entry(i, ", tenant: tenant-" + std::to_string(i * 7 % tenants));
    MappingList list;
    Lines said;
    REQUIRE(load(text, list, said));
    CHECK(said == Lines{});
    REQUIRE(list.mappings.size() == 3 * tenants);
    std::set<std::uint32_t> places;
    for (int i = 0; i < 3 * tenants; ++i) {
        const Eam& m = list.mappings[static_cast<std::size_t>(i)];
        REQUIRE(list.tenant_of(m) == "tenant-" + std::to_string(i * 7 % tenants));
        places.insert(m.tenant);
    }
    CHECK(places.size() == tenants);
}

TEST_CASE("mapping files: only the first duplicates are shown", "[loader][EAM-06]") {
    std::string text;
    for (int i = 0; i < 150; ++i)
        text += entry(7, "");
    MappingList list;
    Lines said;
    CHECK_FALSE(load(text, list, said));
    REQUIRE(said.size() == 201); // each with its note
    CHECK(said[0] == "m:4:13: error: ipv4: 198.41.0.7 is mapped twice");
    CHECK(said[1] == "m:3:13: note: first mapped here");
    CHECK(said[200] == "note: and 198 more errors");
}

TEST_CASE("mapping files: duplicate prefixes are named with their lengths", "[loader][EAM-06]") {
    MappingList list;
    Lines said;
    CHECK_FALSE(load("  - { ipv4: 198.41.0.0/24, ipv6: \"2a00::/64\" }\n"
                     "  - { ipv4: 198.41.0.0/24, ipv6: \"2a00::/64\" }\n",
                     list, said));
    CHECK(said == Lines{"m:4:13: error: ipv4: 198.41.0.0/24 is mapped twice",
                        "m:3:13: note: first mapped here",
                        "m:4:34: error: ipv6: 2a00::/64 is mapped twice",
                        "m:3:34: note: first mapped here"});
}

} // namespace xlat646
