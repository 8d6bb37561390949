// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/bird_control.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace xlat646 {
namespace {

constexpr std::size_t longest_line = 4096;
constexpr std::size_t longest_text = 1000;
constexpr unsigned first_error = 8000;
constexpr unsigned ignored_shutting_down = 6;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "0003 Reconfigured" or, with more to come, "0002-Reading configuration".
bool has_code(const std::string& line) {
    return line.size() >= 5 && std::all_of(line.begin(), line.begin() + 4, is_digit) &&
           (line[4] == ' ' || line[4] == '-');
}

std::string printable(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return text;
}

} // namespace

BirdRequest::BirdRequest(const std::string& socket_path, std::string command,
                         std::chrono::milliseconds limit)
    : socket_path_(socket_path), command_(std::move(command)), deadline_(Clock::now() + limit) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.size() >= sizeof address.sun_path) {
        finish(BirdReply::Kind::failed, "the path is too long");
        return;
    }
    std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ >= 0 &&
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return;
    const int error = errno;
    const bool is_absent = error == ENOENT || error == ECONNREFUSED;
    finish(is_absent ? BirdReply::Kind::absent : BirdReply::Kind::failed,
           is_absent ? "BIRD does not run" : std::strerror(error));
}

BirdRequest::~BirdRequest() {
    if (socket_ >= 0) ::close(socket_);
}

void BirdRequest::finish(BirdReply::Kind kind, const std::string& text) {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    is_done_ = true;
    reply_.kind = kind;
    if (kind == BirdReply::Kind::done || kind == BirdReply::Kind::refused)
        reply_.text = text;
    else
        reply_.text = socket_path_ + ": " + text;
}

int BirdRequest::wait_ms(int most) const {
    if (is_done_) return most;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    return static_cast<int>(std::clamp<long>(left.count(), 0, most));
}

void BirdRequest::serve() {
    std::array<char, 4096> bytes;
    while (!is_done_) {
        const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) {
            if (Clock::now() >= deadline_) finish(BirdReply::Kind::failed, "BIRD does not answer");
            return;
        }
        if (got < 0) return finish(BirdReply::Kind::failed, std::strerror(errno));
        if (got == 0) return finish(BirdReply::Kind::failed, "BIRD closed the connection");
        bytes_.append(bytes.data(), static_cast<std::size_t>(got));
        for (std::size_t end; !is_done_ && (end = bytes_.find('\n')) != std::string::npos;) {
            const std::string line = bytes_.substr(0, end);
            bytes_.erase(0, end + 1);
            take(line);
        }
        if (bytes_.size() > longest_line)
            return finish(BirdReply::Kind::failed, "this is not BIRD: a line has no end");
    }
}

void BirdRequest::take(const std::string& line) {
    // A line without a code continues the one before it.
    const bool is_coded = has_code(line);
    const bool is_last = is_coded && line[4] == ' ';
    if (!is_greeted_) {
        if (!is_last) return;
        is_greeted_ = true;
        const std::string request = command_ + "\n"; // a short line always fits
        if (::send(socket_, request.data(), request.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            finish(BirdReply::Kind::failed, std::strerror(errno));
        return;
    }
    const std::string text =
        printable(line.substr(std::min<std::size_t>(is_coded ? 5 : 1, line.size())));
    if (!text.empty() && reply_.text.size() < longest_text)
        reply_.text += (reply_.text.empty() ? "" : "; ") + text;
    if (is_coded) reply_.code = static_cast<unsigned>(std::stoul(line.substr(0, 4)));
    if (!is_last) return;
    using Kind = BirdReply::Kind;
    finish(reply_.code >= first_error             ? Kind::refused
           : reply_.code == ignored_shutting_down ? Kind::absent
                                                  : Kind::done,
           std::string(reply_.text));
}

BirdReply ask_bird(const std::string& socket_path, const std::string& command,
                   std::chrono::milliseconds limit) {
    constexpr int a_second = 1000;
    BirdRequest request(socket_path, command, limit);
    while (!request.is_done()) {
        pollfd event{request.descriptor(), POLLIN, 0};
        (void)::poll(&event, 1, request.wait_ms(a_second));
        request.serve();
    }
    return request.reply();
}

} // namespace xlat646
