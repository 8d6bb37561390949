// SPDX-License-Identifier: BSD-2-Clause
#include "translator/stats/segment_json.hpp"

#include "translator/fastpath/shared.h"
#include "translator/stats/drop_advice.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace xlat646 {
namespace {

using nlohmann::ordered_json;

constexpr std::array direction_names = {"v4_to_v6", "v6_to_v4"};
constexpr std::array kind_names = {"time_exceeded", "too_big", "unreachable", "parameter_problem"};
static_assert(kind_names.size() == error_kind_count);
constexpr std::array protocol_names = {"tcp", "udp", "icmp", "other"};
static_assert(protocol_names.size() == counted_protocol_count);
// The fast path has all but the last.
static_assert(xlat646_tcp == 0 && xlat646_udp == 1 && xlat646_icmp == 2 && xlat646_protocols == 3);
static_assert(fastpath_protocol_count == xlat646_protocols &&
              fastpath_pass_count == xlat646_passes);
constexpr std::array pass_names = {
#define X(name, sentence) #name,
    XLAT646_PASS_REASONS(X)
#undef X
};

template <class Names, class Numbers>
ordered_json nonzero(const Names& names, const Numbers& numbers) {
    ordered_json object = ordered_json::object();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (numbers[i] != 0) object[std::string(names[i])] = numbers[i];
    return object;
}

template <std::size_t N>
void add_traffic(ordered_json& out, const std::array<TrafficTotal, N>& by) {
    for (std::size_t p = 0; p < N; ++p)
        out[protocol_names[p]] = {{"packets", by[p].packets}, {"bytes", by[p].bytes}};
}

ordered_json to_json(const DirectionSummary& d) {
    ordered_json out = {{"received", d.received},           {"received_bytes", d.received_bytes},
                        {"forwarded", d.forwarded},         {"forwarded_bytes", d.forwarded_bytes},
                        {"answered", d.answered},           {"pieces", d.pieces},
                        {"super_packets", d.super_packets}, {"segments", d.segments},
                        {"fragments", d.fragments},         {"merged", d.merged}};
    add_traffic(out["protocols"], d.protocols);
    out["rejected"] = nonzero(drop_reason_names, d.rejected);
    out["dropped"] = nonzero(drop_reason_names, d.dropped);
    out["errors_sent"] = nonzero(kind_names, d.errors_sent);
    out["errors_suppressed"] = nonzero(kind_names, d.errors_suppressed);
    return out;
}

ordered_json to_json(const FastpathSummary& f) {
    ordered_json out;
    add_traffic(out, f.translated);
    out["super_packets"] = f.super_packets;
    out["lost"] = f.lost;
    out["passed"] = nonzero(pass_names, f.passed);
    return out;
}

void add_pair(ordered_json& out, const PairTotal& total, const PairRate* rate) {
    for (std::size_t d = 0; d < direction_count; ++d) {
        ordered_json& to = out[direction_names[d]];
        to = {{"packets", total[d].packets}, {"bytes", total[d].bytes}};
        if (rate == nullptr) continue;
        to["packets_per_second"] = (*rate)[d].packets;
        to["bits_per_second"] = (*rate)[d].bits;
    }
}

ordered_json to_json(const MappingRow& row, bool has_rates) {
    ordered_json out = {{"ipv4", address_text(row.mapping.ipv4)},
                        {"ipv6", address_text(row.mapping.ipv6)},
                        {"name", row.mapping.name},
                        {"tenant", row.mapping.tenant}};
    add_pair(out, row.total, has_rates ? &row.rate : nullptr);
    return out;
}

ordered_json to_json(const SegmentView::Drop& drop) {
    const DropSample& s = drop.sample;
    ordered_json out = {{"time_ms", drop.time_ms},
                        {"direction", direction_names[static_cast<std::size_t>(drop.direction)]},
                        {"reason", name_of(drop.reason)},
                        {"packet", s.to_string()},
                        {"length", s.length},
                        {"ip_version", nullptr},
                        {"source", nullptr},
                        {"destination", nullptr},
                        {"protocol", nullptr},
                        {"source_port", nullptr},
                        {"destination_port", nullptr}};
    if (s.ip_version == 0) return out; // too short to tell
    const auto address = [&](const std::array<std::uint8_t, 16>& a) {
        return s.ip_version == 4 ? Ipv4Address::from_bytes({a[0], a[1], a[2], a[3]}).to_string()
                                 : Ipv6Address::from_bytes(a).to_string();
    };
    out["ip_version"] = s.ip_version;
    out["source"] = address(s.source);
    out["destination"] = address(s.destination);
    out["protocol"] = s.protocol;
    if (s.has_ports) {
        out["source_port"] = s.source_port;
        out["destination_port"] = s.destination_port;
    }
    return out;
}

ordered_json reason_json(const Summary& summary, DropReason reason) {
    const auto r = static_cast<std::size_t>(reason);
    ordered_json out = {{"reason", name_of(reason)},
                        {"sentence", sentence_of(reason)},
                        {"advice", advice_for(reason)}};
    for (std::size_t d = 0; d < direction_count; ++d)
        out[direction_names[d]] = {{"rejected", summary.direction[d].rejected[r]},
                                   {"dropped", summary.direction[d].dropped[r]}};
    return out;
}

/// Whatever lies there: nothing but an object, and nothing so deep that others fall over it.
ordered_json parse_report(const std::string& text) {
    constexpr int deepest = 16;
    const auto keep = [](int depth, ordered_json::parse_event_t, ordered_json&) {
        return depth < deepest;
    };
    ordered_json report = ordered_json::parse(text, keep, false);
    return report.is_object() ? report : ordered_json::object();
}

} // namespace

