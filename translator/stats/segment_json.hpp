// SPDX-License-Identifier: BSD-2-Clause
//
// What a segment says as JSON: one form for `xlat646 ... --json` and for the exporter's /api/v1.
// Each document has "daemon", which says whether its numbers are still being written.
//
// Names come from files, and a document from a segment may hold any bytes: to_text() writes them.
#pragma once

#include "translator/stats/mapping_list.hpp"
#include "translator/stats/summary.hpp"

#include <nlohmann/json_fwd.hpp>
#include <ostream>
#include <string>

namespace xlat646 {

/// {"state": "running" | "silent" | "stopped", ...}
nlohmann::ordered_json daemon_json(const Summary& summary, std::uint64_t now_ms);

/// Names are those of Summary; of the arrays by reason and kind only what is not 0.
nlohmann::ordered_json counters_json(const Summary& summary);

/// What `xlat646 status` shows: the daemon's report, "counters", "daemon". Without a report (there
/// is none in the first moment) the last two.
nlohmann::ordered_json status_json(const SegmentView& view, std::uint64_t now_ms);

/// "daemon", "counts": of each reason that has one, most frequent first (or of all reasons), with
/// sentence and advice; "last": the last examples, newest first, at most so many.
enum class Reasons : std::uint8_t { found, all };
nlohmann::ordered_json drops_json(const SegmentView& view, std::uint64_t now_ms, std::size_t last,
                                  Reasons reasons = Reasons::found);

/// "daemon", "tenants": how many there are, "rows".
nlohmann::ordered_json tenants_json(const SegmentView& view, const TenantQuery& query,
                                    std::uint64_t now_ms, const MappingRates* rates = nullptr);

/// Writes a document, row by row, for there may be a million: "daemon", "mappings": in the table,
/// "matches", "offset", "rows".
void write_mappings_json(std::ostream& out, const SegmentView& view, const MappingQuery& query,
                         std::uint64_t now_ms, const MappingRates* rates = nullptr);

/// With U+FFFD for bytes that are no UTF-8. `indent`: as for dump().
std::string to_text(const nlohmann::ordered_json& document, int indent = -1);

} // namespace xlat646
