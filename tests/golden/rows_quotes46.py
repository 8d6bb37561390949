# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 4: packets quoted inside ICMPv4 errors. Its rows go to quotes.json."""
from book import C4, C6, S4, S6, T4, T6, config, error4, out_error6, quote46
from packets import (
    Echo,
    counting,
    cut,
    dccp,
    fragment_header,
    icmp,
    join,
    raw,
    tcp,
    udp,
    udplite,
    v4,
    v6,
)

SEGMENTS = (
    ("TCP", tcp(counting(40))),
    ("UDP", udp(counting(40))),
    ("DCCP", dccp(counting(40))),
    ("UDP-Lite", udplite(counting(40), 8)),
    ("SCTP", raw(132, counting(60))),
    ("protocol 253", raw(253, counting(60))),
    ("ESP", raw(50, counting(60))),
)


def leave_field(quote, header, segment, size):
    """A quote that ends inside of the checksum field keeps its bytes."""
    return join(cut(quote, header), segment[:size])


def sizes46(b):
    for name, segment in SEGMENTS:
        field = segment.field
        l4 = segment.on(S4, C4)
        before, after = quote46(segment)
        for size in (4, 7, 8, 17, 18, 28, len(l4)):
            if size > len(l4) or (field is None and size not in (8, len(l4))):
                continue
            new = cut(after, 40 + size)
            if field is not None and size < field + 2:
                new = leave_field(after, 40, l4, size)
            b.forward(
                "INN-01 INN-05 INN-06 INN-07 I46-01",
                f"11/0 quotes {size} bytes of {name}",
                error4(11, 0, 0, cut(before, 20 + size)),
                out_error6(3, 0, 0, new),
            )
    for ttl in (0, 1, 2, 255):
        b.forward(
            "INN-01 TTL-05",
            f"quoted TTL {ttl} is copied",
            error4(11, 0, 0, quote46(udp(), ttl=ttl)[0]),
            out_error6(3, 0, 0, quote46(udp(), ttl=ttl)[1]),
        )
    for tos in (0x01, 0x02, 0xB9, 0xFF):
        b.forward(
            "INN-01 T46-03",
            f"quoted TOS 0x{tos:02x} is copied",
            error4(3, 1, 0, quote46(tcp(), tos=tos)[0]),
            out_error6(1, 0, 0, quote46(tcp(), tos=tos)[1]),
        )
    for size in (1, 4, 8, 12, 32, 40):
        for name, segment in (("TCP", tcp()), ("UDP", udp()), ("echo reply", Echo(reply=True))):
            before, after = quote46(segment, options=b"\x01" * size)
            b.forward(
                "INN-03 INN-10",
                f"quoted {name} behind {size} bytes of options: they vanish",
                error4(11, 0, 0, before),
                out_error6(3, 0, 0, after),
            )
    before, after = quote46(udp(), header_checksum=0x1234)
    b.forward(
        "INN-11",
        "quoted header checksum is wrong",
        error4(11, 0, 0, before),
        out_error6(3, 0, 0, after),
    )
    before = bytearray(quote46(udp())[0])
    before[8] = 1
    b.forward(
        "INN-11",
        "quoted TTL was changed without the checksum",
        error4(11, 0, 0, bytes(before)),
        out_error6(3, 0, 0, quote46(udp(), ttl=1)[1]),
    )
    for df in (False, True):
        before, after = quote46(udp(counting(1472)), df=df, ident=0x7777, reserved=not df)
        b.forward(
            "INN-05 INN-10",
            f"28 of 1500 bytes quoted, DF={int(df)}: no Fragment Header, Payload Length 1480",
            error4(3, 4, 1400, cut(before, 28)),
            out_error6(2, 0, 1420, cut(after, 48)),
        )
    for total in (28, 576, 1260, 1500, 9000, 65535):
        segment = raw(253, b"\x11" * (total - 20))
        before, after = quote46(segment)
        b.forward(
            "INN-05",
            f"quoted Total Length {total}, 8 bytes there",
            error4(3, 1, 0, cut(before, 28)),
            out_error6(1, 0, 0, cut(after, 48)),
        )
    for client in ("1.2.3.4", "10.1.2.3", "192.168.255.255", "100.64.1.1"):
        before, after = quote46(tcp(), client=client)
        b.forward(
            "INN-04",
            f"quoted destination {client} is embedded",
            error4(11, 0, 0, before),
            out_error6(3, 0, 0, after),
        )
    before, after = quote46(udp(), T4, T6)
    b.forward(
        "INN-04",
        "quote of the second server",
        error4(3, 3, 0, before, dst=T4),
        out_error6(1, 4, 0, after, dst=T6),
    )


