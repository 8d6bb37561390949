# SPDX-License-Identifier: BSD-2-Clause
"""What is sent in floods, and what the translator has to say about each packet. Written from the
requirement matrix; the tables of special-purpose blocks are those of its section 16."""

import dataclasses
import ipaddress
import sys

from flood_lab import GOOD_CLIENTS, GOOD_SERVERS, INSIDE, V4, V6
from golden_rows import GOLDEN
from lab import C4, OWN4, S1, V1, V2, embedded
from live import is_hard_martian

sys.path.append(str(GOLDEN))
from packets import (Echo, fragment_header, icmp, options_header, raw, routing_header, tcp, udp,
                     udplite, v4, v6)

CLIENT = "198.51.100.70"
SINK4, SINK6 = "192.0.2.17", "2001:db8:6::101"
OTHER4, OTHER6 = "192.0.2.18", "2001:db8:6::102"
NOBODY4, NOBODY6 = "192.0.2.99", "2001:db8:6::99"
ROUTER6 = "2a00:dead::7"  # no mapping, and an address that may send errors
CLIENT6 = embedded(CLIENT)


@dataclasses.dataclass(frozen=True)
class Case:
    packet: bytes
    way: int
    reason: str | None = None  # None: forwarded
    error: str | None = None   # the kind of ICMP error that is due
    pieces: int = 1

    @property
    def direction(self):
        return "v4_to_v6" if self.packet[0] >> 4 == 4 else "v6_to_v4"


def from4(payload, reason=None, error=None, src=CLIENT, dst=SINK4, pieces=1, **fields):
    return Case(bytes(v4(src, dst, payload, **fields)), V4, reason, error, pieces)


def from6(payload, reason=None, error=None, src=SINK6, dst=CLIENT6, way=V6, **fields):
    return Case(bytes(v6(src, dst, payload, **fields)), way, reason, error)


def ttl_one():
    """The kernel of the gateway takes one hop before the TUN: 1 is left."""
    cases = [from4(payload, "hop_limit", "time_exceeded", src=f"198.51.100.{64 + n}", ttl=2)
             for n in range(64) for payload in (udp(), tcp(), Echo())]
    cases += [from6(payload, "hop_limit", "time_exceeded", src=f"2001:db8:6::{0x100 + n:x}", hlim=2)
              for n in range(16) for payload in (udp(), tcp(), Echo())]
    # Nobody hears of errors that run out.
    cases.append(from4(error4(quote4()), "hop_limit", src=CLIENT, proto=1, ttl=2))
    cases.append(from6(error6(quote6()), "hop_limit", hlim=2, proto=58))
    return cases


def quote4(src=SINK4, dst=CLIENT, payload=None, **fields):
    return bytes(v4(src, dst, payload or tcp(b"quoted", sport=443, dport=50001), **fields))


def quote6(src=CLIENT6, dst=SINK6, payload=None, **fields):
    return bytes(v6(src, dst, payload or tcp(b"quoted", sport=443, dport=50001), **fields))


def error4(quote, kind=11, code=0, word=0):
    return bytes(icmp(CLIENT, SINK4, kind, code, word, quote))


def error6(quote, kind=3, code=0, word=0, src=SINK6, dst=CLIENT6):
    return bytes(icmp(src, dst, kind, code, word, quote))


def damaged(message):
    return message[:2] + bytes([message[2] ^ 0x55]) + message[3:]


