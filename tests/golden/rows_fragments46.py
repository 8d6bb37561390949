# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 2: sizes and fragments, IPv4 to IPv6."""
from book import C4, C6, S4, S6, UNMAPPED4, Book, config, own_error4, up
from packets import Echo, counting, dccp, fragment_header, raw, tcp, udp, udplite, v4, v6

ID = 0xBEEF


def piece6(proto, ident, offset, more, data, tc=0, hlim=63):
    return v6(C6, S6, fragment_header(proto, ident, offset, more) + data, 44, hlim=hlim, tc=tc)


def pieces6(proto, data, room, ident=ID, offset=0, more=False, tc=0):
    """F46-04, F46-09: `room` bytes of data in every piece but the last."""
    return [
        piece6(
            proto, ident, offset + at // 8, more or at + room < len(data), data[at : at + room], tc
        )
        for at in range(0, len(data), room)
    ]


def whole46(b):
    config("lim_1500", lowest_ipv6_mtu=1500)
    config("lim_1284", lowest_ipv6_mtu=1284)
    config("mtu6_1280", mtu6=1280)
    config("mtu6_1280_lim_1500", mtu6=1280, lowest_ipv6_mtu=1500)
    config("mtu6_1400", mtu6=1400)
    config("mtu6_9000", mtu6=9000, mtu4=9000)
    config("mtu6_1520", mtu6=1520, lowest_ipv6_mtu=1520)
    for df in (False, True):
        b.forward(
            "F46-01 F46-02",
            f"1260 bytes, DF={int(df)}: one packet of 1280",
            *up(udp(counting(1232)), df=df),
        )
        b.forward(
            "F46-01 F46-02",
            f"100 bytes, DF={int(df)}: no Fragment Header",
            *up(udp(counting(72)), df=df),
        )
    b.forward("F46-01 F46-06", "1261 bytes, DF=1: one packet", *up(udp(counting(1233)), df=True))
    b.forward("F46-06", "1480 bytes, DF=1: one packet of 1500", *up(tcp(counting(1440)), df=True))
    b.forward(
        "F46-06 DC-09",
        "1500 bytes, DF=1, mtu6 1520: one packet",
        *up(udp(counting(1472)), df=True),
        config="mtu6_1520",
    )
    b.forward(
        "F46-04 DC-09",
        "1500 bytes, DF=0, both limits 1520: one packet",
        *up(udp(counting(1472))),
        config="mtu6_1520",
    )
    for size, mtu, name in (
        (1481, 1480, "default"),
        (1500, 1480, "default"),
        (1381, 1380, "mtu6_1400"),
        (1261, 1260, "mtu6_1280"),
        (1261, 1260, "mtu6_1280_lim_1500"),
    ):
        for kind, segment in (
            ("UDP", udp(counting(size - 28))),
            ("TCP", tcp(counting(size - 40))),
            ("echo", Echo(counting(size - 28))),
        ):
            packet = v4(C4, S4, segment, df=True)
            b.reply(
                "F46-06 F46-07 PM-01 PM-04 G4-05 G4-08",
                f"{kind} of {size} bytes, DF=1: 3/4 with {mtu}",
                packet,
                "too_big",
                own_error4(3, 4, mtu, packet),
                config=name,
            )
    for size, name in ((1380, "mtu6_1400"), (1260, "mtu6_1280"), (8980, "mtu6_9000")):
        b.forward(
            "F46-06 PM-05",
            f"{size} bytes, DF=1, fits exactly",
            *up(udp(counting(size - 28)), df=True),
            config=name,
        )
    packet = v4(C4, S4, udp(counting(1472)), df=True, options=b"\x94\x04\0\0")
    b.reply(
        "F46-06 F46-07",
        "1504 bytes with an option, DF=1: 3/4 with 1480",
        packet,
        "too_big",
        own_error4(3, 4, 1480, packet),
    )
    b.forward(
        "F46-06 T46-05",
        "1484 bytes, 1480 without its option, DF=1: fits",
        *up(udp(counting(1452)), df=True, options=b"\x94\x04\0\0"),
    )
    for proto, make in (
        (17, lambda n: udp(counting(n - 28))),
        (6, lambda n: tcp(counting(n - 40))),
        (58, lambda n: Echo(counting(n - 28))),
        (132, lambda n: raw(132, counting(n - 20))),
    ):
        for size in (1261, 1262, 1268, 1500):
            segment = make(size)
            b.forward(
                "F46-01 F46-03 F46-04 F46-10 F46-11 F46-17 ID-09",
                f"protocol {proto}, {size} bytes, DF=0: split",
                v4(C4, S4, segment, ident=ID),
                *pieces6(proto, segment.on(C6, S6), 1232),
            )
    segment = udp(counting(1472))
    data = segment.on(C6, S6)
    b.forward(
        "F46-04",
        "LIM 1500, 1500 bytes: 1448 + 32",
        v4(C4, S4, segment, ident=ID),
        *pieces6(17, data, 1448),
        config="lim_1500",
    )
    b.forward("F46-04", "LIM 1500, 1480 bytes: whole", *up(udp(counting(1452))), config="lim_1500")
    b.forward(
        "F46-04",
        "LIM 1500, 1481 bytes",
        v4(C4, S4, udp(counting(1453)), ident=ID),
        *pieces6(17, udp(counting(1453)).on(C6, S6), 1448),
        config="lim_1500",
    )
    b.forward(
        "F46-04",
        "LIM 1284 is no multiple of 8 behind the headers: 1232 per piece",
        v4(C4, S4, segment, ident=ID),
        *pieces6(17, data, 1232),
        config="lim_1284",
    )
    b.forward(
        "F46-04", "LIM 1284: 1264 bytes stay whole", *up(udp(counting(1236))), config="lim_1284"
    )
    b.forward(
        "F46-05",
        "mtu6 1280 with lowest_ipv6_mtu 1500: 1280 counts",
        v4(C4, S4, segment, ident=ID),
        *pieces6(17, data, 1232),
        config="mtu6_1280_lim_1500",
    )
    b.forward(
        "F46-04 F46-17",
        "9000 bytes, DF=0: eight pieces",
        v4(C4, S4, udp(counting(8972)), ident=ID),
        *pieces6(17, udp(counting(8972)).on(C6, S6), 1232),
    )
    b.forward(
        "F46-04 F46-17",
        "2484 bytes, DF=0: two full pieces",
        v4(C4, S4, raw(253, counting(2464)), ident=ID),
        *pieces6(253, counting(2464), 1232),
    )
    for tos in (0x03, 0xBB):
        b.forward(
            "ECN-04 F46-04",
            f"TOS 0x{tos:02x}: the same Traffic Class in every piece",
            v4(C4, S4, segment, tos=tos, ident=ID),
            *pieces6(17, data, 1232, tc=tos),
        )
    b.forward(
        "F46-04 T46-13",
        "options vanish before the split",
        v4(C4, S4, segment, ident=ID, options=b"\x01" * 8),
        *pieces6(17, data, 1232),
    )
    for ident in (0, 1, 0xFFFF):
        b.forward(
            "F46-10 ID-09",
            f"Identification 0x{ident:04x} travels",
            v4(C4, S4, segment, ident=ident),
            *pieces6(17, data, 1232, ident),
        )
    zero = udp(counting(1472), zero=True)
    b.forward(
        "F46-11 L4-02",
        "UDP checksum 0, 1500 bytes, DF=0: computed, then split",
        v4(C4, S4, zero, ident=ID),
        *pieces6(17, data, 1232),
    )
    b.forward(
        "F46-11 I46-10",
        "echo reply of 1500 bytes, DF=0",
        v4(C4, S4, Echo(counting(1472), reply=True), ident=ID),
        *pieces6(58, Echo(counting(1472), reply=True).on(C6, S6), 1232),
    )


