// SPDX-License-Identifier: BSD-2-Clause
#include "translator/daemon/lane_probe.hpp"

#include "translator/siit/icmp_tables.hpp"
#include "translator/wire/packet.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <system_error>

namespace xlat646 {

LaneProbe::LaneProbe(std::size_t workers, bool vnet_header)
    : lanes_(workers), header_(vnet_header ? sizeof(OffloadHeader) : 0) {
    for (Lane& lane : lanes_) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
            throw std::system_error(errno, std::generic_category(), "readiness: socketpair");
        lane.ours = FileDescriptor(ends[0]);
        lane.theirs = FileDescriptor(ends[1]);
    }
}

void LaneProbe::begin(const ProbePath& path, const EchoContent& content) {
    path_ = path;
    token_ = content.token;
    const auto send = [&](const Lane& lane, std::vector<std::uint8_t> packet) {
        packet.insert(packet.begin(), header_, 0); // of zeros: nothing is left to do
        // A worker that does not read leaves its lane full; that is what we are to notice.
        (void)!::send(lane.ours.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    };
    const auto message4 = make_echo4(icmp::v4::echo_request, content);
    const auto message6 = make_echo6(icmp::v6::echo_reply, content, path.here6, path.there6);
    for (Lane& lane : lanes_) {
        lane.to6 = lane.to4 = false;
        send(lane, make_packet(path.here4, path.own4, message4));
        send(lane, make_packet(path.here6, path.there6, message6));
    }
}

bool LaneProbe::take(Lane& lane, std::span<const std::uint8_t> packet,
                     const RecentNonces& nonces) const {
    if (packet.size() < echo_length) return false;
    const EchoContent content = content_of(packet.last(echo_length));
    if (content.token != token_ || !nonces.contains(content.nonce)) return false;
    if (is_packet(packet, path_.there6, path_.here6,
                  make_echo6(icmp::v6::echo_request, content, path_.there6, path_.here6)))
        return lane.to6 = true;
    if (is_packet(packet, path_.own4, path_.here4, make_echo4(icmp::v4::echo_reply, content)))
        return lane.to4 = true;
    return false;
}

void LaneProbe::collect(const RecentNonces& nonces,
                        const std::function<void(std::span<const std::uint8_t>)>& on_answer) {
    std::array<std::uint8_t, 256> bytes;
    for (Lane& lane : lanes_) {
        for (;;) {
            const ssize_t got = ::recv(lane.ours.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
            if (got < 0) break;
            const std::span all(bytes.data(), static_cast<std::size_t>(got));
            if (all.size() < header_ || !take(lane, all.subspan(header_), nonces)) continue;
            if (&lane == &lanes_.front()) on_answer(all);
        }
    }
}

std::string LaneProbe::why_not() const {
    std::string which;
    for (std::size_t i = 0; i < lanes_.size(); ++i)
        if (!lanes_[i].to6 || !lanes_[i].to4)
            which += (which.empty() ? "" : ", ") + std::to_string(i + 1);
    return which.empty() ? ""
                         : "worker " + which + " of " + std::to_string(lanes_.size()) +
                               " does not translate a probe";
}

} // namespace xlat646
