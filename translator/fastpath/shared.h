// SPDX-License-Identifier: BSD-2-Clause
//
// What the kernel program and the daemon share: map layouts, counters, settings. Plain C, included
// by both sides, so that nothing is written down twice.
//
// Addresses and words of packets are in network order, as they lie in the packet.
#ifndef XLAT646_FASTPATH_SHARED_H
#define XLAT646_FASTPATH_SHARED_H

#include <linux/types.h>

// What a packet loses here: one hop for the kernel's way into the TUN, which it does not take, and
// one for the translator (TTL-01, TTL-03). So both data paths look the same from outside.
#define XLAT646_HOPS 2

// Counters of the IPv4 Identification generator (ID-02).
#define XLAT646_ID_COUNTERS 8192

// Client addresses are judged by their first 16 bits, 2 bits for each: 16 to a word.
#define XLAT646_CLIENT_WORDS (65536 / 16)
enum xlat646_client {
    xlat646_client_unsure, // user space decides
    xlat646_client_free,   // all are allowed, none is in the table
    xlat646_client_lookup, // all are allowed, those in the table (IPv4) are none of ours
};

// The slot of an address that is in the table only to be found: our own, or of the pool.
#define XLAT646_NO_SLOT 0xffffffffu

// A pair, one cache line. It counts what is sent to its IPv4 address, or what its IPv6 address
// sends, depending on the table it lies in.
struct xlat646_cell {
    __u32 ipv6[4];
    __u32 ipv4;
    __u32 slot;
    __u16 delta; // as MatchedIpv6::delta
    __u8 is_used;
    __u8 unused[5];
    __u64 packets;
    __u64 bytes;
    __u64 padding[2];
};

// A table is an array of groups, a power of two of them. An address lies in the group of its first
// place, or, if that is full, in the group of its second place: the lower and the upper half of its
// hash. In a group it lies in cell `place` or the next free one, counted by exclusive or:
// neighbours share two cache lines that the processor fetches together. So a free cell ends a
// search.
#define XLAT646_GROUP 4
struct xlat646_group {
    struct xlat646_cell cells[XLAT646_GROUP];
};

static inline __attribute__((always_inline)) __u64 xlat646_mix(__u64 x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    return x ^ (x >> 32);
}
static inline __attribute__((always_inline)) __u64 xlat646_hash_ipv4(__u32 address) {
    return xlat646_mix(address + 0x9e3779b97f4a7c15ull);
}
static inline __attribute__((always_inline)) __u64 xlat646_hash_ipv6(const __u32* words) {
    __u64 high = words[1];
    __u64 low = words[3];
    high = (high << 32) | words[0];
    low = (low << 32) | words[2];
    return xlat646_mix(xlat646_mix(high) + low);
}

// Fixed when the program is loaded.
struct xlat646_settings {
    __u32 prefix[3]; // of 96 bits
    __u16 prefix_sum;
    __u8 replaces_dscp;
    __u8 dscp; // shifted to its place
    __u8 clamps_mss;
    __u32 mtu4;
    __u32 mtu6;
    __u32 limit6; // of packets that may be fragmented
    __u64 id_key[2];
};

// Replaced while packets pass. Lies in a map of its own, of this name: by its deadline another
// daemon sees whether the program that it finds at an interface is still in use.
#define XLAT646_STATE_SECTION ".data.state"
struct xlat646_state {
    // The tables in use are those of number generation % 2.
    __u64 generation;
    // CLOCK_MONOTONIC in ns: nothing is translated after it. The daemon moves it on.
    __u64 deadline;
    // Groups of each table, less 1.
    __u32 mask_ipv4[2];
    __u32 mask_ipv6[2];
};

enum xlat646_direction { xlat646_v4_to_v6, xlat646_v6_to_v4, xlat646_directions };
enum xlat646_protocol { xlat646_tcp, xlat646_udp, xlat646_icmp, xlat646_protocols };

// Why a packet is left to user space (or to whoever it is for).
// name, sentence
#define XLAT646_PASS_REASONS(X)                                                                    \
    X(not_host, "Not addressed to this node's link address, or tagged with a VLAN.")               \
    X(foreign, "Neither a mapped IPv4 destination nor an IPv6 one in the translation prefix.")     \
    X(stopped, "The daemon does not renew its permission to translate.")                           \
    X(truncated, "The packet is shorter than its headers say.")                                    \
    X(header, "IPv4 options, an extension header, or a broken IP header.")                         \
    X(fragment, "A fragment.")                                                                     \
    X(hops, "TTL or Hop Limit is about to run out.")                                               \
    X(protocol, "Neither TCP, UDP nor echo.")                                                      \
    X(own, "To or from the translator's own addresses or the ICMP source pool.")                   \
    X(no_pair, "The IPv6 source is no host pair.")                                                 \
    X(client, "The client's address may be denied, or is itself a pair (hairpin, spoof).")         \
    X(size, "Too big for the next link, or to be fragmented.")                                     \
    X(checksum, "No UDP checksum, or one where arithmetic has two zeros.")                         \
    X(mss, "A SYN whose MSS may have to be lowered.")                                              \
    X(gso, "A super-packet of another kind.")                                                      \
    X(kernel, "The kernel refused to change the packet's protocol.")

enum xlat646_pass {
#define X(name, sentence) xlat646_pass_##name,
    XLAT646_PASS_REASONS(X)
#undef X
        xlat646_passes
};

struct xlat646_traffic {
    __u64 packets; // a super-packet is one
    __u64 bytes;   // as received, from the IP header on
};

// One for each CPU.
struct xlat646_counters {
    struct xlat646_traffic translated[xlat646_directions][xlat646_protocols];
    __u64 super_packets[xlat646_directions];
    __u64 lost[xlat646_directions]; // could not be finished after the change of protocol
    __u64 passed[xlat646_directions][xlat646_passes];
};

#endif
