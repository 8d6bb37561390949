// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/metric_table.hpp"

#include "translator/exporter/metric_values.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace xlat646 {
namespace {

using namespace metric_values;
constexpr auto counter = prometheus::MetricType::Counter;
constexpr auto gauge = prometheus::MetricType::Gauge;

constexpr std::array
    table =
        {
            Metric{
                "xlat646_up", gauge, "", Given::always,
                "Whether xlat646d runs: its segment can be read and was written to in the last 5 "
                "seconds.",
                [](const Observation& o, MetricsWriter& out) {
                    out.add(o.look->is_alive() ? 1 : 0);
                }},
            Metric{"xlat646_ready", gauge, "", Given::always,
                   "Whether xlat646d runs and says that it translates (the carrier of its TUN).",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(o.look->is_ready() ? 1 : 0);
                   }},
            Metric{"xlat646_segment_state", gauge, "state", Given::always,
                   "1 for the state of the statistics segment, 0 for the others. A crash leaves it "
                   "current.",
                   segment_state},
            Metric{"xlat646_segment_size_bytes", gauge, "", Given::segment,
                   "Size of the statistics segment.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(number(o.look->view->header().offsets.size));
                   }},
            Metric{"xlat646_beat_timestamp_seconds", gauge, "", Given::segment,
                   "When xlat646d has last written to the segment; it does so each second.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(number(o.summary().life.beat_ms) / 1000);
                   }},
            Metric{"xlat646_build_info", gauge, "version,revision", Given::always,
                   "1; the version of xlat646-exporter, which comes with xlat646d.",
                   [](const Observation&, MetricsWriter& out) {
                       out.add(1, {XLAT646_VERSION, XLAT646_REVISION});
                   }},
            Metric{"xlat646_workers", gauge, "", Given::segment, "Threads that translate.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(number(o.summary().workers));
                   }},

            Metric{"xlat646_packets_received_total", counter, "ip_version", Given::segment,
                   "Packets received to be translated; a super-packet (GSO) is one.",
                   by_version<&DirectionSummary::received>},
            Metric{"xlat646_received_bytes_total", counter, "ip_version", Given::segment,
                   "Bytes of the packets received, from the IP header on.",
                   by_version<&DirectionSummary::received_bytes>},
            Metric{"xlat646_packets_translated_total", counter, "direction,protocol",
                   Given::segment, "Packets received and translated; a super-packet is one.",
                   by_protocol<&TrafficTotal::packets>},
            Metric{"xlat646_translated_bytes_total", counter, "direction,protocol", Given::segment,
                   "Bytes of the packets translated, as they were received.",
                   by_protocol<&TrafficTotal::bytes>},
            Metric{"xlat646_sent_bytes_total", counter, "ip_version", Given::segment,
                   "Bytes of the packets translated, as they were sent.",
                   by_version_sent<&DirectionSummary::forwarded_bytes>},
            Metric{"xlat646_packets_dropped_total", counter, "direction,reason", Given::segment,
                   "Packets discarded, with an ICMP error to the sender or in silence.", dropped},
            Metric{"xlat646_icmp_errors_sent_total", counter, "ip_version,kind", Given::segment,
                   "ICMP errors of the translator itself, by the version of the packet discarded.",
                   by_kind<&DirectionSummary::errors_sent>},
            Metric{"xlat646_icmp_errors_suppressed_total", counter, "ip_version,kind",
                   Given::segment, "ICMP errors that the rate limit withheld.",
                   by_kind<&DirectionSummary::errors_suppressed>},
            Metric{"xlat646_echo_replies_sent_total", counter, "ip_version", Given::segment,
                   "Pings to the translator's own addresses that it has answered.",
                   by_version<&DirectionSummary::answered>},
            Metric{"xlat646_fragments_total", counter, "direction", Given::segment,
                   "Fragments received.", by_direction<&DirectionSummary::fragments>},
            Metric{"xlat646_fragments_created_total", counter, "direction", Given::segment,
                   "Fragments made by the translator.", by_direction<&DirectionSummary::pieces>},
            Metric{"xlat646_super_packets_total", counter, "direction", Given::segment,
                   "Super-packets (GSO) received.", by_direction<&DirectionSummary::super_packets>},
            Metric{"xlat646_segments_total", counter, "direction", Given::segment,
                   "Segments in the super-packets that workers have translated.",
                   by_direction<&DirectionSummary::segments>},
            Metric{"xlat646_packets_merged_total", counter, "direction", Given::segment,
                   "Packets sent in super-packets that the translator has made of several.",
                   by_direction<&DirectionSummary::merged>},

            Metric{"xlat646_tun_errors_total", counter, "operation", Given::segment,
                   "Failed reads, and packets lost because the TUN did not take them.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(number(o.summary().tun.read_errors), {"read"});
                       out.add(number(o.summary().tun.write_errors), {"write"});
                   }},
            Metric{"xlat646_tun_unknown_reads_total", counter, "", Given::segment,
                   "Reads from the TUN that were too short to hold a packet.",
                   tun<&TunSummary::unknown_reads>},
            Metric{"xlat646_tun_segmented_writes_total", counter, "", Given::segment,
                   "Super-packets that the kernel refused and the translator has cut itself.",
                   tun<&TunSummary::segmented_writes>},
            Metric{"xlat646_worker_sleeps_total", counter, "", Given::segment,
                   "Times a worker had read all there was.", tun<&TunSummary::sleeps>},
            Metric{"xlat646_worker_futile_polls_total", counter, "", Given::segment,
                   "Times a worker has looked for a packet in vain before it slept.",
                   tun<&TunSummary::futile_polls>},

            Metric{"xlat646_fastpath_packets_total", counter, "direction,result", Given::segment,
                   "Packets that the fast path has translated (they are in the other metrics, "
                   "too), or "
                   "passed on to user space or others.",
                   fastpath_packets},
            Metric{"xlat646_fastpath_passed_total", counter, "direction,reason", Given::segment,
                   "Packets that the fast path has passed on, by reason.", fastpath_passed},
            Metric{"xlat646_fastpath_packets_lost_total", counter, "direction", Given::segment,
                   "Packets that the fast path could not finish.", fastpath_lost},

            Metric{"xlat646_mappings", gauge, "", Given::segment, "Pairs in the mapping table.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(number(o.summary().mappings));
                   }},
            Metric{"xlat646_mapping_info", gauge, "sha256", Given::segment,
                   "1; the first digits of the mapping table's digest: nodes with the same table "
                   "show the "
                   "same.",
                   digest},
            Metric{"xlat646_mapping_generation", gauge, "", Given::segment,
                   "Which table this is since xlat646d was started.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(number(o.summary().generation));
                   }},
            Metric{"xlat646_mapping_reloads_total", counter, "", Given::segment,
                   "Reloads of the mapping files, also those that failed.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(number(o.summary().life.reloads + o.summary().life.failed_reloads));
                   }},
            Metric{"xlat646_mapping_reload_failures_total", counter, "", Given::segment,
                   "Reloads of the mapping files that failed; the table stayed as it was.",
                   life<&LifeSummary::failed_reloads>},
            Metric{"xlat646_mapping_last_reload_successful", gauge, "", Given::segment,
                   "Whether the last reload was successful; 1 if there was none.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(o.summary().life.is_last_reload_failed ? 0 : 1);
                   }},
            Metric{"xlat646_mapping_last_reload_success_timestamp_seconds",
                   gauge, "", Given::segment, "When the mapping table in use was loaded.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(static_cast<double>(o.summary().created));
                   }},
            Metric{"xlat646_mapping_series_suppressed", gauge, "", Given::always,
                   "Whether series for single mappings or tenants are missing: more than "
                   "--per-mapping-limit.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(o.are_series_suppressed ? 1 : 0);
                   }},

            Metric{"xlat646_restarts_total", counter, "", Given::segment,
                   "Times `xlat646 restart` has replaced the process.",
                   life<&LifeSummary::restarts>},
            Metric{"xlat646_probes_sent_total", counter, "", Given::segment,
                   "Readiness probes sent through kernel and translator.",
                   life<&LifeSummary::probes_sent>},
            Metric{"xlat646_probes_answered_total", counter, "", Given::segment,
                   "Readiness probes that came back.", life<&LifeSummary::probes_answered>},
            Metric{"xlat646_probe_rounds_failed_total", counter, "", Given::segment,
                   "Rounds of readiness probes that failed.",
                   life<&LifeSummary::probe_rounds_failed>},
            Metric{"xlat646_probe_rounds_excused_total", counter, "", Given::segment,
                   "Rounds of readiness probes that failed, and were excused by traffic.",
                   life<&LifeSummary::probe_rounds_excused>},
            Metric{"xlat646_start_time_seconds", gauge, "", Given::segment,
                   "When the process of xlat646d began.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(static_cast<double>(o.summary().started));
                   }},

            Metric{
                "xlat646_daemon_cpu_seconds_total", counter, "", Given::daemon,
                "CPU time that xlat646d has taken.",
                [](const Observation& o, MetricsWriter& out) { out.add(o.daemon->cpu_seconds); }},
            Metric{
                "xlat646_daemon_resident_memory_bytes", gauge, "", Given::daemon,
                "Resident memory of xlat646d.",
                [](
                    const Observation& o,
                    MetricsWriter& out) { out.add(number(o.daemon->resident_bytes)); }},
            Metric{"xlat646_daemon_threads", gauge, "", Given::daemon, "Threads of xlat646d.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(number(o.daemon->threads));
                   }},

            // Of the process that is scraped, as everywhere.
            Metric{"process_cpu_seconds_total", counter, "", Given::always,
                   "CPU time that the exporter has taken.",
                   [](const Observation& o, MetricsWriter& out) {
                       if (o.self) out.add(o.self->cpu_seconds);
                   }},
            Metric{
                "process_start_time_seconds", gauge, "", Given::always, "When the exporter began.",
                [](const Observation& o, MetricsWriter& out) {
                    if (o.self) out.add(o.self->start_seconds);
                }},
            Metric{"process_resident_memory_bytes", gauge, "", Given::always,
                   "Resident memory of the exporter.",
                   [](const Observation& o, MetricsWriter& out) {
                       if (o.self) out.add(number(o.self->resident_bytes));
                   }},
            Metric{"process_virtual_memory_bytes", gauge, "", Given::always,
                   "Virtual memory of the exporter; the segment is in it.",
                   [](const Observation& o, MetricsWriter& out) {
                       if (o.self) out.add(number(o.self->virtual_bytes));
                   }},
            Metric{"process_open_fds", gauge, "", Given::always,
                   "Open descriptors of the exporter.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(number(o.descriptors.open));
                   }},
            Metric{"process_max_fds", gauge, "", Given::always,
                   "Descriptors that the exporter may have.",
                   [](const Observation& o, MetricsWriter& out) {
                       out.add(number(o.descriptors.most));
                   }},

            Metric{"xlat646_mapping_packets_total", counter, "ipv4,direction,name",
                   Given::per_mapping,
                   "Packets translated for this mapping; `name` if the mapping file gives one.",
                   nullptr},
            Metric{"xlat646_mapping_bytes_total", counter, "ipv4,direction,name",
                   Given::per_mapping, "Bytes translated for this mapping, as they were received.",
                   nullptr},
            Metric{"xlat646_tenant_packets_total", counter, "tenant,direction", Given::per_mapping,
                   "Packets translated for the mappings of this tenant; without a label for those "
                   "without.",
                   nullptr},
            Metric{"xlat646_tenant_bytes_total", counter, "tenant,direction", Given::per_mapping,
                   "Bytes translated for the mappings of this tenant, as they were received.",
                   nullptr},
};

} // namespace

std::span<const Metric> metric_table() { return table; }

const Metric& metric_row(std::string_view name) {
    const auto* const found =
        std::find_if(table.begin(), table.end(), [&](const Metric& m) { return m.name == name; });
    assert(found != table.end());
    return *found;
}

std::string list_metrics() {
    std::string out;
    for (const Metric& m : table) {
        out.append(m.name).append(m.type == counter ? "\tcounter\t" : "\tgauge\t");
        out.append(m.labels).append("\t").append(m.help).append("\n");
    }
    return out;
}

} // namespace xlat646
