// SPDX-License-Identifier: BSD-2-Clause
#include "translator/dataplane/tun.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace xlat646 {
namespace {

// Linux 6.2; missing in Debian 12's headers.
constexpr unsigned tun_f_uso4 = 0x20;
constexpr unsigned tun_f_uso6 = 0x40;

constexpr const char* tun_path = "/dev/net/tun";

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

FileDescriptor open_device() {
    const int fd = ::open(tun_path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) return FileDescriptor(fd);
    const int error = errno;
    switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        fail(error, std::string(tun_path) + " is missing (modprobe tun, or in a container: pass "
                                            "the device in)");
    case EACCES:
    case EPERM: fail(error, std::string("no right to open ") + tun_path);
    default: fail(error, std::string("cannot open ") + tun_path);
    }
}

TunOffloads request_offloads(int fd) {
    constexpr unsigned tso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    // Older kernels refuse the whole set because of one bit: ask for less each time.
    if (ioctl(fd, TUNSETOFFLOAD, tso | tun_f_uso4 | tun_f_uso6) == 0) return {true, true, true};
    if (ioctl(fd, TUNSETOFFLOAD, tso) == 0) return {true, true, false};
    if (ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM) == 0) return {true, false, false};
    return {true, false, false};
}

} // namespace

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

FileDescriptor::~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
}

std::string TunOffloads::to_string() const {
    if (!vnet_header) return "off";
    std::string text = "checksum";
    if (tcp_segmentation) text += ", TSO";
    if (udp_segmentation) text += ", USO";
    return text;
}

std::vector<FileDescriptor> Tun::open_devices(std::size_t queues) {
    std::vector<FileDescriptor> out;
    for (std::size_t i = 0; i < queues; ++i)
        out.push_back(open_device());
    return out;
}

Tun Tun::create(const std::string& name, std::size_t queues, bool offload) {
    return create(name, open_devices(queues), offload);
}

Tun Tun::create(const std::string& name, std::vector<FileDescriptor> devices, bool offload) {
    Tun tun;
    tun.name_ = name;
    for (std::size_t i = 0; i < devices.size(); ++i) {
        FileDescriptor& fd = devices[i];
        ifreq request{};
        std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
        unsigned flags = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE;
        if (offload) flags |= IFF_VNET_HDR;
        // The first queue must find the name free: a second translator would otherwise join as one
        // more queue and take half of the packets.
        if (i == 0) flags |= IFF_TUN_EXCL;
        request.ifr_flags = static_cast<short>(flags);
        if (ioctl(fd.get(), TUNSETIFF, &request) != 0) {
            const int error = errno;
            if (error == EBUSY)
                fail(error, "the TUN device " + name +
                                " exists already: is another xlat646d running? (ip link show " +
                                name + "; ip link del " + name + " removes a left-over)");
            if (error == EPERM)
                fail(error, "no right to create the TUN device " + name + " (CAP_NET_ADMIN)");
            fail(error, "cannot create queue " + std::to_string(i) + " of the TUN device " + name);
        }
        if (offload) tun.offloads_ = request_offloads(fd.get());
        tun.queues_.push_back(std::move(fd));
    }
    tun.ifindex_ = if_nametoindex(name.c_str());
    if (tun.ifindex_ == 0) fail(errno, "the TUN device " + name + " has vanished");
    return tun;
}

Tun Tun::adopt(const std::string& name, std::vector<FileDescriptor> queues, bool offload) {
    Tun tun;
    tun.name_ = name;
    tun.queues_ = std::move(queues);
    for (const FileDescriptor& fd : tun.queues_) {
        ifreq found{};
        if (ioctl(fd.get(), TUNGETIFF, &found) != 0) fail(errno, "no queue of a TUN device");
        const auto flags = static_cast<unsigned short>(found.ifr_flags);
        constexpr unsigned shape = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE | IFF_VNET_HDR;
        const unsigned wanted =
            IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE | (offload ? unsigned{IFF_VNET_HDR} : 0u);
        if ((flags & shape) != wanted || name != found.ifr_name)
            fail(EINVAL, "a queue is not one of the TUN device " + name);
        if (offload) tun.offloads_ = request_offloads(fd.get());
    }
    tun.ifindex_ = if_nametoindex(name.c_str());
    if (tun.ifindex_ == 0) fail(errno, "the TUN device " + name + " has vanished");
    return tun;
}

void Tun::set_carrier(bool on) const {
    int value = on ? 1 : 0;
    if (ioctl(queues_[0].get(), TUNSETCARRIER, &value) != 0)
        fail(errno, "cannot switch the carrier of " + name_);
    // The kernel tells others, and its queues, up to a second later; asking for the link state
    // makes it do so at once.
    const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ethtool_value link{};
    link.cmd = ETHTOOL_GLINK;
    ifreq request{};
    std::strncpy(request.ifr_name, name_.c_str(), IFNAMSIZ - 1);
    request.ifr_data = static_cast<char*>(static_cast<void*>(&link));
    (void)ioctl(socket.get(), SIOCETHTOOL, &request);
}

} // namespace xlat646
