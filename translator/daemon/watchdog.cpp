// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/watchdog.hpp"

#include "translator/daemon/capabilities.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace xlat646 {
namespace {

// Any other word is a new limit in milliseconds.
constexpr std::uint32_t beat_word = 0;
constexpr std::uint32_t bite_word = 0xffffffff;
/// The limit is waited for in pieces: when the machine itself has stood still, all of that time is
/// one piece, and we get the rest to show that we live.
constexpr unsigned pieces = 10;

/// The child's whole life. Async-signal-safe functions only.
[[noreturn]] void watch(int pipe, pid_t parent) {
    int piece_ms = -1;
    for (unsigned missed = 0; missed < pieces;) {
        pollfd event = {pipe, POLLIN, 0};
        const int ready = poll(&event, 1, piece_ms);
        if (ready == 0) ++missed;
        if (ready <= 0) continue;
        std::uint32_t word = 0;
        const ssize_t got = ::read(pipe, &word, sizeof word);
        if (got == 0) _exit(0); // the parent has gone
        if (got != ssize_t{sizeof word}) continue;
        missed = word == bite_word ? pieces : 0;
        if (word != beat_word && word != bite_word)
            piece_ms = static_cast<int>(std::max<std::uint32_t>(word / pieces, 1));
    }
    if (getppid() != parent) _exit(0);
    prctl(PR_SET_PDEATHSIG, 0); // there is something to say yet
    kill(parent, SIGKILL);      // first: the log may be a pipe that nobody empties
    constexpr std::string_view text =
        "<2>xlat646d: the watchdog has killed it: it had not moved for too long\n";
    const bool is_journal = getenv("JOURNAL_STREAM") != nullptr;
    (void)!::write(STDERR_FILENO, text.data() + (is_journal ? 0 : 3),
                   text.size() - (is_journal ? 0 : 3));
    _exit(0);
}

} // namespace

Watchdog::Watchdog() {
    is_systemd_ = sd_watchdog_enabled(0, nullptr) > 0;
    if (is_systemd_) return;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "watchdog: pipe");
    FileDescriptor read_end(ends[0]);
    pipe_ = FileDescriptor(ends[1]);
    const pid_t parent = getpid();
    child_ = fork();
    if (child_ < 0) throw std::system_error(errno, std::generic_category(), "watchdog: fork");
    if (child_ != 0) {
        (void)fcntl(pipe_.get(), F_SETFL, O_NONBLOCK); // a watchdog that hangs must not stop us
        return;
    }
    const auto ours = static_cast<unsigned>(ends[0]);
    close_range(STDERR_FILENO + 1, ours - 1, 0); // what a predecessor has handed over
    close_range(ours + 1, ~0u, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "xlat646d-watch");
    try {
        limit_capabilities(0);           // of the same user: it may kill without any
    } catch (const std::system_error&) { // and nobody to tell it to
    }
    setsid(); // what a terminal sends to all of its foreground is not for us: Ctrl-C, Ctrl-Z
    watch(ends[0], parent);
}

Watchdog::~Watchdog() { dismiss(); }

void Watchdog::arm(std::chrono::milliseconds limit) {
    if (limit.count() == 0 && !is_systemd_) dismiss();
    is_armed_ = limit.count() != 0 || is_systemd_;
    if (is_armed_ && !is_systemd_) (void)tell(static_cast<std::uint32_t>(limit.count()));
}

bool Watchdog::beat() {
    if (!is_armed_) return true;
    if (!is_systemd_) return tell(beat_word);
    sd_notify(0, "WATCHDOG=1");
    return true;
}

void Watchdog::bite() {
    if (!is_armed_) return;
    if (is_systemd_)
        sd_notify(0, "WATCHDOG=trigger");
    else
        (void)tell(bite_word);
}

bool Watchdog::tell(std::uint32_t word) {
    if (::write(pipe_.get(), &word, sizeof word) >= 0 || errno != EPIPE) return true;
    is_armed_ = false;
    return false;
}

void Watchdog::dismiss() {
    is_armed_ = false;
    if (child_ < 0) return;
    kill(child_, SIGKILL);
    while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
}

} // namespace xlat646
