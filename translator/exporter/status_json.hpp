// SPDX-License-Identifier: BSD-2-Clause
//
// /api/v1/status: what the daemon says about itself, its counters, and what this exporter does.
#pragma once

#include "translator/exporter/options.hpp"
#include "translator/exporter/segment_source.hpp"

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace xlat646 {

/// What `xlat646 status --json` says, and "exporter". Without a segment only "daemon", whose state
/// is "absent" then, and "exporter".
nlohmann::ordered_json exporter_json(const SegmentLook& look, const std::string& path,
                                     const SeriesOptions& series);

/// Empty: it is ready.
std::string why_not_ready(const SegmentLook& look);

} // namespace xlat646
