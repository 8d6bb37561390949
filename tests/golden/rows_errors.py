# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 8, T46-24: what the translator itself says and when it keeps silent."""
from book import (
    C4,
    C6,
    D4,
    OWN4,
    OWN6,
    S4,
    S6,
    T6,
    UNMAPPED4,
    UNMAPPED6,
    Book,
    config,
    error4,
    error6,
    own_error4,
    own_error6,
    quote46,
    quote64,
)
from packets import Echo, counting, icmp, options_header, raw, tcp, udp, v4, v6


def sizes(b):
    for size in (20, 21, 28, 547, 548, 549, 576, 1280, 1500):
        packet = v4(C4, S4, raw(253, counting(size - 20)), ttl=1)
        b.reply(
            "G4-05",
            f"11/0 about {size} bytes: at most 576",
            packet,
            "hop_limit",
            own_error4(11, 0, 0, packet),
        )
    packet = v4(C4, S4, udp(counting(1972)), ttl=1)
    b.reply(
        "G4-05 SEC-08",
        "11/0 about 2000 bytes: 576",
        packet,
        "hop_limit",
        own_error4(11, 0, 0, packet),
    )
    packet = v4(C4, UNMAPPED4, udp(counting(1972)))
    b.reply(
        "G4-05", "3/13 about 2000 bytes: 576", packet, "no_mapping", own_error4(3, 13, 0, packet)
    )
    for size in (40, 41, 1231, 1232, 1233, 1280, 1500):
        packet = (
            v6(S6, C6, raw(253, counting(size - 40)), hlim=1)
            if size > 40
            else v6(S6, C6, b"", 59, hlim=1)
        )
        b.reply(
            "G6-06 SEC-08",
            f"3/0 about {size} bytes: at most 1280",
            packet,
            "hop_limit",
            own_error6(3, 0, 0, packet),
        )
    packet = v6(UNMAPPED6, C6, udp(counting(1452)))
    b.reply(
        "G6-06",
        "1/1 about 1500 bytes: 1280",
        packet,
        "no_mapping",
        own_error6(1, 1, 0, packet, to=UNMAPPED6),
    )
    for tos in (0x00, 0xB9, 0x03, 0xE0):
        packet = v4(C4, S4, udp(), ttl=1, tos=tos, ident=0xABCD, df=True, options=b"\x94\x04\0\0")
        b.reply(
            "G4-05 G4-06 G4-07 G4-10 G4-11",
            f"TOS 0x{tos:02x}: the error has 0xc0, TTL 64, the quote is as received",
            packet,
            "hop_limit",
            own_error4(11, 0, 0, packet),
        )
    for tc in (0x00, 0xB9, 0xFF):
        packet = v6(S6, C6, udp(), hlim=1, tc=tc, flow=0xABCDE)
        b.reply(
            "G6-05 G6-09 TTL-07",
            f"Traffic Class 0x{tc:02x}: the quote is as received",
            packet,
            "hop_limit",
            own_error6(3, 0, 0, packet),
        )
    packet = v6(T6, C6, options_header(17) + udp().on(T6, C6), 0, hlim=1)
    b.reply(
        "G6-06",
        "extension headers are quoted too",
        packet,
        "hop_limit",
        own_error6(3, 0, 0, packet, to=T6),
    )
    packet = v4(D4, S4, udp(zero=True), ttl=1)
    b.reply(
        "G4-05",
        "UDP checksum 0 is quoted as it is",
        packet,
        "hop_limit",
        own_error4(11, 0, 0, packet, to=D4),
    )
    packet = v4(C4, S4, tcp().damaged(22), ttl=1)
    b.reply(
        "G4-05",
        "a wrong TCP checksum is quoted as it is",
        packet,
        "hop_limit",
        own_error4(11, 0, 0, packet),
    )
    for hlim in (0, 255):
        packet = v4(C4, UNMAPPED4, udp(), ttl=hlim)
        b.reply(
            "G4-06",
            f"own TTL 64 for a packet with TTL {hlim}",
            packet,
            "no_mapping",
            own_error4(3, 13, 0, packet),
        )


