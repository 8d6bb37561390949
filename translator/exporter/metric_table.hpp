// SPDX-License-Identifier: BSD-2-Clause
//
// Every metric of /metrics: one row each.
#pragma once

#include "translator/exporter/process_usage.hpp"
#include "translator/exporter/segment_source.hpp"

#include <optional>
#include <prometheus/metric_type.h>
#include <span>
#include <string>
#include <string_view>

namespace xlat646 {

class MetricsWriter;

/// What a row is made from, all of one moment.
struct Observation {
    const SegmentLook* look = nullptr;
    std::optional<ProcessUsage> daemon; ///< while it runs and may be seen
    std::optional<ProcessUsage> self;
    DescriptorUsage descriptors;
    bool are_series_suppressed = false;

    const Summary& summary() const { return look->summary; }
};

/// When a metric is there.
enum class Given : std::uint8_t {
    always,
    segment,    ///< while there is a segment, also one that a crash has left
    daemon,     ///< while the daemon runs, and this process may see it in /proc
    per_mapping ///< as --per-mapping says
};

struct Metric {
    std::string_view name;
    prometheus::MetricType type;
    std::string_view labels; ///< "direction,reason"
    Given given;
    std::string_view help;
    void (*collect)(const Observation&, MetricsWriter&); ///< nullptr: per_mapping
};

std::span<const Metric> metric_table();
/// Must be there.
const Metric& metric_row(std::string_view name);
/// One line each: name, type, labels, help, separated by tabs.
std::string list_metrics();

} // namespace xlat646
