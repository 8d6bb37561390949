# SPDX-License-Identifier: BSD-2-Clause
"""Rows that no other file has: the differences to RFC 6145, 6146 and 2765 (matrix section 22), one
packet or more for each that an old translator would treat otherwise, and a few single ones."""
from book import (
    C4,
    C6,
    D4,
    R4,
    R6,
    S4,
    S6,
    T4,
    T6,
    UNMAPPED4,
    UNMAPPED6,
    Book,
    config,
    down,
    embed,
    error4,
    error6,
    out_error4,
    out_error6,
    own_error4,
    own_error6,
    quote46,
    quote64,
    up,
)
from packets import (
    Echo,
    counting,
    cut,
    fragment_header,
    options_header,
    raw,
    tcp,
    udp,
    v4,
    v6,
)
from rows_offload_csum import DATA_VALID, NEEDS_CSUM, TCPV4, TCPV6, gso


def fragments(b):
    for size in (0, 99, 1212):
        before, after = up(udp(counting(size, 1)), ident=0x4D11, df=False)
        b.forward(
            "DIF-01 DIF-17 ID-07",
            f"DF=0, {size + 8} bytes of data: no Fragment Header",
            before,
            after,
        )
    config("lim_1400", lowest_ipv6_mtu=1400)
    b.forward(
        "DIF-05 F46-05",
        "lowest_ipv6_mtu 1400: 1400 bytes of IPv6 stay whole",
        *up(udp(counting(1352, 5))),
        config="lim_1400",
    )
    segment = udp(counting(1353, 5)).on(C6, S6)
    b.forward(
        "DIF-05 F46-05",
        "lowest_ipv6_mtu 1400: 1401 bytes do not",
        v4(C4, S4, udp(counting(1353, 5)), ident=0xD1F5),
        v6(C6, S6, fragment_header(17, 0xD1F5, more=True) + segment[:1352], 44, hlim=63),
        v6(C6, S6, fragment_header(17, 0xD1F5, 169) + segment[1352:], 44, hlim=63),
        config="lim_1400",
    )
    for more in (False, True):
        packet = v6(
            S6, C6, fragment_header(60, 0xD1F6, more=more) + options_header(17) + bytes(48), 44
        )
        b.reply(
            "DIF-06",
            f"destination options behind a Fragment Header, M={more:d}: 1/1",
            packet,
            "frag_extension",
            own_error6(1, 1, 0, packet),
        )
    config("mtu4_1100", mtu4=1100)
    packet = v6(S6, C6, udp(counting(1232, 8)))
    segment = udp(counting(1232, 8)).on(S4, C4)
    b.forward(
        "DIF-08",
        "IPv6 1280, IPv4 link of 1100 bytes: fragments in IPv4",
        packet,
        v4(S4, C4, segment[:1080], 17, 63, ident=None, mf=True),
        v4(S4, C4, segment[1080:], 17, 63, ident=None, offset=135),
        config="mtu4_1100",
    )
    packet = v6(S6, C6, udp(counting(1233, 8)))
    b.reply(
        "DIF-08",
        "IPv6 1281 with the same link: 2/0",
        packet,
        "too_big",
        own_error6(2, 0, 1280, packet),
        config="mtu4_1100",
    )
    b.drop(
        "DIF-14",
        "UDP checksum 0 in a first fragment: not reassembled, dropped",
        v4(C4, S4, udp(counting(64, 14), zero=True), ident=0xD1FE, mf=True),
        "udp_zero_checksum",
    )
    for size, df in ((1232, False), (1233, True)):
        before, after = down(udp(counting(size, 4)))
        b.forward(
            "DIF-04" if df else "DIF-04 PM-06",
            f"IPv4 of {size + 28} bytes: DF={df:d}",
            before,
            after,
        )


def mtus(b):
    before, after = quote46(tcp(counting(1440, 2)), df=True)
    for mtu in (68, 296, 576, 1006, 1259, 1260):
        quoted = 64 + mtu % 16
        b.forward(
            "DIF-02 PM-03",
            f"3/4 with MTU {mtu}: 2/0 with 1280",
            error4(3, 4, mtu, cut(before, quoted)),
            out_error6(2, 0, 1280, cut(after, quoted + 20)),
        )
    for total in (1492, 1006, 600):
        before, after = quote46(tcp(counting(total - 40, 3)), df=True)
        b.forward(
            "DIF-03",
            f"3/4 without MTU about {total} bytes: no plateau under 1280",
            error4(3, 4, 0, cut(before, 48)),
            out_error6(2, 0, 1280, cut(after, 68)),
        )


