# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 20: what an offload header says about a packet, and software in its place."""
import struct

from arith import (
    CHECKSUM_AT,
    FRAGMENT,
    GSO_ECN,
    GSO_TCP4,
    GSO_TCP6,
    GSO_UDP,
    ICMP,
    ICMP6,
    NEEDS_CSUM,
    TCP,
    UDP,
    Drop,
    be16,
    checksum,
    fold,
    ones,
    put16,
)


class Transport:
    """The transport part of a packet and what is still to be done to it."""

    __slots__ = ("proto", "partial", "gso", "ecn", "size", "head")

    def __init__(self, proto):
        self.proto = proto
        self.partial = False  # the checksum field holds the sum of the pseudo-header only
        self.gso = 0  # base type of the super-packet
        self.ecn = 0
        self.size = 0  # gso_size
        self.head = 0  # length of the transport header of a super-packet


def complete(packet, start, offset):
    """Finishes a partial checksum in software. A result of 0 becomes 0xffff for UDP's sake (GSO-02),
    and as the kernel does it for all."""
    at = start + offset
    if at + 2 > len(packet):
        raise Drop("bad_offload")  # GSO-04, GSO-05
    return put16(packet, at, checksum(packet[start:]) or 65535)


def prepare(packet, offload, start, proto, is_fragment, family):
    """GSO-01..GSO-11: the packet (completed where needed) and its Transport. `start`: where the
    transport header begins."""
    flags, gso_type, _, size, csum_start, csum_offset = offload
    transport = Transport(proto)
    if not gso_type and not flags & NEEDS_CSUM:
        return packet, transport  # GSO-10
    if is_fragment:
        raise Drop("bad_offload")  # GSO-11
    expected = CHECKSUM_AT.get(proto)
    fits = csum_start == start and csum_offset == expected and start + expected + 2 <= len(packet)
    if gso_type:  # GSO-05, GSO-06
        kind = gso_type & ~GSO_ECN
        wanted = {TCP: GSO_TCP4 if family == 4 else GSO_TCP6, UDP: GSO_UDP}.get(proto)
        if kind != wanted or not size or (gso_type & GSO_ECN and proto != TCP):
            raise Drop("bad_offload")
        if not fits if flags & NEEDS_CSUM else proto == UDP:
            raise Drop("bad_offload")
        transport.head = 8
        if proto == TCP:
            if start + 20 > len(packet):
                raise Drop("bad_offload")
            transport.head = (packet[start + 12] >> 4) * 4
        if transport.head < (20 if proto == TCP else 8) or start + transport.head >= len(packet):
            raise Drop("bad_offload")
        transport.gso, transport.ecn, transport.size = kind, gso_type & GSO_ECN, size
        transport.partial = bool(flags & NEEDS_CSUM)
        return packet, transport
    if fits:
        transport.partial = True
        return packet, transport
    if proto == (ICMP if family == 4 else ICMP6) and csum_start + csum_offset in (start - 1, start):
        raise Drop("bad_offload")  # over the type, which decides what the message is
    return complete(packet, csum_start, csum_offset), transport  # GSO-04


def header_length(packet):
    """Of an IP packet with sane headers: where the transport begins, and its protocol."""
    if packet[0] >> 4 == 4:
        return (packet[0] & 15) * 4, packet[9]
    at, proto = 40, packet[6]
    while proto in (0, 43, 60):
        proto, at = packet[at], at + 8 * (packet[at + 1] + 1)
    if proto == FRAGMENT:  # an atomic one
        proto, at = packet[at], at + 8
    return at, proto


def pseudo_sum(packet, proto, length):
    if packet[0] >> 4 == 4:
        return ones(packet[12:20]) + proto + length
    return ones(packet[8:40]) + proto + length


def finished(packet, start, proto):
    """A packet whose only checksum is computed in full, as the end of the offload path does it."""
    at = start + CHECKSUM_AT[proto]
    body = put16(packet, at, 0)
    value = 65535 - fold(pseudo_sum(packet, proto, len(packet) - start) + ones(body[start:]))
    if value == 0 and proto == UDP:
        value = 65535
    return put16(packet, at, value)


def with_length(packet, length):
    """Header lengths and the IPv4 header checksum for a packet of `length` bytes."""
    if packet[0] >> 4 == 4:
        end = (packet[0] & 15) * 4
        packet = put16(put16(packet, 2, length), 10, 0)
        return put16(packet, 10, checksum(packet[:end]))
    return put16(packet, 4, length - 40)


def segments(packet, offload, numbers=None):
    """The packets that the kernel makes of a super-packet, or some of them (`numbers`)."""
    start, proto = header_length(packet)
    head = start + ((packet[start + 12] >> 4) * 4 if proto == TCP else 8)
    size, data = offload[3], packet[head:]
    count = max(1, -(-len(data) // size))
    out = []
    for k in range(count) if numbers is None else numbers:
        piece = data[k * size : (k + 1) * size]
        new = bytearray(packet[:head])
        if packet[0] >> 4 == 4:
            struct.pack_into("!H", new, 4, (be16(packet, 4) + k) & 0xFFFF)
        if proto == TCP:
            seq = int.from_bytes(packet[start + 4 : start + 8], "big") + k * size
            struct.pack_into("!I", new, start + 4, seq & 0xFFFFFFFF)
            if k < count - 1:
                new[start + 13] &= ~0x09 & 0xFF  # FIN and PSH: the last one only
            if k:
                new[start + 13] &= ~0x80 & 0xFF  # CWR: the first one only
        else:
            struct.pack_into("!H", new, start + 4, 8 + len(piece))
        new = bytes(new) + piece
        out.append(finished(with_length(new, len(new)), start, proto))
    return out


def segment_count(packet, offload):
    start, proto = header_length(packet)
    head = start + ((packet[start + 12] >> 4) * 4 if proto == TCP else 8)
    return max(1, -(-(len(packet) - head) // offload[3]))


def on_wire(view, start, is_fragment, family):
    """The packet as it would be on the wire (GSO-12): the first segment, the checksum complete.
    None when its offload header is nonsense: such a packet never was on a wire."""
    try:
        packet, transport = prepare(
            view.packet, view.offload, start, view.proto, is_fragment, family
        )
    except Drop:
        return None
    if view.transport is not None:
        packet, transport = view.packet, view.transport
    if transport.gso:
        if start + transport.head == len(packet):
            return None
        return segments(packet, view.offload, (0,))[0]
    if transport.partial:
        return complete(packet, start, CHECKSUM_AT[transport.proto])
    return packet


def moved(transport, start):
    """GSO-03, GSO-05, GSO-06: the offload header of the translated packet, whose transport header
    begins at `start`."""
    field = CHECKSUM_AT.get(transport.proto)
    flags, sums = (NEEDS_CSUM, (start, field)) if transport.partial else (0, (0, 0))
    if not transport.gso:
        return (flags, 0, 0, 0, *sums)
    kind = transport.gso
    if kind != GSO_UDP:
        kind = GSO_TCP6 if start == 40 else GSO_TCP4
    return (flags, kind | transport.ecn, start + transport.head, transport.size, *sums)


def updated(value, removed, added, transport):
    """The checksum after a change of addresses (L4-01, GSO-01, L4-03)."""
    if transport.partial:
        return fold(value + 65535 - removed + added)
    new = 65535 - fold((65535 - value) + (65535 - removed) + added)
    return 65535 if new == 0 and transport.proto != TCP and transport.proto != 33 else new
