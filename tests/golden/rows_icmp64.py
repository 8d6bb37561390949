# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 7: ICMPv6 to ICMPv4."""
from book import (
    C4,
    C6,
    D4,
    R6,
    S4,
    S6,
    T4,
    T6,
    UNMAPPED6,
    Book,
    config,
    down,
    embed,
    error6,
    out_error4,
    quote64,
)
from packets import Echo, counting, cut, fragment_header, icmp, raw, tcp, udp, v4, v6

UNREACHABLE = {0: 1, 1: 10, 2: 1, 3: 1, 4: 3}
POINTERS = {
    0: 0,
    1: 1,
    4: 2,
    5: 2,
    6: 9,
    7: 8,
    **dict.fromkeys(range(8, 24), 12),
    **dict.fromkeys(range(24, 40), 16),
}
QUOTES = (("UDP", quote64(udp())), ("TCP", quote64(tcp())), ("echo request", quote64(Echo())))


def types(b):
    for code in list(range(12)) + [127, 128, 255]:
        for name, (before, after) in QUOTES:
            if code in UNREACHABLE:
                b.forward(
                    "I64-01",
                    f"1/{code} about {name}: 3/{UNREACHABLE[code]}",
                    error6(1, code, 0, before),
                    out_error4(3, UNREACHABLE[code], 0, after),
                )
            elif name == "UDP":
                b.drop(
                    "I64-06" if code in (5, 6) else "I64-01",
                    f"1/{code} has no counterpart",
                    error6(1, code, 0, before),
                    "icmp_type",
                )
    for code in (0, 1, 2, 5, 255):
        for name, (before, after) in QUOTES:
            b.forward(
                "I64-01",
                f"3/{code} about {name}: 11/{code}",
                error6(3, code, 0, before),
                out_error4(11, code, 0, after),
            )
    before, after = QUOTES[0][1]
    for pointer in list(range(46)) + [48, 63, 255, 256, 0x106, 0x01000006, 0x06000000, 0xFFFFFFFF]:
        packet = error6(4, 0, pointer, before)
        if pointer in POINTERS:
            b.forward(
                "I64-05",
                f"4/0, pointer {pointer} becomes {POINTERS[pointer]}",
                packet,
                out_error4(12, 0, POINTERS[pointer] << 24, after),
            )
        else:
            b.drop("I64-05", f"4/0, pointer {pointer} has no counterpart", packet, "icmp_pointer")
    for pointer in (0, 6, 40, 42, 0xFFFFFFFF):
        for name, (before, after) in QUOTES:
            b.forward(
                "I64-05",
                f"4/1 about {name}, pointer {pointer}: 3/2, word 0",
                error6(4, 1, pointer, before),
                out_error4(3, 2, 0, after),
            )
    before, after = QUOTES[0][1]
    for code in (2, 3, 4, 10, 128, 255):
        b.drop("I64-01", f"4/{code} has no counterpart", error6(4, code, 6, before), "icmp_type")
    for kind in [0, 5, 6, 50, 99, 100, 101, 102, 126, 127]:
        b.drop(
            "I64-01 G6-04",
            f"unknown error type {kind}",
            error6(kind, 0, 0, before, src=S6),
            "icmp_type",
        )
    for kind in list(range(130, 163)) + [199, 200, 201, 253, 254, 255]:
        b.drop(
            "I64-01",
            f"informational type {kind} is not translated",
            v6(S6, C6, icmp(S6, C6, kind, 0, 0, bytes(16)), 58),
            "icmp_type",
        )
    b.forward(
        "I64-01",
        "an error from the server itself",
        error6(1, 4, 0, before, src=S6),
        out_error4(3, 3, 0, after, src=S4),
    )
    b.forward(
        "I64-01",
        "an error from another server",
        error6(3, 0, 0, before, src=T6),
        out_error4(11, 0, 0, after, src=T4),
    )
    b.forward(
        "I64-01 T64-02",
        "Traffic Class 0xc0 and hop limit 250 of an error",
        error6(3, 0, 0, before, tc=0xC0, hlim=250),
        out_error4(11, 0, 0, after, tos=0xC0, ttl=249),
    )
    b.forward(
        "I64-01",
        "an error to another client",
        error6(3, 0, 0, quote64(udp(), D4)[0], dst=embed(D4)),
        out_error4(11, 0, 0, quote64(udp(), D4)[1], dst=D4),
    )
    b.forward(
        "I64-01",
        "an error about a packet to the second pair",
        error6(1, 3, 0, quote64(udp(), C4, T4, T6)[0]),
        out_error4(3, 1, 0, quote64(udp(), C4, T4, T6)[1]),
    )
    for word in (0x00FFFFFF, 0x00000594, 0x00ABCDEF):
        b.forward(
            "I64-01",
            f"1/0: the unused word 0x{word:08x} becomes 0",
            error6(1, 0, word, before),
            out_error4(3, 1, 0, after),
        )
        b.forward(
            "I64-01",
            f"3/0: the unused word 0x{word:08x} becomes 0",
            error6(3, 0, word, before),
            out_error4(11, 0, 0, after),
        )
    config("policy_codes", icmpv6_policy_codes=True)
    for code in (4, 5, 6, 7):
        if code == 7:
            b.drop(
                "I64-06",
                "1/7 stays dropped with the option",
                error6(1, 7, 0, before),
                "icmp_type",
                config="policy_codes",
            )
        else:
            b.forward(
                "I64-06",
                f"1/{code} with the option",
                error6(1, code, 0, before),
                out_error4(3, 3 if code == 4 else 10, 0, after),
                config="policy_codes",
            )


