// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/catch.hpp"
#include "translator/stats/counters.hpp"

#include <numeric>
#include <thread>

using namespace xlat646;

namespace {

template <std::size_t n> std::uint64_t sum(const std::array<Counter, n>& counters) {
    std::uint64_t total = 0;
    for (const Counter& c : counters)
        total += c.get();
    return total;
}

} // namespace

TEST_CASE("counters: every outcome is found in exactly one", "[counters]") {
    for (std::size_t r = 0; r < drop_reason_count; ++r) {
        for (std::size_t k = 0; k < error_kind_count; ++k) {
            const auto reason = static_cast<DropReason>(r);
            const auto kind = static_cast<ErrorKind>(k);
            DirectionCounters c;
            c.count(Outcome::forward());
            c.count(Outcome::echo_reply());
            c.count(Outcome::drop(reason));
            c.count(Outcome::error(reason, kind));
            c.count(Outcome::suppressed(reason, kind));
            CHECK(c.forwarded.get() == 1);
            CHECK(c.answered.get() == 1);
            CHECK(c.dropped[r].get() == 2);
            CHECK(sum(c.dropped) == 2);
            CHECK(c.rejected[r].get() == 1);
            CHECK(sum(c.rejected) == 1);
            CHECK(c.errors_sent[k].get() == 1);
            CHECK(sum(c.errors_sent) == 1);
            CHECK(c.errors_suppressed[k].get() == 1);
            CHECK(sum(c.errors_suppressed) == 1);
        }
    }
}

TEST_CASE("counters: may be read while they are written", "[counters]") {
    WorkerCounters counters;
    std::atomic<bool> done{false};
    std::thread writer([&] {
        for (int i = 0; i < 200000; ++i)
            counters.direction[1].received_bytes.add(3);
        done = true;
    });
    std::uint64_t last = 0;
    bool backwards = false;
    while (!done) {
        const std::uint64_t now = counters.direction[1].received_bytes.get();
        if (now < last) backwards = true;
        last = now;
    }
    writer.join();
    CHECK_FALSE(backwards);
    CHECK(counters.direction[1].received_bytes.get() == 600000);
    CHECK(counters.direction[0].received_bytes.get() == 0);
}

TEST_CASE("counters: every drop reason has a name and a sentence", "[outcome]") {
    for (std::size_t r = 0; r < drop_reason_count; ++r) {
        const auto reason = static_cast<DropReason>(r);
        CHECK(name_of(reason).find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
              std::string_view::npos);
        CHECK(sentence_of(reason).back() == '.');
        for (std::size_t other = 0; other < r; ++other)
            CHECK(name_of(reason) != name_of(static_cast<DropReason>(other)));
    }
}
