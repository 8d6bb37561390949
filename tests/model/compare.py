# SPDX-License-Identifier: BSD-2-Clause
"""Compares the translator's results for a packet with those of the model."""
import collections

import model
from arith import (
    CHECKSUM_AT,
    GSO_UDP,
    ICMP6,
    NO_OFFLOAD,
    QUOTE,
    TCP,
    UDP,
    be16,
    checksum,
    fold,
    ones,
    put16,
)
from offload import header_length, segment_count, segments
from v4tov6 import MustSegment

# A packet of the translator: bytes, offload header, and how a super-packet is cut: the number of
# segments and the first of them.
Sent = collections.namedtuple("Sent", "data offload count segments")
SEGMENTS_SHOWN = 4


def disagreement(config, packet, offload, segmented, results):
    """What is wrong (None: nothing), and the model's outcome and reason."""
    if segmented:
        return one_by_one(config, packet, offload, results)
    try:
        wanted = model.translate(config, packet, offload)
    except MustSegment:
        return "not segmented", "segmented", None
    got = results[0]
    wrong = differs(wanted, got)
    if wrong is None and offload != NO_OFFLOAD and wanted.outcome != "drop":
        wrong = in_software(config, packet, offload, got)
    return wrong, wanted.outcome, wanted.reason


def differs(wanted, got):
    if wanted.outcome != got.outcome or wanted.reason != got.reason:
        return f"model {wanted.outcome}/{wanted.reason}, translator {got.outcome}/{got.reason}"
    if len(wanted.packets) != len(got.packets):
        return f"{wanted.outcome}: number of packets"
    idents = set()
    for want, have in zip(wanted.packets, got.packets):
        expected, data = want.data, have.data
        if want.free == QUOTE:
            if not is_same_error(expected, data):
                return "an error about a packet with a nonsensical offload header"
            continue
        if want.free and len(data) >= 20:
            if ones(data[:20]) != 65535:
                return "IPv4 header checksum"
            idents.add(data[4:6])
            data = data[:4] + expected[4:6] + data[6:10] + expected[10:12] + data[12:]
        if data != expected:
            return f"bytes ({wanted.outcome} {wanted.reason}, IPv{expected[0] >> 4})"
        a, b = want.offload, have.offload
        if a != b and (a[1] or a[:2] + a[4:] != b[:2] + b[4:]):  # sizes mean nothing there
            return "offload header"
        if b[1] and not is_cut_well(have):
            return "the segments of what was sent"
    return None if len(idents) < 2 else "the pieces have several Identifications"


def is_cut_well(sent):
    """Segments as the kernel would make them. A super-packet without payload cannot be cut."""
    start, proto = header_length(sent.data)
    head = start + ((sent.data[start + 12] >> 4) * 4 if proto == TCP else 8)
    if head == len(sent.data):
        return sent.count in (0, 1)
    count = segment_count(sent.data, sent.offload)
    shown = segments(sent.data, sent.offload, range(min(count, SEGMENTS_SHOWN)))
    return sent.count == count and sent.segments == shown


def is_same_error(expected, data):
    """The same but for the quoted bytes (and the Identification), and valid."""
    if expected[0] >> 4 == 4:
        return (
            ones(data[:20]) == ones(data[20:]) == 65535
            and data[:2] + data[6:10] + data[12:22] + data[24:28]
            == expected[:2] + expected[6:10] + expected[12:22] + expected[24:28]
            and be16(data, 2) == len(data) <= 576
        )
    total = ones(data[8:40]) + len(data) - 40 + ICMP6 + ones(data[40:])
    return (
        data[:4] + data[6:42] + data[44:48] == expected[:4] + expected[6:42] + expected[44:48]
        and be16(data, 4) + 40 == len(data) <= 1280
        and fold(total) == 65535
    )


def one_by_one(config, packet, offload, results):
    """A UDP super-packet that the translator wanted in pieces (F46-04 or F64-06 for each)."""
    try:
        if offload[1] != GSO_UDP:
            return "segmented, but not UDP", "segmented", None
        pieces = segments(trimmed(packet), offload)
    except (IndexError, ZeroDivisionError):
        return "segmented, but not a sane packet", "segmented", None
    if len(pieces) != len(results):
        return "number of segments", "segmented", None
    try:
        whole = model.translate(config, packet, offload)
        # Whether a packet turns around (HP-08) is not known before its mapping is.
        if whole.outcome == "forward" and (whole.packets[0].data[0] ^ packet[0]) >> 4:
            return "segmented without need", "segmented", None
    except MustSegment:
        pass
    for piece, got in zip(pieces, results):
        wrong = differs(model.translate(config, piece, NO_OFFLOAD), got)
        if wrong:
            return f"segment: {wrong}", "segmented", None
    return None, "segmented", None


def in_software(config, packet, offload, got):
    """GSO-12: an offloaded packet and the same finished in software have equal results."""
    if got.outcome == "reply":
        return None  # compared already: it quotes what was on the wire
    first, count, packet = got.packets[0], 0, trimmed(packet)
    if offload[1]:
        out = first.offload
        offload = (*offload[:3], out[3], *offload[4:])  # GSO-07 may lower the size
        count = segment_count(packet, offload)
        numbers = range(count) if count <= 4 else (0, 1, count - 1)
        before = segments(packet, offload, numbers)
        after = segments(first.data, out, numbers)
        if segment_count(first.data, out) != count:
            return "number of segments in software"
    elif offload[0] & 1 and first.offload[0] & 1:
        start, proto = header_length(packet)
        before = [completed(packet, start, proto)]
        start, proto = header_length(first.data)
        after = [completed(first.data, start, proto)]
    else:
        return None
    for piece, data in zip(before, after):
        wanted = model.translate(config, piece, NO_OFFLOAD)
        if wanted.outcome != "forward" or len(wanted.packets) != 1:
            return f"in software: {wanted.outcome} {wanted.reason} {len(wanted.packets)}"
        want = wanted.packets[0]
        if want.free:
            # GSO-08: DF is that of a full segment, also in a last one that is shorter.
            kept = 6 if len(data) == len(after[0]) and count != 1 else 8
            data = data[:4] + want.data[4:kept] + data[kept:10] + want.data[10:12] + data[12:]
        if want.data != data:
            return "in software: bytes"
    return None


def trimmed(packet):
    """Without the bytes behind the length that the header says."""
    if packet[0] >> 4 == 4:
        return packet[: be16(packet, 2)]
    return packet[: 40 + be16(packet, 4)]


def completed(packet, start, proto):
    """The checksum of a partial packet as its sender would have computed it."""
    value = checksum(packet[start:])
    if value == 0 and proto == UDP:
        value = 65535
    return put16(packet, start + CHECKSUM_AT[proto], value)
