# SPDX-License-Identifier: BSD-2-Clause
"""Path MTU discovery end to end (section 13): a smaller link or route on either side.

Inner routers report from an address without mapping, the gateway's kernel reports for its own
links, and the translator for what its configuration says."""

import os
import re
import socket
import unittest

from lab import C4, R4, S1, V1, LabTestCase, embedded
from traffic import TcpPair, transfer, udp_echo_server

SIZE = 20_000_000


class PathMtu:
    """The tests of each case below, and what both hosts must have learnt at the end."""

    learnt_by_client = None
    learnt_by_server = None

    def route_mtu(self, role, target):
        match = re.search(r"\bmtu (\d+)", self.lab.ip_output(role, f"route get {target}"))
        return int(match.group(1)) if match else None

    def test_tcp(self):
        for sender, receiver in (("client", "server"), ("server", "client")):
            with self.subTest(sender=sender), TcpPair(self.lab, "c4", V1, "s1", S1) as pair:
                transfer(getattr(pair, sender), getattr(pair, receiver), SIZE)
        self.assertEqual(self.route_mtu("c4", V1), self.learnt_by_client)
        self.assertEqual(self.route_mtu("s1", embedded(C4)), self.learnt_by_server)

    def test_datagrams(self):
        """Discovery costs the first large ones (one per link), then the sender's kernel splits."""
        for role, target, server, address in (("c4", V1, "s1", S1),
                                              ("s1", embedded(C4), "c4", C4)):
            family = socket.AF_INET6 if ":" in target else socket.AF_INET
            with self.subTest(sender=role), \
                    udp_echo_server(self.lab, server, address) as port, \
                    self.lab.socket(role, family, socket.SOCK_DGRAM, timeout=2) as client:
                client.connect((target, port))
                data = os.urandom(1430)
                self.assertIn(data, self.attempts(client, data))

    def attempts(self, client, data):
        for _ in range(10):
            try:
                client.send(data)
                yield client.recv(65535)
            except OSError:
                yield None


class SmallLinkOnIpv4Side(PathMtu, LabTestCase):
    """The gateway's kernel sends 3/4 about what has left the translator (I46-05)."""
    learnt_by_client = 1300
    learnt_by_server = 1320

    @classmethod
    def prepare(cls):
        cls.lab.set_mtu("gw", "v4", "r4", "core", 1300)


class SmallLinkOnIpv6Side(PathMtu, LabTestCase):
    """The gateway's kernel sends 2/0 about what has left the translator (S91-01)."""
    learnt_by_client = 1380
    learnt_by_server = 1400

    @classmethod
    def prepare(cls):
        cls.lab.set_mtu("gw", "v6", "r6", "core", 1400)


class InnerIpv4Router(PathMtu, LabTestCase):
    learnt_by_server = 1340

    @classmethod
    def prepare(cls):
        cls.lab.ip("r4", f"route replace 198.51.100.0/24 dev host src {R4} mtu lock 1320")


class InnerIpv6Router(PathMtu, LabTestCase):
    learnt_by_client = 1330

    @classmethod
    def prepare(cls):
        cls.lab.ip("r6", "route add 2001:db8:6::2/128 dev lan mtu 1350")


class BothSides(PathMtu, LabTestCase):
    learnt_by_client = 1330
    learnt_by_server = 1340

    @classmethod
    def prepare(cls):
        InnerIpv4Router.prepare.__func__(cls)
        InnerIpv6Router.prepare.__func__(cls)


class ConfiguredMtu(PathMtu, LabTestCase):
    """The translator's own reports (F46-07, F64-08), about 64 KiB super-packets too."""
    config = {"mtu": {"ipv4": 1340, "ipv6": 1400}}
    learnt_by_client = 1380
    learnt_by_server = 1360


class Ipv4LinkBelowTheIpv6Minimum(PathMtu, LabTestCase):
    """PM-06: an IPv6 host is never told less than 1280, so IPv4 packets up to 1260 bytes travel
    with DF=0 and IPv4 routers split them."""
    learnt_by_server = 1280

    @classmethod
    def prepare(cls):
        cls.lab.ip("r4", f"route replace 198.51.100.0/24 dev host src {R4} mtu lock 1000")


if __name__ == "__main__":
    unittest.main(verbosity=2)