def forged_errors():
    def e4(message, reason, **fields):
        return from4(message, reason, proto=1, **fields)

    def e6(quote, reason, src=SINK6, **fields):
        return from6(error6(quote, src=src, **fields), reason, src=src, proto=58)
    echo_error = raw(1, error4(quote4()))
    return [
        e4(error4(quote4(src=OTHER4)), "icmp_mismatch"),     # somebody else sent that
        e4(error4(quote4(src=V1, dst=C4), 3, 4, 576), "icmp_mismatch"),
        e4(error4(quote4(src=NOBODY4)), "icmp_mismatch"),    # nobody did
        e4(error4(quote4(src="8.8.8.8")), "icmp_mismatch"),
        e4(error4(quote4(dst="127.0.0.1")), "icmp_quote"),
        e4(error4(quote4(version=6)), "icmp_quote"),
        e4(error4(quote4(payload=raw(58))), "icmp_quote"),
        e4(error4(quote4(payload=raw(2))), "icmp_quote"),
        e4(error4(quote4(ihl=15)[:40]), "icmp_malformed"),
        e4(error4(quote4()[:19]), "icmp_malformed"),
        e4(error4(b""), "icmp_malformed"),
        e4(b"\x0b\x00\xf4", "icmp_malformed"),
        e4(damaged(error4(quote4())), "icmp_checksum"),
        e4(error4(quote4(payload=echo_error)), "icmp_nested"),
        e4(error4(quote4(), 5), "icmp_type"),
        e4(error4(quote4(), 12, 0, 5 << 24), "icmp_pointer"),
        e4(error4(quote4(), 11, 0, 200 << 16), "icmp_extension"),
        e4(error4(quote4(src=OTHER4)), "spoof", src=V2),
        # What a stateless translator cannot know: the right addresses, no such connection.
        e4(error4(quote4(), 3, 4, 576), None),

        e6(quote6(src=embedded("198.51.100.71")), "icmp_mismatch"),
        e6(quote6(src=embedded(C4), dst=S1), "icmp_mismatch"),
        e6(quote6(src=embedded("198.51.100.71")), "icmp_mismatch", src=ROUTER6),
        e6(quote6(dst=NOBODY6), "icmp_quote"),                # matches no mapping
        e6(quote6(dst=NOBODY6), "icmp_quote", src=ROUTER6),
        e6(quote6(dst="2a00::1"), "icmp_quote", kind=2, word=1280),
        e6(quote6(version=4), "icmp_quote"),
        e6(quote6(payload=raw(1)), "icmp_quote"),
        e6(quote6()[:39], "icmp_malformed"),
        e6(quote6(payload=raw(58, error6(quote6()))), "icmp_nested"),
        e6(quote6(), "icmp_type", kind=1, code=5),
        e6(quote6(), "icmp_type", kind=137),
        e6(quote6(), "icmp_pointer", kind=4, word=2),
        e6(quote6(), "icmp_extension", word=200 << 24),
        e6(quote6(), "policy6", src="100::1"),
        e6(quote6(), "spoof", src=embedded("198.51.100.72")),
        from6(damaged(error6(quote6())), "icmp_checksum", proto=58),
        from6(damaged(error6(quote6(), src=ROUTER6)), "icmp_checksum", src=ROUTER6, proto=58),
        e6(quote6(), None, kind=2, word=1280),
        e6(quote6(), None, src=ROUTER6),
    ]


def fragment6(payload, reason=None, error=None, offset=0, more=False, proto=17, ident=7):
    return from6(fragment_header(proto, ident, offset, more) + payload, reason, error, proto=44)


def fragments():
    segment4, segment6 = tcp(bytes(40)).on(CLIENT, SINK4), tcp(bytes(40)).on(SINK6, CLIENT6)
    body = bytes(range(64))
    return [
        from4(segment4[:8], "tiny_fragment", proto=6, mf=True),
        from4(segment4[:16], "tiny_fragment", proto=6, mf=True),
        from4(segment4[8:24], "tiny_fragment", proto=6, mf=True, offset=1),  # the flags again
        from4(segment4[8:], "tiny_fragment", proto=6, offset=1),
        from4(b"\0" * 7, "tiny_fragment", proto=17),
        from4(b"\0" * 4, "tiny_fragment", proto=136),
        from4(body[:63], "bad_fragment", proto=17, mf=True),
        from4(body, "bad_fragment", proto=17, offset=8191),                  # the ping of death
        from4(udp(body, zero=True), "udp_zero_checksum", mf=True),
        from4(Echo(body), "frag_icmp", mf=True),
        from4(body, "frag_icmp", proto=1, offset=3),
        # Overlaps are the receiver's business: each fragment passes as it is.
        from4(segment4[:48], proto=6, mf=True, ident=1),
        from4(b"\xff" * 32, proto=6, mf=True, offset=2, ident=1),
        from4(b"\xff" * 32, proto=6, offset=3, ident=1),
        from4(body[:8], proto=17, offset=8000, mf=True),
        from4(udp(bytes(1400)), pieces=2),
        from4(udp(bytes(1392)), mf=True, pieces=2),

        fragment6(segment6[:8], "tiny_fragment", more=True, proto=6),
        fragment6(segment6[:16], "tiny_fragment", more=True, proto=6),
        fragment6(segment6[8:24], "tiny_fragment", offset=1, more=True, proto=6),
        fragment6(segment6[8:], "tiny_fragment", offset=1, proto=6),
        fragment6(b"\0" * 7, "tiny_fragment", proto=17),
        fragment6(body[:63], "bad_fragment", more=True),
        fragment6(body, "bad_fragment", offset=8191),
        fragment6(Echo(body).on(SINK6, CLIENT6), "frag_icmp", more=True, proto=58),
        fragment6(body, "frag_icmp", offset=3, proto=58),
        fragment6(segment6[:48], more=True, proto=6),
        fragment6(b"\xff" * 32, offset=2, more=True, proto=6),
        fragment6(b"\xff" * 32, offset=3, proto=6),
        fragment6(segment6, proto=6),  # atomic
    ]


