// SPDX-License-Identifier: BSD-2-Clause
//
// The answer to GET /metrics.
#pragma once

#include "translator/exporter/options.hpp"
#include "translator/exporter/segment_source.hpp"

#include <string>

namespace xlat646 {

inline constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_text(const SegmentLook& look, const SeriesOptions& options);

} // namespace xlat646
