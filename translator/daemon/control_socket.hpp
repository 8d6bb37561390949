// SPDX-License-Identifier: BSD-2-Clause
//
// The socket by which operators talk to the daemon. It lives in the supervisor's event loop and
// never waits for a client: a connection has one second to send its line, gets as much of the
// answer as the kernel takes at once, and is closed. Above 16 connections the others wait in the
// kernel.
#pragma once

#include "translator/daemon/control_request.hpp"
#include "translator/daemon/socket_file.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace xlat646 {

class ControlSocket {
  public:
    static constexpr std::size_t most_connections = 16;
    static constexpr std::chrono::milliseconds patience{1000};

    /// Called within serve(). May take the socket and go on with the client itself: then what it
    /// returns is sent to nobody.
    using Answer = std::function<std::string(const ControlRequest&, FileDescriptor& socket)>;
    /// Throws as SocketFile.
    ControlSocket(const std::string& path, Answer answer);
    ControlSocket(std::unique_ptr<SocketFile> file, Answer answer);
    /// Within an Answer: who asks, for the log.
    const std::string& peer() const { return peer_; }
    SocketFile& file() const { return *file_; }

    /// Becomes readable when serve() has something to do; it also wants to be called when
    /// `wait_ms` are over.
    int descriptor() const { return events_.get(); }
    int wait_ms(int most) const;
    void serve();

  private:
    using Clock = std::chrono::steady_clock;
    struct Connection {
        FileDescriptor socket;
        RequestBuffer request;
        Clock::time_point deadline;
    };

    bool watch(int operation, int descriptor, std::uint32_t events, std::uint32_t index) const;
    /// False: the kernel has no descriptors or no memory left.
    bool accept();
    bool is_full() const;
    void read(Connection& connection);
    void close_late();
    std::string answer(std::string_view line, FileDescriptor& socket) const;

    std::unique_ptr<SocketFile> file_;
    Answer answer_;
    std::string peer_;
    FileDescriptor events_;
    std::array<Connection, most_connections> connections_;
};

} // namespace xlat646