def silent4(b):
    for kind in (0, 8, 13, 14, 15, 16, 17, 18):
        packet = v4(C4, S4, icmp(C4, S4, kind, 0, 0x00010001, bytes(12)), 1, ttl=1)
        b.reply(
            "G4-03 G4-01",
            f"ICMP query of type {kind} with TTL 1: 11/0",
            packet,
            "hop_limit",
            own_error4(11, 0, 0, packet),
        )
        packet = v4(C4, UNMAPPED4, icmp(C4, UNMAPPED4, kind, 0, 0x00010001, bytes(12)), 1)
        b.reply(
            "G4-03 G4-01",
            f"ICMP query of type {kind} without mapping: 3/13",
            packet,
            "no_mapping",
            own_error4(3, 13, 0, packet),
        )
    for kind in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 19, 30, 40, 41, 42, 43, 44, 127, 255):
        quoted = quote46(udp())[0]
        b.drop(
            "G4-03",
            f"ICMP of type {kind} with TTL 1: silent",
            error4(kind, 0, 0, quoted, ttl=1),
            "hop_limit",
        )
        b.drop(
            "G4-03",
            f"ICMP of type {kind} without mapping: silent",
            error4(kind, 0, 0, v4(UNMAPPED4, C4, udp()), dst=UNMAPPED4),
            "no_mapping",
        )
    for dst in ("224.0.0.1", "239.255.255.255", "255.255.255.255", "240.0.0.1"):
        b.drop("G4-03 TTL-02", f"TTL 1 to {dst}: silent", v4(C4, dst, udp(), ttl=1), "martian4")
    for src in (
        "0.0.0.0",
        "0.1.2.3",
        "127.0.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "169.254.1.1",
    ):
        b.drop("G4-03 T46-11", f"TTL 1 from {src}: silent", v4(src, S4, udp(), ttl=1), "martian4")
        b.drop(
            "G4-03 T46-11", f"no mapping, from {src}: silent", v4(src, UNMAPPED4, udp()), "martian4"
        )


def silent6(b):
    quoted = quote64(udp())[0]
    for kind in (1, 2, 3, 4, 5, 100, 127):
        b.drop(
            "G6-02 G6-04",
            f"ICMPv6 error {kind} with hop limit 1: silent",
            error6(kind, 0, 0, quoted, hlim=1),
            "hop_limit",
        )
    for kind in (128, 129):
        packet = v6(S6, C6, icmp(S6, C6, kind, 0, 0x00010001, bytes(12)), 58, hlim=1)
        b.reply(
            "G6-02",
            f"ICMPv6 {kind} with hop limit 1: 3/0",
            packet,
            "hop_limit",
            own_error6(3, 0, 0, packet),
        )
    b.drop(
        "G6-04",
        "redirect with hop limit 1: silent",
        v6(S6, C6, icmp(S6, C6, 137, 0, 0, bytes(32)), 58, hlim=1),
        ["hop_limit", "icmp_type"],
    )
    for kind in (128, 129, 130, 135, 143):
        b.drop(
            "G6-01",
            f"ICMPv6 {kind} without a pair: silent",
            v6(UNMAPPED6, C6, icmp(UNMAPPED6, C6, kind, 0, 0, bytes(16)), 58),
            "no_mapping",
        )
    for src in ("::", "::1", "ff02::1", "fe80::1"):
        b.drop(
            "G6-04 T64-15",
            f"hop limit 1 from {src}: silent",
            v6(src, C6, udp(), hlim=1),
            "martian6",
        )
    for dst in ("ff02::1", "ff0e::1"):
        b.drop("G6-04", f"hop limit 1 to {dst}: silent", v6(S6, dst, udp(), hlim=1), "martian6")
    b.drop(
        "G6-04",
        "no error about a packet to nobody",
        v6(UNMAPPED6, "2001:db8:77::1", udp(), hlim=1),
        "not_for_us",
    )


