// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/account.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

// getpwnam() and getgrnam(): nobody has started a thread yet.
std::optional<gid_t> group_of(const AccountName& name) {
    const struct group* const found = ::getgrnam(name.text.c_str());
    return found != nullptr ? std::optional(found->gr_gid) : std::nullopt;
}

std::vector<gid_t> groups_of(const std::string& user, gid_t group) {
    int count = 64;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    while (::getgrouplist(user.c_str(), group, groups.data(), &count) < 0)
        groups.resize(std::max(static_cast<std::size_t>(count), 2 * groups.size()));
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

} // namespace

bool find_accounts(const std::string& config_path, const Config& config, Severity severity,
                   Accounts& out, Diagnostics& diagnostics) {
    bool is_good = true;
    const auto unknown = [&](const char* what, const AccountName& name) {
        diagnostics.push_back(
            {severity, config_path, name.at.line, name.at.column,
             std::string("this machine has no ") + what + " '" + name.text + "'"});
        is_good = false;
    };
    if (!config.control_group.text.empty()) {
        out.control = group_of(config.control_group);
        if (!out.control) unknown("group", config.control_group);
    }
    if (config.user.text.empty()) return is_good;
    const struct passwd* const user = ::getpwnam(config.user.text.c_str());
    if (user == nullptr) unknown("user", config.user);
    const uid_t uid = user != nullptr ? user->pw_uid : 0;
    gid_t group = user != nullptr ? user->pw_gid : 0;
    if (!config.group.text.empty()) {
        if (const auto found = group_of(config.group))
            group = *found;
        else
            unknown("group", config.group);
    }
    if (!is_good) return false;
    Account& account = out.daemon.emplace();
    account = {config.user.text, uid, group, groups_of(config.user.text, group)};
    if (out.control && std::find(account.groups.begin(), account.groups.end(), *out.control) ==
                           account.groups.end())
        account.groups.push_back(*out.control);
    return true;
}

std::vector<std::string> unreadable_for(const Account& account,
                                        const std::vector<std::string>& paths) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    const pid_t child = ::fork();
    if (child == 0) {
        const bool is_it = ::setgroups(account.groups.size(), account.groups.data()) == 0 &&
                           ::setresgid(account.group, account.group, account.group) == 0 &&
                           ::setresuid(account.user, account.user, account.user) == 0;
        for (const std::string& path : paths) {
            const int fd =
                is_it ? ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
            const char answer = fd < 0 && (!is_it || errno == EACCES) ? 'n' : 'y';
            if (fd >= 0) ::close(fd);
            if (::write(ends[1], &answer, 1) != 1) break;
        }
        ::_exit(0);
    }
    ::close(ends[1]);
    std::vector<std::string> out;
    for (const std::string& path : paths) {
        char answer = 'n';
        if (child < 0 || ::read(ends[0], &answer, 1) != 1 || answer == 'n') out.push_back(path);
    }
    ::close(ends[0]);
    if (child > 0) (void)::waitpid(child, nullptr, 0);
    return out;
}

} // namespace xlat646
