# SPDX-License-Identifier: BSD-2-Clause
"""Matrix sections 0, 15 and 18: the order of the checks, spoofing, and what no other file has."""
from book import (
    C4,
    C6,
    OWN6,
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
    fragment_header,
    icmp,
    options_header,
    raw,
    routing_header,
    tcp,
    udp,
    v4,
    v6,
)


def spoofing(b):
    for name, segment in (
        ("TCP", tcp()),
        ("UDP", udp()),
        ("echo request", Echo()),
        ("protocol 253", raw(253)),
    ):
        b.drop(
            "SEC-04", f"{name} from outside with a server's address", v4(T4, S4, segment), "spoof"
        )
        b.drop(
            "SEC-04 T64-24",
            f"{name} from outside with the destination's own address",
            v4(S4, S4, segment),
            ["spoof", "same_host"],
        )
        b.forward("SEC-04", f"{name}: spoof check off", *up(segment, T4), config="spoof_off")
    b.drop("SEC-04 T46-08", "spoofing is noticed before the TTL", v4(T4, S4, udp(), ttl=1), "spoof")
    config(
        "prefix_pair",
        pairs=[["192.0.2.0/28", "2001:db8:1::/124"], ["192.0.2.17", "2001:db8:2::20"]],
    )
    b.drop(
        "SEC-04 EAM-01",
        "an address inside of a prefix mapping as source",
        v4("192.0.2.5", "192.0.2.17", udp()),
        "spoof",
        config="prefix_pair",
    )
    b.forward(
        "SEC-04 EAM-01",
        "an address beside the prefix mapping",
        *up(udp(), "192.0.2.18", "192.0.2.17", T6),
        config="prefix_pair",
    )
    for src4 in (S4, T4, "198.51.100.8"):
        quoted, _ = quote64(udp())
        b.drop(
            "T64-21 SEC-05",
            f"ICMPv6 error from P::{src4}",
            error6(3, 0, 0, quoted, src=embed(src4)),
            "spoof",
        )


config("spoof_off", drop_spoofed_pairs=False)
config("internet", profile="internet")


def order46(b):
    b.drop(
        "T46-16 T46-20",
        "bad header before martian",
        v4(C4, "224.0.0.1", udp(), header_checksum=1),
        "malformed4",
    )
    b.drop("T46-20 T46-19", "martian before IGMP", v4("127.0.0.1", S4, raw(2)), "martian4")
    b.drop(
        "T46-20 T46-19", "multicast IGMP report", v4(C4, "224.0.0.22", raw(2), ttl=1), "martian4"
    )
    b.drop("T46-19 T46-23", "protocol before lookup", v4(C4, UNMAPPED4, raw(43)), "v6only_proto")
    packet = v4("10.0.0.1", UNMAPPED4, udp())
    b.reply(
        "T46-23 T46-11",
        "lookup before policy",
        packet,
        "no_mapping",
        own_error4(3, 13, 0, packet, to="10.0.0.1"),
        config="internet",
    )
    b.drop(
        "T46-11 T46-08",
        "policy before TTL",
        v4("10.0.0.1", S4, udp(), ttl=0),
        "policy4",
        config="internet",
    )
    packet = v4(C4, S4, Echo(counting(56)), ttl=1, mf=True)
    b.reply(
        "T46-08 F46-12",
        "TTL before ICMP fragments: 11/0",
        packet,
        "hop_limit",
        own_error4(11, 0, 0, packet),
    )
    packet = v4(C4, S4, tcp().on(C4, S4)[:8], 6, ttl=1, mf=True)
    b.reply(
        "T46-08 F46-14",
        "TTL before tiny fragments: 11/0",
        packet,
        "hop_limit",
        own_error4(11, 0, 0, packet),
    )
    packet = v4(C4, S4, udp(counting(1472)), ttl=1, df=True)
    b.reply(
        "T46-08 F46-06", "TTL before size: 11/0", packet, "hop_limit", own_error4(11, 0, 0, packet)
    )
    packet = v4(C4, S4, udp(zero=True), ttl=1)
    b.reply(
        "T46-08 L4-02",
        "TTL before UDP checksum 0: 11/0",
        packet,
        "hop_limit",
        own_error4(11, 0, 0, packet),
    )
    config("udp_drop", udp_zero_checksum="drop")
    packet = v4(C4, S4, udp(counting(1472), zero=True), df=True)
    b.reply(
        "L4-02 F46-06",
        "UDP checksum 0 before size, mode drop: 3/13",
        packet,
        "udp_zero_checksum",
        own_error4(3, 13, 0, packet),
        config="udp_drop",
    )
    b.reply(
        "L4-02 F46-06",
        "UDP checksum 0, too big, mode compute: 3/4",
        packet,
        "too_big",
        own_error4(3, 4, 1480, packet),
    )
    packet = v4(C4, S4, udp(counting(1472)), df=True, options=b"\x83\x07\x04" + bytes(4))
    b.reply(
        "T46-14 F46-06",
        "source route before size: 3/5",
        packet,
        "source_route",
        own_error4(3, 5, 0, packet),
    )


