// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/report.hpp"

#include "translator/daemon/log.hpp"

#include <nlohmann/json.hpp>

namespace xlat646 {
namespace {

using nlohmann::ordered_json;

constexpr std::array direction_names = {"v4_to_v6", "v6_to_v4"};
constexpr std::array kind_names = {"time_exceeded", "too_big", "unreachable", "parameter_problem"};
static_assert(kind_names.size() == error_kind_count);

using Blocks = std::vector<const WorkerCounters*>;

template <class Get> std::uint64_t sum(const Blocks& blocks, Get get) {
    std::uint64_t total = 0;
    for (const WorkerCounters* b : blocks)
        total += get(*b).get();
    return total;
}

template <class Names, class Get>
ordered_json nonzero(const Blocks& blocks, const Names& names, Get get) {
    ordered_json object = ordered_json::object();
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::uint64_t n =
            sum(blocks, [&](const WorkerCounters& c) -> const Counter& { return get(c)[i]; });
        if (n != 0) object[std::string(names[i])] = n;
    }
    return object;
}

constexpr std::array protocol_names = {"tcp", "udp", "icmp"};
static_assert(protocol_names.size() == xlat646_protocols);
constexpr std::array pass_names = {
#define X(name, sentence) #name,
    XLAT646_PASS_REASONS(X)
#undef X
};

/// What the fast path has forwarded is counted with the rest, and once more alone.
void add_fastpath(const xlat646_counters& counters, ordered_json& all) {
    const auto add = [](ordered_json& to, std::uint64_t n) { to = to.get<std::uint64_t>() + n; };
    for (std::size_t d = 0; d < direction_count; ++d) {
        ordered_json& total = all[direction_names[d]];
        ordered_json& alone = all["fastpath"][direction_names[d]];
        for (std::size_t p = 0; p < protocol_names.size(); ++p) {
            const xlat646_traffic& t = counters.translated[d][p];
            alone[protocol_names[p]] = {{"packets", t.packets}, {"bytes", t.bytes}};
            add(total["received"], t.packets);
            add(total["received_bytes"], t.bytes);
            add(total["forwarded"], t.packets);
            // The headers differ by 20 bytes; a super-packet has one.
            add(total["forwarded_bytes"],
                d == 0 ? t.bytes + 20 * t.packets : t.bytes - 20 * t.packets);
        }
        add(total["super_packets"], counters.super_packets[d]);
        alone["super_packets"] = counters.super_packets[d];
        alone["lost"] = counters.lost[d];
        ordered_json& passed = alone["passed"] = ordered_json::object();
        for (std::size_t r = 0; r < pass_names.size(); ++r)
            if (counters.passed[d][r] != 0) passed[pass_names[r]] = counters.passed[d][r];
    }
}

} // namespace

ordered_json counters_json(const Blocks& blocks, const Fastpath* fastpath) {
    ordered_json all;
    for (std::size_t d = 0; d < direction_count; ++d) {
        ordered_json& out = all[direction_names[d]];
        const auto one = [&](const char* name, Counter DirectionCounters::*member) {
            out[name] = sum(blocks, [&](const WorkerCounters& c) -> const Counter& {
                return c.direction[d].*member;
            });
        };
        one("received", &DirectionCounters::received);
        one("received_bytes", &DirectionCounters::received_bytes);
        one("forwarded", &DirectionCounters::forwarded);
        one("forwarded_bytes", &DirectionCounters::forwarded_bytes);
        one("answered", &DirectionCounters::answered);
        one("pieces", &DirectionCounters::pieces);
        one("super_packets", &DirectionCounters::super_packets);
        one("segments", &DirectionCounters::segments);
        one("fragments", &DirectionCounters::fragments);
        one("merged", &DirectionCounters::merged);
        const auto many = [&](const char* name, const auto& names, auto member) {
            out[name] = nonzero(
                blocks, names, [&](const WorkerCounters& c) -> const auto& {
                    return c.direction[d].*member;
                });
        };
        many("rejected", drop_reason_names, &DirectionCounters::rejected);
        many("dropped", drop_reason_names, &DirectionCounters::dropped);
        many("errors_sent", kind_names, &DirectionCounters::errors_sent);
        many("errors_suppressed", kind_names, &DirectionCounters::errors_suppressed);
    }
    const auto tun = [&](const char* name, Counter WorkerCounters::*member) {
        all["tun"][name] =
            sum(blocks, [&](const WorkerCounters& c) -> const Counter& { return c.*member; });
    };
    tun("read_errors", &WorkerCounters::read_errors);
    tun("write_errors", &WorkerCounters::write_errors);
    tun("unknown_reads", &WorkerCounters::unknown_reads);
    tun("segmented_writes", &WorkerCounters::segmented_writes);
    tun("sleeps", &WorkerCounters::sleeps);
    tun("futile_polls", &WorkerCounters::futile_polls);
    if (fastpath != nullptr) add_fastpath(fastpath->counters(), all);
    return all;
}

