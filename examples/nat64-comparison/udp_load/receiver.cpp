// SPDX-License-Identifier: BSD-2-Clause
#include "udp_load.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace xlat646::udp_load {
namespace {

constexpr unsigned batch = 64;
/// How long a queue on the way may keep the last datagrams.
constexpr int quiet_ms = 100;

int open_socket(const ReceiveOptions& options) {
    const int fd = socket(options.ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    // What is measured is the path, not how soon this process is scheduled.
    set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20, "SO_RCVBUFFORCE");
    if (options.merged) set_option(fd, IPPROTO_UDP, UDP_GRO, 1, "UDP_GRO");
    sockaddr_storage address{};
    if (options.ipv6) {
        sockaddr_in6 any{};
        any.sin6_family = AF_INET6;
        any.sin6_port = htons(options.port);
        std::memcpy(&address, &any, sizeof any);
    } else {
        sockaddr_in any{};
        any.sin_family = AF_INET;
        any.sin_port = htons(options.port);
        std::memcpy(&address, &any, sizeof any);
    }
    const auto length = options.ipv6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(length)) != 0)
        fail("bind");
    return fd;
}

} // namespace

void receive(const ReceiveOptions& options) {
    const int fd = open_socket(options);
    // The tags are looked at; nobody reads the rest, so all messages share the place for it.
    std::array<std::array<std::uint8_t, 8>, batch> heads{};
    std::vector<std::uint8_t> rest(65536);
    std::array<std::array<iovec, 2>, batch> parts{};
    std::array<mmsghdr, batch> messages{};
    for (unsigned i = 0; i < batch; ++i) {
        parts[i][0] = {heads[i].data(), heads[i].size()};
        parts[i][1] = {rest.data(), rest.size()};
        messages[i].msg_hdr.msg_iov = parts[i].data();
        messages[i].msg_hdr.msg_iovlen = parts[i].size();
    }
    std::puts("ready");
    std::fflush(stdout);

    std::uint64_t received = 0;
    std::uint64_t damaged = 0; // of this run, but not of the length that was sent
    double first = 0;
    double last = 0;
    bool ending = false;
    for (;;) {
        std::array<pollfd, 2> wait{{{fd, POLLIN, 0}, {ending ? -1 : STDIN_FILENO, POLLIN, 0}}};
        const int ready = poll(wait.data(), wait.size(), ending ? quiet_ms : -1);
        if (ready < 0 && errno != EINTR) fail("poll");
        if (ready == 0) break;
        if (wait[1].revents != 0) ending = true;
        if (wait[0].revents == 0) continue;
        const int n = recvmmsg(fd, messages.data(), batch, MSG_DONTWAIT, nullptr);
        if (n < 0) {
            if (errno == EAGAIN || errno == EINTR) continue;
            fail("recvmmsg");
        }
        for (unsigned i = 0; i < static_cast<unsigned>(n); ++i) {
            if (std::memcmp(heads[i].data(), &options.tag, sizeof options.tag) != 0) continue;
            const std::size_t length = messages[i].msg_len;
            if (length % options.size == 0 && (options.merged || length == options.size))
                received += length / options.size;
            else
                ++damaged;
        }
        last = now();
        if (first == 0) first = last;
    }
    close(fd);
    std::printf("{\"received\": %llu, \"damaged\": %llu, \"seconds\": %.6f}\n",
                static_cast<unsigned long long>(received), static_cast<unsigned long long>(damaged),
                last - first);
}

} // namespace xlat646::udp_load