def errors(b):
    packet = v6(UNMAPPED6, C6, udp(b"DIF-07"))
    b.reply(
        "DIF-07",
        "a source without a pair: 1/1, not 1/5",
        packet,
        "no_mapping",
        own_error6(1, 1, 0, packet, to=UNMAPPED6),
    )
    packet = v4(C4, UNMAPPED4, Echo(b"DIF-09"))
    b.reply(
        "DIF-09",
        "3/13 about an echo request",
        packet,
        "no_mapping",
        own_error4(3, 13, 0, packet),
    )
    quoted, _ = quote46(udp(b"DIF-09"), UNMAPPED4)
    b.drop(
        "DIF-09",
        "silence about an ICMP error",
        error4(3, 3, 0, quoted, dst=UNMAPPED4),
        "no_mapping",
    )
    config("internet_allowed", profile="internet", allow=["198.51.100.0/24"])
    for router in ("10.1.2.3", "172.31.0.1", "192.168.1.254"):
        before, after = quote46(udp(b"DIF-10"))
        b.forward(
            "DIF-10",
            f"time exceeded from {router}",
            error4(11, 0, 0, before, src=router),
            out_error6(3, 0, 0, after, src=embed(router)),
            config="internet_allowed",
        )
    for ttl in (0, 1, 2, 255):
        before, after = quote46(udp(b"DIF-12"), ttl=ttl)
        b.forward(
            "DIF-12",
            f"quoted TTL {ttl} stays",
            error4(11, 0, 0, before),
            out_error6(3, 0, 0, after),
        )
        before, after = quote64(udp(b"DIF-12"), hlim=ttl)
        b.forward(
            "DIF-12",
            f"quoted Hop Limit {ttl} stays",
            error6(3, 0, 0, before),
            out_error4(11, 0, 0, after),
        )


def addresses(b):
    b.forward(
        "DIF-11",
        "destination by mapping, source by RFC 6052",
        *up(tcp(b"DIF-11")),
    )
    before, after = quote64(tcp(b"DIF-11"))
    b.forward(
        "DIF-11",
        "an ICMPv6 error from a router without mapping, by RFC 6791",
        error6(1, 0, 0, before, src=R6),
        out_error4(3, 1, 0, after),
    )
    b.drop("DIF-15", "a source in the prefix", v6(embed(D4), C6, udp(b"DIF-15")), "spoof")
    for client in (C4, D4, R4):
        b.forward(
            "DIF-16",
            f"the port of {client} is kept",
            *up(tcp(b"DIF-16", sport=1024), src=client),
        )
    for server in ((S4, S6), (T4, T6)):
        b.forward(
            "DIF-16",
            f"the port of {server[0]} is kept",
            *down(tcp(b"DIF-16", sport=1024), src=server[1], was=server[0]),
        )
    b.drop(
        "DIF-17",
        "an IPv4-mapped destination is none",
        v6(S6, "::ffff:198.51.100.7", udp(b"DIF-17")),
        "martian6",
    )
    translated = "::ffff:0:192.0.2.1"
    about = v6(translated, C6, udp(b"DIF-17"))
    b.reply(
        "DIF-17",
        "an IPv4-translated source of RFC 2765 is an address without a pair",
        about,
        "no_mapping",
        own_error6(1, 1, 0, about, to=translated),
    )
    for proto in (4, 41, 47, 50, 132, 253):
        segment = raw(proto, b"DIF-13 any transport" + bytes(20))
        b.forward("DIF-13", f"protocol {proto} from IPv4", *up(segment))
        b.forward("DIF-13", f"protocol {proto} from IPv6", *down(segment))


def single_ones(b):
    """What other files show by rows that do not name it."""
    for reply in (False, True):
        b.forward(
            "T46-06",
            "protocol 1 becomes 58",
            *up(Echo(b"T46-06", reply)),
        )
    segment = Echo(counting(1400, 6)).on(C6, S6)
    b.forward(
        "T46-06 F46-03",
        "protocol 1 becomes 58 in the Fragment Header, too",
        v4(C4, S4, Echo(counting(1400, 6)), ident=0x4606),
        v6(C6, S6, fragment_header(58, 0x4606, more=True) + segment[:1232], 44, hlim=63),
        v6(C6, S6, fragment_header(58, 0x4606, 154) + segment[1232:], 44, hlim=63),
    )
    datagram = udp(counting(1480, 8))
    b.forward(
        "HP-08",
        "a first fragment of 1496 bytes through a hairpin keeps its size",
        v6(
            S6,
            embed(T4),
            fragment_header(17, 0xABCD1234, more=True) + datagram.on(S6, embed(T4))[:1448],
            44,
        ),
        v6(
            embed(S4),
            T6,
            fragment_header(17, 0x1234, more=True) + datagram.on(embed(S4), T6)[:1448],
            44,
            hlim=63,
        ),
    )
    route = bytes([131, 7, 4, 203, 0, 113, 9, 0])
    for what, options, data, df, reason, code, word in (
        ("an unexpired source route: 3/5", route, b"G4-01", False, "source_route", 5, 0),
        ("too big: 3/4", b"", counting(1480, 9), True, "too_big", 4, 1480),
    ):
        packet = v4(C4, S4, udp(data), options=options, df=df)
        b.reply("G4-01", what, packet, reason, own_error4(3, code, word, packet))
    b.drop(
        "T46-15",
        "an option of length 1 behind which everything would be in order",
        v4(C4, S4, udp(b"T46-15"), options=bytes([7, 1, 0, 0])),
        "malformed4",
    )
    b.drop(
        "T64-03",
        "65516 bytes behind the IPv6 header: more than IPv4's Total Length can say",
        v6(S6, C6, raw(253, bytes(65516))),
        "too_big",
    )
    for src in ("0.1.2.3", "127.1.2.3", "169.254.1.2", "224.0.0.9", "240.0.0.9"):
        b.drop("SEC-01", f"UDP from {src}", v4(src, S4, udp(b"SEC-01")), "martian4")
        b.drop("SEC-01", f"UDP to {src}", v6(S6, embed(src), udp(b"SEC-01")), "martian4")


