# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 20: the offload header and partial checksums. Its rows go to offload.json."""
import struct

from book import C4, C6, S4, S6, T4, T6, config, down, embed, own_error4, up
from packets import (
    Echo,
    address,
    checksum,
    counting,
    ident_free,
    incremental,
    ones_sum,
    options_header,
    pseudo,
    routing_header,
    tcp,
    udp,
    v4,
    v6,
)
from rows_fragments46 import ID, pieces6
from rows_fragments64 import pieces4

NEEDS_CSUM, DATA_VALID = 1, 2
TCPV4, UFO, TCPV6, UDP_L4, ECN = 1, 3, 4, 5, 0x80
ACK = 0x10  # PSH and FIN belong to the last segment only
NONE = {"flags": 0, "gso_type": 0, "gso_size": 0, "csum_start": 0, "csum_offset": 0}
STAMPS = b"\x01\x01\x08\x0a" + struct.pack("!II", 0x11223344, 0x55667788)


def partial(start, offset):
    """Without hdr_len: it has no meaning here and is not compared."""
    return {
        "flags": NEEDS_CSUM,
        "gso_type": 0,
        "gso_size": 0,
        "csum_start": start,
        "csum_offset": offset,
    }


def gso(kind, size, start, head, offset=16):
    return {
        "flags": NEEDS_CSUM,
        "gso_type": kind,
        "gso_size": size,
        "hdr_len": start + head,
        "csum_start": start,
        "csum_offset": offset,
    }


def header(**fields):
    return {
        "flags": 0,
        "gso_type": 0,
        "hdr_len": 0,
        "gso_size": 0,
        "csum_start": 0,
        "csum_offset": 0,
        **fields,
    }


def partials(b):
    for name, offset, make in (("TCP", 16, tcp), ("UDP", 6, udp)):
        for size in (0, 1, 100, 1000):
            segment = make(counting(size))
            before, after = up(segment, partial=True)
            b.forward(
                "GSO-01 GSO-03",
                f"{name} with {size} bytes, partial checksum, 4to6",
                before,
                after,
                checksum="partial",
                offload=header(**partial(20, offset)),
                out_offload=[partial(40, offset)],
            )
            before, after = down(segment, partial=True)
            b.forward(
                "GSO-01 GSO-03",
                f"{name} with {size} bytes, partial checksum, 6to4",
                before,
                after,
                checksum="partial",
                offload=header(**partial(40, offset)),
                out_offload=[partial(20, offset)],
            )
        for opts in (4, 40):
            before, after = up(make(), partial=True, options=b"\x01" * opts)
            b.forward(
                "GSO-03",
                f"{name}, partial, {opts} bytes of IPv4 options",
                before,
                after,
                checksum="partial",
                offload=header(**partial(20 + opts, offset)),
                out_offload=[partial(40, offset)],
            )
        proto = make().proto
        for text, first, headers in (
            ("destination options", 60, options_header(proto, 2)),
            ("hop-by-hop and routing", 0, options_header(43) + routing_header(proto)),
        ):
            before = v6(S6, C6, headers + make().on(S6, C6, True), first)
            b.forward(
                "GSO-03",
                f"{name}, partial, behind {text}",
                before,
                down(make(), partial=True)[1],
                checksum="partial",
                offload=header(**partial(40 + len(headers), offset)),
                out_offload=[partial(20, offset)],
            )
        for hdr_len in (0, 1, 54, 65535):
            before, after = up(make(), partial=True)
            b.forward(
                "GSO-05",
                f"{name}, partial, hdr_len {hdr_len} is only a hint",
                before,
                after,
                checksum="partial",
                offload=header(**partial(20, offset), hdr_len=hdr_len),
                out_offload=[partial(40, offset)],
            )
        before = v6(S6, embed(T4), make(), partial=True)
        b.forward(
            "GSO-01 HP-05",
            f"{name}, partial, hairpin",
            before,
            v6(embed(S4), T6, make(), hlim=63, partial=True),
            checksum="partial",
            offload=header(**partial(40, offset)),
            out_offload=[partial(40, offset)],
        )
        before, after = up(make(), partial=True)
        for text, packet, out, start in (
            ("4to6", before, up(make())[1], 20),
            ("6to4", *down(make()), 40),
        ):
            if text == "4to6":
                packet = up(make())[0]
            for flags in (DATA_VALID, 0):
                b.forward(
                    "GSO-10",
                    f"{name}, flags {flags}, {text}: the checksum is complete",
                    packet,
                    out,
                    offload=header(flags=flags),
                    out_offload=[NONE],
                )
        packet = v4(C4, S4, make(), ttl=1, partial=True)
        sent = v4(C4, S4, make(), ttl=1)
        b.reply(
            "GSO-01 GSO-12 G4-05",
            f"{name}, partial, TTL 1: quoted as it was on the wire",
            packet,
            "hop_limit",
            own_error4(11, 0, 0, sent),
            offload=header(**partial(20, offset)),
            out_offload=[NONE],
        )
    client = "198.51.100.7"
    for port in range(0x10000):  # a client for which the pseudo-header adds up to 0xffff
        client = f"198.51.{port >> 8}.{port & 255}"
        if ones_sum(pseudo(client, S4, 17, 40)) == 0xFFFF:
            break
    before, after = up(udp(counting(32)), client, partial=True)
    seed = bytearray(before)
    assert seed[26:28] == b"\xff\xff"
    seed[26:28] = b"\0\0"
    b.forward(
        "GSO-02",
        "UDP, partial, the seed is 0: not UDP without checksum",
        bytes(seed),
        after,
        checksum="partial",
        offload=header(**partial(20, 6)),
        out_offload=[partial(40, 6)],
    )
    config("udp_drop", udp_zero_checksum="drop")
    b.forward(
        "GSO-02",
        "the same in mode drop",
        bytes(seed),
        after,
        checksum="partial",
        config="udp_drop",
        offload=header(**partial(20, 6)),
        out_offload=[partial(40, 6)],
    )


