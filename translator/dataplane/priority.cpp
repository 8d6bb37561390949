// SPDX-License-Identifier: BSD-2-Clause
#include "translator/dataplane/priority.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace xlat646 {
namespace {

int set_nice(int value) noexcept {
    return setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), value) == 0 ? 0 : errno;
}

// struct sched_attr of linux/sched/types.h, which glibc's own sched_param does not live with.
struct SchedulingAttributes {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
};

// No wrapper in glibc 2.36. Needs no privilege; kernels before 6.12 take it and do nothing.
void set_time_slice(std::uint64_t nanoseconds) noexcept {
    SchedulingAttributes attributes{};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
    if (attributes.policy != SCHED_OTHER && attributes.policy != SCHED_BATCH) return;
    attributes.runtime = nanoseconds;
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

constexpr std::uint64_t shortest_slice = 100'000; // what the kernel accepts
constexpr std::uint64_t usual_slice = 0;

} // namespace

RaisedPriority::RaisedPriority(unsigned steps) noexcept
    : before_(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()))) {
    if (steps == 0) return;
    error_ = set_nice(before_ - static_cast<int>(steps)); // the kernel clamps
    set_time_slice(shortest_slice);
}

RaisedPriority::~RaisedPriority() {
    (void)set_nice(before_);
    set_time_slice(usual_slice);
}

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