def path_mtu(b):
    config("mtu4_1400", mtu4=1400)
    config("mtu6_1400", mtu6=1400)
    config("mtu_9000", mtu4=9000, mtu6=9000)
    config("mtu4_1000", mtu4=1000)
    before, after = quote64(tcp(counting(1440)))
    before, after = cut(before, 80), cut(after, 60)
    setups = (
        ("default", 1500, 1500),
        ("mtu4_1400", 1400, 1500),
        ("mtu6_1400", 1500, 1400),
        ("mtu_9000", 9000, 9000),
    )
    for mtu in (
        0,
        1,
        68,
        576,
        1260,
        1279,
        1280,
        1281,
        1300,
        1380,
        1400,
        1420,
        1480,
        1492,
        1499,
        1500,
        1501,
        1520,
        4000,
        9000,
        65535,
        65536,
        0x10000 + 1400,
        0xFFFFFFFF,
    ):
        for name, mtu4, mtu6 in setups:
            if name != "default" and mtu not in (0, 1280, 1400, 1500, 9000, 65536, 0xFFFFFFFF):
                continue
            to = min(max(mtu, 1280) - 20, mtu4, mtu6 - 20)
            b.forward(
                "I64-03 I64-04" if mtu < 1280 else "I64-03",
                f"2/0 with MTU {mtu}: 3/4 with {to}",
                error6(2, 0, mtu, before),
                out_error4(3, 4, to, after),
                config=name,
            )
    b.forward(
        "I64-03",
        "mtu4 1000 is the smallest",
        error6(2, 0, 1400, before),
        out_error4(3, 4, 1000, after),
        config="mtu4_1000",
    )
    for code in (1, 2, 255):
        b.forward(
            "I64-03",
            f"2/{code}: the code is ignored",
            error6(2, code, 1400, before),
            out_error4(3, 4, 1380, after),
        )
    whole = udp(counting(3000))
    for mtu in (0, 1279, 1280, 1400, 1428, 1500, 1508, 9000):
        for offset, more in ((0, True), (170, True), (342, False)):
            at = offset * 8
            data6, data4 = whole.on(C6, S6)[at : at + 1360], whole.on(C4, S4)[at : at + 1360]
            quoted = v6(C6, S6, fragment_header(17, 0x1234ABCD, offset, more) + data6, 44, hlim=60)
            sent = v4(C4, S4, data4, 17, 60, 0, 0xABCD, False, more, offset)
            to = min(max(mtu, 1280) - 28, 1500, 1480)
            b.forward(
                "I64-03 INN-12",
                f"2/0 with MTU {mtu} about a fragment at {at}: 3/4 with {to}",
                error6(2, 0, mtu, cut(quoted, 200)),
                out_error4(3, 4, to, cut(sent, 172)),
            )


