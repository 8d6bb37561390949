// SPDX-License-Identifier: BSD-2-Clause
//
// A worker counts one packet: first Received::of(), because the translation overwrites what it
// says, then count_packet().
#pragma once

#include "translator/siit/translator.hpp"
#include "translator/stats/counters.hpp"
#include "translator/wire/headers.hpp"

#include <cstddef>
#include <cstring>

namespace xlat646 {

/// Where one worker counts packets of one table.
struct CounterBlock {
    WorkerCounters* counters = nullptr;
    PairCounters* pairs = nullptr; ///< by counter slot
};

/// Bytes 6 to 9 of both IP headers: the IPv4 fragment field and protocol, the IPv6 Next Header.
struct Received {
    std::uint64_t bytes = 0;
    bool is_gso = false;
    std::array<std::uint8_t, 4> middle{};

    static Received of(const Packet& packet) noexcept {
        Received r;
        r.bytes = packet.length;
        r.is_gso = packet.is_gso();
        if (packet.length >= Ipv4Header::size)
            std::memcpy(r.middle.data(), packet.data + 6, r.middle.size());
        return r;
    }
    std::uint8_t protocol4() const { return middle[3]; }
    bool is_fragment(Direction direction) const {
        return direction == Direction::v4_to_v6 ? ((middle[0] & 0x3f) | middle[1]) != 0
                                                : middle[0] == protocol::fragment;
    }
};

constexpr std::size_t counted_protocol(std::uint8_t ip_protocol) {
    CountedProtocol found = CountedProtocol::other;
    if (ip_protocol == protocol::tcp) found = CountedProtocol::tcp;
    if (ip_protocol == protocol::udp) found = CountedProtocol::udp;
    if (ip_protocol == protocol::icmp4 || ip_protocol == protocol::icmp6)
        found = CountedProtocol::icmp;
    return static_cast<std::size_t>(found);
}

/// Of a packet that leaves. One that came as IPv6 is IPv4 now, where no extension header hides it;
/// unless it was turned around (RFC 7757 section 4).
inline std::uint8_t protocol_of(const Packet& packet) noexcept {
    if (packet.data[0] >> 4 == 4) return packet.data[offsetof(Ipv4Header, protocol)];
    const std::uint8_t next = packet.data[offsetof(Ipv6Header, next_header)];
    return next == protocol::fragment ? packet.data[Ipv6Header::size] : next;
}

/// `packet`: what the translation has made of it. Returns the counters of its direction.
inline DirectionCounters& count_packet(const CounterBlock& block, const Received& received,
                                       const Translator& translator, const Outcome& outcome,
                                       const Packet& packet) noexcept {
    const Direction direction = translator.direction();
    const auto d = static_cast<std::size_t>(direction);
    const std::uint32_t slot = translator.slot();
    DirectionCounters& counters =
        slot == probe_slot ? block.counters->probes : block.counters->direction[d];
    counters.received.add();
    counters.received_bytes.add(received.bytes);
    if (received.is_gso) counters.super_packets.add();
    if (received.is_fragment(direction)) counters.fragments.add();
    counters.count(outcome);
    if (!outcome.is_forward() || slot == probe_slot) return counters;
    const std::uint8_t proto =
        direction == Direction::v4_to_v6 ? received.protocol4() : protocol_of(packet);
    counters.protocols[counted_protocol(proto)].add(received.bytes);
    if (slot != no_slot) block.pairs[slot].direction[d].add(received.bytes);
    if (direction == Direction::v6_to_v4 && packet.data[0] >> 4 == 6)
        block.pairs[translator.receiver_slot()].direction[0].add(received.bytes);
    if (packet.is_gso()) {
        const OffloadHeader& offload = packet.offload; // the translator has put it in order
        counters.segments.add((packet.length - offload.header_length + offload.gso_size - 1) /
                              offload.gso_size);
    }
    return counters;
}

} // namespace xlat646
