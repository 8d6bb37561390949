// SPDX-License-Identifier: BSD-2-Clause
//
// The fast path: a tc ingress program that translates whole TCP, UDP and echo packets of mapped
// host pairs and leaves everything else untouched, for the kernel's route into the TUN. What it
// does is what translator/siit does, byte for byte; what it is not sure about it does not do.
//
// The verdict is always "let the next program look" (TC_ACT_UNSPEC): when there is none, the kernel
// routes the packet on, translated or not.
//
// All checks come before bpf_skb_change_proto(). All writes are done by helpers: a program that
// writes directly makes the kernel copy every cloned packet first, also those it leaves alone.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "translator/fastpath/shared.h"

enum {
    icmp6 = 58,
    ipv4_size = 20,
    ipv6_size = 40,
    tcp_size = 20,
    udp_size = 8,
    tcp_checksum = 16,
    udp_checksum = 6,
    icmp_checksum = 2,
    largest_packet = 65535,
    largest_without_df = 1260, // T64-06
};

const volatile struct xlat646_settings settings = {};

struct xlat646_state state SEC(XLAT646_STATE_SECTION) = {};
__u32 clients[2][XLAT646_CLIENT_WORDS] = {};
__u32 identification[XLAT646_ID_COUNTERS] = {};

struct table {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct xlat646_group));
};
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 2);
    __type(key, __u32);
    __array(values, struct table);
} tables4 SEC(".maps");
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 2);
    __type(key, __u32);
    __array(values, struct table);
} tables6 SEC(".maps");
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct xlat646_counters);
} counters SEC(".maps");

struct ipv4_words {
    __u32 word[5];
};
struct ipv6_words {
    __u32 word[10];
};

// One packet on its way.
struct context {
    struct __sk_buff* skb;
    struct xlat646_counters* counters;
    __u32 at; // of the IP header
    enum xlat646_direction direction;
};