void add_counters(ordered_json& all, const ordered_json& more) {
    if (!all.is_object() || !more.is_object()) return;
    for (const auto& [key, value] : more.items()) {
        ordered_json& place = all[key];
        if (value.is_object() && (place.is_null() || place.is_object())) {
            if (place.is_null()) place = ordered_json::object();
            add_counters(place, value);
        } else if (value.is_number_unsigned() && (place.is_null() || place.is_number_unsigned())) {
            place = value.get<std::uint64_t>() + (place.is_null() ? 0 : place.get<std::uint64_t>());
        } else if (place.is_null()) {
            all.erase(key);
        }
    }
}

DropLog::DropLog(Workers& workers, Statistics& statistics)
    : workers_(workers), statistics_(statistics) {
    for (auto& worker : workers_)
        for (std::size_t d = 0; d < direction_count; ++d)
            for (std::size_t r = 0; r < drop_reason_count; ++r)
                worker->samples().ask(static_cast<Direction>(d), static_cast<DropReason>(r));
}

std::uint64_t DropLog::count(Direction direction, DropReason reason) const {
    const auto d = static_cast<std::size_t>(direction);
    const auto r = static_cast<std::size_t>(reason);
    const Blocks blocks = statistics_.blocks();
    return sum(blocks,
               [&](const WorkerCounters& c) -> const Counter& {
                   return c.direction[d].dropped[r];
               }) +
           sum(blocks, [&](const WorkerCounters& c) -> const Counter& {
               return c.direction[d].rejected[r];
           });
}

void DropLog::look() {
    const auto now = Clock::now();
    for (std::size_t d = 0; d < direction_count; ++d)
        for (std::size_t r = 0; r < drop_reason_count; ++r)
            look(static_cast<Direction>(d), static_cast<DropReason>(r), now);
}

void DropLog::look(Direction direction, DropReason reason, Clock::time_point now) {
    State& state = states_[static_cast<std::size_t>(direction) * drop_reason_count +
                           static_cast<std::size_t>(reason)];
    DropSample sample;
    for (auto& worker : workers_) {
        if (!worker->samples().take(direction, reason, sample)) continue;
        statistics_.add_drop(direction, reason, sample);
        state.unsaid = sample;
        worker->samples().ask(direction, reason);
    }
    if (!state.unsaid ||
        (state.logged != Clock::time_point{} && now - state.logged < std::chrono::minutes(1)))
        return;

    const std::uint64_t total = count(direction, reason);
    spdlog::warn("discarded {} {} packet{}: {}: {} e.g. {}", total - state.counted,
                 direction == Direction::v4_to_v6 ? "IPv4" : "IPv6",
                 total - state.counted == 1 ? "" : "s", name_of(reason), sentence_of(reason),
                 state.unsaid->to_string());
    state = {now, total, std::nullopt};
}

} // namespace xlat646
