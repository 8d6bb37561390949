# SPDX-License-Identifier: BSD-2-Clause
"""Packets for the differential test, from a seed: valid, near-valid and mutated ones."""
import random
import struct

import build
from arith import CHECKSUM_AT, FRAGMENT, ICMP, ICMP6, NO_OFFLOAD, TCP, UDP, ones, put16
from cast import CASTS, CLIENTS, EDGES4, EDGES6, ROUTERS6
from config import PLATEAUS
from mutate import mutated, near_valid, strange_offload
from values import BLOB, EXTENSIONS, MSS, ODD_PROTOS, OPTIONS4, PROTOS, STAMPS


class Generator:
    def __init__(self, seed, golden=()):
        self.rng = random.Random(seed)
        self.golden = golden
        self.cast = None

    # Sizes, addresses, octets: mostly ordinary, sometimes at an edge.

    def data(self, size):
        at = self.rng.randrange(70000)
        return BLOB[at : at + size]

    def size(self, family, head):
        """Payload bytes: small, or so that the packet lies at a limit."""
        draw = self.rng.random()
        if draw < 0.6:
            return self.rng.randrange(72)
        if draw < 0.93:
            limit = self.rng.choice(self.cast.sizes4 if family == 4 else self.cast.sizes6)
            return max(0, limit - head + self.rng.randrange(-9, 10))
        if draw < 0.995:
            return self.rng.randrange(2000)
        return self.rng.choice((8192, 9000, 16000, 65400, 65460, 65475, 65488, 65507))

    def pair(self):
        return self.rng.choice(self.cast.pairs)

    def client(self):
        draw = self.rng.random()
        if draw < 0.8:
            return self.rng.choice(self.cast.clients)
        if draw < 0.9:
            return self.rng.choice(CLIENTS)
        if draw < 0.98:
            return self.rng.choice(EDGES4)
        return self.rng.getrandbits(32)

    def octet(self):
        return self.rng.choice((0, 0, 1, 2, 3, 0xB9, 255, self.rng.getrandbits(8)))

    def ttl(self):
        return self.rng.choice((64, 64, 64, 64, 64, 255, 2, 1, 0, self.rng.getrandbits(8)))

    def quoted_ttl(self):
        return self.rng.choice((1, 0, 64, 255))

    # The transport part: (protocol in IPv4's terms, body without checksum).

    def tcp_options(self):
        """Mostly sound ones; whole words."""
        rng, draw = self.rng, self.rng.random()
        if draw < 0.4:
            return b""
        if draw < 0.5:
            return STAMPS
        if draw < 0.6:
            return rng.choice(MSS)
        clamp = self.cast.config.clamp or 1460
        value = rng.choice((clamp, clamp - 1, clamp + 1, 1460, 1461, 65535, 0, 256, 1 << 10))
        length = rng.choice((4, 4, 4, 4, 4, 4, 0, 1, 2, 3, 5, 255))
        front = rng.choice((b"", b"\x01", b"\x01\x01", b"\x04\x02", STAMPS, b"\x08\x01", b"\0"))
        options = front + bytes((2, length)) + value.to_bytes(2, "big") + rng.choice((b"", b"\x03"))
        options += rng.choice((b"\0", b"\x01")) * (-len(options) % 4)
        return options if rng.random() < 0.9 else options[: len(options) - 4]

    def body(self, proto, size, is_v6):
        rng = self.rng
        if proto == TCP:
            options = self.tcp_options()
            flags = rng.choice((0x02, 0x12, 0x10, 0x18, 0x19, 0x98, 0x04, rng.getrandbits(8)))
            offset = (20 + len(options)) // 4 << 4
            if rng.random() < 0.03:
                offset = rng.choice((0, 0x40, offset - 16, offset + 16, 0xF0))
            return (
                struct.pack(
                    "!IIIBBHHH",
                    rng.getrandbits(32),
                    rng.getrandbits(32),
                    1,
                    offset,
                    flags,
                    64,
                    0,
                    0,
                )
                + options
                + self.data(size)
            )
        if proto == UDP:
            length = min(8 + size, 65535)
            if rng.random() < 0.06:
                length = rng.choice((0, 7, 8, length - 1, length + 1, 65535)) & 0xFFFF
            return struct.pack("!IHH", rng.getrandbits(32), length, 0) + self.data(size)
        if proto == 136:
            coverage = rng.choice((0, 8, 8 + size, 7, 9 + size)) & 0xFFFF
            return struct.pack("!IHH", rng.getrandbits(32), coverage, 0) + self.data(size)
        if proto == 33:
            return self.data(6) + b"\0\0" + self.data(12 + size)
        if proto == ICMP:
            kind = rng.choice((0, 8)) if not is_v6 else rng.choice((128, 129))
            code = rng.choice((0, 0, 0, 0, 1, 255))
            return bytes((kind, code, 0, 0)) + self.data(4 + size)
        return self.data(size)

    def transport(self, proto, source, target, size, is_v6=False):
        """A body with its checksum, which is sometimes wrong or none."""
        body = self.body(proto, size, is_v6)
        real = ICMP6 if is_v6 and proto == ICMP else proto
        body = build.with_checksum(body, real, source, target)
        draw = self.rng.random()
        if proto == UDP and draw < 0.12:
            if draw < 0.02:
                body = self.computed_to_zero(body, source, target)
            return put16(body, 6, 0)
        if draw > 0.93 and len(body) > 20:
            at = CHECKSUM_AT.get(proto, 2)
            value = self.rng.choice((0, 65535, self.rng.getrandbits(16)))
            if draw > 0.96:
                value = self.updated_to_zero(source, target)
            return put16(body, at, value)
        return body

    def translated(self, source, target):
        """What two addresses become, in whichever way they can be translated."""
        config = self.cast.config
        if source >> 32 or target >> 32:
            return [
                a & 0xFFFFFFFF if config.is_embedded(a) else config.to4(a) or 0
                for a in (source, target)
            ]
        return [config.to6(a) or config.embed(a) for a in (source, target)]

    def updated_to_zero(self, source, target):
        """A checksum that equation 3 makes 0x0000: L4-03, CK-08."""
        after = build.address_sum(*self.translated(source, target))
        return (after - build.address_sum(source, target)) % 65535

    def computed_to_zero(self, body, source, target):
        """A source port with which the checksum in IPv6 comes out as 0."""
        total = build.address_sum(*self.translated(source, target)) + len(body) + UDP
        return put16(body, 0, -(total + ones(body[2:6] + body[8:])) % 65535)

    # Whole packets.

    def inner4(self, source, target):
        """A packet of a server to be quoted."""
        proto = self.rng.choice(PROTOS if self.rng.random() > 0.04 else ODD_PROTOS)
        options = self.rng.choice(OPTIONS4) if self.rng.random() < 0.08 else b""
        body = self.transport(proto, source, target, self.size(4, 40))
        word = self.rng.choice((0, 0, 0, 0x4000, 0x4000, 0x2000, 0x00B9, 0x20B9, 0x8000, 0x2001))
        return build.v4(
            source,
            target,
            proto,
            body,
            self.quoted_ttl(),
            self.octet(),
            self.rng.getrandbits(16),
            word,
            options,
        )

    def chain(self, proto):
        """A chain of extension headers in front of `proto`: (first next header, bytes)."""
        rng, kinds = self.rng, []
        if rng.random() < 0.4:
            kinds.append(0)
        for _ in range(rng.choice((0, 1, 1, 2, 3, 7, 8, 9))):
            kinds.append(rng.choice((60, 60, 43, 43, 0) if rng.random() < 0.1 else (60, 43)))
        out = b""
        for kind, following in zip(kinds, kinds[1:] + [proto]):
            words = rng.choice((0, 0, 0, 1, 3))
            left = rng.choice((0, 0, 0, 0, 0, 0, 0, 0, 1, 255))
            start = bytes((following, words, 4 if kind == 43 else 1, left if kind == 43 else 4))
            out += start + bytes(4 + 8 * words)
        return (kinds[0] if kinds else proto), out

    def fragment_header(self, proto):
        offset, more = self.rng.choice(
            ((0, 0), (0, 1), (0, 1), (185, 0), (185, 1), (1, 1), (1, 0), (8190, 0), (8191, 0))
        )
        bits = self.rng.choice((0, 0, 0, 3))
        word = offset << 3 | bits << 1 | more
        return struct.pack("!BBHI", proto, bits, word, self.rng.getrandbits(32)), offset, more

    def inner6(self, source, target):
        proto = self.rng.choice(PROTOS)
        body = self.transport(proto, source, target, self.size(6, 60), True)
        first = proto = ICMP6 if proto == ICMP else proto
        if self.rng.random() < 0.04:
            first = proto = self.rng.choice(ODD_PROTOS)
        draw = self.rng.random()
        head = b""
        if draw < 0.15:
            first, head = FRAGMENT, self.fragment_header(proto)[0]
        if 0.1 < draw < 0.25:
            first, chain = self.chain(first)
            head = chain + head
        return build.v6(
            source,
            target,
            first,
            head + body,
            self.quoted_ttl(),
            self.octet(),
            self.rng.getrandbits(20),
        )

    def cut_quote(self, quote, head, unit, limit):
        """A quote as routers cut it, and a length attribute with extension or (0, b"")."""
        draw = self.rng.random()
        if draw < 0.25:
            quote = quote[: head + self.rng.choice((8, 8, 0, 1, 4, 7, 16, 17, 18, 28))]
        elif draw < 0.35:
            quote = quote[: self.rng.randrange(len(quote) + 1)]
        else:
            quote = quote[: self.rng.choice((128, 548, 548, 1232, 1480, 132, 136, 200))]
        if self.rng.random() > 0.3:
            return quote, 0, b""
        size = max(len(quote), self.rng.choice((128, 128, 128, 0)))
        size = -(-size // unit) * unit
        extension = self.rng.choice(EXTENSIONS)
        if self.rng.random() < 0.25:
            # So long that it just fits behind the translated quote, or behind 128 bytes.
            field = size + (20 if unit == 4 else -20)
            room = (
                limit - max(128, field + -field % (12 - unit))
                if self.rng.random() < 0.6
                else limit - 128
            )
            room += self.rng.choice((-28, -24, -8, -4, 0, 4, 8)) - len(extension)
            data = self.data(max(0, room))
            if len(data) >= 4 and self.rng.random() < 0.7:
                data = len(data).to_bytes(2, "big") + b"\xf7\x01" + data[4:]
            extension += data
        attribute = size // unit
        if self.rng.random() < 0.15:
            attribute += self.rng.choice((-1, 1, len(extension) // unit, 100))
        return quote.ljust(size, b"\0"), attribute & 255, extension

    def error4(self, source, target):
        rng = self.rng
        quoted_source = target if rng.random() < 0.95 else self.pair()[0]
        quoted_target = self.client() if rng.random() < 0.8 else source
        if rng.random() < 0.04:
            quote = build.v4(target, source, ICMP, self.error4(target, source)[:200], 9)
        else:
            quote = self.inner4(quoted_source, quoted_target)
        if rng.random() < 0.06:
            quote = mutated(rng, quote)
        if rng.random() < 0.1:
            plateau = rng.choice((*PLATEAUS, 1280, 1500, 19, 20, 60))
            quote = put16(quote, 2, min(plateau + rng.choice((-1, 0, 1)), 65535))
        quote, attribute, extension = self.cut_quote(quote, 20, 4, 1232)
        kind = rng.choice((3, 3, 3, 11, 11, 12, 12, 4, 5, rng.getrandbits(8)))
        code = rng.choice((0, 1, 2, 3, 4, 4, 13, rng.getrandbits(4), rng.getrandbits(8)))
        if kind != 3 and rng.random() < 0.8:
            code = rng.choice((0, 1, 2))
        low = rng.choice((0, 0, 1, 68, 576, 1280, 1400, 1480, 1500, 9000, 65535, 1259, 1260))
        first = rng.choice((rng.randrange(24), rng.randrange(24), rng.getrandbits(8)))
        word = bytes((first, attribute)) + low.to_bytes(2, "big")
        body = bytes((kind, code, 0, 0)) + word + quote + extension
        return build.with_checksum(body, ICMP, 0, 0)

    def error6(self, source, target):
        rng, config = self.rng, self.cast.config
        quoted_source = target if rng.random() < 0.95 else config.embed(self.client())
        server = source if rng.random() < 0.2 else self.pair()[1]
        if rng.random() < 0.04:
            quote = build.v6(target, server, ICMP6, self.error6(target, server)[:200], 9)
        else:
            quote = self.inner6(quoted_source, server)
        if rng.random() < 0.06:
            quote = mutated(rng, quote)
        quote, attribute, extension = self.cut_quote(quote, 40, 8, config.icmp4_size - 28)
        kind = rng.choice((1, 1, 2, 2, 3, 3, 4, 4, 5, rng.getrandbits(8)))
        code = rng.choice((0, 0, 1, 2, 3, 4, 5, 6, rng.getrandbits(8)))
        if kind in (1, 3):
            word = bytes((attribute, 0, 0, 0))
        elif kind == 2:
            low = rng.choice((0, 68, 1279, 1280, 1400, 1480, 1500, 1520, 9000, 65535, 1 << 31))
            word = low.to_bytes(4, "big")
        else:
            low = rng.choice((rng.randrange(48), rng.randrange(48), 1 << 24, 256, 0xFFFFFFFF))
            word = low.to_bytes(4, "big")
        body = bytes((kind, code, 0, 0)) + word + quote + extension
        return build.with_checksum(body, ICMP6, source, target)

    def ends4(self):
        """Source and destination of an IPv4 packet."""
        rng, cast, draw = self.rng, self.cast, self.rng.random()
        source, target = self.client(), self.pair()[0]
        if draw < 0.03:
            source = self.pair()[0]
        elif draw < 0.06:
            target = rng.choice(cast.unmapped4)
        elif draw < 0.08:
            target = rng.choice(EDGES4)
        elif draw < 0.12:
            target = cast.config.own4
        elif draw < 0.125:
            source = rng.choice((cast.config.own4, cast.config.pool4))
        return source, target

    def ends6(self):
        rng, cast, draw = self.rng, self.cast, self.rng.random()
        config = cast.config
        source, target = self.pair()[1], config.embed(self.client())
        if draw < 0.14:
            target = config.embed(self.pair()[0])  # hairpin, or to itself
            if config.embed(config.to4(source)) == target:
                source = self.pair()[1]
        elif draw < 0.17:
            source = rng.choice(cast.unmapped6)
        elif draw < 0.2:
            source = config.embed(rng.choice((self.client(), self.pair()[0])))
        elif draw < 0.22:
            source = rng.choice(EDGES6)
        elif draw < 0.24:
            target = rng.choice((rng.choice(EDGES6), rng.getrandbits(128), self.pair()[1]))
        elif draw < 0.28:
            target = config.own6
        elif draw < 0.3:
            target = config.embed(rng.choice((*cast.unmapped4, config.own4, config.pool4)))
        return source, target

    def packet4(self):
        rng = self.rng
        source, target = self.ends4()
        draw = rng.random()
        options = rng.choice(OPTIONS4) if rng.random() < 0.08 else b""
        word = rng.choice((0, 0, 0x4000, 0x4000, 0x8000))
        if draw < 0.3:
            proto, body = ICMP, self.error4(source, target)
        elif draw < 0.33:
            kind, code = rng.getrandbits(8), rng.choice((0, rng.getrandbits(8)))
            body = bytes((kind, code, 0, 0)) + self.data(4 + rng.randrange(60))
            proto, body = ICMP, build.with_checksum(body, ICMP, 0, 0)
        else:
            proto = rng.choice(PROTOS)
            if draw > 0.97:
                proto = rng.choice((0, 1, 2, 43, 44, 58, 59, 60, 135, 139, 140, rng.getrandbits(8)))
            body = self.transport(proto, source, target, self.size(4, 40))
            if rng.random() < 0.12:
                word |= rng.choice((0x2000, 0x2000, 0x00B9, 0x20B9, 1, 0x2001, 0x1FFF, 0x1FFE))
                body = body[: rng.choice((8, 16, 24, 64, 1232, 1480, 1481, 2000, 17, 7))]
        tos, ident = self.octet(), rng.getrandbits(16)
        return build.v4(source, target, proto, body, self.ttl(), tos, ident, word, options)

    def packet6(self):
        rng = self.rng
        source, target = self.ends6()
        draw = rng.random()
        head = b""
        if draw < 0.3:
            if rng.random() < 0.4:
                source = rng.choice(ROUTERS6) if rng.random() < 0.8 else rng.choice(EDGES6)
            proto, body = ICMP6, self.error6(source, target)
        elif draw < 0.33:
            kind, code = rng.getrandbits(8), rng.choice((0, rng.getrandbits(8)))
            body = bytes((kind, code, 0, 0)) + self.data(4 + rng.randrange(60))
            proto, body = ICMP6, build.with_checksum(body, ICMP6, source, target)
        else:
            proto = rng.choice(PROTOS)
            if draw > 0.97:
                proto = rng.choice((1, 2, 59, 135, 139, 140, rng.getrandbits(8)))
            body = self.transport(proto, source, target, self.size(6, 60), proto == ICMP)
            proto = ICMP6 if proto == ICMP and draw <= 0.97 else proto
        first = proto
        if rng.random() < 0.12:
            if rng.random() < 0.1:
                proto = rng.choice((0, 43, 44, 51, 60, 135, 139, 140, 50))
            real = proto
            head, offset, more = self.fragment_header(proto)
            first = FRAGMENT
            if rng.random() < 0.05:
                following, chain = self.chain(real)  # F64-02
                head = bytes((following,)) + head[1:]
                body = chain + body
            if offset or more:
                body = body[: rng.choice((8, 16, 24, 64, 1232, 1480, 1481, 2000, 17, 7))]
        if rng.random() < 0.12:
            first, chain = self.chain(first)
            head = chain + head
        tc, flow = self.octet(), rng.getrandbits(20)
        return build.v6(source, target, first, head + body, self.ttl(), tc, flow)

    def offloaded(self):
        """TCP or UDP with a partial checksum, often a super-packet."""
        rng, is_v6 = self.rng, self.rng.random() < 0.5
        source, target = self.ends6() if is_v6 else self.ends4()
        proto = rng.choice((TCP, TCP, UDP))
        is_super = rng.random() < 0.6
        size, segment = self.size(6 if is_v6 else 4, 60), 0
        if is_super:
            segment = rng.choice((100, 536, 1000, 1200, 1220, 1400, 1440, 1460, 1472, 8940))
            segment = max(1, segment + rng.randrange(-13, 14))
            count = rng.choice((1, 2, 2, 3, 3, 4, 7)) if rng.random() < 0.98 else 44
            size = min(segment * count - rng.choice((0, 0, 1, segment // 2)), 65400)
        body = self.body(proto, size, is_v6)
        if rng.random() < 0.02:
            body = body[: rng.randrange(1, 24)].ljust(8, b"\0")
        if proto == UDP and is_super:
            body = put16(body, 4, min(8 + size, 65535))
        body = build.with_checksum(body, proto, source, target, True)
        head = b""
        word = rng.choice((0, 0x4000, 0x4000))
        if is_v6:
            first = proto
            if rng.random() < 0.1:
                first, head = self.chain(proto)
            packet = build.v6(source, target, first, head + body, self.ttl(), self.octet())
            start = 40 + len(head)
        else:
            options = rng.choice(OPTIONS4) if rng.random() < 0.1 else b""
            packet = build.v4(
                source, target, proto, body, self.ttl(), self.octet(), 7, word, options
            )
            start = 20 + len(options)
        kind = 0
        if is_super:
            kind = 5 if proto == UDP else (4 if is_v6 else 1) | rng.choice((0, 0, 0x80))
        head_length = start + 20
        offload = (1, kind, head_length, segment, start, CHECKSUM_AT[proto])
        return packet, offload

    def case(self):
        """One case: configuration number, offload header, packet."""
        rng = self.rng
        number = rng.randrange(len(CASTS))
        self.cast = CASTS[number]
        draw, offload = rng.random(), NO_OFFLOAD
        if draw < 0.45:
            packet = self.packet4()
        elif draw < 0.9:
            packet = self.packet6()
        elif draw < 0.96:
            packet, offload = self.offloaded()
        elif draw < 0.965 or not self.golden:
            packet = rng.randbytes(rng.choice((0, 1, 19, 20, 21, 39, 40, 41, 60, 100)))
        else:
            number, offload, packet = rng.choice(self.golden)
        draw = rng.random()
        if draw < 0.2:
            packet = near_valid(rng, packet)
        elif draw < 0.35:
            packet = mutated(rng, packet)
            if rng.random() < 0.5:
                packet = build.repaired(packet)
        if rng.random() < (0.15 if offload[0] else 0.02):
            offload = strange_offload(rng, offload, len(packet))
        return number, offload, packet[:65535]
