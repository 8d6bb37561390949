# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 1: IPv4 header to IPv6 header."""
from book import (
    C4,
    C6,
    D4,
    OWN4,
    S4,
    S6,
    T4,
    T6,
    UNMAPPED4,
    Book,
    config,
    error4,
    own_error4,
    quote46,
    up,
)
from packets import Echo, raw, tcp, udp, v4, v6

NOP, END = b"\x01", b"\x00"
RECORD_ROUTE = b"\x07\x0b\x04" + bytes(8)
TIMESTAMP = b"\x44\x0c\x05\x00" + bytes(8)
ROUTER_ALERT = b"\x94\x04\x00\x00"
SECURITY = b"\x82\x0b" + bytes(9)
STREAM_ID = b"\x88\x04\x00\x01"


def source_route(kind, pointer, size=7):
    return bytes([kind, size, pointer]) + b"\xcb\x00\x71\x21" * ((size - 3) // 4)


def fields(b):
    for tos in (0x00, 0x01, 0x02, 0x03, 0x20, 0x88, 0xB8, 0xB9, 0xBA, 0xBB, 0xC0, 0xFC, 0xFF):
        b.forward(
            "T46-02 T46-03 ECN-01",
            f"TOS 0x{tos:02x} is copied whole; flow label 0",
            *up(udp(), tos=tos),
        )
    config("tc_0", traffic_class=0)
    config("tc_46", traffic_class=46)
    for tos in (0xB8, 0xB9, 0xBA, 0xBB):
        for name, dscp in (("tc_0", 0), ("tc_46", 46)):
            b.forward(
                "T46-04 ECN-02",
                f"fixed DSCP {dscp}: TOS 0x{tos:02x} keeps its ECN bits",
                *up(tcp(), tos=tos ^ 0x40, tc=dscp << 2 | tos & 3),
                config=name,
            )
    for size in (0, 1, 2, 3, 7, 8, 99, 100, 1232):
        b.forward("T46-05", f"{size} bytes of UDP data", *up(udp(b"\x5a" * size)))
    for ttl in (2, 3, 64, 128, 255):
        b.forward("T46-08 TTL-01 TTL-08", f"TTL {ttl}", *up(tcp(), ttl=ttl))
    for ttl in (0, 1):
        for name, segment in (
            ("TCP", tcp()),
            ("UDP", udp()),
            ("echo request", Echo()),
            ("protocol 253", raw(253)),
        ):
            packet = v4(C4, S4, segment, ttl=ttl)
            b.reply(
                "T46-08 TTL-02 G4-01 G4-04 G4-06 G4-07",
                f"{name} with TTL {ttl}: 11/0",
                packet,
                "hop_limit",
                own_error4(11, 0, 0, packet),
            )
    for client in (
        C4,
        D4,
        "1.0.0.1",
        "8.8.8.8",
        "100.64.0.1",
        "10.255.255.254",
        "223.255.255.254",
        "192.168.0.255",
        "192.0.3.1",
    ):
        b.forward(
            "T46-09 T46-10 HP-01",
            f"client {client} is embedded, the destination is a pair",
            *up(tcp(), src=client, ident=9),
        )
        b.forward(
            "T46-09 T46-10",
            f"client {client} to the second pair",
            *up(udp(), src=client, dst=T4, to=T6),
        )
    for flags, extra in ((0x8000, {}), (0xC000, {"df": True})):
        b.forward(
            "T46-18",
            f"flags word 0x{flags:04x}: the reserved bit is ignored",
            *up(udp(), reserved=True, **extra),
        )
    b.forward("F46-01 F46-02", "DF=1 adds nothing to a small packet", *up(tcp(), df=True))
    b.forward(
        "T46-25 ALG-01",
        "MSS 1460 in a SYN is left alone",
        *up(tcp(b"", flags=2, ack=0, options=b"\x02\x04\x05\xb4")),
    )
    b.forward(
        "ALG-01 ALG-02",
        "addresses inside of the payload are left alone",
        *up(tcp(b"PORT 192,0,2,1,19,137\r\n", dport=21)),
    )
    b.forward(
        "ALG-03",
        "ESP inside of UDP port 4500 passes",
        *up(udp(b"\x01\x02\x03\x04" * 8, sport=4500, dport=4500)),
    )
    b.forward(
        "T46-01",
        "another Identification changes nothing in a whole packet",
        *up(udp(), ident=0xFFFF),
    )


def protocols(b):
    for proto in (
        3,
        4,
        8,
        27,
        41,
        47,
        50,
        51,
        59,
        88,
        89,
        94,
        103,
        108,
        112,
        115,
        132,
        137,
        142,
        253,
        254,
        255,
    ):
        b.forward(
            "T46-06 T46-07 L4-10",
            f"protocol {proto} passes with its bytes unchanged",
            *up(raw(proto)),
        )
    for proto in (0, 43, 44, 58, 60, 135, 139, 140):
        b.drop(
            "T46-19",
            f"protocol {proto} means something else in IPv6",
            v4(C4, S4, raw(proto)),
            "v6only_proto",
        )
    b.drop(
        "T46-19",
        "an ICMPv6 echo request inside IPv4",
        v4(C4, S4, raw(58, b"\x80\x00\x00\x00\x12\x34\x00\x01")),
        "v6only_proto",
    )
    b.drop("T46-19", "IGMP", v4(C4, S4, raw(2, b"\x16\x00\x00\x00\xe0\x00\x00\xfb")), "igmp")
    b.drop("T46-19", "IGMP is dropped before the lookup", v4(C4, UNMAPPED4, raw(2)), "igmp")
    b.drop(
        "T46-19",
        "protocol 58 is dropped before the TTL is looked at",
        v4(C4, S4, raw(58), ttl=1),
        "v6only_proto",
    )
    b.drop(
        "T46-19",
        "protocol 44 is dropped before the lookup",
        v4(C4, UNMAPPED4, raw(44)),
        "v6only_proto",
    )
    b.drop(
        "T46-19",
        "protocol 60 in a fragment",
        v4(C4, S4, raw(60, bytes(16)), mf=True),
        "v6only_proto",
    )


def options(b):
    for name, opts in (
        ("one NOP", NOP),
        ("four NOPs", NOP * 4),
        ("end of list", END * 4),
        ("record route", RECORD_ROUTE),
        ("timestamp", TIMESTAMP),
        ("router alert", ROUTER_ALERT),
        ("security", SECURITY),
        ("stream id", STREAM_ID),
        ("unknown option 30", b"\x1e\x04\xab\xcd"),
        ("unknown copied option 222", b"\xde\x02\x01\x01"),
        ("40 bytes of NOP", NOP * 40),
        ("record route of 39 bytes", b"\x07\x27\x04" + bytes(36) + NOP),
        ("alert and timestamp", ROUTER_ALERT + TIMESTAMP),
    ):
        for segment in (tcp(), Echo()) if "NOPs" not in name else (udp(), raw(132)):
            kind = {6: "TCP", 17: "UDP", 132: "SCTP", None: "echo"}[segment.proto]
            b.forward("T46-01 T46-05 T46-13", f"{kind} behind {name}", *up(segment, options=opts))
    b.forward(
        "T46-15",
        "what follows the end of the list is not read",
        *up(udp(), options=END + b"\x07\x00\x07"),
    )
    b.forward(
        "T46-14 T46-15",
        "a source route behind the end of the list is not read",
        *up(udp(), options=END + source_route(131, 4)),
    )
    for kind in (131, 137):
        for pointer, size in ((4, 7), (7, 7), (4, 11), (8, 11), (11, 11)):
            packet = v4(C4, S4, udp(), options=source_route(kind, pointer, size))
            b.reply(
                "T46-14 G4-10",
                f"source route {kind}, pointer {pointer} of {size}: 3/5",
                packet,
                "source_route",
                own_error4(3, 5, 0, packet),
            )
        for pointer, size in ((8, 7), (12, 11), (255, 7)):
            b.forward(
                "T46-14",
                f"expired source route {kind}, pointer {pointer} of {size}",
                *up(udp(), options=source_route(kind, pointer, size)),
            )
        packet = v4(C4, S4, tcp(), options=NOP + source_route(kind, 4))
        b.reply(
            "T46-14",
            f"source route {kind} behind a NOP",
            packet,
            "source_route",
            own_error4(3, 5, 0, packet),
        )
        packet = v4(C4, S4, tcp(), options=ROUTER_ALERT + RECORD_ROUTE + source_route(kind, 4))
        b.reply(
            "T46-14",
            f"source route {kind} behind two other options",
            packet,
            "source_route",
            own_error4(3, 5, 0, packet),
        )
    route = source_route(131, 4)
    packet = v4(C4, S4, udp(), options=route, ttl=1)
    b.reply(
        "T46-14 T46-08",
        "TTL is looked at before source routes",
        packet,
        "hop_limit",
        own_error4(11, 0, 0, packet),
    )
    packet = v4(C4, UNMAPPED4, udp(), options=route)
    b.reply(
        "T46-14 T46-23",
        "the lookup comes before source routes",
        packet,
        "no_mapping",
        own_error4(3, 13, 0, packet),
    )
    b.drop(
        "T46-14 G4-03",
        "source route in a later fragment: silent",
        v4(C4, S4, raw(17, bytes(16)), options=route, offset=4),
        "source_route",
    )
    packet = v4(C4, S4, udp(b"\x11" * 24), options=route, mf=True)
    b.reply(
        "T46-14 G4-03",
        "source route in a first fragment: 3/5",
        packet,
        "source_route",
        own_error4(3, 5, 0, packet),
    )
    quoted, _ = quote46(udp())
    b.drop(
        "T46-14 G4-03",
        "source route in an ICMP error: silent",
        error4(11, 0, 0, quoted, options=route),
        "source_route",
    )
    for name, opts in (
        ("length 0", b"\x07\x00\x04\x00"),
        ("length 1", b"\x07\x01\x04\x00"),
        ("length beyond the header", b"\x07\x0b\x04\x00"),
        ("one byte beyond the header", b"\x07\x05\x04\x00"),
        ("no room for the length octet", b"\x01\x01\x01\x07"),
        ("second option of length 0", b"\x94\x04\x00\x00\x44\x00\x00\x00"),
        ("length 255", b"\x1e\xff\x00\x00"),
        ("source route beyond the header", b"\x83\x0b\x04\x00"),
    ):
        b.drop("T46-15", f"option with {name}", v4(C4, S4, udp(), options=opts), "malformed4")
    b.drop(
        "T46-15 G4-03",
        "a malformed option is found before the TTL",
        v4(C4, S4, udp(), options=b"\x07\x00\x00\x00", ttl=1),
        "malformed4",
    )


def validation(b):
    good = v4(C4, S4, udp())
    for size in (1, 4, 19):
        b.drop("T46-16", f"{size} bytes received", good[:size], "malformed4", direction="4to6")
    for size in (20, 21, len(good) - 1):
        b.drop("T46-17", f"{size} of {len(good)} bytes received", good[:size], "malformed4")
    b.forward("T46-17", "one byte behind Total Length is ignored", good + b"\xee", up(udp())[1])
    b.forward("T46-17", "6 bytes behind Total Length are ignored", good + b"\xee" * 6, up(udp())[1])
    b.forward(
        "T46-17",
        "46-byte Ethernet padding behind a bare header",
        v4(C4, S4, b"", 253) + bytes(26),
        v6(C6, S6, b"", 253, hlim=63),
    )
    for name, change in (
        ("checksum 0", {"header_checksum": 0}),
        ("checksum 0xffff", {"header_checksum": 0xFFFF}),
        ("IHL 4", {"ihl": 4}),
        ("IHL 0", {"ihl": 0}),
        ("IHL 15 in 34 bytes", {"ihl": 15}),
        ("Total Length 0", {"total": 0}),
        ("Total Length 19", {"total": 19}),
        ("Total Length 65535", {"total": 65535}),
        ("Total Length 20 with IHL 6", {"total": 20, "options": NOP}),
        ("Total Length 59 with IHL 15", {"total": 59, "options": NOP * 40}),
    ):
        b.drop(
            "T46-16 T46-17 CK-09", f"header with {name}", v4(C4, S4, udp(), **change), "malformed4"
        )
    wrong = bytearray(good)
    wrong[11] ^= 0x01
    b.drop("T46-16 CK-09", "one bit of the header checksum is wrong", bytes(wrong), "malformed4")
    wrong = bytearray(good)
    wrong[8] -= 1
    b.drop("T46-16 CK-09", "TTL changed without the checksum", bytes(wrong), "malformed4")
    b.drop(
        "T46-16 G4-03",
        "no error about a packet with a bad header: TTL 1",
        v4(C4, S4, udp(), ttl=1, header_checksum=0x1234),
        "malformed4",
    )
    b.drop(
        "T46-16 G4-03",
        "no error about a packet with a bad header: no mapping",
        v4(C4, UNMAPPED4, udp(), header_checksum=0x1234),
        "malformed4",
    )
    for version in (0, 5, 7, 15):
        b.drop(
            "T46-16 T64-14",
            f"version {version}",
            v4(C4, S4, udp(), version=version),
            ["malformed4", "malformed6"],
            direction="6to4",
        )


def unmapped(b):
    config("reject_host", unmapped="reject_host")
    config("unmapped_drop", unmapped="drop")
    cases = (
        ("TCP", tcp()),
        ("UDP", udp()),
        ("echo request", Echo()),
        ("protocol 253", raw(253)),
        ("echo reply", Echo(reply=True)),
    )
    for name, segment in cases:
        packet = v4(C4, UNMAPPED4, segment)
        b.reply(
            "T46-23 G4-01",
            f"{name} to an unmapped address: 3/13",
            packet,
            "no_mapping",
            own_error4(3, 13, 0, packet),
        )
        b.reply(
            "T46-23",
            f"{name} to an unmapped address: 3/1 by configuration",
            packet,
            "no_mapping",
            own_error4(3, 1, 0, packet),
            config="reject_host",
        )
        b.drop(
            "T46-23",
            f"{name} to an unmapped address: silence by configuration",
            packet,
            "no_mapping",
            config="unmapped_drop",
        )
    packet = v4(C4, UNMAPPED4, tcp(), ttl=1)
    b.reply(
        "T46-23 T46-08",
        "the lookup comes before the TTL",
        packet,
        "no_mapping",
        own_error4(3, 13, 0, packet),
    )
    packet = v4(C4, C4, udp())
    b.reply(
        "T46-23",
        "a client to itself: no mapping",
        packet,
        "no_mapping",
        own_error4(3, 13, 0, packet),
    )
    packet = v4(S4, UNMAPPED4, udp())
    b.reply(
        "T46-23 SEC-04",
        "the lookup comes before the spoof check",
        packet,
        "no_mapping",
        own_error4(3, 13, 0, packet, to=S4),
    )
    packet = v4(C4, "192.0.2.3", udp())
    b.reply(
        "T46-23",
        "an address beside a pair is not a pair",
        packet,
        "no_mapping",
        own_error4(3, 13, 0, packet),
    )
    b.drop("T46-24", "UDP to the translator's own address", v4(C4, OWN4, udp()), "own_address")


def books():
    b = Book("header46")
    fields(b)
    protocols(b)
    options(b)
    validation(b)
    unmapped(b)
    return [b]
