// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/log_sink.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace xlat646 {
namespace {

bool is_writable(int fd, int wait_ms) {
    pollfd event = {fd, POLLOUT, 0};
    return poll(&event, 1, wait_ms) > 0;
}

} // namespace

LogSink::LogSink(int fd) : fd_(fd) {}

LogSink::~LogSink() {
    constexpr int tries = 10, each_ms = 100;
    for (int i = 0; i < tries && !kept_.empty(); ++i) {
        (void)is_writable(fd_, each_ms);
        write_kept();
    }
    if (own_ >= 0) ::close(own_);
}

void LogSink::stop_waiting() {
    const std::lock_guard lock(mutex_);
    struct stat found {};
    if (::fstat(fd_, &found) != 0 || S_ISREG(found.st_mode)) {
        kind_ = Kind::file;
    } else if (S_ISSOCK(found.st_mode)) {
        kind_ = Kind::socket;
    } else {
        const std::string path = "/proc/self/fd/" + std::to_string(fd_);
        own_ = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        // It may be somebody else's. Then another writer may fill it after we have looked.
        kind_ = own_ >= 0 ? Kind::own : Kind::shared;
    }
}

void LogSink::sink_it_(const spdlog::details::log_msg& message) {
    write_kept();
    put(message);
}

void LogSink::put(const spdlog::details::log_msg& message) {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (kept_.size() + line.size() > most_kept)
        ++lost_;
    else
        kept_.append(line.data(), line.size());
}

void LogSink::flush_() { write_kept(); }

void LogSink::write_kept() {
    for (;;) {
        while (!kept_.empty()) {
            const ssize_t done = write_some(kept_);
            if (done < 0 && errno == EINTR) continue;
            if (done < 0 && errno == EAGAIN) return;
            // A closed stderr must not matter: there is nowhere left to complain to.
            kept_.erase(0, done < 0 ? kept_.size() : static_cast<std::size_t>(done));
        }
        if (lost_ == 0) return;
        const std::string text = fmt::format("{} line{} of this log lost: nobody had read it",
                                             lost_, lost_ == 1 ? "" : "s");
        lost_ = 0;
        put(spdlog::details::log_msg("xlat646d", spdlog::level::warn, text));
    }
}

ssize_t LogSink::write_some(std::string_view text) const {
    switch (kind_) {
    case Kind::socket: return ::send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    case Kind::own: return ::write(own_, text.data(), text.size());
    case Kind::shared:
        if (!is_writable(fd_, 0)) {
            errno = EAGAIN;
            return -1;
        }
        return ::write(fd_, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    case Kind::waits:
    case Kind::file: break;
    }
    return ::write(fd_, text.data(), text.size());
}

} // namespace xlat646
