# SPDX-License-Identifier: BSD-2-Clause
"""Matrix sections 9 and 19: transport checksums."""
import struct

from book import C4, C6, D4, S4, S6, T4, T6, Book, config, down, own_error4, up
from packets import (
    Echo,
    Segment,
    address,
    counting,
    dccp,
    fragment_header,
    ident_free,
    incremental,
    ones_sum,
    pseudo,
    raw,
    tcp,
    udp,
    udplite,
    v4,
    v6,
)

MAKERS = (
    ("TCP", tcp),
    ("UDP", udp),
    ("DCCP", dccp),
    ("UDP-Lite", udplite),
    ("UDP-Lite, coverage 8", lambda data: udplite(data, 8)),
    ("UDP-Lite, coverage 12", lambda data: udplite(data, 12)),
)


def with_sum(make, src, dst, value):
    """A segment whose checksum comes out as 0xffff - value, thanks to its last word."""
    for word in range(0x10000):
        segment = make(b"last word: " + b"\0" + struct.pack("!H", word))
        if ones_sum(pseudo(src, dst, segment.proto, len(segment.body)) + segment.body) == value:
            return segment
    raise AssertionError("no such word")


def updates(b):
    for name, make in MAKERS:
        for size in (4, 5, 100, 101, 1000):
            b.forward(
                "L4-01 L4-07 L4-08 CK-05 CK-07",
                f"{name} with {size} bytes, 4to6",
                *up(make(counting(size))),
            )
            b.forward(
                "L4-01 L4-07 L4-08 CK-05 CK-07",
                f"{name} with {size} bytes, 6to4",
                *down(make(counting(size))),
            )
        b.forward(
            "L4-01 EAM-08",
            f"{name}, other addresses, 4to6",
            *up(make(counting(32, 200)), D4, T4, T6),
        )
        b.forward(
            "L4-01 EAM-08",
            f"{name}, other addresses, 6to4",
            *down(make(counting(32, 200)), T6, D4, T4),
        )
    for name, make, at in (
        ("TCP", tcp, 21),
        ("UDP", udp, 9),
        ("DCCP", dccp, 21),
        ("UDP-Lite", udplite, 9),
    ):
        b.forward(
            "L4-12",
            f"a damaged {name} stays damaged, 4to6",
            *up(make(counting(20)).damaged(at, 0x55)),
            checksum="wrong",
        )
        b.forward(
            "L4-12",
            f"a damaged {name} stays damaged, 6to4",
            *down(make(counting(20)).damaged(at, 0x55)),
            checksum="wrong",
        )
    for proto in (132, 47, 50, 51, 253, 89):
        data = bytes(range(7, 71))
        b.forward(
            "L4-09 L4-10 T64-18", f"protocol {proto}, bytes unchanged, 4to6", *up(raw(proto, data))
        )
        b.forward(
            "L4-09 L4-10 T64-18",
            f"protocol {proto}, bytes unchanged, 6to4",
            *down(raw(proto, data)),
        )
    for client in ("1.1.1.1", "8.8.8.8", "100.100.100.100", "223.255.255.255"):
        b.forward("CK-05 L4-01", f"TCP, client {client}, 4to6", *up(tcp(), client))
        b.forward("CK-05 L4-01", f"TCP, client {client}, 6to4", *down(tcp(), dst=client))
    config("neutral", prefix="64:ff9b:1:fffe::/96")
    b.forward(
        "A52-10 L4-01",
        "a checksum neutral prefix, 4to6",
        *up(tcp(), prefix="64:ff9b:1:fffe::/96"),
        config="neutral",
    )
    b.forward(
        "A52-10 L4-01",
        "a checksum neutral prefix, 6to4",
        *down(tcp(), prefix="64:ff9b:1:fffe::/96"),
        config="neutral",
    )


def zero_results(b):
    for name, make in (("UDP", udp), ("UDP-Lite", udplite)):
        b.forward(
            "L4-03 CK-08",
            f"{name} whose new checksum is 0 is written as 0xffff, 4to6",
            *up(with_sum(make, C6, S6, 0xFFFF)),
        )
        b.forward(
            "L4-03 CK-08",
            f"{name} whose new checksum is 0 is written as 0xffff, 6to4",
            *down(with_sum(make, S4, C4, 0xFFFF)),
        )
        b.forward(
            "L4-03 CK-08",
            f"{name} that comes with 0xffff, 4to6",
            *up(with_sum(make, C4, S4, 0xFFFF)),
        )
        b.forward(
            "L4-03 CK-08",
            f"{name} that comes with 0xffff, 6to4",
            *down(with_sum(make, S6, C6, 0xFFFF)),
        )
        for value in (0x0001, 0xFFFE, 0x00FF, 0xFF00):
            b.forward(
                "CK-04 CK-08",
                f"{name}, new checksum 0x{0xffff - value:04x}, 4to6",
                *up(with_sum(make, C6, S6, value)),
            )
    b.forward(
        "CK-02 CK-08",
        "TCP whose new checksum is 0 stays 0, 4to6",
        *up(with_sum(tcp, C6, S6, 0xFFFF)),
    )
    b.forward(
        "CK-02 CK-08",
        "TCP whose new checksum is 0 stays 0, 6to4",
        *down(with_sum(tcp, S4, C4, 0xFFFF)),
    )
    b.forward("CK-02 CK-08", "TCP that comes with 0, 4to6", *up(with_sum(tcp, C4, S4, 0xFFFF)))
    b.forward("CK-02 CK-08", "TCP that comes with 0, 6to4", *down(with_sum(tcp, S6, C6, 0xFFFF)))
    for reply in (False, True):
        for src, dst, way in ((C6, S6, up), (C4, S4, up), (S4, C4, down), (S6, C6, down)):
            echo = echo_with_checksum_zero(src, dst, reply)
            b.forward(
                "CK-06 CK-08",
                f"echo {'reply' if reply else 'request'} whose checksum is 0 in {src} > {dst}",
                *way(echo),
            )