#define pass(c, reason)                                                                            \
    ({                                                                                             \
        (c)->counters->passed[(c)->direction][xlat646_pass_##reason]++;                            \
        TC_ACT_UNSPEC;                                                                             \
    })

static __always_inline __u16 fold(__u64 sum) {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (__u16)sum;
}

#define rotated(x, n) (((x) << (n)) | ((x) >> (64 - (n))))
#define sip_round()                                                                                \
    ({                                                                                             \
        v0 += v1, v1 = rotated(v1, 13), v1 ^= v0, v0 = rotated(v0, 32);                            \
        v2 += v3, v3 = rotated(v3, 16), v3 ^= v2;                                                  \
        v0 += v3, v3 = rotated(v3, 21), v3 ^= v0;                                                  \
        v2 += v1, v1 = rotated(v1, 17), v1 ^= v2, v2 = rotated(v2, 32);                            \
    })

// ID-02, as translator/siit/identification.hpp, but one set of counters for all CPUs: flows of one
// triple may arrive on several.
static __always_inline __u16 next_identification(__u32 source, __u32 destination, __u8 protocol,
                                                 __u32 count) {
    const __u64 a = ((__u64)source << 32) | destination;
    const __u64 b = protocol;
    __u64 v0 = settings.id_key[0] ^ 0x736f6d6570736575ull;
    __u64 v1 = settings.id_key[1] ^ 0x646f72616e646f6dull;
    __u64 v2 = settings.id_key[0] ^ 0x6c7967656e657261ull;
    __u64 v3 = settings.id_key[1] ^ 0x7465646279746573ull;
    v3 ^= a;
    sip_round();
    v0 ^= a;
    v3 ^= b;
    sip_round();
    v0 ^= b;
    v2 ^= 0xff;
    sip_round();
    sip_round();
    sip_round();
    const __u64 h = v0 ^ v1 ^ v2 ^ v3;
    const __u32 i = (h >> 16) & (XLAT646_ID_COUNTERS - 1);
    return (__u16)(h + __sync_fetch_and_add(&identification[i], count));
}

static __always_inline struct xlat646_cell* find(void* table, __u32 mask, __u64 hash,
                                                 const __u32* address, int is_ipv6) {
#pragma unroll
    for (int second = 0; second < 2; ++second) {
        const __u32 place = second ? hash >> 32 : hash;
        const __u32 index = place / XLAT646_GROUP & mask;
        struct xlat646_group* group = bpf_map_lookup_elem(table, &index);
        if (!group) return 0;
#pragma unroll
        for (int i = 0; i < XLAT646_GROUP; ++i) {
            struct xlat646_cell* cell = &group->cells[(place ^ i) % XLAT646_GROUP];
            if (!cell->is_used) return 0;
            if (is_ipv6 ? cell->ipv6[0] == address[0] && cell->ipv6[1] == address[1] &&
                              cell->ipv6[2] == address[2] && cell->ipv6[3] == address[3]
                        : cell->ipv4 == address[0])
                return cell;
        }
    }
    return 0;
}

static __always_inline struct xlat646_cell* find_ipv4(void* table, __u32 mask, __u32 address) {
    return find(table, mask, xlat646_hash_ipv4(address), &address, 0);
}

static __always_inline struct xlat646_cell* find_ipv6(void* table, __u32 mask, const __u32* words) {
    return find(table, mask, xlat646_hash_ipv6(words), words, 1);
}

static __always_inline enum xlat646_client class_of_client(__u32 address, __u32 parity) {
    const __u32 index = bpf_ntohl(address) >> 16;
    // Older verifiers forget what is known of a variable whose address was taken.
    barrier_var(parity);
    return (clients[parity & 1][index >> 4] >> (index & 15) * 2) & 3;
}

// ECN-02.
static __always_inline __u8 traffic_class(__u8 octet) {
    return settings.replaces_dscp ? settings.dscp | (octet & 3) : octet;
}

// Makes `size` bytes readable in one piece. Pointers into the packet die.
static __always_inline void* packet_with(struct __sk_buff* skb, __u32 size) {
    if ((void*)(long)skb->data + size > (void*)(long)skb->data_end) {
        if (skb->len < size || bpf_skb_pull_data(skb, size) != 0) return 0;
        if ((void*)(long)skb->data + size > (void*)(long)skb->data_end) return 0;
    }
    return (void*)(long)skb->data;
}

// What lies behind the IP header.
struct transport {
    enum xlat646_protocol protocol;
    __u32 length;
    __u32 header;   // of each segment of a super-packet
    __u16 old_type; // ICMP: type and code
    __u16 new_type; // ICMP
    __u16 old_checksum;
    __u32 segment_count; // for a super-packet
    __u32 segment;       // transport header and data of the largest packet in it
};

// Looks at the transport header at `at`. Gives a verdict, or nothing (0) when the packet may pass.
static __always_inline int look(struct context* c, __u8 protocol, __u32 at, struct transport* t) {
    const int is_ipv6 = c->direction == xlat646_v6_to_v4;
    struct __sk_buff* skb = c->skb;
    const __u32 gso_size = skb->gso_size;
    const __u32 length = t->length;
    if (protocol == IPPROTO_TCP) {
        if (length < tcp_size) return pass(c, truncated);
        const __u8* tcp = packet_with(skb, at + tcp_size);
        if (!tcp) return pass(c, truncated);
        tcp += at;
        t->protocol = xlat646_tcp;
        t->header = (tcp[12] >> 4) * 4;
        if (settings.clamps_mss && (tcp[13] & 2)) return pass(c, mss);
        t->old_checksum = *(const __u16*)(tcp + tcp_checksum);
        if (gso_size != 0 && (t->header < tcp_size || t->header > length)) return pass(c, gso);
    } else {
        if (length < udp_size) return pass(c, truncated);
        const __u8* bytes = packet_with(skb, at + udp_size);
        if (!bytes) return pass(c, truncated);
        bytes += at;
        t->header = udp_size;
        if (protocol == IPPROTO_UDP) {
            t->protocol = xlat646_udp;
            t->old_checksum = *(const __u16*)(bytes + udp_checksum);
            if (t->old_checksum == 0) return pass(c, checksum); // L4-02, L4-06
        } else {
            if (protocol != (is_ipv6 ? icmp6 : IPPROTO_ICMP)) return pass(c, protocol);
            const __u8 type = bytes[0];
            __u8 new_type;
            if (type == (is_ipv6 ? 128 : 8))
                new_type = is_ipv6 ? 8 : 128;
            else if (type == (is_ipv6 ? 129 : 0))
                new_type = is_ipv6 ? 0 : 129;
            else
                return pass(c, protocol);
            if (gso_size != 0) return pass(c, gso);
            t->protocol = xlat646_icmp;
            t->old_type = *(const __u16*)bytes;
            t->new_type = (t->old_type & bpf_htons(0x00ff)) | bpf_htons(new_type << 8);
            t->old_checksum = *(const __u16*)(bytes + icmp_checksum);
        }
    }
    t->segment_count = 1;
    t->segment = length;
    if (gso_size != 0) {
        // Padding would become data of the last segment.
        if (at + length != skb->len || length <= t->header) return pass(c, gso);
        t->segment = t->header + gso_size;
        t->segment_count = (length - t->header + gso_size - 1) / gso_size;
    }
    return 0;
}

static __always_inline void count(struct context* c, const struct transport* t, __u32 bytes,
                                  __u64* pair_packets, __u64* pair_bytes) {
    struct xlat646_traffic* traffic = &c->counters->translated[c->direction][t->protocol];
    traffic->packets++;
    traffic->bytes += bytes;
    if (c->skb->gso_size != 0) c->counters->super_packets[c->direction]++;
    __sync_fetch_and_add(pair_packets, 1);
    __sync_fetch_and_add(pair_bytes, bytes);
}

// Writes the new link type and IP header, which is `size` long, and corrects the transport's
// checksum. The packet is only half translated before this: when it fails, it is lost.
static __always_inline int finish(struct context* c, const void* header, __u32 size,
                                  __u16 ethertype, const struct transport* t, __u32 difference,
                                  __u16 checksum) {
    struct __sk_buff* skb = c->skb;
    const __u32 at = c->at + size;
    if (c->at != 0 &&
        bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_proto), &ethertype, sizeof ethertype, 0))
        return 0;
    if (bpf_skb_store_bytes(skb, c->at, header, size, BPF_F_RECOMPUTE_CSUM)) return 0;
    switch (t->protocol) {
    case xlat646_tcp:
        return !bpf_l4_csum_replace(skb, at + tcp_checksum, 0, difference, BPF_F_PSEUDO_HDR);
    case xlat646_udp:
        return !bpf_l4_csum_replace(skb, at + udp_checksum, 0, difference,
                                    BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0);
    default: {
        const __u16 start[2] = {t->new_type, checksum};
        return !bpf_skb_store_bytes(skb, at, start, sizeof start, BPF_F_RECOMPUTE_CSUM);
    }
    }
}

