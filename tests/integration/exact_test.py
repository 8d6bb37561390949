# SPDX-License-Identifier: BSD-2-Clause
"""A million packets of all kinds, forwarded, answered and discarded: each number in the statistics
segment is what was sent, and what it must be by the requirement matrix."""

import collections
import ipaddress
import mmap
import os
import time
import unittest

import flood_cases
from flood_cases import OTHER4, OTHER6, SINK4, SINK6, from4, from6
from flood_lab import ROOM, FloodTestCase
from golden_rows import GOLDEN  # also lets packets.py be found
from lab import OWN4, OWN6
from netns import LabError
from packets import Echo, raw, tcp, udp
from stats_segment import StatsSegment

PACKETS = 1_000_000
PROTOCOLS = {6: 0, 17: 1, 1: 2, 58: 2}  # CountedProtocol; all others: 3
KINDS = ("time_exceeded", "too_big", "unreachable", "parameter_problem")
EXTENSIONS = (0, 43, 60)

# Offsets in WorkerCounters (translator/stats/counters.hpp).
DIRECTION = 768
RECEIVED, RECEIVED_BYTES, FORWARDED, FORWARDED_BYTES, PIECES, FRAGMENTS = 0, 8, 16, 24, 32, 56
PROTOCOL, ANSWERED, REJECTED, DROPPED, SENT, SUPPRESSED = 64, 136, 144, 424, 704, 736


def reason_names():
    path = GOLDEN.parent.parent / "translator" / "siit" / "outcome.hpp"
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("X(")[1].split(",")[0] for line in lines if line.startswith("    X(")]


def is_fragment(packet):
    """As far as its IP header says."""
    if packet[0] >> 4 == 4:
        return bool(packet[6] & 0x3f or packet[7])
    return packet[6] == 44


def protocol_of(packet):
    """The upper layer's, behind sound headers."""
    if packet[0] >> 4 == 4:
        return packet[9]
    following, at = packet[6], 40
    while following in EXTENSIONS:
        following, at = packet[at], at + 8 * (packet[at + 1] + 1)
    return packet[at] if following == 44 else following


def everyday():
    """Of two servers, and pings to the translator itself."""
    cases = [from4(Echo(bytes(56)), dst=OWN4), from6(Echo(bytes(56)), dst=OWN6)]
    for size in (0, 100, 1200):
        body = bytes(size)
        for sink4, sink6 in ((SINK4, SINK6), (OTHER4, OTHER6)):
            for payload in (udp(body), tcp(body), Echo(body), raw(47, body + b"\0"), raw(50, body + b"\0")):
                cases += [from4(payload, dst=sink4), from6(payload, src=sink6)]
    return cases


class Exact(FloodTestCase):
    def setUp(self):
        self.path = os.path.join(self.daemon.directory, "stats")
        self.reasons = reason_names()

    def pair_of(self, case):
        """The server's mapping; None: the packet belongs to none."""
        is_from4 = case.direction == "v4_to_v6"
        packet = case.packet
        server = ipaddress.ip_address(packet[16:20] if is_from4 else packet[8:24])
        for pair in self.pairs:
            if server in ipaddress.ip_network(pair[0] if is_from4 else pair[1]):
                return pair
        return None

    def expected(self, cases, sent):
        """By offset, and by mapping as StatsSegment.pair() has it."""
        out, pairs = collections.Counter(), collections.defaultdict(lambda: [0] * 4)
        for number, case in enumerate(cases):
            times = sent // len(cases) + (number < sent % len(cases))
            direction = int(case.direction == "v6_to_v4")
            base, length = direction * DIRECTION, times * len(case.packet)
            out[base + RECEIVED] += times
            out[base + RECEIVED_BYTES] += length
            out[base + FRAGMENTS] += times * is_fragment(case.packet)
            destination = case.packet[16:20] if direction == 0 else case.packet[24:40]
            if case.reason:
                out[base + REJECTED + 8 * self.reasons.index(case.reason)] += times
                if case.error:
                    out[base + SENT + 8 * KINDS.index(case.error)] += times
            elif ipaddress.ip_address(destination) in map(ipaddress.ip_address, (OWN4, OWN6)):
                out[base + ANSWERED] += times
            else:
                out[base + FORWARDED] += times
                out[base + PIECES] += times * case.pieces * (case.pieces > 1)
                place = base + PROTOCOL + 16 * PROTOCOLS.get(protocol_of(case.packet), 3)
                out[place] += times
                out[place + 8] += length
                pair = self.pair_of(case)
                if pair:
                    pairs[pair][2 * direction] += times
                    pairs[pair][2 * direction + 1] += length
        return out, pairs

    def counted(self, before, after):
        """By offset. What was answered by an ICMP error and what would have been but for the rate
        limit depends on the clock: their sums do not."""
        found = {at: after.counter(at) - before.counter(at) for at in range(0, 2 * DIRECTION, 8)}
        for base in (0, DIRECTION):
            for at, other, count in ((REJECTED, DROPPED, len(self.reasons)),
                                     (SENT, SUPPRESSED, len(KINDS))):
                for i in range(count):
                    found[base + at + 8 * i] += found.pop(base + other + 8 * i)
            del found[base + FORWARDED_BYTES]  # the books have compared it with the TUN's
        return found

    def send(self, cases, count):
        """None is lost: the next batch is sent when the translator has had the last one."""
        layout = StatsSegment(self.path)
        with open(self.path, "rb") as file, \
                mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as live:
            def received():
                return sum(layout.counter(base + RECEIVED, live) for base in (0, DIRECTION))
            start = received()

            def wait(sent):
                end = time.monotonic() + 60
                while (found := received() - start) != sent:
                    if time.monotonic() > end or found > sent:
                        raise LabError(f"{found} packets were received, not {sent}")
                    time.sleep(0.0005)
            self.assertEqual(self.send_paced(cases, count, ROOM // 2, wait), count)

    def test_million(self):
        cases = (12 * everyday() + flood_cases.ttl_one() + flood_cases.forged_errors()
                 + flood_cases.fragments() + flood_cases.header_chains()
                 + flood_cases.special_purpose() + flood_cases.spoofed())
        start = self.books()
        before = StatsSegment(self.path)
        with self.long_queue():
            self.send(cases, PACKETS)
            end = self.books()
        self.assertEqual(end.lost, start.lost)
        after = StatsSegment(self.path)
        wanted, pairs = self.expected(cases, PACKETS)
        found = self.counted(before, after)
        wrong = {at: (found.get(at), wanted[at]) for at in sorted({*found, *wanted})
                 if found.get(at) != wanted[at]}
        self.assertEqual(wrong, {}, "offset: (counted, wanted)")
        self.assertGreater(len(+wanted), 50)
        for pair in self.pairs:
            numbers = [a - b for a, b in zip(after.pair(pair[0]), before.pair(pair[0]))]
            self.assertEqual(numbers, pairs[pair], pair)
        self.assertGreater(min(pairs[self.pairs[-1]]), 100_000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