def chain(headers, payload=None, src=SINK6, dst=CLIENT6):
    """Headers as (number, function of the next number), and a payload behind them."""
    payload = payload or udp()
    number, packet = payload.protocol(6), payload.on(src, dst)
    for mine, build in reversed(headers):
        number, packet = mine, build(number) + packet
    return packet, number


def header_chains():
    hop_by_hop = (0, options_header)
    options = (60, options_header)
    long_options = (60, lambda n: options_header(n, 31))
    route_done = (43, routing_header)
    route_left = (43, lambda n: routing_header(n, left=1))
    route_zero = (43, lambda n: routing_header(n, left=1, kind=0, words=2))
    fragment = (44, lambda n: fragment_header(n, 9))
    second_half = (44, lambda n: fragment_header(n, 9, 4))

    def case(headers, reason=None, error=None, payload=None, cut=None):
        packet, number = chain(headers, payload)
        return from6(packet[:cut], reason, error, proto=number)
    bad_route = ("routing_header", "parameter_problem")
    hidden = ("frag_extension", "unreachable")
    return [
        case([options] * 8), case([hop_by_hop] + [options] * 7), case([route_done]),
        case([route_done, options, fragment]), case([long_options] * 2),
        case([], payload=raw(253)), case([options], payload=raw(254)), case([], payload=udplite()),
        case([options] * 9, "malformed6"), case([options] * 100, "malformed6"),
        case([hop_by_hop] + [options] * 8, "malformed6"),
        case([options, hop_by_hop], "malformed6"), case([route_done, hop_by_hop], "malformed6"),
        case([options], "malformed6", cut=7), case([options, options], "malformed6", cut=15),
        case([long_options], "malformed6", cut=100), case([fragment], "malformed6", cut=6),
        case([options, fragment], "malformed6", cut=9), case([route_done], "malformed6", cut=5),
        case([route_left], *bad_route), case([route_zero], *bad_route),
        case([options, route_left, options], *bad_route), case([route_left, fragment], *bad_route),
        case([route_left], "routing_header", payload=raw(58, error6(quote6()))),
        case([fragment, fragment], "bad_fragment"),
        case([options, fragment, second_half], "bad_fragment"),
        case([fragment, options], *hidden), case([fragment, route_left], *hidden),
        case([fragment], *hidden, payload=raw(51)), case([fragment], *hidden, payload=raw(135)),
        case([second_half, options], "frag_extension"),
        case([fragment, options], "frag_extension", payload=Echo()),
        *(case([], "v6only_proto", payload=raw(n)) for n in (135, 139, 140)),
        *(case([options], "v4only_proto", payload=raw(n)) for n in (1, 2)),
        from6(b"", "jumbogram", proto=17), from6(b"", "jumbogram", proto=60), from6(b"", proto=59),
        *(from4(raw(n), "v6only_proto") for n in (0, 43, 44, 58, 60, 135, 139, 140)),
        from4(raw(2), "igmp"),
    ]


def spoofed():
    """Who cannot be there: pairs on the IPv4 side, the prefix on the IPv6 side."""
    cases = []
    for payload in (udp(), tcp(), Echo()):
        cases += [from4(payload, "spoof", src=src, dst=dst) for src, dst in (
            (V1, SINK4), (V2, V1), (SINK4, SINK4), (V1, OWN4))]
        cases += [from6(payload, "spoof", src=embedded(src), dst=dst) for src, dst in (
            (C4, CLIENT6), (V1, CLIENT6), (SINK4, embedded(C4)), (CLIENT, embedded(SINK4)),
            (C4, embedded(C4)))]
        cases.append(from6(payload, "same_host", src=SINK6, dst=embedded(SINK4)))
        cases.append(from6(payload, "same_host", src=S1, dst=embedded(V1)))
    for payload in (udp(), tcp()):
        cases.append(from6(payload, "no_mapping", "unreachable", src="2001:db8:6::1ff"))
        cases.append(from6(payload, "no_mapping", "unreachable", src="2a00:dead::66"))
        cases.append(from4(payload, "own_address", dst=OWN4))
        cases.append(from6(payload, "own_address", dst=embedded(OWN4)))
    cases.append(from4(raw(1, error4(quote4())), "spoof", src=OTHER4))
    return cases


