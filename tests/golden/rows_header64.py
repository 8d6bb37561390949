# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 5: IPv6 header to IPv4 header."""
from book import (
    C4,
    C6,
    OWN6,
    R6,
    S4,
    S6,
    T4,
    T6,
    UNMAPPED6,
    Book,
    down,
    embed,
    error6,
    own_error6,
    quote64,
)
from packets import Echo, counting, ident_free, options_header, raw, routing_header, tcp, udp, v6

HOP, ROUTING, DEST = 0, 43, 60


def chain(headers, segment, src=S6, dst=C6, hlim=64, **fields):
    """headers: (type, function of the next header's number) in order."""
    kinds = [kind for kind, _ in headers] + [segment.protocol(6)]
    body = b"".join(make(kinds[i + 1]) for i, (_, make) in enumerate(headers))
    return v6(src, dst, body + segment.on(src, dst), kinds[0], hlim=hlim, **fields)


def hop(words=0):
    return HOP, lambda nh: options_header(nh, words)


def dest(words=0, data=None):
    return DEST, lambda nh: options_header(nh, words, data)


def routing(left=0, kind=4, words=0):
    return ROUTING, lambda nh: routing_header(nh, left, kind, words)


def fields(b):
    for tc in (0x00, 0x01, 0x02, 0x03, 0x28, 0x48, 0xB8, 0xB9, 0xBA, 0xBB, 0xC0, 0xFF):
        b.forward(
            "T64-01 T64-02 ECN-01", f"Traffic Class 0x{tc:02x} is copied whole", *down(udp(), tc=tc)
        )
    for flow in (1, 0xABCDE, 0xFFFFF):
        b.forward("T64-02", f"flow label 0x{flow:05x} vanishes", *down(tcp(), flow=flow, tc=0xB8))
    for tc in (0xB8, 0xB9, 0xBA, 0xBB):
        for name, dscp in (("tc_0", 0), ("tc_46", 46)):
            b.forward(
                "T64-02 ECN-02",
                f"fixed DSCP {dscp}: Traffic Class 0x{tc:02x} keeps ECN",
                *down(udp(), tc=tc ^ 0x40, tos=dscp << 2 | tc & 3),
                config=name,
            )
    for size in (0, 1, 2, 3, 7, 8, 99, 100):
        b.forward("T64-03 T64-09", f"{size} bytes of UDP data", *down(udp(b"\xa5" * size)))
    for size in (1259, 1260, 1261, 1262, 1400, 1480):
        b.forward(
            "T64-04 T64-05 T64-06 ID-01",
            f"an IPv4 size of {size}: DF={int(size > 1260)}",
            *down(udp(counting(size - 28))),
        )
        b.forward(
            "T64-06",
            f"TCP, an IPv4 size of {size}: DF={int(size > 1260)}",
            *down(tcp(counting(size - 40))),
        )
    b.forward("T64-06", "1260 bytes of an unknown protocol: DF=0", *down(raw(253, counting(1240))))
    b.forward("T64-06", "1261 bytes of an unknown protocol: DF=1", *down(raw(253, counting(1241))))
    b.forward(
        "T64-23", "100 bytes: DF=0, also when it was DF=1 in IPv4 once", *down(udp(counting(72)))
    )
    for hlim in (2, 3, 64, 255):
        b.forward("T64-07 TTL-01", f"hop limit {hlim}", *down(tcp(), hlim=hlim))
    for hlim in (0, 1):
        for name, segment in (
            ("TCP", tcp()),
            ("UDP", udp()),
            ("echo request", Echo()),
            ("protocol 253", raw(253)),
        ):
            packet = v6(S6, C6, segment, hlim=hlim)
            b.reply(
                "T64-07 TTL-02 G6-01 G6-02 G6-05 G6-09 G6-10",
                f"{name} with hop limit {hlim}: 3/0",
                packet,
                "hop_limit",
                own_error6(3, 0, 0, packet),
            )
    for client in ("1.0.0.1", "8.8.8.8", "100.64.0.1", "10.255.255.254", "223.255.255.254"):
        b.forward(
            "T64-21 A52-04",
            f"client {client} is extracted from the prefix",
            *down(tcp(), dst=client),
        )
        b.forward(
            "T64-21",
            f"the second pair to client {client}",
            *down(udp(), src=T6, was=T4, dst=client),
        )
    b.forward(
        "ALG-01",
        "addresses inside of the payload are left alone",
        *down(tcp(b"227 Entering Passive Mode (192,0,2,1,19,137)\r\n", sport=21)),
    )


