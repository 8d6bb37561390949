# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 6: sizes and fragments, IPv6 to IPv4."""
from book import C4, C6, S4, S6, UNMAPPED6, Book, config, down, own_error6
from packets import (
    Echo,
    counting,
    dccp,
    fragment_header,
    options_header,
    raw,
    routing_header,
    tcp,
    udp,
    udplite,
    v4,
    v6,
)

ID = 0xBEEF


def piece4(proto, ident, offset, more, data, tos=0, ttl=63):
    return v4(S4, C4, data, proto, ttl, tos, ident, False, more, offset)


def pieces4(proto, data, room, ident=None, offset=0, more=False, tos=0):
    return [
        piece4(
            proto, ident, offset + at // 8, more or at + room < len(data), data[at : at + room], tos
        )
        for at in range(0, len(data), room)
    ]


def whole64(b):
    config("mtu4_1400", mtu4=1400)
    config("mtu4_576", mtu4=576)
    config("mtu4_580", mtu4=580)
    config("mtu4_1000", mtu4=1000)
    config("mtu6_9000_mtu4_1500", mtu6=9000)
    for size in (1420, 1300):
        b.forward(
            "F64-07",
            f"mtu4 1400, IPv6 {size}: fits",
            *down(udp(counting(size - 48))),
            config="mtu4_1400",
        )
    b.forward("F64-07", "IPv6 1520, IPv4 1500: fits", *down(udp(counting(1472))))
    for size, mtu, name in (
        (1421, 1420, "mtu4_1400"),
        (1500, 1420, "mtu4_1400"),
        (1521, 1520, "default"),
        (9000, 1520, "mtu6_9000_mtu4_1500"),
        (1281, 1280, "mtu4_576"),
        (1281, 1280, "mtu4_1000"),
    ):
        for kind, segment in (
            ("UDP", udp(counting(size - 48))),
            ("TCP", tcp(counting(size - 60))),
            ("echo", Echo(counting(size - 48))),
        ):
            packet = v6(S6, C6, segment)
            b.reply(
                "F64-07 F64-08 G6-02 G6-06 PM-01 PM-02",
                f"{kind} of {size} bytes: 2/0 with {mtu}",
                packet,
                "too_big",
                own_error6(2, 0, mtu, packet),
                config=name,
            )
    for size in (597, 600, 1000, 1280):
        for kind, proto, segment in (
            ("UDP", 17, udp(counting(size - 48))),
            ("TCP", 6, tcp(counting(size - 60))),
            ("echo", 1, Echo(counting(size - 48))),
        ):
            b.forward(
                "F64-06 PM-06",
                f"mtu4 576, {kind} of {size} bytes: split in IPv4",
                v6(S6, C6, segment, tc=0x03),
                *pieces4(proto, segment.on(S4, C4), 552, tos=3),
                config="mtu4_576",
            )
    b.forward(
        "F64-06", "mtu4 576, IPv6 596: whole, DF=0", *down(udp(counting(548))), config="mtu4_576"
    )
    b.forward(
        "F64-06",
        "mtu4 580: 560 bytes per piece",
        v6(S6, C6, udp(counting(1232))),
        *pieces4(17, udp(counting(1232)).on(S4, C4), 560),
        config="mtu4_580",
    )
    b.forward(
        "F64-06",
        "mtu4 1000: 976 + 264",
        v6(S6, C6, raw(253, counting(1240))),
        *pieces4(253, counting(1240), 976),
        config="mtu4_1000",
    )
    b.forward(
        "F64-06 T64-10",
        "mtu4 576, destination options removed first",
        v6(S6, C6, options_header(17) + udp(counting(700)).on(S6, C6), 60),
        *pieces4(17, udp(counting(700)).on(S4, C4), 552),
        config="mtu4_576",
    )


def piece64(proto, data6, ident=0xDEADBEEF, offset=0, more=False, before=b"", first=44, **fields):
    head = before + fragment_header(proto, ident, offset, more, **fields)
    return v6(S6, C6, head + data6, first)


