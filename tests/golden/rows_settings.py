# SPDX-License-Identifier: BSD-2-Clause
"""Rows for settings that no other file has changed."""
from book import (
    C4,
    C6,
    OWN4,
    S4,
    S6,
    UNMAPPED4,
    Book,
    config,
    down,
    embed,
    own_error4,
    own_error6,
    up,
)
from packets import Echo, counting, tcp, udp, v4, v6

SYN, SYN_ACK, ACK, RST = 0x02, 0x12, 0x10, 0x04


def mss(value):
    return b"\x02\x04" + value.to_bytes(2, "big")


def clamp(b):
    config("mss_1220", tcp_mss_clamp=1220)
    config("mss_auto", tcp_mss_clamp="auto")
    layouts = (
        ("alone", b"", b""),
        ("behind a NOP", b"\x01", b"\x01\x01\x01"),
        ("behind two NOPs", b"\x01\x01", b"\x04\x02"),
        ("before others", b"", b"\x04\x02\x08\x0a" + bytes(8) + b"\x01\x03\x03\x07"),
        (
            "behind SACK permitted and timestamps",
            b"\x04\x02\x08\x0a" + bytes(8),
            b"\x01\x03\x03\x07" + b"\x01\x01",
        ),
    )
    for name, first, rest in layouts:
        for flags in (SYN, SYN_ACK):
            for value in (1460, 1221, 1220, 536):
                old = tcp(b"", flags=flags, options=first + mss(value) + rest)
                new = tcp(b"", flags=flags, options=first + mss(min(value, 1220)) + rest)
                b.forward(
                    "T46-25",
                    f"MSS {value} {name}, flags 0x{flags:02x}, at most 1220",
                    v4(C4, S4, old),
                    v6(C6, S6, new, hlim=63),
                    config="mss_1220",
                )
                if name in ("alone", "behind a NOP"):
                    b.forward(
                        "T46-25",
                        f"MSS {value} {name}, flags 0x{flags:02x}, at most 1220, 6to4",
                        v6(S6, C6, old),
                        down(new)[1],
                        config="mss_1220",
                    )
    for flags in (ACK, RST, 0):
        b.forward(
            "T46-25",
            f"no SYN (flags 0x{flags:02x}): the option is left alone",
            *up(tcp(b"", flags=flags, options=mss(1460))),
            config="mss_1220",
        )
    for name, options in (
        ("no options", b""),
        ("no MSS option", b"\x04\x02\x01\x01"),
        ("an MSS behind the end of the list", b"\0" + mss(1460) + b"\0\0\0"),
        ("an option of length 0", b"\x08\x00" + mss(1460) + b"\0\0"),
        ("an MSS option cut off", b"\x01\x01\x02\x04"),
        ("an MSS option of length 3", b"\x02\x03\x05\x01"),
        ("an MSS option of length 255", b"\x02\xff\x05\xb4"),
    ):
        b.forward(
            "T46-25",
            f"SYN with {name}: unchanged",
            *up(tcp(b"", flags=SYN, options=options)),
            config="mss_1220",
        )
    for value in (1460, 1441, 1440, 1000):
        old, new = (tcp(b"", flags=SYN, options=mss(x)) for x in (value, min(value, 1440)))
        b.forward(
            "T46-25",
            f"MSS {value}, automatic: at most 1440",
            v4(C4, S4, old),
            v6(C6, S6, new, hlim=63),
            config="mss_auto",
        )
        b.forward(
            "T46-25",
            f"MSS {value}, automatic: at most 1440, 6to4",
            v6(S6, C6, old),
            down(new)[1],
            config="mss_auto",
        )
    for value in (1460, 65535):
        syn = tcp(b"", flags=SYN, options=mss(value))
        b.forward("T46-25", f"MSS {value} by default: unchanged", *up(syn))
        b.forward("T46-25", f"MSS {value} by default: unchanged, 6to4", *down(syn))


def limits(b):
    for name, rate in (
        ("no_limit", {"per_second": 0}),
        ("one", {"per_second": 1, "burst": 1, "per_source_per_second": 0}),
        ("one_per_source", {"per_source_per_second": 1, "per_source_burst": 1}),
    ):
        config(name, **rate)
        packet = v4(C4, UNMAPPED4, udp())
        b.reply(
            "G4-02 G4-09",
            f"the first error is sent: {rate}",
            packet,
            "no_mapping",
            own_error4(3, 13, 0, packet),
            config=name,
        )
        packet = v6(S6, C6, udp(), hlim=1)
        b.reply(
            "G6-03 G6-07",
            f"the first ICMPv6 error is sent: {rate}",
            packet,
            "hop_limit",
            own_error6(3, 0, 0, packet),
            config=name,
        )


def others(b):
    own = config("own", own4="192.0.0.8", own6=embed("192.0.0.8"), pool4=[])
    packet = v4(C4, S4, udp(), ttl=1)
    b.reply(
        "G4-04 T46-24",
        "own4 192.0.0.8, the default: source of errors",
        packet,
        "hop_limit",
        own_error4(11, 0, 0, packet, src="192.0.0.8"),
        config=own,
    )
    packet = v6(S6, C6, udp(), hlim=1)
    b.reply(
        "G6-05 T46-24",
        "own6 inside of the prefix, the default: source of errors",
        packet,
        "hop_limit",
        own_error6(3, 0, 0, packet, src=embed("192.0.0.8")),
        config=own,
    )
    b.reply(
        "T46-24",
        "own6 inside of the prefix answers echo requests",
        v6(S6, embed("192.0.0.8"), Echo()),
        None,
        v6(embed("192.0.0.8"), S6, Echo(reply=True), hlim=64),
        config=own,
    )
    b.forward(
        "DC-09",
        "no second pair needed",
        *up(tcp(counting(100))),
        config=config("one_pair", pairs=[[S4, S6]]),
    )
    packet = v4(C4, S4, udp())
    b.reply(
        "T46-23",
        "an empty table",
        packet,
        "no_mapping",
        own_error4(3, 13, 0, packet),
        config=config("empty", pairs=[]),
    )
    b.drop(
        "T64-22 G6-01",
        "an empty table, echo request",
        v6(S6, C6, Echo()),
        "no_mapping",
        config="empty",
    )
    packet = v6(S6, C6, udp())
    b.reply(
        "T64-22",
        "an empty table, 6to4",
        packet,
        "no_mapping",
        own_error6(1, 1, 0, packet),
        config="empty",
    )
    for dscp in (0, 1, 63):
        name = config(f"dscp_{dscp}", traffic_class=dscp)
        for ecn in range(4):
            b.forward(
                "T46-04 ECN-02",
                f"DSCP {dscp}, ECN {ecn}",
                *up(udp(), tos=0x28 | ecn, tc=dscp << 2 | ecn),
                config=name,
            )
            b.forward(
                "T64-02 ECN-02",
                f"DSCP {dscp}, ECN {ecn}, 6to4",
                *down(udp(), tc=0x28 | ecn, tos=dscp << 2 | ecn),
                config=name,
            )
    b.drop("T46-24", "TCP to own4", v4(C4, OWN4, tcp()), "own_address")


def books():
    b = Book("settings")
    for rows in (clamp, limits, others):
        rows(b)
    return [b]
