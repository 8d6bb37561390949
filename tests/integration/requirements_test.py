# SPDX-License-Identifier: BSD-2-Clause
"""Rows of the requirement matrix that need a whole node and have no place in the other files."""

import pathlib
import signal
import time
import unittest

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from lab import C4, GW4, PAIRS, S1, V1, LabTestCase, embedded
from netns import Sniffer, wait_until
from traffic import TcpPair, transfer

BLOCK4, BLOCK6 = "192.0.2.16/28", "2001:db8:6::100/124"
NATIVE4 = "192.0.2.20"  # inside BLOCK4, but a host that really has IPv4
NATIVE6 = embedded("198.51.100.99")  # inside the translation prefix, but a real IPv6 host
BULK = 100_000_000


class MoreSpecificRoutes(LabTestCase):
    """Two hosts that need no translation, in the midst of the addresses that are translated."""

    pairs = PAIRS + [(BLOCK4, BLOCK6)]

    @classmethod
    def prepare(cls):
        cls.lab.ip("r6", f"addr add {NATIVE4}/32 dev core", "route add 203.0.113.0/24 dev core",
                   f"route add default via {GW4} dev core onlink")
        cls.lab.ip("gw", f"route add {NATIVE4}/32 dev v6", "addr add 2001:db8:b::2/64 dev v4 nodad",
                   f"route add {NATIVE6}/128 via 2001:db8:b::1")
        cls.lab.ip("r4", "addr add 2001:db8:b::1/64 dev core nodad",
                   f"addr add {NATIVE6}/128 dev core nodad",
                   "route add 2001:db8:6::/64 via 2001:db8:b::2")

    def received(self):
        counters = self.daemon.counters()
        return [counters[d]["received"] for d in ("v4_to_v6", "v6_to_v4")]

    def test_ipv4(self):
        """T46-22"""
        before = self.received()
        self.assert_ping("c4", NATIVE4, count=3)
        self.assertEqual(self.received(), before)
        with Sniffer(self.lab, "s1", "eth0") as sniffer:  # its neighbour is translated
            self.lab.ip("s1", "addr add 2001:db8:6::105/64 dev eth0 nodad")
            self.assert_ping("c4", "192.0.2.21", count=1)
            sniffer.wait_for(lambda p: IPv6 in p and p.src == embedded(C4)
                             and p.dst == "2001:db8:6::105", "the translated request")

    def test_ipv6(self):
        """T64-17"""
        before = self.received()
        self.assert_ping("s1", NATIVE6, count=3)
        self.assertEqual(self.received(), before)
        self.assert_ping("s1", embedded(C4), count=1)
        self.assertEqual([n - b for n, b in zip(self.received(), before)], [1, 1])


class Node(LabTestCase):
    def is_stopped(self):
        """The signal reaches each thread when that thread next looks."""
        for stat in pathlib.Path(f"/proc/{self.daemon.process.pid}/task").glob("*/stat"):
            if stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "T":
                return False
        return True

    def test_held_packet_ages_by_one(self):
        """TTL-09: a packet that waits for seconds in a stopped translator loses one hop only."""
        with Sniffer(self.lab, "s1", "eth0") as sniffer:
            self.daemon.process.send_signal(signal.SIGSTOP)
            try:
                wait_until(self.is_stopped, "every thread to stop")
                self.lab.send_ip("c4", IP(src=C4, dst=V1, ttl=64) / UDP(sport=9, dport=9) / b"held")
                time.sleep(3)
                self.assertEqual(sniffer.packets(lambda p: UDP in p), [])
            finally:
                self.daemon.process.send_signal(signal.SIGCONT)
            packet = sniffer.wait_for(lambda p: IPv6 in p and UDP in p, "the packet")[0]
        # r4, the kernel of the gateway twice, r6, and the translator
        self.assertEqual(packet[IPv6].hlim, 64 - 4 - 1)

    def test_merged_segments(self):
        """GSO-13: what GRO has merged on the way in is translated as it is and arrives."""
        self.assertIn("generic-receive-offload: on",
                      self.lab.check("gw", "ethtool", "-k", "v4"))
        before = self.daemon.counters()
        for sender, receiver in (("client", "server"), ("server", "client")):
            with TcpPair(self.lab, "c4", V1, "s1", S1) as pair:
                transfer(getattr(pair, sender), getattr(pair, receiver), BULK)
        after = self.daemon.counters()
        for direction in ("v4_to_v6", "v6_to_v4"):
            self.assertGreater(after[direction]["super_packets"],
                               before[direction]["super_packets"])
            self.assertEqual(after[direction]["dropped"], before[direction]["dropped"])

    def test_reload_says_what_has_changed(self):
        """DC-17: one line with the numbers and the digest."""
        start = len(self.daemon.log())
        self.addCleanup(self.daemon.reload, PAIRS)
        self.daemon.reload(PAIRS + [("192.0.2.3", "2001:db8:6::33")])
        summary = [line for line in self.daemon.log()[start:].splitlines() if "reloaded:" in line]
        self.assertEqual(len(summary), 1, summary)
        self.assertRegex(summary[0], r"\b3 mappings, 1 added, 0 removed, 0 changed\b")
        self.assertRegex(summary[0], r"digest [0-9a-f]{16}\b")


if __name__ == "__main__":
    unittest.main(verbosity=2)
