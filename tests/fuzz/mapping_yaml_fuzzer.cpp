// SPDX-License-Identifier: BSD-2-Clause
//
// Any bytes as mapping files; a NUL byte divides two files. A text that the fast reader of plain
// YAML takes must be read by yaml-cpp alike.
#include "mapping/loader.hpp"
#include "tests/support/plain_yaml_check.hpp"

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

namespace {

using namespace xlat646;

LoaderRules make_rules() {
    return {TranslationPrefix::from(*Ipv6Prefix::parse("2001:db8:46::/96")).value(),
            Ipv4Address::parse("192.0.2.254").value(),
            Ipv6Address::parse("2a00:ff::1").value(),
            {Ipv4Address::parse("192.0.2.240").value()}};
}

void require(bool condition) {
    if (!condition) std::abort();
}

void check(const MappingList& list, const LoaderRules& rules) {
    std::set<Ipv4Prefix> seen4;
    std::set<Ipv6Prefix> seen6;
    for (const Eam& m : list.mappings) {
        require(seen4.insert(m.ipv4).second);
        require(seen6.insert(m.ipv6).second);
        require(m.ipv4.suffix_length() <= m.ipv6.suffix_length());
        require(!rules.prefix.prefix().overlaps(m.ipv6));
        require(!m.ipv4.contains(rules.own4) && !m.ipv6.contains(rules.own6));
        require(m.name < list.text.size() && m.tenant < list.text.size());
        require(m.where.file < list.files.size() && m.where.line > 0 && m.where.column > 0);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const LoaderRules rules = make_rules();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::vector<LoaderInput> inputs;
    const std::size_t border = text.find('\0');
    inputs.push_back({"a", text.substr(0, border)});
    if (border != std::string_view::npos) inputs.push_back({"b", text.substr(border + 1)});

    for (const LoaderInput& input : inputs)
        require(test::check_plain_yaml(input.text).disagreement.empty());

    MappingList list;
    Diagnostics diagnostics;
    const bool good = load_mappings(inputs, &rules, {}, list, diagnostics);
    require(good != has_errors(diagnostics));
    require(good || list.mappings.empty());
    check(list, rules);
    return 0;
}
