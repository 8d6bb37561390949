#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A second opinion on the golden rows, by Scapy and by the receiver's rules.

Every expected packet must parse, its lengths and checksums must hold, fragments must
reassemble, every drop reason must exist and be reached by some row. With the path of the
requirement matrix as argument: lists the rows of the matrix that no golden row names.
"""
import collections
import json
import logging
import pathlib
import re
import socket
import struct
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, in6_chksum  # noqa: E402
from scapy.utils import checksum as scapy_checksum  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
OUTCOME = HERE / "../../translator/siit/outcome.hpp"
KEYS = {
    "requirement",
    "description",
    "config",
    "direction",
    "in",
    "outcome",
    "reason",
    "out",
    "mask",
}
OPTIONAL = {"offload", "out_offload", "checksum"}
SECTIONS = {*range(0, 17), 18, 19, 20}
FIELD = {6: 16, 17: 6, 33: 6, 136: 6}


def decode(pieces):
    out = b""
    for piece in [pieces] if isinstance(pieces, str) else pieces:
        if isinstance(piece, str):
            out += bytes.fromhex(piece)
        elif "repeat" in piece:
            out += bytes.fromhex(piece["repeat"][0]) * piece["repeat"][1]
        else:
            out += bytes((piece["start"] + i) & 0xFF for i in range(piece["count"]))
    return out


class Whole:
    """The datagram that a row's output packets make."""

    def __init__(self):
        self.data, self.proto, self.src, self.dst, self.complete = b"", None, None, None, True
        self.idents = set()


def parse(data, whole, problems):
    """Adds one output packet to the datagram."""
    if data[0] >> 4 == 4:
        ip = IP(data)
        if ip.len != len(data) or ip.ihl != 5:
            problems.append(f"IPv4 length {ip.len} of {len(data)}, IHL {ip.ihl}")
        if scapy_checksum(data[:20]) != 0:
            problems.append("IPv4 header checksum")
        whole.src, whole.dst, whole.proto = ip.src, ip.dst, ip.proto
        offset, more, payload, ident = ip.frag, bool(ip.flags.MF), data[20:], ip.id
        if (offset or more) and ip.flags.DF:
            problems.append("fragment with DF")
    else:
        ip = IPv6(data)
        if ip.plen + 40 != len(data) or ip.version != 6:
            problems.append(f"IPv6 length {ip.plen} of {len(data)}")
        if ip.fl:
            problems.append("flow label")
        whole.src, whole.dst, whole.proto = ip.src, ip.dst, ip.nh
        offset, more, payload, ident = 0, False, data[40:], None
        if ip.nh == 44:
            fh = IPv6ExtHdrFragment(payload)
            whole.proto, offset, more, ident = fh.nh, fh.offset, bool(fh.m), fh.id
            if fh.id >> 16 or fh.res1 or fh.res2:
                problems.append("fragment header")
            if not offset and not more:
                problems.append("atomic fragment")
            payload = payload[8:]
    if more and len(payload) % 8:
        problems.append("fragment not a multiple of 8")
    if offset * 8 != len(whole.data):
        whole.complete = False
    whole.idents.add(ident)
    whole.data += payload
    return more


def transport_ok(whole, partial):
    data, proto = whole.data, whole.proto
    v6 = ":" in whole.src
    if proto in (1, 58):
        if len(data) < 8:
            return False
        if proto == 1:
            return scapy_checksum(data) == 0
        return in6_chksum(58, IPv6(src=whole.src, dst=whole.dst), data) == 0
    if proto not in FIELD:
        return True
    at = FIELD[proto]
    if len(data) < at + 2:
        return True
    cover = data
    if proto == 136:
        coverage = int.from_bytes(data[4:6], "big")
        cover = data[:coverage] if coverage else data
    family = socket.AF_INET6 if v6 else socket.AF_INET
    addresses = socket.inet_pton(family, whole.src) + socket.inet_pton(family, whole.dst)
    head = addresses + struct.pack("!IHH", len(data), 0, proto)
    if partial:
        field = int.from_bytes(data[at : at + 2], "big")
        return (0xFFFF - scapy_checksum(head) - field) % 0xFFFF == 0
    if proto == 17 and v6 and data[6:8] == b"\0\0":
        return False
    return scapy_checksum(head + cover) == 0


def by_scapy(data, problems):
    """TCP, UDP and ICMPv4 once more, rebuilt by Scapy itself."""
    if data[0] >> 4 == 4:
        packet = IP(data)
        del packet.chksum
    else:
        packet = IPv6(data)
    if not isinstance(packet.payload, (TCP, UDP, ICMP)):
        return
    del packet.payload.chksum
    if (
        isinstance(packet.payload, TCP)
        and data[-len(packet.payload) :][20:] != bytes(packet.payload)[20:]
    ):
        return  # options that Scapy cannot keep
    if bytes(packet) != data:
        problems.append("Scapy builds other bytes")


