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

// The IP header lies on a cache line; the offload header right before it.
constexpr std::size_t packet_at = 128;
static_assert(packet_at >= packet_headroom + sizeof(OffloadHeader));
constexpr std::size_t buffer_size = packet_at + largest_packet + packet_tailroom;

/// How many packets are handled between two looks at the stop flag under full load.
constexpr int burst = 256;

std::uint64_t monotonic_us() noexcept {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

} // namespace

Worker::Worker(const WorkerOptions& options, const Settings& settings,
               Snapshot<MappingTable>::Reader reader)
    : options_(options), reader_(reader), translator_(settings), buffer_(buffer_size) {}

void Worker::run() noexcept {
    for (;;) {
        Packet packet;
        for (int i = 0; i < burst; ++i) {
            const Read result = read_packet(packet);
            if (result == Read::packet) {
                handle_read(packet);
                continue;
            }
            reader_.unpin();
            if (!sleep()) return;
        }
        pollfd stop{options_.wake, POLLIN, 0};
        if (poll(&stop, 1, 0) > 0) return;
    }
}

Worker::Read Worker::read_packet(Packet& packet) noexcept {
    std::uint8_t* const data = buffer_.data() + packet_at;
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

bool Worker::sleep() noexcept {
    pollfd events[2] = {{options_.queue, POLLIN, 0}, {options_.wake, POLLIN, 0}};
    if (options_.busy_poll_us != 0) {
        const std::uint64_t end = monotonic_us() + options_.busy_poll_us;
        do {
            const int ready = poll(events, 2, 0);
            if (ready > 0) return (events[1].revents & POLLIN) == 0;
        } while (monotonic_us() < end);
    }
    counters_.sleeps.add();
    if (poll(events, 2, -1) < 0) return true;
    // POLLERR without POLLIN: the device is down. Look again in a moment instead of spinning.
    if ((events[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 &&
        (events[0].revents & POLLIN) == 0)
        (void)poll(&events[1], 1, 10);
    return (events[1].revents & POLLIN) == 0;
}

void Worker::handle_read(Packet& packet) noexcept {
    if (!translator_.must_segment(packet)) {
        handle(packet);
        return;
    }
    Segmenter segmenter;
    if (!segmenter.start(packet)) {
        packet.offload.gso_size = 0; // nonsense: the translator drops and counts it as such
        handle(packet);
        return;
    }
    for (Packet segment; segmenter.next(segment);)
        handle(segment);
}

void Worker::handle(Packet& packet) noexcept {
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
        write(packet);
        return;
    case Verdict::drop:
        if (samples_.is_wanted(direction, outcome.reason()))
            samples_.put(direction, outcome.reason(), describe_packet(received_at, received));
        return;
    }
}

bool Worker::write(Packet& packet) noexcept {
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
    counters_.write_errors.add();
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
