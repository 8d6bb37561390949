#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the seeds of the packet fuzz targets from the golden rows: tests/fuzz/corpus/packet_*/.

One short row for each kind of outcome and each requirement, until there are MOST of them.
--check: exit 1 if the directories differ from what would be written.
"""
import hashlib
import json
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"
MOST = 150
LONGEST = 1600

# The configuration of packet_variants.cpp that is nearest to a golden one; all others: 0.
VARIANTS = {"mtu4_576": 1, "mtu6_1280": 1, "udp_drop": 1, "internet": 2, "well_known": 3,
            "tc_46": 4, "mss_1220": 4, "spoof_off": 4, "hairpin_off": 4, "mtu_40000": 5,
            "mtu_9000": 5, "mss_auto": 5, "no_unreachable": 5, "eam": 6}  # fmt: skip
AS_IT_IS = 1  # Repair::leave_header_checksum


def decode(packet):
    if isinstance(packet, str):
        return bytes.fromhex(packet)
    if isinstance(packet, list):
        return b"".join(decode(piece) for piece in packet)
    if "repeat" in packet:
        return bytes.fromhex(packet["repeat"][0]) * packet["repeat"][1]
    return bytes((packet["start"] + i) % 256 for i in range(packet["count"]))


def rows():
    for path in sorted(GOLDEN.glob("*.json")):
        for row in json.loads(path.read_text())["rows"]:
            row["packet"] = decode(row["in"])
            if 0 < len(row["packet"]) <= LONGEST:
                yield row


def offload(row):
    fields = row.get("offload", {})
    names = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset")
    return struct.pack("=BBHHHH", *(fields.get(n, 0) for n in names))


def plain(row):
    variant = VARIANTS.get(row["config"], 0)
    flags = AS_IT_IS if row.get("reason") == "malformed4" else 0
    return bytes([variant, flags]) + row["packet"]


def icmp_error(row):
    """variant, shape, type, code, rest, length attribute, quote; None: no ICMP error."""
    p = row["packet"]
    v4 = p[0] >> 4 == 4
    at = (p[0] & 15) * 4 if v4 else 40
    if len(p) < at + 8 or p[9 if v4 else 6] != (1 if v4 else 58):
        return None
    kind = p[at]
    if kind in (0, 8, 128, 129):
        return None
    attribute = p[at + 5] if v4 else p[at + 4]
    shape = 0 if v4 else 1
    header = bytes([VARIANTS.get(row["config"], 0), shape, kind, p[at + 1]])
    return header + p[at + 4 : at + 8] + bytes([attribute, 0]) + p[at + 8 :]


def choose(candidates):
    """Short ones first; each must add a requirement or an outcome."""
    chosen, seen = [], set()
    candidates = [(row, data) for row, data in candidates if data is not None]
    candidates.sort(key=lambda c: (len(c[1]), c[1]))
    for needs_new in (True, False):
        for row, data in candidates:
            marks = set(row["requirement"]) | {f"{row['outcome']} {row.get('reason')}"}
            if len(chosen) < MOST and data not in chosen and (marks - seen or not needs_new):
                chosen.append(data)
                seen |= marks
    return chosen


def corpora():
    all_rows = list(rows())
    one_way = {d: [r for r in all_rows if r["direction"] == d] for d in ("4to6", "6to4")}
    offloaded = [r for r in all_rows if r.get("offload")]
    return {
        "packet_v4_to_v6": choose((r, plain(r)) for r in one_way["4to6"] if not r.get("offload")),
        "packet_v6_to_v4": choose((r, plain(r)) for r in one_way["6to4"] if not r.get("offload")),
        "packet_icmp_error": choose((r, icmp_error(r)) for r in all_rows),
        "packet_offload": choose((r, offload(r) + plain(r)) for r in offloaded),
    }


def main():
    check = sys.argv[1:] == ["--check"]
    differs = False
    for name, seeds in corpora().items():
        directory = HERE / "corpus" / name
        directory.mkdir(parents=True, exist_ok=True)
        # Named by content: a new golden row changes few files.
        wanted = {"row_" + hashlib.sha256(s).hexdigest()[:10]: s for s in seeds}
        there = {p.name: p.read_bytes() for p in directory.glob("row_*")}
        if check:
            differs |= wanted != there
            continue
        for old in there.keys() - wanted.keys():
            (directory / old).unlink()
        for file, seed in wanted.items():
            (directory / file).write_bytes(seed)
        print(f"{name}: {len(seeds)} seeds, {sum(map(len, seeds))} bytes")
    if differs:
        print("the corpora differ from the golden rows: run tests/fuzz/make_corpus.py")
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
