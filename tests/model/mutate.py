# SPDX-License-Identifier: BSD-2-Clause
"""Near-valid packets (a field at its boundaries) and mutated ones."""
import build
from arith import put16

# Offset, width in octets.
FIELDS4 = ((0, 1), (1, 1), (2, 2), (4, 2), (6, 2), (8, 1), (9, 1), (10, 2), (12, 4), (16, 4))
FIELDS6 = ((0, 1), (0, 2), (2, 2), (4, 2), (6, 1), (7, 1), (8, 16), (24, 16))
# From the first octet behind the IP header: TCP, UDP and ICMP fields, extension headers.
FIELDS_BEHIND = ((0, 1), (1, 1), (2, 2), (3, 1), (4, 2), (4, 4), (5, 1), (6, 2), (12, 1), (13, 1))
FIELDS_BEHIND += ((16, 2), (8, 1), (10, 2), (14, 2), (17, 1), (14, 1), (20, 4), (24, 2), (28, 1))


def near_valid(rng, packet):
    """One field at a boundary: 0, 1, one less, one more, all ones, or a limit of some rule."""
    if len(packet) < 28:
        return packet
    is_v4 = packet[0] >> 4 == 4
    head = (packet[0] & 15) * 4 if is_v4 else 40
    if rng.random() < 0.5:
        at, width = rng.choice(FIELDS4 if is_v4 else FIELDS6)
    else:
        at, width = rng.choice(FIELDS_BEHIND)
        at += head
    if at + width > len(packet):
        return packet
    top = (1 << 8 * width) - 1
    value = int.from_bytes(packet[at : at + width], "big")
    value = rng.choice(
        (
            0,
            1,
            value - 1,
            value + 1,
            top,
            top - 1,
            len(packet),
            len(packet) - head,
            1280,
            1 << rng.randrange(8 * width),
            value ^ 1 << rng.randrange(8 * width),
        )
    )
    packet = packet[:at] + (value & top).to_bytes(width, "big") + packet[at + width :]
    return packet if rng.random() < 0.15 else build.repaired(packet)


def mutated(rng, packet):
    """Bits flipped, cut off, made longer, or a part of it moved."""
    if not packet:
        return packet
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        draw = rng.random()
        size = len(packet)
        if draw < 0.5 or size < 2:
            at = rng.randrange(min(size, rng.choice((40, 80, 120, size))))
            packet = packet[:at] + bytes((packet[at] ^ 1 << rng.randrange(8),)) + packet[at + 1 :]
        elif draw < 0.65:
            packet = packet[: rng.randrange(1, size)]
            packet = relength(rng, packet)
        elif draw < 0.8:
            packet = packet + rng.randbytes(rng.choice((1, 2, 6, 8, 40)))
            packet = relength(rng, packet)
        elif draw < 0.9:
            at = rng.randrange(size)
            packet = packet[:at] + rng.randbytes(rng.choice((1, 2, 4))) + packet[at:]
        else:
            at = rng.randrange(size)
            packet = packet[:at] + packet[at + rng.choice((1, 2, 4, 8)) :]
        if not packet:
            break
    return packet


def relength(rng, packet):
    """Mostly, the length field follows the bytes there."""
    if len(packet) < 40 or rng.random() < 0.25:
        return packet
    if packet[0] >> 4 == 4:
        return put16(packet, 2, min(len(packet), 65535))
    if packet[0] >> 4 == 6:
        return put16(packet, 4, min(len(packet) - 40, 65535))
    return packet


def strange_offload(rng, offload, size):
    """An offload header with a field that the kernel would not write."""
    fields = list(offload)
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(6)
        if at == 0:
            fields[0] = rng.choice((0, 1, 2, 3, 4, 255))
        elif at == 1:
            fields[1] = rng.choice((0, 1, 3, 4, 5, 0x80, 0x81, 0x84, 0x85, 99, 255))
        else:
            value = fields[at]
            value = rng.choice(
                (0, 1, value + 1, value - 1, size, size - 1, size - 2, 20, 40, 65535)
            )
            fields[at] = value & 0xFFFF
    return tuple(fields)
