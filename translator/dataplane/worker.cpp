// SPDX-License-Identifier: BSD-2-Clause
#include "translator/dataplane/worker.hpp"

#include "translator/wire/segment.hpp"

#include <cerrno>
#include <cstring>
#include <time.h>
#include <unistd.h>

namespace xlat646 {
namespace {

/// A lane's share before it is the next one's turn, and before the worker looks whether it shall
/// stop.
constexpr std::size_t share_bytes = 64 * 1024;
constexpr unsigned share_packets = 64;

/// How often in a row busy polling may find nothing before it is left alone until a pause is short
/// enough again.
constexpr unsigned futile_limit = 4;

/// How often busy polling looks for packets before it asks whether it shall stop.
constexpr unsigned rounds_without_stop = 64;

std::uint64_t monotonic_us() noexcept {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

} // namespace

Worker::Worker(const WorkerOptions& options, const Settings& settings,
               Snapshot<ServedTable>::Reader reader, Snapshot<CaptureRings>::Reader captures)
    : options_(options), reader_(reader), captures_(captures), translator_(settings) {
    for (const int lane : options_.lanes)
        events_.push_back({lane, POLLIN, 0});
    events_.push_back({options_.wake, POLLIN, 0});
}

void Worker::run() noexcept {
    bool may_be_more = true;
    for (;;) {
        Look found = may_be_more ? look(0) : Look::nothing;
        if (found == Look::nothing) {
            unpin();
            if (options_.busy_poll_us != 0) found = busy_poll();
            may_be_more = found == Look::packets;
            if (may_be_more) continue;
            if (found == Look::nothing) found = wait();
        }
        if (found == Look::stop) break;
        may_be_more = found == Look::packets && serve_lane() == Served::share;
    }
    unpin();
}

Worker::Look Worker::look(int timeout_ms) noexcept {
    if (poll(events_.data(), events_.size(), timeout_ms) <= 0) return Look::nothing;
    if ((events_.back().revents & POLLIN) != 0) return Look::stop;
    const std::size_t lanes = options_.lanes.size();
    for (std::size_t i = 1; i <= lanes; ++i) {
        const std::size_t lane = (lane_ + i) % lanes;
        if ((events_[lane].revents & POLLIN) == 0) continue;
        lane_ = lane;
        return Look::packets;
    }
    // POLLERR without POLLIN: the device is gone. Look again in a moment instead of spinning.
    (void)poll(&events_.back(), 1, 10);
    return Look::nothing;
}

Worker::Look Worker::busy_poll() noexcept {
    idle_since_us_ = monotonic_us();
    if (futile_polls_ >= futile_limit) return Look::nothing;
    for (unsigned round = 1;; ++round) {
        // A read that finds nothing costs less than to ask poll() about all lanes.
        for (std::size_t i = 0; i < options_.lanes.size(); ++i) {
            lane_ = (lane_ + 1) % options_.lanes.size();
            if (serve_lane() == Served::nothing) continue;
            futile_polls_ = 0;
            return Look::packets;
        }
        if (round % rounds_without_stop == 0 && poll(&events_.back(), 1, 0) > 0) return Look::stop;
        if (monotonic_us() - idle_since_us_ >= options_.busy_poll_us) break;
    }
    ++futile_polls_;
    counters().futile_polls.add();
    return Look::nothing;
}

Worker::Look Worker::wait() noexcept {
    counters().sleeps.add();
    unpin();
    const Look found = look(-1);
    // A pause that busy polling would have bridged.
    if (options_.busy_poll_us != 0 && monotonic_us() - idle_since_us_ <= options_.busy_poll_us)
        futile_polls_ = 0;
    return found;
}

Worker::Served Worker::serve_lane() noexcept {
    std::size_t bytes = 0;
    Packet packet;
    for (unsigned i = 0; i < share_packets && bytes < share_bytes; ++i) {
        if (!read_packet(packet)) {
            flush();
            return i == 0 ? Served::nothing : Served::all;
        }
        bytes += packet.length;
        handle_read(packet);
    }
    flush();
    return Served::share;
}

bool Worker::read_packet(Packet& packet) noexcept {
    std::uint8_t* const data = buffers_[reading_].packet();
    const std::size_t header = options_.vnet_header ? sizeof(OffloadHeader) : 0;
    const ssize_t got = ::read(options_.lanes[lane_], data - header, header + largest_packet);
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR) counters().read_errors.add();
        return false;
    }
    const auto length = static_cast<std::size_t>(got);
    if (length < header) {
        counters().unknown_reads.add();
        return false;
    }
    packet.data = data;
    packet.length = length - header;
    packet.offload = {};
    if (header != 0) std::memcpy(&packet.offload, data - header, header);
    return true;
}

