// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/echo_socket.hpp"

#include "translator/wire/checksum.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>

namespace xlat646 {
namespace {

/// Per call: a flood of such messages waits for the next one.
constexpr unsigned most_at_once = 64;

template <class Address> constexpr bool is_ipv4 = Address::width == Ipv4Address::width;

template <class Address> struct SocketAddress {
    std::conditional_t<is_ipv4<Address>, sockaddr_in, sockaddr_in6> raw{};

    SocketAddress() = default;
    explicit SocketAddress(const Address& a) {
        if constexpr (is_ipv4<Address>) {
            raw.sin_family = AF_INET;
            std::memcpy(&raw.sin_addr, a.bytes().data(), sizeof raw.sin_addr);
        } else {
            raw.sin6_family = AF_INET6;
            std::memcpy(&raw.sin6_addr, a.bytes().data(), sizeof raw.sin6_addr);
        }
    }
    Address address() const {
        typename Address::Bytes bytes;
        if constexpr (is_ipv4<Address>)
            std::memcpy(bytes.data(), &raw.sin_addr, bytes.size());
        else
            std::memcpy(bytes.data(), &raw.sin6_addr, bytes.size());
        return Address::from_bytes(bytes);
    }
};

void set(int socket, int level, int option, const void* value, std::size_t size) {
    if (setsockopt(socket, level, option, value, static_cast<socklen_t>(size)) != 0)
        throw std::system_error(errno, std::generic_category(), "readiness: raw socket");
}

} // namespace

template <class Address>
EchoSocket<Address>::EchoSocket(std::uint8_t receives, const std::string& device)
    : type_(receives) {
    socket_ = FileDescriptor(::socket(is_ipv4<Address> ? AF_INET : AF_INET6,
                                      SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                                      is_ipv4<Address> ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6}));
    const int s = socket_.get();
    if (s < 0)
        throw std::system_error(errno, std::generic_category(),
                                "readiness: cannot open a raw socket (CAP_NET_RAW)");
    if (!device.empty()) set(s, SOL_SOCKET, SO_BINDTODEVICE, device.c_str(), device.size());
    if constexpr (is_ipv4<Address>) {
        // linux/icmp.h, which cannot be included beside netinet/in.h.
        constexpr int icmp_filter = 1;
        const std::uint32_t keep_out = ~(std::uint32_t{1} << receives);
        set(s, SOL_RAW, icmp_filter, &keep_out, sizeof keep_out);
    } else {
        icmp6_filter filter;
        ICMP6_FILTER_SETBLOCKALL(&filter);
        ICMP6_FILTER_SETPASS(receives, &filter);
        set(s, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
    }
}

template <class Address>
int EchoSocket<Address>::send(const EchoMessage& message, const Address& target,
                              const Address* source) const {
    SocketAddress<Address> to(target);
    iovec part = {const_cast<std::uint8_t*>(message.data()), message.size()};
    msghdr header{};
    header.msg_name = &to.raw;
    header.msg_namelen = sizeof to.raw;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    using PacketInfo = std::conditional_t<is_ipv4<Address>, in_pktinfo, in6_pktinfo>;
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(PacketInfo))> control{};
    if (source != nullptr) {
        PacketInfo info{};
        if constexpr (is_ipv4<Address>)
            std::memcpy(&info.ipi_spec_dst, source->bytes().data(), sizeof info.ipi_spec_dst);
        else
            std::memcpy(&info.ipi6_addr, source->bytes().data(), sizeof info.ipi6_addr);
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        cmsghdr* const c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = is_ipv4<Address> ? int{IPPROTO_IP} : int{IPPROTO_IPV6};
        c->cmsg_type = is_ipv4<Address> ? int{IP_PKTINFO} : int{IPV6_PKTINFO};
        c->cmsg_len = CMSG_LEN(sizeof info);
        std::memcpy(CMSG_DATA(c), &info, sizeof info);
    }
    return ::sendmsg(socket_.get(), &header, MSG_DONTWAIT) < 0 ? errno : 0;
}

template <class Address>
void EchoSocket<Address>::receive(
    const std::function<void(const Address&, const EchoContent&)>& on_message) const {
    std::array<std::uint8_t, 256> bytes;
    for (unsigned i = 0; i < most_at_once; ++i) {
        SocketAddress<Address> from;
        socklen_t size = sizeof from.raw;
        const ssize_t got =
            ::recvfrom(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_TRUNC,
                       static_cast<sockaddr*>(static_cast<void*>(&from.raw)), &size);
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0 || static_cast<std::size_t>(got) > bytes.size()) continue;
        std::span<const std::uint8_t> message(bytes.data(), static_cast<std::size_t>(got));
        if constexpr (is_ipv4<Address>) { // with its IP header, and not verified by the kernel
            if (message.size() != Ipv4Header::size + echo_length) continue;
            message = message.subspan(Ipv4Header::size);
            if (ChecksumSum().add(message.data(), message.size()).fold() != 0xffff) continue;
        }
        if (message.size() == echo_length && message[0] == type_)
            on_message(from.address(), content_of(message));
    }
}

template class EchoSocket<Ipv4Address>;
template class EchoSocket<Ipv6Address>;

} // namespace xlat646
