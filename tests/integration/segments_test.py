#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel makes of the translator's super-packets, against the model, byte by byte.

The tester's ends of the cables have every offload: super-packets whose headers we choose reach the
TUN in one piece. The gateway's ends have none: its kernel cuts and sums what the translator writes,
and the tester sees the segments one by one. No difference to the model is tolerated; where the
translator makes the IPv4 Identification, the first one is what it has written into the TUN."""

import collections
import random
import secrets
import socket
import struct
import unittest

from golden_rows import Setup
from lab import TUN, WITHOUT_PINGS, Daemon, one_by_one
from live import Bench, Port, age
from segments_model import Expected, in_software
from super_packets import (CONFIG, DIRECTIONS, all_cases, for_small_links, random_case, zero_seeds,
                           zero_sums)

from arith import CHECKSUM_AT, NEEDS_CSUM, NO_OFFLOAD, TCP, UDP, be16
from config import Config
from offload import header_length, with_length

SOL_PACKET, PACKET_VNET_HDR = 263, 15
VNET = struct.Struct("=BBHHHH")
SMALL_LINKS = {**CONFIG, "mtu4": 1000, "mtu6": 1400, "lowest_ipv6_mtu": 1300, "traffic_class": 46}
RANDOM = 600  # packets per seed


class Read(bytes):
    """A packet in the TUN, with its offload header."""
    offload = NO_OFFLOAD


class TunPort(Port):
    def __init__(self, net):
        super().__init__(net, "gw", TUN, False)
        self.socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)

    def read_until(self, is_last):
        for frame, outgoing in super().read_until(lambda f, o: is_last(f[VNET.size:], o)):
            packet = Read(frame[VNET.size:])
            packet.offload = VNET.unpack_from(frame)
            yield packet, outgoing


class SegmentBench(Bench):
    def __init__(self):
        super().__init__()
        self.senders = {}
        for is_v4, dev in ((True, "v4"), (False, "v6")):
            sender = self.socket("t", socket.AF_PACKET, socket.SOCK_RAW)
            sender.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
            with self.inside("t"):
                sender.bind((dev, 0))
            self.senders[is_v4] = sender

    def offloads(self, role, *settings):
        for dev in ("v4", "v6"):
            self.ethtool(role, dev, *settings)

    def attach(self, own4, own6):
        super().attach(own4, own6)
        self.tun.close()
        self.tun = TunPort(self)

    def put(self, packet, offload):
        """By cable, with one hop more than the translator shall read."""
        flags, kind, head, size, start, field = offload
        link = self.frame_headers[packet[0] >> 4 == 4]
        header = VNET.pack(flags, kind, head and head + len(link), size,
                           start + len(link) if flags & NEEDS_CSUM else 0, field)
        self.senders[packet[0] >> 4 == 4].send(header + link + age(packet, +1))

    def caused(self):
        """What the packets since the last call have caused."""
        return self._collect()


def sort_of(offload):
    """An offload header without the hints in it: hdr_len, and "checksum verified"."""
    flags, kind, _, size, *sums = offload
    return flags & NEEDS_CSUM, kind, size if kind else 0, *(sums if flags & NEEDS_CSUM else (0, 0))


def hop(packet):
    packet = age(packet)
    return with_length(packet, len(packet)) if packet[0] >> 4 == 4 else packet


def difference(expected, got):
    """Where two lists of packets differ, in words; None: nowhere."""
    if len(expected) != len(got):
        sizes = f"{[len(p) for p in expected][:50]}\n  got      {[len(p) for p in got][:50]}"
        return f"expected {len(expected)} packets, got {len(got)}\n  expected {sizes}"
    for number, (want, have) in enumerate(zip(expected, got)):
        if want != have:
            at = next((n for n, (a, b) in enumerate(zip(want, have)) if a != b), "the end")
            return (f"packet {number} of {len(got)}, from byte {at}\n"
                    f"  expected {want[:100].hex()}\n  got      {have[:100].hex()}")
    return None


class Segments(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bench = SegmentBench()
        cls.addClassCleanup(cls.bench.close)

    def setUp(self):
        self.bench.offloads("t", "tx", "on", "tso", "on", "gso", "on", "tx-udp-segmentation", "on")
        self.bench.offloads("gw", "gro", "off")

    def run_cases(self, text, cases, run):
        """All of them through one daemon."""
        setup, self.config = Setup(text), Config(text)
        self.seen, self.failures, self.reserved = collections.Counter(), [], {}
        daemon = Daemon(self.bench, pairs=setup.pairs, tun=one_by_one(),
                        readiness=WITHOUT_PINGS, **setup.sections())
        try:
            daemon.start()
            self.bench.attach(setup.own4, setup.own6)
            before = daemon.counters()
            for one in cases:
                run(one)
            after = daemon.counters()
            self.assertEqual(daemon.stop(), 0, daemon.log())
        finally:
            daemon.remove()
        print(", ".join(f"{n} {what}" for what, n in self.seen.items() if isinstance(what, str)))
        self.assertEqual(len(self.failures), 0, "\n" + "\n".join(self.failures[:20]))
        for way in ("v4_to_v6", "v6_to_v4"):
            self.assertGreater(self.seen[f"super-packets {way}"], 0)
            self.assertEqual(after[way]["super_packets"] - before[way]["super_packets"],
                             self.seen[f"super-packets {way}"], way)
        self.assertEqual([after["tun"][n] for n in ("segmented_writes", "write_errors")], [0, 0])

    def run_case(self, one):
        self.bench.put(one.sent, one.sent_offload)
        seen = self.bench.caused()
        if list(seen.read) != [one.packet]:
            self.failures.append(f"{one.name}: read from the TUN:\n  "
                                 f"{difference([one.packet], seen.read)}")
        elif sort_of(seen.read[0].offload) != sort_of(one.offload):
            self.failures.append(f"{one.name}: read with offload header {seen.read[0].offload}, "
                                 f"not {one.offload}")
        else:
            self.compare(one.name, seen)
        return seen.wire

    def compare(self, name, seen):
        """What was read from the TUN with what arrived at the tester."""
        expected, got = [], [p for _, p in seen.wire]
        headers = []
        for packet in seen.read:
            wanted = Expected(self.config, packet, packet.offload)
            written = seen.written[len(headers):]
            expected += [hop(p) for p in wanted.packets(written)]
            headers += [sort_of(h) for h in wanted.written]
            self.count(packet, wanted)
            if written and wanted.must_not_repeat():
                self.reserve(name, be16(written[0], 4), len(wanted.groups), written[0])
        if [sort_of(p.offload) for p in seen.written] != headers:
            self.failures.append(f"{name}: written with {[p.offload for p in seen.written]}, "
                                 f"not {headers}")
        wrong = difference(expected, got)
        if wrong:
            self.failures.append(f"{name}: at the tester: {wrong}")
        elif any(side != (p[0] >> 4 == 4) for side, p in seen.wire):
            self.failures.append(f"{name}: arrived at the wrong side")
        self.seen["packets at the tester"] += len(got)

    def count(self, packet, wanted):
        if packet.offload[1] and (wanted.outcome != "forward" or wanted.is_cut_by_kernel):
            way = "v4_to_v6" if packet[0] >> 4 == 4 else "v6_to_v4"
            self.seen[f"super-packets {way}"] += 1
        self.seen[wanted.outcome] += 1

    def reserve(self, name, first, count, packet):
        """GSO-08: no Identification belongs to two packets in succession."""
        flow = packet[9], packet[12:20]
        free = self.reserved.get(flow, first)
        self.reserved[flow] = (first + count) & 0xFFFF
        if (first - free) & 0xFFFF > 0x4000:  # other flows may have taken some
            self.failures.append(f"{name}: Identification {first} was used before; the first free "
                                 f"one is {free}")

    def test_chosen_packets(self):
        """GSO-01..GSO-04, GSO-06..GSO-08, ECN-05"""
        self.run_cases(CONFIG, [c for d in DIRECTIONS for c in all_cases(d)], self.run_case)

    def test_checksums_of_zero(self):
        """GSO-01, GSO-02"""
        config = Config(CONFIG)

        def run(one):
            for _, packet in self.run_case(one):
                start, proto = header_length(packet)
                if proto in CHECKSUM_AT:
                    self.seen[proto, be16(packet, start + CHECKSUM_AT[proto])] += 1

        self.run_cases(CONFIG, [c for d in DIRECTIONS for c in zero_sums(config, d)], run)
        # They are equal to the model's, as all are; here only that there were any.
        for kind in ((TCP, 0), (TCP, 0xFFFF), (UDP, 0xFFFF)):
            self.assertGreater(self.seen[kind], 0, kind)

    def test_pseudo_headers_of_zero(self):
        """GSO-02"""
        config = Config(CONFIG)
        self.run_cases(CONFIG, [c for d in DIRECTIONS for c in zero_seeds(config, d)],
                       self.run_case)

    def test_small_links(self):
        """GSO-07, GSO-08: gso_size is lowered, or the translator cuts and fragments."""
        config = Config(SMALL_LINKS)
        self.run_cases(SMALL_LINKS, [c for d in DIRECTIONS for c in for_small_links(config, d)],
                       self.run_case)

    def test_random_packets(self):
        for seed in ("646", secrets.token_hex(8)):
            with self.subTest(seed=seed):
                print(f"seed {seed}")
                generator = random.Random(seed)
                self.run_cases(CONFIG, [random_case(generator, n) for n in range(RANDOM)],
                               self.run_case)

    def test_merged_by_the_gateway(self):
        """GSO-13: single packets arrive, the gateway's kernel merges them and cuts them again."""
        self.bench.offloads("t", "tx", "off", "tso", "off", "gso", "off")
        self.bench.offloads("gw", "gro", "on", "rx-udp-gro-forwarding", "on")
        cases = [c for d in DIRECTIONS for c in all_cases(d) if c.offload[1]]
        self.run_cases(CONFIG, [c for c in cases if len(in_software(c.packet, c.offload)) < 200],
                       self.run_merged)

    def run_merged(self, one):
        self.bench.put(one.sent, one.sent_offload)
        seen = self.bench.caused()
        read = [s for p in seen.read for s in in_software(p, p.offload)]
        # A segment that cannot be merged overtakes those that wait.
        wrong = difference(sorted(in_software(one.packet, one.offload)), sorted(read))
        if wrong:
            self.failures.append(f"{one.name}: read from the TUN: {wrong}")
        else:
            self.compare(one.name, seen)


if __name__ == "__main__":
    unittest.main(verbosity=2)