static __always_inline int v4_to_v6(struct context* c) {
    struct __sk_buff* skb = c->skb;
    const __u8* data = packet_with(skb, c->at + ipv4_size);
    if (!data) return pass(c, truncated);
    const struct ipv4_words in = *(const struct ipv4_words*)(data + c->at);
    const __u32 source = in.word[3];
    const __u32 destination = in.word[4];

    if (bpf_ktime_get_coarse_ns() > state.deadline) return pass(c, stopped);
    const __u32 parity = *(volatile __u64*)&state.generation & 1;
    void* table = bpf_map_lookup_elem(&tables4, &parity);
    if (!table) return pass(c, stopped);
    const __u32 mask = state.mask_ipv4[parity & 1];
    struct xlat646_cell* pair = find_ipv4(table, mask, destination);
    if (!pair) return pass(c, foreign);
    if (pair->slot == XLAT646_NO_SLOT) return pass(c, own);

    const __u32 first = bpf_ntohl(in.word[0]);
    const __u32 third = bpf_ntohl(in.word[2]);
    const __u16 flags = bpf_ntohl(in.word[1]);
    const __u32 total = first & 0xffff;
    const __u8 protocol = third >> 16;
    const __u8 ttl = third >> 24;
    if (first >> 24 != 0x45 || total < ipv4_size || total > skb->len - c->at)
        return pass(c, header);
    const __u64 sum = (__u64)in.word[0] + in.word[1] + in.word[2] + in.word[3] + in.word[4];
    if (fold(sum) != 0xffff) return pass(c, header);
    if (flags & 0x4000 ? flags != 0x4000 : flags != 0) return pass(c, fragment);
    if (ttl <= XLAT646_HOPS) return pass(c, hops);

    // T46-12, SEC-04.
    const enum xlat646_client client = class_of_client(source, parity);
    if (client == xlat646_client_unsure) return pass(c, client);
    if (client == xlat646_client_lookup && find_ipv4(table, mask, source)) return pass(c, client);

    struct transport t = {.length = total - ipv4_size};
    const int verdict = look(c, protocol, c->at + ipv4_size, &t);
    if (verdict != 0) return verdict;
    // F46-04, F46-06, GSO-07.
    if (ipv6_size + t.segment > (flags ? settings.mtu6 : settings.limit6)) return pass(c, size);

    const __u8 next_header = t.protocol == xlat646_icmp ? icmp6 : protocol;
    const __u32 octet = traffic_class(first >> 16);
    const struct ipv6_words out = {{
        bpf_htonl(0x60000000 | octet << 20),
        bpf_htonl(t.length << 16 | next_header << 8 | (__u8)(ttl - XLAT646_HOPS)),
        settings.prefix[0],
        settings.prefix[1],
        settings.prefix[2],
        source,
        pair->ipv6[0],
        pair->ipv6[1],
        pair->ipv6[2],
        pair->ipv6[3],
    }};
    __u16 checksum = 0;
    if (t.protocol == xlat646_icmp) { // CK-06
        __u64 delta = (__u16)~t.old_type + (__u64)t.new_type + bpf_htons(t.length) +
                      bpf_htons(icmp6) + settings.prefix_sum + source;
        delta += (__u64)pair->ipv6[0] + pair->ipv6[1] + pair->ipv6[2] + pair->ipv6[3];
        checksum = ~fold((__u16)~t.old_checksum + (__u64)fold(delta));
    }
    const __u32 difference = (__u32)settings.prefix_sum + pair->delta; // CK-05

    if (bpf_skb_change_proto(skb, bpf_htons(ETH_P_IPV6), 0)) return pass(c, kernel);
    if (!finish(c, &out, ipv6_size, bpf_htons(ETH_P_IPV6), &t, difference, checksum)) {
        c->counters->lost[c->direction]++;
        return TC_ACT_SHOT;
    }
    count(c, &t, total, &pair->packets, &pair->bytes);
    return TC_ACT_UNSPEC;
}

