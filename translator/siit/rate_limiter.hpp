// SPDX-License-Identifier: BSD-2-Clause
//
// How many ICMP errors we send (G4-09, G6-07, SEC-08): one token bucket per kind, and one per
// source address in a small hashed table. The bucket of a source counts only while the bucket of
// the kind is less than half full: a lone traceroute is never throttled, and a flood from one
// source cannot use up what others need.
#pragma once

#include "translator/siit/outcome.hpp"
#include "translator/siit/settings.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace xlat646 {

class RateLimiter {
  public:
    explicit RateLimiter(const RateLimit& limit)
        : limit_(limit), sources_(limit.per_source_per_second == 0 ? 0 : 1024) {}

    /// `source_hash`: keyed, so that nobody can choose to share a bucket with somebody else.
    bool allow(ErrorKind kind, bool is_ipv6, std::uint64_t source_hash, std::uint64_t now_ms) {
        if (limit_.per_second == 0) return true;
        Bucket& all = kinds_[static_cast<std::size_t>(kind) * 2 + (is_ipv6 ? 1 : 0)];
        refill(all, limit_.per_second, limit_.burst, now_ms);
        if (all.millitokens < 1000) return false;
        if (!sources_.empty()) {
            Bucket& source = sources_[source_hash % sources_.size()];
            refill(source, limit_.per_source_per_second, limit_.per_source_burst, now_ms);
            const bool has_token = source.millitokens >= 1000;
            if (!has_token && all.millitokens < std::uint64_t{limit_.burst} * 500) return false;
            if (has_token) source.millitokens -= 1000;
        }
        all.millitokens -= 1000;
        return true;
    }

  private:
    struct Bucket {
        std::uint64_t millitokens = 0;
        std::uint64_t refilled_ms = 0;
        bool used = false;
    };

    static void refill(Bucket& b, std::uint32_t per_second, std::uint32_t burst,
                       std::uint64_t now_ms) {
        const std::uint64_t full = std::uint64_t{std::max(burst, 1u)} * 1000;
        if (!b.used) {
            b = {full, now_ms, true};
            return;
        }
        // A bucket is full again after burst / per_second; more time adds nothing.
        const std::uint64_t elapsed =
            std::min<std::uint64_t>(now_ms - b.refilled_ms, std::uint64_t{3600} * 1000);
        b.millitokens = std::min(full, b.millitokens + elapsed * per_second);
        b.refilled_ms = now_ms;
    }

    RateLimit limit_;
    std::array<Bucket, error_kind_count * 2> kinds_{};
    std::vector<Bucket> sources_;
};

} // namespace xlat646
