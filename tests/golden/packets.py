# SPDX-License-Identifier: BSD-2-Clause
"""Packet builders: every field is given by the caller, every checksum is computed in full.

A packet is a Packet: bytes plus the ranges that a comparison has to skip (an IPv4
Identification that the translator may choose, and the header checksum that covers it).
"""
import ipaddress
import struct


class Packet(bytes):
    def __new__(cls, data, mask=()):
        self = super().__new__(cls, data)
        self.mask = [list(m) for m in mask]
        return self


def mask_of(data):
    return getattr(data, "mask", [])


def cut(data, size):
    """The first `size` bytes, masks included."""
    mask = [[a, min(b, size)] for a, b in mask_of(data) if a < size]
    return Packet(bytes(data)[:size], mask)


def pad(data, size):
    return Packet(bytes(data).ljust(size, b"\0"), mask_of(data))


def join(*parts):
    out, mask = b"", []
    for part in parts:
        mask += [[a + len(out), b + len(out)] for a, b in mask_of(part)]
        out += bytes(part)
    return Packet(out, mask)


def address(text):
    return ipaddress.ip_address(text).packed


def fold(total):
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def ones_sum(data):
    data = bytes(data)
    if len(data) % 2:
        data += b"\0"
    return fold(sum(struct.unpack(f"!{len(data) // 2}H", data)))


def checksum(data):
    return 0xFFFF - ones_sum(data)


def incremental(field, old, new):
    """RFC 1624 equation 3, for fields that do not belong to any complete packet."""
    inverse = bytes(0xFF - x for x in old)
    return 0xFFFF - fold((0xFFFF - field) + ones_sum(inverse) + ones_sum(new))


def pseudo(src, dst, proto, length):
    if ":" in src:
        return address(src) + address(dst) + struct.pack("!I3xB", length, proto)
    return address(src) + address(dst) + struct.pack("!xBH", proto, length & 0xFFFF)


def counting(size, start=0):
    return bytes((start + i) & 0xFF for i in range(size))


class Segment:
    """A transport PDU. `on(src, dst)` gives its bytes between these addresses."""

    def __init__(self, proto, body, field=None, udp=False, cover=None, length=None):
        self.proto = proto
        self.body = body
        self.field = field  # offset of the checksum, None: has none
        self.udp = udp  # a result of 0 is written as 0xffff
        self.cover = cover  # bytes under the checksum, None: all
        self.length = length  # of the pseudo-header, None: len(body)
        self.fixed = None  # this very value, whatever would be right
        self.damage = None  # (offset, xor) applied after the checksum was computed

    def protocol(self, _family):
        return self.proto

    def on(self, src, dst, partial=False):
        if self.field is None:
            return self.body
        at = self.field
        length = len(self.body) if self.length is None else self.length
        head = pseudo(src, dst, self.proto, length)
        if self.fixed is not None:
            value = self.fixed
        elif partial:
            value = ones_sum(head)
        else:
            value = checksum(head + self.body[: self.cover])
            if self.udp and value == 0:
                value = 0xFFFF
        out = bytearray(self.body)
        out[at : at + 2] = struct.pack("!H", value)
        if self.damage:
            out[self.damage[0]] ^= self.damage[1]
        return bytes(out)

    def damaged(self, offset, xor=0x01):
        self.damage = (offset, xor)
        return self


def tcp(
    data=b"golden",
    sport=50000,
    dport=443,
    seq=0x10203040,
    ack=0x50607080,
    flags=0x18,
    options=b"",
    window=1024,
):
    offset = (20 + len(options)) // 4
    body = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, offset << 4, flags, window, 0, 0)
    return Segment(6, body + options + data, 16)


def udp(data=b"golden", sport=5353, dport=33434, length=None, zero=False):
    length = 8 + len(data) if length is None else length
    cover = length if length <= 8 + len(data) else None
    out = Segment(17, struct.pack("!HHHH", sport, dport, length, 0) + data, 6, True, cover, length)
    if zero:
        out.fixed = 0
    return out


def udplite(data=b"golden", coverage=0):
    body = struct.pack("!HHHH", 4000, 4001, coverage, 0) + data
    return Segment(136, body, 6, True, coverage or None)


def dccp(data=b"golden"):
    # DCCP-Request, X=1, data offset 5 words, service code; CsCov 0: everything is covered.
    body = struct.pack("!HHBBHBBHII", 5001, 5002, 5, 0, 0, 1, 0, 1, 0x01020304, 0x64697363)
    return Segment(33, body + data, 6)