def transport46(b):
    zero = udp(counting(20), zero=True)
    for kind, code, to in ((11, 0, (3, 0)), (3, 3, (1, 4))):
        before, after = quote46(zero)
        b.forward(
            "INN-08",
            f"quoted UDP checksum 0 stays 0, {kind}/{code}",
            error4(kind, code, 0, before),
            out_error6(*to, 0, after),
        )
        before, after = quote46(udp(counting(20)).damaged(12))
        b.forward(
            "INN-08",
            f"quoted UDP checksum that is wrong stays wrong, {kind}/{code}",
            error4(kind, code, 0, before),
            out_error6(*to, 0, after),
            checksum="wrong",
        )
        before, after = quote46(tcp(counting(20)).damaged(22))
        b.forward(
            "INN-08",
            f"quoted TCP checksum that is wrong stays wrong, {kind}/{code}",
            error4(kind, code, 0, before),
            out_error6(*to, 0, after),
            checksum="wrong",
        )
    for size in (8, 9, 16, 48):
        for reply in (True, False):
            before, after = quote46(Echo(counting(40), reply))
            b.forward(
                "INN-09 INN-05",
                f"{size} bytes of a quoted echo {'reply' if reply else 'request'}",
                error4(11, 0, 0, cut(before, 20 + size)),
                out_error6(3, 0, 0, cut(after, 40 + size)),
            )
    before, after = quote46(Echo(counting(1472), True))
    b.forward(
        "INN-09 INN-05",
        "8 bytes of a quoted echo reply of 1500 bytes",
        error4(3, 4, 1400, cut(before, 28)),
        out_error6(2, 0, 1420, cut(after, 48)),
    )
    before, after = quote46(Echo(code=5))
    b.forward(
        "INN-09",
        "quoted echo request with code 5",
        error4(11, 0, 0, before),
        out_error6(3, 0, 0, after),
    )
    for kind in (3, 4, 5, 11, 12):
        quoted = v4(S4, C4, icmp(S4, C4, kind, 0, 0, v4(C4, S4, udp())), 1)
        for outer, code in ((11, 0), (3, 1)):
            b.drop(
                "INN-02",
                f"{outer}/{code} quotes an ICMP error of type {kind}",
                error4(outer, code, 0, quoted),
                "icmp_nested",
            )
        b.drop(
            "INN-02",
            f"only 8 bytes of a quoted ICMP error of type {kind}",
            error4(11, 0, 0, cut(quoted, 28)),
            "icmp_nested",
        )
    for kind in (9, 10, 13, 14, 15, 16, 17, 18, 42, 255):
        quoted = v4(S4, C4, icmp(S4, C4, kind, 0, 0, bytes(12)), 1)
        b.drop(
            "INN-09",
            f"quoted ICMP query of type {kind}",
            error4(11, 0, 0, quoted),
            ["icmp_nested", "icmp_type"],
        )
    for proto, reason in (
        (0, "v6only_proto"),
        (44, "v6only_proto"),
        (58, "v6only_proto"),
        (60, "v6only_proto"),
        (2, "igmp"),
    ):
        b.drop(
            "INN-01 T46-19",
            f"quoted protocol {proto}",
            error4(11, 0, 0, v4(S4, C4, raw(proto, bytes(16)))),
            [reason, "icmp_quote", "icmp_nested"],
        )


