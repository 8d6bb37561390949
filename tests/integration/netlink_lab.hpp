// SPDX-License-Identifier: BSD-2-Clause
//
// What the netlink tests stand on: a network namespace per test case, a TUN, ip(8).
#pragma once

#include "routing-hooks/netlink.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {

inline constexpr std::uint32_t tun_mtu = 65535;

[[noreturn]] inline void fail_errno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

inline std::string output_of(const std::string& command) {
    std::FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) fail_errno("popen");
    std::string text;
    char part[65536];
    while (const std::size_t n = std::fread(part, 1, sizeof part, pipe))
        text.append(part, n);
    if (const int status = pclose(pipe); status != 0) {
        throw std::runtime_error(command + " failed: " + std::to_string(status));
    }
    return text;
}

inline void run(const std::string& command) { output_of(command); }

inline bool succeeds(const std::string& command) {
    const int status = std::system((command + " >/dev/null 2>&1").c_str());
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class Namespace {
  public:
    Namespace() {
        if (unshare(CLONE_NEWNET) != 0) fail_errno("unshare(CLONE_NEWNET), which needs root");
        run("ip link set lo up");
        for (const char* path :
             {"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"}) {
            std::ofstream(path) << "1\n";
        }
    }
};

class Tun {
  public:
    explicit Tun(const char* name) : fd_(open("/dev/net/tun", O_RDWR | O_CLOEXEC)) {
        if (fd_ < 0) fail_errno("/dev/net/tun");
        ifreq request{};
        request.ifr_flags = IFF_TUN | IFF_NO_PI;
        std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
        if (ioctl(fd_, TUNSETIFF, &request) != 0) fail_errno("TUNSETIFF");
        ifindex_ = if_nametoindex(name);
    }
    Tun(const Tun&) = delete;
    Tun& operator=(const Tun&) = delete;
    ~Tun() { close(fd_); }
    unsigned ifindex() const { return ifindex_; }

  private:
    int fd_;
    unsigned ifindex_ = 0;
};

/// A TUN as the daemon has it when it installs its routes.
struct ReadyTun : Tun {
    explicit ReadyTun(const char* name = "xlat646") : Tun(name) {
        RouteSocket socket;
        prepare_tun(socket, ifindex(), tun_mtu);
        set_link_up(socket, ifindex(), true);
    }
};

/// `ip monitor route`, listening from the end of the constructor on.
class RouteMonitor {
  public:
    RouteMonitor() {
        int ends[2];
        if (pipe(ends) != 0) fail_errno("pipe");
        child_ = fork();
        if (child_ < 0) fail_errno("fork");
        if (child_ == 0) {
            dup2(ends[1], STDOUT_FILENO);
            execlp("ip", "ip", "-4", "monitor", "route", nullptr);
            _exit(127);
        }
        close(ends[1]);
        lines_ = fdopen(ends[0], "r");
        // It listens when it reports something.
        pollfd readable{ends[0], POLLIN, 0};
        do {
            run("ip route add blackhole 203.0.113.99 && ip route del blackhole 203.0.113.99");
        } while (poll(&readable, 1, 20) == 0);
    }
    RouteMonitor(const RouteMonitor&) = delete;
    RouteMonitor& operator=(const RouteMonitor&) = delete;
    ~RouteMonitor() {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
        std::fclose(lines_);
    }
    std::string next_line() {
        char line[512];
        if (!std::fgets(line, sizeof line, lines_)) throw std::runtime_error("ip monitor ended");
        return line;
    }

  private:
    pid_t child_ = -1;
    std::FILE* lines_ = nullptr;
};

} // namespace xlat646