def order64(b):
    b.drop(
        "T64-14 T64-15", "bad header before martian", v6("::1", C6, udp(), length=100), "malformed6"
    )
    b.drop("T64-15 T64-17", "martian before destination", v6("::1", UNMAPPED6, udp()), "martian6")
    b.drop(
        "SPA-01 T64-22",
        "hard martian inside of the prefix before the source lookup",
        v6(UNMAPPED6, embed("127.0.0.1"), udp()),
        "martian4",
    )
    b.drop(
        "SPA-02 T64-22",
        "policy before the source lookup",
        v6(UNMAPPED6, embed("10.0.0.1"), udp()),
        "policy4",
        config="internet",
    )
    b.drop(
        "SPA-02 T64-12",
        "policy before the header walk",
        v6(S6, embed("10.0.0.1"), b"\x11\xff" + bytes(6), 0),
        "policy4",
        config="internet",
    )
    b.drop(
        "T64-12 T64-22",
        "header walk before the source lookup",
        v6(UNMAPPED6, C6, b"\x11\xff" + bytes(6), 0),
        "malformed6",
    )
    b.drop(
        "T64-12 T64-21",
        "header walk before spoofing",
        v6(embed(C4), C6, b"\x11\xff" + bytes(6), 60),
        "malformed6",
    )
    packet = v6(S6, C6, fragment_header(60, 1) + bytes([59, 0]) + bytes(6), 44, hlim=1)
    b.reply(
        "F64-02 T64-07",
        "header behind the Fragment Header before the hop limit: 1/1",
        packet,
        "frag_extension",
        own_error6(1, 1, 0, packet),
    )
    packet = v6(S6, C6, fragment_header(58, 1, 0, True) + Echo(counting(56)).on(S6, C6), 44, hlim=1)
    b.reply(
        "T64-07 F64-05",
        "hop limit before ICMPv6 fragments: 3/0",
        packet,
        "hop_limit",
        own_error6(3, 0, 0, packet),
    )
    packet = v6(S6, C6, icmp(S6, C6, 135, 0, 0, bytes(16)), 58, hlim=1)
    b.reply(
        "T64-07 I64-01",
        "hop limit before the ICMPv6 type: 3/0",
        packet,
        "hop_limit",
        own_error6(3, 0, 0, packet),
    )
    packet = v6(S6, C6, udp(counting(1480)), hlim=1)
    b.reply(
        "T64-07 F64-07",
        "hop limit before size: 3/0",
        packet,
        "hop_limit",
        own_error6(3, 0, 0, packet),
    )
    packet = v6(S6, embed(T4), udp(), hlim=1)
    b.reply(
        "T64-07 HP-06",
        "hop limit before hairpin: 3/0",
        packet,
        "hop_limit",
        own_error6(3, 0, 0, packet),
    )
    b.drop(
        "T64-17 T46-24",
        "an error to own6 is ignored",
        error6(3, 0, 0, quote64(udp())[0], dst=OWN6),
        "own_address",
    )
    b.drop(
        "G6-01 T64-22",
        "echo request without a pair to a server through the prefix",
        v6(UNMAPPED6, embed(T4), Echo()),
        "no_mapping",
    )


def traceroute(b):
    probe4 = v4(C4, S4, udp(counting(12), 40000, 33434), ttl=1)
    b.reply(
        "TTL-03 T46-08",
        "traceroute by UDP, IPv4 client",
        probe4,
        "hop_limit",
        own_error4(11, 0, 0, probe4),
    )
    b.forward("TTL-03 TTL-01", "the next probe", *up(udp(counting(12), 40000, 33437), ttl=2))
    before, after = quote64(udp(counting(12), 40000, 33440), hlim=1)
    b.forward(
        "TTL-03 S91-01",
        "an inner router answers",
        error6(3, 0, 0, before),
        out_error4(11, 0, 0, after),
    )
    b.forward(
        "TTL-03",
        "the server answers",
        error6(1, 4, 0, before, src=S6),
        out_error4(3, 3, 0, after, src=S4),
    )
    before, after = quote64(Echo(counting(32), seq=3), hlim=1)
    b.forward(
        "TTL-03 INN-09",
        "traceroute by ICMP, an inner router answers",
        error6(3, 0, 0, before),
        out_error4(11, 0, 0, after),
    )
    before, after = quote64(tcp(b"", flags=2, ack=0, options=b"\x02\x04\x05\xb4"), hlim=1)
    b.forward(
        "TTL-03 INN-07",
        "traceroute by TCP, an inner router answers",
        error6(3, 0, 0, before),
        out_error4(11, 0, 0, after),
    )
    before, after = quote46(udp(counting(32), 41000, 33450), ttl=1)
    b.forward(
        "TTL-03 S91-07",
        "traceroute from the server, an IPv4 router answers",
        error4(11, 0, 0, before, tos=0xC0),
        out_error6(3, 0, 0, after, tc=0xC0),
    )
    b.forward(
        "TTL-03",
        "traceroute from the server, the IPv4 host answers",
        error4(3, 3, 0, before, src=C4),
        out_error6(1, 4, 0, after, src=C6),
    )
    b.forward(
        "T64-10 TTL-01",
        "router alert in a hop-by-hop header",
        v6(S6, C6, options_header(17, 0, b"\x05\x02\0\0\x01\0") + udp().on(S6, C6), 0),
        down(udp())[1],
    )
    b.forward(
        "T64-10 L4-13",
        "segment routing header that has ended",
        v6(S6, C6, routing_header(6, 0, 4, 2) + tcp().on(S6, C6), 43),
        down(tcp())[1],
    )


def books():
    b = Book("special")
    for rows in (spoofing, order46, order64, traceroute):
        rows(b)
    return [b]
