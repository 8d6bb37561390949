// SPDX-License-Identifier: BSD-2-Clause
//
// One packet through the traced Translator: the rules that it passes, what becomes of it, and what
// leaves. Nothing is limited in rate; the packet has no offload header: as it is on a wire.
#pragma once

#include "mapping/table.hpp"
#include "translator/siit/outcome.hpp"
#include "translator/siit/rules.hpp"
#include "translator/siit/settings.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace xlat646 {

using PacketBytes = std::vector<std::uint8_t>;

struct Explanation {
    Direction direction = Direction::v4_to_v6;
    std::vector<Rule> rules; ///< in the order in which they were passed
    Outcome outcome = Outcome::forward();
    /// The translated packet, its fragments, or our answer; none for a drop.
    std::vector<PacketBytes> packets;
    const Eam* pair = nullptr;     ///< in the table; of the server
    const Eam* receiver = nullptr; ///< of the server at the other end, when it was turned around
    /// The data path would take the short way of plain packets, which was asked, too.
    bool is_plain = false;
};

/// `packet`: an IP packet of at most 65535 bytes. Throws std::logic_error if the short way does
/// not give the same packet.
Explanation explain(std::span<const std::uint8_t> packet, const Settings& settings,
                    const MappingTable& table);

} // namespace xlat646