def protocols(b):
    for proto in (3, 4, 8, 27, 41, 47, 50, 51, 59, 88, 89, 103, 112, 132, 137, 142, 253, 254, 255):
        b.forward(
            "T64-08 T64-18 T64-19 L4-10 SEC-07",
            f"next header {proto}: bytes unchanged",
            *down(raw(proto, bytes(range(24)))),
        )
    b.drop(
        "T64-16",
        "ICMPv4 inside IPv6",
        v6(S6, C6, raw(1, b"\x08\x00\xf7\xff\0\0\0\0")),
        "v4only_proto",
    )
    b.drop("T64-16", "IGMP inside IPv6", v6(S6, C6, raw(2)), "v4only_proto")
    b.drop(
        "T64-16 T64-10",
        "ICMPv4 behind destination options",
        chain([dest()], raw(1)),
        "v4only_proto",
    )
    packet = v6(S6, C6, raw(1), hlim=1)
    b.reply(
        "T64-16 T64-07",
        "the hop limit comes before next header 1",
        packet,
        "hop_limit",
        own_error6(3, 0, 0, packet),
    )
    for proto in (135, 139, 140):
        b.drop(
            "T64-19",
            f"next header {proto} (mobility, HIP, Shim6)",
            v6(S6, C6, raw(proto, bytes([59, 0]) + bytes(6))),
            ["v4only_proto", "v6only_proto", "malformed6"],
        )


