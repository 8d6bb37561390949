// SPDX-License-Identifier: BSD-2-Clause
#include "translator/fastpath/attachment.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>
#include <linux/bpf.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string_view>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <system_error>
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

std::string name_of_program(std::uint32_t id) {
    const int fd = bpf_prog_get_fd_by_id(id);
    if (fd < 0) return {};
    bpf_prog_info info{};
    std::uint32_t size = sizeof info;
    const int error = bpf_obj_get_info_by_fd(fd, &info, &size);
    ::close(fd);
    return error == 0 ? info.name : std::string();
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

/// A filter of ours, of this life or a previous one.
void remove_filter(unsigned ifindex) {
    bpf_tc_hook hook = ingress_of(ifindex);
    bpf_tc_opts found = our_filter();
    if (bpf_tc_query(&hook, &found) != 0 ||
        !name_of_program(found.prog_id).starts_with(program_names))
        return;
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
    if (hook != FastpathHook::clsact) {
        link_ = attach_tcx(ifindex_, program);
        if (link_ >= 0) {
            remove_filter(ifindex_);
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

    bpf_tc_opts found = our_filter();
    const bool exists = bpf_tc_query(&hook, &found) == 0;
    const bool is_ours = exists && name_of_program(found.prog_id).starts_with(program_names);
    if (exists && !is_ours)
        fail(EEXIST, "another filter has priority " + std::to_string(filter_priority) +
                         " at the ingress of " + interface + " (tc filter show dev " + interface +
                         " ingress); it stays");

    bpf_tc_opts filter = our_filter();
    filter.prog_fd = program;
    if (is_ours) filter.flags = BPF_TC_F_REPLACE; // else the kernel refuses to replace
    const int error = bpf_tc_attach(&hook, &filter);
    if (error != 0) fail(-error, "cannot add a filter to the ingress of " + interface);
}

Attachment::~Attachment() {
    if (link_ >= 0) {
        ::close(link_);
        return;
    }
    if (ifindex_ != 0) remove_filter(ifindex_);
}

} // namespace xlat646
