# SPDX-License-Identifier: BSD-2-Clause
"""Matrix sections 2 and 6: sizes and fragments, both directions."""
from book import (C4, C6, S4, S6, UNMAPPED4, UNMAPPED6, Book, config, down, own_error4, own_error6,
                  up)
from packets import (Echo, counting, dccp, fragment_header, options_header, raw, routing_header,
                     tcp, udp, udplite, v4, v6)

ID = 0xbeef


def piece6(proto, ident, offset, more, data, tc=0, hlim=63):
    return v6(C6, S6, fragment_header(proto, ident, offset, more) + data, 44, hlim=hlim, tc=tc)


def pieces6(proto, data, room, ident=ID, offset=0, more=False, tc=0):
    """F46-04, F46-09: `room` bytes of data in every piece but the last."""
    return [piece6(proto, ident, offset + at // 8, more or at + room < len(data),
                   data[at:at + room], tc) for at in range(0, len(data), room)]


def piece4(proto, ident, offset, more, data, tos=0, ttl=63):
    return v4(S4, C4, data, proto, ttl, tos, ident, False, more, offset)


def pieces4(proto, data, room, ident=None, offset=0, more=False, tos=0):
    return [piece4(proto, ident, offset + at // 8, more or at + room < len(data),
                   data[at:at + room], tos) for at in range(0, len(data), room)]


