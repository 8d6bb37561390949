// SPDX-License-Identifier: BSD-2-Clause
//
// The rules as `xlat646 explain` names them: rows of the requirement matrix, the RFC's section, and
// what has been found or done when the rule is passed. Rules that end a packet's way are drop
// reasons: outcome.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace xlat646 {

// name, rows of the matrix, source, sentence. In the order of the two directions.
#define XLAT646_RULES(X)                                                                           \
    X(header4, "T46-16 T46-17 T46-15", "RFC 1812 5.2.2",                                           \
      "The IPv4 header is sound: version, lengths, checksum, options.")                            \
    X(not_martian4, "T46-11 T46-20 SPA-01", "RFC 7915 4.1, RFC 1812 5.3.7",                        \
      "Both IPv4 addresses are ones that may be forwarded.")                                       \
    X(protocol4, "T46-07 T46-19", "RFC 7915 4.4, 4.5",                                             \
      "The protocol may stand in an IPv6 packet; an IPv4 sender forges no extension header.")      \
    X(own4, "T46-24", "RFC 792, RFC 1812 4.3.3.6",                                                 \
      "The destination is the translator's own IPv4 address.")                                     \
    X(destination_mapped, "T46-10 EAM-04", "RFC 7915 4.1, RFC 7757 3.3.1",                         \
      "The destination has an explicit mapping: the server's IPv6 address takes its place.")       \
    X(destination_unmapped, "T46-23", "RFC 7915 4.4",                                              \
      "The destination has no mapping and is never embedded: it would come back.")                 \
    X(client_allowed4, "T46-12 A52-06 SEC-04", "RFC 7915 4.1, RFC 6052 3.1",                       \
      "The policy has nothing against the source, and it is no server's address.")                 \
    X(ttl, "T46-08 TTL-01", "RFC 7915 4.1", "The TTL allows one more hop: it is lowered by one.")  \
    X(no_source_route, "T46-13 T46-14", "RFC 7915 4.1",                                            \
      "No unexpired source route; other IPv4 options are ignored.")                                \
    X(fragment4, "F46-14 F46-15", "RFC 1858 2, 3; RFC 8200 4.5",                                   \
      "The fragment's offset and length are possible.")                                            \
    X(transport4, "F46-14", "RFC 1858 3", "The transport header holds its checksum field.")        \
    X(no_checksum4, "L4-02 L4-05", "RFC 7915 4.5",                                                 \
      "UDP without checksum: IPv6 needs one, it is computed over the datagram.")                   \
    X(fits6, "F46-06 F46-07", "RFC 7915 4.1", "DF is set, and the IPv6 packet fits the IPv6 MTU.") \
    X(source_embedded, "T46-09 HP-01 A52-01", "RFC 7915 4.1, RFC 6052 2.2",                        \
      "The source is embedded in the translation prefix.")                                         \
    X(checksum_updated, "L4-01 CK-02 CK-05", "RFC 7915 4.5, 5.5; RFC 1624",                        \
      "The transport checksum is updated by the difference of the addresses.")                     \
    X(checksum_left, "L4-10 L4-11", "RFC 7915 4.5, 5.5",                                           \
      "No checksum that covers addresses is in this packet: the payload stays as it is.")          \
    X(header6, "T46-01 T46-02 T46-03 T46-05 T46-06", "RFC 7915 4.1",                               \
      "The IPv4 header with its options becomes an IPv6 header, Flow Label 0.")                    \
    X(split6, "F46-04 F46-09 F46-17", "RFC 7915 4.1",                                              \
      "Larger than the lowest IPv6 MTU without DF: sent in fragments.")                            \
    X(fragment_header, "F46-01 F46-03", "RFC 7915 4.1",                                            \
      "A fragment gets a Fragment Header with offset, M and Identification.")                      \
    X(no_fragment_header, "F46-02", "RFC 7915 4", "No fragment: no Fragment Header.")              \
    X(echo_to_v6, "I46-01 I46-10 CK-06", "RFC 7915 4.2",                                           \
      "An echo message changes its type; the checksum now covers a pseudo-header.")                \
    X(error_type4, "I46-02", "RFC 7915 4.2", "The ICMPv4 error has a counterpart in ICMPv6.")      \
    X(error_checksum4, "I46-03", "RFC 5508 REQ-3", "The checksum of the ICMPv4 error is right.")   \
    X(quote4, "I46-04 I46-11 INN-02 INN-06", "RFC 7915 4.3",                                       \
      "The quoted packet is sound, from the receiver of the error, and no ICMP error itself.")     \
    X(quote_to_v6, "INN-01 INN-04 INN-05 INN-07 HP-02 TTL-05", "RFC 7915 4.3, RFC 7757 4.2.1",     \
      "The quoted packet is translated like a packet of its own, its TTL copied.")                 \
    X(mtu_to_v6, "I46-05 I46-06", "RFC 7915 4.2",                                                  \
      "The MTU is what fits behind the translator, not below 1280.")                               \
    X(error_to_v6, "F46-18 X84-03 INN-03 INN-15 HP-03", "RFC 7915 4.2, RFC 4884",                  \
      "The error is put together within 1280 bytes, its checksum computed afresh.")                \
    X(hairpin_second_pass, "HP-05 HP-06 TTL-06", "RFC 7757 4.2.2",                                 \
      "The client is a server, too: the packet is turned around, without another decrement.")      \
    X(header6_sound, "T64-14", "RFC 8200 3", "The IPv6 header is sound: version, lengths.")        \
    X(not_martian6, "T64-15 SPA-01", "RFC 7915 5.1",                                               \
      "Both IPv6 addresses are ones that may be forwarded.")                                       \
    X(own6, "T46-24", "RFC 4443 4.2", "The destination is the translator's own address.")          \
    X(destination_extracted, "T64-17 A52-04", "RFC 7915 5.1, RFC 6052 2.3",                        \
      "The destination is in the translation prefix: its last 32 bits are the client.")            \
    X(client_allowed6, "A52-06 SPA-02", "RFC 6052 3.1",                                            \
      "The policy has nothing against the client's IPv4 address.")                                 \
    X(extensions, "T64-10 T64-12", "RFC 7915 5.1, RFC 8200 4",                                     \
      "The chain of extension headers is sound; what IPv4 does not have is skipped.")              \
    X(source_mapped, "T64-21 EAM-05", "RFC 7915 5.1, RFC 7757 3.3.2",                              \
      "The source has an explicit mapping: the server's IPv4 address takes its place.")            \
    X(source_unmapped, "T64-22", "RFC 7915 5.4",                                                   \
      "The source has no mapping and sends no ICMPv6 error.")                                      \
    X(source_from_pool, "S91-01 S91-03 S91-04", "RFC 6791 3.2",                                    \
      "A router without mapping sends an ICMPv6 error: its source comes from the pool.")           \
    X(hop_limit, "T64-07 TTL-01", "RFC 7915 5.1",                                                  \
      "The Hop Limit allows one more hop: it is lowered by one.")                                  \
    X(protocol6, "T64-16 T64-19", "RFC 7915 5.5", "The protocol may stand in an IPv4 packet.")     \
    X(client_outside, "HP-05 EAM-05", "RFC 7757 4.2", "The client is not one of the servers.")     \
    X(fragment6, "F64-09 F64-10", "RFC 8200 4.5, RFC 1858",                                        \
      "The fragment's offset and length are possible.")                                            \
    X(transport6, "F64-10", "RFC 1858 3", "The transport header holds its checksum field.")        \
    X(no_checksum6, "L4-06", "RFC 6936 5", "UDP without checksum stays so: IPv4 allows it.")       \
    X(fits4, "F64-07 F64-08", "RFC 7915 1.4", "The packet needs no answer about its size.")        \
    X(header_to_v4, "T64-01 T64-02 T64-03 T64-08 T64-09", "RFC 7915 5.1",                          \
      "The IPv6 header becomes an IPv4 header of 20 bytes; the Flow Label is lost.")               \
    X(identification_copied, "F64-01 F64-03 ID-04", "RFC 7915 5.1.1",                              \
      "Offset, M and the low half of Identification come from the Fragment Header, DF=0.")         \
    X(df_set, "T64-06 ID-03", "RFC 7915 5.1", "Larger than 1260 bytes: DF is set.")                \
    X(identification_made, "T64-04 T64-06 ID-01", "RFC 7915 5.1",                                  \
      "At most 1260 bytes: DF is not set, so that an Identification is made.")                     \
    X(split4, "F64-06", "RFC 7915 5.1.1", "Larger than the IPv4 MTU: sent in fragments.")          \
    X(echo_to_v4, "I64-01 CK-06", "RFC 7915 5.2",                                                  \
      "An echo message changes its type; the checksum covers no pseudo-header any more.")          \
    X(error_type6, "I64-01 I64-06", "RFC 7915 5.2",                                                \
      "The ICMPv6 error has a counterpart in ICMPv4.")                                             \
    X(error_checksum6, "I64-02", "RFC 5508 REQ-3", "The checksum of the ICMPv6 error is right.")   \
    X(quote6, "I64-07 INN-02 INN-13", "RFC 7915 5.3",                                              \
      "The quoted packet is sound, ours, and no ICMP error itself.")                               \
    X(quote_to_v4, "INN-01 INN-04 INN-05 INN-07 INN-10 TTL-05", "RFC 7915 5.3",                    \
      "The quoted packet is translated like a packet of its own, its Hop Limit copied.")           \
    X(mtu_to_v4, "I64-03 I64-04", "RFC 7915 5.2",                                                  \
      "The MTU is that of IPv6 less the difference of the headers.")                               \
    X(error_to_v4, "INN-14 X84-03 S91-05 INN-15", "RFC 7915 5.2, RFC 4884",                        \
      "The error is put together within its largest size, its checksum computed afresh.")          \
    X(dscp_set, "T46-04 ECN-02", "RFC 7915 4.1, 5.1",                                              \
      "The configured DSCP takes the place of the packet's; ECN is copied.")                       \
    X(mss_lowered, "T46-25", "RFC 7915 4", "The MSS in a SYN segment is lowered as configured.")   \
    X(echo_answered, "T46-24", "RFC 792, RFC 4443 4.2",                                            \
      "An echo request to the translator itself, and its checksum is right: it is answered.")      \
    X(error_forbidden4, "G4-02 G4-03", "RFC 1812 4.3.2.7",                                         \
      "No ICMP error may be sent about this packet, or it is switched off.")                       \
    X(error_made4, "G4-04 G4-05 G4-06 G4-11", "RFC 7915 4.4, RFC 1812 4.3.2",                      \
      "An ICMP error to the sender quotes the packet as received, at most 576 bytes.")             \
    X(error_forbidden6, "G6-03 G6-04", "RFC 4443 2.4(e)",                                          \
      "No ICMPv6 error may be sent about this packet, or it is switched off.")                     \
    X(error_made6, "G6-05 G6-06 G6-10", "RFC 7915 5.4, RFC 4443 2.4(c)",                           \
      "An ICMPv6 error to the sender quotes the packet as received, at most 1280 bytes.")

enum class Rule : std::uint8_t {
#define X(name, rows, source, sentence) name,
    XLAT646_RULES(X)
#undef X
};

struct RuleText {
    std::string_view name, rows, source, sentence;
};

inline constexpr std::array rule_texts = {
#define X(name, rows, source, sentence) RuleText{#name, rows, source, sentence},
    XLAT646_RULES(X)
#undef X
};

constexpr const RuleText& text_of(Rule rule) { return rule_texts[static_cast<std::size_t>(rule)]; }

} // namespace xlat646
