# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 0.1: IPv4 to IPv6."""
import struct

import own
from arith import (
    CHECKSUM_AT,
    CHECKSUM_NEEDS,
    FRAGMENT,
    GSO_UDP,
    ICMP,
    ICMP6,
    NO_OFFLOAD,
    NOTHING,
    TCP,
    UDP,
    Drop,
    Out,
    Reject,
    Result,
    be16,
    fold,
    ones,
    put16,
)
from config import CLASS4
from icmp4to6 import echo, error
from mss import clamp
from offload import complete, moved, on_wire, prepare, updated

IPV6_ONLY = (0, 43, 44, 58, 60, 135, 139, 140)  # T46-19


class View4:
    """A valid IPv4 packet, taken apart."""

    __slots__ = (
        "packet",
        "offload",
        "header",
        "proto",
        "source",
        "target",
        "ttl",
        "tos",
        "ident",
        "df",
        "more",
        "offset",
        "route",
        "transport",
    )

    def __init__(self, raw, offload):
        """T46-15..T46-18."""
        length = len(raw)
        if length < 20 or raw[0] >> 4 != 4:
            raise Drop("malformed4")
        header, total = (raw[0] & 15) * 4, be16(raw, 2)
        if header < 20 or total < header or total > length:
            raise Drop("malformed4")
        if ones(raw[:header]) != 65535:
            raise Drop("malformed4")
        self.packet = packet = raw if total == length else raw[:total]
        self.offload, self.transport = offload, None
        self.header = header
        self.tos, self.ttl, self.proto = packet[1], packet[8], packet[9]
        self.ident = be16(packet, 4)
        word = be16(packet, 6)
        self.df, self.more, self.offset = word & 0x4000, word & 0x2000, word & 0x1FFF
        self.source = int.from_bytes(packet[12:16], "big")
        self.target = int.from_bytes(packet[16:20], "big")
        self.route = header > 20 and has_source_route(packet[20:header])

    def is_fragment(self):
        return bool(self.more or self.offset)

    def prepare(self):
        self.packet, self.transport = prepare(
            self.packet, self.offload, self.header, self.proto, self.is_fragment(), 4
        )

    def wire(self):
        """The packet as an error quotes it."""
        return on_wire(self, self.header, self.is_fragment(), 4)


def has_source_route(options):
    """T46-13..T46-15: an unexpired source route?"""
    at, end, found = 0, len(options), False
    while at < end:
        kind = options[at]
        if kind == 0:
            break
        if kind == 1:
            at += 1
            continue
        if at + 1 >= end or options[at + 1] < 2 or at + options[at + 1] > end:
            raise Drop("malformed4")
        size = options[at + 1]
        if kind in (131, 137):
            if size < 3:
                raise Drop("malformed4")
            found = found or options[at + 2] <= size
        at += size
    return found


def translate(config, raw, offload):
    view = View4(raw, offload)
    try:
        return first_pass(config, view)
    except Reject as reject:
        return own.error4(config, view, reject)


def first_pass(config, view):
    source, target, proto = view.source, view.target, view.proto
    if CLASS4(source) == "H" or CLASS4(target) == "H":
        raise Drop("martian4")
    if proto == 2:
        raise Drop("igmp")
    if proto in IPV6_ONLY:
        raise Drop("v6only_proto")
    server = config.to6(target)
    if server is None and target != config.own4:
        if config.unmapped == "drop":
            raise Drop("no_mapping")
        raise Reject("no_mapping", 3, 1 if config.unmapped == "reject_host" else 13)
    if config.denies4(source) and (config.is_well_known or not own.may_be_error4(view)):
        raise Drop("policy4")  # T46-12; A52-06 knows no exception
    if config.spoof and config.to6(source) is not None:
        raise Drop("spoof")  # SEC-04
    if target == config.own4:
        return answer(config, view)
    if view.ttl <= 1:
        raise Reject("hop_limit", 11, 0)
    if view.route:
        raise Reject("source_route", 3, 5)
    return second_half(config, view, server, None)


def answer(config, view):
    """T46-24."""
    message = view.packet[view.header :]
    if view.proto != ICMP or view.is_fragment() or len(message) < 8 or message[0] != 8:
        raise Drop("own_address")
    view.prepare()
    message = view.packet[view.header :]
    if ones(message) != 65535:
        raise Drop("icmp_checksum")
    return own.echo4(config, view)


def second_half(config, view, server, turned):
    """From step 8 on. `turned`: the IPv6 packet that hairpinning has made this one of (HP-05)."""
    source = config.embed(view.source)  # HP-01
    proto = view.proto
    if not turned:
        view.prepare()
    if proto == ICMP:
        if view.is_fragment():
            raise Drop("frag_icmp")  # F46-12
        message = view.packet[view.header :]
        if len(message) < 8:
            raise Drop("icmp_malformed")  # I46-04
        if message[0] in (0, 8):
            body = echo(message, source, server)
        else:
            source, body = error(config, view, message, server)
            return emit_error(config, view, source, server, body, turned)
    else:
        body = transport(config, view, source, server, turned)
    return emit(config, view, source, server, body, turned)


