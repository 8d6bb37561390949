// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/control_client.hpp"

#include "translator/daemon/exit_status.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

namespace xlat646 {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

constexpr std::size_t longest_answer = 16 << 20;
constexpr long longest_wait_ms = 24L * 3600 * 1000;

[[noreturn]] void give_up(const std::string& path, const std::string& why,
                          int status = exit_status::unavailable) {
    throw Unreachable("no answer from " + path + ": " + why, status);
}

[[noreturn]] void explain_connect(const std::string& path, int error) {
    switch (error) {
    case ENOENT:
        give_up(path, "there is no such socket. Does xlat646d run, and with this control_socket? "
                      "--socket names another");
    case ECONNREFUSED: give_up(path, "nobody listens; the xlat646d that made it has died");
    case EACCES:
    case EPERM:
        give_up(path, "no permission; it is for its owner and group", exit_status::no_permission);
    case EAGAIN: give_up(path, "too many others are waiting, or xlat646d hangs");
    default: give_up(path, std::strerror(error));
    }
}

FileDescriptor connect_to(const std::string& path, std::chrono::seconds timeout) {
    FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) give_up(path, "the path is too long");
    std::memcpy(address.sun_path, path.data(), path.size());
    // Also limits connect(), which waits while the daemon's queue is full.
    timeval limit{};
    limit.tv_sec = timeout.count();
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    int result;
    do
        result =
            ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    while (result != 0 && errno == EINTR);
    if (result != 0) explain_connect(path, errno);
    return socket;
}

enum class Until : std::uint8_t { end, newline };

std::string read_answer(int socket, const std::string& path, Clock::time_point deadline,
                        Until until) {
    std::string answer;
    std::array<char, 65536> bytes;
    // What comes after the newline is for another reader.
    const std::size_t at_once = until == Until::end ? bytes.size() : 1;
    while (until == Until::end || !answer.ends_with('\n')) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd event{socket, POLLIN, 0};
        const int ready =
            ::poll(&event, 1, static_cast<int>(std::clamp<long>(left.count(), 0, longest_wait_ms)));
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) give_up(path, "timeout; xlat646d is busy with a long reload, or hangs");
        const ssize_t got = ::recv(socket, bytes.data(), at_once, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno != ECONNRESET) give_up(path, std::strerror(errno));
        if (got <= 0) return answer;
        answer.append(bytes.data(), static_cast<std::size_t>(got));
        if (answer.size() > longest_answer) throw std::runtime_error("the answer has no end");
    }
    return answer;
}

ordered_json ask(const std::string& socket_path, const ControlRequest& request,
                 std::chrono::seconds timeout, Until until, FileDescriptor& socket) {
    const auto deadline = Clock::now() + timeout;
    socket = connect_to(socket_path, timeout);
    const std::string line = request_line(request);
    // A short line always fits. If the daemon has closed already, reading says so.
    (void)::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL);
    const std::string text = read_answer(socket.get(), socket_path, deadline, until);
    if (text.empty()) give_up(socket_path, "xlat646d closed the connection; it may be stopping");
    const ordered_json answer = ordered_json::parse(text, nullptr, false);
    if (!answer.is_object() || answer.size() != 1)
        throw std::runtime_error("cannot understand what " + socket_path + " answers");
    const ordered_json& value = answer.begin().value();
    if (answer.begin().key() == "error")
        throw std::runtime_error("xlat646d refuses: " +
                                 (value.is_string() ? value.get<std::string>() : value.dump()));
    return value;
}

} // namespace

ordered_json ask_daemon(const std::string& socket_path, const ControlRequest& request,
                        std::chrono::seconds timeout) {
    FileDescriptor socket;
    return ask(socket_path, request, timeout, Until::end, socket);
}

ordered_json open_stream(const std::string& socket_path, const ControlRequest& request,
                         std::chrono::seconds timeout, FileDescriptor& stream) {
    return ask(socket_path, request, timeout, Until::newline, stream);
}

} // namespace xlat646