def extension_headers(b):
    segments = (("TCP", tcp), ("UDP", udp), ("echo", Echo), ("SCTP", lambda: raw(132)))
    chains = (
        ("hop-by-hop", [hop()]),
        ("destination options", [dest()]),
        ("routing, Segments Left 0", [routing()]),
        ("all three", [hop(), dest(), routing()]),
        ("destination options twice", [dest(), dest()]),
        ("long hop-by-hop", [hop(9)]),
        ("destination options of 256 bytes", [dest(31)]),
        ("routing with 2 segments left 0", [routing(0, 4, 4)]),
        ("routing type 0, Segments Left 0", [routing(0, 0, 2)]),
        (
            "hop-by-hop, destination, routing, destination",
            [hop(1), dest(), routing(0, 2, 2), dest(2)],
        ),
        ("8 headers", [hop()] + [dest()] * 7),
    )
    for number, (name, headers) in enumerate(chains):
        kind, make = segments[number % 4]
        b.forward(
            "T64-03 T64-08 T64-10",
            f"{kind} behind {name}",
            chain(headers, make()),
            ident_free(S4, C4, make()),
        )
        kind, make = segments[(number + 1) % 4]
        b.forward(
            "T64-03 T64-08 T64-10",
            f"{kind} behind {name}",
            chain(headers, make()),
            ident_free(S4, C4, make()),
        )
    b.forward(
        "L4-13",
        "routing type 2, Segments Left 0, TCP: plain pseudo-header",
        chain([routing(0, 2, 2)], tcp()),
        ident_free(S4, C4, tcp()),
    )
    for kind in (0x3E, 0x7E, 0xBE, 0xFE, 0xC9):
        b.forward(
            "T64-10",
            f"option 0x{kind:02x} inside is not interpreted",
            chain([dest(0, bytes([kind, 4, 0, 0, 0, 0]))], udp()),
            ident_free(S4, C4, udp()),
        )
    b.forward(
        "T64-10",
        "destination options that fill the packet, next header 59",
        chain([dest(3)], raw(59, b"")),
        ident_free(S4, C4, raw(59, b"")),
    )
    b.forward(
        "T64-06 T64-10",
        "1301 bytes in IPv6, 1260 in IPv4 without the header: DF=0",
        chain([dest(2)], udp(counting(1232))),
        ident_free(S4, C4, udp(counting(1232))),
    )
    for name, headers, pointer in (
        ("first", [routing(1)], 43),
        ("behind hop-by-hop", [hop(), routing(1)], 51),
        ("behind 24 bytes", [hop(), dest(1), routing(2, 4, 4)], 67),
        ("type 0", [routing(255, 0, 2)], 43),
        ("type 2", [routing(1, 2, 2)], 43),
        ("type 3", [routing(1, 3, 2)], 43),
        ("type 253", [routing(1, 253)], 43),
    ):
        for kind, segment in (("TCP", tcp()), ("echo", Echo())):
            packet = chain(headers, segment)
            b.reply(
                "T64-11 G6-01 G6-09",
                f"Segments Left not 0, {name}, {kind}: 4/0",
                packet,
                "routing_header",
                own_error6(4, 0, pointer, packet),
            )
    packet = chain([routing(1)], tcp(), hlim=1)
    b.reply(
        "T64-11 T64-07",
        "the header walk comes before the hop limit",
        packet,
        "routing_header",
        own_error6(4, 0, 43, packet),
    )
    packet = chain([routing(1)], tcp(), src=UNMAPPED6)
    b.reply(
        "T64-11 T64-22",
        "the header walk comes before the source lookup",
        packet,
        "routing_header",
        own_error6(4, 0, 43, packet, to=UNMAPPED6),
    )
    inner, _ = quote64(udp())
    whole = error6(3, 0, 0, inner)
    b.drop(
        "T64-11 G6-04",
        "Segments Left not 0 in an ICMPv6 error: silent",
        v6(R6, C6, routing_header(58, 1) + whole[40:], 43),
        "routing_header",
    )
    for name, headers in (
        ("9 destination options", [dest()] * 9),
        ("9 headers", [hop()] + [dest()] * 8),
        ("hop-by-hop behind destination options", [dest(), hop()]),
        ("hop-by-hop twice", [hop(), hop()]),
        ("hop-by-hop behind routing", [routing(), hop()]),
    ):
        b.drop("T64-12", name, chain(headers, udp()), "malformed6")
    b.drop(
        "T64-12",
        "hop-by-hop with length octet 255",
        v6(S6, C6, b"\x11\xff" + bytes(30), 0),
        "malformed6",
    )
    b.drop(
        "T64-12",
        "destination options one byte longer than the packet",
        v6(S6, C6, b"\x3b\x01\x01\x0c" + bytes(11), 60),
        "malformed6",
    )
    b.drop(
        "T64-12",
        "7 bytes of destination options",
        v6(S6, C6, b"\x11\x00\x01\x03\0\0\0", 60),
        "malformed6",
    )
    b.drop("T64-12", "1 byte of hop-by-hop", v6(S6, C6, b"\x11", 0), "malformed6")
    b.drop("T64-12", "routing header of 4 bytes", v6(S6, C6, b"\x11\x00\x00\x00", 43), "malformed6")
    b.drop(
        "T64-12",
        "fragment header of 7 bytes",
        v6(S6, C6, b"\x11\0\0\0\0\0\0", 44),
        ["malformed6", "bad_fragment"],
    )
    b.drop(
        "T64-12",
        "the second header is cut off",
        v6(S6, C6, options_header(60) + b"\x11\x01" + bytes(6), 0),
        "malformed6",
    )


