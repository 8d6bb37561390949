// SPDX-License-Identifier: BSD-2-Clause
//
// A route netlink socket (libnl) and the few link settings the TUN needs. Needs CAP_NET_ADMIN.
//
// Errors are std::system_error with the kernel's errno; what() names the object and, where the
// kernel gives one, its own sentence (extended acknowledgement). One thread per socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

struct nl_msg;
struct nl_sock;
struct nlmsghdr;

namespace xlat646 {

struct FreeNetlinkMessage {
    void operator()(nl_msg* m) const noexcept;
};
using NetlinkMessage = std::unique_ptr<nl_msg, FreeNetlinkMessage>;

/// An empty request of `type` with room for `payload` bytes behind the netlink header.
NetlinkMessage make_request(int type, int flags, std::size_t payload = 256);
/// Appends a fixed header (struct rtmsg, ...) or an attribute; throws when there is no room.
void append_header(nl_msg& m, const void* header, std::size_t size);
void append_attribute(nl_msg& m, int type, const void* value, std::size_t size);
void append_u32(nl_msg& m, int type, std::uint32_t value);

class RouteSocket {
  public:
    RouteSocket();
    RouteSocket(const RouteSocket&) = delete;
    RouteSocket& operator=(const RouteSocket&) = delete;
    ~RouteSocket();

    struct Refusal {
        std::size_t index; ///< of the request in its batch
        int error;         ///< errno
        std::string text;  ///< the kernel's sentence, or strerror's
    };

    /// Sends requests 0..count-1, many per system call, and returns those the kernel refused, in
    /// order. All are tried.
    [[nodiscard]] std::vector<Refusal>
    send(std::size_t count, const std::function<NetlinkMessage(std::size_t)>& build);

    /// One request; a refusal is thrown as "`what`: the kernel's sentence".
    void send_one(NetlinkMessage request, const std::string& what);

    /// Sends a dump request and hands over every object of the answer. False when a change
    /// meanwhile may have hidden or repeated some (NLM_F_DUMP_INTR). A routing table that does not
    /// exist is empty.
    [[nodiscard]] bool dump(NetlinkMessage request,
                            const std::function<void(const nlmsghdr&)>& on_object);

    /// A request that asks for one object. Returns 0, or the errno with which the kernel refuses:
    /// for a route lookup that is an answer, too.
    [[nodiscard]] int get(NetlinkMessage request,
                          const std::function<void(const nlmsghdr&)>& on_object);

  private:
    /// Hands over the kernel's messages until `on_message` returns false.
    void receive(const std::function<bool(const nlmsghdr&)>& on_message);
    void send_bytes(void* bytes, std::size_t size);

    struct FreeSocket {
        void operator()(nl_sock* s) const noexcept;
    };
    std::unique_ptr<nl_sock, FreeSocket> socket_;
};

/// Makes a TUN ready to be brought up: its MTU (DC-11), a longer queue, no IPv6 address and no
/// multicast groups, so that the kernel itself sends nothing into it (no router solicitation, no
/// MLD). The IPv6 sysctls of the device return to their defaults; call this before routes and
/// before up.
void prepare_tun(RouteSocket& socket, unsigned ifindex, std::uint32_t mtu);

void set_link_up(RouteSocket& socket, unsigned ifindex, bool up);

} // namespace xlat646
