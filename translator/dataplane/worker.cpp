// SPDX-License-Identifier: BSD-2-Clause
#include "translator/dataplane/worker.hpp"

#include "translator/wire/segment.hpp"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <time.h>
#include <unistd.h>

namespace xlat646 {
namespace {

/// How many packets are handled between two looks at the stop flag under full load.
constexpr int burst = 256;

/// Busy polling: reads between two looks at the clock, and at the stop flag; and how often in a
/// row it may find nothing before it is left alone until a pause is short enough again.
constexpr int reads_per_clock = 8;
constexpr int clocks_per_stop = 16;
constexpr unsigned futile_limit = 4;

std::uint64_t monotonic_us() noexcept {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

} // namespace

Worker::Worker(const WorkerOptions& options, const Settings& settings,
               Snapshot<MappingTable>::Reader reader)
    : options_(options), reader_(reader), translator_(settings) {}

void Worker::run() noexcept {
    for (;;) {
        Packet packet;
        for (int i = 0; i < burst; ++i) {
            Read result = read_packet(packet);
            if (result == Read::nothing) {
                flush();
                reader_.unpin();
                if (options_.busy_poll_us != 0) result = busy_poll(packet);
            }
            if (result == Read::packet) {
                handle_read(packet);
                continue;
            }
            flush();
            reader_.unpin();
            if (!sleep()) return;
        }
        pollfd stop{options_.wake, POLLIN, 0};
        if (poll(&stop, 1, 0) > 0) return;
    }
}

Worker::Read Worker::read_packet(Packet& packet) noexcept {
    std::uint8_t* const data = buffers_[reading_].packet();
    const std::size_t header = options_.vnet_header ? sizeof(OffloadHeader) : 0;
    const ssize_t got = ::read(options_.queue, data - header, header + largest_packet);
    if (got < 0) {
        if (errno != EAGAIN && errno != EINTR) counters_.read_errors.add();
        return errno == EAGAIN || errno == EINTR ? Read::nothing : Read::failed;
    }
    const auto length = static_cast<std::size_t>(got);
    if (length < header) {
        counters_.unknown_reads.add();
        return Read::nothing;
    }
    packet.data = data;
    packet.length = length - header;
    packet.offload = {};
    if (header != 0) std::memcpy(&packet.offload, data - header, header);
    return Read::packet;
}

Worker::Read Worker::busy_poll(Packet& packet) noexcept {
    idle_since_us_ = monotonic_us();
    if (futile_polls_ >= futile_limit) return Read::nothing;
    const std::uint64_t end = idle_since_us_ + options_.busy_poll_us;
    for (int clocks = 1;; ++clocks) {
        for (int reads = 0; reads < reads_per_clock; ++reads) {
            const Read result = read_packet(packet);
            if (result == Read::nothing) continue;
            if (result == Read::packet) futile_polls_ = 0;
            return result;
        }
        if (monotonic_us() >= end) break;
        if (clocks % clocks_per_stop != 0) continue;
        pollfd stop{options_.wake, POLLIN, 0};
        if (poll(&stop, 1, 0) > 0) return Read::nothing;
    }
    ++futile_polls_;
    counters_.futile_polls.add();
    return Read::nothing;
}

bool Worker::sleep() noexcept {
    pollfd events[2] = {{options_.queue, POLLIN, 0}, {options_.wake, POLLIN, 0}};
    counters_.sleeps.add();
    if (poll(events, 2, -1) < 0) return true;
    // POLLERR without POLLIN: the device is down. Look again in a moment instead of spinning.
    if ((events[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 &&
        (events[0].revents & POLLIN) == 0)
        (void)poll(&events[1], 1, 10);
    // A pause that busy polling would have bridged.
    if (options_.busy_poll_us != 0 && monotonic_us() - idle_since_us_ <= options_.busy_poll_us)
        futile_polls_ = 0;
    return (events[1].revents & POLLIN) == 0;
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

void Worker::handle(Packet& packet, bool is_alone) noexcept {
    const std::size_t received = packet.length;
    const bool is_gso = packet.is_gso();
    const std::uint8_t* const received_at = packet.data;

    const Outcome outcome = translator_.translate(packet, *reader_.pin());

    const Direction direction = translator_.direction();
    DirectionCounters& counters = counters_.direction[static_cast<std::size_t>(direction)];
    counters.received.add();
    counters.received_bytes.add(received);
    if (is_gso) counters.super_packets.add();
    counters.count(outcome);

    switch (outcome.verdict()) {
    case Verdict::forward: {
        if (is_alone && hold(packet)) return;
        flush();
        std::uint64_t pieces = 0;
        do {
            ++pieces;
            if (write(packet)) counters.forwarded_bytes.add(packet.length);
        } while (translator_.next_piece(packet));
        if (pieces > 1) counters.pieces.add(pieces);
        return;
    }
    case Verdict::reply:
        if (!outcome.is_echo_reply() && samples_.is_wanted(direction, outcome.reason()))
            samples_.put(direction, outcome.reason(), describe_packet(received_at, received));
        flush();
        write(packet);
        return;
    case Verdict::drop:
        if (samples_.is_wanted(direction, outcome.reason()))
            samples_.put(direction, outcome.reason(), describe_packet(received_at, received));
        return;
    }
}

bool Worker::hold(const Packet& packet) noexcept {
    if (!options_.merge_tcp && !options_.merge_udp) return false;
    DirectionCounters* const counters =
        &counters_.direction[static_cast<std::size_t>(translator_.direction())];
    if (merger_.count() != 0) {
        if (counters == held_counters_ && merger_.append(packet)) {
            held_bytes_ += packet.length;
            return true;
        }
        flush();
    }
    if (!merger_.start(packet, options_.merge_tcp, options_.merge_udp)) return false;
    held_counters_ = counters;
    held_bytes_ = packet.length;
    reading_ ^= 1;
    return true;
}

void Worker::flush() noexcept {
    const unsigned count = merger_.count();
    if (count == 0) return;
    Packet packet = merger_.finish();
    if (count > 1) held_counters_->merged.add(count);
    if (write(packet, count)) held_counters_->forwarded_bytes.add(held_bytes_);
}

bool Worker::write(Packet& packet, unsigned count) noexcept {
    if (write_once(packet)) return true;
    Segmenter segmenter;
    // Some kernels refuse valid super-packets (6.6.44 and its siblings): cut them here.
    if (errno == EINVAL && packet.is_gso() && segmenter.start(packet)) {
        counters_.segmented_writes.add();
        bool all_written = true;
        for (Packet segment; segmenter.next(segment);)
            if (!write_once(segment)) {
                counters_.write_errors.add();
                all_written = false;
            }
        return all_written;
    }
    counters_.write_errors.add(count);
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
        done = ::write(options_.queue, from, length);
    while (done < 0 && errno == EINTR);
    return done >= 0;
}

} // namespace xlat646
