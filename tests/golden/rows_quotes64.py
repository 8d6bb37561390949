# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 4: packets quoted inside ICMPv6 errors. Its rows go to quotes.json."""
from book import C4, C6, S4, S6, config, embed, error6, out_error4, quote64
from packets import (
    Echo,
    address,
    counting,
    cut,
    fragment_header,
    icmp,
    incremental,
    options_header,
    raw,
    routing_header,
    tcp,
    udp,
    v4,
    v6,
)
from rows_quotes46 import SEGMENTS, leave_field


def sizes64(b):
    for name, segment in SEGMENTS:
        field = segment.field
        l4 = segment.on(C6, S6)
        before, after = quote64(segment)
        for size in (4, 7, 8, 17, 18, 28, len(l4)):
            if size > len(l4) or (field is None and size not in (8, len(l4))):
                continue
            new = cut(after, 20 + size)
            if field is not None and size < field + 2:
                new = leave_field(after, 20, l4, size)
            b.forward(
                "INN-01 INN-05 INN-06 INN-07 INN-10 I64-01",
                f"3/0 quotes {size} bytes of {name}",
                error6(3, 0, 0, cut(before, 40 + size)),
                out_error4(11, 0, 0, new),
            )
    for hlim in (0, 1, 2, 255):
        b.forward(
            "INN-01 TTL-05",
            f"quoted hop limit {hlim} is copied",
            error6(3, 0, 0, quote64(udp(), hlim=hlim)[0]),
            out_error4(11, 0, 0, quote64(udp(), hlim=hlim)[1]),
        )
    for tc in (0x01, 0x02, 0xB9, 0xFF):
        before, after = quote64(udp(), tc=tc)
        b.forward(
            "INN-01 T64-02",
            f"quoted Traffic Class 0x{tc:02x} is copied",
            error6(1, 0, 0, before),
            out_error4(3, 1, 0, after),
        )
    before, after = v6(C6, S6, udp(), hlim=9, flow=0xABCDE), quote64(udp(), hlim=9)[1]
    b.forward(
        "INN-01 T64-02",
        "quoted flow label vanishes",
        error6(3, 0, 0, before),
        out_error4(11, 0, 0, after),
    )
    for size in (28, 1259, 1260, 1261, 1480, 1500):
        before, after = quote64(udp(counting(size - 28)))
        b.forward(
            "INN-05 INN-10 T64-06",
            f"48 bytes quoted of {size} bytes (in IPv4): DF={int(size > 1260)}",
            error6(2, 0, 1400, cut(before, 48)),
            out_error4(3, 4, 1380, cut(after, 28)),
        )
    for length in (65515, 65516, 65530, 65535):
        old, new = udp(), udp()
        value = 0x4321
        old.fixed, new.fixed = value, incremental(value, *(_addresses()))
        before = v6(C6, S6, old, hlim=60, length=length)
        after = v4(C4, S4, new, ttl=60, ident=None, df=True, total=min(length + 20, 65535))
        b.forward(
            "INN-05",
            f"quoted Payload Length {length}: Total Length at most 65535",
            error6(2, 0, 1400, before),
            out_error4(3, 4, 1380, after),
            checksum="wrong",
        )
    for client in ("1.2.3.4", "10.1.2.3", "192.168.255.255"):
        before, after = quote64(tcp(), client)
        b.forward(
            "INN-04",
            f"quoted source P::{client} is extracted",
            error6(3, 0, 0, before, dst=embed(client)),
            out_error4(11, 0, 0, after, dst=client),
        )


def _addresses():
    return address(C6) + address(S6), address(C4) + address(S4)


