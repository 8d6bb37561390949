# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 3: ICMPv4 to ICMPv6."""
from book import (
    C4,
    C6,
    D4,
    R4,
    S4,
    S6,
    T4,
    T6,
    Book,
    config,
    embed,
    error4,
    out_error6,
    quote46,
    up,
)
from packets import Echo, counting, cut, icmp, raw, tcp, udp, v4, v6

UNREACHABLE = {
    0: (1, 0, 0),
    1: (1, 0, 0),
    2: (4, 1, 6),
    3: (1, 4, 0),
    5: (1, 0, 0),
    6: (1, 0, 0),
    7: (1, 0, 0),
    8: (1, 0, 0),
    9: (1, 1, 0),
    10: (1, 1, 0),
    11: (1, 0, 0),
    12: (1, 0, 0),
    13: (1, 1, 0),
    15: (1, 1, 0),
}
POINTERS = [0, 1, 4, 4, None, None, None, None, 7, 6, None, None, 8, 8, 8, 8, 24, 24, 24, 24]


def types(b):
    quotes = [quote46(udp()), quote46(tcp()), quote46(Echo(reply=True))]
    names = ("UDP", "TCP", "echo reply")
    for code in list(range(4)) + list(range(5, 20)) + [127, 128, 255]:
        for name, (before, after) in list(zip(names, quotes))[:: 1 + code % 2]:
            if code not in UNREACHABLE:
                if name == "UDP":
                    b.drop(
                        "I46-02",
                        f"3/{code} has no counterpart",
                        error4(3, code, 0, before),
                        "icmp_type",
                    )
                continue
            kind, to_code, word = UNREACHABLE[code]
            b.forward(
                "I46-01 I46-02 I46-08" if code == 2 else "I46-01 I46-02",
                f"3/{code} about {name}: {kind}/{to_code}",
                error4(3, code, 0, before),
                out_error6(kind, to_code, word, after),
            )
    for code in (0, 1, 2, 3, 255):
        for name, (before, after) in zip(names, quotes):
            b.forward(
                "I46-01 I46-02",
                f"11/{code} about {name}: 3/{code}",
                error4(11, code, 0, before),
                out_error6(3, code, 0, after),
            )
    before, after = quotes[0]
    for pointer in list(range(25)) + [39, 40, 59, 60, 127, 128, 254, 255]:
        to = POINTERS[pointer] if pointer < 20 else None
        for code in (0, 2):
            packet = error4(12, code, pointer << 24, before)
            if to is None:
                b.drop(
                    "I46-02",
                    f"12/{code}, pointer {pointer} has no counterpart",
                    packet,
                    "icmp_pointer",
                )
            else:
                b.forward(
                    "I46-01 I46-02",
                    f"12/{code}, pointer {pointer} becomes {to}",
                    packet,
                    out_error6(4, 0, to, after),
                )
    for code in (1, 3, 4, 128, 255):
        b.drop("I46-02", f"12/{code} has no counterpart", error4(12, code, 0, before), "icmp_type")
    for kind in (
        [4, 5]
        + [1, 2, 6, 7, 9, 10]
        + list(range(13, 45))
        + [100, 127, 128, 129, 130, 133, 134, 135, 136, 137, 200, 253, 254, 255]
    ):
        for code in (0, 1, 2, 3) if kind == 5 else (0,):
            b.drop(
                "I46-02",
                f"type {kind} code {code} is not translated",
                error4(kind, code, 0, before),
                "icmp_type",
            )
    for kind, size in ((13, 12), (17, 4), (15, 0)):
        b.drop(
            "I46-02",
            f"type {kind} of its usual size",
            v4(C4, S4, icmp(C4, S4, kind, 0, 0x00010001, bytes(size)), 1),
            "icmp_type",
        )
    b.forward(
        "I46-01",
        "an error to the second pair",
        error4(3, 3, 0, quote46(udp(), T4, T6)[0], dst=T4),
        out_error6(1, 4, 0, quote46(udp(), T4, T6)[1], dst=T6),
    )
    b.forward(
        "I46-01 T46-03",
        "TOS 0xc0 and TTL 250 of an error",
        error4(11, 0, 0, before, tos=0xC0, ttl=250),
        out_error6(3, 0, 0, after, tc=0xC0, hlim=249),
    )
    b.forward(
        "T46-13",
        "an error with IPv4 options of its own",
        error4(11, 0, 0, before, options=b"\x94\x04\0\0"),
        out_error6(3, 0, 0, after),
    )
    b.forward(
        "S91-07",
        "an error from the client itself",
        error4(3, 3, 0, before, src=C4),
        out_error6(1, 4, 0, after, src=C6),
    )
    b.forward(
        "S91-07",
        "an error from a public router",
        error4(11, 0, 0, before, src="8.8.4.4"),
        out_error6(3, 0, 0, after, src=embed("8.8.4.4")),
    )