def echo(b):
    for reply in (False, True):
        name = "reply" if reply else "request"
        for size in (0, 1, 2, 3, 8, 55, 56, 57, 1000, 1232, 1233, 1452):
            b.forward(
                "I64-01 CK-06", f"echo {name} with {size} bytes", *down(Echo(counting(size), reply))
            )
        for code in (1, 128, 255):
            b.forward(
                "I64-01 CK-06",
                f"echo {name}, code {code} is kept",
                *down(Echo(reply=reply, code=code)),
            )
        for ident, seq in ((0, 0), (0xFFFF, 0xFFFF), (0, 0xFFFF), (1, 0)):
            b.forward(
                "I64-01",
                f"echo {name}, identifier {ident}, sequence {seq}",
                *down(Echo(reply=reply, ident=ident, seq=seq)),
            )
        b.forward(
            "I64-01",
            f"echo {name} from the second pair to another client",
            *down(Echo(reply=reply), T6, D4, T4),
        )
        for offset in (5, 8, 12):
            b.forward(
                "I64-02 L4-12",
                f"echo {name} damaged at byte {offset}: still wrong",
                *down(Echo(counting(32), reply).damaged(offset, 0x10)),
                checksum="wrong",
            )


def malformed(b):
    before, after = quote64(udp())
    for size in range(1, 8):
        b.drop(
            "I46-04",
            f"{size} bytes of ICMPv6",
            v6(S6, C6, b"\x80\0\xf7\xff\0\0\0"[:size], 58),
            "icmp_malformed",
        )
    good = icmp(R6, C6, 3, 0, 0, before)
    for at, xor in ((1, 1), (2, 0x80), (7, 1), (15, 4), (len(good) - 1, 1)):
        wrong = bytearray(good)
        wrong[at] ^= xor
        b.drop(
            "I64-02",
            f"ICMPv6 error damaged at byte {at}",
            v6(R6, C6, bytes(wrong), 58),
            "icmp_checksum",
        )
    b.drop(
        "I64-02",
        "ICMPv6 error with a checksum without pseudo-header",
        v6(R6, C6, bytes(icmp("0.0.0.0", "0.0.0.0", 3, 0, 0, before)), 58),
        "icmp_checksum",
    )
    short = ["icmp_malformed", "icmp_quote", "malformed6"]
    for size in (0, 1, 20, 39):
        b.drop("I46-04", f"{size} bytes quoted", error6(3, 0, 0, cut(before, size)), short)
    for version in (4, 0, 7):
        b.drop(
            "I46-04",
            f"quoted version {version}",
            error6(1, 4, 0, v6(C6, S6, udp(), version=version)),
            "icmp_quote",
        )
    mismatch = ["icmp_mismatch", "icmp_quote", "no_mapping"]
    for name, quoted in (
        ("another client's packet", v6(embed(D4), S6, udp())),
        ("a packet of a server", v6(T6, S6, udp())),
        ("the server's packet", v6(S6, C6, udp())),
        ("a packet of an IPv6 host", v6(UNMAPPED6, S6, udp())),
    ):
        for kind, code, word in ((1, 4, 0), (2, 0, 1400), (3, 0, 0)):
            b.drop(
                "I64-07 PM-09",
                f"{kind}/{code} quotes {name}",
                error6(kind, code, word, quoted),
                mismatch,
            )
    for dst in (UNMAPPED6, embed(D4), "2001:db8:1::11"):
        b.drop(
            "I64-07",
            f"quoted destination {dst} is no pair",
            error6(1, 4, 0, v6(C6, dst, udp())),
            ["icmp_quote", "no_mapping", "icmp_mismatch"],
        )
    b.forward(
        "INN-06",
        "40 bytes quoted: a header only",
        error6(3, 0, 0, cut(before, 40)),
        out_error4(11, 0, 0, cut(after, 20)),
    )
    b.forward(
        "INN-06",
        "quoted protocol 253 of no data",
        error6(4, 1, 6, quote64(raw(253, b""))[0]),
        out_error4(3, 2, 0, quote64(raw(253, b""))[1]),
    )


def books():
    b = Book("icmp64")
    types(b)
    path_mtu(b)
    echo(b)
    malformed(b)
    return [b]