# Tables 16.1 and 16.2: H never passes, D is denied, A passes. The most specific row wins.
BLOCKS4 = {
    "0.0.0.0/8": "H", "10.0.0.0/8": "D", "100.64.0.0/10": "D", "127.0.0.0/8": "H",
    "169.254.0.0/16": "H", "172.16.0.0/12": "D", "192.0.0.0/24": "D", "192.0.0.0/29": "D",
    "192.0.0.8/32": "D", "192.0.0.9/32": "A", "192.0.0.10/32": "A", "192.0.0.170/31": "D",
    "192.0.2.0/24": "D", "192.31.196.0/24": "A", "192.52.193.0/24": "A", "192.88.99.0/24": "D",
    "192.168.0.0/16": "D", "192.175.48.0/24": "A", "198.18.0.0/15": "D", "198.51.100.0/24": "D",
    "203.0.113.0/24": "D", "224.0.0.0/4": "H", "240.0.0.0/4": "H", "255.255.255.255/32": "H",
}
BLOCKS6 = {
    "::/128": "H", "::1/128": "H", "::/96": "H", "::ffff:0:0/96": "H", "64:ff9b::/96": "D",
    "64:ff9b:1::/48": "A", "100::/64": "D", "100:0:0:1::/64": "D", "2001::/23": "D",
    "2001::/32": "A", "2001:1::1/128": "A", "2001:1::2/128": "A", "2001:1::3/128": "A",
    "2001:2::/48": "D", "2001:3::/32": "A", "2001:4:112::/48": "A", "2001:10::/28": "D",
    "2001:20::/28": "D", "2001:30::/28": "D", "2001:db8::/32": "D", "2002::/16": "A",
    "2620:4f:8000::/48": "A", "3fff::/20": "D", "5f00::/16": "D", "fc00::/7": "A",
    "fe80::/10": "H", "fec0::/10": "D", "ff00::/8": "H",
}


def addresses(blocks):
    """First, middle and last address of each block with its class."""
    rows = [(ipaddress.ip_network(block), name) for block, name in blocks.items()]
    allowed = [ipaddress.ip_network(net) for net in (GOOD_CLIENTS, GOOD_SERVERS)]
    found = {}
    for net, _ in rows:
        for address in (net[0], net[net.num_addresses // 2], net[-1]):
            if not any(address in net for net in allowed):
                found[str(address)] = max((n.prefixlen, name) for n, name in rows
                                          if address in n)[1]
    return found.items()


def way_from(source, cable):
    """What the gateway's kernel would not forward goes straight into the TUN."""
    packed = ipaddress.ip_address(source)
    is_mapped = packed.version == 6 and packed.ipv4_mapped is not None
    return INSIDE if is_mapped or is_hard_martian(packed.packed) else cable


def special_purpose():
    cases = []
    for address, its_class in addresses(BLOCKS4):
        verdict = {"H": "martian4", "D": "policy4", "A": None}[its_class]
        source = from4(udp(), verdict, src=address)
        error = from4(error4(quote4()), verdict if its_class == "H" else None, src=address, proto=1)
        cases += [dataclasses.replace(c, way=way_from(address, V4)) for c in (source, error)]
        unmapped = ("martian4", None) if its_class == "H" else ("no_mapping", "unreachable")
        cases.append(dataclasses.replace(from4(udp(), *unmapped, dst=address), way=INSIDE))
        cases.append(from6(udp(), verdict, dst=embedded(address)))
    for address, its_class in addresses(BLOCKS6):
        is_hard = its_class == "H"
        way = way_from(address, V6)
        unmapped = ("martian6", None) if is_hard else ("no_mapping", "unreachable")
        cases.append(from6(udp(), *unmapped, src=address, way=way))
        verdict = {"H": "martian6", "D": "policy6", "A": None}[its_class]
        cases.append(from6(error6(quote6(), src=address), verdict, src=address, proto=58, way=way))
        cases.append(from6(udp(), "martian6" if is_hard else "not_for_us", dst=address,
                           way=INSIDE))
    return cases
