// SPDX-License-Identifier: BSD-2-Clause
#include "routing-hooks/netlink.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <new>
#include <sys/socket.h>
#include <system_error>

namespace xlat646 {
namespace {

// Requests per system call. The kernel answers every refused one before it returns, so the answers
// to a whole batch must fit the receive buffer (about 1 KB each).
constexpr std::size_t batch_size = 128;
constexpr int receive_buffer_bytes = 1 << 20;
// A dump's parts are at most 32 KiB; an answer to a request is shorter.
constexpr std::size_t message_buffer_bytes = 64 * 1024;
constexpr int smallest_ipv6_mtu = 1280;
/// Of each of the device's queues. The kernel's 500 are full after 3 ms of a flood, less than a
/// busy scheduler lets a thread wait; more would only be memory and delay, at up to 64 KiB each.
constexpr int queue_length = 1024;

[[noreturn]] void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

[[noreturn]] void fail_libnl(int code, const std::string& what) {
    throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(),
                            "netlink: " + what + ": " + nl_geterror(code));
}

std::string sentence_of(const nlmsghdr& h, const nlmsgerr& e) {
    if ((h.nlmsg_flags & NLM_F_ACK_TLVS) != 0) {
        const std::size_t quoted =
            (h.nlmsg_flags & NLM_F_CAPPED) != 0 ? 0 : e.msg.nlmsg_len - sizeof(nlmsghdr);
        const auto skip = static_cast<int>(sizeof(nlmsgerr) + NLMSG_ALIGN(quoted));
        auto* header = const_cast<nlmsghdr*>(&h); // libnl does not know const; it only reads
        if (nlattr* text = nlmsg_find_attr(header, skip, NLMSGERR_ATTR_MSG)) {
            const auto* s = static_cast<const char*>(nla_data(text));
            return {s, strnlen(s, static_cast<std::size_t>(nla_len(text)))};
        }
    }
    return std::generic_category().message(-e.error);
}

/// nullptr unless `h` is an answer that is complete.
const nlmsgerr* answer_in(const nlmsghdr& h) {
    if (h.nlmsg_type != NLMSG_ERROR || h.nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) return nullptr;
    return static_cast<const nlmsgerr*>(nlmsg_data(&h));
}

} // namespace

void FreeNetlinkMessage::operator()(nl_msg* m) const noexcept { nlmsg_free(m); }
void RouteSocket::FreeSocket::operator()(nl_sock* s) const noexcept { nl_socket_free(s); }

NetlinkMessage make_request(int type, int flags, std::size_t payload) {
    NetlinkMessage m(nlmsg_alloc_size(NLMSG_HDRLEN + payload));
    if (!m || !nlmsg_put(m.get(), NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, flags))
        throw std::bad_alloc();
    return m;
}

void append_header(nl_msg& m, const void* header, std::size_t size) {
    if (nlmsg_append(&m, const_cast<void*>(header), size, NLMSG_ALIGNTO) < 0)
        throw std::bad_alloc();
}

void append_attribute(nl_msg& m, int type, const void* value, std::size_t size) {
    if (nla_put(&m, type, static_cast<int>(size), value) < 0) throw std::bad_alloc();
}

void append_u32(nl_msg& m, int type, std::uint32_t value) {
    append_attribute(m, type, &value, sizeof value);
}

RouteSocket::RouteSocket() : socket_(nl_socket_alloc()) {
    if (!socket_) throw std::bad_alloc();
    nl_sock* s = socket_.get();
    errno = 0;
    if (const int rc = nl_connect(s, NETLINK_ROUTE); rc < 0) fail_libnl(rc, "cannot open a socket");
    // We ask for answers ourselves: one per batch, and the kernel always reports refusals.
    nl_socket_disable_auto_ack(s);
    nl_socket_set_buffer_size(s, receive_buffer_bytes, 0);
    nl_socket_disable_msg_peek(s);
    nl_socket_set_msg_buf_size(s, message_buffer_bytes);
    // All three are comforts: sentences in answers, short answers, dumps filtered by the kernel.
    const int on = 1;
    for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK}) {
        setsockopt(nl_socket_get_fd(s), SOL_NETLINK, option, &on, sizeof on);
    }
}

