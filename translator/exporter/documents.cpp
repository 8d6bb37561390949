// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/documents.hpp"

#include "translator/exporter/metrics_text.hpp"
#include "translator/exporter/page.hpp"
#include "translator/exporter/status_json.hpp"
#include "translator/stats/segment_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <time.h>

namespace xlat646 {
namespace {

using Seconds = CpuAllowance::Seconds;

constexpr std::chrono::seconds shortest_life{1};
/// An answer that took t is good for four times t: making it takes a fifth of a CPU at most.
constexpr double rest = 1 / CpuAllowance::share - 1;
constexpr std::size_t most_kept = 32;
constexpr std::size_t last_drops = 50;
constexpr std::chrono::seconds shortest_rate{1};
constexpr std::chrono::seconds rates_patience{60};

constexpr const char* json_content_type = "application/json";

Seconds cpu_time() {
    timespec now{};
    (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return Seconds(static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9);
}

AnswerPtr text(unsigned status, std::string body) {
    return std::make_shared<const Answer>(
        Answer{status, "text/plain; charset=utf-8", std::move(body) + "\n"});
}

Answer json(unsigned status, const nlohmann::ordered_json& document) {
    return {status, json_content_type, to_text(document) + "\n"};
}
Answer json_problem(unsigned status, const std::string& problem) {
    return json(status, {{"error", problem}});
}

/// Not to be mistaken for another one, whatever bytes are in it.
std::string key_of(std::string_view path, const Arguments& arguments) {
    std::string key(path);
    for (const auto& [name, value] : arguments)
        key += " " + std::to_string(name.size()) + "," + std::to_string(value.size()) + ":" + name +
               value;
    return key;
}

} // namespace

Documents::Documents(std::string stats_path, const SeriesOptions& series)
    : source_(std::move(stats_path)), series_(series), allowance_(Clock::now()) {
    page_ = std::make_shared<const Answer>(
        Answer{200,
               "text/html; charset=utf-8",
               page_html(),
               {{"Content-Security-Policy", page_policy()}, {"Referrer-Policy", "no-referrer"}}});
}

AnswerPtr Documents::answer(std::string_view path, const Arguments& arguments,
                            Clock::time_point now) {
    if (path == "/") return page_;
    if (path == "/metrics")
        return shared("/metrics", now, Cost::fixed, [&](const SegmentLook& look) {
            return Answer{200, metrics_content_type, metrics_text(look, series_)};
        });
    if (path == "/-/healthy") return text(200, "xlat646-exporter runs");
    if (path == "/-/ready") return std::make_shared<const Answer>(ready());
    if (path == "/api/v1/status")
        return shared("/api/v1/status", now, Cost::fixed, [&](const SegmentLook& look) {
            return json(200, exporter_json(look, source_.path(), series_));
        });
    if (path == "/api/v1/drops")
        return shared("/api/v1/drops", now, Cost::fixed, [&](const SegmentLook& look) {
            if (look.view == nullptr) return json_problem(503, look.problem);
            return json(200, drops_json(*look.view, look.now_ms, last_drops));
        });
    if (path == "/api/v1/mappings") return mappings(arguments, now);
    if (path == "/api/v1/tenants") return tenants(arguments, now);
    return text(404, "There is: /metrics, /-/healthy, /-/ready, /api/v1/status, /api/v1/drops, "
                     "/api/v1/mappings, /api/v1/tenants, and a page at /");
}

AnswerPtr Documents::mappings(const Arguments& arguments, Clock::time_point now) {
    const auto query = mapping_query(arguments);
    if (const auto* const problem = std::get_if<std::string>(&query))
        return std::make_shared<const Answer>(json_problem(400, *problem));
    return shared(key_of("/api/v1/mappings", arguments), now, Cost::depends_on_client,
                  [&](const SegmentLook& look) {
                      if (look.view == nullptr) return json_problem(503, look.problem);
                      const auto& q = std::get<MappingQuery>(query);
                      std::ostringstream out;
                      write_mappings_json(out, *look.view, q, look.now_ms, rates(look, q.key, now));
                      return Answer{200, json_content_type, std::move(out).str()};
                  });
}

AnswerPtr Documents::tenants(const Arguments& arguments, Clock::time_point now) {
    const auto query = tenant_query(arguments);
    if (const auto* const problem = std::get_if<std::string>(&query))
        return std::make_shared<const Answer>(json_problem(400, *problem));
    return shared(key_of("/api/v1/tenants", arguments), now, Cost::depends_on_client,
                  [&](const SegmentLook& look) {
                      if (look.view == nullptr) return json_problem(503, look.problem);
                      const auto& q = std::get<TenantQuery>(query);
                      return json(
                          200, tenants_json(*look.view, q, look.now_ms, rates(look, q.key, now)));
                  });
}

/// For those who have asked for an order by them: they cost a look at each mapping and 56 bytes.
const MappingRates* Documents::rates(const SegmentLook& look, MappingKey key,
                                     Clock::time_point now) {
    if (key != MappingKey::packet_rate && key != MappingKey::bit_rate) return nullptr;
    rates_wanted_ = now;
    if (!rates_) rates_.emplace();
    // Lists that are made within a second of each other show the same rates, if the table is the
    // same.
    const Summary& s = look.summary;
    const TableId id{s.pid, s.created, s.generation};
    if (now - rates_looked_ >= shortest_rate || id != rates_table_) {
        rates_->look(*look.view, now);
        rates_looked_ = now;
        rates_table_ = id;
    }
    return &*rates_;
}

Answer Documents::ready() {
    const SegmentLook look = source_.look();
    const std::string why = why_not_ready(look);
    if (why.empty()) return {200, "text/plain; charset=utf-8", "ready\n"};
    return {503, "text/plain; charset=utf-8", "not ready: " + why + "\n"};
}

AnswerPtr Documents::shared(const std::string& key, Clock::time_point now, Cost cost,
                            const Make& make) {
    const auto found = kept_.find(key);
    if (found != kept_.end() && now < found->second.good_until) return found->second.answer;
    if (cost == Cost::depends_on_client && !allowance_.has_some(now))
        return std::make_shared<const Answer>(
            Answer{503,
                   json_content_type,
                   "{\"error\":\"too many different questions; ask again in a second\"}\n",
                   {{"Retry-After", "1"}}});

    const Seconds before = cpu_time();
    const SegmentLook look = source_.look();
    Answer made = make(look);
    if (source_.was_cut()) made = json_problem(503, source_.look().problem);
    const Seconds took = cpu_time() - before;
    if (cost == Cost::depends_on_client) allowance_.spend(took);

    const auto life = std::max<Seconds>(shortest_life, took * rest);
    if (kept_.size() >= most_kept && found == kept_.end())
        kept_.erase(std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) {
            return a.second.good_until < b.second.good_until;
        }));
    Kept& kept = kept_[key];
    kept.answer = std::make_shared<const Answer>(std::move(made));
    kept.good_until = now + std::chrono::duration_cast<Clock::duration>(life);
    return kept.answer;
}

void Documents::tidy(Clock::time_point now) {
    std::erase_if(kept_, [&](const auto& kept) { return kept.second.good_until <= now; });
    if (!rates_ || now - rates_wanted_ <= rates_patience) return;
    rates_.reset();
    rates_table_ = {};
}

} // namespace xlat646
