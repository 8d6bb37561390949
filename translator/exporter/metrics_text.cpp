// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/metrics_text.hpp"

#include "translator/exporter/metric_values.hpp"
#include "translator/stats/mapping_list.hpp"

#include <functional>
#include <map>
#include <unistd.h>

namespace xlat646 {
namespace {

using namespace metric_values;

constexpr const char* daemon_name = "xlat646d";

/// A family of series for each of packets and bytes: the format wants them apart.
struct Family {
    std::string_view mapping_metric;
    std::string_view tenant_metric;
    std::uint64_t TrafficTotal::*value;
};
constexpr std::array families = {
    Family{"xlat646_mapping_packets_total", "xlat646_tenant_packets_total", &TrafficTotal::packets},
    Family{"xlat646_mapping_bytes_total", "xlat646_tenant_bytes_total", &TrafficTotal::bytes},
};

using Visit = std::function<void(const SegmentView::Mapping&, const PairTotal&)>;

/// Row by row: a list of a million would take more memory than its text.
void visit_all(const SegmentView& view, const Visit& visit) {
    for (std::size_t i = 0; i < view.mapping_count(); ++i)
        if (const auto mapping = view.mapping(i)) visit(*mapping, view.pair(mapping->slot));
}

void add_mappings(MetricsWriter& out, const std::function<void(const Visit&)>& for_each) {
    for (const Family& family : families) {
        out.begin(metric_row(family.mapping_metric));
        for_each([&](const SegmentView::Mapping& mapping, const PairTotal& total) {
            const std::string address = address_text(mapping.ipv4);
            for (std::size_t d = 0; d < direction_count; ++d)
                out.add(number(total[d].*family.value),
                        {address, direction_labels[d], mapping.name});
        });
        out.end();
    }
}

/// By what is shown: two names that differ in bytes that are no UTF-8 are one series.
using Tenants = std::map<std::string, PairTotal>;
/// nullopt: there are more than so many.
std::optional<Tenants> sum_tenants(const SegmentView& view, std::size_t limit) {
    std::map<std::string_view, PairTotal> sums; // the same text lies in the segment only once
    bool is_too_many = false;
    visit_all(view, [&](const SegmentView::Mapping& mapping, const PairTotal& total) {
        if (is_too_many) return;
        PairTotal& sum = sums[mapping.tenant];
        for (std::size_t d = 0; d < direction_count; ++d) {
            sum[d].packets += total[d].packets;
            sum[d].bytes += total[d].bytes;
        }
        is_too_many = sums.size() > limit;
    });
    if (is_too_many) return std::nullopt;
    Tenants out;
    for (const auto& [tenant, total] : sums) {
        PairTotal& sum = out[valid_utf8(tenant)];
        for (std::size_t d = 0; d < direction_count; ++d) {
            sum[d].packets += total[d].packets;
            sum[d].bytes += total[d].bytes;
        }
    }
    return out;
}

void add_tenants(MetricsWriter& out, const Tenants& tenants) {
    for (const Family& family : families) {
        out.begin(metric_row(family.tenant_metric));
        for (const auto& [tenant, total] : tenants)
            for (std::size_t d = 0; d < direction_count; ++d)
                out.add(number(total[d].*family.value), {tenant, direction_labels[d]});
        out.end();
    }
}

/// Returns whether there are too many.
bool add_series(MetricsWriter& out, const SegmentView& view, const SeriesOptions& options) {
    switch (options.per_mapping) {
    case PerMapping::off: return false;
    case PerMapping::top: {
        MappingQuery query;
        query.key = MappingKey::packets;
        query.is_descending = true;
        query.limit = options.top;
        const MappingPage page = list_mappings(view, query);
        add_mappings(out, [&](const Visit& visit) {
            for (const MappingRow& row : page.rows)
                visit(row.mapping, row.total);
        });
        return false;
    }
    case PerMapping::tenant: {
        const auto tenants = sum_tenants(view, options.limit);
        if (tenants) add_tenants(out, *tenants);
        return !tenants;
    }
    case PerMapping::all:
        if (view.mapping_count() > options.limit) return true;
        add_mappings(out, [&](const Visit& visit) { visit_all(view, visit); });
        return false;
    }
    return false;
}

bool is_given(const Metric& metric, const Observation& o) {
    switch (metric.given) {
    case Given::always: return true;
    case Given::segment: return o.look->view != nullptr;
    case Given::daemon: return o.daemon.has_value();
    case Given::per_mapping: return false;
    }
    return false;
}

} // namespace

std::string metrics_text(const SegmentLook& look, const SeriesOptions& options) {
    std::string text;
    MetricsWriter out(text);
    Observation o;
    o.look = &look;
    if (look.is_alive()) o.daemon = process_usage(look.summary.pid);
    // Another process has the number: namespaces of processes, or not even Linux's own.
    if (o.daemon && o.daemon->name != daemon_name) o.daemon.reset();
    o.self = process_usage(static_cast<std::uint32_t>(::getpid()));
    o.descriptors = descriptor_usage();
    if (look.view != nullptr) o.are_series_suppressed = add_series(out, *look.view, options);
    for (const Metric& metric : metric_table()) {
        if (!is_given(metric, o)) continue;
        out.begin(metric);
        metric.collect(o, out);
        out.end();
    }
    return text;
}

} // namespace xlat646
