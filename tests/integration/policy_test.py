# SPDX-License-Identifier: BSD-2-Clause
"""What is refused: unmapped and spoofed addresses, and how quietly."""

import unittest

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6TimeExceeded, IPv6)
from scapy.packet import Raw

from lab import C4, OWN4, OWN6, S1, S2, TUN, V1, V2, LabTestCase, embedded
from netns import Sniffer

UNMAPPED4, UNMAPPED6 = "192.0.2.99", "2001:db8:6::99"


class Policy(LabTestCase):
    config = {"icmp_rate": {"per_second": 100, "burst": 20, "per_source_per_second": 10,
                            "per_source_burst": 5}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # An operator routes his whole pool to the translator so that every address is answered.
        cls.lab.ip("gw", f"route add 192.0.2.0/24 dev {TUN}")

    def barrier(self):
        """All that was sent before has been dealt with: one queue keeps one flow's order, and a
        ping crosses after them in both directions."""
        self.assert_ping("c4", V1, count=2)
        self.assert_ping("s1", embedded(C4), count=2)

    def test_unmapped_destination(self):
        """T46-23, G4-01: exactly one 3/13 from the translator."""
        before = self.daemon.discarded("v4_to_v6", "no_mapping")
        with Sniffer(self.lab, "c4", "eth0") as sniffer:
            done = self.lab.ping("c4", UNMAPPED4)
            self.assertIn("Packet filtered", done.stdout)
            self.barrier()
            errors = sniffer.packets(lambda p: ICMP in p and p[ICMP].type == 3)
        self.assertEqual([(p.src, p[ICMP].code) for p in errors], [(OWN4, 13)])
        self.assertEqual(self.daemon.discarded("v4_to_v6", "no_mapping"), before + 1)

    def test_unmapped_server(self):
        """T64-22: 1/1 for UDP, silence for ICMPv6."""
        udp = IPv6(src=UNMAPPED6, dst=embedded(C4)) / UDP(sport=1000, dport=1000) / b"x"
        echo = IPv6(src=UNMAPPED6, dst=embedded(C4)) / ICMPv6EchoRequest(data=b"x")
        before = self.daemon.discarded("v6_to_v4", "no_mapping")
        self.lab.ip("s2", f"addr add {UNMAPPED6}/64 dev eth0 nodad")
        try:
            with Sniffer(self.lab, "s2", "eth0") as sniffer:
                self.lab.send_ip("s2", echo)
                self.lab.send_ip("s2", udp)
                error = sniffer.wait_for(lambda p: ICMPv6DestUnreach in p, "an error")[0]
                self.barrier()
                count = len(sniffer.packets(lambda p: ICMPv6DestUnreach in p))
        finally:
            self.lab.ip("s2", f"addr del {UNMAPPED6}/64 dev eth0")
        self.assertEqual((error.src, error.dst, error[ICMPv6DestUnreach].code, count),
                         (OWN6, UNMAPPED6, 1, 1))
        self.assertEqual(self.daemon.discarded("v6_to_v4", "no_mapping"), before + 2)

    def test_spoofed_pair_from_the_ipv4_side(self):
        """SEC-04"""
        before = self.daemon.discarded("v4_to_v6", "spoof")
        with Sniffer(self.lab, "s1", "eth0") as sniffer:
            self.lab.send_ip("c4", IP(src=V2, dst=V1) / UDP(sport=7, dport=7777) / b"spoof")
            self.lab.send_ip("c4", IP(src=V2, dst=V1) / ICMP(type=8) / b"spoof")
            self.barrier()
            self.assertEqual(sniffer.packets(lambda p: p.src in (embedded(V2), S2)), [])
        self.assertEqual(self.daemon.discarded("v4_to_v6", "spoof"), before + 2)

    def test_spoofed_prefix_from_the_ipv6_side(self):
        """SEC-05, T64-21"""
        before = self.daemon.discarded("v6_to_v4", "spoof")
        with Sniffer(self.lab, "c4", "eth0") as sniffer:
            self.lab.send_ip("s1", IPv6(src=embedded("198.51.100.77"), dst=embedded(C4))
                             / UDP(sport=7, dport=7777) / b"spoof")
            self.barrier()
            self.assertEqual(sniffer.packets(lambda p: p.src == "198.51.100.77"), [])
        self.assertEqual(self.daemon.discarded("v6_to_v4", "spoof"), before + 1)

    def test_forged_icmp_error(self):
        """I46-11: an error about a packet that its addressee did not send."""
        before = self.daemon.discarded("v4_to_v6", "icmp_mismatch")
        quote = IP(src=V2, dst=C4) / TCP(sport=80, dport=4000)
        with Sniffer(self.lab, "s1", "eth0") as sniffer:
            self.lab.send_ip("c4", IP(src=C4, dst=V1)
                             / ICMP(type=3, code=4, nexthopmtu=576) / quote)
            self.barrier()
            self.assertEqual(sniffer.packets(lambda p: p.src == embedded(C4) and
                                             p.haslayer("ICMPv6PacketTooBig")), [])
        self.assertEqual(self.daemon.discarded("v4_to_v6", "icmp_mismatch"), before + 1)

    def test_martians_are_silent(self):
        before = self.daemon.discarded("v4_to_v6", "martian4")
        with Sniffer(self.lab, "c4", "eth0") as at_client, \
                Sniffer(self.lab, "s1", "eth0") as at_server:
            for source in ("0.1.2.3", "169.254.1.1", "240.1.1.1"):
                self.lab.send_ip("gw", IP(src=source, dst=V1) / UDP(dport=9) / b"x")
            self.barrier()
            errors = at_client.packets(lambda p: ICMP in p and p[ICMP].type == 3)
            arrived = at_server.packets(lambda p: UDP in p)
        self.assertEqual((errors, arrived), ([], []))
        self.assertEqual(self.daemon.discarded("v4_to_v6", "martian4"), before + 3)

    def test_flood_is_limited_and_quiet(self):
        """G4-09, G6-07, DC-17: errors are limited, drops are counted, the log stays silent."""
        flood = 500
        before = self.daemon.discarded("v4_to_v6", "no_mapping")
        log_before = len(self.daemon.log())
        packet = bytes(IP(src=C4, dst=UNMAPPED4) / UDP(sport=1, dport=1) / b"flood")
        with Sniffer(self.lab, "c4", "eth0") as sniffer:
            for _ in range(flood):
                self.lab.send_ip("c4", packet)
            self.barrier()
            errors = sniffer.packets(lambda p: ICMP in p and p[ICMP].type == 3)
        lines = self.daemon.log()[log_before:].splitlines()
        self.assertLess(len(errors), flood)
        self.assertEqual(self.daemon.discarded("v4_to_v6", "no_mapping"), before + flood)
        self.assertLess(len(lines), 10, lines)

    def test_other_protocols_never_crash(self):
        """Every protocol number and short rubbish behind both kinds of header."""
        for number in range(256):
            for size in (0, 3, 40):
                rest = Raw(bytes([number]) * size)
                self.lab.send_ip("c4", IP(src=C4, dst=V1, proto=number) / rest)
                if number not in (0, 43, 44, 50, 51, 60, 135, 139, 140):
                    self.lab.send_ip("s1", IPv6(src=S1, dst=embedded(C4), nh=number) / rest)
        self.barrier()
        self.assertIsNone(self.daemon.process.poll())

    def test_ttl_one_at_the_translator(self):
        with Sniffer(self.lab, "s1", "eth0") as sniffer:
            self.lab.send_ip("s1", IPv6(src=S1, dst=embedded(C4), hlim=3)
                             / UDP(sport=5, dport=5) / b"x")
            error = sniffer.wait_for(lambda p: ICMPv6TimeExceeded in p, "time exceeded")[0]
        self.assertEqual(error.src, OWN6)


if __name__ == "__main__":
    unittest.main(verbosity=2)
