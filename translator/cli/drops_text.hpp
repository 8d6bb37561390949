// SPDX-License-Identifier: BSD-2-Clause
//
// drops_json() as text for people. Pure.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace xlat646 {

/// Counts of each reason.
std::string drops_text(const nlohmann::ordered_json& drops);
/// With its sentence and what to do about it, in lines of this width.
std::string explained_drops_text(const nlohmann::ordered_json& drops, std::size_t width);
/// The examples, the newest at the end.
std::string last_drops_text(const nlohmann::ordered_json& drops);

} // namespace xlat646
