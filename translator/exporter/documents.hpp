// SPDX-License-Identifier: BSD-2-Clause
//
// What the exporter answers, without HTTP. However many ask, and whatever they ask: making answers
// takes about a fifth of a CPU for /metrics, a fifth for lists of mappings, and next to nothing for
// the rest. An answer is made at most once a second and shared. One thread.
#pragma once

#include "translator/exporter/cpu_allowance.hpp"
#include "translator/exporter/mapping_arguments.hpp"
#include "translator/exporter/options.hpp"
#include "translator/exporter/segment_source.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace xlat646 {

struct Answer {
    unsigned status = 200;
    const char* content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<const char*, std::string>> headers{}; ///< besides Content-Type
};
using AnswerPtr = std::shared_ptr<const Answer>;

class Documents {
  public:
    using Clock = std::chrono::steady_clock;

    Documents(std::string stats_path, const SeriesOptions& series);

    AnswerPtr answer(std::string_view path, const Arguments& arguments,
                     Clock::time_point now = Clock::now());
    /// Gives up what nobody has asked for lately. To be called about once a second.
    void tidy(Clock::time_point now = Clock::now());

  private:
    struct Kept {
        AnswerPtr answer;
        Clock::time_point good_until;
    };
    using Make = std::function<Answer(const SegmentLook&)>;
    enum class Cost : std::uint8_t { fixed, depends_on_client };

    AnswerPtr shared(const std::string& key, Clock::time_point now, Cost cost, const Make& make);
    AnswerPtr mappings(const Arguments& arguments, Clock::time_point now);
    AnswerPtr tenants(const Arguments& arguments, Clock::time_point now);
    Answer ready();
    const MappingRates* rates(const SegmentLook& look, MappingKey key, Clock::time_point now);

    SegmentSource source_;
    SeriesOptions series_;
    AnswerPtr page_;
    std::map<std::string, Kept> kept_;
    CpuAllowance allowance_;
    using TableId = std::tuple<std::uint32_t, std::int64_t, std::uint64_t>;
    std::optional<MappingRates> rates_;
    TableId rates_table_; ///< of their last look
    Clock::time_point rates_looked_{};
    Clock::time_point rates_wanted_{};
};

} // namespace xlat646