def transport(config, view, source, server, turned):
    """Steps 9 and 10: the translated transport part."""
    packet, at, proto, t = view.packet, view.header, view.proto, view.transport
    body = packet[at:]
    if view.more and len(body) % 8 or view.offset * 8 + len(body) > 65515:
        raise Drop("bad_fragment")  # F46-15
    if view.offset:
        if proto == TCP and view.offset == 1:
            raise Drop("tiny_fragment")  # F46-14
        return body  # L4-11
    field = CHECKSUM_AT.get(proto)
    if field is None:
        return body  # L4-10
    if len(body) < CHECKSUM_NEEDS[proto]:
        raise Drop("tiny_fragment")  # of whole packets, too
    value = be16(body, field)
    if proto == UDP and value == 0 and not t.partial:
        return zero_checksum(config, view, body, source, server, turned)
    removed = fold(view.source + view.target)
    added = fold(source) + fold(server)
    if proto == TCP and config.clamp is not None:
        body = clamp(config, body, t.partial)
        value = be16(body, field)
    return put16(body, field, updated(value, removed, added, t))


def zero_checksum(config, view, body, source, server, turned):
    """L4-02, L4-04, L4-05."""
    if view.more:
        raise Drop("udp_zero_checksum")
    if config.zero_is_dropped:
        # HP-07: what goes wrong on the way back is told to the IPv6 sender.
        raise Reject("udp_zero_checksum", *((1, 1) if turned else (3, 13)))
    length = be16(body, 4)
    if length < 8 or length > len(body):
        raise Drop("udp_length")
    total = fold(source) + fold(server) + length + UDP + ones(body[:length])
    return put16(body, 6, 65535 - fold(total) or 65535)


def emit(config, view, source, server, body, turned):
    """Steps 11 and 12."""
    t = view.transport
    fragment = view.is_fragment()
    proto = ICMP6 if view.proto == ICMP else view.proto
    tc = config.traffic_class(view.tos)
    hops = view.ttl if turned else view.ttl - 1
    extra = 8 if fragment else 0
    size = 40 + extra + len(body)  # L6
    if t.gso:
        size = 40 + t.head + t.size  # GSO-07
    if turned:
        if size > config.mtu6:
            raise Reject("too_big", 2, 0, config.mtu6)  # HP-07
    elif view.df and size > config.mtu6:
        raise Reject("too_big", 3, 4, config.mtu6 - 20 - extra)  # F46-06, F46-07
    elif not view.df and size > config.limit6:
        if t.gso == GSO_UDP:
            raise must_segment(t, body)
        if t.gso:
            t.size = config.limit6 - 40 - t.head  # GSO-07
        else:
            return split(config, view, source, server, body, tc, hops, proto)
    if fragment:
        word = view.offset << 3 | (1 if view.more else 0)
        body = struct.pack("!BBHI", proto, 0, word, view.ident) + body  # F46-03
        proto = FRAGMENT
    head = own.header6(tc, len(body), proto, hops, source, server)
    return Result("forward", None, [Out(head + body, moved(t, 40), NOTHING)])


class MustSegment(Exception):
    """UDP super-packets whose datagrams have to be fragmented one by one."""


def must_segment(transport, body):
    if len(body) == transport.head:
        return Drop("bad_offload")  # nothing to cut
    return MustSegment()


def cut(body, room):
    """F46-04, F46-17: (offset, piece) with as few pieces as possible; all but the last hold a
    multiple of 8 bytes."""
    at, step = 0, room // 8 * 8
    while len(body) - at > room:
        yield at, body[at : at + step]
        at += step
    yield at, body[at:]


def split(config, view, source, server, body, tc, hops, proto):
    """F46-04, F46-09..F46-11."""
    t = view.transport
    if t.partial:
        body = complete(body, 0, CHECKSUM_AT[t.proto])
    out = []
    for at, piece in cut(body, config.limit6 - 48):
        more = at + len(piece) < len(body) or view.more
        word = (view.offset + at // 8) << 3 | (1 if more else 0)
        data = struct.pack("!BBHI", proto, 0, word, view.ident) + piece
        head = own.header6(tc, len(data), FRAGMENT, hops, source, server)
        out.append(Out(head + data, NO_OFFLOAD, NOTHING))
    return Result("forward", None, out)


def emit_error(config, view, source, server, body, turned):
    tc = config.traffic_class(view.tos)
    hops = view.ttl if turned else view.ttl - 1
    head = own.header6(tc, len(body), ICMP6, hops, source, server)
    return Result("forward", None, [Out(head + body, NO_OFFLOAD, NOTHING)])
