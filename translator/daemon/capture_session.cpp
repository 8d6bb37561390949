// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/capture_session.hpp"

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

constexpr int look_ms = 20; ///< between two looks into the rings
constexpr std::size_t most_pending = 256 * 1024;
constexpr std::chrono::seconds last_words{1}; ///< time for the client to take what is left

} // namespace

CaptureSession::CaptureSession(FileDescriptor client, const CaptureWish& wish, std::size_t workers,
                               Snapshot<CaptureRings>& rings, std::string answer)
    : client_(std::move(client)), limit_(wish.seconds), snapshot_(rings),
      pending_(std::move(answer)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wake_.get() < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    auto shared = std::make_unique<CaptureRings>();
    for (std::size_t i = 0; i < workers; ++i)
        shared->of_worker.push_back(
            std::make_shared<CaptureRing>(wish, static_cast<std::uint32_t>(i)));
    rings_ = shared->of_worker;
    pending_.reserve(most_pending + sizeof(CaptureRecord) + 2 * CaptureWish::most_bytes);
    snapshot_.publish(std::move(shared));
    try {
        thread_ = std::thread([this] { run(); });
    } catch (...) {
        snapshot_.publish(nullptr);
        throw;
    }
    pthread_setname_np(thread_.native_handle(), "capture");
}

CaptureSession::~CaptureSession() { end("stopped"); }

void CaptureSession::end(const std::string& why) {
    if (!thread_.joinable()) return;
    end_asked_ = why;
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
    thread_.join();
}

void CaptureSession::run() {
    std::string why = serve();
    snapshot_.publish(nullptr);
    // A worker holds them for the length of one packet.
    while (snapshot_.reclaim() != 0) {
        pollfd none{};
        (void)::poll(&none, 0, 1);
    }
    finish(why);
    client_ = {};
    is_over_.store(true, std::memory_order_release);
}

std::string CaptureSession::serve() {
    const Clock::time_point deadline = Clock::now() + limit_;
    for (;;) {
        const short wanted = waiting() != 0 ? POLLIN | POLLOUT : POLLIN;
        pollfd events[] = {{client_.get(), wanted, 0}, {wake_.get(), POLLIN, 0}};
        (void)::poll(events, std::size(events), look_ms);
        if (std::uint64_t woken; ::read(wake_.get(), &woken, sizeof woken) > 0) return end_asked_;
        if ((events[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            if (std::string why = hear_client(); !why.empty()) return why;
        collect();
        if (!send()) return "gone";
        const Clock::time_point now = Clock::now();
        if (waiting() == 0) moved_ = now;
        if (now >= moved_ + patience) return "stalled";
        if (now >= deadline) return "time";
    }
}

std::string CaptureSession::hear_client() {
    std::array<char, 64> ignored;
    const ssize_t got = ::recv(client_.get(), ignored.data(), ignored.size(), MSG_DONTWAIT);
    if (got == 0) return "asked";
    return got < 0 && errno != EAGAIN && errno != EINTR ? "gone" : "";
}

void CaptureSession::collect() {
    pending_.erase(0, sent_);
    sent_ = 0;
    for (const auto& ring : rings_) {
        const std::uint8_t* before = nullptr;
        const std::uint8_t* after = nullptr;
        while (pending_.size() < most_pending) {
            const CaptureRecord* const record = ring->front(before, after);
            if (record == nullptr) break;
            // In the ring they lie in a row.
            pending_.append(reinterpret_cast<const char*>(record),
                            sizeof *record + record->before_kept + record->after_kept);
            ring->pop();
        }
    }
}

bool CaptureSession::send() {
    while (waiting() != 0) {
        const ssize_t done =
            ::send(client_.get(), pending_.data() + sent_, waiting(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return errno == EAGAIN;
        sent_ += static_cast<std::size_t>(done);
        moved_ = Clock::now();
    }
    return true;
}

void CaptureSession::finish(const std::string& why) {
    const Clock::time_point end = Clock::now() + last_words;
    const auto push = [&] {
        while (send()) {
            if (waiting() == 0) return true;
            if (Clock::now() >= end) return false;
            pollfd event{client_.get(), POLLOUT, 0};
            (void)::poll(&event, 1, look_ms);
        }
        return false;
    };
    // The rings are nobody else's now: what they hold is bounded.
    do
        collect();
    while (waiting() != 0 && push());
    if (waiting() != 0) return;

    nlohmann::ordered_json totals = {{"why", why}};
    const auto add = [&](const char* name, Counter CaptureRing::*member) {
        std::uint64_t sum = 0;
        for (const auto& ring : rings_)
            sum += (ring.get()->*member).get();
        totals[name] = sum;
    };
    add("matched", &CaptureRing::matched);
    add("taken", &CaptureRing::taken);
    add("missed_by_rate", &CaptureRing::missed_by_rate);
    add("missed_by_room", &CaptureRing::missed_by_room);
    add("missed_pieces", &CaptureRing::missed_pieces);
    const std::string text = totals.dump();
    CaptureRecord record;
    record.kind = CaptureRecord::Kind::end;
    record.after_kept = record.after_length = static_cast<std::uint32_t>(text.size());
    pending_.append(reinterpret_cast<const char*>(&record), sizeof record).append(text);
    (void)push();
}

} // namespace xlat646