def unused_words(b):
    before, after = quote46(udp())
    for kind, code, to_kind, to_code in (
        (3, 0, 1, 0),
        (3, 1, 1, 0),
        (3, 3, 1, 4),
        (3, 13, 1, 1),
        (11, 0, 3, 0),
        (11, 1, 3, 1),
    ):
        for word in (0xFF000000, 0x0000FFFF, 0xAB00CDEF, 0x00000594):
            b.forward(
                "I46-09",
                f"{kind}/{code}: the unused word 0x{word:08x} becomes 0",
                error4(kind, code, word, before),
                out_error6(to_kind, to_code, 0, after),
            )
    b.forward(
        "I46-08 I46-09",
        "3/2: the unused word becomes pointer 6",
        error4(3, 2, 0xFF00FFFF, before),
        out_error6(4, 1, 6, after),
    )
    b.forward(
        "I46-09",
        "12/0: what follows the pointer is unused",
        error4(12, 0, 0x0900FFFF, before),
        out_error6(4, 0, 6, after),
    )
    b.forward(
        "I46-05",
        "3/4: the octet before the length is unused",
        error4(3, 4, 0xFF000578, before),
        out_error6(2, 0, 1420, after),
    )


def path_mtu(b):
    config("mtu4_1400", mtu4=1400)
    config("mtu6_1400", mtu6=1400)
    config("mtu_9000", mtu4=9000, mtu6=9000)
    config("mtu_40000", mtu4=40000, mtu6=40000)
    config("mtu6_1280", mtu6=1280)
    big, after = quote46(tcp(counting(1440)), df=True)
    big, after = cut(big, 28), cut(after, 48)
    for mtu in (
        1,
        67,
        68,
        296,
        508,
        576,
        1000,
        1259,
        1260,
        1261,
        1280,
        1400,
        1460,
        1479,
        1480,
        1481,
        1492,
        1499,
        1500,
        1501,
        4352,
        9000,
        9001,
        32000,
        65535,
    ):
        for name, mtu4, mtu6 in (
            ("default", 1500, 1500),
            ("mtu4_1400", 1400, 1500),
            ("mtu6_1400", 1500, 1400),
            ("mtu_9000", 9000, 9000),
            ("mtu6_1280", 1500, 1280),
        ):
            if name != "default" and mtu not in (68, 1280, 1400, 1480, 1500, 9000, 65535):
                continue
            to = max(1280, min(mtu + 20, mtu6, mtu4 + 20))
            b.forward(
                "I46-05 I46-07" if mtu < 69 else "I46-05 PM-02",
                f"3/4 with MTU {mtu}: 2/0 with {to}",
                error4(3, 4, mtu, big),
                out_error6(2, 0, to, after),
                config=name,
            )
    # I46-06, quoted Total Length -> plateau -> MTU, with both MTUs at 40000.
    plateaus = (
        (68, None),
        (576, None),
        (1006, None),
        (1280, None),
        (1300, None),
        (1480, None),
        (1492, None),
        (1493, 1492),
        (1500, 1492),
        (2002, 1492),
        (2003, 2002),
        (4352, 2002),
        (4353, 4352),
        (8166, 4352),
        (8167, 8166),
        (9000, 8166),
        (17914, 8166),
        (17915, 17914),
        (32000, 17914),
        (32001, 32000),
        (65535, 32000),
    )
    for total, plateau in plateaus:
        quoted = v4(S4, C4, tcp(b"\x77" * (total - 40)), ttl=60, df=True)
        sent = v6(S6, C6, tcp(b"\x77" * (total - 40)), hlim=60)
        for name, limit4, limit6 in (
            ("mtu_40000", 40000, 40000),
            ("default", 1500, 1500),
            ("mtu_9000", 9000, 9000),
        ):
            if name == "mtu_9000" and total != 9000:
                continue
            to = 1280 if plateau is None else max(1280, min(plateau + 20, limit6, limit4 + 20))
            b.forward(
                "I46-06 PM-02",
                f"3/4 with MTU 0 about {total} bytes: 2/0 with {to}",
                error4(3, 4, 0, cut(quoted, 28)),
                out_error6(2, 0, to, cut(sent, 48)),
                config=name,
            )


