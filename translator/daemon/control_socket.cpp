// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/control_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>

namespace xlat646 {
namespace {

constexpr std::uint32_t listener = ControlSocket::most_connections; ///< its number among the events

/// What does not fit into the socket's buffer is lost: nobody waits for a client.
void send_at_once(int socket, std::string_view text) {
    while (::send(socket, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
           errno == EINTR) {
    }
}

/// As the kernel saw it when it connected: the process may have ended since.
std::string name_of_peer(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "unknown";
    return "user " + std::to_string(peer.uid) + ", process " + std::to_string(peer.pid);
}

} // namespace

ControlSocket::ControlSocket(const std::string& path, Answer answer)
    : ControlSocket(std::make_unique<SocketFile>(path), std::move(answer)) {}

ControlSocket::ControlSocket(std::unique_ptr<SocketFile> file, Answer answer)
    : file_(std::move(file)), answer_(std::move(answer)), events_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (events_.get() < 0 || !watch(EPOLL_CTL_ADD, file_->descriptor(), EPOLLIN, listener))
        throw std::system_error(errno, std::generic_category(), "control_socket: epoll");
}

bool ControlSocket::watch(int operation, int descriptor, std::uint32_t events,
                          std::uint32_t index) const {
    epoll_event event{};
    event.events = events;
    event.data.u32 = index;
    return ::epoll_ctl(events_.get(), operation, descriptor, &event) == 0;
}

int ControlSocket::wait_ms(int most) const {
    const auto now = Clock::now();
    for (const Connection& c : connections_) {
        if (c.socket.get() < 0) continue;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(c.deadline - now).count();
        most = static_cast<int>(std::clamp<decltype(left)>(left, 0, most));
    }
    return most;
}

void ControlSocket::serve() {
    std::array<epoll_event, most_connections + 1> ready;
    const int count = ::epoll_wait(events_.get(), ready.data(), static_cast<int>(ready.size()), 0);
    bool may_accept = true;
    for (int i = 0; i < count; ++i) {
        const std::uint32_t index = ready[static_cast<std::size_t>(i)].data.u32;
        if (index == listener)
            may_accept = accept();
        else
            read(connections_[index]);
    }
    close_late();
    // Without this a client that cannot be accepted would keep the loop awake.
    (void)watch(EPOLL_CTL_MOD, file_->descriptor(), may_accept && !is_full() ? EPOLLIN : 0u,
                listener);
}

bool ControlSocket::is_full() const {
    return std::all_of(connections_.begin(), connections_.end(),
                       [](const Connection& c) { return c.socket.get() >= 0; });
}

bool ControlSocket::accept() {
    for (std::uint32_t i = 0; i < most_connections; ++i) {
        Connection& c = connections_[i];
        if (c.socket.get() >= 0) continue;
        FileDescriptor socket(
            ::accept4(file_->descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (socket.get() < 0) return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
        if (!watch(EPOLL_CTL_ADD, socket.get(), EPOLLIN, i)) return false;
        c = {std::move(socket), {}, Clock::now() + patience};
    }
    return true;
}

void ControlSocket::read(Connection& connection) {
    std::array<char, RequestBuffer::longest> bytes;
    for (;;) {
        const ssize_t got =
            ::recv(connection.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0) break;
        if (got == 0) {
            send_at_once(connection.socket.get(), error_answer("the request has no newline"));
            break;
        }
        peer_ = name_of_peer(connection.socket.get());
        const auto state = connection.request.add({bytes.data(), static_cast<std::size_t>(got)});
        if (state == RequestBuffer::State::incomplete) continue;
        // It may get another owner now, who has nothing to do with these events.
        (void)watch(EPOLL_CTL_DEL, connection.socket.get(), 0, 0);
        const std::string text = state == RequestBuffer::State::complete
                                     ? answer(connection.request.line(), connection.socket)
                                     : error_answer("the request is too long");
        if (connection.socket.get() >= 0) send_at_once(connection.socket.get(), text);
        break;
    }
    connection = {};
}

std::string ControlSocket::answer(std::string_view line, FileDescriptor& socket) const {
    try {
        const auto request = parse_request(line);
        if (const auto* wrong = std::get_if<std::string>(&request)) return error_answer(*wrong);
        return answer_(std::get<ControlRequest>(request), socket);
    } catch (const std::exception& e) {
        return error_answer(std::string("internal: ") + e.what());
    }
}

void ControlSocket::close_late() {
    const auto now = Clock::now();
    for (Connection& c : connections_)
        if (c.socket.get() >= 0 && now >= c.deadline) c = {};
}

} // namespace xlat646
