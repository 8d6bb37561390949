// SPDX-License-Identifier: BSD-2-Clause
#include "translator/exporter/privileges.hpp"

#include "translator/daemon/log.hpp"

#include <cerrno>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

constexpr int lowest = 19;

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

/// Where the kernel makes a scheduling group of each session, nice values count only within it.
void lower_session() {
    if (::getsid(0) != ::getpid()) return;
    const int file = ::open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
    if (file < 0) return; // a kernel without
    constexpr std::string_view text = "19";
    (void)!::write(file, text.data(), text.size());
    (void)::close(file);
}

} // namespace

void lower_priority() {
    lower_session();
    if (::setpriority(PRIO_PROCESS, 0, lowest) != 0)
        log_warning("cannot lower the priority: {}", std::generic_category().message(errno));
    // Not SCHED_IDLE: beside workers that use up all CPUs a scrape then takes longer than
    // Prometheus waits for it (README.md).
    const sched_param none{};
    if (::sched_setscheduler(0, SCHED_BATCH, &none) != 0)
        log_warning("cannot become batch work: {}", std::generic_category().message(errno));
}

void become(const std::string& user) {
    errno = 0;
    const passwd* const found = ::getpwnam(user.c_str());
    if (found == nullptr) fail(errno != 0 ? errno : ENOENT, "--user " + user);
    if (::initgroups(user.c_str(), found->pw_gid) != 0 || ::setgid(found->pw_gid) != 0 ||
        ::setuid(found->pw_uid) != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        fail(errno, "cannot become " + user);
    if (found->pw_uid != 0 && ::setuid(0) == 0) fail(EPERM, "cannot stop being root");
}

} // namespace xlat646
