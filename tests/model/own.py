# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 8: what the translator itself says, and when it keeps silent."""
import struct

from arith import (
    ICMP,
    ICMP6,
    IDENT,
    NO_OFFLOAD,
    NOTHING,
    QUOTE,
    Out,
    Result,
    checksum,
    fold,
    ones,
    put16,
)

QUERIES4 = (0, 8, 13, 14, 15, 16, 17, 18)  # G4-03: all other types count as errors


def header4(tos, length, ident, word, ttl, proto, source, destination):
    head = struct.pack(
        "!BBHHHBBHII", 0x45, tos, length, ident, word, ttl, proto, 0, source, destination
    )
    return put16(head, 10, checksum(head))


def header6(tc, length, proto, hops, source, destination):
    return struct.pack("!IHBB", 6 << 28 | tc << 20, length, proto, hops) + b"%b%b" % (
        source.to_bytes(16, "big"),
        destination.to_bytes(16, "big"),
    )


def message4(kind, code, word, data):
    body = struct.pack("!BBHI", kind, code, 0, word) + data
    return put16(body, 2, checksum(body))


def message6(kind, code, word, data, source, destination):
    body = struct.pack("!BBHI", kind, code, 0, word) + data
    total = fold(source) + fold(destination) + len(body) + ICMP6 + ones(body)
    return put16(body, 2, 65535 - fold(total))


def may_be_error4(view):
    """An ICMP message that is none of the known queries; one whose type is not there (a later
    fragment) may be an error."""
    if view.proto != ICMP:
        return False
    if view.offset or len(view.packet) <= view.header:
        return True
    return view.packet[view.header] not in QUERIES4


def may_be_error6(view):
    if view.proto != ICMP6:
        return False
    return bool(view.offset) or len(view.packet) <= view.start or view.packet[view.start] < 128


def is_switched_off(config, kind):
    """G4-02, G6-03: `kind` is the ErrorKind."""
    return not {"unreachable": config.send_unreachable, "parameter": config.send_parameter}.get(
        kind, True
    )


def error4(config, view, reject):
    """The answer to an IPv4 packet that was rejected: a Result."""
    dropped = Result("drop", reject.reason, [])
    kind = "unreachable" if reject.kind == 3 and reject.code != 4 else "other"
    if is_switched_off(config, kind) or view.offset:  # G4-03: not the first fragment
        return dropped
    if may_be_error4(view):
        return dropped  # G4-03
    quote = view.wire()
    free = IDENT if quote is not None else QUOTE
    quote = (quote or b"")[:548]  # G4-05
    body = message4(reject.kind, reject.code, reject.word, quote)
    head = header4(0xC0, 20 + len(body), 0, 0, 64, ICMP, config.own4, view.source)
    return Result("reply", reject.reason, [Out(head + body, NO_OFFLOAD, free)])


def error6(config, view, reject):
    dropped = Result("drop", reject.reason, [])
    kind = {1: "unreachable", 4: "parameter"}.get(reject.kind, "other")
    if reject.reason == "no_mapping" and config.unmapped == "drop":
        return dropped
    if is_switched_off(config, kind):
        return dropped
    if view.proto == ICMP6:
        if reject.kind == 1:
            return dropped  # G6-01: about no ICMPv6 message at all
        if may_be_error6(view) or view.packet[view.start] == 137:
            return dropped  # G6-04
    quote = view.wire()
    free = NOTHING if quote is not None else QUOTE
    quote = (quote or b"")[:1232]  # G6-06
    body = message6(reject.kind, reject.code, reject.word, quote, config.own6, view.source)
    head = header6(0, len(body), ICMP6, 64, config.own6, view.source)
    return Result("reply", reject.reason, [Out(head + body, NO_OFFLOAD, free)])


def echo4(config, view):
    """T46-24: the echo reply of own4."""
    data = bytearray(view.packet[view.header :])
    data[0] = 0
    data[2:4] = b"\0\0"
    struct.pack_into("!H", data, 2, checksum(data))
    head = header4(view.tos, 20 + len(data), 0, 0, 64, ICMP, config.own4, view.source)
    return Result("reply", None, [Out(head + bytes(data), NO_OFFLOAD, IDENT)])


def echo6(config, view):
    data = view.packet[view.start :]
    body = message6(
        129, data[1], int.from_bytes(data[4:8], "big"), data[8:], view.target, view.source
    )
    head = header6(view.tc, len(body), ICMP6, 64, view.target, view.source)
    return Result("reply", None, [Out(head + body, NO_OFFLOAD, NOTHING)])