def payload_of(data):
    """Protocol, fragment offset and transport bytes of a valid input packet."""
    if data[0] >> 4 == 4:
        head = 4 * (data[0] & 15)
        return (
            data[9],
            int.from_bytes(data[6:8], "big") & 0x1FFF,
            data[head : int.from_bytes(data[2:4], "big")],
        )
    proto, at, offset = data[6], 40, 0
    while proto in (0, 43, 44, 60) and not offset:
        if proto == 44:
            offset, size = int.from_bytes(data[at + 2 : at + 4], "big") >> 3, 8
        else:
            size = 8 * (data[at + 1] + 1)
        proto, at = data[at], at + size
    return proto, offset, data[at : 40 + int.from_bytes(data[4:6], "big")]


def same_payload(packet, whole, config, problems):
    """Nothing but the transport checksum changes on the way (ALG-01)."""
    proto, offset, before = payload_of(packet)
    if proto in (1, 58) or "tcp_mss_clamp" in config:
        return
    after = whole.data
    if proto != whole.proto:
        problems.append("another protocol")
    at = FIELD.get(proto)
    if at is not None and not offset:
        before, after = (x[:at] + x[at + 2 :] for x in (before, after))
    if before != after:
        problems.append("another payload")


def quoted(whole, kind, problems):
    """The packet inside of an ICMP error."""
    if whole.data[0] not in ({3, 11, 12} if whole.proto == 1 else {1, 2, 3, 4}):
        return
    inner, data = Whole(), whole.data[8:]
    v6 = data[0] >> 4 == 6
    if v6 != (whole.proto == 58):
        problems.append("quoted version")
    size = 40 + int.from_bytes(data[4:6], "big") if v6 else int.from_bytes(data[2:4], "big")
    lengths = []
    more = parse(data[:size], inner, lengths)
    ignored = ("length", "atomic", "multiple")  # quotes are cut off, and by others
    problems += [f"quoted: {p}" for p in lengths if not any(word in p for word in ignored)]
    if inner.src != whole.dst:
        problems.append("the error does not go to the sender of the quoted packet")
    extended = (
        whole.data[5] if whole.proto == 1 else whole.data[4] if whole.data[0] in (1, 3) else 0
    )
    if not extended and len(data) >= size and inner.complete and not more and kind is None:
        if inner.proto == 17 and inner.data[6:8] == b"\0\0":
            return
        if not transport_ok(inner, False):
            problems.append("quoted transport checksum")


def check_row(row, configs):
    problems = []
    if set(row) - OPTIONAL != KEYS or row["config"] not in configs:
        problems.append("keys or config")
    outs = [decode(p) for p in row["out"]]
    decode(row["in"])
    if len(row["mask"]) != len(outs):
        problems.append("masks")
    for data, mask in zip(outs, row["mask"]):
        for a, b in mask:
            if not 0 <= a < b <= len(data):
                problems.append("mask range")
    if (row["outcome"] == "drop") != (not outs) or (row["outcome"] == "reply" and len(outs) != 1):
        problems.append("number of packets")
    if (
        row["outcome"] == "forward"
        and row["reason"]
        or row["outcome"] == "drop"
        and not row["reason"]
    ):
        problems.append("reason")
    whole, more = Whole(), False
    for data in outs:
        more = parse(data, whole, problems)
    if len(whole.idents) > 1:
        problems.append("identifications differ")
    kind = row.get("checksum")
    first_is_start = whole.complete and outs
    if first_is_start and not more and kind not in ("wrong", "none"):
        if not transport_ok(whole, kind == "partial"):
            problems.append("transport checksum")
        if len(outs) == 1 and kind is None and whole.proto in (1, 6, 17):
            by_scapy(outs[0], problems)
    if outs and row["outcome"] == "forward" and "completed there" not in row["description"]:
        same_payload(decode(row["in"]), whole, configs[row["config"]], problems)
    if len(outs) == 1 and row["outcome"] == "forward" and whole.proto in (1, 58):
        quoted(whole, kind, problems)
    return problems


def main():
    known = re.findall(r"^    X\((\w+),", OUTCOME.read_text(), re.M)
    reached, named, bad, total = collections.Counter(), set(), 0, 0
    for path in sorted(HERE.glob("*.json")):
        book = json.loads(path.read_text())
        seen = set()
        for row in book["rows"]:
            total += 1
            problems = check_row(row, book["configs"])
            reasons = row["reason"] if isinstance(row["reason"], list) else [row["reason"]]
            problems += [f"unknown reason {r}" for r in reasons if r and r not in known]
            reached.update(reasons if len(reasons) == 1 else [])
            named.update(row["requirement"])
            key = json.dumps([row["config"], row["in"], row.get("offload")])
            if key in seen:
                problems.append("the same packet twice")
            seen.add(key)
            if problems:
                bad += 1
                print(f"{path.name}: {row['description']}: {'; '.join(problems)}")
    for reason in known:
        if not reached[reason]:
            bad += 1
            print(f"no row reaches {reason}")
    print(f"{total} rows, {bad} problems")
    for argument in sys.argv[1:]:
        missing(pathlib.Path(argument).read_text(), named)
    return 1 if bad else 0


def missing(text, named):
    section = -1
    for line in text.splitlines():
        if found := re.match(r"## (\d+)\.", line):
            section = int(found[1])
        found = re.match(r"\| ([A-Z][A-Z0-9]*-\d+) \|", line)
        if found and section in SECTIONS and found[1] not in named:
            print(f"no row names {line[:110]}")


if __name__ == "__main__":
    sys.exit(main())