def fragments64(b):
    whole = udp(counting(4000))
    data6, data4 = whole.on(S6, C6), whole.on(S4, C4)
    for at, size, more in (
        (0, 480, True),
        (0, 8, True),
        (8, 480, True),
        (480, 480, True),
        (3520, 488, False),
        (4000, 8, False),
        (3520, 481, False),
        (8, 1, False),
        (0, 1400, True),
    ):
        b.forward(
            "F64-01 ID-04 L4-11",
            f"{size} bytes at {at}, M={int(more)}",
            piece64(17, data6[at : at + size], offset=at // 8, more=more),
            piece4(17, ID, at // 8, more, data4[at : at + size]),
        )
    for ident in (0, 1, 0xFFFF, 0x10000, 0xFFFF0000, 0xFFFFFFFF):
        b.forward(
            "F64-01 ID-04",
            f"identification 0x{ident:08x}: the low 16 bits travel",
            piece64(17, data6[:64], ident, 0, True),
            piece4(17, ident & 0xFFFF, 0, True, data4[:64]),
        )
    b.forward(
        "F64-04",
        "reserved octet and bits are ignored",
        piece64(17, data6[:64], more=True, reserved=0xFF, bits=3),
        piece4(17, ID, 0, True, data4[:64]),
    )
    b.forward(
        "F64-04",
        "reserved bits of a later fragment",
        piece64(17, counting(64), offset=8, reserved=1, bits=2),
        piece4(17, ID, 8, False, counting(64)),
    )
    for proto in (6, 17, 33, 50, 59, 132, 136, 253):
        b.forward(
            "F64-01 L4-11",
            f"later fragment of protocol {proto}: only headers change",
            piece64(proto, counting(96), offset=185, more=True),
            piece4(proto, ID, 185, True, counting(96)),
        )
    for proto, segment in (
        (6, tcp(counting(480))),
        (33, dccp(counting(492))),
        (136, udplite(counting(504))),
        (132, raw(132, counting(512))),
        (253, raw(253, counting(512))),
    ):
        for size in (24, 64, 256):
            b.forward(
                "F64-01 L4-01 L4-07 L4-08 L4-11",
                f"first fragment of protocol {proto}, {size} bytes",
                piece64(proto, segment.on(S6, C6)[:size], more=True),
                piece4(proto, ID, 0, True, segment.on(S4, C4)[:size]),
            )
    for name, before, first in (
        ("hop-by-hop", options_header(44), 0),
        ("destination options", options_header(44, 2), 60),
        ("routing", routing_header(44), 43),
        ("hop-by-hop and routing", options_header(43) + routing_header(44, 0, 2, 2), 0),
    ):
        b.forward(
            "F64-01 T64-10",
            f"Fragment Header behind {name}",
            piece64(17, data6[:64], more=True, before=before, first=first),
            piece4(17, ID, 0, True, data4[:64]),
        )
        b.forward(
            "F64-01 T64-10",
            f"later fragment behind {name}",
            piece64(17, counting(64), offset=9, before=before, first=first),
            piece4(17, ID, 9, False, counting(64)),
        )
    for proto in (0, 43, 51, 60, 135, 139, 140):
        for more in (True, False):
            packet = piece64(proto, bytes([59, 0]) + bytes(22), more=more)
            b.reply(
                "F64-02 G6-01",
                f"next header {proto} behind the Fragment Header, M={int(more)}: 1/1",
                packet,
                "frag_extension",
                own_error6(1, 1, 0, packet),
            )
        b.drop(
            "F64-02",
            f"next header {proto} in a later fragment: silent",
            piece64(proto, bytes(24), offset=4),
            "frag_extension",
        )
    b.drop(
        "F64-02 F64-09",
        "two Fragment Headers, later fragment",
        piece64(44, fragment_header(17, 1) + bytes(16), offset=4),
        ["frag_extension", "bad_fragment", "malformed6"],
    )
    for size in (8, 100, 1232, 1240, 1352):
        kinds = (
            ("TCP", 6, tcp(counting(size))),
            ("UDP", 17, udp(counting(size))),
            ("echo", 1, Echo(counting(size))),
        )
        for kind, proto, segment in kinds:
            b.forward(
                "F64-03 F64-01 ID-04 ID-06",
                f"atomic fragment, {kind} with {size} bytes: DF=0",
                piece64(segment.protocol(6), segment.on(S6, C6)),
                piece4(proto, ID, 0, False, segment.on(S4, C4)),
            )
    b.forward(
        "F64-03",
        "atomic fragment, echo reply",
        piece64(58, Echo(reply=True).on(S6, C6)),
        piece4(1, ID, 0, False, Echo(reply=True).on(S4, C4)),
    )
    for name, offset, more in (("first", 0, True), ("middle", 10, True), ("last", 1, False)):
        b.drop(
            "F64-05",
            f"ICMPv6 echo request, {name} fragment",
            piece64(58, Echo(counting(56)).on(S6, C6), offset=offset, more=more),
            "frag_icmp",
        )
    for proto, segment in ((17, udp(counting(1200))), (6, tcp(counting(1188)))):
        data = segment.on(S6, C6)
        b.forward(
            "F64-06 ID-04",
            f"mtu4 576, atomic fragment of protocol {proto}",
            piece64(proto, data),
            *pieces4(proto, segment.on(S4, C4), 552, ID),
            config="mtu4_576",
        )
    b.forward(
        "F64-06",
        "mtu4 576, first fragment",
        piece64(17, data6[:1232], more=True),
        *pieces4(17, data4[:1232], 552, ID, 0, True),
        config="mtu4_576",
    )
    b.forward(
        "F64-06",
        "mtu4 576, middle fragment",
        piece64(17, data6[1232:2464], offset=154, more=True),
        *pieces4(17, data4[1232:2464], 552, ID, 154, True),
        config="mtu4_576",
    )
    b.forward(
        "F64-06",
        "mtu4 576, last fragment",
        piece64(17, data6[2464:3600], offset=308),
        *pieces4(17, data4[2464:3600], 552, ID, 308),
        config="mtu4_576",
    )
    b.forward(
        "F64-07",
        "mtu4 1400, first fragment of exactly 1428 bytes in IPv6",
        piece64(17, data6[:1376], more=True),
        piece4(17, ID, 0, True, data4[:1376]),
        config="mtu4_1400",
    )
    for size, mtu, name in (
        (1384, 1428, "mtu4_1400"),
        (1448, 1428, "mtu4_1400"),
        (1240, 1280, "mtu4_576"),
    ):
        packet = piece64(17, data6[:size], more=True)
        b.reply(
            "F64-07 F64-08",
            f"first fragment with {size} bytes of data: 2/0 with {mtu}",
            packet,
            "too_big",
            own_error6(2, 0, mtu, packet),
            config=name,
        )
    packet = piece64(17, udp(counting(1390)).on(S6, C6))
    b.reply(
        "F64-07 F64-08",
        "atomic fragment too big for mtu4 1400: 2/0 with 1428",
        packet,
        "too_big",
        own_error6(2, 0, 1428, packet),
        config="mtu4_1400",
    )
    for size in (1, 7, 9, 1001):
        b.drop(
            "F64-09",
            f"{size} bytes with M=1",
            piece64(253, counting(size), offset=2, more=True),
            "bad_fragment",
        )
    b.forward(
        "F64-09",
        "offset and data end at 65515",
        piece64(253, counting(3), offset=8189),
        piece4(253, ID, 8189, False, counting(3)),
    )
    for offset, size in ((8189, 4), (8190, 8), (8191, 8)):
        b.drop(
            "F64-09",
            f"{size} bytes at offset {offset}",
            piece64(253, counting(size), offset=offset),
            "bad_fragment",
        )
    for size in (8, 16):
        b.drop(
            "F64-10",
            f"TCP first fragment of {size} bytes",
            piece64(6, tcp(counting(100)).on(S6, C6)[:size], more=True),
            "tiny_fragment",
        )
    for more in (False, True):
        b.drop(
            "F64-10",
            f"TCP at offset 1, M={int(more)}",
            piece64(6, counting(24), offset=1, more=more),
            "tiny_fragment",
        )
        b.forward(
            "F64-10",
            f"TCP at offset 2, M={int(more)}",
            piece64(6, counting(24), offset=2, more=more),
            piece4(6, ID, 2, more, counting(24)),
        )
    packet = v6(S6, C6, fragment_header(17, 1, 0, True) + data6[:64], 44, hlim=1)
    b.reply(
        "T64-07",
        "first fragment with hop limit 1: 3/0",
        packet,
        "hop_limit",
        own_error6(3, 0, 0, packet),
    )
    packet = v6(UNMAPPED6, C6, fragment_header(17, 1, 0, True) + data6[:64], 44)
    b.reply(
        "T64-22",
        "first fragment without a pair: 1/1",
        packet,
        "no_mapping",
        own_error6(1, 1, 0, packet, to=UNMAPPED6),
    )


def books():
    b = Book("fragments64")
    whole64(b)
    fragments64(b)
    return [b]
