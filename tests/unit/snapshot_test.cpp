// SPDX-License-Identifier: BSD-2-Clause
#include "mapping/snapshot.hpp"
#include "tests/unit/catch.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <pthread.h>
#include <sched.h>
#include <thread>
#include <vector>

using namespace xlat646;

namespace {

std::atomic<int> alive{0};

/// Says when it has been freed: its words are poisoned, and the memory is not used again before the
/// test is over.
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
    static void operator delete(void* memory) { quarantine.push_back(memory); }
    static void* operator new(std::size_t size) { return ::operator new(size); }
    static void release_memory() {
        for (void* memory : quarantine)
            ::operator delete(memory);
        quarantine.clear();
    }
    static inline std::vector<void*> quarantine; ///< of the only thread that deletes
    bool is_whole() const {                      // volatile: looked at again each time
        for (const volatile std::uint64_t& w : words)
            if (w != (good ^ number)) return false;
        return true;
    }
    std::uint64_t number;
    std::array<std::uint64_t, 16> words;
};

std::unique_ptr<const Canary> make(std::uint64_t n) {
    return std::unique_ptr<const Canary>(new Canary(n));
}

std::atomic<std::uint64_t> published{0};
std::atomic<std::uint64_t> interruptions{0};

/// Holds a reader wherever it is until the writer has gone on.
void interrupt(int) {
    const std::uint64_t before = published;
    while (published < before + 3)
        sched_yield();
    ++interruptions;
}

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
    Canary::release_memory();
}

TEST_CASE("snapshot: readers under a writer that publishes all the time", "[snapshot][EAM-09]") {
    constexpr std::size_t reader_count = 4;
    constexpr std::uint64_t publications = 20000;
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
        int most_alive = 0;
        for (std::uint64_t n = 1; n <= publications; ++n) {
            snapshot.publish(make(n));
            most_alive = std::max(most_alive, alive.load());
            if (n % 64 == 0) std::this_thread::yield();
        }
        stop = true;
        for (auto& t : readers)
            t.join();
        for (const auto& f : faults)
            CHECK(f == 0);
        CHECK(pins >= reader_count);
        // The current one, and two per reader: while the writer looks through the slots, a reader
        // may let go of one that has been looked at and store one it read before the publication.
        CHECK(most_alive <= static_cast<int>(2 * reader_count + 1));
        CHECK(snapshot.reclaim() == 0);
        CHECK(alive == 1);
        CHECK(snapshot.current()->number == publications);
    }
    CHECK(alive == 0);
    Canary::release_memory();
}

TEST_CASE("snapshot: a reader may be held up between any two instructions", "[snapshot][EAM-09]") {
    REQUIRE(alive == 0);
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = interrupt;
    REQUIRE(sigaction(SIGUSR1, &action, &before) == 0);
    {
        Snapshot<Canary> snapshot(1);
        snapshot.publish(make(0));
        std::atomic<bool> stop{false};
        std::uint64_t faults = 0;
        std::thread thread([&] {
            auto reader = snapshot.reader(0);
            for (std::uint64_t count = 0; !stop.load(std::memory_order_relaxed); ++count) {
                if (!reader.pin()->is_whole()) ++faults;
                if (count % 2 == 0) reader.unpin();
                if (count % 64 == 0) std::this_thread::yield();
            }
            reader.unpin();
        });
        constexpr std::uint64_t wanted = 3000;
        for (std::uint64_t n = 0; n < wanted; ++n) {
            const std::uint64_t done = interruptions;
            REQUIRE(pthread_kill(thread.native_handle(), SIGUSR1) == 0);
            while (interruptions == done) {
                snapshot.publish(make(++published));
                std::this_thread::yield();
            }
        }
        stop = true;
        thread.join();
        CHECK(interruptions == wanted);
        CHECK(faults == 0);
        CHECK(snapshot.reclaim() == 0);
    }
    CHECK(alive == 0);
    Canary::release_memory();
    sigaction(SIGUSR1, &before, nullptr);
}