static __always_inline int v6_to_v4(struct context* c) {
    struct __sk_buff* skb = c->skb;
    const __u8* data = packet_with(skb, c->at + ipv6_size);
    if (!data) return pass(c, truncated);
    const struct ipv6_words in = *(const struct ipv6_words*)(data + c->at);
    if (in.word[6] != settings.prefix[0] || in.word[7] != settings.prefix[1] ||
        in.word[8] != settings.prefix[2])
        return pass(c, foreign);
    const __u32 client = in.word[9];

    if (bpf_ktime_get_coarse_ns() > state.deadline) return pass(c, stopped);
    const __u32 parity = *(volatile __u64*)&state.generation & 1;
    void* table = bpf_map_lookup_elem(&tables6, &parity);
    if (!table) return pass(c, stopped);
    struct xlat646_cell* pair = find_ipv6(table, state.mask_ipv6[parity & 1], &in.word[2]);
    if (!pair) return pass(c, no_pair);

    const __u32 first = bpf_ntohl(in.word[0]);
    const __u32 second = bpf_ntohl(in.word[1]);
    const __u32 length = second >> 16;
    const __u8 next_header = second >> 8;
    const __u8 hop_limit = second;
    if (first >> 28 != 6 || length == 0 || ipv6_size + length > skb->len - c->at)
        return pass(c, header);
    if (hop_limit <= XLAT646_HOPS) return pass(c, hops);

    // HP-05, T64-24, SPA.
    const enum xlat646_client class = class_of_client(client, parity);
    if (class == xlat646_client_unsure) return pass(c, client);
    if (class == xlat646_client_lookup) {
        void* table4 = bpf_map_lookup_elem(&tables4, &parity);
        if (!table4) return pass(c, stopped);
        if (find_ipv4(table4, state.mask_ipv4[parity & 1], client)) return pass(c, client);
    }

    struct transport t = {.length = length};
    const int verdict = look(c, next_header, c->at + ipv6_size, &t);
    if (verdict != 0) return verdict;
    // T64-03, F64-07, GSO-08, GSO-09.
    const __u32 total = ipv4_size + length;
    if (total > largest_packet || ipv4_size + t.segment > settings.mtu4) return pass(c, size);

    const __u8 protocol = t.protocol == xlat646_icmp ? IPPROTO_ICMP : next_header;
    __u16 checksum = 0;
    if (t.protocol == xlat646_icmp) { // CK-06
        __u64 taken = (__u64)t.old_type + bpf_htons(length) + bpf_htons(icmp6);
        taken += (__u64)in.word[2] + in.word[3] + in.word[4] + in.word[5];
        taken += (__u64)in.word[6] + in.word[7] + in.word[8] + in.word[9];
        const __u16 delta = fold(t.new_type + (__u64)(__u16)~fold(taken));
        checksum = ~fold((__u16)~t.old_checksum + (__u64)delta);
        if (checksum == 0) return pass(c, checksum); // CK-04
    }
    const __u16 difference = ~fold((__u64)settings.prefix_sum + pair->delta); // CK-05
    // CK-04: a neutral pair, and the one value that the kernel's arithmetic does not leave alone.
    if (difference == 0 && t.old_checksum == 0xffff) return pass(c, checksum);

    // T64-04, T64-06.
    __u32 flags = 0x4000;
    if (ipv4_size + t.segment <= largest_without_df)
        flags = (__u32)next_identification(pair->ipv4, client, protocol, t.segment_count) << 16;
    const __u32 octet = traffic_class(first >> 20);
    struct ipv4_words out = {{
        bpf_htonl(0x45000000 | octet << 16 | total),
        bpf_htonl(flags),
        bpf_htonl((__u32)(hop_limit - XLAT646_HOPS) << 24 | (__u32)protocol << 16),
        pair->ipv4,
        client,
    }};
    const __u16 header_checksum =
        ~fold((__u64)out.word[0] + out.word[1] + out.word[2] + out.word[3] + out.word[4]);
    out.word[2] |= bpf_htonl(bpf_ntohs(header_checksum)); // T64-09

    if (bpf_skb_change_proto(skb, bpf_htons(ETH_P_IP), 0)) return pass(c, kernel);
    if (!finish(c, &out, ipv4_size, bpf_htons(ETH_P_IP), &t, difference, checksum)) {
        c->counters->lost[c->direction]++;
        return TC_ACT_SHOT;
    }
    count(c, &t, ipv6_size + length, &pair->packets, &pair->bytes);
    return TC_ACT_UNSPEC;
}

static __always_inline int translate(struct __sk_buff* skb, __u32 at) {
    const __u32 zero = 0;
    struct context c = {.skb = skb, .at = at};
    if (skb->protocol == bpf_htons(ETH_P_IP))
        c.direction = xlat646_v4_to_v6;
    else if (skb->protocol == bpf_htons(ETH_P_IPV6))
        c.direction = xlat646_v6_to_v4;
    else
        return TC_ACT_UNSPEC;
    c.counters = bpf_map_lookup_elem(&counters, &zero);
    if (!c.counters) return TC_ACT_UNSPEC;
    if (skb->pkt_type != 0 /* PACKET_HOST */ || skb->vlan_present) return pass(&c, not_host);
    return c.direction == xlat646_v4_to_v6 ? v4_to_v6(&c) : v6_to_v4(&c);
}

SEC("tc")
int xlat646_ether(struct __sk_buff* skb) { return translate(skb, ETH_HLEN); }

SEC("tc")
int xlat646_layer3(struct __sk_buff* skb) { return translate(skb, 0); }

char program_license[] SEC("license") = "BSD";
