# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 12: RFC 4884 extensions, and the RFC 6791 pool."""
import struct

from book import (
    C4,
    C6,
    OWN4,
    R6,
    R6C,
    S4,
    S6,
    T4,
    T6,
    Book,
    config,
    embed,
    error4,
    error6,
    out_error4,
    out_error6,
    quote46,
    quote64,
)
from packets import (
    Echo,
    checksum,
    counting,
    cut,
    fragment_header,
    join,
    options_header,
    pad,
    udp,
    v4,
    v6,
)


def structure(*objects, value=None):
    """An extension structure; each object is (class, c-type, payload)."""
    body = b"".join(struct.pack("!HBB", 4 + len(p), c, t) + p for c, t, p in objects)
    value = checksum(b"\x20\0\0\0" + body) if value is None else value
    return struct.pack("!BBH", 0x20, 0, value) + body


MPLS = structure((1, 1, b"\x00\x3e\x81\x01"))
LABELS = structure((1, 1, b"\x00\x3e\x80\x01\x00\x3e\x91\xff"))
INTERFACE = structure((2, 0x04, b"\x00\x01\x00\x00\xcb\x00\x71\x09"))
BOTH = structure(
    (1, 1, b"\x00\x3e\x81\x01"), (2, 0x0C, b"\0\0\0\x07\x00\x01\x00\x00\xcb\x00\x71\x09")
)


def extension(size):
    return structure((247, 1, counting(size - 8, 3)))


def quoted4(size, total=1000, make=udp, options=b""):
    """`size` bytes of a packet of the server, as the router quotes it and as the server gets it."""
    head = 28 if make is udp else 40
    before, after = quote46(make(counting(total - head)), options=options)
    return cut(before, size + len(options)), cut(after, size + 20)


def quoted6(size, total=1000):
    before, after = quote64(udp(counting(total - 48)))
    return cut(before, size), cut(after, size - 20)


def length4(octets):
    return octets // 4 << 16


def length6(octets):
    return octets // 8 << 24