ordered_json daemon_json(const Summary& summary, std::uint64_t now_ms) {
    constexpr std::array pulse_names = {"running", "silent", "stopped"};
    const LifeSummary& life = summary.life;
    const Pulse state = pulse(life, now_ms);
    return {{"state", pulse_names[static_cast<std::size_t>(state)]},
            {"silent_ms", silence_ms(life, now_ms)},
            {"ready", state == Pulse::running && life.is_ready},
            {"pid", summary.pid},
            {"started", summary.started},
            {"generation", summary.generation},
            {"generation_since", summary.created},
            {"digest", summary.digest},
            {"mappings", summary.mappings},
            {"reloads", life.reloads},
            {"failed_reloads", life.failed_reloads},
            {"last_reload", life.last_reload},
            {"last_reload_failed", life.is_last_reload_failed},
            {"restarts", life.restarts}};
}

ordered_json counters_json(const Summary& summary) {
    ordered_json all;
    for (std::size_t d = 0; d < direction_count; ++d)
        all[direction_names[d]] = to_json(summary.direction[d]);
    const TunSummary& tun = summary.tun;
    all["tun"] = {{"read_errors", tun.read_errors},
                  {"write_errors", tun.write_errors},
                  {"unknown_reads", tun.unknown_reads},
                  {"segmented_writes", tun.segmented_writes},
                  {"sleeps", tun.sleeps},
                  {"futile_polls", tun.futile_polls}};
    if (summary.has_fastpath)
        for (std::size_t d = 0; d < direction_count; ++d)
            all["fastpath"][direction_names[d]] = to_json(summary.fastpath[d]);
    return all;
}

ordered_json status_json(const SegmentView& view, std::uint64_t now_ms) {
    const Summary summary = summarize(view);
    const LifeSummary& life = summary.life;
    ordered_json out = parse_report(view.report());
    out["counters"] = counters_json(summary);
    out["counters"]["probes"] = {{"sent", life.probes_sent},
                                 {"answered", life.probes_answered},
                                 {"failed", life.probe_rounds_failed},
                                 {"excused", life.probe_rounds_excused}};
    out["daemon"] = daemon_json(summary, now_ms);
    return out;
}

ordered_json drops_json(const SegmentView& view, std::uint64_t now_ms, std::size_t last,
                        Reasons reasons) {
    const Summary summary = summarize(view);
    std::vector<std::pair<std::uint64_t, DropReason>> order;
    for (std::size_t r = 0; r < drop_reason_count; ++r) {
        const auto reason = static_cast<DropReason>(r);
        const std::uint64_t n =
            summary.direction[0].discarded(reason) + summary.direction[1].discarded(reason);
        if (n != 0 || reasons == Reasons::all) order.emplace_back(n, reason);
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    ordered_json out = {{"daemon", daemon_json(summary, now_ms)},
                        {"counts", ordered_json::array()},
                        {"last", ordered_json::array()}};
    for (const auto& [n, reason] : order)
        out["counts"].push_back(reason_json(summary, reason));
    const auto drops = view.drops();
    for (auto drop = drops.rbegin(); drop != drops.rend() && out["last"].size() < last; ++drop)
        out["last"].push_back(to_json(*drop));
    return out;
}

ordered_json tenants_json(const SegmentView& view, const TenantQuery& query, std::uint64_t now_ms,
                          const MappingRates* rates) {
    const TenantPage page = list_tenants(view, query, rates);
    ordered_json out = {{"daemon", daemon_json(summarize(view), now_ms)},
                        {"tenants", page.tenants},
                        {"rows", ordered_json::array()}};
    for (const TenantRow& row : page.rows) {
        ordered_json one = {{"tenant", row.tenant}, {"mappings", row.mappings}};
        add_pair(one, row.total, rates != nullptr ? &row.rate : nullptr);
        out["rows"].push_back(std::move(one));
    }
    return out;
}

void write_mappings_json(std::ostream& out, const SegmentView& view, const MappingQuery& query,
                         std::uint64_t now_ms, const MappingRates* rates) {
    const MappingPage page = list_mappings(view, query, rates);
    out << "{\"daemon\": " << to_text(daemon_json(summarize(view), now_ms))
        << ",\n \"mappings\": " << page.mappings << ", \"matches\": " << page.matches
        << ", \"offset\": " << query.offset << ",\n \"rows\": [";
    const char* separator = "\n  ";
    for (const MappingRow& row : page.rows) {
        out << separator << to_text(to_json(row, rates != nullptr));
        separator = ",\n  ";
    }
    out << "]}\n";
}

std::string to_text(const ordered_json& document, int indent) {
    return document.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace xlat646
