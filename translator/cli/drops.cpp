// SPDX-License-Identifier: BSD-2-Clause
//
// xlat646 drops: why packets were discarded, and what to do about it.
#include "translator/cli/command.hpp"
#include "translator/cli/drops_text.hpp"
#include "translator/cli/segment_source.hpp"
#include "translator/daemon/exit_status.hpp"
#include "translator/stats/segment_json.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

namespace xlat646 {
namespace {

namespace po = boost::program_options;

constexpr std::uint32_t usual_last = 20;
constexpr std::size_t text_width = 100;

} // namespace

int run_drops(const Words& words) {
    po::options_description options;
    options.add_options()                                                            //
        ("explain", "every reason there is, what it means, and what to do about it") //
        ("last",
         po::value<std::string>()->value_name("N")->implicit_value(std::to_string(usual_last), ""),
         "the last examples, the newest at the end: at most N (20), of each second and reason "
         "one") //
        ("json", "as JSON; with --explain also reasons without a packet");
    add_stats_option(options);
    const auto given = read_options(words, options, "drops [--explain] [--last [N]] [OPTION]...");
    if (!given) return exit_status::fine;
    const std::uint32_t last = number_option(*given, "last", usual_last);
    const bool explains = given->count("explain") != 0, shows_last = given->count("last") != 0;

    const SegmentReader reader = open_segment(*given);
    const std::uint64_t now = unix_now_ms();
    const auto drops =
        drops_json(reader.view(), now, last, explains ? Reasons::all : Reasons::found);
    if (given->count("json") != 0) {
        std::cout << to_text(drops, 2) << "\n";
    } else {
        if (explains) std::cout << explained_drops_text(drops, text_width);
        if (explains && shows_last) std::cout << "\n";
        if (shows_last) std::cout << last_drops_text(drops);
        if (!explains && !shows_last) std::cout << drops_text(drops);
    }
    std::cout.flush();
    warn_if_not_running("drops", summarize(reader.view()), now);
    return exit_status::fine;
}

} // namespace xlat646
