// SPDX-License-Identifier: BSD-2-Clause
//
// The stateless translator: RFC 7915 with explicit address mappings (RFC 7757), RFC 6052 addresses
// and RFC 6791 sources. In: one packet as read from the TUN. Out: exactly one Outcome, the buffer
// rewritten in place.
//
// One object per thread: it holds the counters of the Identification generator and the rate limits
// of our own ICMP errors, nothing about any flow. translate() reads no clock (but for an error that
// is due), takes no lock, allocates nothing, throws nothing.
#pragma once

#include "mapping/table.hpp"
#include "translator/siit/identification.hpp"
#include "translator/siit/outcome.hpp"
#include "translator/siit/rate_limiter.hpp"
#include "translator/siit/settings.hpp"
#include "translator/siit/views.hpp"
#include "translator/wire/packet.hpp"
#include "translator/wire/segment.hpp"

namespace xlat646 {

/// The counter slot of the pair of probe_pair.hpp, which is in no table.
inline constexpr std::uint32_t probe_slot = 0xfffffffe;

class Translator {
  public:
    /// `settings` must outlive the translator.
    explicit Translator(const Settings& settings);

    /// `packet.data` has packet_headroom writable bytes in front and packet_tailroom behind.
    /// A packet of kind must_segment() has to be cut by a Segmenter first.
    Outcome translate(Packet& packet, const MappingTable& table) noexcept;

    /// The same without the short way of plain packets (plain.cpp), which it must equal.
    Outcome translate_fully(Packet& packet, const MappingTable& table) noexcept;

    /// After a forward: the next packet that the same packet was split into. The one before must
    /// have been sent: its tail is overwritten.
    [[nodiscard]] bool next_piece(Packet& packet) noexcept;

    /// UDP super-packets whose datagrams have to be fragmented one by one: no offload can say so.
    [[nodiscard]] bool must_segment(const Packet& packet) const noexcept;

    /// About the last packet.
    Direction direction() const { return direction_; }
    /// Counter slot of its pair, no_slot when none was found.
    std::uint32_t slot() const { return slot_; }
    /// After a forward that has turned a packet around (it came and leaves as IPv6): the slot of
    /// the pair that it goes to. slot() is that of the pair it came from.
    std::uint32_t receiver_slot() const { return receiver_slot_; }

  private:
    /// The second pass of intrinsic hairpinning (RFC 7757 section 4.2.2) translates a packet that
    /// we have made ourselves: no checks of its origin, no decrement, no size limits.
    enum class Pass : std::uint8_t { only, hairpin };

    /// An ICMP error that is due, in the terms of the family of the discarded packet.
    struct Error {
        ErrorKind kind;
        std::uint8_t type;
        std::uint8_t code;
        std::uint32_t rest = 0;
    };

    // plain.cpp: true: forwarded; false: not plain, untouched.
    bool plain_v4_to_v6(Packet& packet, const MappingTable& table) noexcept;
    bool plain_v6_to_v4(Packet& packet, const MappingTable& table) noexcept;
    /// UDP without checksum, and SYN segments whose MSS may be too large.
    [[gnu::always_inline]] bool needs_second_look(const Packet& packet, std::uint8_t proto,
                                                  const std::uint8_t* transport) const {
        constexpr std::uint8_t syn = 0x02;
        if (proto != protocol::udp) return clamps_mss() && (transport[13] & syn) != 0;
        return load_native16(transport + checksum_offset(protocol::udp)) == 0 &&
               !packet.has_partial_checksum();
    }

    // v4_to_v6.cpp
    Outcome v4_to_v6(Packet& packet, const MappingTable& table, Pass pass) noexcept;
    Outcome transport_v4_to_v6(Packet& packet, const Ipv4View& view, const MatchedIpv6& server,
                               Pass pass) noexcept;
    Outcome emit_v6(Packet& packet, const Ipv4View& view, const Ipv6Address& source,
                    const Ipv6Address& destination, Pass pass) noexcept;
    /// The MTU to tell the sender of a packet that does not fit; 0: it fits.
    std::uint32_t exceeded_mtu6(const Packet& packet, const Ipv4View& view) const noexcept;
    Outcome reject_too_big(Packet& packet, const Ipv4View& view, std::uint32_t mtu) noexcept;
    Outcome answer_own4(Packet& packet, const Ipv4View& view) noexcept;
    Outcome reject_unmapped4(Packet& packet, const Ipv4View& view) noexcept;

