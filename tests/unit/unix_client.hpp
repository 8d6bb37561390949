// SPDX-License-Identifier: BSD-2-Clause
//
// Unix stream sockets as a client, or another program, would use them.
#pragma once

#include "tests/unit/catch.hpp"
#include "translator/dataplane/tun.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

namespace xlat646 {

inline sockaddr_un unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

/// Somebody else's socket at that path.
inline FileDescriptor bind_unix(const std::string& path, bool listens) {
    FileDescriptor s(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = unix_address(path);
    REQUIRE(::bind(s.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    if (listens) REQUIRE(::listen(s.get(), 1) == 0);
    return s;
}

class UnixClient {
  public:
    explicit UnixClient(const std::string& path)
        : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        const sockaddr_un address = unix_address(path);
        REQUIRE(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                          sizeof address) == 0);
    }

    void send(std::string_view text) {
        REQUIRE(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(text.size()));
    }
    void end() { REQUIRE(::shutdown(socket_.get(), SHUT_WR) == 0); }
    /// Takes what is there; true when the server has closed.
    bool receive() {
        std::array<char, 4096> bytes;
        for (;;) {
            const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
            if (got < 0 && errno == EAGAIN) return false;
            if (got <= 0) return true;
            text_.append(bytes.data(), static_cast<std::size_t>(got));
        }
    }
    const std::string& text() const { return text_; }

  private:
    FileDescriptor socket_;
    std::string text_;
};

} // namespace xlat646
