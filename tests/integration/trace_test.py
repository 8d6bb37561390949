# SPDX-License-Identifier: BSD-2-Clause
"""traceroute and mtr by UDP, ICMP and TCP: every router shows up once, at its place.

TTL-03: the gateway is three hops: its kernel, the translator, its kernel in the other family.
Routers without a mapping appear to the IPv4 client as members of the pool (S91-01), IPv4 routers
appear to the server inside the translation prefix (S91-07)."""

import ipaddress
import re
import unittest

from lab import C4, GW4, GW6, OWN4, OWN6, POOL4, R4, R6, V1, V2, LabTestCase, embedded

# r6 answers from its address towards the server, gw from the one towards r6.
FROM_CLIENT = [R4, GW4, OWN4, "pool", "pool", V1]
FROM_SERVER = ["2001:db8:6::1", GW6, OWN6, embedded(GW4), embedded("203.0.113.1"), embedded(C4)]
METHODS = {"udp": ([], ["--udp"]), "icmp": (["-I"], []),
           "tcp": (["-T", "-p", "80"], ["--tcp", "--port", "80"])}


def place(address):
    """The address, or the word pool for a member of the RFC 6791 pool."""
    if ":" not in address and ipaddress.ip_address(address) in ipaddress.ip_network(POOL4):
        return "pool"
    return address


class Trace(LabTestCase):
    def traceroute(self, role, target, options):
        family = "-6" if ":" in target else "-4"
        text = self.lab.check(role, "traceroute", family, "-n", "-q", "2", "-w", "5", "-N", "2",
                              "-m", "12", *options, target)
        hops = []
        for line in text.splitlines()[1:]:
            found = {place(a) for a in re.findall(r"[0-9a-f]+(?:[.:]+[0-9a-f]+){2,}", line)
                     if not re.fullmatch(r"\d+\.\d+", a)}
            hops.append(found.pop() if len(found) == 1 else found)
        return hops, text

    def mtr(self, role, target, options):
        text = self.lab.check(role, "mtr", "--report", "--report-wide", "--no-dns", "-c", "2",
                              "-i", "0.3", "-G", "1", "-m", "12", *options, target)
        hops = []
        for line in text.splitlines():
            match = re.match(r"\s*(\d+)\.\|--\s+(\S+)", line)
            if match:
                hops.append(place(match.group(2)) if match.group(2) != "???" else "???")
        return hops, text

    def check_both(self, role, target, expected):
        for name, (for_traceroute, for_mtr) in METHODS.items():
            for tool, run, options in (("traceroute", self.traceroute, for_traceroute),
                                       ("mtr", self.mtr, for_mtr)):
                with self.subTest(tool=tool, method=name):
                    hops, text = run(role, target, options)
                    self.assertEqual(hops, expected, text)

    def test_client_to_server(self):
        self.check_both("c4", V1, FROM_CLIENT)

    def test_server_to_client(self):
        self.check_both("s1", embedded(C4), FROM_SERVER)

    def test_server_to_server(self):
        """HP-06: hairpinning is one hop."""
        hops, text = self.traceroute("s1", embedded(V2), ["-I"])
        self.assertEqual([hops[0], hops[2], hops[-1]],
                         ["2001:db8:6::1", OWN6, embedded(V2)], text)
        self.assertEqual(len(hops), 6, text)

    def test_packet_dies_at_the_translator(self):
        done = self.lab.ping("c4", V1, "-t", "3")
        self.assertRegex(done.stdout, rf"From {OWN4} icmp_seq=1 Time to live exceeded")


class OriginalSource(LabTestCase):
    """RFC 5837: the client learns the IPv6 address of a router that has no mapping."""

    objects = [ipaddress.ip_address(a) for a in (GW6, R6)]

    def test_traceroute_shows_it(self):
        """S91-05, X84-10: traceroute -e prints the objects of class 2 as they came."""
        text = self.lab.check("c4", "traceroute", "-4", "-n", "-e", "-q", "1", "-m", "12", V1)
        shown = [ipaddress.ip_address(bytes.fromhex("".join(words))[4:])
                 for words in (found.split(",") for found in
                               re.findall(r"<2/4:([0-9a-f]{8}(?:,[0-9a-f]{8}){4})>", text))]
        self.assertEqual(shown, self.objects, text)
        hops, text = Trace.traceroute(self, "c4", V1, [])
        self.assertEqual(hops, FROM_CLIENT, text)


class NoOriginalSource(OriginalSource):
    """The switch: nothing inside is told to anybody outside."""

    config = {"icmp_errors": {"original_source": False}}
    objects = []


if __name__ == "__main__":
    unittest.main(verbosity=2)