def completed(b):
    for reply in (False, True):
        echo = Echo(counting(32), reply)
        before = v4(C4, S4, bytearray(echo.on(C4, S4))[:2] + b"\0\0" + echo.on(C4, S4)[4:], 1)
        b.forward(
            "GSO-04",
            "ICMP with a partial checksum: completed",
            before,
            v6(C6, S6, echo, hlim=63),
            offload=header(**partial(20, 2)),
            out_offload=[NONE],
        )
        b.forward(
            "GSO-04",
            "ICMPv6 with a partial checksum: completed",
            v6(S6, C6, echo, partial=True),
            ident_free(S4, C4, echo),
            offload=header(**partial(40, 2)),
            out_offload=[NONE],
        )
    for text, at in (("just before it", 1), ("on it", 0)):
        b.drop(
            "GSO-04",
            f"ICMP, the checksum over the type ({text}): it would become another message, 4to6",
            v4(C4, S4, Echo(counting(32)), ttl=64),
            "bad_offload",
            offload=header(**partial(20 - at, 0)),
        )
        b.drop(
            "GSO-04",
            f"ICMPv6, the checksum over the type ({text}): it would become another message, 6to4",
            v6(S6, C6, Echo(counting(32))),
            "bad_offload",
            offload=header(**partial(0, 40 - at)),
        )
    segment = tcp(counting(100))
    before = v4(C4, S4, segment, partial=True)
    b.forward(
        "GSO-04",
        "csum_start 0: the header adds nothing, completed",
        before,
        up(segment)[1],
        offload=header(**partial(0, 36)),
        out_offload=[NONE],
    )
    for offset in (17, 18, 4, 24):
        good = bytearray(up(segment)[0])
        value = checksum(bytes(good[20:]))
        good[20 + offset : 22 + offset] = struct.pack("!H", value)
        out = bytearray(good[20:])
        if not 15 <= offset <= 17:
            out[16:18] = update(out[16:18])
        else:
            out[16:18] = update(good[36:38])
        b.forward(
            "GSO-04",
            f"TCP with csum_offset {offset}: completed there, then translated",
            up(segment)[0],
            v6(C6, S6, bytes(out), 6, hlim=63),
            checksum="wrong",
            offload=header(**partial(20, offset)),
            out_offload=[NONE],
        )
    for text, fields in (
        ("csum_start 65535", partial(65535, 16)),
        ("csum_offset 65535", partial(20, 65535)),
        ("the field one byte behind the end", partial(20, 25)),
        ("csum_start at the end", partial(46, 0)),
        ("csum_start behind the end", partial(47, 16)),
        ("both 65535", partial(65535, 65535)),
    ):
        b.drop(
            "GSO-04 GSO-05",
            f"{text}, 4to6",
            v4(C4, S4, tcp(), partial=True),
            "bad_offload",
            offload=header(**fields),
        )
    for text, fields in (
        ("csum_start 65535", partial(65535, 6)),
        ("csum_offset 65535", partial(40, 65535)),
        ("the field one byte behind the end", partial(40, 13)),
    ):
        b.drop(
            "GSO-04 GSO-05",
            f"{text}, 6to4",
            v6(S6, C6, udp(), partial=True),
            "bad_offload",
            offload=header(**fields),
        )
    segment = udp(counting(1472))
    b.forward(
        "GSO-01 F46-04 F46-11",
        "partial UDP of 1500 bytes, DF=0: completed, then split",
        v4(C4, S4, segment, ident=ID, partial=True),
        *pieces6(17, segment.on(C6, S6), 1232),
        offload=header(**partial(20, 6)),
        out_offload=[NONE, NONE],
    )
    config("mtu4_576", mtu4=576)
    segment = udp(counting(900))
    b.forward(
        "GSO-01 F64-06",
        "partial UDP, mtu4 576: completed, then split",
        v6(S6, C6, segment, partial=True),
        *pieces4(17, segment.on(S4, C4), 552),
        config="mtu4_576",
        offload=header(**partial(40, 6)),
        out_offload=[NONE, NONE],
    )


def update(field):
    value = struct.unpack("!H", bytes(field))[0]
    return struct.pack(
        "!H", incremental(value, address(C4) + address(S4), address(C6) + address(S6))
    )