def fragments46(b):
    whole = udp(counting(4000))
    data4, data6 = whole.on(C4, S4), whole.on(C6, S6)

    def both(proto, at, size, more, df=False, **fields):
        head = v4(
            C4, S4, data4[at : at + size], proto, ident=ID, mf=more, offset=at // 8, df=df, **fields
        )
        return head, piece6(proto, ID, at // 8, more, data6[at : at + size])

    for df in (False, True):
        for at, size, more in (
            (0, 480, True),
            (0, 8, True),
            (8, 480, True),
            (480, 480, True),
            (3520, 488, False),
            (4000, 8, False),
            (3520, 481, False),
            (8, 1, False),
        ):
            b.forward(
                "F46-01 F46-03 F46-08 F46-10 F46-16 L4-11",
                f"DF={int(df)}, {size} bytes at {at}, MF={int(more)}",
                *both(17, at, size, more, df),
            )
    b.forward("F46-03 T46-18", "reserved flag with MF=1", *both(17, 0, 64, True, reserved=True))
    b.forward(
        "F46-01 T46-13",
        "options vanish from a fragment",
        *both(17, 64, 64, True, options=b"\x01" * 40),
    )
    for proto in (6, 17, 33, 50, 132, 136, 253):
        b.forward(
            "F46-03 F46-16 L4-11",
            f"later fragment of protocol {proto}: only headers change",
            v4(C4, S4, counting(96), proto, ident=ID, offset=185, mf=True),
            piece6(proto, ID, 185, True, counting(96)),
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
                "F46-03 L4-01 L4-07 L4-08 L4-11",
                f"first fragment of protocol {proto}, {size} bytes",
                v4(C4, S4, segment.on(C4, S4)[:size], proto, ident=ID, mf=True),
                piece6(proto, ID, 0, True, segment.on(C6, S6)[:size]),
            )
    for offset in (1, 8, 0x0FFF, 0x1000, 8188):
        b.forward(
            "F46-03",
            f"offset {offset} in units of 8",
            v4(C4, S4, counting(8), 253, ident=ID, offset=offset),
            piece6(253, ID, offset, False, counting(8)),
        )
    b.forward(
        "F46-09",
        "the matrix example: offset 185, MF=1, 1480 bytes: 185 and 339",
        v4(C4, S4, counting(1480), 17, ident=ID, offset=185, mf=True),
        *pieces6(17, counting(1480), 1232, offset=185, more=True),
    )
    b.forward(
        "F46-09",
        "the same with MF=0",
        v4(C4, S4, counting(1480), 17, ident=ID, offset=185),
        *pieces6(17, counting(1480), 1232, offset=185),
    )
    b.forward(
        "F46-09",
        "last fragment of an odd size",
        v4(C4, S4, counting(1479), 17, ident=ID, offset=370),
        *pieces6(17, counting(1479), 1232, offset=370),
    )
    b.forward(
        "F46-09 F46-20",
        "first fragment of 1500 bytes, DF=0",
        v4(C4, S4, data4[:1480], 17, ident=ID, mf=True),
        *pieces6(17, data6[:1480], 1232, more=True),
    )
    b.forward(
        "F46-09",
        "LIM 1500: 1448 + 32",
        v4(C4, S4, data4[:1480], 17, ident=ID, mf=True),
        *pieces6(17, data6[:1480], 1448, more=True),
        config="lim_1500",
    )
    b.forward("F46-09", "1232 bytes of data fill a packet exactly", *both(17, 0, 1232, True))
    b.forward(
        "F46-09",
        "1240 bytes of data: 1232 + 8",
        v4(C4, S4, data4[:1240], 17, ident=ID, mf=True),
        *pieces6(17, data6[:1240], 1232, more=True),
    )
    b.forward(
        "F46-08", "first fragment of 1472 bytes, DF=1: 1500 in IPv6", *both(17, 0, 1448, True, True)
    )
    for size in (1456, 1480):
        packet = v4(C4, S4, data4[:size], 17, ident=ID, mf=True, df=True)
        b.reply(
            "F46-07 F46-08",
            f"first fragment of {size + 20} bytes, DF=1: 3/4 with 1472",
            packet,
            "too_big",
            own_error4(3, 4, 1472, packet),
        )
    packet = v4(C4, S4, data4[:1280], 17, ident=ID, mf=True, df=True)
    b.reply(
        "F46-07 F46-08",
        "mtu6 1280: 3/4 with 1252",
        packet,
        "too_big",
        own_error4(3, 4, 1252, packet),
        config="mtu6_1280",
    )
    for more in (False, True):
        b.drop(
            "F46-08 G4-03",
            f"later fragment of 1500 bytes, DF=1, MF={int(more)}: silent",
            v4(C4, S4, data4[1480:2960], 17, ident=ID, mf=more, df=True, offset=185),
            "too_big",
        )
    for name, fields in (
        ("first", {"mf": True}),
        ("middle", {"mf": True, "offset": 10}),
        ("last", {"offset": 1}),
        ("first, DF=1", {"mf": True, "df": True}),
    ):
        b.drop(
            "F46-12",
            f"ICMP echo request, {name} fragment",
            v4(C4, S4, Echo(counting(56)), **fields),
            "frag_icmp",
        )
    b.drop(
        "F46-12",
        "ICMP error in a fragment",
        v4(C4, S4, raw(1, b"\x0b" + bytes(39)), mf=True),
        "frag_icmp",
    )
    for size in (8, 64):
        b.drop(
            "F46-13 L4-04",
            f"first fragment of UDP with checksum 0, {size} bytes",
            v4(C4, S4, udp(counting(4000), zero=True).on(C4, S4)[:size], 17, ident=ID, mf=True),
            "udp_zero_checksum",
        )
    for size in (8, 16):
        b.drop(
            "F46-14",
            f"TCP first fragment of {size} bytes",
            v4(C4, S4, tcp(counting(100)).on(C4, S4)[:size], 6, ident=ID, mf=True),
            "tiny_fragment",
        )
    for more in (False, True):
        b.drop(
            "F46-14",
            f"TCP at offset 1, MF={int(more)}",
            v4(C4, S4, counting(24), 6, offset=1, mf=more),
            "tiny_fragment",
        )
        b.forward(
            "F46-14 F46-16",
            f"TCP at offset 2, MF={int(more)}",
            v4(C4, S4, counting(24), 6, ident=ID, offset=2, mf=more),
            piece6(6, ID, 2, more, counting(24)),
        )
    for size in (1, 7, 9, 1001):
        b.drop(
            "F46-15",
            f"{size} bytes with MF=1",
            v4(C4, S4, counting(size), 253, mf=True, offset=2),
            "bad_fragment",
        )
    b.forward(
        "F46-15",
        "offset and data end at 65515",
        v4(C4, S4, counting(3), 253, ident=ID, offset=8189),
        piece6(253, ID, 8189, False, counting(3)),
    )
    for offset, size in ((8189, 4), (8190, 8), (8191, 8), (8191, 1)):
        b.drop(
            "F46-15",
            f"{size} bytes at offset {offset}",
            v4(C4, S4, counting(size), 253, offset=offset),
            "bad_fragment",
        )
    packet = v4(C4, S4, data4[:64], 17, mf=True, ttl=1)
    b.reply(
        "G4-03 T46-08",
        "first fragment with TTL 1: 11/0",
        packet,
        "hop_limit",
        own_error4(11, 0, 0, packet),
    )
    b.drop(
        "G4-03 T46-08",
        "later fragment with TTL 1: silent",
        v4(C4, S4, counting(64), 17, offset=8, ttl=1),
        "hop_limit",
    )
    packet = v4(C4, UNMAPPED4, data4[:64], 17, mf=True)
    b.reply(
        "G4-03 T46-23",
        "first fragment without mapping: 3/13",
        packet,
        "no_mapping",
        own_error4(3, 13, 0, packet),
    )
    b.drop(
        "G4-03 T46-23",
        "later fragment without mapping: silent",
        v4(C4, UNMAPPED4, counting(64), 17, offset=8),
        "no_mapping",
    )


def books():
    b = Book("fragments46")
    whole46(b)
    fragments46(b)
    return [b]
