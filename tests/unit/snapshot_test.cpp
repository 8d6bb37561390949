// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/snapshot.hpp"
#include "tests/unit/catch.hpp"

#include <array>
#include <thread>

using namespace xlat646;

namespace {

std::atomic<int> alive{0};

/// Says when it has been freed: its words are poisoned first.
struct Canary {
    static constexpr std::uint64_t good = 0x600d600d600d600d;
    static constexpr std::uint64_t dead = 0xdeaddeaddeaddead;
    explicit Canary(std::uint64_t n) : number(n) {
        words.fill(good ^ n);
        alive.fetch_add(1);
    }
    Canary(const Canary&) = delete;
    Canary& operator=(const Canary&) = delete;
    ~Canary() {
        for (auto& w : words)
            *const_cast<volatile std::uint64_t*>(&w) = dead;
        alive.fetch_sub(1);
    }
    bool is_whole() const {
        for (const std::uint64_t w : words)
            if (w != (good ^ number)) return false;
        return true;
    }
    std::uint64_t number;
    std::array<std::uint64_t, 16> words;
};

std::unique_ptr<const Canary> make(std::uint64_t n) { return std::make_unique<const Canary>(n); }

} // namespace

TEST_CASE("snapshot: pins keep an object alive, and nothing else does", "[snapshot][EAM-09]") {
    REQUIRE(alive == 0);
    {
        Snapshot<Canary> snapshot(2);
        auto a = snapshot.reader(0);
        auto b = snapshot.reader(1);
        CHECK(a.pin() == nullptr); // before the first publish
        CHECK(snapshot.current() == nullptr);
        snapshot.publish(make(1));
        const Canary* one = a.pin();
        REQUIRE(one != nullptr);
        CHECK(one == snapshot.current());
        CHECK(b.pin() == one);

        snapshot.publish(make(2));
        CHECK(one->is_whole()); // held by both
        CHECK(alive == 2);
        CHECK(b.pin()->number == 2); // a pin sees the newest, and lets go of the old
        CHECK(snapshot.reclaim() == 1);
        CHECK(one->is_whole()); // held by a
        a.unpin();
        CHECK(snapshot.reclaim() == 0);
        CHECK(alive == 1);

        for (std::uint64_t n = 3; n < 10; ++n)
            snapshot.publish(make(n));
        CHECK(alive == 2); // 2 is still pinned by b
        CHECK(a.pin()->number == 9);
        b.unpin();
        snapshot.publish(make(10));
        CHECK(alive == 2); // 9, pinned by a, and 10
        CHECK(a.pin()->number == 10);
        CHECK(snapshot.reclaim() == 0);
        a.unpin();
    }
    CHECK(alive == 0);
}

TEST_CASE("snapshot: readers under a writer that publishes all the time", "[snapshot][EAM-09]") {
    constexpr std::size_t reader_count = 4;
    constexpr std::uint64_t publications = 5000;
    REQUIRE(alive == 0);
    {
        Snapshot<Canary> snapshot(reader_count);
        snapshot.publish(make(0));
        std::atomic<bool> stop{false};
        std::atomic<std::uint64_t> pins{0};
        std::array<std::atomic<std::uint64_t>, reader_count> faults{};
        std::vector<std::thread> readers;
        for (std::size_t i = 0; i < reader_count; ++i) {
            readers.emplace_back([&, i] {
                auto reader = snapshot.reader(i);
                std::uint64_t newest = 0;
                std::uint64_t count = 0;
                do {
                    const Canary* c = reader.pin();
                    // Whole at first sight, whole after a while, never older than one seen before.
                    if (!c->is_whole()) ++faults[i];
                    if (c->number < newest) ++faults[i];
                    newest = c->number;
                    if (count % 7 == i) std::this_thread::yield();
                    if (!c->is_whole()) ++faults[i];
                    if (count % 3 == 0) reader.unpin();
                    ++count;
                } while (!stop.load(std::memory_order_relaxed));
                reader.unpin();
                pins += count;
            });
        }
        for (std::uint64_t n = 1; n <= publications; ++n) {
            snapshot.publish(make(n));
            // One per reader at most can be held back, and the current one.
            if (alive > static_cast<int>(reader_count) + 1) ++faults[0];
            if (n % 16 == 0) std::this_thread::yield();
        }
        stop = true;
        for (auto& t : readers)
            t.join();
        for (const auto& f : faults)
            CHECK(f == 0);
        CHECK(pins >= reader_count);
        CHECK(snapshot.reclaim() == 0);
        CHECK(alive == 1);
        CHECK(snapshot.current()->number == publications);
    }
    CHECK(alive == 0);
}