def whole46(b):
    config("lim_1500", lowest_ipv6_mtu=1500)
    config("lim_1284", lowest_ipv6_mtu=1284)
    config("mtu6_1280", mtu6=1280)
    config("mtu6_1280_lim_1500", mtu6=1280, lowest_ipv6_mtu=1500)
    config("mtu6_1400", mtu6=1400)
    config("mtu6_9000", mtu6=9000, mtu4=9000)
    config("mtu6_1520", mtu6=1520, lowest_ipv6_mtu=1520)
    for df in (False, True):
        b.forward("F46-01 F46-02", f"1260 bytes, DF={int(df)}: one packet of 1280",
                  *up(udp(counting(1232)), df=df))
        b.forward("F46-01 F46-02", f"100 bytes, DF={int(df)}: no Fragment Header",
                  *up(udp(counting(72)), df=df))
    b.forward("F46-01 F46-06", "1261 bytes, DF=1: one packet", *up(udp(counting(1233)), df=True))
    b.forward("F46-06", "1480 bytes, DF=1: one packet of 1500", *up(tcp(counting(1440)), df=True))
    b.forward("F46-06 DC-09", "1500 bytes, DF=1, mtu6 1520: one packet",
              *up(udp(counting(1472)), df=True), config="mtu6_1520")
    b.forward("F46-04 DC-09", "1500 bytes, DF=0, both limits 1520: one packet",
              *up(udp(counting(1472))), config="mtu6_1520")
    for size, mtu, name in ((1481, 1480, "default"), (1500, 1480, "default"), (1381, 1380, "mtu6_1400"),
                            (1261, 1260, "mtu6_1280"), (1261, 1260, "mtu6_1280_lim_1500")):
        for kind, segment in (("UDP", udp(counting(size - 28))), ("TCP", tcp(counting(size - 40))),
                              ("echo", Echo(counting(size - 28)))):
            packet = v4(C4, S4, segment, df=True)
            b.reply("F46-06 F46-07 PM-01 PM-04 G4-05 G4-08", f"{kind} of {size} bytes, DF=1: 3/4 with {mtu}",
                    packet, "too_big", own_error4(3, 4, mtu, packet), config=name)
    for size, name in ((1380, "mtu6_1400"), (1260, "mtu6_1280"), (8980, "mtu6_9000")):
        b.forward("F46-06 PM-05", f"{size} bytes, DF=1, fits exactly",
                  *up(udp(counting(size - 28)), df=True), config=name)
    packet = v4(C4, S4, udp(counting(1472)), df=True, options=b"\x94\x04\0\0")
    b.reply("F46-06 F46-07", "1504 bytes with an option, DF=1: 3/4 with 1480", packet, "too_big",
            own_error4(3, 4, 1480, packet))
    b.forward("F46-06 T46-05", "1484 bytes, 1480 without its option, DF=1: fits",
              *up(udp(counting(1452)), df=True, options=b"\x94\x04\0\0"))
    for proto, make in ((17, lambda n: udp(counting(n - 28))), (6, lambda n: tcp(counting(n - 40))),
                        (58, lambda n: Echo(counting(n - 28))), (132, lambda n: raw(132, counting(n - 20)))):
        for size in (1261, 1262, 1268, 1500):
            segment = make(size)
            b.forward("F46-01 F46-03 F46-04 F46-10 F46-11 F46-17 ID-09",
                      f"protocol {proto}, {size} bytes, DF=0: split", v4(C4, S4, segment, ident=ID),
                      *pieces6(proto, segment.on(C6, S6), 1232))
    segment = udp(counting(1472))
    data = segment.on(C6, S6)
    b.forward("F46-04", "LIM 1500, 1500 bytes: 1448 + 32", v4(C4, S4, segment, ident=ID),
              *pieces6(17, data, 1448), config="lim_1500")
    b.forward("F46-04", "LIM 1500, 1480 bytes: whole", *up(udp(counting(1452))), config="lim_1500")
    b.forward("F46-04", "LIM 1500, 1481 bytes", v4(C4, S4, udp(counting(1453)), ident=ID),
              *pieces6(17, udp(counting(1453)).on(C6, S6), 1448), config="lim_1500")
    b.forward("F46-04", "LIM 1284 is no multiple of 8 behind the headers: 1232 per piece",
              v4(C4, S4, segment, ident=ID), *pieces6(17, data, 1232), config="lim_1284")
    b.forward("F46-04", "LIM 1284: 1264 bytes stay whole", *up(udp(counting(1236))),
              config="lim_1284")
    b.forward("F46-05", "mtu6 1280 with lowest_ipv6_mtu 1500: 1280 counts",
              v4(C4, S4, segment, ident=ID), *pieces6(17, data, 1232), config="mtu6_1280_lim_1500")
    b.forward("F46-04 F46-17", "9000 bytes, DF=0: eight pieces",
              v4(C4, S4, udp(counting(8972)), ident=ID),
              *pieces6(17, udp(counting(8972)).on(C6, S6), 1232))
    b.forward("F46-04 F46-17", "2484 bytes, DF=0: two full pieces",
              v4(C4, S4, raw(253, counting(2464)), ident=ID), *pieces6(253, counting(2464), 1232))
    for tos in (0x03, 0xbb):
        b.forward("ECN-04 F46-04", f"TOS 0x{tos:02x}: the same Traffic Class in every piece",
                  v4(C4, S4, segment, tos=tos, ident=ID), *pieces6(17, data, 1232, tc=tos))
    b.forward("F46-04 T46-13", "options vanish before the split",
              v4(C4, S4, segment, ident=ID, options=b"\x01" * 8), *pieces6(17, data, 1232))
    for ident in (0, 1, 0xffff):
        b.forward("F46-10 ID-09", f"Identification 0x{ident:04x} travels", v4(C4, S4, segment, ident=ident),
                  *pieces6(17, data, 1232, ident))
    zero = udp(counting(1472), zero=True)
    b.forward("F46-11 L4-02", "UDP checksum 0, 1500 bytes, DF=0: computed, then split",
              v4(C4, S4, zero, ident=ID), *pieces6(17, data, 1232))
    b.forward("F46-11 I46-10", "echo reply of 1500 bytes, DF=0",
              v4(C4, S4, Echo(counting(1472), reply=True), ident=ID),
              *pieces6(58, Echo(counting(1472), reply=True).on(C6, S6), 1232))


