# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 0.2: IPv6 to IPv4."""
import own
import v4tov6
from arith import (
    CHECKSUM_AT,
    CHECKSUM_NEEDS,
    FRAGMENT,
    GSO_UDP,
    ICMP,
    ICMP6,
    IDENT,
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
from config import CLASS4, CLASS6
from icmp6to4 import echo, error
from mss import clamp
from offload import complete, moved, on_wire, prepare, updated
from v4tov6 import View4, cut, must_segment

SKIPPED = (0, 43, 60)
NOT_BEHIND_FRAGMENT = (0, 43, 44, 51, 60, 135, 139, 140)  # F64-02
IPV4_ONLY = (1, 2)  # T64-16
IPV6_ONLY = (135, 139, 140)  # T64-19


class View6:
    __slots__ = (
        "packet",
        "offload",
        "start",
        "proto",
        "source",
        "target",
        "hops",
        "tc",
        "has_fragment",
        "ident",
        "more",
        "offset",
        "transport",
    )

    def __init__(self, raw, offload):
        """T64-13, T64-14."""
        length = len(raw)
        if length < 40 or raw[0] >> 4 != 6:
            raise Drop("malformed6")
        payload = be16(raw, 4)
        if 40 + payload > length:
            raise Drop("malformed6")
        self.packet = raw if 40 + payload == length else raw[: 40 + payload]
        self.offload, self.transport = offload, None
        self.tc = (be16(raw, 0) >> 4) & 255
        self.proto, self.hops = raw[6], raw[7]
        self.source = int.from_bytes(raw[8:24], "big")
        self.target = int.from_bytes(raw[24:40], "big")
        self.start, self.has_fragment = 40, False
        self.ident, self.more, self.offset = 0, 0, 0

    def is_fragment(self):
        return bool(self.more or self.offset)  # F64-03: an atomic one is complete

    def look_behind(self):
        """Is it ICMPv6 that hides behind the headers (G6-01)?"""
        packet = self.packet
        if self.offset:
            return
        while self.proto in SKIPPED and self.start + 8 <= len(packet):
            size = 8 * (packet[self.start + 1] + 1)
            if self.start + size > len(packet):
                return
            self.proto, self.start = packet[self.start], self.start + size

    def is_impossible(self):
        """F64-09."""
        size = len(self.packet) - self.start
        return self.more and size % 8 or self.offset * 8 + size > 65515

    def prepare(self):
        if self.has_fragment and self.offload[1]:
            raise Drop("bad_offload")  # GSO-11, atomic ones too
        self.packet, self.transport = prepare(
            self.packet, self.offload, self.start, self.proto, self.is_fragment(), 6
        )

    def wire(self):
        if self.has_fragment and self.offload[1]:
            return None
        return on_wire(self, self.start, self.is_fragment(), 6)

    def walk(self):
        """T64-10..T64-13, F64-02, F64-09."""
        packet, at, proto, count, left = self.packet, 40, self.packet[6], 0, 0
        end = len(packet)
        if end == 40 and proto != 59:
            raise Drop("jumbogram")  # T64-13
        while proto in SKIPPED or proto == FRAGMENT:
            if proto == 0 and at != 40:
                raise Drop("malformed6")
            if at + 8 > end:
                raise Drop("malformed6")
            if proto == FRAGMENT:
                self.fragment(packet, at, left)
                break
            count += 1
            size = 8 * (packet[at + 1] + 1)
            if count > 8 or at + size > end:
                raise Drop("malformed6")
            if proto == 43 and packet[at + 3]:
                left = left or at + 3
            proto, at = packet[at], at + size
        else:
            self.start, self.proto = at, proto
        if left:
            raise Reject("routing_header", 4, 0, left)  # T64-11

    def fragment(self, packet, at, left):
        word = be16(packet, at + 2)
        self.has_fragment, self.offset, self.more = True, word >> 3, word & 1
        self.ident = int.from_bytes(packet[at + 4 : at + 8], "big")
        self.start, self.proto = at + 8, packet[at]
        if self.proto in NOT_BEHIND_FRAGMENT and left:
            self.look_behind()
        elif self.proto in NOT_BEHIND_FRAGMENT:
            if self.proto == FRAGMENT:
                raise Drop("bad_fragment")  # F64-09
            if self.offset:
                raise Drop("frag_extension")
            self.look_behind()
            raise Reject("frag_extension", 1, 1)


def translate(config, raw, offload):
    view = View6(raw, offload)
    try:
        return first_pass(config, view)
    except Reject as reject:
        return own.error6(config, view, reject)


def first_pass(config, view):
    source, target = view.source, view.target
    if CLASS6(source) == "H" or CLASS6(target) == "H":
        raise Drop("martian6")
    is_own = target in (config.own6, config.embed(config.own4))  # T46-24
    if not is_own:
        if not config.is_embedded(target):
            raise Drop("not_for_us")
        client = target & 0xFFFFFFFF
        if CLASS4(client) == "H":
            raise Drop("martian4")
        is_pair = config.to6(client) is not None
        if not is_pair and config.denies4(client):
            raise Drop("policy4")
    view.walk()
    if is_own:
        return answer(config, view)
    server = source4(config, view)
    if server == client and config.to4(view.source) is not None:
        raise Drop("same_host")  # T64-24
    if view.hops <= 1:
        raise Reject("hop_limit", 3, 0)
    if view.proto in IPV4_ONLY:
        raise Drop("v4only_proto")
    if view.proto in IPV6_ONLY:
        raise Drop("v6only_proto")
    view.prepare()
    # Step 10, as far as the payload has no say in it.
    if client == config.pool4:
        raise Reject("no_mapping", 1, 1)  # ours, but no pair
    if is_pair and not config.hairpin:
        raise Drop("hairpin")
    if view.proto == ICMP6 and view.is_fragment():
        raise Drop("frag_icmp")  # F64-05
    body = payload(config, view, server, client)
    if is_pair:
        return turn(config, view, server, client, body)
    return emit(config, view, server, client, body)


def source4(config, view):
    """Step 5."""
    server = config.to4(view.source)
    if server is not None:
        return server
    if config.is_embedded(view.source):
        raise Drop("spoof")  # T64-21
    if own.may_be_error6(view):  # types above 4 fall at table 7.1
        if config.denies_router6(view.source):
            raise Drop("policy6")
        return config.pool4  # S91-01
    raise Reject("no_mapping", 1, 1)  # T64-22


def answer(config, view):
    """T46-24."""
    message = view.packet[view.start :]
    if view.proto != ICMP6 or view.is_fragment() or len(message) < 8 or message[0] != 128:
        raise Drop("own_address")
    view.prepare()
    message = view.packet[view.start :]
    total = fold(view.source) + fold(view.target) + len(message) + ICMP6 + ones(message)
    if fold(total) != 65535:
        raise Drop("icmp_checksum")
    return own.echo6(config, view)


def payload(config, view, server, client):
    """Steps 7 and 9: the translated transport part."""
    packet, proto, t = view.packet, view.proto, view.transport
    body = packet[view.start :]
    if proto == ICMP6:
        if len(body) < 8:
            raise Drop("icmp_malformed")
        if body[0] in (128, 129):
            done = echo(body, view.source, view.target)
            # CK-04: the checksum of zeros is 65535, which equation 3 cannot tell from 0.
            return done if any(done) else put16(done, 2, 65535)
        return error(config, view, body, client)
    if view.has_fragment and view.is_impossible():
        raise Drop("bad_fragment")
    if view.offset:
        if proto == TCP and view.offset == 1:
            raise Drop("tiny_fragment")
        return body
    field = CHECKSUM_AT.get(proto)
    if field is None:
        return body
    if len(body) < CHECKSUM_NEEDS[proto]:
        raise Drop("tiny_fragment")  # F64-10; of whole packets, too
    if proto == TCP and config.clamp is not None:
        body = clamp(config, body, t.partial)
    value = be16(body, field)
    if proto == UDP and value == 0 and not t.partial:
        return body  # L4-06
    removed = fold(view.source) + fold(view.target)
    return put16(body, field, updated(value, fold(removed), fold(server) + fold(client), t))


def emit(config, view, server, client, body):
    t = view.transport
    total = 20 + len(body)
    if total > 65535:
        raise Drop("too_big")  # T64-03, GSO-09
    whole = 20 + t.head + t.size if t.gso else total
    proto = ICMP if view.proto == ICMP6 else view.proto
    if whole > config.mtu4:
        length = len(view.packet)
        if t.gso:
            length = view.start + t.head + t.size
        if length > 1280:  # F64-07, F64-08
            extra = 28 if view.has_fragment else 20
            raise Reject("too_big", 2, 0, max(1280, config.mtu4 + extra))
        if t.gso == GSO_UDP:
            raise must_segment(t, body)
        if t.gso:
            t.size = config.mtu4 - 20 - t.head
        else:
            return split(config, view, server, client, body, proto)
    word = view.offset | (0x2000 if view.more else 0)
    if not view.has_fragment and whole > 1260:
        word = 0x4000  # T64-06
    ident = view.ident & 0xFFFF
    tos = config.traffic_class(view.tc)
    head = own.header4(tos, total, ident, word, view.hops - 1, proto, server, client)
    return Result(
        "forward", None, [Out(head + body, moved(t, 20), NOTHING if view.has_fragment else IDENT)]
    )


def split(config, view, server, client, body, proto):
    """F64-06."""
    t = view.transport
    if t.partial:
        body = complete(body, 0, CHECKSUM_AT[t.proto])
    tos = config.traffic_class(view.tc)
    out = []
    for at, piece in cut(body, config.mtu4 - 20):
        more = at + len(piece) < len(body) or view.more
        word = view.offset + at // 8 | (0x2000 if more else 0)
        head = own.header4(
            tos, 20 + len(piece), view.ident & 0xFFFF, word, view.hops - 1, proto, server, client
        )
        out.append(Out(head + piece, NO_OFFLOAD, NOTHING if view.has_fragment else IDENT))
    return Result("forward", None, out)


def turn(config, view, server, client, body):
    """HP-05..HP-08: the IPv4 packet that nobody sees becomes IPv6 again."""
    proto = ICMP if view.proto == ICMP6 else view.proto
    total = 20 + len(body)
    if total > 65535:
        raise Drop("too_big")
    middle = View4.__new__(View4)
    middle.packet = own.header4(0, total, 0, 0, view.hops - 1, proto, server, client) + body
    middle.offload, middle.transport = NO_OFFLOAD, view.transport
    middle.header, middle.proto, middle.tos, middle.ttl = 20, proto, view.tc, view.hops - 1
    middle.source, middle.target, middle.route = server, client, False
    middle.ident, middle.df = view.ident & 0xFFFF, False
    middle.more, middle.offset = view.more, view.offset
    return v4tov6.second_half(config, middle, config.to6(client), middle)
