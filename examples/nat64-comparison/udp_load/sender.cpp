// SPDX-License-Identifier: BSD-2-Clause
#include "udp_load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <netinet/udp.h>
#include <random>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace xlat646::udp_load {
namespace {

constexpr unsigned batch_limit = 64;
/// Kept from the CPU for longer than this many datagrams take, the sender does not make up for the
/// rest: that burst would be its own doing, not the offered rate.
constexpr double most_behind = 256;

/// Addresses as the kernel takes them, for one batch.
class Targets {
  public:
    Targets(const SendOptions& options) : options_(options), random_(options.tag | 1) {
        for (Message& message : messages_) {
            store_target(message, 0);
            auto* info = reinterpret_cast<cmsghdr*>(message.control.data());
            info->cmsg_level = IPPROTO_IPV6;
            info->cmsg_type = IPV6_PKTINFO;
            info->cmsg_len = CMSG_LEN(sizeof(in6_pktinfo));
        }
    }

    void prepare(msghdr& header, unsigned i) {
        Message& message = messages_[i];
        if (options_.targets > 1) store_target(message, next(options_.targets));
        header.msg_name = &message.address;
        header.msg_namelen =
            is_ipv4(options_.to) ? socklen_t{sizeof(sockaddr_in)} : socklen_t{sizeof(sockaddr_in6)};
        if (options_.sources == 0) return;
        in6_pktinfo info{};
        info.ipi6_addr = plus(options_.from, next(options_.sources));
        std::memcpy(message.control.data() + CMSG_LEN(0), &info, sizeof info);
        header.msg_control = message.control.data();
        header.msg_controllen = message.control.size();
    }

  private:
    struct Message {
        sockaddr_storage address{};
        alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
    };

    std::uint32_t next(std::uint32_t below) {
        random_ ^= random_ << 13; // xorshift64: two nanoseconds
        random_ ^= random_ >> 7;
        random_ ^= random_ << 17;
        return static_cast<std::uint32_t>(((random_ >> 32) * below) >> 32);
    }

    static in6_addr plus(in6_addr address, std::uint32_t offset) {
        std::uint32_t low = 0;
        std::memcpy(&low, address.s6_addr + 12, 4);
        low = htonl(ntohl(low) + offset);
        std::memcpy(address.s6_addr + 12, &low, 4);
        return address;
    }

    void store_target(Message& message, std::uint32_t offset) const {
        const in6_addr address = plus(options_.to, offset);
        if (is_ipv4(options_.to)) {
            sockaddr_in a{};
            a.sin_family = AF_INET;
            a.sin_port = htons(options_.port);
            std::memcpy(&a.sin_addr, address.s6_addr + 12, 4);
            std::memcpy(&message.address, &a, sizeof a);
        } else {
            sockaddr_in6 a{};
            a.sin6_family = AF_INET6;
            a.sin6_port = htons(options_.port);
            a.sin6_addr = address;
            std::memcpy(&message.address, &a, sizeof a);
        }
    }

    const SendOptions& options_;
    std::uint64_t random_;
    std::array<Message, batch_limit> messages_{};
};

const char* take_precedence() {
    sched_param fifo{};
    fifo.sched_priority = 1;
    if (sched_setscheduler(0, SCHED_FIFO, &fifo) == 0) return "fifo";
    return setpriority(PRIO_PROCESS, 0, -20) == 0 ? "nice" : "normal";
}

void sleep_until(double when) {
    timespec t{};
    t.tv_sec = static_cast<time_t>(when);
    t.tv_nsec = static_cast<long>((when - static_cast<double>(t.tv_sec)) * 1e9);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr);
}

int open_socket(const SendOptions& options) {
    const bool v4 = is_ipv4(options.to);
    const int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, 16 << 20, "SO_SNDBUFFORCE");
    if (options.sources > 0) set_option(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1, "IPV6_FREEBIND");
    if (options.segments > 1)
        set_option(fd, IPPROTO_UDP, UDP_SEGMENT, static_cast<int>(options.size), "UDP_SEGMENT");
    return fd;
}

} // namespace

void send(const SendOptions& options) {
    const int fd = open_socket(options);
    std::vector<std::uint8_t> payload(options.size * options.segments, 0x5a);
    for (std::size_t at = 0; at < payload.size(); at += options.size)
        std::memcpy(&payload[at], &options.tag, sizeof options.tag);
    iovec part{payload.data(), payload.size()};
    Targets targets(options);
    if (options.targets == 1 && options.sources == 0) {
        // A connected socket finds its route once.
        msghdr header{};
        targets.prepare(header, 0);
        if (connect(fd, static_cast<sockaddr*>(header.msg_name), header.msg_namelen) != 0)
            fail("connect");
    }
    std::array<mmsghdr, batch_limit> messages{};
    for (mmsghdr& message : messages) {
        message.msg_hdr.msg_iov = &part;
        message.msg_hdr.msg_iovlen = 1;
    }
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    const char* scheduling = options.precedence ? take_precedence() : "normal";
    const double rate = options.rate / options.segments; // of messages
    // Some 100 microseconds' worth: less is not worth waking up for.
    const double burst = std::clamp(rate / 10'000, 1.0, double{batch_limit});

    std::uint64_t sent = 0; // messages
    double skipped = 0;
    const double start = now();
    const double end = start + options.seconds;
    for (;;) {
        const double time = now();
        if (time >= end) break;
        unsigned count = options.segments > 1 ? 8 : batch_limit;
        if (rate > 0) {
            const double done = static_cast<double>(sent) + skipped;
            double due = rate * (time - start) - done;
            if (due < burst) {
                sleep_until(std::min(end, start + (done + burst) / rate));
                continue;
            }
            if (due > most_behind) {
                skipped += due - most_behind;
                due = most_behind;
            }
            count = std::min(count, static_cast<unsigned>(due));
        }
        if (options.targets > 1 || options.sources > 0)
            for (unsigned i = 0; i < count; ++i)
                targets.prepare(messages[i].msg_hdr, i);
        const int n = sendmmsg(fd, messages.data(), count, 0);
        if (n < 0 && errno != EINTR && errno != ENOBUFS) fail("sendmmsg");
        sent += static_cast<std::uint64_t>(std::max(n, 0));
    }
    const double seconds = now() - start;
    close(fd);
    const unsigned long long datagrams = sent * options.segments;
    std::printf("{\"sent\": %llu, \"seconds\": %.6f, \"scheduling\": \"%s\"}\n", datagrams, seconds,
                scheduling);
}

} // namespace xlat646::udp_load