def fragments46(b):
    whole = udp(counting(2000))
    data4, data6 = whole.on(S4, C4), whole.on(S6, C6)
    for at, more, size in (
        (0, True, 8),
        (0, True, 100),
        (1480, False, 8),
        (1480, False, 100),
        (744, True, 64),
    ):
        for kind, code, word, to in (
            (3, 4, 1400, (2, 0, 1420)),
            (11, 0, 0, (3, 0, 0)),
            (11, 1, 0, (3, 1, 0)),
            (3, 2, 0, (4, 1, 6)),
        ):
            end = min(at + 1480, len(data4)) if more else len(data4)
            before = v4(S4, C4, data4[at:end], 17, 60, ident=0xBEEF, mf=more, offset=at // 8)
            after = v6(
                S6, C6, fragment_header(17, 0xBEEF, at // 8, more) + data6[at:end], 44, hlim=60
            )
            b.forward(
                "INN-03 INN-12 INN-07" + (" I46-08" if kind == 3 and code == 2 else ""),
                f"{kind}/{code} quotes {size} bytes of a UDP fragment at {at}",
                error4(kind, code, word, cut(before, 20 + size)),
                out_error6(*to, cut(after, 48 + size)),
            )
    for df in (False, True):
        before = v4(S4, C4, data4[:64], 17, 60, ident=1, mf=True, df=df, options=b"\x01" * 4)
        after = v6(S6, C6, fragment_header(17, 1, 0, True) + data6[:64], 44, hlim=60)
        b.forward(
            "INN-03 INN-12",
            f"quoted first fragment with options, DF={int(df)}",
            error4(11, 1, 0, before),
            out_error6(3, 1, 0, after),
        )
    zero = udp(counting(2000), zero=True)
    before = v4(S4, C4, zero.on(S4, C4)[:64], 17, 60, ident=9, mf=True)
    after = v6(S6, C6, fragment_header(17, 9, 0, True) + zero.on(S6, C6)[:64], 44, hlim=60)
    b.forward(
        "INN-08 INN-12",
        "quoted first fragment of UDP with checksum 0",
        error4(11, 1, 0, before),
        out_error6(3, 1, 0, after),
    )
    for kind, code in ((11, 1), (11, 0)):
        b.drop(
            "INN-12",
            f"{kind}/{code} quotes an ICMP first fragment",
            error4(kind, code, 0, v4(S4, C4, Echo(counting(56), True), mf=True)),
            ["frag_icmp", "icmp_quote", "icmp_nested"],
        )
    before = v4(S4, C4, counting(64), 1, 60, ident=0xBEEF, offset=185)
    after = v6(S6, C6, fragment_header(58, 0xBEEF, 185, False) + counting(64), 44, hlim=60)
    b.forward(
        "INN-12",
        "quoted later ICMP fragment: headers only",
        error4(11, 0, 0, before),
        out_error6(3, 0, 0, after),
    )


def limits46(b):
    config("mtu6_1500_lim_1500", lowest_ipv6_mtu=1500)
    for size in (1231, 1232, 1233, 1240, 1260, 1480, 1500):
        segment = tcp(counting(size - 68))
        before, after = quote46(segment)
        packet = error4(11, 0, 0, before)
        assert len(packet) == size
        b.forward(
            "INN-14 INN-15 F46-18 CK-10",
            f"an error of {size} bytes: at most 1280",
            packet,
            out_error6(3, 0, 0, after),
        )
    before, after = quote46(udp(counting(1444)))
    b.forward(
        "INN-14 F46-18",
        "1500 bytes, DF=1: no 3/4, but 1280",
        error4(3, 3, 0, before, df=True),
        out_error6(1, 4, 0, after),
    )
    b.forward(
        "INN-14 F46-18",
        "1500 bytes, lowest_ipv6_mtu 1500: 1280 all the same",
        error4(3, 3, 0, before),
        out_error6(1, 4, 0, after),
        config="mtu6_1500_lim_1500",
    )
    before, after = quote46(udp(counting(1444)), options=b"\x01" * 40)
    b.forward(
        "INN-14",
        "quote with 40 bytes of options, cut to 1280",
        error4(3, 3, 0, cut(before, 1472)),
        out_error6(1, 4, 0, cut(after, 1232)),
    )


ROWS = (sizes46, transport46, fragments46, limits46)
