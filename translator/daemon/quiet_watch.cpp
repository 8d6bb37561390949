// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/quiet_watch.hpp"

namespace xlat646 {

QuietWatch::QuietWatch(Clock::time_point now, std::uint64_t packets, std::chrono::seconds limit)
    : start_(now), looked_(now), packets_(packets), limit_(limit) {}

QuietWatch::Verdict QuietWatch::look(Clock::time_point now, std::uint64_t packets) {
    constexpr std::chrono::milliseconds shortest{900}; // below, a rate says little
    if (now - looked_ >= shortest) {
        // After a restart counters begin anew.
        const std::uint64_t came = packets >= packets_ ? packets - packets_ : packets;
        rate_ = static_cast<double>(came) / std::chrono::duration<double>(now - looked_).count();
        has_rate_ = true;
        packets_ = packets;
        looked_ = now;
    }
    if (has_rate_ && rate_ <= quiet_rate && now - start_ >= least) return Verdict::quiet;
    return now - start_ >= limit_ ? Verdict::limit : Verdict::wait;
}

} // namespace xlat646
