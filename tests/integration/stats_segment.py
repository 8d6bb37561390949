# SPDX-License-Identifier: BSD-2-Clause
"""The statistics segment, read as translator/stats/segment.hpp draws it, without its code."""

import ipaddress
import json
import os
import struct

HEADER = struct.Struct("=8sII IIIIQ 12I 11Q QqqII64sQ")
LIFE = struct.Struct("=IIQQQQQQQQQQ")
PAIR = struct.Struct("=QQQQ")
DROP = struct.Struct("=QQ16s16sIHHBBBBB3x")
RECORDS = 255
MAPPING = struct.Struct("=16s4sBBHIII")
STATES = ("preparing", "current", "superseded", "stopped")


class StatsSegment:
    """One look at the file."""

    def __init__(self, path):
        self.mode = os.stat(path).st_mode & 0o777
        with open(path, "rb") as file:
            self.data = file.read()
        (magic, byte_order, version, self.workers, self.slots, self.fastpath_slots, mappings,
         text_bytes, *rest) = HEADER.unpack_from(self.data)
        self.sizes, offsets, rest = rest[:12], rest[12:23], rest[23:]
        if (magic, byte_order, version) != (b"X646ST\r\n", 0x01020304, 1):
            raise ValueError("no segment of this version")
        (life, report, self.fastpath, self.blocks, self.pairs, self.stride, self.fastpath_pairs, drops,
         table, text, size) = offsets
        self.generation, self.started, self.created, self.pid, _, digest, _ = rest
        self.digest = digest.decode()
        if len(self.data) != size:
            raise ValueError(f"{len(self.data)} bytes instead of {size}")
        names = self.data[text:text + text_bytes]

        def word(offset):
            return names[offset:names.index(b"\0", offset)].decode()

        self.mappings = {}
        for i in range(mappings):
            ipv6, ipv4, length6, length4, _, slot, name, tenant = MAPPING.unpack_from(
                self.data, table + i * MAPPING.size)
            key = f"{ipaddress.IPv4Address(ipv4)}/{length4}"
            self.mappings[key] = (f"{ipaddress.IPv6Address(ipv6)}/{length6}", slot, word(name),
                                  word(tenant))
        state, ready, self.beat_ms, *life = LIFE.unpack_from(self.data, life)
        self.state, self.ready = STATES[state], bool(ready)
        self.life = dict(zip(("last_reload", "is_last_reload_failed", "reloads", "failed_reloads",
                              "restarts", "sent", "answered", "failed", "excused"), life))

        turn, length = struct.unpack_from("=QQ", self.data, report)
        self.report = None  # being written
        if turn % 2 == 0 and length:
            self.report = json.loads(self.data[report + 16:report + 16 + length])

        written, = struct.unpack_from("=Q", self.data, drops)
        self.drops = []
        for entry in range(max(0, written - RECORDS) + 1, written + 1):
            number, *drop = DROP.unpack_from(self.data, drops + 64 * (1 + (entry - 1) % RECORDS))
            if number == entry:  # else it is being written
                self.drops.append(drop)

    def pair(self, ipv4):
        """[packets and bytes 4 to 6, packets and bytes 6 to 4]"""
        slot = self.mappings[ipv4 if "/" in ipv4 else f"{ipv4}/32"][1]
        arrays = [self.pairs + i * self.stride for i in range(self.workers + 1)]
        if self.fastpath_slots:
            arrays.append(self.fastpath_pairs)
        each = [PAIR.unpack_from(self.data, array + slot * PAIR.size) for array in arrays]
        return [sum(column) for column in zip(*each)]

    def counter(self, offset, data=None):
        """Over all blocks: the number at `offset` in WorkerCounters. `data`: of now."""
        return sum(struct.unpack_from("=Q", data or self.data, self.blocks + i * self.sizes[4] + offset)[0]
                   for i in range(self.workers + 2))
