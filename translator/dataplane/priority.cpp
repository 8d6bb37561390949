// SPDX-License-Identifier: BSD-2-Clause
#include "translator/dataplane/priority.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace xlat646 {
namespace {

int set_nice(int value) noexcept {
    return setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), value) == 0 ? 0 : errno;
}

} // namespace

RaisedPriority::RaisedPriority(unsigned steps) noexcept
    : before_(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()))) {
    if (steps != 0) error_ = set_nice(before_ - static_cast<int>(steps)); // the kernel clamps
}

RaisedPriority::~RaisedPriority() { (void)set_nice(before_); }

int raise_session(unsigned steps) noexcept {
    if (steps == 0 || getsid(0) != getpid()) return 0;
    const int file = ::open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno == ENOENT ? 0 : errno; // a kernel without
    char text[16];
    const int length = std::snprintf(text, sizeof text, "-%u", std::min(steps, 20u));
    const int error = ::write(file, text, static_cast<std::size_t>(length)) < 0 ? errno : 0;
    ::close(file);
    return error;
}

} // namespace xlat646
