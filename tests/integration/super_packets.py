# SPDX-License-Identifier: BSD-2-Clause
"""Super-packets and partial packets for segments_test.py, every field of every header chosen."""

import ipaddress
import struct

import segments_model  # finds the model's folder
from arith import (CHECKSUM_AT, GSO_ECN, GSO_TCP4, GSO_TCP6, GSO_UDP, NEEDS_CSUM, TCP, UDP, be16,
                   put16)
from build import v4, v6, with_checksum
from offload import header_length, pseudo_sum

CONFIG = {
    "prefix": "2001:db8:64::/96",
    "pairs": [["192.0.2.1", "2001:db8:1::10"], ["192.0.2.2", "2001:db8:2::20"]],
    "own4": "203.0.113.1", "own6": "2001:db8:ffff::1", "pool4": ["203.0.113.65"],
    "profile": "any", "per_second": 0,
}
# From and to whom, as the translator reads it.
DIRECTIONS = {
    "4to6": ("198.51.100.7", "192.0.2.1"),
    "6to4": ("2001:db8:1::10", "2001:db8:64::198.51.100.7"),
    "hairpin": ("2001:db8:1::10", "2001:db8:64::192.0.2.2"),
}
LARGEST = 65521  # with its Ethernet header below gso_max_size, above which the sender's kernel cuts
MOST_DATAGRAMS = 128  # UDP_MAX_SEGMENTS
STAMPS = b"\x01\x01\x08\x0a\x11\x22\x33\x44\x55\x66\x77\x88"
SACK = b"\x01\x01\x05\x12" + bytes(range(16))
FULL = STAMPS + SACK[:2] + b"\x05\x1a" + bytes(range(24))
TCP_OPTIONS = (b"", STAMPS, SACK, FULL)
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << n for n in range(8))


class Case:
    """A packet and its offload header as the translator shall read them from the TUN, and as they
    are sent."""

    def __init__(self, name, packet, offload):
        self.name, self.packet, self.offload = name, packet, offload
        self.sent, self.sent_offload = packet, offload


def payload(size, start=0):
    """Bytes that tell segments apart."""
    return bytes((start + i * 7 + (i >> 8) * 13) & 0xFF for i in range(size))


def transport(proto, data, flags=ACK, seq=0x10203040, ack=0x0A0B0C0D, window=0x1234, urgent=0,
              options=b"", ports=(40000, 443)):
    """`flags`: twelve bits, so the reserved ones too."""
    if proto == UDP:
        return struct.pack("!HHHH", *ports, 8 + len(data), 0) + data
    if proto != TCP:
        return data
    words = (20 + len(options)) // 4 << 12 | flags
    return struct.pack("!HHIIHHHH", *ports, seq, ack, words, window, 0, urgent) + options + data


def case(name, direction, proto, data, mss=0, ecn=False, is_partial=True, ttl=64, tos=0,
         ident=0x1234, df=True, flow=0, ip_options=b"", extension=b"", csum=None, **fields):
    """`mss` 0: not a super-packet. `extension`: (protocol, header without its first byte).
    `csum`: csum_start behind the start of the transport, and csum_offset."""
    source, target = (int(ipaddress.ip_address(a)) for a in DIRECTIONS[direction])
    body = transport(proto, data, **fields)
    head = len(body) - len(data)
    body = with_checksum(body, proto, source, target, is_partial and csum is None)
    if direction == "4to6":
        start = 20 + len(ip_options)
        packet = v4(source, target, proto, body, ttl, tos, ident, 0x4000 if df else 0, ip_options)
    else:
        start, outer = 40, proto
        if extension:
            outer, rest = extension
            body = bytes([proto]) + rest + body
            start += 1 + len(rest)
        packet = v6(source, target, outer, body, ttl, tos, flow)
    flags, sums = 0, (0, 0)
    if is_partial:
        behind, field = csum or (0, CHECKSUM_AT.get(proto, 0))
        flags, sums = NEEDS_CSUM, (start + behind, field)
    if not mss:
        return Case(f"{direction} {name}", packet, (flags, 0, 0, 0, *sums))
    kind = GSO_UDP if proto == UDP else GSO_TCP4 if direction == "4to6" else GSO_TCP6
    if ecn:
        kind |= GSO_ECN
    return Case(f"{direction} {name}", packet, (flags, kind, start + head, mss, *sums))


def sizes(direction, proto, **fields):
    """Segment sizes, and payloads that they divide and do not divide."""
    name = "TCP" if proto == TCP else "UDP"
    most = LARGEST - (40 if proto == TCP else 28) - (0 if direction == "4to6" else 20)
    for mss in (1, 7, 8, 512, 1000, 1208, 1220, 1232, 1400, 1428, 1440):
        room = most if proto == TCP else min(most, mss * MOST_DATAGRAMS)
        for size in {mss + 1, 2 * mss, 2 * mss + 1, 5 * mss, 5 * mss + mss // 2, 44 * mss - 1,
                     room if mss > 8 else 64 * mss}:
            if mss < size <= room:
                yield case(f"{name} {size} by {mss}", direction, proto, payload(size, mss), mss,
                           **fields)


