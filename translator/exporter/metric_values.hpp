// SPDX-License-Identifier: BSD-2-Clause
//
// What the rows of the metric table collect, where more than a line is needed for it.
#pragma once

#include "translator/exporter/metric_table.hpp"
#include "translator/exporter/metrics_writer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace xlat646::metric_values {

inline constexpr std::array direction_labels = {"4to6", "6to4"};
inline constexpr std::array version_names = {"4", "6"}; ///< of what arrives in a direction
inline constexpr std::array protocol_names = {"tcp", "udp", "icmp", "other"};
inline constexpr std::array kind_names = {"time_exceeded", "packet_too_big", "unreachable",
                                          "parameter_problem"};
static_assert(protocol_names.size() == counted_protocol_count);
static_assert(kind_names.size() == error_kind_count);

inline double number(std::uint64_t n) { return static_cast<double>(n); }

template <auto Member> void by_direction(const Observation& o, MetricsWriter& out) {
    for (std::size_t d = 0; d < direction_count; ++d)
        out.add(number(o.summary().direction[d].*Member), {direction_labels[d]});
}
template <auto Member> void by_version(const Observation& o, MetricsWriter& out) {
    for (std::size_t d = 0; d < direction_count; ++d)
        out.add(number(o.summary().direction[d].*Member), {version_names[d]});
}
/// What leaves has the other version.
template <auto Member> void by_version_sent(const Observation& o, MetricsWriter& out) {
    for (std::size_t d = 0; d < direction_count; ++d)
        out.add(number(o.summary().direction[d].*Member), {version_names[1 - d]});
}
template <auto Member> void by_protocol(const Observation& o, MetricsWriter& out) {
    for (std::size_t d = 0; d < direction_count; ++d)
        for (std::size_t p = 0; p < protocol_names.size(); ++p)
            out.add(number(o.summary().direction[d].protocols[p].*Member),
                    {direction_labels[d], protocol_names[p]});
}
template <auto Member> void by_kind(const Observation& o, MetricsWriter& out) {
    for (std::size_t d = 0; d < direction_count; ++d)
        for (std::size_t k = 0; k < kind_names.size(); ++k)
            out.add(number((o.summary().direction[d].*Member)[k]),
                    {version_names[d], kind_names[k]});
}
template <auto Member> void life(const Observation& o, MetricsWriter& out) {
    out.add(number(o.summary().life.*Member));
}
template <auto Member> void tun(const Observation& o, MetricsWriter& out) {
    out.add(number(o.summary().tun.*Member));
}

void digest(const Observation& o, MetricsWriter& out);
void dropped(const Observation& o, MetricsWriter& out);
void fastpath_packets(const Observation& o, MetricsWriter& out);
void fastpath_passed(const Observation& o, MetricsWriter& out);
void fastpath_lost(const Observation& o, MetricsWriter& out);
void segment_state(const Observation& o, MetricsWriter& out);

} // namespace xlat646::metric_values
