// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/listening.hpp"

#include "translator/daemon/log.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>
#include <systemd/sd-daemon.h>

namespace xlat646 {
namespace {

constexpr int backlog = 128;

union SocketAddress {
    sockaddr any;
    sockaddr_in ipv4;
    sockaddr_in6 ipv6;
};

socklen_t fill(SocketAddress& out, const ListenAddress& from) {
    std::memset(&out, 0, sizeof out);
    if (const auto* const ipv4 = std::get_if<Ipv4Address>(&from.address)) {
        out.ipv4.sin_family = AF_INET;
        out.ipv4.sin_port = htons(from.port);
        const auto bytes = ipv4->bytes();
        std::memcpy(&out.ipv4.sin_addr, bytes.data(), bytes.size());
        return sizeof out.ipv4;
    }
    out.ipv6.sin6_family = AF_INET6;
    out.ipv6.sin6_port = htons(from.port);
    const auto bytes = std::get<Ipv6Address>(from.address).bytes();
    std::memcpy(&out.ipv6.sin6_addr, bytes.data(), bytes.size());
    return sizeof out.ipv6;
}

FileDescriptor open_listener(const ListenAddress& wanted) {
    SocketAddress address;
    const socklen_t length = fill(address, wanted);
    FileDescriptor socket(
        ::socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    const bool is_open =
        socket.get() >= 0 &&
        ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (address.any.sa_family != AF_INET6 ||
         ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
        ::bind(socket.get(), &address.any, length) == 0 && ::listen(socket.get(), backlog) == 0;
    if (!is_open)
        throw std::system_error(errno, std::generic_category(),
                                "cannot listen on " + wanted.to_string());
    log_info("serving http://{}/", wanted.to_string());
    return socket;
}

void take_passed(std::vector<FileDescriptor>& out) {
    const int count = ::sd_listen_fds(1);
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
        FileDescriptor socket(fd);
        if (::sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
            throw std::system_error(EINVAL, std::generic_category(),
                                    "the passed descriptor " + std::to_string(fd) +
                                        " is no listening stream socket");
        const int flags = ::fcntl(fd, F_GETFL);
        if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
            throw std::system_error(errno, std::generic_category(), "a passed socket");
        out.push_back(std::move(socket));
    }
    if (count > 0) log_info("serving HTTP on {} passed sockets", count);
}

} // namespace

std::vector<FileDescriptor> open_listeners(const std::vector<ListenAddress>& wanted) {
    std::vector<FileDescriptor> out;
    take_passed(out);
    for (const ListenAddress& address : wanted)
        out.push_back(open_listener(address));
    if (!out.empty()) return out;

    const ListenAddress ipv4{Ipv4Address(INADDR_LOOPBACK), default_exporter_port};
    const ListenAddress ipv6{*Ipv6Address::parse("::1"), default_exporter_port};
    out.push_back(open_listener(ipv4));
    try {
        out.push_back(open_listener(ipv6));
    } catch (const std::system_error& e) {
        const int error = e.code().value();
        if (error != EADDRNOTAVAIL && error != EAFNOSUPPORT) throw;
        log_info("{}: a node without IPv6 on its loopback", e.what());
    }
    return out;
}

} // namespace xlat646