def common(direction, proto):
    """The fields of the IP header, for TCP and for UDP."""
    def one(name, **fields):
        return case(f"{'TCP' if proto == TCP else 'UDP'} {name}", direction, proto, payload(4321),
                    **{"mss": 1300, **fields})
    for tos in (0, 1, 2, 3, 0xB8, 0xBB, 0x2A, 0xFF):
        yield one(f"traffic class {tos}", tos=tos)
    for ttl in (3, 4, 128, 254):
        yield one(f"TTL {ttl}", ttl=ttl)
    if direction == "4to6":
        for ident in (0, 1, 0xFFFE, 0xFFFF):
            for df in (True, False):
                yield one(f"identification {ident} DF {df}", ident=ident, df=df, mss=1000)
        yield one("IPv4 options", ip_options=b"\x01" * 8)
        yield one("40 bytes of IPv4 options", ip_options=b"\x01" * 40)
        for mss in (1200, 1208, 1220, 1221, 1232, 1233, 1400, 1432, 1440):
            yield one(f"DF=0 by {mss}", df=False, mss=mss)
        yield one("too big", mss=1460)
    else:
        yield one("flow label", flow=0xABCDE)
        yield one("destination options", extension=(60, b"\x00\x01\x04" + bytes(4)))
        yield one("long destination options", extension=(60, b"\x03\x01\x1c" + bytes(28)))
        yield one("routing header, no segments left", extension=(43, b"\x00\x04" + bytes(5)))
        for mss in (1200, 1220, 1221, 1232, 1233, 1240, 1440):  # DF by the segment
            yield one(f"last one shorter than {mss}", mss=mss)
    yield one("ports 0", ports=(0, 0))
    yield one("ports 65535", ports=(65535, 65535))


def only_tcp(direction):
    def one(name, **fields):
        return case(f"TCP {name}", direction, TCP, payload(3500), **{"mss": 1000, **fields})
    for bits in range(16):
        flags = ACK | sum(f for n, f in enumerate((FIN, PSH, URG, CWR)) if bits >> n & 1)
        yield one(f"flags {flags:#x}", flags=flags, urgent=0x8001 if flags & URG else 0)
        if flags & CWR:
            yield one(f"flags {flags:#x} and the ECN bit", flags=flags, ecn=True, tos=2)
    yield one("ECE, CWR, CE", flags=ACK | ECE | CWR | PSH, ecn=True, tos=3)
    yield one("the ECN bit without CWR", ecn=True, tos=1)
    yield one("RST", flags=RST | ACK)
    yield one("all twelve flag bits", flags=0xFFF, ecn=True, urgent=7)
    for options in TCP_OPTIONS:
        for mss in (536, 1200, 1400):
            yield one(f"{len(options)} bytes of options by {mss}", options=options, mss=mss)
    for seq in (0, 0xFFFFFFFF, 0xFFFFFC18, 0x7FFFFFFF):
        yield one(f"sequence number {seq:#x}", seq=seq)
    yield one("urgent pointer without URG", urgent=0xFFFF)
    yield one("window 0, acknowledgement 0", window=0, ack=0)
    made = one("complete checksum, made partial by the sender's kernel")
    whole = one("", is_partial=False)
    made.sent, made.sent_offload = whole.packet, whole.offload
    yield made


def single(direction):
    """Packets that only wait for their checksum."""
    for size in (0, 1, 2, 1000, 1439, 1440):
        yield case(f"partial TCP {size}", direction, TCP, payload(size), flags=ACK | PSH)
    for size in (0, 1, 2, 1000, 1451, 1452):
        yield case(f"partial UDP {size}", direction, UDP, payload(size))
    yield case("partial SYN", direction, TCP, b"", flags=SYN | ECE | CWR,
               options=b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + bytes(8) + b"\x01\x03\x03\x07")
    yield case("partial TCP, traffic class 255", direction, TCP, payload(99), tos=255, ttl=254)
    # GSO-04: sums that are not TCP's or UDP's own are completed by the translator.
    echo = bytes([8 if direction == "4to6" else 128, 0, 0, 0, 0, 9, 0, 1]) + payload(101)
    yield case("ICMP echo", direction, 1 if direction == "4to6" else 58, echo, is_partial=False)
    inner = bytes(40) + payload(50)
    yield case("UDP with an inner checksum", direction, UDP, inner, csum=(8 + 20, 16))
    yield case("other protocol with a checksum", direction, 253, payload(77), csum=(4, 2))
    yield case("other protocol with the checksum 0", direction, 253,
               bytes(4) + b"\xff\xff" + bytes(51), csum=(4, 2))
    if direction == "4to6":
        yield case("partial UDP, to be fragmented", direction, UDP, payload(1432), df=False)
        yield case("partial TCP, to be fragmented", direction, TCP, payload(1433), df=False)
        yield case("partial, IPv4 options", direction, UDP, payload(33), ip_options=b"\x01" * 12)
        yield case("partial ICMP echo", direction, 1, bytes([8, 0, 0, 0]) + echo[4:], csum=(0, 2))
        yield case("partial UDP, too big", direction, UDP, payload(1472))
    else:
        yield case("partial, destination options", direction, TCP, payload(33),
                   extension=(60, b"\x00\x01\x04" + bytes(4)))
        yield case("partial atomic fragment", direction, UDP, payload(33),
                   extension=(44, b"\x00\x00\x00\x01\x02\x03\x04"))


