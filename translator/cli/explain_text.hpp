// SPDX-License-Identifier: BSD-2-Clause
//
// An explanation for people and for programs. Pure.
#pragma once

#include "translator/explain/explanation.hpp"
#include "translator/explain/packet_input.hpp"

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace xlat646 {

/// `list`: of the table that the explanation was made with.
std::string explanation_text(const InputPacket& packet, const Explanation& explanation,
                             const MappingList& list);
nlohmann::ordered_json explanation_json(const InputPacket& packet, const Explanation& explanation,
                                        const MappingList& list);

} // namespace xlat646
