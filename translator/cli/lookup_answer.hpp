// SPDX-License-Identifier: BSD-2-Clause
//
// What becomes of an address. Pure, and no second implementation of the rules: small UDP packets
// with this address on one side go through the Translator, and what comes out is read.
#pragma once

#include "mapping/table.hpp"
#include "translator/siit/outcome.hpp"
#include "translator/siit/settings.hpp"

#include <cstdint>
#include <optional>
#include <variant>

namespace xlat646 {

using AnyAddress = std::variant<Ipv4Address, Ipv6Address>;

enum class LookupRule : std::uint8_t {
    pair,               ///< an explicit mapping, RFC 7757
    translation_prefix, ///< a client, by RFC 6052
    hairpin,            ///< a pair's IPv4 address in the translation prefix, RFC 7757 section 4
    own_address,        ///< of the translator; it answers echo requests
    source_pool,        ///< RFC 6791: source of ICMP errors from routers without a mapping
    router,             ///< not mapped; as a source of ICMP errors it becomes one of the pool
    none,               ///< not translated, see `reason`
};
constexpr bool is_mapped(LookupRule rule) { return rule <= LookupRule::hairpin; }

struct LookupAnswer {
    LookupRule rule = LookupRule::none;
    std::optional<AnyAddress> becomes; ///< if is_mapped(rule)
    const Eam* pair = nullptr;         ///< in the table; pair and hairpin
    std::optional<DropReason> reason;  ///< router and none
};

/// `settings`: those of the main file.
LookupAnswer look_up(Ipv4Address address, const Settings& settings, const MappingTable& table);
LookupAnswer look_up(const Ipv6Address& address, const Settings& settings,
                     const MappingTable& table);

} // namespace xlat646
