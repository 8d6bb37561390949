# SPDX-License-Identifier: BSD-2-Clause
"""The cast of addresses, the configurations, and the book that rows are written into."""
import ipaddress
import json

from packets import cut, icmp, ident_free, mask_of, v4, v6

PREFIX = "2001:db8:64::/96"


def embed(ipv4, prefix=PREFIX):
    net = ipaddress.IPv6Network(prefix)
    return str(net.network_address + int(ipaddress.IPv4Address(ipv4)))


S4, S6 = "192.0.2.1", "2001:db8:1::10"  # server, a pair
T4, T6 = "192.0.2.2", "2001:db8:2::20"  # another server
C4 = "198.51.100.7"  # client
C6 = embed(C4)
D4 = "198.51.100.77"  # another client
D6 = embed(D4)
R4 = "203.0.113.9"  # IPv4 router
R6C = embed(R4)
R6 = "2001:db8:ff::1"  # IPv6 router without a pair
OWN4, OWN6 = "203.0.113.1", "2001:db8:ffff::1"
POOL4 = "203.0.113.65"
UNMAPPED4 = "192.0.2.99"
UNMAPPED6 = "2001:db8:9::9"

DEFAULT = {
    "prefix": PREFIX,
    "pairs": [[S4, S6], [T4, T6]],
    "own4": OWN4,
    "own6": OWN6,
    "pool4": [POOL4],
    "profile": "any",
    "append_original_source": False,  # rows_original_source.py is about it
}
CONFIGS = {"default": DEFAULT}


def config(name, **changes):
    CONFIGS[name] = {**DEFAULT, **changes}
    return name


def encode(data):
    """Hex, with long runs of equal or counting bytes as pieces."""
    data, pieces, start, i = bytes(data), [], 0, 0
    while i < len(data):
        for step in (0, 1):
            end = i + 1
            while end < len(data) and data[end] == (data[end - 1] + step) & 0xFF:
                end += 1
            if end - i >= 24:
                if start < i:
                    pieces.append(data[start:i].hex())
                piece = (
                    {"count": end - i, "start": data[i]}
                    if step
                    else {"repeat": [f"{data[i]:02x}", end - i]}
                )
                pieces.append(piece)
                start = i = end
                break
        else:
            i += 1
    if start < len(data):
        pieces.append(data[start:].hex())
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], str) else pieces


class Book:
    def __init__(self, name):
        self.name = name
        self.rows = []

    def _add(self, requirement, description, packet, outcome, reason, out, config_name, extra):
        direction = extra.pop("direction", "4to6" if packet[:1] and packet[0] >> 4 == 4 else "6to4")
        row = {
            "requirement": requirement.split(),
            "description": description,
            "config": config_name,
            "direction": direction,
            "in": encode(packet),
            "outcome": outcome,
            "reason": reason,
            "out": [encode(p) for p in out],
            "mask": [sorted(mask_of(p)) for p in out],
        }
        row.update({k: v for k, v in extra.items() if v is not None})
        self.rows.append(row)

    def forward(self, requirement, description, packet, *out, config="default", **extra):
        self._add(requirement, description, packet, "forward", None, out, config, extra)

    def drop(self, requirement, description, packet, reason, config="default", **extra):
        self._add(requirement, description, packet, "drop", reason, [], config, extra)

    def reply(self, requirement, description, packet, reason, answer, config="default", **extra):
        self._add(requirement, description, packet, "reply", reason, [answer], config, extra)

    def text(self):
        used = sorted({row["config"] for row in self.rows})
        lines = ['{"configs": {']
        lines += [
            f' {json.dumps(c)}: {json.dumps(CONFIGS[c])}{"," if c != used[-1] else ""}'
            for c in used
        ]
        lines.append('}, "rows": [')
        lines += [
            json.dumps(row, separators=(",", ":")) + ("," if row is not self.rows[-1] else "")
            for row in self.rows
        ]
        return "\n".join(lines) + "\n]}\n"


def up(segment, src=C4, dst=S4, to=S6, prefix=PREFIX, ttl=64, tos=0, tc=None, **fields):
    """An IPv4 packet and the whole IPv6 packet without Fragment header that it becomes."""
    hlim = ttl - 1
    before = v4(src, dst, segment, ttl=ttl, tos=tos, **fields)
    partial = fields.get("partial", False)
    return before, v6(
        embed(src, prefix), to, segment, hlim=hlim, tc=tos if tc is None else tc, partial=partial
    )


def down(
    segment, src=S6, dst=C4, was=S4, prefix=PREFIX, hlim=64, tc=0, tos=None, flow=0, partial=False
):
    """An IPv6 packet and the whole IPv4 packet that it becomes."""
    before = v6(src, embed(dst, prefix), segment, hlim=hlim, tc=tc, flow=flow, partial=partial)
    return before, ident_free(
        was, dst, segment, ttl=hlim - 1, tos=tc if tos is None else tos, partial=partial
    )


def own_error4(kind, code, word, about, to=C4, src=OWN4):
    """G4-04..07, G4-11: at most 576 bytes, the packet quoted as received."""
    message = icmp(src, to, kind, code, word, bytes(about)[:548])
    return v4(src, to, message, 1, ttl=64, tos=0xC0, ident=None)


def own_error6(kind, code, word, about, to=S6, src=OWN6):
    """G6-05, G6-06, G6-09: at most 1280 bytes."""
    message = icmp(src, to, kind, code, word, bytes(about)[:1232])
    return v6(src, to, message, 58, hlim=64)


def error4(kind, code, word, quote, src=R4, dst=S4, ttl=64, tos=0, **fields):
    """An ICMPv4 error that comes in."""
    return v4(src, dst, icmp(src, dst, kind, code, word, quote), 1, ttl=ttl, tos=tos, **fields)


def error6(kind, code, word, quote, src=R6, dst=C6, hlim=64, tc=0, **fields):
    return v6(src, dst, icmp(src, dst, kind, code, word, quote), 58, hlim=hlim, tc=tc, **fields)


def out_error6(kind, code, word, quote, src=R6C, dst=S6, hlim=63, tc=0):
    """A translated ICMPv4 error, cut to 1280 bytes (INN-14)."""
    return error6(kind, code, word, cut(quote, 1232), src, dst, hlim, tc)


def out_error4(kind, code, word, quote, src=POOL4, dst=C4, ttl=63, tos=0, size=576):
    """A translated ICMPv6 error, cut to 576 bytes (INN-14); DF by T64-06."""
    quote = cut(quote, size - 28)
    return v4(
        src,
        dst,
        icmp(src, dst, kind, code, word, quote),
        1,
        ttl=ttl,
        tos=tos,
        ident=None,
        df=len(quote) + 28 > 1260,
    )


def quote46(segment, src4=S4, src6=S6, client=C4, ttl=60, tos=0, prefix=PREFIX, **fields):
    """The packet in error as the IPv4 router saw it, and as the server has sent it."""
    before = v4(src4, client, segment, ttl=ttl, tos=tos, **fields)
    return before, v6(src6, embed(client, prefix), segment, hlim=ttl, tc=tos)


def quote64(segment, client=C4, dst4=S4, dst6=S6, hlim=60, tc=0, prefix=PREFIX):
    """The packet in error as the IPv6 router saw it, and as the client has sent it."""
    before = v6(embed(client, prefix), dst6, segment, hlim=hlim, tc=tc)
    after = ident_free(client, dst4, segment, ttl=hlim, tos=tc)
    return before, after
