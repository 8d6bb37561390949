// SPDX-License-Identifier: BSD-2-Clause
#include "translator/cli/terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <system_error>
#include <termios.h>
#include <unistd.h>

namespace xlat646 {
namespace {

constexpr std::string_view enter_text = "\x1b[?1049h\x1b[?25l\x1b[?7l"; // no cursor, no wrapping
constexpr std::string_view leave_text = "\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::array fatal_signals = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGABRT};

termios before; // for the handler, too

void leave() noexcept {
    (void)!::write(STDOUT_FILENO, leave_text.data(), leave_text.size());
    (void)::tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

/// Only what is safe in a handler.
void die(int signal) {
    leave();
    constexpr std::string_view cut_off = "the segment has been cut off while it was read\n";
    if (signal == SIGBUS) (void)!::write(STDERR_FILENO, cut_off.data(), cut_off.size());
    (void)::raise(signal); // SA_RESETHAND
}

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("cannot write to the terminal");
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

} // namespace

bool Terminal::is_there() {
    const char* const kind = std::getenv("TERM");
    return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 && kind != nullptr &&
           std::strcmp(kind, "dumb") != 0;
}

Terminal::Terminal() {
    if (::tcgetattr(STDIN_FILENO, &before) != 0) fail("no terminal");
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH})
        sigaddset(&signals_, signal);
    signal_fd_ = ::signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signal_fd_ < 0) fail("no signalfd");
    (void)::pthread_sigmask(SIG_BLOCK, &signals_, &signals_before_);
    struct sigaction action {};
    action.sa_handler = die;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int signal : fatal_signals)
        (void)::sigaction(signal, &action, nullptr);
    enter();
}

Terminal::~Terminal() {
    leave();
    for (const int signal : fatal_signals)
        (void)::signal(signal, SIG_DFL);
    (void)::close(signal_fd_);
    (void)::pthread_sigmask(SIG_SETMASK, &signals_before_, nullptr);
}

void Terminal::enter() const {
    termios raw = before;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO); // keys of signals stay what they are
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    (void)::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    (void)!::write(STDOUT_FILENO, enter_text.data(), enter_text.size());
}

void Terminal::stop() const {
    leave();
    sigset_t stop_signal;
    sigemptyset(&stop_signal);
    sigaddset(&stop_signal, SIGTSTP);
    (void)::pthread_sigmask(SIG_UNBLOCK, &stop_signal, nullptr);
    (void)::raise(SIGTSTP); // until somebody continues us
    (void)::pthread_sigmask(SIG_BLOCK, &stop_signal, nullptr);
    enter();
}

Terminal::Size Terminal::size() const {
    winsize found{};
    Size size;
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &found) == 0 && found.ws_row != 0 && found.ws_col != 0)
        size = {found.ws_row, found.ws_col};
    return size;
}

void Terminal::show(const std::string& text) const {
    std::string out = "\x1b[H";
    std::string_view rest = text;
    for (std::size_t row = 0; row < size().rows && !rest.empty(); ++row) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        if (row != 0) out += "\r\n";
        out.append(rest.substr(0, end));
        out += "\x1b[K"; // what was there before
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    write_all(out + "\x1b[J");
}

Terminal::Event Terminal::wait(Clock::time_point until) const {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        std::array<pollfd, 2> events = {pollfd{STDIN_FILENO, POLLIN, 0},
                                        pollfd{signal_fd_, POLLIN, 0}};
        const int ready =
            ::poll(events.data(), events.size(), static_cast<int>(std::max<long>(left.count(), 0)));
        if (ready < 0 && errno != EINTR) fail("cannot wait for keys");
        if (ready < 0) continue;
        if (ready == 0) return {Event::Kind::time};
        if (signalfd_siginfo signal{};
            events[1].revents != 0 && ::read(signal_fd_, &signal, sizeof signal) == sizeof signal) {
            const auto number = static_cast<int>(signal.ssi_signo);
            if (number == SIGTSTP) stop();
            if (number == SIGTSTP || number == SIGWINCH) return {Event::Kind::resized};
            return {Event::Kind::signal, number};
        }
        if (events[0].revents == 0) continue;
        char key = 0;
        const ssize_t n = ::read(STDIN_FILENO, &key, 1);
        if (n == 1) return {Event::Kind::key, key};
        if (n == 0 || (errno != EINTR && errno != EAGAIN)) return {Event::Kind::signal, SIGHUP};
    }
}

} // namespace xlat646
