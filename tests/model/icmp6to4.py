# SPDX-License-Identifier: BSD-2-Clause
"""Matrix sections 4, 7 and 12: ICMPv6 to ICMPv4."""
import struct

import own
from arith import FRAGMENT, ICMP, ICMP6, Drop, be16, checksum, fold, ones, put16, update
from icmp4to6 import quoted_transport

UNREACHABLE = {0: (3, 1), 1: (3, 10), 2: (3, 1), 3: (3, 1), 4: (3, 3)}  # table 7.1
NOT_BEHIND_FRAGMENT = (0, 43, 44, 51, 60, 135, 139, 140)


def pointer(value):
    """Table 7.2."""
    if value in (0, 1):
        return value
    if value in (4, 5):
        return 2
    if value == 6:
        return 9
    if value == 7:
        return 8
    if 8 <= value < 24:
        return 12
    if 24 <= value < 40:
        return 16
    raise Drop("icmp_pointer")


def echo(message, source, target, length=None):
    """CK-06, the other way round."""
    old = be16(message, 0)
    new = (8 if message[0] == 128 else 0) << 8 | message[1]
    length = len(message) if length is None else length
    removed = old + fold(source) + fold(target) + length + ICMP6
    return struct.pack("!HH", new, update(be16(message, 2), fold(removed), new)) + message[4:]


def error(config, view, message, client):
    """The ICMPv4 message."""
    kind, code = message[0], message[1]
    word = int.from_bytes(message[4:8], "big")
    target = target_of(config, kind, code)
    if target is None:
        raise Drop("icmp_type")
    total = fold(view.source) + fold(view.target) + len(message) + ICMP6 + ones(message)
    if fold(total) != 65535:
        raise Drop("icmp_checksum")  # I64-02
    if target == (12, 0):
        word = pointer(word) << 24  # I64-05
    quote, extension = parts(message)
    new_quote, has_fragment = translate_quote(config, quote, view.target, client, bool(extension))
    if kind == 2:
        extra = 28 if has_fragment else 20  # I64-03, I64-04
        word = min(max(word, 1280) - extra, config.mtu4, config.mtu6 - 20)
    elif target != (12, 0):
        word = 0
    limit = config.icmp4_size - 28  # INN-14
    if config.append_source and config.to4(view.source) is None:
        extension = with_source(extension, view.source, limit - 128)
    if extension:
        field = max(128, (len(new_quote) + 3) // 4 * 4)  # X84-03
        field = min(field, 255 * 4)  # the attribute is one octet
        if field + len(extension) > limit:
            field = (limit - len(extension)) // 4 * 4  # X84-04
        if field >= 128:
            new_quote = new_quote[:field].ljust(field, b"\0") + extension
            word |= field // 4 << 16
    return own.message4(*target, word, new_quote[:limit])


def with_source(extension, source, room):
    """S91-05, X84-10: an extension with an object that holds the router's IPv6 address. One that
    is broken, has one for the same role, or has no room for it stays as it is (X84-11, X84-13)."""
    old = extension or b"\x20\0\0\0"
    new = old + b"\0\x18\x02\x04\0\x02\0\0" + source.to_bytes(16, "big")
    if len(new) > room or len(old) < 4 or old[0] >> 4 != 2:
        return extension
    if be16(old, 2) and ones(old) != 65535:
        return extension
    at = 4
    while at < len(old):
        size = be16(old, at) if at + 4 <= len(old) else 0
        if size < 4 or at + size > len(old):
            return extension
        if old[at + 2] == 2 and old[at + 3] >> 6 == 0:
            return extension
        at += size
    new = put16(new, 2, 0)
    return put16(new, 2, checksum(new))


def target_of(config, kind, code):
    if kind == 1:
        if code in (5, 6) and config.policy_codes:
            return 3, 10  # I64-06
        return UNREACHABLE.get(code)
    if kind == 2:
        return 3, 4
    if kind == 3:
        return 11, code
    if kind == 4:
        return {0: (12, 0), 1: (3, 2)}.get(code)
    return None


def parts(message):
    """X84-01, X84-07, X84-08."""
    rest = message[8:]
    size = message[4] * 8 if message[0] in (1, 3) else 0
    if size > len(rest):
        raise Drop("icmp_extension")
    return (rest[:size], rest[size:]) if size else (rest, b"")


def translate_quote(config, quote, outer_target, client, has_extension):
    """Section 4, and whether the quoted packet has a Fragment Header."""
    if len(quote) < 40:
        raise Drop("icmp_malformed")
    if quote[0] >> 4 != 6:
        raise Drop("icmp_quote")
    payload = be16(quote, 4)
    if has_extension:
        quote = quote[: 40 + payload]
    source, target = int.from_bytes(quote[8:24], "big"), int.from_bytes(quote[24:40], "big")
    at, proto, fragment = walk(quote)
    length = payload - (at - 40)
    if length < 0:
        raise Drop("icmp_quote")
    if source != outer_target:
        raise Drop("icmp_mismatch")  # I64-07
    server = config.to4(target)
    if server is None:
        raise Drop("icmp_quote")
    offset, more, ident, has_fragment = fragment
    body = quote[at:]
    if proto in (1, 2, 135, 139, 140):
        raise Drop("icmp_quote")
    if not offset:
        if proto == ICMP6:
            body = quoted_echo(body, more, source, target, length)
        else:
            removed = fold(fold(source) + fold(target))
            body = quoted_transport(body, proto, removed, fold(client) + fold(server))
    total = min(length + 20, 65535)  # INN-05
    word = offset | more << 13
    if not has_fragment and total > 1260:
        word = 0x4000  # INN-10
    proto = ICMP if proto == ICMP6 else proto
    tos = config.traffic_class(be16(quote, 0) >> 4 & 255)
    head = own.header4(tos, total, ident, word, quote[7], proto, client, server)
    return head + body, has_fragment


def walk(quote):
    """INN-13: as T64-10."""
    at, proto, count, end = 40, quote[6], 0, len(quote)
    while proto in (0, 43, 60):
        count += 1
        if at + 8 > end or count > 8 or (proto == 0 and at != 40):
            raise Drop("icmp_quote")
        size = 8 * (quote[at + 1] + 1)
        if at + size > end or (proto == 43 and quote[at + 3]):
            raise Drop("icmp_quote")
        proto, at = quote[at], at + size
    if proto != FRAGMENT:
        return at, proto, (0, 0, 0, False)
    if at + 8 > end:
        raise Drop("icmp_quote")
    word = be16(quote, at + 2)
    proto = quote[at]
    if proto in NOT_BEHIND_FRAGMENT:
        raise Drop("icmp_quote")
    return at + 8, proto, (word >> 3, word & 1, be16(quote, at + 6), True)


def quoted_echo(body, more, source, target, length):
    """INN-02, INN-09, INN-12."""
    if more or not body:
        raise Drop("icmp_quote")
    if body[0] not in (128, 129):
        raise Drop("icmp_nested")
    if len(body) < 4:
        return (b"\x08" if body[0] == 128 else b"\0") + body[1:]
    return echo(body, source, target, length)
