#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The golden rows through the real daemon and the real kernel.

Each packet goes in by cable with one hop more than the row says (the gateway's kernel takes one
before the TUN), and what comes out of the other cable is compared byte by byte with the row, one
hop less. What the kernel does not let through by cable (TTL 255 plus one, bad header checksums,
IPv4 options that routers fill in) goes straight into the TUN. In both cases results are compared
twice: as written into the TUN, and as they arrive at the tester."""

import collections
import ipaddress
import unittest

import golden_rows
from lab import WITHOUT_PINGS, Daemon, one_by_one
from live import Bench, age, has_good_header, ip_length, refused_before
from netns import LabError

REFUSED = 78  # EX_CONFIG

# So that rows cannot slip away unseen.
LEAST_BY_CABLE = 3000
LEAST_IN_ALL = 3300


class Report:
    def __init__(self):
        self.equal = collections.Counter()     # way -> rows
        self.detours = collections.Counter()   # why a row could not go by cable
        self.held = collections.Counter()      # why a right result did not reach the tester
        self.failures = []

    def fail(self, row, way, what, *packets):
        self.failures.append("\n    ".join([f"{row.name} [{way}]\n  in {row.packet.hex()}", what,
                                            *packets]))

    def text(self):
        lines = []
        for title, counter in (("equal", self.equal), ("not by cable", self.detours),
                               ("right at the TUN, but not at the tester", self.held)):
            lines.append(f"{title}: {counter.total()}")
            lines += [f"  {count:5} {what}" for what, count in sorted(counter.items())]
        return "\n".join(lines + [f"different: {len(self.failures)}"])


def refusal(daemon):
    """The first error in the log, which is why the configuration cannot be written as YAML."""
    return "configuration refused: " + daemon.log().split(" error: ")[1].splitlines()[0]


def hexes(title, packets):
    return [f"{title} {p.hex()}" for p in packets] or [f"{title} nothing"]


class GoldenLive(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bench = Bench()
        cls.addClassCleanup(cls.bench.close)

    def test_rows(self):
        report = Report()
        for setup in golden_rows.load():
            self.run_setup(setup, report)
        print(report.text())
        self.assertEqual(len(report.failures), 0, "\n" + "\n".join(report.failures[:40]))
        self.assertGreaterEqual(report.equal["by cable"], LEAST_BY_CABLE)
        self.assertGreaterEqual(report.equal.total(), LEAST_IN_ALL)

    def run_setup(self, setup, report):
        self.pool = [ipaddress.IPv4Network(pair[0]) for pair in setup.pairs]
        batches = [[row] for row in setup.rows] if setup.needs_fresh_daemon else [setup.rows]
        for rows in batches:
            daemon = Daemon(self.bench, pairs=setup.pairs, tun=one_by_one(),
                            readiness=WITHOUT_PINGS, **setup.sections())
            try:
                try:
                    daemon.start()
                except LabError:
                    if daemon.process.poll() != REFUSED:
                        raise
                    report.detours[refusal(daemon)] += len(rows)
                    continue
                self.bench.attach(setup.own4, setup.own6)
                for row in rows:
                    self.run_row(row, report)
                self.assertEqual(daemon.stop(), 0, daemon.log())
            finally:
                daemon.remove()

    def run_row(self, row, report):
        detour = self.by_cable(row, report)
        if detour is None:
            return
        report.detours[detour] += 1
        if row.packet:
            self.compare(row, self.bench.inject(row.packet), "straight into the TUN", report)

    def by_cable(self, row, report):
        """None when the row is done, or why it cannot go this way."""
        if len(row.packet) < (20 if row.is_v4 else 40):
            return "shorter than an IP header"
        if row.packet[8 if row.is_v4 else 7] == 255:
            return "TTL or hop limit 255"
        packet = age(row.packet, +1)
        seen = self.bench.send(packet, row.is_v4)
        why = refused_before(row.packet, row.is_v4)
        if why is None and not seen.read and seen.wire == [(row.is_v4, row.packet)]:
            # A neighbour of the pool: in a network that routes all of it to the gateway.
            self.bench.route("add", row.destination)
            seen = self.bench.send(packet, row.is_v4)
            self.bench.route("del", row.destination)
            way = "by cable, with a route for the unmapped destination"
        else:
            way = "by cable"
        if seen.read[:1] == [row.packet[:ip_length(row.packet)]]:
            self.compare(row, seen, way, report)
            return None
        if why is None:
            report.fail(row, way, "did not reach the TUN as it is", *hexes("read", seen.read),
                        *hexes("kernel", seen.kernel))
        elif not seen.read and seen.wire and seen.wire != [(row.is_v4, row.packet)]:
            report.fail(row, way, "did not reach the TUN, but something came out",
                        *hexes("got", [p for _, p in seen.wire]))
        return why or "no reason known"

    def compare(self, row, seen, way, report):
        if not all(has_good_header(p) for p in seen.written):
            report.fail(row, way, "malformed", *hexes("got", seen.written))
            return
        expected = row.expected()
        held = [reason for out in row.out if (reason := self.held_back(row, out))]
        # The kernel's error about a result, or the result itself, goes into the TUN: that is
        # another packet. It can only come behind the results.
        if held:
            self.bench.settle()
        written = seen.written[:len(expected)] if held else seen.written
        if [golden_rows.hide(p, m) for p, m in zip(written, row.masks)] != expected or \
                len(written) != len(expected):
            report.fail(row, way, "written into the TUN", *hexes("expected", expected),
                        *hexes("got", seen.written))
            return
        if len({p[4:6] for p in written if p[0] >> 4 == 4}) > 1:
            report.fail(row, way, "Identifications differ", *hexes("got", written))
            return
        wire = sorted((p[0] >> 4 == 4, age(p)) for p in written)
        if not held and sorted(seen.wire) != wire:
            report.fail(row, way, "at the tester", *hexes("expected", [p for _, p in wire]),
                        *hexes("got", [p for _, p in seen.wire]), *hexes("kernel", seen.kernel))
            return
        report.equal[way] += 1
        report.held.update(held)

    def held_back(self, row, out):
        """Why this result does not arrive at the tester; None: it does."""
        is_v4 = out[0] >> 4 == 4
        if out[8 if is_v4 else 7] <= 1:
            return "TTL or hop limit ends in the gateway after the TUN"
        if is_v4 and any(ipaddress.IPv4Address(out[16:20]) in net for net in self.pool):
            return "answer to a spoofed source, which is routed into the TUN"
        if is_v4 and out[16:20] == row.packet[16:20]:
            return "answer to a packet from its own destination"
        return None


if __name__ == "__main__":
    unittest.main(verbosity=2)
