// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/metric_values.hpp"

#include "translator/fastpath/shared.h"

namespace xlat646::metric_values {
namespace {

constexpr std::array state_names = {"preparing", "current", "superseded", "stopped"};
constexpr std::array pass_names = {
#define X(name, sentence) std::string_view(#name),
    XLAT646_PASS_REASONS(X)
#undef X
};
static_assert(pass_names.size() == fastpath_pass_count);
constexpr std::size_t digest_digits = 16;

} // namespace

void digest(const Observation& o, MetricsWriter& out) {
    out.add(1, {std::string_view(o.summary().digest).substr(0, digest_digits)});
}

void dropped(const Observation& o, MetricsWriter& out) {
    for (std::size_t d = 0; d < direction_count; ++d)
        for (std::size_t r = 0; r < drop_reason_count; ++r)
            out.add(number(o.summary().direction[d].discarded(static_cast<DropReason>(r))),
                    {direction_labels[d], drop_reason_names[r]});
}

void fastpath_packets(const Observation& o, MetricsWriter& out) {
    if (!o.summary().has_fastpath) return;
    for (std::size_t d = 0; d < direction_count; ++d) {
        std::uint64_t translated = 0;
        std::uint64_t passed = 0;
        for (const TrafficTotal& t : o.summary().fastpath[d].translated)
            translated += t.packets;
        for (const std::uint64_t n : o.summary().fastpath[d].passed)
            passed += n;
        out.add(number(translated), {direction_labels[d], "translated"});
        out.add(number(passed), {direction_labels[d], "passed"});
    }
}

void fastpath_passed(const Observation& o, MetricsWriter& out) {
    if (!o.summary().has_fastpath) return;
    for (std::size_t d = 0; d < direction_count; ++d)
        for (std::size_t r = 0; r < pass_names.size(); ++r)
            out.add(number(o.summary().fastpath[d].passed[r]),
                    {direction_labels[d], pass_names[r]});
}

void fastpath_lost(const Observation& o, MetricsWriter& out) {
    if (!o.summary().has_fastpath) return;
    for (std::size_t d = 0; d < direction_count; ++d)
        out.add(number(o.summary().fastpath[d].lost), {direction_labels[d]});
}

void segment_state(const Observation& o, MetricsWriter& out) {
    const auto state = static_cast<std::size_t>(o.summary().life.state);
    for (std::size_t s = 0; s < state_names.size(); ++s)
        out.add(o.look->view != nullptr && state == s ? 1 : 0, {state_names[s]});
    out.add(o.look->view == nullptr ? 1 : 0, {"missing"});
}

} // namespace xlat646::metric_values