def transport64(b):
    zero = udp(counting(20), zero=True)
    before, after = quote64(zero)
    b.forward(
        "INN-08 L4-06",
        "quoted UDP checksum 0 stays 0",
        error6(3, 0, 0, before),
        out_error4(11, 0, 0, after),
    )
    for name, segment in (
        ("UDP", udp(counting(20)).damaged(12)),
        ("TCP", tcp(counting(20)).damaged(22)),
    ):
        before, after = quote64(segment)
        b.forward(
            "INN-08",
            f"quoted {name} checksum that is wrong stays wrong",
            error6(1, 4, 0, before),
            out_error4(3, 3, 0, after),
            checksum="wrong",
        )
    for size in (8, 9, 16, 48):
        for reply in (True, False):
            before, after = quote64(Echo(counting(40), reply))
            b.forward(
                "INN-09 INN-05",
                f"{size} bytes of a quoted echo {'reply' if reply else 'request'}",
                error6(3, 0, 0, cut(before, 40 + size)),
                out_error4(11, 0, 0, cut(after, 20 + size)),
            )
    before, after = quote64(Echo(counting(1452)))
    b.forward(
        "INN-09 INN-05",
        "8 bytes of a quoted echo request of 1500 bytes",
        error6(2, 0, 1400, cut(before, 48)),
        out_error4(3, 4, 1380, cut(after, 28)),
    )
    for kind in (1, 2, 3, 4, 100, 127):
        quoted = v6(C6, S6, icmp(C6, S6, kind, 0, 0, v6(S6, C6, udp())), 58)
        b.drop(
            "INN-02",
            f"3/0 quotes an ICMPv6 error of type {kind}",
            error6(3, 0, 0, quoted),
            "icmp_nested",
        )
        b.drop(
            "INN-02",
            f"only 8 bytes of a quoted ICMPv6 error of type {kind}",
            error6(1, 0, 0, cut(quoted, 48)),
            "icmp_nested",
        )
    for kind in (130, 133, 135, 137, 143, 160, 255):
        quoted = v6(C6, S6, icmp(C6, S6, kind, 0, 0, bytes(16)), 58)
        b.drop(
            "INN-09",
            f"quoted ICMPv6 message of type {kind}",
            error6(3, 0, 0, quoted),
            ["icmp_nested", "icmp_type"],
        )
    for proto in (1, 2):
        b.drop(
            "INN-01 T64-16",
            f"quoted next header {proto}",
            error6(3, 0, 0, v6(C6, S6, raw(proto, bytes(16)))),
            ["v4only_proto", "icmp_quote", "icmp_nested"],
        )


def headers64(b):
    chains = (
        ("hop-by-hop", 0, lambda nh: options_header(nh)),
        ("destination options", 60, lambda nh: options_header(nh, 2)),
        ("routing, Segments Left 0", 43, lambda nh: routing_header(nh)),
        ("hop-by-hop and routing", 0, lambda nh: options_header(43) + routing_header(nh, 0, 2, 2)),
    )
    for name, first, make in chains:
        for kind, segment in (("UDP", udp()), ("TCP", tcp()), ("echo request", Echo())):
            before = v6(C6, S6, make(segment.protocol(6)) + segment.on(C6, S6), first, hlim=60)
            b.forward(
                "INN-03 INN-05 INN-13",
                f"quoted {kind} behind {name}",
                error6(3, 0, 0, before),
                out_error4(11, 0, 0, quote64(segment)[1]),
            )
    before = v6(C6, S6, options_header(17, 1) + udp(counting(1236)).on(C6, S6), 60, hlim=60)
    b.forward(
        "INN-05 INN-10 INN-13",
        "quoted 1300 bytes, 1264 in IPv4, 8 bytes of UDP there: DF=1",
        error6(2, 0, 1280, cut(before, 64)),
        out_error4(3, 4, 1260, cut(quote64(udp(counting(1236)))[1], 28)),
    )
    cutoff = ["icmp_quote", "malformed6", "icmp_malformed"]
    before = v6(C6, S6, options_header(17, 1) + udp().on(C6, S6), 0, hlim=60)
    for size in (40, 41, 42, 48, 55):
        b.drop(
            "INN-13",
            f"quote of {size} bytes ends in the hop-by-hop header",
            error6(3, 0, 0, cut(before, size)),
            cutoff,
        )
    b.forward(
        "INN-13 INN-06",
        "quote ends right behind the hop-by-hop header",
        error6(3, 0, 0, cut(before, 56)),
        out_error4(11, 0, 0, cut(quote64(udp())[1], 20)),
    )
    before = v6(C6, S6, options_header(60) + options_header(17) + udp().on(C6, S6), 0, hlim=60)
    b.drop("INN-13", "quote ends in the second header", error6(3, 0, 0, cut(before, 50)), cutoff)
    before = v6(C6, S6, fragment_header(17, 5, 0, True) + counting(64), 44, hlim=60)
    b.drop(
        "INN-13",
        "quote ends in the Fragment Header",
        error6(3, 0, 0, cut(before, 44)),
        cutoff + ["bad_fragment"],
    )
    before = v6(C6, S6, routing_header(17, 1) + udp().on(C6, S6), 43, hlim=60)
    b.drop(
        "INN-01 T64-11",
        "quoted routing header with Segments Left 1",
        error6(3, 0, 0, before),
        ["icmp_quote", "routing_header"],
    )