void Worker::handle_read(Packet& packet) noexcept {
    if (!translator_.must_segment(packet)) {
        handle(packet, true);
        return;
    }
    Segmenter segmenter;
    if (!segmenter.start(packet)) {
        packet.offload.gso_size = 0; // nonsense: the translator drops and counts it as such
        handle(packet, true);
        return;
    }
    for (Packet segment; segmenter.next(segment);)
        handle(segment, false);
}

void Worker::handle_captured(Packet& packet, bool is_alone) noexcept {
    const CaptureRings* const rings = captures_.pin();
    translate(packet, is_alone,
              rings == nullptr ? nullptr : rings->of_worker[options_.index].get());
    captures_.unpin();
}

void Worker::translate(Packet& packet, bool is_alone, CaptureRing* capture) noexcept {
    if (capture != nullptr) capture->begin(packet);
    const Received received = Received::of(packet);
    const std::uint8_t* const received_at = packet.data;

    const ServedTable& served = pin();
    const Outcome outcome = translator_.translate(packet, *served.table);

    const Direction direction = translator_.direction();
    DirectionCounters& counters =
        count_packet(served.blocks[options_.index], received, translator_, outcome, packet);

    if (capture != nullptr) capture->end(translator_, outcome, packet);
    switch (outcome.verdict()) {
    case Verdict::forward: {
        if (is_alone && hold(packet)) return;
        flush();
        std::uint64_t pieces = 0;
        do {
            if (++pieces > 1 && capture != nullptr) capture->add_piece(packet);
            if (write(packet)) counters.forwarded_bytes.add(packet.length);
        } while (translator_.next_piece(packet));
        if (pieces > 1) counters.pieces.add(pieces);
        return;
    }
    case Verdict::reply:
        if (!outcome.is_echo_reply() && samples_.is_wanted(direction, outcome.reason()))
            samples_.put(direction, outcome.reason(), describe_packet(received_at, received.bytes));
        flush();
        write(packet);
        return;
    case Verdict::drop:
        if (samples_.is_wanted(direction, outcome.reason()))
            samples_.put(direction, outcome.reason(), describe_packet(received_at, received.bytes));
        return;
    }
}

bool Worker::hold(const Packet& packet) noexcept {
    if (!options_.merge_tcp && !options_.merge_udp) return false;
    if (merger_.count() != 0) {
        if (merger_.append(packet)) {
            held_bytes_ += packet.length;
            return true;
        }
        flush();
    }
    if (!merger_.start(packet, options_.merge_tcp, options_.merge_udp)) return false;
    held_direction_ = translator_.direction();
    held_bytes_ = packet.length;
    reading_ ^= 1;
    return true;
}

void Worker::flush() noexcept {
    const unsigned count = merger_.count();
    if (count == 0) return;
    Packet packet = merger_.finish();
    DirectionCounters& held = counters().direction[static_cast<std::size_t>(held_direction_)];
    if (count > 1) held.merged.add(count);
    if (write(packet, count)) held.forwarded_bytes.add(held_bytes_);
}

bool Worker::write(Packet& packet, unsigned count) noexcept {
    if (write_once(packet)) return true;
    Segmenter segmenter;
    // Some kernels refuse valid super-packets (6.6.44 and its siblings): cut them here.
    if (errno == EINVAL && packet.is_gso() && segmenter.start(packet)) {
        counters().segmented_writes.add();
        bool all_written = true;
        for (Packet segment; segmenter.next(segment);)
            if (!write_once(segment)) {
                counters().write_errors.add();
                all_written = false;
            }
        return all_written;
    }
    counters().write_errors.add(count);
    return false;
}

bool Worker::write_once(const Packet& packet) noexcept {
    std::uint8_t* from = packet.data;
    std::size_t length = packet.length;
    if (options_.vnet_header) {
        from -= sizeof(OffloadHeader);
        length += sizeof(OffloadHeader);
        std::memcpy(from, &packet.offload, sizeof(OffloadHeader));
    }
    ssize_t done;
    do
        done = ::write(options_.lanes[lane_], from, length);
    while (done < 0 && errno == EINTR);
    return done >= 0;
}

} // namespace xlat646