def own_echo(b):
    for size in (0, 1, 2, 56, 57, 1000, 1400):
        b.reply(
            "T46-24",
            f"echo request of {size} bytes to own4",
            v4(C4, OWN4, Echo(counting(size))),
            None,
            v4(OWN4, C4, Echo(counting(size), True), ttl=64, ident=None),
        )
        b.reply(
            "T46-24",
            f"echo request of {size} bytes to own6",
            v6(S6, OWN6, Echo(counting(size))),
            None,
            v6(OWN6, S6, Echo(counting(size), True), hlim=64),
        )
    for tos in (0x01, 0xB8, 0xFF):
        b.reply(
            "T46-24",
            f"TOS 0x{tos:02x} is copied to the echo reply",
            v4(C4, OWN4, Echo(), tos=tos),
            None,
            v4(OWN4, C4, Echo(reply=True), ttl=64, tos=tos, ident=None),
        )
        b.reply(
            "T46-24",
            f"Traffic Class 0x{tos:02x} is copied to the echo reply, flow label 0",
            v6(S6, OWN6, Echo(), tc=tos, flow=0x12345),
            None,
            v6(OWN6, S6, Echo(reply=True), hlim=64, tc=tos),
        )
    for ttl in (1, 2, 255):
        b.reply(
            "T46-24 TTL-07",
            f"echo request with TTL {ttl} to own4: it has arrived",
            v4(D4, OWN4, Echo(), ttl=ttl),
            None,
            v4(OWN4, D4, Echo(reply=True), ttl=64, ident=None),
        )
        b.reply(
            "T46-24 TTL-07",
            f"echo request with hop limit {ttl} to own6: it has arrived",
            v6(T6, OWN6, Echo(), hlim=ttl),
            None,
            v6(OWN6, T6, Echo(reply=True), hlim=64),
        )
    b.reply(
        "T46-24",
        "echo request to own6 from a host without a pair",
        v6(UNMAPPED6, OWN6, Echo()),
        None,
        v6(OWN6, UNMAPPED6, Echo(reply=True), hlim=64),
    )
    b.reply(
        "T46-24",
        "echo request with DF=1",
        v4(C4, OWN4, Echo(), df=True),
        None,
        v4(OWN4, C4, Echo(reply=True), ttl=64, ident=None),
    )
    for name, packet in (
        ("TCP", v4(C4, OWN4, tcp())),
        ("UDP", v4(C4, OWN4, udp())),
        ("protocol 253", v4(C4, OWN4, raw(253))),
        ("an echo reply", v4(C4, OWN4, Echo(reply=True))),
        ("a timestamp request", v4(C4, OWN4, icmp(C4, OWN4, 13, 0, 0, bytes(12)), 1)),
        ("an ICMP error", error4(11, 0, 0, v4(OWN4, C4, udp()), dst=OWN4)),
    ):
        b.drop("T46-24", f"{name} to own4 is ignored", packet, "own_address")
    for name, packet in (
        ("TCP", v6(S6, OWN6, tcp())),
        ("UDP", v6(S6, OWN6, udp())),
        ("protocol 253", v6(S6, OWN6, raw(253))),
        ("an echo reply", v6(S6, OWN6, Echo(reply=True))),
        ("a neighbour solicitation", v6(S6, OWN6, icmp(S6, OWN6, 135, 0, 0, bytes(16)), 58)),
        ("an ICMPv6 error", error6(3, 0, 0, v6(OWN6, S6, udp()), src=S6, dst=OWN6)),
    ):
        b.drop("T46-24", f"{name} to own6 is ignored", packet, "own_address")
    b.drop(
        "T46-24 F46-12",
        "fragment of an echo request to own4",
        v4(C4, OWN4, Echo(counting(56)), mf=True),
        ["own_address", "frag_icmp"],
    )
    b.drop(
        "T46-24",
        "4 bytes of ICMP to own4",
        v4(C4, OWN4, b"\x08\0\xf7\xff", 1),
        ["icmp_malformed", "own_address"],
    )
    b.drop(
        "T46-24 T46-11",
        "echo request from 127.0.0.1 to own4",
        v4("127.0.0.1", OWN4, Echo()),
        "martian4",
    )
    b.drop(
        "T46-24 T64-15",
        "echo request from fe80::1 to own6",
        v6("fe80::1", OWN6, Echo()),
        "martian6",
    )


def switches(b):
    config("no_unreachable", send_unreachable=False)
    config("no_parameter_problem", send_parameter_problem=False)
    off, on = "no_unreachable", "no_parameter_problem"
    b.drop("G4-02", "3/13 switched off", v4(C4, UNMAPPED4, udp()), "no_mapping", config=off)
    b.drop(
        "G4-02",
        "3/5 switched off",
        v4(C4, S4, udp(), options=b"\x83\x07\x04" + bytes(4)),
        "source_route",
        config=off,
    )
    b.drop("G6-03", "1/1 switched off", v6(UNMAPPED6, C6, udp()), "no_mapping", config=off)
    route = v6(S6, C6, b"\x11\x00\x04\x01\0\0\0\0" + udp().on(S6, C6), 43)
    b.drop("G6-03", "4/0 switched off", route, "routing_header", config=on)
    b.reply(
        "G6-03",
        "4/0 is not an unreachable",
        route,
        "routing_header",
        own_error6(4, 0, 43, route),
        config=off,
    )
    for name in (off, on):
        packet = v4(C4, S4, udp(), ttl=1)
        b.reply(
            "G4-02",
            "11/0 cannot be switched off",
            packet,
            "hop_limit",
            own_error4(11, 0, 0, packet),
            config=name,
        )
        packet = v4(C4, S4, udp(counting(1472)), df=True)
        b.reply(
            "G4-02",
            "3/4 cannot be switched off",
            packet,
            "too_big",
            own_error4(3, 4, 1480, packet),
            config=name,
        )
        packet = v6(S6, C6, udp(), hlim=1)
        b.reply(
            "G6-03",
            "3/0 cannot be switched off",
            packet,
            "hop_limit",
            own_error6(3, 0, 0, packet),
            config=name,
        )
        packet = v6(S6, C6, udp(counting(1473)))
        b.reply(
            "G6-03",
            "2/0 cannot be switched off",
            packet,
            "too_big",
            own_error6(2, 0, 1520, packet),
            config=name,
        )
    packet = v4(C4, UNMAPPED4, udp())
    b.reply(
        "G4-02",
        "3/13 is not a parameter problem",
        packet,
        "no_mapping",
        own_error4(3, 13, 0, packet),
        config=on,
    )
    b.reply(
        "T46-24",
        "echo replies are not errors",
        v4(C4, OWN4, Echo()),
        None,
        v4(OWN4, C4, Echo(reply=True), ttl=64, ident=None),
        config=off,
    )


def books():
    b = Book("own_errors")
    for rows in (sizes, silent4, silent6, own_echo, switches):
        rows(b)
    return [b]
