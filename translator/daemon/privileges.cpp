// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/privileges.hpp"

#include "translator/daemon/log.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <grp.h>
#include <iterator>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <variant>

namespace xlat646 {
namespace {

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

bool sends_pings(const ReadinessConfig& readiness) {
    bool found = readiness.probe;
    for (const Requirement& r : readiness.require)
        found = found || std::holds_alternative<Ipv4Address>(r) ||
                std::holds_alternative<Ipv6Address>(r);
    return found;
}

/// Before 6.6 (tcx) a filter outlives its daemon, and only CAP_SYS_ADMIN may ask whose it is.
bool kernel_has_tcx() {
    utsname name{};
    int major = 0, minor = 0;
    if (::uname(&name) != 0) return false;
    const char* const end = std::end(name.release);
    const auto [dot, error] = std::from_chars(name.release, end, major);
    return error == std::errc() && *dot == '.' &&
           std::from_chars(dot + 1, end, minor).ec == std::errc() &&
           (major > 6 || (major == 6 && minor >= 6));
}

/// The last directory of the path, if it is missing, for the account. One that is there stays as it
/// is: others may use it, too.
void make_directory_of(const std::string& path, const Account& account) {
    constexpr mode_t mode = 0755;
    const std::string directory = path.substr(0, path.rfind('/'));
    if (directory.empty()) return;
    if (::mkdir(directory.c_str(), 0700) != 0) {
        if (errno != EEXIST) fail(errno, "cannot make the directory " + directory);
        return;
    }
    const FileDescriptor made(
        ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (made.get() < 0 || ::fchmod(made.get(), mode) != 0 ||
        ::fchown(made.get(), account.user, account.group) != 0)
        fail(errno, "cannot give the directory " + directory + " to user " + account.name);
}

void check_directory_of(const std::string& path, const Account& account) {
    const std::string directory = path.substr(0, path.rfind('/') + 1);
    if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        log_error("user {} cannot write to {} ({}); run chown {} on it", account.name, directory,
                  std::generic_category().message(errno), account.name);
}

std::vector<std::string> written_files(const Config& config) {
    std::vector<std::string> out = {config.stats_segment};
    if (!config.control_socket.empty()) out.push_back(config.control_socket);
    if (config.routing) out.push_back(config.routing->drain_file);
    return out;
}

/// Workers may then come before other programs, as by a unit's LimitNICE=; that of a successor,
/// too. False: not allowed.
bool raise_nice_limit() {
    constexpr rlim_t all_steps = 40;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NICE, &limit) != 0) return false;
    if (limit.rlim_cur >= all_steps) return true;
    limit.rlim_cur = limit.rlim_max = all_steps;
    return ::setrlimit(RLIMIT_NICE, &limit) == 0;
}

void warn_about_missing(CapabilityMask missing) {
    constexpr std::array<std::pair<int, const char*>, 5> names = {
        {{CAP_NET_ADMIN, "CAP_NET_ADMIN"},
         {CAP_NET_RAW, "CAP_NET_RAW"},
         {CAP_BPF, "CAP_BPF"},
         {CAP_PERFMON, "CAP_PERFMON"},
         {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}}};
    for (const auto& [number, name] : names)
        if ((missing & capability(number)) != 0)
            log_warning("this configuration needs {}, which is not there: a stop and a start as "
                        "root can give it",
                        name);
}

void become(const Account& account) {
    if (::prctl(PR_SET_KEEPCAPS, 1UL, 0UL, 0UL, 0UL) != 0 && errno != EPERM)
        fail(errno, "cannot keep capabilities"); // EPERM: locked, by securebits that do the same
    if (::setgroups(account.groups.size(), account.groups.data()) != 0 ||
        ::setresgid(account.group, account.group, account.group) != 0 ||
        ::setresuid(account.user, account.user, account.user) != 0)
        fail(errno, "cannot become user " + account.name);
}

} // namespace

CapabilityMask needed_capabilities(const Config& config) {
    CapabilityMask needed = capability(CAP_NET_ADMIN);
    if (sends_pings(config.readiness)) needed |= capability(CAP_NET_RAW);
    if (config.fastpath.mode != FastpathMode::off) {
        needed |= capability(CAP_BPF) | capability(CAP_PERFMON);
        if (!kernel_has_tcx()) needed |= capability(CAP_SYS_ADMIN);
    }
    return needed;
}

std::vector<FileDescriptor> give_up_privileges(const Config& config, const Account& account,
                                               bool has_inherited) {
    const bool is_there = ::geteuid() == account.user && (has_inherited || ::geteuid() != 0);
    if (has_inherited && ::geteuid() != account.user)
        fail(EEXIST, "only a stop and a start can change user");
    if (!is_there && ::geteuid() != 0)
        fail(EPERM, "user " + account.name + ": only root can become somebody, and this is user " +
                        std::to_string(::geteuid()));
    CapabilityMask kept = needed_capabilities(config);
    if (config.tun.priority != 0 && !raise_nice_limit()) kept |= capability(CAP_SYS_NICE);
    std::vector<FileDescriptor> devices;
    if (!is_there) {
        for (const std::string& path : written_files(config))
            make_directory_of(path, account);
        devices =
            Tun::open_devices(config.tun.kernel_queue_count(std::thread::hardware_concurrency()));
    }
    close_ways_to_capabilities(kept);
    if (!is_there) become(account);
    limit_capabilities(kept);
    // As after the start of a program: else /proc/self is root's, and the session's priority with
    // it.
    (void)::prctl(PR_SET_DUMPABLE, 1UL, 0UL, 0UL, 0UL);
    for (const std::string& path : written_files(config))
        check_directory_of(path, account);
    warn_about_missing(needed_capabilities(config) & ~permitted_capabilities());
    if (account.user == 0)
        log_info("goes on as root, as 'user' wishes, with few capabilities: files of root are "
                 "still its own");
    else if (!is_there)
        log_info("goes on as user {}, with few capabilities", account.name);
    return devices;
}

} // namespace xlat646
