// SPDX-License-Identifier: BSD-2-Clause
#include "tests/unit/catch.hpp"
#include "translator/daemon/watchdog.hpp"

#include <cerrno>
#include <csignal>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

using namespace xlat646;
using namespace std::chrono_literals;

namespace {

/// Runs `body` in a process of its own; returns what waitpid() says of its end.
template <class Body> int status_of(const Body& body) {
    const pid_t child = fork();
    if (child == 0) {
        body();
        _exit(7);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

void sleep_for(std::chrono::milliseconds ms) {
    const timespec t = {0, static_cast<long>(ms.count()) * 1'000'000};
    nanosleep(&t, nullptr);
}

} // namespace

TEST_CASE("watchdog: a stopped process is killed", "[watchdog][RT-29]") {
    const int status = status_of([] {
        Watchdog watchdog;
        watchdog.arm(100ms);
        raise(SIGSTOP);
    });
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGKILL);
}

TEST_CASE("watchdog: nobody is killed who beats, or has not armed it, or has dismissed it",
          "[watchdog]") {
    for (const int how : {0, 1, 2, 3}) {
        INFO(how);
        const int status = status_of([&] {
            Watchdog watchdog;
            if (how == 0) {
                watchdog.arm(5000ms);
                for (int i = 0; i < 20; ++i) {
                    sleep_for(10ms);
                    if (!watchdog.beat()) _exit(1);
                }
            }
            if (how == 1) sleep_for(400ms);
            if (how == 2) {
                watchdog.arm(100ms);
                watchdog.dismiss();
                sleep_for(400ms);
            }
            if (how == 3) {
                watchdog.arm(0ms);
                sleep_for(400ms);
            }
        });
        CHECK(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 7);
    }
}

TEST_CASE("watchdog: it bites when told to, not before", "[watchdog][RT-29]") {
    const int status = status_of([] {
        Watchdog watchdog;
        watchdog.bite(); // not armed yet
        watchdog.arm(3'600'000ms);
        watchdog.bite();
        for (;;)
            pause();
    });
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGKILL);
}

TEST_CASE("watchdog: its own end is noticed once, and ends nobody", "[watchdog]") {
    const int status = status_of([] {
        std::signal(SIGPIPE, SIG_IGN);
        Watchdog watchdog;
        watchdog.arm(60'000ms);
        const pid_t child = watchdog.child();
        kill(child, SIGKILL);
        siginfo_t info;
        waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
        if (watchdog.beat()) _exit(1);
        if (!watchdog.beat()) _exit(2);
    });
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 7);
}