def fragments46(b):
    whole = udp(counting(4000))
    data4, data6 = whole.on(C4, S4), whole.on(C6, S6)

    def both(proto, at, size, more, df=False, **fields):
        head = v4(C4, S4, data4[at:at + size], proto, ident=ID, mf=more, offset=at // 8, df=df, **fields)
        return head, piece6(proto, ID, at // 8, more, data6[at:at + size])
    for df in (False, True):
        for at, size, more in ((0, 480, True), (0, 8, True), (8, 480, True), (480, 480, True),
                               (3520, 488, False), (4000, 8, False), (3520, 481, False), (8, 1, False)):
            b.forward("F46-01 F46-03 F46-08 F46-10 F46-16 L4-11", f"DF={int(df)}, {size} bytes at {at}, MF={int(more)}",
                      *both(17, at, size, more, df))
    b.forward("F46-03 T46-18", "reserved flag with MF=1", *both(17, 0, 64, True, reserved=True))
    b.forward("F46-01 T46-13", "options vanish from a fragment", *both(17, 64, 64, True, options=b"\x01" * 40))
    for proto in (6, 17, 33, 50, 132, 136, 253):
        b.forward("F46-03 F46-16 L4-11", f"later fragment of protocol {proto}: only headers change",
                  v4(C4, S4, counting(96), proto, ident=ID, offset=185, mf=True),
                  piece6(proto, ID, 185, True, counting(96)))
    for proto, segment in ((6, tcp(counting(480))), (33, dccp(counting(492))), (136, udplite(counting(504))),
                           (132, raw(132, counting(512))), (253, raw(253, counting(512)))):
        for size in (24, 64, 256):
            b.forward("F46-03 L4-01 L4-07 L4-08 L4-11", f"first fragment of protocol {proto}, {size} bytes",
                      v4(C4, S4, segment.on(C4, S4)[:size], proto, ident=ID, mf=True),
                      piece6(proto, ID, 0, True, segment.on(C6, S6)[:size]))
    for offset in (1, 8, 0x0fff, 0x1000, 8188):
        b.forward("F46-03", f"offset {offset} in units of 8", v4(C4, S4, counting(8), 253, ident=ID, offset=offset),
                  piece6(253, ID, offset, False, counting(8)))
    b.forward("F46-09", "the matrix example: offset 185, MF=1, 1480 bytes: 185 and 339",
              v4(C4, S4, counting(1480), 17, ident=ID, offset=185, mf=True),
              *pieces6(17, counting(1480), 1232, offset=185, more=True))
    b.forward("F46-09", "the same with MF=0", v4(C4, S4, counting(1480), 17, ident=ID, offset=185),
              *pieces6(17, counting(1480), 1232, offset=185))
    b.forward("F46-09", "last fragment of an odd size", v4(C4, S4, counting(1479), 17, ident=ID, offset=370),
              *pieces6(17, counting(1479), 1232, offset=370))
    b.forward("F46-09 F46-20", "first fragment of 1500 bytes, DF=0", v4(C4, S4, data4[:1480], 17, ident=ID, mf=True),
              *pieces6(17, data6[:1480], 1232, more=True))
    b.forward("F46-09", "LIM 1500: 1448 + 32", v4(C4, S4, data4[:1480], 17, ident=ID, mf=True),
              *pieces6(17, data6[:1480], 1448, more=True), config="lim_1500")
    b.forward("F46-09", "1232 bytes of data fill a packet exactly", *both(17, 0, 1232, True))
    b.forward("F46-09", "1240 bytes of data: 1232 + 8", v4(C4, S4, data4[:1240], 17, ident=ID, mf=True),
              *pieces6(17, data6[:1240], 1232, more=True))
    b.forward("F46-08", "first fragment of 1472 bytes, DF=1: 1500 in IPv6", *both(17, 0, 1448, True, True))
    for size in (1456, 1480):
        packet = v4(C4, S4, data4[:size], 17, ident=ID, mf=True, df=True)
        b.reply("F46-07 F46-08", f"first fragment of {size + 20} bytes, DF=1: 3/4 with 1472", packet, "too_big",
                own_error4(3, 4, 1472, packet))
    packet = v4(C4, S4, data4[:1280], 17, ident=ID, mf=True, df=True)
    b.reply("F46-07 F46-08", "mtu6 1280: 3/4 with 1252", packet, "too_big", own_error4(3, 4, 1252, packet),
            config="mtu6_1280")
    for more in (False, True):
        b.drop("F46-08 G4-03", f"later fragment of 1500 bytes, DF=1, MF={int(more)}: silent",
               v4(C4, S4, data4[1480:2960], 17, ident=ID, mf=more, df=True, offset=185), "too_big")
    for name, fields in (("first", {"mf": True}), ("middle", {"mf": True, "offset": 10}), ("last", {"offset": 1}),
                         ("first, DF=1", {"mf": True, "df": True})):
        b.drop("F46-12", f"ICMP echo request, {name} fragment", v4(C4, S4, Echo(counting(56)), **fields), "frag_icmp")
    b.drop("F46-12", "ICMP error in a fragment", v4(C4, S4, raw(1, b"\x0b" + bytes(39)), mf=True), "frag_icmp")
    for size in (8, 64):
        b.drop("F46-13 L4-04", f"first fragment of UDP with checksum 0, {size} bytes",
               v4(C4, S4, udp(counting(4000), zero=True).on(C4, S4)[:size], 17, ident=ID, mf=True), "udp_zero_checksum")
    for size in (8, 16):
        b.drop("F46-14", f"TCP first fragment of {size} bytes",
               v4(C4, S4, tcp(counting(100)).on(C4, S4)[:size], 6, ident=ID, mf=True), "tiny_fragment")
    for more in (False, True):
        b.drop("F46-14", f"TCP at offset 1, MF={int(more)}", v4(C4, S4, counting(24), 6, offset=1, mf=more),
               "tiny_fragment")
        b.forward("F46-14 F46-16", f"TCP at offset 2, MF={int(more)}",
                  v4(C4, S4, counting(24), 6, ident=ID, offset=2, mf=more), piece6(6, ID, 2, more, counting(24)))
    for size in (1, 7, 9, 1001):
        b.drop("F46-15", f"{size} bytes with MF=1", v4(C4, S4, counting(size), 253, mf=True, offset=2), "bad_fragment")
    b.forward("F46-15", "offset and data end at 65515", v4(C4, S4, counting(3), 253, ident=ID, offset=8189),
              piece6(253, ID, 8189, False, counting(3)))
    for offset, size in ((8189, 4), (8190, 8), (8191, 8), (8191, 1)):
        b.drop("F46-15", f"{size} bytes at offset {offset}", v4(C4, S4, counting(size), 253, offset=offset),
               "bad_fragment")
    packet = v4(C4, S4, data4[:64], 17, mf=True, ttl=1)
    b.reply("G4-03 T46-08", "first fragment with TTL 1: 11/0", packet, "hop_limit", own_error4(11, 0, 0, packet))
    b.drop("G4-03 T46-08", "later fragment with TTL 1: silent", v4(C4, S4, counting(64), 17, offset=8, ttl=1), "hop_limit")
    packet = v4(C4, UNMAPPED4, data4[:64], 17, mf=True)
    b.reply("G4-03 T46-23", "first fragment without mapping: 3/13", packet, "no_mapping", own_error4(3, 13, 0, packet))
    b.drop("G4-03 T46-23", "later fragment without mapping: silent", v4(C4, UNMAPPED4, counting(64), 17, offset=8),
           "no_mapping")


def whole64(b):
    config("mtu4_1400", mtu4=1400)
    config("mtu4_576", mtu4=576)
    config("mtu4_580", mtu4=580)
    config("mtu4_1000", mtu4=1000)
    config("mtu6_9000_mtu4_1500", mtu6=9000)
    for size in (1420, 1300):
        b.forward("F64-07", f"mtu4 1400, IPv6 {size}: fits", *down(udp(counting(size - 48))), config="mtu4_1400")
    b.forward("F64-07", "IPv6 1520, IPv4 1500: fits", *down(udp(counting(1472))))
    for size, mtu, name in ((1421, 1420, "mtu4_1400"), (1500, 1420, "mtu4_1400"), (1521, 1520, "default"),
                            (9000, 1520, "mtu6_9000_mtu4_1500"), (1281, 1280, "mtu4_576"), (1281, 1280, "mtu4_1000")):
        for kind, segment in (("UDP", udp(counting(size - 48))), ("TCP", tcp(counting(size - 60))),
                              ("echo", Echo(counting(size - 48)))):
            packet = v6(S6, C6, segment)
            b.reply("F64-07 F64-08 G6-02 G6-06 PM-01 PM-02", f"{kind} of {size} bytes: 2/0 with {mtu}", packet,
                    "too_big", own_error6(2, 0, mtu, packet), config=name)
    for size in (597, 600, 1000, 1280):
        for kind, proto, segment in (("UDP", 17, udp(counting(size - 48))), ("TCP", 6, tcp(counting(size - 60))),
                                     ("echo", 1, Echo(counting(size - 48)))):
            b.forward("F64-06 PM-06", f"mtu4 576, {kind} of {size} bytes: split in IPv4", v6(S6, C6, segment, tc=0x03),
                      *pieces4(proto, segment.on(S4, C4), 552, tos=3), config="mtu4_576")
    b.forward("F64-06", "mtu4 576, IPv6 596: whole, DF=0", *down(udp(counting(548))), config="mtu4_576")
    b.forward("F64-06", "mtu4 580: 560 bytes per piece", v6(S6, C6, udp(counting(1232))),
              *pieces4(17, udp(counting(1232)).on(S4, C4), 560), config="mtu4_580")
    b.forward("F64-06", "mtu4 1000: 976 + 264", v6(S6, C6, raw(253, counting(1240))),
              *pieces4(253, counting(1240), 976), config="mtu4_1000")
    b.forward("F64-06 T64-10", "mtu4 576, destination options removed first",
              v6(S6, C6, options_header(17) + udp(counting(700)).on(S6, C6), 60),
              *pieces4(17, udp(counting(700)).on(S4, C4), 552), config="mtu4_576")


def piece64(proto, data6, ident=0xdeadbeef, offset=0, more=False, before=b"", first=44, **fields):
    head = before + fragment_header(proto, ident, offset, more, **fields)
    return v6(S6, C6, head + data6, first)


def fragments64(b):
    whole = udp(counting(4000))
    data6, data4 = whole.on(S6, C6), whole.on(S4, C4)
    for at, size, more in ((0, 480, True), (0, 8, True), (8, 480, True), (480, 480, True), (3520, 488, False),
                           (4000, 8, False), (3520, 481, False), (8, 1, False), (0, 1400, True)):
        b.forward("F64-01 ID-04 L4-11", f"{size} bytes at {at}, M={int(more)}",
                  piece64(17, data6[at:at + size], offset=at // 8, more=more),
                  piece4(17, ID, at // 8, more, data4[at:at + size]))
    for ident in (0, 1, 0xffff, 0x10000, 0xffff0000, 0xffffffff):
        b.forward("F64-01 ID-04", f"identification 0x{ident:08x}: the low 16 bits travel",
                  piece64(17, data6[:64], ident, 0, True), piece4(17, ident & 0xffff, 0, True, data4[:64]))
    b.forward("F64-04", "reserved octet and bits are ignored",
              piece64(17, data6[:64], more=True, reserved=0xff, bits=3), piece4(17, ID, 0, True, data4[:64]))
    b.forward("F64-04", "reserved bits of a later fragment", piece64(17, counting(64), offset=8, reserved=1, bits=2),
              piece4(17, ID, 8, False, counting(64)))
    for proto in (6, 17, 33, 50, 59, 132, 136, 253):
        b.forward("F64-01 L4-11", f"later fragment of protocol {proto}: only headers change",
                  piece64(proto, counting(96), offset=185, more=True), piece4(proto, ID, 185, True, counting(96)))
    for proto, segment in ((6, tcp(counting(480))), (33, dccp(counting(492))), (136, udplite(counting(504))),
                           (132, raw(132, counting(512))), (253, raw(253, counting(512)))):
        for size in (24, 64, 256):
            b.forward("F64-01 L4-01 L4-07 L4-08 L4-11", f"first fragment of protocol {proto}, {size} bytes",
                      piece64(proto, segment.on(S6, C6)[:size], more=True),
                      piece4(proto, ID, 0, True, segment.on(S4, C4)[:size]))
    for name, before, first in (("hop-by-hop", options_header(44), 0), ("destination options", options_header(44, 2), 60),
                                ("routing", routing_header(44), 43),
                                ("hop-by-hop and routing", options_header(43) + routing_header(44, 0, 2, 2), 0)):
        b.forward("F64-01 T64-10", f"Fragment Header behind {name}", piece64(17, data6[:64], more=True, before=before, first=first),
                  piece4(17, ID, 0, True, data4[:64]))
        b.forward("F64-01 T64-10", f"later fragment behind {name}",
                  piece64(17, counting(64), offset=9, before=before, first=first), piece4(17, ID, 9, False, counting(64)))
    for proto in (0, 43, 51, 60, 135, 139, 140):
        for more in (True, False):
            packet = piece64(proto, bytes([59, 0]) + bytes(22), more=more)
            b.reply("F64-02 G6-01", f"next header {proto} behind the Fragment Header, M={int(more)}: 1/1", packet,
                    "frag_extension", own_error6(1, 1, 0, packet))
        b.drop("F64-02", f"next header {proto} in a later fragment: silent", piece64(proto, bytes(24), offset=4),
               "frag_extension")
    b.drop("F64-02 F64-09", "two Fragment Headers, later fragment",
           piece64(44, fragment_header(17, 1) + bytes(16), offset=4), ["frag_extension", "bad_fragment", "malformed6"])
    for size in (8, 100, 1232, 1240, 1352):
        kinds = (("TCP", 6, tcp(counting(size))), ("UDP", 17, udp(counting(size))), ("echo", 1, Echo(counting(size))))
        for kind, proto, segment in kinds:
            b.forward("F64-03 F64-01 ID-04 ID-06", f"atomic fragment, {kind} with {size} bytes: DF=0",
                      piece64(segment.protocol(6), segment.on(S6, C6)), piece4(proto, ID, 0, False, segment.on(S4, C4)))
    b.forward("F64-03", "atomic fragment, echo reply",
              piece64(58, Echo(reply=True).on(S6, C6)), piece4(1, ID, 0, False, Echo(reply=True).on(S4, C4)))
    for name, offset, more in (("first", 0, True), ("middle", 10, True), ("last", 1, False)):
        b.drop("F64-05", f"ICMPv6 echo request, {name} fragment",
               piece64(58, Echo(counting(56)).on(S6, C6), offset=offset, more=more), "frag_icmp")
    for proto, segment in ((17, udp(counting(1200))), (6, tcp(counting(1188)))):
        data = segment.on(S6, C6)
        b.forward("F64-06 ID-04", f"mtu4 576, atomic fragment of protocol {proto}", piece64(proto, data),
                  *pieces4(proto, segment.on(S4, C4), 552, ID), config="mtu4_576")
    b.forward("F64-06", "mtu4 576, first fragment", piece64(17, data6[:1232], more=True),
              *pieces4(17, data4[:1232], 552, ID, 0, True), config="mtu4_576")
    b.forward("F64-06", "mtu4 576, middle fragment", piece64(17, data6[1232:2464], offset=154, more=True),
              *pieces4(17, data4[1232:2464], 552, ID, 154, True), config="mtu4_576")
    b.forward("F64-06", "mtu4 576, last fragment", piece64(17, data6[2464:3600], offset=308),
              *pieces4(17, data4[2464:3600], 552, ID, 308), config="mtu4_576")
    b.forward("F64-07", "mtu4 1400, first fragment of exactly 1428 bytes in IPv6",
              piece64(17, data6[:1376], more=True), piece4(17, ID, 0, True, data4[:1376]), config="mtu4_1400")
    for size, mtu, name in ((1384, 1428, "mtu4_1400"), (1448, 1428, "mtu4_1400"), (1240, 1280, "mtu4_576")):
        packet = piece64(17, data6[:size], more=True)
        b.reply("F64-07 F64-08", f"first fragment with {size} bytes of data: 2/0 with {mtu}", packet, "too_big",
                own_error6(2, 0, mtu, packet), config=name)
    packet = piece64(17, udp(counting(1390)).on(S6, C6))
    b.reply("F64-07 F64-08", "atomic fragment too big for mtu4 1400: 2/0 with 1428", packet, "too_big",
            own_error6(2, 0, 1428, packet), config="mtu4_1400")
    for size in (1, 7, 9, 1001):
        b.drop("F64-09", f"{size} bytes with M=1", piece64(253, counting(size), offset=2, more=True), "bad_fragment")
    b.forward("F64-09", "offset and data end at 65515", piece64(253, counting(3), offset=8189),
              piece4(253, ID, 8189, False, counting(3)))
    for offset, size in ((8189, 4), (8190, 8), (8191, 8)):
        b.drop("F64-09", f"{size} bytes at offset {offset}", piece64(253, counting(size), offset=offset), "bad_fragment")
    for size in (8, 16):
        b.drop("F64-10", f"TCP first fragment of {size} bytes",
               piece64(6, tcp(counting(100)).on(S6, C6)[:size], more=True), "tiny_fragment")
    for more in (False, True):
        b.drop("F64-10", f"TCP at offset 1, M={int(more)}", piece64(6, counting(24), offset=1, more=more), "tiny_fragment")
        b.forward("F64-10", f"TCP at offset 2, M={int(more)}", piece64(6, counting(24), offset=2, more=more),
                  piece4(6, ID, 2, more, counting(24)))
    packet = v6(S6, C6, fragment_header(17, 1, 0, True) + data6[:64], 44, hlim=1)
    b.reply("T64-07", "first fragment with hop limit 1: 3/0", packet, "hop_limit", own_error6(3, 0, 0, packet))
    packet = v6(UNMAPPED6, C6, fragment_header(17, 1, 0, True) + data6[:64], 44)
    b.reply("T64-22", "first fragment without a pair: 1/1", packet, "no_mapping",
            own_error6(1, 1, 0, packet, to=UNMAPPED6))


def books():
    f46, f64 = Book("fragments46"), Book("fragments64")
    whole46(f46)
    fragments46(f46)
    whole64(f64)
    fragments64(f64)
    return [f46, f64]