    // v6_to_v4.cpp
    Outcome v6_to_v4(Packet& packet, const MappingTable& table) noexcept;
    Outcome transport_v6_to_v4(Packet& packet, const Ipv6View& view, const MatchedIpv4& server,
                               Ipv4Address client, bool hairpin) noexcept;
    std::uint32_t exceeded_mtu4(const Packet& packet, const Ipv6View& view,
                                bool hairpin) const noexcept;
    Outcome reject_too_big(Packet& packet, const Ipv6View& view, std::uint32_t mtu) noexcept;
    Outcome reject_unmapped6(Packet& packet, const Ipv6View& view) noexcept;
    Outcome emit_v4(Packet& packet, const Ipv6View& view, Ipv4Address source, Ipv4Address client,
                    bool hairpin) noexcept;
    Outcome answer_own6(Packet& packet, const Ipv6View& view) noexcept;
    Outcome refuse_walk(Packet& packet, const Ipv6View& view, ExtensionWalk walk,
                        std::uint32_t pointer) noexcept;

    // icmp_v4_to_v6.cpp and icmp_v6_to_v4.cpp
    Outcome icmp_v4_to_v6(Packet& packet, const Ipv4View& view, const MatchedIpv6& server,
                          const MappingTable& table, Pass pass) noexcept;
    Outcome icmp_error_v4_to_v6(Packet& packet, const Ipv4View& view, const MatchedIpv6& server,
                                const MappingTable& table, Pass pass) noexcept;
    Outcome icmp_v6_to_v4(Packet& packet, const Ipv6View& view, Ipv4Address source,
                          Ipv4Address client, const MappingTable& table, bool hairpin) noexcept;
    Outcome icmp_error_v6_to_v4(Packet& packet, const Ipv6View& view, Ipv4Address source,
                                Ipv4Address client, const MappingTable& table,
                                bool hairpin) noexcept;
    std::uint32_t mtu_to_v6(std::uint32_t mtu, std::uint32_t quoted_total) const noexcept;

    // own_errors.cpp
    Outcome reject(Packet& packet, const Ipv4View& view, DropReason reason,
                   const Error& error) noexcept;
    Outcome reject(Packet& packet, const Ipv6View& view, DropReason reason,
                   const Error& error) noexcept;
    bool may_send(const Error& error, bool is_ipv6, std::uint64_t source) noexcept;
    bool is_switched_off(ErrorKind kind) const noexcept;

    // pieces.cpp
    // By value: a header whose address is not taken stays in registers.
    void split(Packet& packet, Ipv6Header header, FragmentHeader fragment, std::uint8_t* payload,
               std::size_t length) noexcept;
    void split(Packet& packet, Ipv4Header header, std::uint8_t* payload,
               std::size_t length) noexcept;

    std::uint8_t traffic_class(std::uint8_t octet) const {
        // ECN-02: an option changes DSCP only.
        return settings_.dscp ? static_cast<std::uint8_t>((*settings_.dscp * 4u) | (octet & 3u))
                              : octet;
    }
    bool is_denied_client(Ipv4Address a) const {
        return settings_.clients4.classify(a) != AddressClass::allowed;
    }
    /// A52-06.
    bool is_refused_by_well_known_prefix(Ipv4Address a) const {
        return is_well_known_ && global_.classify(a) != AddressClass::allowed;
    }
    bool is_in_pool(Ipv4Address a) const {
        return a.value() - pool_first_ <= pool_span_ && is_one_of_pool(a);
    }
    bool is_one_of_pool(Ipv4Address a) const noexcept;
    Ipv4Address pool_address() noexcept;
    bool clamps_mss() const { return settings_.tcp_mss_clamp.mode != MssClamp::Mode::off; }
    void clamp_mss(std::uint8_t* tcp, std::size_t length, bool is_partial) const noexcept;

    /// What is left of a packet that does not fit one piece.
    struct Pieces {
        std::uint8_t* payload = nullptr;
        std::size_t remaining = 0;
        std::size_t room = 0; ///< payload bytes that fit in one piece
        unsigned offset = 0;  ///< in units of 8 bytes
        bool final_more = false;
        bool is_ipv6 = false;
        Ipv6Header header6;
        FragmentHeader fragment;
        Ipv4Header header4;
    };

    const Settings& settings_;
    Ipv4Classifier global_{Profile::internet};
    ChecksumSum prefix_sum_; ///< sum(P): embedded addresses add nothing else (CK-05)
    std::uint32_t limit6_;   ///< LIM of the matrix
    bool is_well_known_;
    bool may_be_martian6_;         ///< an address in the translation prefix
    std::uint32_t pool_first_ = 0; ///< of pool4, the range that it lies in
    std::uint32_t pool_span_ = 0;
    IdentificationGenerator identification_;
    RateLimiter limiter_;
    std::uint64_t pool_state_;
    Pieces pieces_;
    Direction direction_ = Direction::v4_to_v6;
    std::uint32_t slot_ = no_slot;
    std::uint32_t receiver_slot_ = no_slot;
};

} // namespace xlat646
