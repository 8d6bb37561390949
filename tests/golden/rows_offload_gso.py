# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 20: segmentation offload. Its rows go to offload.json."""

from book import C4, C6, S4, S6, T4, T6, config, embed, own_error4, own_error6, up
from packets import counting, options_header, tcp, udp, v4, v6
from rows_offload_csum import ACK, ECN, NONE, STAMPS, TCPV4, TCPV6, UDP_L4, gso


def tcp_segments(b):
    for opts in (b"", STAMPS):
        head = 20 + len(opts)
        for size, count in (
            (1000, 3),
            (1440 - len(opts), 4),
            (1440 - len(opts), 44),
            (500, 2),
            (1, 8),
        ):
            segment = tcp(counting(size * (count - 1) + max(1, size // 2)), options=opts)
            for ecn in (0, ECN):
                text = f"TCP, {count} segments of {size}, header {head}, ECN flag 0x{ecn:02x}"
                before, after = up(segment, df=True, partial=True)
                b.forward(
                    "GSO-06 GSO-07 ECN-05",
                    f"{text}, 4to6",
                    before,
                    after,
                    checksum="partial",
                    offload=gso(TCPV4 | ecn, size, 20, head),
                    out_offload=[gso(TCPV6 | ecn, size, 40, head)],
                )
                before = v6(S6, C6, segment, partial=True)
                after = v4(
                    S4, C4, segment, ttl=63, ident=None, df=size + head + 20 > 1260, partial=True
                )
                b.forward(
                    "GSO-06 GSO-08 ECN-05",
                    f"{text}, 6to4",
                    before,
                    after,
                    checksum="partial",
                    offload=gso(TCPV6 | ecn, size, 40, head),
                    out_offload=[gso(TCPV4 | ecn, size, 20, head)],
                )
        for size in (1441 - len(opts), 1448, 1460):
            packet = v4(C4, S4, tcp(counting(size * 3), options=opts), df=True, partial=True)
            sent = v4(C4, S4, tcp(counting(size), options=opts, flags=ACK), df=True)
            b.reply(
                "GSO-07 GSO-12 F46-06",
                f"TCP segments of {size}, header {head}, DF=1: 3/4",
                packet,
                "too_big",
                own_error4(3, 4, 1480, sent),
                offload=gso(TCPV4, size, 20, head),
                out_offload=[NONE],
            )
        for size in (1220 - len(opts), 1221 - len(opts), 1400, 1460):
            before, after = up(tcp(counting(size * 3), options=opts), partial=True)
            b.forward(
                "GSO-07",
                f"TCP segments of {size}, header {head}, DF=0: gso_size at most {1220 - len(opts)}",
                before,
                after,
                checksum="partial",
                offload=gso(TCPV4, size, 20, head),
                out_offload=[gso(TCPV6, min(size, 1220 - len(opts)), 40, head)],
            )
        for size in (1219 - len(opts), 1220 - len(opts), 1221 - len(opts), 1460 - len(opts)):
            segment = tcp(counting(size * 3), options=opts)
            b.forward(
                "GSO-08 T64-06",
                f"6to4, TCP segments of {size}, header {head}: DF={int(size + head + 20 > 1260)}",
                v6(S6, C6, segment, partial=True),
                v4(S4, C4, segment, ttl=63, ident=None, df=size + head + 20 > 1260, partial=True),
                checksum="partial",
                offload=gso(TCPV6, size, 40, head),
                out_offload=[gso(TCPV4, size, 20, head)],
            )
    config("mtu4_1400", mtu4=1400)
    for size in (1361, 1440):
        packet = v6(S6, C6, tcp(counting(size * 3)), partial=True)
        sent = v6(S6, C6, tcp(counting(size), flags=ACK))
        b.reply(
            "GSO-08 GSO-12 F64-08",
            f"6to4, TCP segments of {size}, mtu4 1400: 2/0",
            packet,
            "too_big",
            own_error6(2, 0, 1420, sent),
            config="mtu4_1400",
            offload=gso(TCPV6, size, 40, 20),
            out_offload=[NONE],
        )
    segment = tcp(counting(1360 * 3))
    b.forward(
        "GSO-08",
        "6to4, TCP segments of 1360, mtu4 1400: fit",
        v6(S6, C6, segment, partial=True),
        v4(S4, C4, segment, ttl=63, ident=None, df=True, partial=True),
        config="mtu4_1400",
        checksum="partial",
        offload=gso(TCPV6, 1360, 40, 20),
        out_offload=[gso(TCPV4, 1360, 20, 20)],
    )
    packet = v6(S6, C6, tcp(counting(1461 * 3)), partial=True)
    sent = v6(S6, C6, tcp(counting(1461), flags=ACK))
    b.reply(
        "GSO-08 GSO-12 F64-08",
        "6to4, TCP segments of 1461, mtu4 1500: 2/0 with 1520",
        packet,
        "too_big",
        own_error6(2, 0, 1520, sent),
        offload=gso(TCPV6, 1461, 40, 20),
        out_offload=[NONE],
    )
    config("lim_1500", lowest_ipv6_mtu=1500)
    before, after = up(tcp(counting(4380)), partial=True)
    b.forward(
        "GSO-07",
        "DF=0, LIM 1500: gso_size at most 1440",
        before,
        after,
        config="lim_1500",
        checksum="partial",
        offload=gso(TCPV4, 1460, 20, 20),
        out_offload=[gso(TCPV6, 1440, 40, 20)],
    )
    segment = tcp(counting(1440 * 3))
    b.forward(
        "GSO-06 HP-05 HP-08",
        "TCP segments of 1440 from server to server",
        v6(S6, embed(T4), segment, partial=True),
        v6(embed(S4), T6, segment, hlim=63, partial=True),
        checksum="partial",
        offload=gso(TCPV6, 1440, 40, 20),
        out_offload=[gso(TCPV6, 1440, 40, 20)],
    )
    before, after = up(segment, df=True, options=b"\x01" * 12, partial=True)
    b.forward(
        "GSO-03 GSO-06",
        "TCP segments behind IPv4 options",
        before,
        after,
        checksum="partial",
        offload=gso(TCPV4, 1440, 32, 20),
        out_offload=[gso(TCPV6, 1440, 40, 20)],
    )
    headers = options_header(6, 1)
    b.forward(
        "GSO-03 GSO-06",
        "TCP segments behind destination options",
        v6(S6, C6, headers + segment.on(S6, C6, True), 60),
        v4(S4, C4, segment, ttl=63, ident=None, df=True, partial=True),
        checksum="partial",
        offload=gso(TCPV6, 1440, 56, 20),
        out_offload=[gso(TCPV4, 1440, 20, 20)],
    )
    for hdr_len in (0, 10, 65535):
        before, after = up(segment, df=True, partial=True)
        b.forward(
            "GSO-05",
            f"hdr_len {hdr_len} is recomputed",
            before,
            after,
            checksum="partial",
            offload={**gso(TCPV4, 1440, 20, 20), "hdr_len": hdr_len},
            out_offload=[gso(TCPV6, 1440, 40, 20)],
        )
    packet = v4(C4, S4, segment, ttl=1, partial=True)
    sent = v4(C4, S4, tcp(counting(1440), flags=ACK), ttl=1)
    b.reply(
        "GSO-07 GSO-12 T46-08",
        "TCP segments with TTL 1: one 11/0",
        packet,
        "hop_limit",
        own_error4(11, 0, 0, sent),
        offload=gso(TCPV4, 1440, 20, 20),
        out_offload=[NONE],
    )


def udp_segments(b):
    for size in (100, 1000, 1200):
        segment = udp(counting(size * 3))
        before, after = up(segment, df=True, partial=True)
        b.forward(
            "GSO-06",
            f"UDP, 3 datagrams of {size}, 4to6",
            before,
            after,
            checksum="partial",
            offload=gso(UDP_L4, size, 20, 8, 6),
            out_offload=[gso(UDP_L4, size, 40, 8, 6)],
        )
        after = v4(S4, C4, segment, ttl=63, ident=None, df=size + 28 > 1260, partial=True)
        b.forward(
            "GSO-06 GSO-08",
            f"UDP, 3 datagrams of {size}, 6to4",
            v6(S6, C6, segment, partial=True),
            after,
            checksum="partial",
            offload=gso(UDP_L4, size, 40, 8, 6),
            out_offload=[gso(UDP_L4, size, 20, 8, 6)],
        )
    packet = v4(C4, S4, udp(counting(1472 * 3)), df=True, partial=True)
    sent = v4(C4, S4, udp(counting(1472)), df=True)
    b.reply(
        "GSO-07 GSO-12",
        "UDP datagrams of 1472, DF=1: 3/4",
        packet,
        "too_big",
        own_error4(3, 4, 1480, sent),
        offload=gso(UDP_L4, 1472, 20, 8, 6),
        out_offload=[NONE],
    )
    packet = v6(S6, C6, udp(counting(1473 * 3)), partial=True)
    sent = v6(S6, C6, udp(counting(1473)))
    b.reply(
        "GSO-08 GSO-12",
        "UDP datagrams of 1473, 6to4: 2/0",
        packet,
        "too_big",
        own_error6(2, 0, 1520, sent),
        offload=gso(UDP_L4, 1473, 40, 8, 6),
        out_offload=[NONE],
    )
