// SPDX-License-Identifier: BSD-2-Clause
//
// A capture while it runs: a thread that empties the workers' rings into the socket of the
// operator's command, so that neither the supervisor nor a worker has anything to do with a client.
// It sends the line of the answer, then records (capture_ring.hpp), each with its bytes, and at
// last one of kind `end`, whose bytes are JSON: {"why":"asked","matched":2,"taken":2, ...}.
//
// It ends when the client closes its sending side or is gone, when its time is over, when the
// client has taken nothing for `patience` although there was something, or by end(). A client that
// reads too slowly costs records (missed_by_room), nothing else: what is waiting for it is bounded.
#pragma once

#include "mapping/snapshot.hpp"
#include "translator/dataplane/capture_ring.hpp"
#include "translator/dataplane/tun.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace xlat646 {

class CaptureSession {
  public:
    static constexpr int format = 1;
    static constexpr std::chrono::seconds patience{10};

    /// `rings` has no other writer while this lives. Throws std::system_error, std::bad_alloc.
    CaptureSession(FileDescriptor client, const CaptureWish& wish, std::size_t workers,
                   Snapshot<CaptureRings>& rings, std::string answer);
    /// As end("stopped").
    ~CaptureSession();

    /// Returns when the client has been told, or does not listen.
    void end(const std::string& why);
    bool is_over() const { return is_over_.load(std::memory_order_acquire); }

  private:
    using Clock = std::chrono::steady_clock;
    void run();
    /// Until something shall end it: why.
    std::string serve();
    /// Empty: the client still wants more.
    std::string hear_client();
    /// From the rings to `pending_`, as far as there is room.
    void collect();
    /// False: there is nobody any more.
    bool send();
    void finish(const std::string& why);
    std::size_t waiting() const { return pending_.size() - sent_; }

    FileDescriptor client_;
    std::chrono::seconds limit_;
    Snapshot<CaptureRings>& snapshot_;
    std::vector<std::shared_ptr<CaptureRing>> rings_;
    std::string pending_;
    std::size_t sent_ = 0; ///< of pending_
    Clock::time_point moved_ = Clock::now();
    FileDescriptor wake_;
    std::string end_asked_; ///< written before `wake_`
    std::atomic<bool> is_over_{false};
    std::thread thread_;
};

} // namespace xlat646