RouteSocket::~RouteSocket() = default;

void RouteSocket::send_bytes(void* bytes, std::size_t size) {
    errno = 0;
    if (const int rc = nl_sendto(socket_.get(), bytes, size); rc < 0) fail_libnl(rc, "cannot send");
}

void RouteSocket::receive(const std::function<bool(const nlmsghdr&)>& on_message) {
    for (;;) {
        sockaddr_nl from{};
        unsigned char* bytes = nullptr;
        errno = 0;
        int left = nl_recv(socket_.get(), &from, &bytes, nullptr);
        if (left < 0) fail_libnl(left, "cannot receive the kernel's answer");
        const std::unique_ptr<unsigned char, decltype(&std::free)> owner(bytes, &std::free);
        if (from.nl_pid != 0) continue; // only the kernel's word counts
        for (auto* h = static_cast<nlmsghdr*>(static_cast<void*>(bytes)); nlmsg_ok(h, left);
             h = nlmsg_next(h, &left)) {
            if (!on_message(*h)) return;
        }
    }
}

std::vector<RouteSocket::Refusal>
RouteSocket::send(std::size_t count, const std::function<NetlinkMessage(std::size_t)>& build) {
    std::vector<Refusal> refusals;
    std::vector<unsigned char> bytes;
    for (std::size_t first = 0; first < count; first += batch_size) {
        const std::size_t end = std::min(first + batch_size, count);
        std::uint32_t first_sequence = 0;
        bytes.clear();
        for (std::size_t i = first; i < end; ++i) {
            const NetlinkMessage m = build(i);
            nl_complete_msg(socket_.get(), m.get());
            nlmsghdr* h = nlmsg_hdr(m.get());
            if (i == first) first_sequence = h->nlmsg_seq;
            if (i + 1 == end) h->nlmsg_flags |= NLM_F_ACK;
            bytes.resize(NLMSG_ALIGN(bytes.size()));
            const auto* p = static_cast<const unsigned char*>(static_cast<const void*>(h));
            bytes.insert(bytes.end(), p, p + h->nlmsg_len);
        }
        send_bytes(bytes.data(), bytes.size());
        receive([&](const nlmsghdr& h) {
            const nlmsgerr* answer = answer_in(h);
            const std::size_t offset = std::uint32_t{h.nlmsg_seq - first_sequence};
            // An answer to an older batch can remain after an error was thrown half-way.
            if (!answer || offset >= end - first) return true;
            if (answer->error != 0) {
                refusals.push_back({first + offset, -answer->error, sentence_of(h, *answer)});
            }
            return first + offset + 1 != end;
        });
    }
    return refusals;
}

void RouteSocket::send_one(NetlinkMessage request, const std::string& what) {
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.Move): with a count of 1 it is called once
    const auto refusals = send(1, [&](std::size_t) { return std::move(request); });
    if (refusals.empty()) return;
    const Refusal& r = refusals.front();
    const std::string plain = std::generic_category().message(r.error);
    fail(r.error, r.text == plain ? what : what + ": " + r.text);
}

int RouteSocket::get(NetlinkMessage request,
                     const std::function<void(const nlmsghdr&)>& on_object) {
    nl_complete_msg(socket_.get(), request.get());
    nlmsghdr* sent = nlmsg_hdr(request.get());
    sent->nlmsg_flags |= NLM_F_ACK;
    send_bytes(sent, sent->nlmsg_len);
    int error = 0;
    receive([&](const nlmsghdr& h) {
        if (h.nlmsg_seq != sent->nlmsg_seq) return true;
        const nlmsgerr* answer = answer_in(h);
        if (answer == nullptr) {
            on_object(h);
            return true;
        }
        error = -answer->error;
        return false;
    });
    return error;
}