def fragments64(b):
    whole = udp(counting(2000))
    data6, data4 = whole.on(C6, S6), whole.on(C4, S4)
    for at, more, size in (
        (0, True, 8),
        (0, True, 100),
        (1480, False, 8),
        (1480, False, 100),
        (744, True, 64),
        (0, False, 8),
    ):
        for kind, code, word, to in (
            (2, 0, 1400, (3, 4, 1372)),
            (3, 0, 0, (11, 0, 0)),
            (3, 1, 0, (11, 1, 0)),
            (4, 1, 6, (3, 2, 0)),
        ):
            end = min(at + 1480, len(data6)) if more else len(data6)
            before = v6(
                C6, S6, fragment_header(17, 0x7777BEEF, at // 8, more) + data6[at:end], 44, hlim=60
            )
            after = v4(C4, S4, data4[at:end], 17, 60, ident=0xBEEF, mf=more, offset=at // 8)
            b.forward(
                "INN-03 INN-10 INN-12 I64-03",
                f"{kind}/{code} quotes {size} bytes of a UDP fragment at {at}, M={int(more)}",
                error6(kind, code, word, cut(before, 48 + size)),
                out_error4(*to, cut(after, 20 + size)),
            )
    echo = Echo(counting(56))
    before = v6(C6, S6, fragment_header(58, 0x1111BEEF) + echo.on(C6, S6), 44, hlim=60)
    b.forward(
        "INN-12 F64-03",
        "quoted atomic fragment of an echo request",
        error6(3, 0, 0, before),
        out_error4(11, 0, 0, v4(C4, S4, echo, ttl=60, ident=0xBEEF)),
    )
    before = v6(C6, S6, fragment_header(58, 1, 0, True) + echo.on(C6, S6), 44)
    b.drop(
        "INN-12",
        "quoted ICMPv6 first fragment",
        error6(3, 1, 0, before),
        ["frag_icmp", "icmp_quote", "icmp_nested"],
    )
    before = v6(C6, S6, fragment_header(58, 0xBEEF, 185) + counting(64), 44, hlim=60)
    b.forward(
        "INN-12",
        "quoted later ICMPv6 fragment: headers only",
        error6(3, 0, 0, before),
        out_error4(11, 0, 0, v4(C4, S4, counting(64), 1, 60, ident=0xBEEF, offset=185)),
    )


def limits64(b):
    config("icmp4_1260", icmp4_error_size=1260)
    config("icmp4_800", icmp4_error_size=800)
    for size in (595, 596, 597, 600, 1000, 1280):
        before, after = quote64(tcp(counting(1400)))
        packet = error6(3, 0, 0, cut(before, size - 48))
        assert len(packet) == size
        after = cut(after, size - 68)
        b.forward(
            "INN-14 INN-15 CK-10",
            f"an error of {size} bytes: at most 576",
            packet,
            out_error4(11, 0, 0, after),
        )
        b.forward(
            "INN-14",
            f"an error of {size} bytes: at most 1260 by configuration",
            packet,
            out_error4(11, 0, 0, after, size=1260),
            config="icmp4_1260",
        )
        b.forward(
            "INN-14",
            f"an error of {size} bytes: at most 800 by configuration",
            packet,
            out_error4(11, 0, 0, after, size=800),
            config="icmp4_800",
        )
    before, after = quote64(udp(counting(1400)))
    b.forward(
        "INN-14",
        "packet too big of 1280 bytes",
        error6(2, 0, 1400, cut(before, 1232)),
        out_error4(3, 4, 1380, after),
    )
    before = v6(C6, S6, options_header(17, 9) + udp(counting(1400)).on(C6, S6), 0, hlim=60)
    b.forward(
        "INN-14 INN-13",
        "1280 bytes with a long hop-by-hop header in the quote",
        error6(3, 0, 0, cut(before, 1232)),
        out_error4(11, 0, 0, quote64(udp(counting(1400)))[1]),
    )


ROWS = (sizes64, transport64, headers64, fragments64, limits64)