def four_to_six(b):
    for kind, code, to in (
        (11, 0, (3, 0)),
        (11, 1, (3, 1)),
        (3, 1, (1, 0)),
        (3, 3, (1, 4)),
        (3, 13, (1, 1)),
    ):
        for size in (128, 132, 136, 140, 200, 256, 548):
            before, after = quoted4(size)
            field = max(128, (size + 20 + 7) // 8 * 8)
            b.forward(
                "X84-01 X84-02 X84-03 X84-09",
                f"{kind}/{code}, {size} bytes quoted: field {field}",
                error4(kind, code, length4(size), join(before, MPLS)),
                out_error6(*to, length6(field), join(pad(after, field), MPLS)),
            )
    before, after = quoted4(128)
    wrong, none = structure((1, 1, b"\0\x3e\x81\x01"), value=0x1234), structure(
        (1, 1, b"\0\x3e\x81\x01"), value=0
    )
    for name, ext in (
        ("two MPLS labels", LABELS),
        ("an interface with an IPv4 address", INTERFACE),
        ("two objects", BOTH),
        ("a checksum of 0", none),
        ("a wrong checksum", wrong),
        ("no object", structure()),
        ("200 bytes of an unknown class", extension(200)),
    ):
        b.forward(
            "X84-03 X84-05 X84-11 X84-12 X84-13",
            f"an extension with {name} passes unchanged",
            error4(11, 0, length4(128), join(before, ext)),
            out_error6(3, 0, length6(152), join(pad(after, 152), ext)),
        )
    for total in (28, 29, 60, 108):
        before, after = quote46(udp(counting(total - 28)))
        b.forward(
            "X84-02 X84-03",
            f"a quoted packet of {total} bytes, padded to 128: field 128 again",
            error4(11, 0, length4(128), join(pad(before, 128), MPLS)),
            out_error6(3, 0, length6(128), join(pad(after, 128), MPLS)),
        )
    for size in (28, 32, 64, 108, 124):
        before, after = quoted4(size)
        field = max(128, (size + 27) // 8 * 8)
        b.forward(
            "X84-07",
            f"length attribute {size // 4} ({size} bytes): accepted",
            error4(11, 0, length4(size), join(before, MPLS)),
            out_error6(3, 0, length6(field), join(pad(after, field), MPLS)),
        )
    before, after = quoted4(128)
    for size in (29, 200):
        rest = join(before, MPLS, bytes(size))
        for attribute in (len(rest) // 4 + 1, 255):
            b.drop(
                "X84-07",
                f"length attribute {attribute} in {len(rest)} bytes",
                error4(11, 0, attribute << 16, rest),
                "icmp_extension",
            )
    for kind, code, to in ((11, 0, (3, 0)), (3, 3, (1, 4))):
        for size in (128, 200, 548):
            before, after = quoted4(size)
            b.forward(
                "X84-07 X84-01",
                f"{kind}/{code}, the length attribute covers all {size} bytes: no extension",
                error4(kind, code, length4(size), before),
                out_error6(*to, 0, after),
            )
    for total in (1000, 200):
        before, after = quoted4(128, total)
        b.forward(
            "X84-08",
            "length attribute 0: what follows byte 128 is quoted packet",
            error4(11, 0, 0, join(before, MPLS)),
            out_error6(3, 0, 0, join(after, MPLS)),
        )
    before, after = quoted4(128)
    fragment = v4(S4, C4, counting(1000), 17, 60, ident=5, mf=True, offset=100)
    sent = v6(S6, C6, fragment_header(17, 5, 100, True) + counting(1000), 44, hlim=60)
    b.forward(
        "X84-03 INN-12",
        "a quoted fragment: 128 becomes 156, field 160",
        error4(11, 0, length4(128), join(cut(fragment, 128), MPLS)),
        out_error6(3, 0, length6(160), join(pad(cut(sent, 156), 160), MPLS)),
    )
    before, after = quoted4(108, options=b"\x01" * 20)
    b.forward(
        "X84-03 INN-10",
        "a quoted packet with 20 bytes of options: 128 stay 128",
        error4(11, 0, length4(128), join(before, MPLS)),
        out_error6(3, 0, length6(128), join(after, MPLS)),
    )
    echo, sent = quote46(Echo(counting(500), True))
    b.forward(
        "X84-03 INN-09",
        "a quoted echo reply",
        error4(11, 0, length4(128), join(cut(echo, 128), MPLS)),
        out_error6(3, 0, length6(152), join(pad(cut(sent, 148), 152), MPLS)),
    )


def four_limits(b):
    for size, ext in (
        (1000, 300),
        (1000, 200),
        (1000, 212),
        (1000, 216),
        (548, 800),
        (548, 700),
        (1020, 400),
        (128, 1000),
        (128, 1080),
    ):
        before, after = quoted4(size, 1400)
        field = min((size + 20 + 7) // 8 * 8, (1232 - ext) // 8 * 8)
        b.forward(
            "X84-04 X84-09 INN-14",
            f"{size} bytes quoted and {ext} of extension: field {field}",
            error4(11, 0, length4(size), join(before, extension(ext))),
            out_error6(3, 0, length6(field), join(pad(cut(after, field), field), extension(ext))),
        )
    for ext in (1104, 1108, 1200, 1320):
        before, after = quoted4(108)
        packet = error4(11, 0, length4(108), join(before, extension(ext)))
        if ext <= 1104:
            b.forward(
                "X84-04 X84-09",
                f"128 bytes and {ext} of extension fit exactly",
                packet,
                out_error6(3, 0, length6(128), join(after, extension(ext))),
            )
        else:
            b.forward(
                "X84-04 X84-09",
                f"128 bytes and {ext} of extension: it is removed",
                packet,
                out_error6(3, 0, 0, after),
            )


def four_targets(b):
    for size in (128, 200):
        before, after = quoted4(size)
        for kind, code, word, to in (
            (3, 4, 1400, (2, 0, 1420)),
            (3, 2, 0, (4, 1, 6)),
            (12, 0, 0x08000000, (4, 0, 7)),
            (12, 2, 0x10000000, (4, 0, 24)),
        ):
            b.forward(
                "X84-06",
                f"{kind}/{code} with an extension behind {size} bytes: it is removed",
                error4(kind, code, word | length4(size), join(before, MPLS)),
                out_error6(*to, after),
            )
    before, after = quote46(udp())
    for kind, code, word, to in (
        (3, 4, 1400, (2, 0, 1420)),
        (3, 2, 0, (4, 1, 6)),
        (12, 0, 0x09000000, (4, 0, 6)),
    ):
        b.forward(
            "X84-06",
            f"{kind}/{code} with an extension behind a padded packet: both are removed",
            error4(kind, code, word | length4(128), join(pad(before, 128), MPLS)),
            out_error6(*to, after),
        )
        b.drop(
            "X84-07",
            f"{kind}/{code} with a length attribute of 255",
            error4(kind, code, word | 255 << 16, pad(before, 192)),
            "icmp_extension",
        )


def six_to_four(b):
    for kind, code, to in (
        (3, 0, (11, 0)),
        (3, 1, (11, 1)),
        (1, 0, (3, 1)),
        (1, 4, (3, 3)),
        (1, 1, (3, 10)),
    ):
        for size in (128, 136, 144, 152, 200, 400):
            before, after = quoted6(size)
            field = max(128, size - 20)
            b.forward(
                "X84-01 X84-02 X84-03 X84-09",
                f"{kind}/{code}, {size} bytes quoted: field {field}",
                error6(kind, code, length6(size), join(before, MPLS)),
                out_error4(*to, length4(field), join(pad(after, field), MPLS)),
            )
    before, after = quoted6(128)
    wrong, none = structure((1, 1, b"\0\x3e\x81\x01"), value=0x1234), structure(
        (1, 1, b"\0\x3e\x81\x01"), value=0
    )
    for name, ext in (
        ("two MPLS labels", LABELS),
        ("an interface with an IPv4 address", INTERFACE),
        ("two objects", BOTH),
        ("a checksum of 0", none),
        ("a wrong checksum", wrong),
        ("no object", structure()),
        ("200 bytes of an unknown class", extension(200)),
    ):
        b.forward(
            "X84-03 X84-05 X84-11 X84-12 X84-13",
            f"an extension with {name} passes unchanged",
            error6(3, 0, length6(128), join(before, ext)),
            out_error4(11, 0, length4(128), join(pad(after, 128), ext)),
        )
    for total in (48, 49, 80, 128):
        before, after = quote64(udp(counting(total - 48)))
        b.forward(
            "X84-02 X84-03",
            f"a quoted packet of {total} bytes, padded to 128: field 128 again",
            error6(3, 0, length6(128), join(pad(before, 128), MPLS)),
            out_error4(11, 0, length4(128), join(pad(after, 128), MPLS)),
        )
    for size in (48, 64, 120):
        before, after = quoted6(size)
        b.forward(
            "X84-07",
            f"length attribute {size // 8} ({size} bytes): accepted",
            error6(3, 0, length6(size), join(before, MPLS)),
            out_error4(11, 0, length4(128), join(pad(after, 128), MPLS)),
        )
    before, after = quoted6(128)
    for size in (29, 200):
        rest = join(before, MPLS, bytes(size))
        for attribute in (len(rest) // 8 + 1, 255):
            b.drop(
                "X84-07",
                f"length attribute {attribute} in {len(rest)} bytes",
                error6(3, 0, attribute << 24, rest),
                "icmp_extension",
            )
    for size in (128, 200, 400):
        before, after = quoted6(size)
        b.forward(
            "X84-07 X84-01",
            f"the length attribute covers all {size} bytes: no extension",
            error6(1, 4, length6(size), before),
            out_error4(3, 3, 0, after),
        )
    before, after = quoted6(128)
    b.forward(
        "X84-08",
        "length attribute 0: what follows byte 128 is quoted packet",
        error6(3, 0, 0, join(before, MPLS)),
        out_error4(11, 0, 0, join(after, MPLS)),
    )
    for kind, code, word, to in (
        (2, 0, 1400, (3, 4, 1380)),
        (4, 0, 7, (12, 0, 8 << 24)),
        (4, 1, 6, (3, 2, 0)),
    ):
        b.forward(
            "X84-01",
            f"{kind}/{code} has no length attribute",
            error6(kind, code, word, join(before, MPLS)),
            out_error4(*to, join(after, MPLS)),
        )
    whole = options_header(17, 4) + udp(counting(800)).on(C6, S6)
    b.forward(
        "X84-03 INN-13",
        "a quoted packet with 40 bytes of options: 200 become 140",
        error6(3, 0, length6(200), join(cut(v6(C6, S6, whole, 60, hlim=60), 200), MPLS)),
        out_error4(11, 0, length4(140), join(cut(quote64(udp(counting(800)))[1], 140), MPLS)),
    )
    data6, data4 = udp(counting(900)).on(C6, S6), udp(counting(900)).on(C4, S4)
    seen = v6(C6, S6, fragment_header(17, 0xBEEF, 0, True) + data6[:904], 44, hlim=60)
    sent = v4(C4, S4, data4[:904], 17, 60, ident=0xBEEF, mf=True)
    b.forward(
        "X84-03 INN-12",
        "a quoted fragment: 200 become 172",
        error6(3, 0, length6(200), join(cut(seen, 200), MPLS)),
        out_error4(11, 0, length4(172), join(cut(sent, 172), MPLS)),
    )
    for size, ext in (
        (400, 300),
        (1000, 100),
        (928, 300),
        (800, 400),
        (400, 168),
        (400, 172),
        (600, 412),
        (808, 420),
    ):
        before, after = quoted6(size, 1400)
        field = min(max(128, size - 20), (548 - ext) // 4 * 4)
        b.forward(
            "X84-04 X84-09 INN-14",
            f"{size} bytes quoted and {ext} of extension: field {field}",
            error6(3, 0, length6(size), join(before, extension(ext))),
            out_error4(11, 0, length4(field), join(pad(cut(after, field), field), extension(ext))),
        )
    before, after = quote64(udp(counting(100)))
    for ext in (420, 424, 500, 1000):
        packet = error6(3, 0, length6(152), join(pad(before, 152), extension(ext)))
        if ext == 420:
            b.forward(
                "X84-04 X84-09",
                "128 bytes and 420 of extension fit exactly",
                packet,
                out_error4(11, 0, length4(128), join(after, extension(ext))),
            )
        else:
            b.forward(
                "X84-04 X84-09",
                f"128 bytes and {ext} of extension: it is removed",
                packet,
                out_error4(11, 0, 0, after),
            )
    config("icmp4_1260", icmp4_error_size=1260)
    before, after = quoted6(1000, 1400)
    b.forward(
        "X84-04 INN-14",
        "1260 bytes by configuration: 980 quoted",
        error6(3, 0, length6(1000), join(before, extension(200))),
        out_error4(11, 0, length4(980), join(after, extension(200)), size=1260),
        config="icmp4_1260",
    )


def pool(b):
    config("no_pool", pool4=[])
    for name, kind, code, word, to in (
        ("time exceeded", 3, 0, 0, (11, 0, 0)),
        ("no route", 1, 0, 0, (3, 1, 0)),
        ("packet too big", 2, 0, 1400, (3, 4, 1380)),
        ("parameter problem", 4, 1, 6, (3, 2, 0)),
    ):
        before, after = quote64(udp())
        for src in (R6, "2a00::1", "fd00::1", "2001:db8:64:1::c633:6407"):
            b.forward(
                "S91-01 DC-08",
                f"{name} from {src}, no pair: source from the pool",
                error6(kind, code, word, before, src=src),
                out_error4(*to, after),
            )
        b.forward(
            "S91-04",
            f"{name}, no pool: source own4",
            error6(kind, code, word, before),
            out_error4(*to, after, src=OWN4),
            config="no_pool",
        )
        b.forward(
            "S91-01",
            f"{name} from a pair: its own address",
            error6(kind, code, word, before, src=T6),
            out_error4(*to, after, src=T4),
        )
    before, _ = quote64(udp())
    for src in ("::", "::1", "fe80::1", "ff02::1", "::ffff:192.0.2.1"):
        b.drop("S91-06", f"an error from {src}", error6(3, 0, 0, before, src=src), "martian6")
    for src in (embed(C4), R6C, embed(S4)):
        b.drop(
            "S91-01 T64-21",
            f"an error from {src}, inside of the prefix",
            error6(3, 0, 0, before, src=src),
            "spoof",
        )
    for segment in (Echo(), Echo(reply=True)):
        b.drop(
            "S91-01 G6-01",
            "an echo message gets no pool address",
            v6(R6, C6, segment),
            "no_mapping",
        )


def books():
    b = Book("extensions")
    for rows in (four_to_six, four_limits, four_targets, six_to_four, pool):
        rows(b)
    return [b]