def offloads(b):
    """DATA_VALID on super-packets, and TCP headers that do not fit."""
    segment = tcp(counting(3000, 10))
    for flags, is_partial in ((DATA_VALID, False), (DATA_VALID | NEEDS_CSUM, True)):
        kept = {"flags": flags & NEEDS_CSUM, "csum_start": 0, "csum_offset": 0}
        for start, kind, to_start, to_kind, packets in (
            (20, TCPV4, 40, TCPV6, up(segment, df=True, partial=is_partial)),
            (40, TCPV6, 20, TCPV4, super_down(segment, is_partial)),
        ):
            before, after = packets
            out = gso(to_kind, 1000, to_start, 20)
            b.forward(
                "GSO-10",
                f"a super-packet with flags {flags}, from {'IPv4' if start == 20 else 'IPv6'}",
                before,
                after,
                checksum="partial" if is_partial else None,
                offload={**gso(kind, 1000, start, 20), "flags": flags},
                out_offload=[{**out, **({} if is_partial else kept), "flags": flags & NEEDS_CSUM}],
            )
    for words, size in ((4, 3000), (0, 3000), (15, 20)):
        data = bytearray(tcp(counting(size, 11)).on(C4, S4, True))
        data[12] = words << 4
        b.drop(
            "GSO-05",
            f"a super-packet of {len(data)} bytes with a TCP header of {words * 4}",
            v4(C4, S4, bytes(data), 6, df=True),
            "bad_offload",
            checksum="partial",
            offload=gso(TCPV4, 1000, 20, 20),
        )


def super_down(segment, is_partial):
    """To a super-packet of segments whose size decides about DF (T64-06)."""
    before = v6(S6, C6, segment, partial=is_partial)
    return before, v4(S4, C4, segment, ttl=63, ident=None, df=False, partial=is_partial)


def between_the_prefixes(b):
    """64:ff9b::/47 holds two prefixes and a gap; only the first has restrictions (A52-06)."""
    for number, prefix in enumerate(
        ("64:ff9b:0:1::/96", "64:ff9b:0:8000::/96", "64:ff9b:1:ffff::/96", "64:ff9b::1:0:0/96")
    ):
        name = config(f"beside_well_known_{number}", prefix=prefix)
        for client in ("10.1.1.1", "192.168.7.7", C4):
            b.forward(
                "A52-14",
                f"{client} is translated with {prefix}",
                *up(udp(b"A52-14"), src=client, prefix=prefix),
                config=name,
            )
            b.forward(
                "A52-14",
                f"and back to {client} with {prefix}",
                *down(udp(b"A52-14"), dst=client, prefix=prefix),
                config=name,
            )
    for router in ("64:ff9b:0:1::a", "64:ff9b:0:ffff::a"):
        before, after = quote64(udp(b"A52-14"))
        b.forward(
            "A52-14",
            f"a router in the gap is a router: {router}",
            error6(3, 0, 0, before, src=router),
            out_error4(11, 0, 0, after),
        )


def tunnels(b):
    """ECN-03: what IP-in-IP carries is payload, its ECN bits are its own."""
    for outer in range(4):
        for inner in (0, 2):
            carried = raw(4, bytes(v4(D4, R4, udp(b"ECN-03"), tos=inner)))
            b.forward(
                "ECN-03 ECN-01",
                f"IPv4 in IPv4, ECN {outer:02b} outside and {inner:02b} inside",
                *up(carried, tos=outer),
            )
            carried = raw(41, bytes(v6(T6, S6, udp(b"ECN-03"), tc=inner)))
            b.forward(
                "ECN-03 ECN-01",
                f"IPv6 in IPv6, ECN {outer:02b} outside and {inner:02b} inside",
                *down(carried, tc=outer),
            )


def books():
    b = Book("requirements")
    for part in (
        fragments,
        mtus,
        errors,
        addresses,
        single_ones,
        offloads,
        between_the_prefixes,
        tunnels,
    ):
        part(b)
    return [b]
