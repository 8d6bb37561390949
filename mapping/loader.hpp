// SPDX-License-Identifier: BSD-2-Clause
//
// Mapping files: YAML text in, a list of mappings or every diagnostic out. Pure: the caller reads
// the files. All files are one set: an address may be mapped once in all of them.
//
//   version: 1
//   mappings:
//     - { ipv4: 192.0.2.1, ipv6: "2001:db8:6::2", name: www, tenant: acme }
//     - { ipv4: 192.0.2.16/28, ipv6: "2001:db8:7::/124" }
//
// Memory on top of the text: about 60 bytes per mapping, its name, each tenant once.
#pragma once

#include "mapping/diagnostic.hpp"
#include "mapping/table.hpp"
#include "mapping/translation_prefix.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xlat646 {

struct LoaderInput {
    std::string name; ///< for diagnostics
    std::string_view text;
};

/// What the translator uses itself and no pair may use (EAM-07).
struct LoaderRules {
    TranslationPrefix prefix;
    Ipv4Address own4;
    Ipv6Address own6;
    std::vector<Ipv4Address> pool4;
};

struct LoaderLimits {
    std::size_t bytes = std::size_t{256} << 20; ///< all files together
    std::size_t errors = 100;                   ///< shown; the rest is counted
};

/// True: `out` holds all mappings, in the order of the text, and `diagnostics` no error. False: at
/// least one error, and `out` is empty. Without `rules` only the text itself is judged.
[[nodiscard]] bool load_mappings(std::span<const LoaderInput> inputs, const LoaderRules* rules,
                                 const LoaderLimits& limits, MappingList& out,
                                 Diagnostics& diagnostics);

} // namespace xlat646
