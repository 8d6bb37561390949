# SPDX-License-Identifier: BSD-2-Clause
"""Valid packets from their fields, and checksums put right again after a mutation."""
import struct

from arith import CHECKSUM_AT, FRAGMENT, ICMP, ICMP6, UDP, be16, checksum, fold, ones, put16


def v4(source, target, proto, body, ttl=64, tos=0, ident=0, word=0, options=b""):
    head = 20 + len(options)
    packet = (
        struct.pack(
            "!BBHHHBBHII",
            0x40 | head // 4,
            tos,
            min(head + len(body), 65535),
            ident,
            word,
            ttl,
            proto,
            0,
            source,
            target,
        )
        + options
    )
    return put16(packet, 10, checksum(packet)) + body


def v6(source, target, proto, body, hops=64, tc=0, flow=0):
    return (
        struct.pack("!IHBB", 6 << 28 | tc << 20 | flow, min(len(body), 65535), proto, hops)
        + source.to_bytes(16, "big")
        + target.to_bytes(16, "big")
        + body
    )


def address_sum(source, target):
    return fold(source) + fold(target)


def with_checksum(body, proto, source, target, is_partial=False):
    """`body` with the right checksum between these addresses (ints of either family)."""
    if proto == ICMP:
        body = put16(body, 2, 0)
        return put16(body, 2, checksum(body))
    field = 2 if proto == ICMP6 else CHECKSUM_AT.get(proto)
    if field is None or len(body) < field + 2:
        return body
    total = address_sum(source, target) + len(body) + proto
    if is_partial:
        return put16(body, field, fold(total))
    body = put16(body, field, 0)
    cover = body
    if proto == 136:
        coverage = be16(body, 4)
        cover = body[:coverage] if 8 <= coverage <= len(body) else body
    elif proto == UDP and 8 <= be16(body, 4) < len(body):
        cover = body[: be16(body, 4)]
        total += len(cover) - len(body)
    value = 65535 - fold(total + ones(cover))
    if value == 0 and proto in (UDP, 136):
        value = 65535
    return put16(body, field, value)


def repaired(packet):
    """Checksums put right where that is possible, so that a mutation reaches deep code."""
    if len(packet) < 20:
        return packet
    if packet[0] >> 4 == 4:
        end = (packet[0] & 15) * 4
        if not 20 <= end <= len(packet):
            return packet
        packet = put16(packet, 10, 0)
        packet = put16(packet, 10, checksum(packet[:end]))
        total = be16(packet, 2)
        if not end <= total <= len(packet) or be16(packet, 6) & 0x3FFF:
            return packet
        source, target = struct.unpack_from("!II", packet, 12)
        body = packet[end:total]
        if packet[9] == ICMP and len(body) < 4:
            return packet
        return packet[:end] + with_checksum(body, packet[9], source, target) + packet[total:]
    if packet[0] >> 4 != 6 or len(packet) < 44:
        return packet
    end, at, proto = 40 + be16(packet, 4), 40, packet[6]
    if end > len(packet):
        return packet
    while proto in (0, 43, 60, FRAGMENT):
        if at + 8 > end:
            return packet
        size = 8 if proto == FRAGMENT else 8 * (packet[at + 1] + 1)
        if proto == FRAGMENT and be16(packet, at + 2) & 0xFFF9:
            return packet
        proto, at = packet[at], at + size
    if at + 4 > end or proto == ICMP:
        return packet
    source = int.from_bytes(packet[8:24], "big")
    target = int.from_bytes(packet[24:40], "big")
    return packet[:at] + with_checksum(packet[at:end], proto, source, target) + packet[end:]
