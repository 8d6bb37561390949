# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 11: hairpinning."""
from book import (
    C6,
    POOL4,
    R6,
    S4,
    S6,
    T4,
    T6,
    Book,
    config,
    down,
    embed,
    error4,
    error6,
    out_error6,
    own_error6,
    quote46,
)
from packets import (
    Echo,
    counting,
    cut,
    dccp,
    fragment_header,
    icmp,
    options_header,
    raw,
    routing_header,
    tcp,
    udp,
    udplite,
    v6,
)
from rows_eam import PAIRS, S6C, T6C, mappings


def turn(segment, hlim=64, tc=0, flow=0, headers=b"", first=None):
    """A packet from S to T through P, in and out."""
    body = headers + segment.on(S6, T6C)
    before = v6(
        S6, T6C, body, segment.protocol(6) if first is None else first, hlim=hlim, tc=tc, flow=flow
    )
    return before, v6(S6C, T6, segment, hlim=hlim - 1, tc=tc)


def hairpin(b):
    config("small4", mtu4=576)
    config("hairpin_off", hairpin=False)
    makers = (
        ("TCP", tcp),
        ("UDP", udp),
        ("DCCP", dccp),
        ("UDP-Lite", udplite),
        ("echo", Echo),
        ("SCTP", lambda d: raw(132, d)),
        ("ESP", lambda d: raw(50, d)),
        ("echo reply", lambda d: Echo(d, True)),
    )
    for name, make in makers:
        for size in (20, 1000, 1200):
            b.forward(
                "HP-01 HP-04 HP-05 HP-06 TTL-06",
                f"{name} with {size} bytes from server to server",
                *turn(make(counting(size))),
            )
        b.forward(
            "HP-05",
            f"{name} the other way",
            v6(T6, S6C, make(counting(20))),
            v6(T6C, S6, make(counting(20)), hlim=63),
        )
    for hlim in (2, 3, 255):
        b.forward("HP-06 TTL-06", f"hop limit {hlim}: one less", *turn(tcp(), hlim))
    for hlim in (0, 1):
        packet = v6(S6, T6C, tcp(), hlim=hlim)
        b.reply(
            "HP-06 T64-07",
            f"hop limit {hlim}: 3/0",
            packet,
            "hop_limit",
            own_error6(3, 0, 0, packet),
        )
    for tc in (0x03, 0xB9):
        b.forward(
            "HP-05 ECN-01",
            f"Traffic Class 0x{tc:02x} stays, the flow label does not",
            *turn(udp(), tc=tc, flow=0xABCDE),
        )
    for size in (1261, 1279, 1280, 1281, 1300, 1480, 1500):
        b.forward("HP-08", f"UDP of {size} bytes keeps its size", *turn(udp(counting(size - 48))))
        b.forward("HP-08", f"TCP of {size} bytes keeps its size", *turn(tcp(counting(size - 60))))
    for size in (700, 1280, 1500):
        b.forward(
            "HP-08",
            f"{size} bytes with mtu4 576: no IPv4 link is crossed",
            *turn(udp(counting(size - 48))),
            config="small4",
        )
    for size in (1501, 1520):
        packet = v6(S6, T6C, udp(counting(size - 48)))
        b.reply(
            "HP-07 PM-01",
            f"{size} bytes, mtu6 1500: 2/0",
            packet,
            "too_big",
            own_error6(2, 0, 1500, packet),
        )
    config("hairpin_1400", mtu6=1400)
    packet = v6(S6, T6C, tcp(counting(1341)))
    b.reply(
        "HP-07",
        "1401 bytes, mtu6 1400: 2/0",
        packet,
        "too_big",
        own_error6(2, 0, 1400, packet),
        config="hairpin_1400",
    )
    b.forward(
        "HP-07", "1400 bytes, mtu6 1400: fits", *turn(tcp(counting(1340))), config="hairpin_1400"
    )
    for name, first, headers in (
        ("hop-by-hop", 0, options_header(17)),
        ("destination options", 60, options_header(17, 3)),
        ("routing, Segments Left 0", 43, routing_header(17)),
    ):
        b.forward(
            "HP-05 HP-08 T64-10", f"{name} is removed", *turn(udp(), headers=headers, first=first)
        )
    packet = v6(S6, T6C, routing_header(17, 1) + udp().on(S6, T6C), 43)
    b.reply(
        "HP-07 T64-11",
        "routing header with Segments Left 1: 4/0",
        packet,
        "routing_header",
        own_error6(4, 0, 43, packet),
    )
    b.forward(
        "HP-05 L4-02 L4-06",
        "UDP with checksum 0: computed for the second IPv6 packet",
        v6(S6, T6C, udp(zero=True)),
        v6(S6C, T6, udp(), hlim=63),
    )
    whole = udp(counting(3000))
    for at, size, more in (
        (0, 8, True),
        (0, 1000, True),
        (1000, 1000, True),
        (2000, 1008, False),
        (0, 1232, True),
    ):
        data1, data2 = whole.on(S6, T6C)[at : at + size], whole.on(S6C, T6)[at : at + size]
        b.forward(
            "HP-08 F64-01 F46-03 ID-09",
            f"fragment of {size} bytes at {at}: identification 0xdeadbeef becomes 0xbeef",
            v6(S6, T6C, fragment_header(17, 0xDEADBEEF, at // 8, more) + data1, 44),
            v6(S6C, T6, fragment_header(17, 0xBEEF, at // 8, more) + data2, 44, hlim=63),
        )
    b.forward(
        "HP-08 F46-02 ID-06",
        "an atomic fragment: none is sent on",
        v6(S6, T6C, fragment_header(17, 9) + udp().on(S6, T6C), 44),
        v6(S6C, T6, udp(), hlim=63),
    )
    b.drop(
        "HP-05 F64-05",
        "fragment of an echo request",
        v6(S6, T6C, fragment_header(58, 1, 0, True) + Echo(counting(56)).on(S6, T6C), 44),
        "frag_icmp",
    )
    b.drop(
        "HP-05 F64-10",
        "TCP first fragment of 8 bytes",
        v6(S6, T6C, fragment_header(6, 1, 0, True) + counting(8), 44),
        "tiny_fragment",
    )
    for name, segment in (("TCP", tcp()), ("UDP", udp()), ("echo", Echo())):
        b.drop("HP-09 T64-21", f"{name} from P::S to P::T", v6(S6C, T6C, segment), "spoof")
        b.drop("T64-24", f"{name} from a server to itself", v6(S6, S6C, segment), "same_host")
        b.drop(
            "HP-04", f"{name}, hairpin off", v6(S6, T6C, segment), "hairpin", config="hairpin_off"
        )
        b.forward("HP-04", f"{name} to a client, hairpin off", *down(segment), config="hairpin_off")
    b.drop(
        "HP-05 I64-01",
        "a neighbour solicitation",
        v6(S6, T6C, icmp(S6, T6C, 135, 0, 0, bytes(16)), 58),
        "icmp_type",
    )
    for name, segment in (("UDP", udp()), ("TCP", tcp())):
        packet = v6("2001:db8:9::9", T6C, segment)
        b.reply(
            "HP-05 T64-22",
            f"{name} from a host without a pair to a server: 1/1",
            packet,
            "no_mapping",
            own_error6(1, 1, 0, packet, to="2001:db8:9::9"),
        )
    config("eam", pairs=PAIRS)
    b.forward(
        "HP-05 EAM-02 EAM-03",
        "between two prefix mappings",
        v6("2001:db8:cccc::8", embed("192.0.2.183"), tcp()),
        v6(embed("192.0.2.24"), "2001:db8:dddd:0:dc00::", tcp(), hlim=63),
        config="eam",
    )
    config("internet", profile="internet")
    b.forward(
        "HP-05 SPA-02",
        "pairs inside of TEST-NET-1, profile internet: pairs are exempt",
        *turn(tcp()),
        config="internet",
    )


def turn_error(
    kind,
    code,
    word,
    to_kind,
    to_code,
    to_word,
    segment,
    src=T6,
    src_out=T6C,
    size=None,
    hlim=64,
    fh=False,
):
    """An error about a packet that S has sent to P::T and that T has seen from P::S."""
    if fh:
        seen = v6(S6C, T6, fragment_header(17, 0x7777, 0, True) + segment.on(S6C, T6), 44, hlim=60)
        sent = v6(S6, T6C, fragment_header(17, 0x7777, 0, True) + segment.on(S6, T6C), 44, hlim=60)
    else:
        seen, sent = v6(S6C, T6, segment, hlim=60), v6(S6, T6C, segment, hlim=60)
    if size:
        seen, sent = cut(seen, size), cut(sent, size)
    return (
        error6(kind, code, word, seen, src, S6C, hlim),
        error6(to_kind, to_code, to_word, sent, src_out, S6, hlim - 1),
    )


def hairpin_errors(b):
    kinds = (
        (1, 0, 0, 1, 0, 0),
        (1, 1, 0, 1, 1, 0),
        (1, 2, 0, 1, 0, 0),
        (1, 3, 0, 1, 0, 0),
        (1, 4, 0, 1, 4, 0),
        (3, 0, 0, 3, 0, 0),
        (3, 1, 0, 3, 1, 0),
        (4, 1, 40, 4, 1, 6),
        (4, 0, 0, 4, 0, 0),
        (4, 0, 1, 4, 0, 1),
        (4, 0, 5, 4, 0, 4),
        (4, 0, 6, 4, 0, 6),
        (4, 0, 7, 4, 0, 7),
        (4, 0, 20, 4, 0, 8),
        (4, 0, 39, 4, 0, 24),
    )
    for kind in kinds:
        for name, segment in (("UDP", udp()), ("TCP", tcp()), ("echo request", Echo())):
            if kind[0] == 4 and name != "UDP":
                continue
            b.forward(
                "HP-02 HP-03 HP-05",
                f"{kind[0]}/{kind[1]} ({kind[2]}) from the server about {name}",
                *turn_error(*kind, segment),
            )
            b.forward(
                "HP-02 HP-05 S91-01",
                f"{kind[0]}/{kind[1]} ({kind[2]}) from a router about {name}",
                *turn_error(*kind, segment, R6, embed(POOL4)),
            )
    big = udp(counting(1300))
    for mtu, to in ((0, 1280), (1280, 1280), (1400, 1400), (1500, 1500), (9000, 1500)):
        b.forward(
            "HP-05 I64-03 I46-05",
            f"2/0 with MTU {mtu}: {to}",
            *turn_error(2, 0, mtu, 2, 0, to, big, R6, embed(POOL4), 200),
        )
    for mtu, to in ((1400, 1392), (1500, 1492), (1280, 1280)):
        b.forward(
            "HP-05 I64-03 I46-05",
            f"2/0 with MTU {mtu} about a fragment: {to}",
            *turn_error(2, 0, mtu, 2, 0, to, udp(counting(100)), R6, embed(POOL4), fh=True),
        )
    b.forward(
        "HP-06",
        "an error with hop limit 2",
        *turn_error(3, 0, 0, 3, 0, 0, udp(), R6, embed(POOL4), hlim=2),
    )
    b.forward("HP-05 INN-06", "48 bytes quoted", *turn_error(3, 0, 0, 3, 0, 0, tcp(), size=48))
    for code in (5, 6):
        b.drop("HP-05 I64-06", f"1/{code}", turn_error(1, code, 0, 1, 1, 0, udp())[0], "icmp_type")
    b.drop(
        "HP-05 I64-05",
        "4/0 with pointer 40",
        turn_error(4, 0, 40, 4, 0, 0, udp())[0],
        "icmp_pointer",
    )
    b.drop(
        "HP-05 T64-07",
        "an error with hop limit 1: silent",
        turn_error(3, 0, 0, 3, 0, 0, udp(), R6, hlim=1)[0],
        "hop_limit",
    )
    b.drop(
        "HP-05 I64-07",
        "an error to P::S about a packet of a client",
        error6(3, 0, 0, v6(C6, T6, udp()), R6, S6C),
        ["icmp_mismatch", "icmp_quote"],
    )
    b.drop(
        "HP-05 INN-02",
        "an error about an error",
        error6(3, 0, 0, error6(3, 0, 0, v6(T6, S6C, udp()), S6C, T6), R6, S6C),
        "icmp_nested",
    )
    b.drop(
        "HP-05 I64-02",
        "a damaged error",
        turn_error(3, 0, 0, 3, 0, 0, udp())[0][:-1] + b"\xff",
        "icmp_checksum",
    )
    table = [["192.0.2.1", "2001:db8:aaaa::"], ["192.0.2.2", "2001:db8:bbbb::b"]]
    a6, b6 = table[0][1], table[1][1]
    for name, prefix in (("rfc7757", "64:ff9b::/96"), ("rfc7757_nsp", "2001:db8:46::/96")):
        config(name, prefix=prefix, pairs=table, pool4=["198.51.100.1"])
        pa, pb, pool = (embed(x, prefix) for x in (S4, T4, "198.51.100.1"))
        b.forward(
            "HP-01 HP-05",
            f"table 11.1 row 1, {prefix}",
            v6(a6, pb, tcp()),
            v6(pa, b6, tcp(), hlim=63),
            config=name,
        )
        seen, sent = v6(pa, b6, udp(), hlim=60), v6(a6, pb, udp(), hlim=60)
        b.forward(
            "HP-02 HP-03 HP-05",
            f"table 11.1 row 2, {prefix}",
            error6(1, 4, 0, seen, b6, pa),
            error6(1, 4, 0, sent, pb, a6, 63),
            config=name,
        )
        b.forward(
            "HP-02 HP-03 HP-05 S91-01",
            f"table 11.1 row 3, {prefix}",
            error6(3, 0, 0, seen, "2001:db8::1234", pa),
            error6(3, 0, 0, sent, pool, a6, 63),
            config=name,
        )


def spoofed_errors(b):
    before, after = quote46(udp(), S4, S6, T4)
    packet = error4(3, 3, 0, before, src=T4)
    b.drop("SEC-04", "an ICMP error with a pair's address as source", packet, "spoof")
    b.forward(
        "HP-02 HP-03 SEC-04",
        "spoof check off: outer source = inner destination, both by the prefix",
        packet,
        out_error6(1, 4, 0, after, src=T6C),
        config="spoof_off",
    )
    before, after = quote46(udp())
    packet = error4(11, 0, 0, before, src=T4)
    b.drop(
        "SEC-04", "an ICMP error from a pair's address about a packet to a client", packet, "spoof"
    )
    b.forward(
        "HP-03 SEC-04",
        "spoof check off: another outer source goes by the table first",
        packet,
        out_error6(3, 0, 0, after, src=T6),
        config="spoof_off",
    )
    before, after = quote46(udp(), client=T4)
    b.forward(
        "HP-02 INN-04",
        "inner destination is a pair: by the prefix all the same",
        error4(11, 0, 0, before),
        out_error6(3, 0, 0, after),
    )


def books():
    b = Book("eam_hairpin")
    for rows in (mappings, hairpin, hairpin_errors, spoofed_errors):
        rows(b)
    return [b]
