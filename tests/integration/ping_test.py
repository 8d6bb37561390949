# SPDX-License-Identifier: BSD-2-Clause
"""Ping of every size in every direction; the translator's own addresses; hairpinning."""

import unittest

from scapy.layers.inet import ICMP, IP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment

from lab import C4, OWN4, OWN6, S2, V1, V2, LabTestCase, embedded
from netns import Sniffer


class Ping(LabTestCase):
    def forget_path_mtu(self):
        self.lab.ip("c4", "route flush cache")

    def test_small_from_the_client(self):
        self.assert_ping("c4", V1, count=5)
        self.assert_ping("c4", V2)

    def test_empty_and_odd_sizes(self):
        for size in (0, 1, 7, 8, 57, 1001):
            self.assert_ping("c4", V1, "-s", str(size))

    def test_largest_that_fits_with_df(self):
        self.assert_ping("c4", V1, "-M", "do", "-s", "1452")

    def test_largest_that_fits_without_df(self):
        """The request is split at the lowest IPv6 MTU (F46-04), the answer comes whole."""
        self.assert_ping("c4", V1, "-M", "dont", "-s", "1452")

    def test_too_large_with_df(self):
        """F46-07: the translator names the MTU that fits, then the kernel knows it itself."""
        self.forget_path_mtu()
        done = self.lab.ping("c4", V1, "-M", "do", "-s", "1453")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout, rf"From {OWN4} .*Frag needed and DF set \(mtu = 1480\)")
        self.assert_ping("c4", V1, "-M", "do", "-s", "1452")

    def test_too_large_without_df(self):
        """F64-11: the request arrives in IPv6 fragments. The server has to split its answer, and
        ICMP in fragments is never translated (RFC 7915 1.2)."""
        self.forget_path_mtu()
        before = self.daemon.discarded("v6_to_v4", "frag_icmp")
        with Sniffer(self.lab, "s1", "eth0") as sniffer:
            done = self.lab.ping("c4", V1, "-M", "dont", "-s", "1472", "-W", "1")
            self.assertNotEqual(done.returncode, 0)
            pieces = sniffer.wait_for(lambda p: IPv6ExtHdrFragment in p and p.src == embedded(C4),
                                      "fragments of the request", count=2)
        self.assertTrue(all(p.plen + 40 <= 1280 for p in pieces))
        payload = sum(p.plen - 8 for p in pieces)
        self.assertEqual(payload, 1472 + 8)
        self.assertGreater(self.daemon.discarded("v6_to_v4", "frag_icmp"), before)

    def test_from_the_server(self):
        self.assert_ping("s1", embedded(C4), count=5)
        self.assert_ping("s2", embedded(C4))
        self.assert_ping("s1", embedded(C4), "-M", "do", "-s", "1452")

    def test_addresses_on_the_wire(self):
        with Sniffer(self.lab, "s1", "eth0") as at_server, \
                Sniffer(self.lab, "c4", "eth0") as at_client:
            self.assert_ping("c4", V1, "-t", "40", "-Q", "0x2a", count=1)
            request = at_server.wait_for(lambda p: ICMPv6EchoRequest in p, "echo request")[0]
            reply = at_client.wait_for(lambda p: ICMP in p and p[ICMP].type == 0, "reply")[0]
        self.assertEqual((request[IPv6].src, request[IPv6].tc), (embedded(C4), 0x2a))
        # TTL-03: r4, kernel of the gateway, translator, kernel again, r6
        self.assertEqual(request[IPv6].hlim, 40 - 5)
        self.assertEqual((reply[IP].src, reply[IP].dst), (V1, C4))

    def test_own_addresses_answer(self):
        self.assert_ping("c4", OWN4)
        self.assert_ping("s1", OWN6)
        self.assert_ping("c4", OWN4, "-s", "1400")

    def test_hairpin(self):
        with Sniffer(self.lab, "s2", "eth0") as sniffer:
            self.assert_ping("s1", embedded(V2), count=3)
            request = sniffer.wait_for(lambda p: ICMPv6EchoRequest in p, "echo request")[0]
        self.assertEqual((request[IPv6].src, request[IPv6].dst), (embedded(V1), S2))
        # HP-06: r6, kernel, translator once, kernel, r6
        self.assertEqual(request[IPv6].hlim, 64 - 5)
        self.assert_ping("s2", embedded(V1), "-s", "1000")

    def test_server_to_its_own_public_address(self):
        before = self.daemon.discarded("v6_to_v4", "same_host")
        done = self.lab.ping("s1", embedded(V1), "-W", "1")
        self.assertNotEqual(done.returncode, 0)
        self.assertGreater(self.daemon.discarded("v6_to_v4", "same_host"), before)


class LargerIpv6Links(LabTestCase):
    """DC-09: IPv6 links of 1520 bytes carry every IPv4 packet unsplit."""

    config = {"mtu": {"ipv4": 1500, "ipv6": 1520, "lowest_ipv6": 1520}}

    @classmethod
    def prepare(cls):
        lab = cls.lab
        lab.set_mtu("gw", "v6", "r6", "core", 1520)
        for port, server in (("port1", "s1"), ("port2", "s2")):
            lab.set_mtu("r6", port, server, "eth0", 1520)
        lab.ip("r6", "link set lan mtu 1520")

    def test_full_packets_pass_whole(self):
        with Sniffer(self.lab, "s1", "eth0") as sniffer:
            for df in ("do", "dont"):
                self.assert_ping("c4", V1, "-M", df, "-s", "1472")
            requests = sniffer.wait_for(lambda p: ICMPv6EchoRequest in p, "requests", count=4)
        self.assertEqual({p.plen for p in requests}, {1480})
        self.assertEqual(sniffer.packets(lambda p: IPv6ExtHdrFragment in p), [])
        self.assert_ping("s1", embedded(C4), "-s", "1472")


if __name__ == "__main__":
    unittest.main(verbosity=2)
