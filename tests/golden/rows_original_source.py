# SPDX-License-Identifier: BSD-2-Clause
"""S91-05, X84-10: the IPv6 source of an unmapped router travels in an RFC 5837 object."""
import ipaddress
import struct

from book import R6, T4, T6, Book, config, error6, out_error4, quote64
from packets import cut, join, pad, udp
from rows_extensions import BOTH, INTERFACE, length4, length6, quoted6, structure

ON = config("original_source", append_original_source=True)


def interface(source, role=0):
    """AFI 2, 16 zero bits, the address."""
    return (2, role << 6 | 0x04, struct.pack("!HH", 2, 0) + ipaddress.ip_address(source).packed)


def new_structures(b):
    for name, kind, code, word, to, low in (
        ("time exceeded", 3, 0, 0, (11, 0), 0),
        ("reassembly time exceeded", 3, 1, 0, (11, 1), 0),
        ("no route", 1, 0, 0, (3, 1), 0),
        ("port unreachable", 1, 4, 0, (3, 3), 0),
        ("packet too big", 2, 0, 1400, (3, 4), 1380),
        ("unrecognized next header", 4, 1, 6, (3, 2), 0),
        ("parameter problem", 4, 0, 7, (12, 0), 8 << 24),
    ):
        for size in (48, 56, 147, 148, 149, 300, 540, 541, 1000):
            before, after = quoted6(size)
            field = min(max(128, (size - 20 + 3) // 4 * 4), 520)
            b.forward(
                "S91-05 X84-01 X84-02 X84-09 X84-10",
                f"{name}, {size} bytes quoted: the object behind a field of {field}",
                error6(kind, code, word, before),
                out_error4(
                    *to,
                    low | length4(field),
                    join(pad(cut(after, field), field), structure(interface(R6))),
                ),
                config=ON,
            )
    before, after = quote64(udp())
    for src in ("2a00::1", "fd00::1", "2001:db8:64:1::c633:6407"):
        b.forward(
            "S91-05 X84-10",
            f"the object holds {src}",
            error6(3, 0, 0, before, src=src),
            out_error4(11, 0, length4(128), join(pad(after, 128), structure(interface(src)))),
            config=ON,
        )
    b.forward(
        "S91-05",
        "no object when the source is a pair",
        error6(3, 0, 0, before, src=T6),
        out_error4(11, 0, 0, after, src=T4),
        config=ON,
    )


def with_structures(b):
    before, after = quoted6(148)
    labels = ((1, 1, b"\x00\x3e\x80\x01\x00\x3e\x91\xff"),)
    outgoing = (interface("2001:db8::77", role=2),)
    for name, objects in (
        ("MPLS labels", labels),
        ("an outgoing interface", outgoing),
        ("no object", ()),
    ):
        for value in (None, 0):
            b.forward(
                "S91-05 X84-03 X84-10",
                f"added to an extension with {name}, checksum {'none' if value == 0 else 'right'}",
                error6(
                    3, 0, length6(144), join(cut(before, 144), structure(*objects, value=value))
                ),
                out_error4(
                    11,
                    0,
                    length4(128),
                    join(pad(cut(after, 124), 128), structure(*objects, interface(R6))),
                ),
                config=ON,
            )
    before, after = quoted6(144)
    broken = structure(*labels, value=0x1234)
    for name, ext in (
        ("role 0 is taken", INTERFACE),
        ("role 0 is taken by the second object", BOTH),
        ("its checksum is wrong", broken),
        ("its version is 1", b"\x10" + structure(*labels, value=0)[1:]),
        ("an object is longer than the rest", structure(value=0) + b"\x00\x10\x01\x01\0\0\0\0"),
        ("an object is shorter than its header", structure(value=0) + b"\x00\x03\x01\x01"),
        ("there are 3 bytes only", b"\x20\x00\x00"),
    ):
        b.forward(
            "S91-05 X84-10 X84-11 X84-13",
            f"an extension passes unchanged: {name}",
            error6(3, 0, length6(144), join(before, ext)),
            out_error4(11, 0, length4(128), join(pad(after, 128), ext)),
            config=ON,
        )
    for size in (396, 400, 420):
        ext = structure((247, 1, bytes(size - 8)))
        objects = structure((247, 1, bytes(size - 8)), interface(R6)) if size <= 396 else ext
        b.forward(
            "S91-05 X84-04 X84-09",
            f"an extension of {size} bytes: the object {'just fits' if size <= 396 else 'has no room'}",
            error6(3, 0, length6(144), join(before, ext)),
            out_error4(11, 0, length4(128), join(pad(after, 128), objects)),
            config=ON,
        )


def books():
    b = Book("original_source")
    for rows in (new_structures, with_structures):
        rows(b)
    return [b]