def zero_sums(config, direction):
    """Checksums whose right value is 0 on the way in or on the way out."""
    for proto, name in ((TCP, "TCP"), (UDP, "UDP")):
        for is_output in (False, True):
            for size, mss in ((5000, 1000), (256, 2), (2501, 1250), (600, 0), (601, 0)):
                def make(data):
                    return case(f"{name} {size} by {mss}, checksum 0 {'out' * is_output}",
                                direction, proto, data, mss)
                yield segments_model.with_zero_sums(config, make, size, mss or size, is_output)


def zero_seeds(config, direction):
    """Lengths with which the pseudo-header's sum is 0 on the way in or on the way out; one's
    complement writes that as 0xffff or as 0."""
    for proto, name, head in ((TCP, "TCP", 20), (UDP, "UDP", 8)):
        def make(size):
            return case(f"{name} {size}, pseudo-header's sum 0", direction, proto,
                        payload(size - head), 1000 if size > 1400 else 0)
        first = make(head + 8)
        for packet in (first.packet, segments_model.translated(config, first.packet)):
            start, _ = header_length(packet)
            size = -pseudo_sum(packet, proto, 0) % 0xFFFF
            if size > LARGEST - start or proto == UDP and size > 1000 * MOST_DATAGRAMS:
                continue
            one = make(size)
            yield one
            at = one.offload[4] + one.offload[5]
            if be16(one.packet, at) == 0xFFFF:
                packet = put16(one.packet, at, 0)
                yield Case(f"{one.name}, written as 0", packet, one.offload)


def random_case(random, number):
    direction = random.choice(list(DIRECTIONS))
    proto = random.choice((TCP, TCP, UDP))
    fields = {"tos": random.randrange(256), "ttl": random.randrange(3, 255),
              "ports": (random.randrange(65536), random.randrange(65536)),
              "ident": random.randrange(65536), "df": random.random() < 0.6,
              "flow": random.randrange(1 << 20)}
    if proto == TCP:
        # No SYN: it would be for the MSS clamp, and no kernel makes such super-packets.
        fields.update(flags=random.randrange(4096) & ~SYN, seq=random.randrange(1 << 32),
                      ack=random.randrange(1 << 32), window=random.randrange(65536),
                      urgent=random.randrange(65536), options=random.choice(TCP_OPTIONS),
                      ecn=random.random() < 0.3)
    mss = random.choice((random.randrange(20, 1461), random.randrange(1180, 1461)))
    most = LARGEST - 100 if proto == TCP else min(LARGEST - 100, mss * MOST_DATAGRAMS)
    size = min(most, random.choice((random.randrange(1, 6) * mss, random.randrange(1, 12000),
                                    random.randrange(1, 50 * mss))))
    if size <= mss:
        mss, size = 0, min(size, 1400)
        fields.pop("ecn", None)
    name = f"random {number} protocol {proto}: {size} by {mss} {fields}"
    return case(name, direction, proto, random.randbytes(size), mss, **fields)


def all_cases(direction):
    for proto in (TCP, UDP):
        yield from sizes(direction, proto)
        yield from common(direction, proto)
    yield from only_tcp(direction)
    yield from single(direction)


def for_small_links(config, direction):
    """Sizes around every limit of SMALL_LINKS in segments_test.py."""
    for proto, head in ((TCP, 20), (UDP, 8)):
        for limit in (1000, 1020, 1280, 1300, 1400):
            for step in (-1, 0, 1):
                for header in (20, 40):
                    for df in (True, False) if direction == "4to6" else (True,):
                        mss = limit - header - head + step
                        yield case(f"protocol {proto} by {mss} DF {df}", direction, proto,
                                   payload(3 * mss + 50), mss, df=df, tos=0x8B)
    yield case("partial UDP", direction, UDP, payload(1100), df=False)
    if direction == "6to4":  # cut and summed by the translator: 0 would be "none" (L4-06)
        for is_output in (False, True):
            def make(data):
                return case("UDP with the checksum 0", direction, UDP, data, 1000)
            yield segments_model.with_zero_sums(config, make, 3500, 1000, is_output)
