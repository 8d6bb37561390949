# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 20: packets with an offload header (virtio_net_hdr)."""
from book import C4, C6, OWN4, OWN6, S4, S6, Book, error4, out_error6, quote46, up
from packets import Echo, counting, dccp, fragment_header, raw, tcp, udp, udplite, v4, v6
from rows_offload_csum import (
    DATA_VALID,
    NONE,
    TCPV4,
    TCPV6,
    UDP_L4,
    UFO,
    completed,
    gso,
    header,
    partial,
    partials,
)
from rows_offload_gso import tcp_segments, udp_segments


def contradictions(b):
    big4 = v4(C4, S4, tcp(counting(3000)), df=True, partial=True)
    big6 = v6(S6, C6, tcp(counting(3000)), partial=True)
    dgram4 = v4(C4, S4, udp(counting(3000)), df=True, partial=True)
    for text, packet, fields in (
        ("TCPV6 on an IPv4 packet", big4, gso(TCPV6, 1000, 20, 20)),
        ("TCPV4 on an IPv6 packet", big6, gso(TCPV4, 1000, 40, 20)),
        ("TCPV4 on UDP", dgram4, gso(TCPV4, 1000, 20, 8, 6)),
        ("UDP_L4 on TCP", big4, gso(UDP_L4, 1000, 20, 20)),
        ("UFO, which was not enabled", dgram4, gso(UFO, 1000, 20, 8, 6)),
        ("gso_type 99", big4, gso(99, 1000, 20, 20)),
        ("gso_size 0, 4to6", big4, gso(TCPV4, 0, 20, 20)),
        ("gso_size 0, 6to4", big6, gso(TCPV6, 0, 40, 20)),
        (
            "TCPV4 on protocol 253",
            v4(C4, S4, raw(253, counting(3000)), df=True),
            gso(TCPV4, 1000, 20, 20),
        ),
    ):
        b.drop("GSO-05 GSO-06", text, packet, "bad_offload", offload=fields)
    data = udp(counting(2000)).on(C4, S4)
    for text, fields in (
        ("flags 1", partial(20, 6)),
        ("UDP_L4", gso(UDP_L4, 1000, 20, 8, 6)),
        ("TCPV4", gso(TCPV4, 500, 20, 8)),
    ):
        b.drop(
            "GSO-11",
            f"IPv4 first fragment with {text}",
            v4(C4, S4, data[:1000], 17, mf=True),
            "bad_offload",
            offload=header(**fields),
        )
        b.drop(
            "GSO-11",
            f"IPv4 later fragment with {text}",
            v4(C4, S4, data[1000:], 17, offset=125),
            "bad_offload",
            offload=header(**fields),
        )
    for text, fields in (
        ("flags 1", partial(48, 6)),
        ("UDP_L4", gso(UDP_L4, 1000, 48, 8, 6)),
        ("TCPV6", gso(TCPV6, 500, 48, 8)),
    ):
        for offset, more in ((0, True), (125, False)):
            b.drop(
                "GSO-11",
                f"IPv6 fragment at {offset * 8} with {text}",
                v6(S6, C6, fragment_header(17, 1, offset, more) + counting(1000), 44),
                "bad_offload",
                offload=header(**fields),
            )
    for text, proto, payload, fields in (
        ("UDP_L4", 17, udp(counting(3000)), gso(UDP_L4, 1000, 48, 8, 6)),
        ("UDP_L4, one datagram", 17, udp(counting(20)), gso(UDP_L4, 1000, 48, 8, 6)),
        ("TCPV6", 6, tcp(counting(3000)), gso(TCPV6, 1000, 48, 20, 16)),
    ):
        b.drop(
            "GSO-11",
            f"a super-packet behind an atomic Fragment header: {text}",
            v6(S6, C6, fragment_header(proto, 1) + payload.on(S6, C6), 44),
            "bad_offload",
            offload=header(**fields),
        )
    for text, segment, fields4, fields6 in (
        ("UDP_L4", udp(b""), gso(UDP_L4, 1000, 20, 8, 6), gso(UDP_L4, 1000, 40, 8, 6)),
        ("TCP", tcp(b""), gso(TCPV4, 1000, 20, 20, 16), gso(TCPV6, 1000, 40, 20, 16)),
    ):
        b.drop(
            "GSO-05",
            f"a super-packet without data, 4to6: {text}",
            v4(C4, S4, segment, partial=True),
            "bad_offload",
            offload=header(**fields4),
        )
        b.drop(
            "GSO-05",
            f"a super-packet without data, 6to4: {text}",
            v6(S6, C6, segment, partial=True),
            "bad_offload",
            offload=header(**fields6),
        )
    for length in (65516, 65535):
        packet = v6(S6, C6, tcp(counting(length - 20)), partial=True)
        b.drop(
            "GSO-09",
            f"Payload Length {length} does not fit in IPv4",
            packet,
            "too_big",
            offload=gso(TCPV6, 1400, 40, 20),
        )
    segment = tcp(counting(65515 - 20))
    b.forward(
        "GSO-09",
        "Payload Length 65515: Total Length 65535",
        v6(S6, C6, segment, partial=True),
        v4(S4, C4, segment, ttl=63, ident=None, df=True, partial=True),
        checksum="partial",
        offload=gso(TCPV6, 1400, 40, 20),
        out_offload=[gso(TCPV4, 1400, 20, 20)],
    )
    before, after = up(segment, df=True, partial=True)
    b.forward(
        "GSO-09",
        "Total Length 65535: Payload Length 65515",
        before,
        after,
        checksum="partial",
        offload=gso(TCPV4, 1400, 20, 20),
        out_offload=[gso(TCPV6, 1400, 40, 20)],
    )
    quoted, sent = quote46(udp())
    b.forward(
        "GSO-10",
        "an ICMP error with flags 2",
        error4(11, 0, 0, quoted),
        out_error6(3, 0, 0, sent),
        offload=header(flags=DATA_VALID),
        out_offload=[NONE],
    )
    for text, packet, answer in (
        ("own4", v4(C4, OWN4, Echo()), v4(OWN4, C4, Echo(reply=True), ttl=64, ident=None)),
        ("own6", v6(S6, OWN6, Echo()), v6(OWN6, S6, Echo(reply=True), hlim=64)),
    ):
        b.reply(
            "GSO-10 T46-24",
            f"echo request to {text} with flags 2",
            packet,
            None,
            answer,
            offload=header(flags=DATA_VALID),
            out_offload=[NONE],
        )
    for name, make in (("DCCP", dccp), ("UDP-Lite", udplite), ("SCTP", lambda: raw(132))):
        b.forward(
            "GSO-10",
            f"{name} with flags 2",
            *up(make()),
            offload=header(flags=DATA_VALID),
            out_offload=[NONE],
        )


def books():
    b = Book("offload")
    for rows in (partials, completed, tcp_segments, udp_segments, contradictions):
        rows(b)
    return [b]
