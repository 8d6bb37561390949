// SPDX-License-Identifier: BSD-2-Clause
#include "translator/fastpath/attachment.hpp"

#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <linux/bpf.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <system_error>
#include <time.h>
#include <unistd.h>

namespace xlat646 {
namespace {

// Linux 6.6; missing in Debian 12's headers and in libbpf 1.1.
constexpr std::uint32_t bpf_tcx_ingress = 46;

// Where our filter lies in clsact. It is known again by its program's name.
constexpr std::uint32_t filter_handle = 1;
constexpr std::uint32_t filter_priority = 646;
constexpr std::string_view program_names = "xlat646_";

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

/// ARPHRD_*, or a negative errno.
int link_type(const std::string& interface) {
    const int s = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0) return -errno;
    ifreq request{};
    std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
    const int error = ::ioctl(s, SIOCGIFHWADDR, &request) == 0 ? 0 : -errno;
    ::close(s);
    return error != 0 ? error : request.ifr_hwaddr.sa_family;
}

int choose(const std::string& interface, const Attachment::Programs& programs) {
    constexpr int raw_ip = 519; // ARPHRD_RAWIP
    const int type = link_type(interface);
    switch (type) {
    case ARPHRD_ETHER: return programs.ethernet;
    case ARPHRD_NONE:
    case raw_ip: return programs.layer3;
    default: break;
    }
    if (type < 0) fail(-type, "no interface " + interface);
    fail(EOPNOTSUPP, "interface " + interface + " is neither Ethernet nor a layer 3 device (type " +
                         std::to_string(type) + ")");
}

/// What lies at the descriptor of a program, map or link.
template <class Info> bool read_info(int fd, Info& info) {
    std::uint32_t size = sizeof info;
    return bpf_obj_get_info_by_fd(fd, &info, &size) == 0;
}

struct Descriptor {
    explicit Descriptor(int number) : fd(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
    int fd;
};

/// A program that somebody has attached.
struct Found {
    bool is_ours = false;   ///< of some xlat646d
    bool is_active = false; ///< and that daemon lives, or did until a moment ago
};

bool has_time_left(int map) {
    xlat646_state state{};
    const std::uint32_t zero = 0;
    if (bpf_map_lookup_elem(map, &zero, &state) != 0) return false;
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return state.deadline > static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                                static_cast<std::uint64_t>(now.tv_nsec);
}

Found examine(std::uint32_t program_id) {
    Found found;
    const Descriptor program(bpf_prog_get_fd_by_id(program_id));
    std::uint32_t maps[16];
    bpf_prog_info info{};
    info.nr_map_ids = std::size(maps);
    info.map_ids = reinterpret_cast<std::uintptr_t>(maps);
    if (program.fd < 0 || !read_info(program.fd, info)) return found;
    found.is_ours = std::string_view(info.name).starts_with(program_names);
    if (!found.is_ours) return found;
    for (std::uint32_t i = 0; i < std::min<std::size_t>(info.nr_map_ids, std::size(maps)); ++i) {
        const Descriptor map(bpf_map_get_fd_by_id(maps[i]));
        bpf_map_info map_info{};
        if (map.fd < 0 || !read_info(map.fd, map_info)) continue;
        if (std::string_view(map_info.name) == XLAT646_STATE_SECTION &&
            map_info.value_size == sizeof(xlat646_state))
            found.is_active = has_time_left(map.fd);
    }
    return found;
}

bpf_tc_hook ingress_of(unsigned ifindex) {
    bpf_tc_hook hook{};
    hook.sz = sizeof hook;
    hook.ifindex = static_cast<int>(ifindex);
    hook.attach_point = BPF_TC_INGRESS;
    return hook;
}

bpf_tc_opts our_filter() {
    bpf_tc_opts options{};
    options.sz = sizeof options;
    options.handle = filter_handle;
    options.priority = filter_priority;
    return options;
}

std::uint32_t filter_at(unsigned ifindex) {
    bpf_tc_hook hook = ingress_of(ifindex);
    bpf_tc_opts found = our_filter();
    return bpf_tc_query(&hook, &found) == 0 ? found.prog_id : 0;
}

void remove_filter(unsigned ifindex) {
    bpf_tc_hook hook = ingress_of(ifindex);
    bpf_tc_opts filter = our_filter();
    (void)bpf_tc_detach(&hook, &filter);
}

int attach_tcx(unsigned ifindex, int program) {
    bpf_attr attr{};
    attr.link_create.prog_fd = static_cast<std::uint32_t>(program);
    attr.link_create.target_ifindex = ifindex;
    attr.link_create.attach_type = bpf_tcx_ingress;
    const long fd = ::syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof attr);
    return fd < 0 ? -errno : static_cast<int>(fd);
}

} // namespace

Attachment::Attachment(const std::string& interface, const Programs& programs, FastpathHook hook) {
    const int program = choose(interface, programs);
    ifindex_ = if_nametoindex(interface.c_str());
    if (ifindex_ == 0) fail(errno, "no interface " + interface);
    bpf_prog_info info{};
    if (!read_info(program, info)) fail(errno, "the fast path's program is unreadable");
    program_id_ = info.id;
    if (hook != FastpathHook::clsact) {
        link_ = attach_tcx(ifindex_, program);
        if (link_ >= 0) {
            const Found left = examine(filter_at(ifindex_));
            if (left.is_ours && !left.is_active) remove_filter(ifindex_);
            return;
        }
        if (hook == FastpathHook::tcx || link_ == -EPERM)
            fail(-std::exchange(link_, -1), "cannot attach to the ingress of " + interface);
    }
    link_ = -1;
    attach_clsact(interface, program);
}

void Attachment::attach_clsact(const std::string& interface, int program) const {
    bpf_tc_hook hook = ingress_of(ifindex_);
    const int made = bpf_tc_hook_create(&hook);
    if (made != 0 && made != -EEXIST)
        fail(-made, "cannot make the clsact queueing discipline of " + interface);

    const std::uint32_t there = filter_at(ifindex_);
    const Found found = there != 0 ? examine(there) : Found{};
    if (there != 0 && !found.is_ours)
        fail(EEXIST, "another filter has priority " + std::to_string(filter_priority) +
                         " at the ingress of " + interface + " (tc filter show dev " + interface +
                         " ingress); it stays");
    if (found.is_active)
        fail(EBUSY, "the program of another xlat646d is at work at the ingress of " + interface);

    bpf_tc_opts filter = our_filter();
    filter.prog_fd = program;
    if (found.is_ours) filter.flags = BPF_TC_F_REPLACE; // else the kernel refuses to replace
    const int error = bpf_tc_attach(&hook, &filter);
    if (error != 0) fail(-error, "cannot add a filter to the ingress of " + interface);
}

bool Attachment::is_in_place(const std::string& interface) const {
    if (if_nametoindex(interface.c_str()) != ifindex_) return false;
    if (link_ < 0) return filter_at(ifindex_) == program_id_;
    bpf_link_info info{};
    // Of a tcx link it is the same place. 0: detached.
    return read_info(link_, info) && info.xdp.ifindex == ifindex_;
}

Attachment::~Attachment() {
    if (link_ >= 0) {
        ::close(link_);
        return;
    }
    // Not one that another daemon has put there since.
    if (ifindex_ != 0 && filter_at(ifindex_) == program_id_) remove_filter(ifindex_);
}

} // namespace xlat646
