// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/catch.hpp"
#include "translator/siit/rate_limiter.hpp"

using namespace xlat646;

namespace {

constexpr auto te = ErrorKind::time_exceeded;

RateLimit limits(std::uint32_t rate, std::uint32_t burst, std::uint32_t source_rate = 0,
                 std::uint32_t source_burst = 0) {
    return {rate, burst, source_rate, source_burst};
}

/// How many of `n` errors at one moment are allowed.
int allowed(RateLimiter& limiter, int n, std::uint64_t now_ms, std::uint64_t source = 1,
            ErrorKind kind = te, bool is_ipv6 = false) {
    int count = 0;
    for (int i = 0; i < n; ++i)
        if (limiter.allow(kind, is_ipv6, source, now_ms)) ++count;
    return count;
}

} // namespace

TEST_CASE("rate limit: a burst, then the rate", "[G4-09][G6-07]") {
    RateLimiter limiter(limits(100, 50));
    CHECK(allowed(limiter, 1000, 5000) == 50);
    CHECK(allowed(limiter, 1000, 5000) == 0);
    CHECK(allowed(limiter, 1000, 5009) == 0); // 0.9 of a token
    CHECK(allowed(limiter, 1000, 5010) == 1);
    CHECK(allowed(limiter, 1000, 5110) == 10);
    CHECK(allowed(limiter, 1000, 5111) == 0);
    CHECK(allowed(limiter, 1000, 15000) == 50); // never more than the burst
}

TEST_CASE("rate limit: small steps add up", "[G4-09]") {
    RateLimiter limiter(limits(3, 1));
    REQUIRE(allowed(limiter, 1, 0) == 1);
    int count = 0;
    for (std::uint64_t now = 1; now <= 10000; ++now)
        count += allowed(limiter, 1, now);
    CHECK(count == 30 - 1); // 333.4 ms each, the first at 334
}

TEST_CASE("rate limit: kinds and families have their own buckets", "[G4-09][G6-07]") {
    RateLimiter limiter(limits(10, 5));
    for (std::size_t kind = 0; kind < error_kind_count; ++kind)
        for (const bool is_ipv6 : {false, true})
            CHECK(allowed(limiter, 9, 0, 1, static_cast<ErrorKind>(kind), is_ipv6) == 5);
}

TEST_CASE("rate limit: 0 is no limit at all", "[G4-09]") {
    RateLimiter limiter(limits(0, 0, 1, 1));
    CHECK(allowed(limiter, 100000, 0) == 100000);
}

TEST_CASE("rate limit: one source cannot take more than half of what all need", "[G4-09]") {
    RateLimiter limiter(limits(1000, 100, 10, 10));
    // Alone: its own ten tokens are free, and the shared bucket lends until it is half empty.
    CHECK(allowed(limiter, 1000, 0, 1) == 51);
    // Everybody else still has tokens of their own.
    for (std::uint64_t source = 2; source < 6; ++source)
        CHECK(allowed(limiter, 1000, 0, source) == 10);
    CHECK(allowed(limiter, 1000, 0, 6) == 9);
    CHECK(allowed(limiter, 1000, 0, 7) == 0);

    // Under a steady flood the source falls back to its own rate while others are served.
    int flood = 0;
    for (std::uint64_t now = 1000; now < 3000; now += 10) {
        flood += allowed(limiter, 100, now, 1);
        (void)allowed(limiter, 1, now, 50 + now);
    }
    const int others = allowed(limiter, 1, 3000, 9999);
    CHECK(others == 1);
    CHECK(flood < 2 * 1000 + 100);
}

TEST_CASE("rate limit: hours without an error", "[G4-09]") {
    RateLimiter limiter(limits(1, 100));
    REQUIRE(allowed(limiter, 200, 1000) == 100);
    constexpr std::uint64_t hour = 3600 * 1000;
    CHECK(allowed(limiter, 200, 1000 + 30 * 24 * hour) == 100);
    CHECK(allowed(limiter, 200, 1000 + 30 * 24 * hour + 5000) == 5);
    CHECK(allowed(limiter, 200, 1000 + 365 * 24 * hour) == 100);

    RateLimiter fast(limits(0xffffffff, 0xffffffff)); // the greatest numbers do not wrap
    CHECK(allowed(fast, 10, 0) == 10);
    CHECK(allowed(fast, 10, ~std::uint64_t{0} / 2) == 10);
}

TEST_CASE("rate limit: burst 0 still lets one through", "[G4-09]") {
    RateLimiter limiter(limits(10, 0));
    CHECK(allowed(limiter, 10, 0) == 1);
    CHECK(allowed(limiter, 10, 100) == 1);
}
