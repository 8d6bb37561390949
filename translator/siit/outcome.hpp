// SPDX-License-Identifier: BSD-2-Clause
//
// What becomes of a packet. Every packet has exactly one outcome:
//   forward  the buffer holds the translated packet (or the first piece of it)
//   reply    the packet is discarded for `reason`; the buffer holds our answer to its sender
//   drop     the packet is discarded for `reason`
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace xlat646 {

enum class Direction : std::uint8_t { v4_to_v6, v6_to_v4 };
inline constexpr std::size_t direction_count = 2;

// name, one sentence for humans
#define XLAT646_DROP_REASONS(X)                                                                    \
    X(malformed4, "The IPv4 header is broken: too short, wrong checksum, bad length or options.")  \
    X(malformed6, "The IPv6 header or a chain of extension headers is broken or too long.")        \
    X(jumbogram, "A packet with Payload Length 0 cannot become IPv4.")                             \
    X(martian4, "An IPv4 address is one that must never be forwarded (0/8, 127/8, 224/3, ...).")   \
    X(martian6, "An IPv6 address is one that must never be forwarded (::1, fe80::/10, ...).")      \
    X(policy4, "The policy denies the IPv4 client address (private or special-purpose block).")    \
    X(policy6, "The policy denies the IPv6 address of the router that sent an ICMPv6 error.")      \
    X(igmp, "IGMP is for one link and is not translated.")                                         \
    X(v6only_proto, "An IPv4 packet carries a protocol that only IPv6 may use.")                   \
    X(v4only_proto, "An IPv6 packet carries ICMPv4 or another protocol that only IPv4 may use.")   \
    X(no_mapping, "No explicit address mapping exists for the server's address.")                  \
    X(not_for_us, "The IPv6 destination is neither in the translation prefix nor our own.")        \
    X(own_address, "Sent to the translator's own address, which answers echo requests only.")      \
    X(spoof, "The source address is one that cannot come from that side.")                         \
    X(same_host, "Source and destination are the same server.")                                    \
    X(hop_limit, "TTL or Hop Limit has run out.")                                                  \
    X(source_route, "An unexpired IPv4 source route option is not allowed.")                       \
    X(routing_header, "A Routing header with Segments Left other than 0 cannot be translated.")    \
    X(frag_icmp, "ICMP in fragments is not translated.")                                           \
    X(frag_extension, "An extension header hides behind a Fragment header.")                       \
    X(bad_fragment, "The fragment's length or offset is impossible.")                              \
    X(tiny_fragment, "A first fragment is too short for its transport header (attack).")           \
    X(udp_zero_checksum, "An IPv4 UDP packet has no checksum and none may or can be computed.")    \
    X(udp_length, "The UDP length contradicts the packet, so no checksum can be computed.")        \
    X(icmp_malformed, "An ICMP message is too short.")                                             \
    X(icmp_checksum, "The checksum of an ICMP error is wrong.")                                    \
    X(icmp_type, "The ICMP type or code has no counterpart in the other family.")                  \
    X(icmp_pointer, "The pointer of a parameter problem has no counterpart.")                      \
    X(icmp_nested, "An ICMP error quotes an ICMP error or another message without counterpart.")   \
    X(icmp_quote, "The packet quoted in an ICMP error is broken or not ours.")                     \
    X(icmp_mismatch, "An ICMP error is not addressed to the sender of the packet it quotes.")      \
    X(icmp_extension, "The length attribute of an extended ICMP message is wrong.")                \
    X(too_big, "The packet does not fit the next link and may not be fragmented.")                 \
    X(hairpin, "A packet between two servers could not be turned around, or may not.")             \
    X(bad_offload, "The offload header contradicts the packet.")

enum class DropReason : std::uint8_t {
#define X(name, sentence) name,
    XLAT646_DROP_REASONS(X)
#undef X
};

inline constexpr std::array drop_reason_names = {
#define X(name, sentence) std::string_view(#name),
    XLAT646_DROP_REASONS(X)
#undef X
};
inline constexpr std::array drop_reason_sentences = {
#define X(name, sentence) std::string_view(sentence),
    XLAT646_DROP_REASONS(X)
#undef X
};
inline constexpr std::size_t drop_reason_count = drop_reason_names.size();

constexpr std::string_view name_of(DropReason r) {
    return drop_reason_names[static_cast<std::size_t>(r)];
}
constexpr std::string_view sentence_of(DropReason r) {
    return drop_reason_sentences[static_cast<std::size_t>(r)];
}

/// What our own ICMP errors say; one rate limit each (G4-09, G6-07).
enum class ErrorKind : std::uint8_t { time_exceeded, too_big, unreachable, parameter_problem };
inline constexpr std::size_t error_kind_count = 4;

enum class Verdict : std::uint8_t { forward, reply, drop };

/// One number, so that it is passed in a register: it goes through four functions per packet.
class [[nodiscard]] Outcome {
  public:
    static constexpr Outcome forward() { return Outcome(Verdict::forward, {}, {}, 0); }
    /// An echo reply of the translator itself: nothing was discarded, `reason` means nothing.
    static constexpr Outcome echo_reply() { return Outcome(Verdict::reply, {}, {}, echo); }
    static constexpr Outcome error(DropReason r, ErrorKind kind) {
        return Outcome(Verdict::reply, r, kind, 0);
    }
    static constexpr Outcome drop(DropReason r) { return Outcome(Verdict::drop, r, {}, 0); }
    /// A drop whose ICMP error was due but withheld by the rate limit.
    static constexpr Outcome suppressed(DropReason r, ErrorKind kind) {
        return Outcome(Verdict::drop, r, kind, withheld);
    }

    constexpr Verdict verdict() const { return static_cast<Verdict>(bits_ & 0xff); }
    constexpr bool is_forward() const { return verdict() == Verdict::forward; }
    constexpr bool is_echo_reply() const { return (bits_ & echo) != 0; }
    constexpr bool is_suppressed() const { return (bits_ & withheld) != 0; }
    constexpr DropReason reason() const { return static_cast<DropReason>(bits_ >> 8 & 0xff); }
    constexpr ErrorKind error_kind() const { return static_cast<ErrorKind>(bits_ >> 16 & 0xff); }

  private:
    static constexpr std::uint32_t echo = 1u << 24;
    static constexpr std::uint32_t withheld = 1u << 25;

    constexpr Outcome(Verdict v, DropReason r, ErrorKind k, std::uint32_t flags)
        : bits_(static_cast<std::uint32_t>(v) | static_cast<std::uint32_t>(r) << 8 |
                static_cast<std::uint32_t>(k) << 16 | flags) {}
    std::uint32_t bits_;
};

} // namespace xlat646
