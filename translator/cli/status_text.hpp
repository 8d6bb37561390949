// SPDX-License-Identifier: BSD-2-Clause
//
// The daemon's status document as short aligned lines. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace xlat646 {

/// Throws nlohmann::json::exception when a part is missing or of another type.
std::string status_text(const nlohmann::ordered_json& status);

/// "reloaded: 30 mappings, 1 added, ..." and what was said meanwhile.
std::string reload_text(const nlohmann::ordered_json& result);

/// "restarted: process 7 has taken over", or why not.
std::string restart_text(const nlohmann::ordered_json& result);

} // namespace xlat646
