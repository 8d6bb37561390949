// SPDX-License-Identifier: BSD-2-Clause
//
// What the request {"command":"capture"} may say about the packets, each of it optional:
//   "filter":"<16 hexadecimal digits for each instruction of classic BPF>"  "snap_length":256
//   "rate":1000  "seconds":300  "drops":true  "reason":"no_mapping"  "without_fastpath":true
// Pure.
#pragma once

#include "translator/dataplane/capture_wish.hpp"

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace xlat646 {

bool is_capture_key(std::string_view key);
/// Puts the value into the wish. A sentence that says what is wrong with it; empty: nothing.
std::string read_capture_value(std::string_view key, const nlohmann::json& value,
                               CaptureWish& wish);
/// Those of the wish.
void write_capture_values(const CaptureWish& wish, nlohmann::json& request);

} // namespace xlat646