bool RouteSocket::dump(NetlinkMessage request,
                       const std::function<void(const nlmsghdr&)>& on_object) {
    nl_complete_msg(socket_.get(), request.get());
    nlmsghdr* sent = nlmsg_hdr(request.get());
    sent->nlmsg_flags |= NLM_F_DUMP;
    send_bytes(sent, sent->nlmsg_len);
    bool is_consistent = true;
    receive([&](const nlmsghdr& h) {
        if (h.nlmsg_seq != sent->nlmsg_seq) return true;
        if ((h.nlmsg_flags & NLM_F_DUMP_INTR) != 0) is_consistent = false;
        int error = 0;
        if (h.nlmsg_type == NLMSG_DONE) {
            if (h.nlmsg_len >= NLMSG_LENGTH(sizeof error)) {
                std::memcpy(&error, nlmsg_data(&h), sizeof error);
            }
        } else if (const nlmsgerr* answer = answer_in(h)) {
            error = answer->error;
        } else {
            on_object(h);
            return true;
        }
        if (error < 0 && error != -ENOENT) fail(-error, "cannot list the kernel's routes");
        return false;
    });
    return is_consistent;
}

namespace {

NetlinkMessage link_request(unsigned ifindex, unsigned flags = 0, unsigned change = 0) {
    NetlinkMessage m = make_request(RTM_NEWLINK, 0);
    ifinfomsg header{};
    header.ifi_family = AF_UNSPEC;
    header.ifi_index = static_cast<int>(ifindex);
    header.ifi_flags = flags;
    header.ifi_change = change;
    append_header(*m, &header, sizeof header);
    return m;
}

std::string link_name(unsigned ifindex) {
    char name[IF_NAMESIZE] = {};
    if (if_indextoname(ifindex, name)) return name;
    return "number " + std::to_string(ifindex);
}

} // namespace

void prepare_tun(RouteSocket& socket, unsigned ifindex, std::uint32_t mtu) {
    const std::string link = "interface " + link_name(ifindex);
    // The kernel joins ff02::2 when it gives a multicast device its IPv6 half, and reports that by
    // MLD later even if the flag is gone. Below 1280 bytes it takes the IPv6 half away again.
    NetlinkMessage m = link_request(ifindex, 0, IFF_MULTICAST);
    append_u32(*m, IFLA_MTU, smallest_ipv6_mtu - 1);
    socket.send_one(std::move(m), link + ": cannot leave IPv6 multicast groups");

    m = link_request(ifindex);
    append_u32(*m, IFLA_MTU, mtu);
    append_u32(*m, IFLA_TXQLEN, queue_length);
    socket.send_one(std::move(m), link + ": cannot set MTU " + std::to_string(mtu));

    m = link_request(ifindex);
    nlattr* families = nla_nest_start(m.get(), IFLA_AF_SPEC);
    nlattr* ipv6 = families ? nla_nest_start(m.get(), AF_INET6) : nullptr;
    if (!ipv6) throw std::bad_alloc();
    const std::uint8_t none = IN6_ADDR_GEN_MODE_NONE;
    append_attribute(*m, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof none);
    nla_nest_end(m.get(), ipv6);
    nla_nest_end(m.get(), families);
    socket.send_one(std::move(m), link + ": cannot turn off IPv6 address generation (is IPv6 " +
                                      "disabled in this kernel?)");
}

void set_link_up(RouteSocket& socket, unsigned ifindex, bool up) {
    socket.send_one(link_request(ifindex, up ? unsigned{IFF_UP} : 0u, IFF_UP),
                    "interface " + link_name(ifindex) + ": cannot be set " + (up ? "up" : "down"));
}

} // namespace xlat646