def validation(b):
    good, out = down(udp())
    for size in (1, 20, 39):
        b.drop("T64-14", f"{size} bytes received", good[:size], "malformed6", direction="6to4")
    for size in (40, 47, len(good) - 1):
        b.drop("T64-14", f"{size} of {len(good)} bytes received", good[:size], "malformed6")
    b.drop("T64-14", "10 bytes missing", v6(S6, C6, udp(), length=24), "malformed6")
    b.drop("T64-14", "Payload Length 65535", v6(S6, C6, udp(), length=65535), "malformed6")
    for size in (1, 6, 40):
        b.forward(
            "T64-14", f"{size} bytes behind Payload Length are ignored", good + b"\xee" * size, out
        )
    b.drop(
        "T64-14",
        "an IPv6 packet with a version nibble of 4",
        v6(S6, C6, tcp(), version=4),
        ["malformed6", "malformed4"],
        direction="4to6",
    )
    jumbo = bytes([0xC2, 4]) + (65600).to_bytes(4, "big")
    b.drop(
        "T64-13",
        "jumbo option",
        v6(S6, C6, options_header(6, 0, jumbo) + bytes(40), 0, length=0),
        "jumbogram",
    )
    for proto in (0, 6, 17, 44, 58, 253):
        b.drop(
            "T64-13",
            f"Payload Length 0 with next header {proto}",
            v6(S6, C6, b"", proto),
            "jumbogram",
        )
    b.drop(
        "T64-13", "Payload Length 0 with TCP behind it", v6(S6, C6, tcp(), length=0), "jumbogram"
    )
    b.forward(
        "T64-13",
        "Payload Length 0 with next header 59",
        v6(S6, C6, b"", 59),
        ident_free(S4, C4, raw(59, b"")),
    )
    for dst in (
        "2001:db8:64:0:0:1:c633:6407",
        "2001:db8:65::c633:6407",
        S6,
        T6,
        "2001:db8:ffff::2",
        "64:ff9b::c633:6407",
        "2001:db8::1",
    ):
        b.drop(
            "T64-17", f"destination {dst} is not in the prefix", v6(S6, dst, udp()), "not_for_us"
        )
    b.drop(
        "T64-17",
        "the destination is looked at before the hop limit",
        v6(S6, T6, udp(), hlim=1),
        "not_for_us",
    )
    b.drop(
        "T64-17",
        "the destination is looked at before the source",
        v6(UNMAPPED6, T6, udp()),
        "not_for_us",
    )


def sources(b):
    for name, segment in (("TCP", tcp()), ("UDP", udp()), ("protocol 253", raw(253))):
        for src in (UNMAPPED6, "2001:db8:1::11", "2001:db8:1:0:1::10", "fd00::1", "2a00::1"):
            packet = v6(src, C6, segment)
            b.reply(
                "T64-22 G6-01",
                f"{name} from {src}, no pair: 1/1",
                packet,
                "no_mapping",
                own_error6(1, 1, 0, packet, to=src),
            )
    packet = v6(UNMAPPED6, C6, udp(), hlim=1)
    b.reply(
        "T64-22 T64-07",
        "the source lookup comes before the hop limit",
        packet,
        "no_mapping",
        own_error6(1, 1, 0, packet, to=UNMAPPED6),
    )
    packet = v6(UNMAPPED6, C6, raw(1))
    b.reply(
        "T64-22 T64-16",
        "the source lookup comes before next header 1",
        packet,
        "no_mapping",
        own_error6(1, 1, 0, packet, to=UNMAPPED6),
    )
    for name, segment in (("echo request", Echo()), ("echo reply", Echo(reply=True))):
        b.drop("G6-01", f"{name} without a pair: silent", v6(UNMAPPED6, C6, segment), "no_mapping")
    for name, segment in (("TCP", tcp()), ("UDP", udp()), ("echo request", Echo())):
        for src4 in ("198.51.100.8", C4, T4, S4):
            if src4 == S4 and segment.proto is None:
                continue
            b.drop(
                "T64-21 A52-11 SEC-05 HP-09",
                f"{name} from P::{src4}",
                v6(embed(src4), C6, segment),
                "spoof",
            )
    b.drop(
        "T64-21",
        "spoofing is noticed before the hop limit",
        v6(embed("198.51.100.8"), C6, udp(), hlim=1),
        "spoof",
    )
    for name, segment in (("TCP", tcp()), ("UDP", udp()), ("echo request", Echo())):
        b.drop("T64-24", f"{name} from a server to itself", v6(S6, embed(S4), segment), "same_host")
    b.drop("T46-24", "UDP to the translator's own address", v6(S6, OWN6, udp()), "own_address")


def books():
    b = Book("header64")
    fields(b)
    protocols(b)
    extension_headers(b)
    validation(b)
    sources(b)
    return [b]