def echo_with_checksum_zero(src, dst, reply):
    for seq in range(0x10000):
        echo = Echo(b"zero", reply, ident=1, seq=seq)
        if echo.on(src, dst)[2:4] == b"\0\0":
            return echo
    raise AssertionError("no such sequence number")


def udp_without(b):
    config("udp_drop", udp_zero_checksum="drop")
    for size in (0, 1, 2, 5, 100, 101, 1000, 1232):
        data = counting(size)
        b.forward(
            "L4-02 CK-01",
            f"UDP without checksum, {size} bytes: computed",
            v4(C4, S4, udp(data, zero=True)),
            v6(C6, S6, udp(data), hlim=63),
        )
        packet = v4(C4, S4, udp(data, zero=True))
        b.reply(
            "L4-02",
            f"UDP without checksum, {size} bytes: 3/13 in mode drop",
            packet,
            "udp_zero_checksum",
            own_error4(3, 13, 0, packet),
            config="udp_drop",
        )
    b.forward("L4-02", "mode drop leaves UDP with a checksum alone", *up(udp()), config="udp_drop")
    b.forward(
        "L4-02 T46-13",
        "UDP without checksum behind options",
        v4(C4, S4, udp(zero=True), options=b"\x01" * 8),
        v6(C6, S6, udp(), hlim=63),
    )
    zero_sum = with_sum(udp, C6, S6, 0xFFFF)
    fields = struct.unpack("!HHHH", zero_sum.body[:8])
    plain = udp(zero_sum.body[8:], fields[0], fields[1], zero=True)
    b.forward(
        "L4-02 L4-03 CK-08",
        "UDP without checksum, the computed one is 0: 0xffff",
        v4(C4, S4, plain),
        v6(C6, S6, zero_sum, hlim=63),
    )
    for size in (8, 24, 1232):
        b.drop(
            "L4-04 F46-13",
            f"first fragment of UDP without checksum, {size} bytes",
            v4(C4, S4, udp(counting(3000), zero=True).on(C4, S4)[:size], 17, mf=True),
            "udp_zero_checksum",
        )
        b.drop(
            "L4-04 F46-13",
            f"first fragment of UDP without checksum, {size} bytes, mode drop",
            v4(C4, S4, udp(counting(3000), zero=True).on(C4, S4)[:size], 17, mf=True),
            "udp_zero_checksum",
            config="udp_drop",
        )
    b.forward(
        "L4-04",
        "a later fragment cannot be recognised",
        v4(C4, S4, bytes(64), 17, ident=7, offset=10),
        v6(C6, S6, fragment_header(17, 7, 10) + bytes(64), 44, hlim=63),
    )
    for size in (0, 5, 1000, 1300):
        zero = udp(counting(size), zero=True)
        b.forward(
            "L4-06",
            f"IPv6 UDP with checksum 0, {size} bytes, keeps 0",
            *down(zero),
            checksum="none",
        )
    zero = udp(counting(100), zero=True)
    b.forward(
        "L4-06 F64-01",
        "IPv6 UDP first fragment with checksum 0 keeps 0",
        v6(S6, C6, fragment_header(17, 9, 0, True) + zero.on(S6, C6)[:64], 44),
        v4(S4, C4, zero.on(S4, C4)[:64], 17, ttl=63, ident=9, mf=True),
        checksum="none",
    )


def udp_lengths(b):
    data = counting(20)
    for length in (0, 7, 29, 65535):
        wrong = udp(data, length=length)
        old, new = cross(wrong)
        b.forward(
            "L4-05",
            f"UDP length {length} of 28, with a checksum, 4to6: forwarded",
            v4(C4, S4, old),
            v6(C6, S6, new, hlim=63),
            checksum="wrong",
        )
        old, new = cross(wrong, False)
        b.forward(
            "L4-05",
            f"UDP length {length} of 28, with a checksum, 6to4: forwarded",
            v6(S6, C6, old),
            ident_free(S4, C4, new),
            checksum="wrong",
        )
        b.drop(
            "L4-05",
            f"UDP length {length} of 28, no checksum: dropped",
            v4(C4, S4, udp(data, length=length, zero=True)),
            "udp_length",
        )
    for length in (8, 9, 27):
        short = udp(data, length=length)
        b.forward(
            "L4-05",
            f"UDP length {length} of 28, with a checksum, 4to6",
            *up(udp(data, length=length)),
            checksum="wrong",
        )
        b.forward(
            "L4-05",
            f"UDP length {length} of 28, with a checksum, 6to4",
            *down(short),
            checksum="wrong",
        )
        b.forward(
            "L4-05",
            f"UDP length {length} of 28, no checksum: computed over the UDP length",
            v4(C4, S4, udp(data, length=length, zero=True)),
            v6(C6, S6, udp(data, length=length), hlim=63),
            checksum="wrong",
        )


def cross(segment, up46=True):
    """Segments with some checksum and its update, where no right one exists."""
    old, new = Segment(17, segment.body, 6), Segment(17, segment.body, 6)
    four, six = (address(C4) + address(S4), address(C6) + address(S6))
    old.fixed = 0x5AA5
    new.fixed = incremental(0x5AA5, four, six) if up46 else incremental(0x5AA5, six, four)
    return old, new


def books():
    b = Book("checksums")
    for rows in (updates, zero_results, udp_without, udp_lengths):
        rows(b)
    return [b]
