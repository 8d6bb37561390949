// SPDX-License-Identifier: BSD-2-Clause
//
// The digest by which operators compare nodes: equal for equal translation, and only then.
#include "mapping/digest.hpp"
#include "tests/unit/catch.hpp"

#include <algorithm>
#include <set>

using namespace xlat646;

namespace {

TranslationPrefix prefix(const char* text) {
    return *TranslationPrefix::from(*Ipv6Prefix::parse(text));
}

Eam pair(const char* ipv4, const char* ipv6) {
    Eam m;
    m.ipv4 = *Ipv4Prefix::parse(ipv4);
    m.ipv6 = *Ipv6Prefix::parse(ipv6);
    return m;
}

MappingList list_of(std::vector<Eam> mappings) {
    MappingList list;
    list.mappings = std::move(mappings);
    return list;
}

} // namespace

TEST_CASE("digest: equal nodes, equal digests", "[DC-02][DC-10]") {
    const auto p = prefix("2001:db8:46::/96");
    std::vector<Eam> mappings = {
        pair("192.0.2.1/32", "2001:db8:6::2/128"), pair("192.0.2.2/32", "2001:db8:6::3/128"),
        pair("192.0.2.16/28", "2001:db8:7::/124"), pair("192.0.2.16/32", "2001:db8:8::1/128")};
    const std::string first = digest(list_of(mappings), p, 1280);
    CHECK(first.size() == 64);
    CHECK(first.find_first_not_of("0123456789abcdef") == std::string::npos);
    std::reverse(mappings.begin(), mappings.end());
    mappings[0].slot = 17; // a matter of the node's history
    CHECK(digest(list_of(mappings), p, 1280) == first);
}

TEST_CASE("digest: whatever changes the translation changes it", "[DC-02][DC-10]") {
    const auto p = prefix("2001:db8:46::/96");
    const Eam a = pair("192.0.2.1/32", "2001:db8:6::2/128");
    const Eam b = pair("192.0.2.2/32", "2001:db8:6::3/128");
    std::set<std::string> all;
    std::size_t count = 0;
    const auto add = [&](const std::vector<Eam>& mappings, const TranslationPrefix& with,
                         std::uint32_t lowest_ipv6_mtu) {
        all.insert(digest(list_of(mappings), with, lowest_ipv6_mtu));
        ++count;
    };
    add({}, p, 1280);
    add({a}, p, 1280);
    add({a, b}, p, 1280);
    add({pair("192.0.2.1/32", "2001:db8:6::3/128"), pair("192.0.2.2/32", "2001:db8:6::2/128")}, p,
        1280);
    add({pair("192.0.2.1/32", "2001:db8:6::/128"), b}, p, 1280);
    add({pair("192.0.2.0/31", "2001:db8:6::2/127")}, p, 1280);
    add({pair("192.0.2.0/31", "2001:db8:6::2/128")}, p, 1280);
    add({a, b}, prefix("2001:db8:47::/96"), 1280);
    add({a, b}, p, 1281);
    add({a, b}, p, 1500);
    CHECK(all.size() == count);
}
