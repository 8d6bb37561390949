# SPDX-License-Identifier: BSD-2-Clause
"""The inputs of the golden rows as seeds for mutation: most of their addresses are those of
cast.py."""
import json
import pathlib

from cast import TEXTS

GOLDEN = pathlib.Path(__file__).resolve().parent / "../golden"
FIELDS = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset")


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


def golden_cases():
    """Each input under the default configuration and under another one."""
    cases = []
    for path in sorted(GOLDEN.glob("*.json")):
        for row in json.loads(path.read_text())["rows"]:
            header = row.get("offload", {})
            offload = tuple(header.get(name, 0) for name in FIELDS)
            packet = decode(row["in"])
            if len(packet) < 10000:
                cases.append((0, offload, packet))
                cases.append((len(cases) % len(TEXTS), offload, packet))
    return cases
