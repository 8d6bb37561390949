// SPDX-License-Identifier: BSD-2-Clause
//
// The statistics segment as the commands get it: they ask no daemon, and so have numbers when there
// is none any more. Then they say so.
#pragma once

#include "translator/stats/mapping_list.hpp"
#include "translator/stats/segment_reader.hpp"
#include "translator/stats/summary.hpp"

#include <boost/program_options.hpp>
#include <string>

namespace xlat646 {

/// --stats
void add_stats_option(boost::program_options::options_description& options);

/// Throws Unreachable: why not, and what to do about it.
SegmentReader open_segment(const boost::program_options::variables_map& given);

/// Empty: the numbers are being written. Else a sentence.
std::string why_not_running(const Summary& summary, std::uint64_t now_ms);
/// Says it to stderr.
void warn_if_not_running(const char* command, const Summary& summary, std::uint64_t now_ms);

/// Throws boost::program_options::error with the values that there are. `fallback`: not given.
MappingKey sort_key(const boost::program_options::variables_map& given, MappingKey fallback);

} // namespace xlat646
