# SPDX-License-Identifier: BSD-2-Clause
"""Matrix sections 3, 4 and 12: ICMPv4 to ICMPv6."""
import struct

import own
from arith import (
    CHECKSUM_AT,
    FRAGMENT,
    ICMP,
    ICMP6,
    ZERO_IS_NONE,
    Drop,
    be16,
    fold,
    ones,
    put16,
    update,
)
from config import CLASS4, PLATEAUS

# Table 3.1 without code: codes 0..15 of type 3 (None: drop).
UNREACHABLE = {0: 0, 1: 0, 3: 4, 5: 0, 6: 0, 7: 0, 8: 0, 9: 1, 10: 1, 11: 0, 12: 0, 13: 1, 15: 1}
# Table 3.2
POINTER = (0, 1, 4, 4, -1, -1, -1, -1, 7, 6, -1, -1, 8, 8, 8, 8, 24, 24, 24, 24)
V6ONLY = (0, 43, 44, 58, 60, 135, 139, 140)


def echo(message, source, server, length=None):
    """CK-06: the type changes and the pseudo-header comes in, by equation 3."""
    old = be16(message, 0)
    new = (128 if message[0] == 8 else 129) << 8 | message[1]
    length = len(message) if length is None else length
    value = update(be16(message, 2), old, new + fold(source) + fold(server) + length + ICMP6)
    return struct.pack("!HH", new, value) + message[4:]


def error(config, view, message, server):
    """The IPv6 source and the ICMPv6 message."""
    kind, code = message[0], message[1]
    target = target_of(kind, code)
    if ones(message) != 65535:
        raise Drop("icmp_checksum")  # I46-03
    if target == (4, 0, 0):
        pointer = message[4]
        if pointer >= 20 or POINTER[pointer] < 0:
            raise Drop("icmp_pointer")
        target = (4, 0, POINTER[pointer])
    quote, extension = parts(message)
    if len(quote) < 20:
        raise Drop("icmp_malformed")  # I46-04
    quoted_total = be16(quote, 2)
    inner_target = int.from_bytes(quote[16:20], "big")
    new_quote = translate_quote(config, quote, view.target, server, bool(extension))
    source = config.embed(view.source)
    if view.source != inner_target:
        found = config.to6(view.source)  # HP-03
        source = source if found is None else found
    kind, code, word = target
    if kind == 2:
        word = mtu(config, be16(message, 6), quoted_total)
    limit = min(1280, config.mtu6) - 48  # INN-14, F46-18
    if extension and kind in (1, 3):  # X84-01, X84-06
        field = max(128, (len(new_quote) + 7) // 8 * 8)  # X84-03
        if field + len(extension) > limit:
            field = (limit - len(extension)) // 8 * 8  # X84-04
        if field >= 128:
            new_quote = new_quote[:field].ljust(field, b"\0") + extension
            word = field // 8 << 24
    return source, own.message6(kind, code, word, new_quote[:limit], source, server)


def target_of(kind, code):
    """Table 3.1: type, code and second word, where it is known yet."""
    if kind == 3:
        if code == 4:
            return 2, 0, 0
        if code == 2:
            return 4, 1, 6  # I46-08
        new = UNREACHABLE.get(code)
        if new is not None:
            return 1, new, 0
    if kind == 11:
        return 3, code, 0
    if kind == 12 and code in (0, 2):
        return 4, 0, 0
    raise Drop("icmp_type")


def parts(message):
    """X84-01, X84-07, X84-08: the quoted packet (padded when there is an extension) and the
    extension."""
    rest, size = message[8:], message[5] * 4
    if size > len(rest):
        raise Drop("icmp_extension")
    return (rest[:size], rest[size:]) if size else (rest, b"")


def mtu(config, value, quoted_total):
    """I46-05..I46-07."""
    if value == 0:
        value = next((p for p in PLATEAUS if 1280 <= p < quoted_total), 0)
    return max(1280, min(value + 20, config.mtu6, config.mtu4 + 20))


def translate_quote(config, quote, outer_target, server, has_extension):
    """Section 4: the quoted packet as the server had sent it."""
    header, total = (quote[0] & 15) * 4, be16(quote, 2)
    if quote[0] >> 4 != 4 or header < 20:
        raise Drop("icmp_quote")
    if len(quote) < header:
        raise Drop("icmp_malformed")
    if total < header:
        raise Drop("icmp_quote")
    if has_extension:
        quote = quote[:total]  # X84-02: the rest is padding
    source, target = struct.unpack_from("!II", quote, 12)
    if source != outer_target:
        raise Drop("icmp_mismatch")  # I46-11
    proto = quote[9]
    word = be16(quote, 6)
    offset, more = word & 0x1FFF, word >> 13 & 1
    if CLASS4(target) == "H":
        raise Drop("icmp_quote")  # SPA-01
    new_target = config.embed(target)  # HP-02
    body = quote[header:]
    if proto == 2 or proto in V6ONLY:
        raise Drop("icmp_quote")
    if not offset:
        if proto == ICMP:
            body = quoted_echo(body, more, server, new_target, total - header)
        else:
            body = quoted_transport(
                body, proto, fold(source + target), fold(server) + fold(new_target)
            )
    proto = ICMP6 if proto == ICMP else proto
    length = total - header
    if more or offset:
        ident = be16(quote, 4)
        body = struct.pack("!BBHI", proto, 0, offset << 3 | more, ident) + body  # INN-12
        proto, length = FRAGMENT, length + 8
    tc = config.traffic_class(quote[1])
    return own.header6(tc, length, proto, quote[8], server, new_target) + body


def quoted_transport(body, proto, removed, added):
    """INN-07, INN-08."""
    field = CHECKSUM_AT.get(proto)
    if field is None or len(body) < field + 2:
        return body
    value = be16(body, field)
    if proto == 17 and value == 0:
        return body
    value = update(value, removed, added)
    if value == 0 and proto in ZERO_IS_NONE:
        value = 65535
    return put16(body, field, value)


def quoted_echo(body, more, source, target, length):
    """INN-02, INN-09, INN-12."""
    if more or not body:
        raise Drop("icmp_quote")
    if body[0] not in (0, 8):
        raise Drop("icmp_nested")
    if len(body) < 4:
        return (b"\x80" if body[0] else b"\x81") + body[1:]
    return echo(body, source, target, length)
