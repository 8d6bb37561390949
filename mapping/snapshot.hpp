// SPDX-License-Identifier: BSD-2-Clause
//
// Publishes an immutable object to readers that never wait: one writer, a fixed number of readers,
// one hazard slot per reader.
//
// Invariants
//   1. `current_` always points to a live object (or is null before the first publish).
//   2. A reader owns its slot; nobody else writes it.
//   3. A reader uses a pointer only after it has stored it in its slot and then read `current_`
//      again and found it unchanged. Both are sequentially consistent, and so are the writer's
//      exchange of `current_` and its later look at the slots: either the writer sees the slot, or
//      the reader sees the new pointer and tries again.
//   4. The writer frees a retired object only when no slot holds it. An object that has been
//      retired is never current again, so a slot cannot start to hold it successfully.
//   5. A reader holds its pointer for one packet; a reader that sleeps holds none.
// Retired objects that are still in use are looked at again by the next publish() or reclaim().
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace xlat646 {

template <class T> class Snapshot {
    struct alignas(64) Slot {
        std::atomic<const T*> held{nullptr};
    };

  public:
    explicit Snapshot(std::size_t readers) : slots_(readers) {}
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    /// No reader may be pinned any more.
    ~Snapshot() { delete current_.load(); }

    /// The right to read; lives no longer than its Snapshot. One thread at a time.
    class Reader {
      public:
        Reader(Snapshot& snapshot, std::size_t index)
            : current_(&snapshot.current_), slot_(&snapshot.slots_[index]) {}

        /// The current object, kept alive until unpin() or the next pin().
        const T* pin() noexcept {
            const T* seen = current_->load(std::memory_order_relaxed);
            for (;;) {
                slot_->held.store(seen, std::memory_order_seq_cst);
                const T* again = current_->load(std::memory_order_seq_cst);
                if (again == seen) return seen;
                seen = again;
            }
        }
        /// True: pin() would hardly find anything. Holds nothing, and costs one read.
        bool is_empty() const noexcept {
            return current_->load(std::memory_order_relaxed) == nullptr;
        }
        void unpin() noexcept { slot_->held.store(nullptr, std::memory_order_release); }

      private:
        const std::atomic<const T*>* current_;
        Slot* slot_;
    };
    Reader reader(std::size_t index) { return Reader(*this, index); }

    /// Writer only. The object that is current; stays alive until the next publish.
    const T* current() const noexcept { return current_.load(std::memory_order_relaxed); }

    /// Writer only. From now on every pin() returns `next`, which may be nullptr.
    void publish(std::unique_ptr<const T> next) {
        retired_.reserve(retired_.size() + 1);
        std::unique_ptr<const T> old(current_.exchange(next.release(), std::memory_order_seq_cst));
        if (old) retired_.push_back(std::move(old));
        reclaim();
    }

    /// Writer only. Frees what nobody uses any more; returns how many objects still wait.
    std::size_t reclaim() {
        std::erase_if(retired_, [this](const std::unique_ptr<const T>& object) {
            return std::none_of(slots_.begin(), slots_.end(), [&](const Slot& s) {
                return s.held.load(std::memory_order_seq_cst) == object.get();
            });
        });
        return retired_.size();
    }

  private:
    std::atomic<const T*> current_{nullptr};
    std::vector<Slot> slots_;
    std::vector<std::unique_ptr<const T>> retired_;
};

} // namespace xlat646