def raw(proto, data=b"any transport \x00\x01\x02\xff"):
    return Segment(proto, data)


class Echo(Segment):
    def __init__(self, data=b"golden", reply=False, code=0, ident=0x1234, seq=7):
        super().__init__(None, data)
        self.types = {4: 0 if reply else 8, 6: 129 if reply else 128}
        self.code, self.ident, self.seq = code, ident, seq

    def protocol(self, family):
        return 1 if family == 4 else 58

    def on(self, src, dst, partial=False):
        family = 6 if ":" in src else 4
        rest = struct.pack("!HH", self.ident, self.seq)
        message = icmp(src, dst, self.types[family], self.code, rest, self.body, partial)
        out = bytearray(message)
        if self.damage:
            out[self.damage[0]] ^= self.damage[1]
        return bytes(out)


def icmp(src, dst, kind, code, word, data=b"", partial=False):
    """ICMPv4 or ICMPv6, by the family of the addresses. `word`: bytes 4..7 (int or bytes)."""
    word = struct.pack("!I", word) if isinstance(word, int) else word
    message = struct.pack("!BBH", kind, code, 0) + word + bytes(data)
    head = pseudo(src, dst, 58, len(message)) if ":" in src else b""
    value = ones_sum(head) if partial else checksum(head + message)
    message = message[:2] + struct.pack("!H", value) + message[4:]
    return Packet(message, [[a + 8, b + 8] for a, b in mask_of(data)])


def v4(
    src,
    dst,
    payload,
    proto=None,
    ttl=64,
    tos=0,
    ident=0x1C46,
    df=False,
    mf=False,
    offset=0,
    reserved=False,
    options=b"",
    total=None,
    ihl=None,
    header_checksum=None,
    version=4,
    partial=False,
):
    """ident None: the translator's choice, masked."""
    if isinstance(payload, Segment):
        proto = payload.protocol(4)
        payload = payload.on(src, dst, partial)
    options = options + b"\0" * (-len(options) % 4)
    ihl = 5 + len(options) // 4 if ihl is None else ihl
    total = 20 + len(options) + len(payload) if total is None else total
    word = (reserved << 15) | (df << 14) | (mf << 13) | offset
    head = (
        struct.pack(
            "!BBHHHBBH4s4s",
            version << 4 | ihl,
            tos,
            total,
            ident or 0,
            word,
            ttl,
            proto,
            0,
            address(src),
            address(dst),
        )
        + options
    )
    value = checksum(head) if header_checksum is None else header_checksum
    head = head[:10] + struct.pack("!H", value) + head[12:]
    free = Packet(head, [[4, 6], [10, 12]] if ident is None else [])
    return join(free, payload)


def v6(src, dst, payload, proto=None, hlim=64, tc=0, flow=0, length=None, version=6, partial=False):
    if isinstance(payload, Segment):
        proto = payload.protocol(6)
        payload = payload.on(src, dst, partial)
    length = len(payload) if length is None else length
    head = struct.pack("!IHBB", version << 28 | tc << 20 | flow, length, proto, hlim)
    return join(head + address(src) + address(dst), payload)


def fragment_header(proto, ident, offset=0, more=False, reserved=0, bits=0):
    return struct.pack("!BBHI", proto, reserved, offset << 3 | bits << 1 | more, ident)


def options_header(proto, words=0, data=None):
    """Hop-by-Hop or Destination Options of 8*(words+1) bytes, PadN unless `data` is given."""
    room = 8 * words + 6
    if data is None:
        data = bytes([1, room - 2]) + bytes(room - 2)
    return struct.pack("!BB", proto, words) + data.ljust(room, b"\0")


def routing_header(proto, left=0, kind=4, words=0):
    return struct.pack("!BBBB", proto, words, kind, left) + bytes(8 * words + 4)


def ident_free(src, dst, payload, ttl=63, tos=0, proto=None, partial=False):
    """A whole packet that was IPv6: Identification free, DF by T64-06."""
    size = 20 + (
        len(payload.body) + (8 if isinstance(payload, Echo) else 0)
        if isinstance(payload, Segment)
        else len(payload)
    )
    return v4(src, dst, payload, proto, ttl, tos, None, size > 1260, partial=partial)
