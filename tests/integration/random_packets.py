# SPDX-License-Identifier: BSD-2-Clause
"""Endless random packets for floods: random bytes behind an IP header that a router forwards.

Addresses, protocols, fragments and ICMP types are drawn so that every check of the translator is
reached. No packet is so large that it has to be cut. Kept free of anything slow."""

import ipaddress
import random
import struct

PREFIX = ipaddress.IPv6Address("2001:db8:46::").packed[:12]
POOL = bytes([192, 0, 2])          # pairs, our own address, nobody
SERVERS = ipaddress.IPv6Address("2001:db8:6::").packed[:14]
PAIRS = range(16, 32)              # last octets of pairs
SINKS = range(0x100, 0x110)        # last 16 bits of their servers
CLIENT = bytes([198, 51, 100])
PROTOCOLS = bytes([6] * 6 + [17] * 6 + [1] * 8 + [58] * 8 + [2, 33, 47, 50, 51, 59, 136, 135, 139])
EXTENSIONS = bytes([43, 44, 60])
# Sources that a router's kernel does not forward: 0/8, 127/8, 224/4 and 255.255.255.255.
FIRST_OCTETS = bytes([n for n in range(1, 256) if n != 127 and not 224 <= n < 240 and n != 255])
NOISE = 1 << 20


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - (total & 0xFFFF) - (total >> 16)


def payload(rng, noise):
    """Mostly short: what decides lies in the first bytes."""
    size = rng.getrandbits(6) if rng.getrandbits(3) else rng.getrandbits(10)
    at = rng.getrandbits(19)
    return noise[at:at + size]


def address4(rng):
    word = rng.getrandbits(32).to_bytes(4, "big")
    kind = word[0] & 7
    if kind < 3:
        return CLIENT + bytes([64 + word[3] % 64])
    if kind == 3:
        return POOL + bytes([min(word[3], 253)])  # not our own: what comes from there is counted
    return FIRST_OCTETS[word[0] % len(FIRST_OCTETS)].to_bytes(1, "big") + word[1:]


def with_icmp_type(rng, body, known):
    """One ICMP message in two has a type that means something."""
    if len(body) > 1 and rng.getrandbits(1):
        return bytes([rng.choice(known), rng.getrandbits(2)]) + body[2:]
    return body


def packet4(rng, noise):
    bits = rng.getrandbits(32)
    proto = PROTOCOLS[bits % len(PROTOCOLS)] if bits & 0x10000 else (bits >> 8) & 0xFF
    body = payload(rng, noise)
    if proto == 1:
        body = with_icmp_type(rng, body, (0, 3, 8, 11, 12))
    fragment = rng.getrandbits(16) if not bits & 0x700000 else bits >> 17 & 0x4000
    ttl = 2 if not bits & 0xF000000 else 64
    host = rng.choice(PAIRS) if bits & 0x30000000 else rng.getrandbits(8) | 16  # no good host
    header = struct.pack("!BBHHHBBH", 0x45, bits & 0xFF, 20 + len(body), bits >> 16, fragment, ttl,
                         proto, 0) + address4(rng) + POOL + bytes([host])
    return header[:10] + checksum(header).to_bytes(2, "big") + header[12:] + body


def source6(rng):
    kind = rng.getrandbits(3)
    if kind < 5:
        return SERVERS + rng.choice(SINKS).to_bytes(2, "big")
    if kind == 5:
        return PREFIX + rng.getrandbits(32).to_bytes(4, "big")
    return (0x2000 | rng.getrandbits(13)).to_bytes(2, "big") + rng.getrandbits(112).to_bytes(14,
                                                                                             "big")


def packet6(rng, noise):
    bits = rng.getrandbits(32)
    proto = PROTOCOLS[bits % len(PROTOCOLS)] if bits & 0x10000 else 1 + (bits >> 8) % 255
    body = payload(rng, noise)
    if proto == 58:
        body = with_icmp_type(rng, body, (1, 2, 3, 4, 128, 129))
    if not bits & 0x600000:  # a chain of extension headers
        for _ in range(1 + rng.getrandbits(4) % 10):
            following, proto = proto, rng.choice(EXTENSIONS)
            at = bits & 0xFFFF
            body = bytes([following, 0]) + noise[at:at + 6] + body
    hop_limit = 2 if not bits & 0xF000000 else 64
    client = rng.getrandbits(32).to_bytes(4, "big")
    if not bits & 0x30000000:
        client = POOL + bytes([client[3] | 16])
    return (struct.pack("!IHBB", 0x60000000 | bits >> 4, len(body), proto, hop_limit) + source6(rng)
            + PREFIX + client + body)


def any_bytes(rng, noise):
    """No router would forward these: they go straight into the TUN."""
    body = payload(rng, noise) or b"\0"
    kind = rng.getrandbits(2)
    if kind == 0:
        return body
    # Options, lengths and checksums that do not fit, and class H addresses, but a known version.
    return bytes([(0x40 if kind == 1 else 0x60) | body[0] & 15]) + body[1:]


def packets(kind, seed):
    make = {"v4": packet4, "v6": packet6, "bytes": any_bytes}[kind]
    rng = random.Random(seed)
    noise = rng.randbytes(NOISE)
    while True:
        yield make(rng, noise)
