// SPDX-License-Identifier: BSD-2-Clause
//
// The terminal as a program has it that fills the screen: the other screen, no echo, keys at once.
// Everything is as before when the object ends, also on the way out by a signal, and while the
// program is stopped (SIGTSTP). One at a time.
#pragma once

#include <chrono>
#include <csignal>
#include <cstddef>
#include <string>

namespace xlat646 {

class Terminal {
  public:
    /// Whether a person sits at both ends.
    static bool is_there();

    /// Throws std::system_error.
    Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    ~Terminal();

    struct Size {
        std::size_t rows = 24;
        std::size_t columns = 80;
    };
    Size size() const;

    /// Lines, as many as there is room for. Throws std::system_error: nobody is there any more.
    void show(const std::string& text) const;

    struct Event {
        enum class Kind : std::uint8_t { time, key, resized, signal } kind;
        int value = 0; ///< a key, or a signal that ends programs
    };
    using Clock = std::chrono::steady_clock;
    Event wait(Clock::time_point until) const;

  private:
    void enter() const;
    void stop() const;

    sigset_t signals_{};
    sigset_t signals_before_{};
    int signal_fd_ = -1;
};

} // namespace xlat646