def echo(b):
    for reply in (False, True):
        name = "reply" if reply else "request"
        for size in (0, 1, 2, 3, 8, 55, 56, 57, 1000, 1231, 1232, 1452):
            b.forward(
                "I46-01 I46-10 CK-06",
                f"echo {name} with {size} bytes",
                *up(Echo(counting(size), reply), df=size > 1232),
            )
        for code in (1, 128, 255):
            b.forward(
                "I46-02 I46-10 CK-06",
                f"echo {name}, code {code} is kept",
                *up(Echo(reply=reply, code=code)),
            )
        for ident, seq in ((0, 0), (0xFFFF, 0xFFFF), (0, 0xFFFF), (1, 0)):
            b.forward(
                "I46-02 I46-10",
                f"echo {name}, identifier {ident}, sequence {seq}",
                *up(Echo(reply=reply, ident=ident, seq=seq)),
            )
        b.forward(
            "I46-02",
            f"echo {name} from another client to the second pair",
            *up(Echo(reply=reply), D4, T4, T6),
        )
        for offset in (5, 8, 12):
            b.forward(
                "I46-03 L4-12",
                f"echo {name} damaged at byte {offset}: still wrong",
                *up(Echo(counting(32), reply).damaged(offset, 0x10)),
                checksum="wrong",
            )


def malformed(b):
    before, _ = quote46(udp())
    for size in range(8):
        b.drop(
            "I46-04",
            f"{size} bytes of ICMP",
            v4(C4, S4, b"\x08\0\xf7\xff\0\0\0"[:size], 1),
            "icmp_malformed",
        )
    good = icmp(R4, S4, 11, 0, 0, before)
    for at, xor in ((1, 1), (2, 0x80), (7, 1), (9, 4), (len(good) - 1, 1)):
        wrong = bytearray(good)
        wrong[at] ^= xor
        b.drop(
            "I46-03",
            f"ICMP error damaged at byte {at}",
            v4(R4, S4, bytes(wrong), 1),
            "icmp_checksum",
        )
    short = ["icmp_malformed", "icmp_quote"]
    for size in (0, 1, 12, 19):
        b.drop("I46-04", f"{size} bytes quoted", error4(11, 0, 0, cut(before, size)), short)
    b.drop(
        "I46-04",
        "quoted IHL 6 with 20 bytes there",
        error4(11, 0, 0, cut(quote46(udp(), options=b"\x01")[0], 20)),
        short,
    )
    b.drop(
        "I46-04",
        "quoted IHL 15 with 59 bytes there",
        error4(11, 0, 0, cut(quote46(udp(), options=b"\x01" * 40)[0], 59)),
        short,
    )
    for name, change in (
        ("version 6", {"version": 6}),
        ("version 0", {"version": 0}),
        ("IHL 4", {"ihl": 4}),
        ("IHL 0", {"ihl": 0}),
    ):
        b.drop(
            "I46-04",
            f"quoted header with {name}",
            error4(3, 3, 0, v4(S4, C4, udp(), **change)),
            "icmp_quote",
        )
    for name, quoted in (
        ("another client's", v4(D4, C4, udp())),
        ("the other server's", v4(T4, C4, udp())),
        ("an unmapped host's", v4("192.0.2.77", C4, udp())),
        ("the packet to the server", v4(C4, S4, udp())),
    ):
        for kind, code, word in ((3, 3, 0), (3, 4, 1400), (11, 0, 0)):
            b.drop(
                "I46-11 PM-09",
                f"{kind}/{code} quotes {name}",
                error4(kind, code, word, quoted),
                "icmp_mismatch",
            )
    b.forward(
        "I46-04 INN-06",
        "20 bytes quoted: a header only",
        error4(11, 0, 0, cut(before, 20)),
        out_error6(3, 0, 0, cut(quote46(udp())[1], 40)),
    )
    b.forward(
        "I46-04",
        "quoted protocol 253 of no data",
        error4(3, 2, 0, quote46(raw(253, b""))[0]),
        out_error6(4, 1, 6, quote46(raw(253, b""))[1]),
    )


def books():
    b = Book("icmp46")
    types(b)
    unused_words(b)
    path_mtu(b)
    echo(b)
    malformed(b)
    return [b]
