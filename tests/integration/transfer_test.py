# SPDX-License-Identifier: BSD-2-Clause
"""Data through the translator arrives unchanged: TCP in bulk, HTTP, UDP of all kinds."""

import functools
import hashlib
import http.server
import os
import socket
import tempfile
import threading
import unittest

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6ExtHdrFragment

from lab import C4, S1, S2, V1, V2, LabTestCase, embedded
from netns import SO_RCVBUFFORCE, Sniffer
from traffic import TcpPair, transfer, udp_echo_server

SO_NO_CHECK = 11
BULK = 200 * 1000 * 1000


class Tcp(LabTestCase):
    def test_bulk_client_to_server(self):
        with TcpPair(self.lab, "c4", V1, "s1", S1) as pair:
            self.assertEqual(pair.peer, embedded(C4))  # DC-16
            transfer(pair.client, pair.server, BULK)

    def test_bulk_server_to_client(self):
        with TcpPair(self.lab, "c4", V1, "s1", S1) as pair:
            transfer(pair.server, pair.client, BULK)

    def test_server_opens_the_connection(self):
        """DC-14"""
        with TcpPair(self.lab, "s1", embedded(C4), "c4", C4) as pair:
            self.assertEqual(pair.peer, V1)
            transfer(pair.client, pair.server, 5_000_000)
        with TcpPair(self.lab, "s2", embedded(C4), "c4", C4) as pair:
            self.assertEqual(pair.peer, V2)
            transfer(pair.server, pair.client, 5_000_000)

    def test_hairpin(self):
        with TcpPair(self.lab, "s1", embedded(V2), "s2", S2) as pair:
            self.assertEqual(pair.peer, embedded(V1))
            transfer(pair.client, pair.server, 20_000_000)
        with TcpPair(self.lab, "s1", embedded(V2), "s2", S2) as pair:
            transfer(pair.server, pair.client, 20_000_000)

    def test_refused_and_reset(self):
        with self.lab.socket("c4", socket.AF_INET, socket.SOCK_STREAM) as client:
            with self.assertRaises(ConnectionRefusedError):
                client.connect((V1, 9))
        with self.lab.socket("s1", socket.AF_INET6, socket.SOCK_STREAM) as server:
            with self.assertRaises(ConnectionRefusedError):
                server.connect((embedded(C4), 9))

    def test_http(self):
        """curl on the client fetches from a web server that knows only IPv6."""
        with tempfile.TemporaryDirectory() as directory:
            content = os.urandom(3_000_001)
            with open(os.path.join(directory, "file"), "wb") as file:
                file.write(content)

            class Quiet(http.server.SimpleHTTPRequestHandler):
                def log_message(self, *unused):
                    pass

            class Server6(http.server.ThreadingHTTPServer):
                address_family = socket.AF_INET6

            with self.lab.inside("s1"):
                server = Server6((S1, 0), functools.partial(Quiet, directory=directory))
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                fetched = os.path.join(directory, "fetched")
                self.lab.check("c4", "curl", "-sSf", "--max-time", "60", "-o", fetched,
                               f"http://{V1}:{server.server_address[1]}/file")
            finally:
                server.shutdown()
                server.server_close()
                thread.join()
            with open(fetched, "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(),
                                 hashlib.sha256(content).hexdigest())


class Udp(LabTestCase):
    def echo(self, role, target, port, data, prepare=lambda s: None):
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        with self.lab.socket(role, family, socket.SOCK_DGRAM, timeout=10) as client:
            prepare(client)
            client.sendto(data, (target, port))
            self.assertEqual(client.recv(65535), data)

    def test_sizes(self):
        """1400 is a common QUIC size; 1452 fills the IPv6 link; beyond that the kernel splits."""
        with udp_echo_server(self.lab, "s1", S1) as port:
            for size in (0, 1, 2, 63, 512, 1231, 1232, 1400, 1451, 1452):
                with self.subTest(size=size):
                    self.echo("c4", V1, port, os.urandom(size))

    def test_fragmented_from_the_client(self):
        with udp_echo_server(self.lab, "s1", S1) as port:
            for size in (1473, 2000, 2953, 4000, 9000, 60000):
                with self.subTest(size=size):
                    self.echo("c4", V1, port, os.urandom(size))

    def test_fragmented_from_the_server(self):
        with udp_echo_server(self.lab, "c4", C4) as port:
            for size in (1480, 2000, 4000, 9000, 60000):
                with self.subTest(size=size):
                    self.echo("s1", embedded(C4), port, os.urandom(size))

    def test_not_df_and_too_large_is_split_by_the_translator(self):
        """F46-04: DF=0 and more than the lowest IPv6 MTU."""
        def allow_splitting(client):
            client.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER, IP_PMTUDISC_DONT
        with udp_echo_server(self.lab, "s1", S1) as port, \
                Sniffer(self.lab, "s1", "eth0") as sniffer:
            self.echo("c4", V1, port, os.urandom(1400), allow_splitting)
            pieces = sniffer.wait_for(lambda p: IPv6ExtHdrFragment in p, "fragments", count=2)
        self.assertTrue(all(p.plen + 40 <= 1280 for p in pieces))

    def test_without_checksum(self):
        """CK: IPv6 forbids a UDP checksum of 0, so the translator computes one."""
        def no_checksum(client):
            client.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        with udp_echo_server(self.lab, "s1", S1) as port, \
                Sniffer(self.lab, "gw", "v4") as sniffer:
            for size in (0, 1, 18, 999, 1400):
                self.echo("c4", V1, port, os.urandom(size), no_checksum)
            sent = sniffer.wait_for(lambda p: IP in p and p.dst == V1 and "UDP" in p, "packets",
                                    count=5)
        self.assertEqual({p["UDP"].chksum or 0 for p in sent}, {0})

    def test_fragments_without_checksum_are_dropped(self):
        """A checksum over data that is not there cannot be computed (RFC 7915 4.5)."""
        before = self.daemon.discarded("v4_to_v6", "udp_zero_checksum")
        with udp_echo_server(self.lab, "s1", S1) as port, \
                self.lab.socket("c4", socket.AF_INET, socket.SOCK_DGRAM, timeout=1) as client:
            client.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
            client.sendto(os.urandom(3000), (V1, port))
            with self.assertRaises(TimeoutError):
                client.recv(65535)
        self.assertGreater(self.daemon.discarded("v4_to_v6", "udp_zero_checksum"), before)

    def test_segmentation_offload_of_udp(self):
        """UDP_SEGMENT, as QUIC servers use it: 40 datagrams in one system call, both ways."""
        for role, target, server_role, address in (("c4", V1, "s1", S1),
                                                   ("s1", embedded(C4), "c4", C4)):
            with self.subTest(sender=role), \
                    udp_echo_server(self.lab, server_role, address) as port:
                family = socket.AF_INET6 if ":" in target else socket.AF_INET
                with self.lab.socket(role, family, socket.SOCK_DGRAM, timeout=10) as client:
                    client.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
                    client.setsockopt(socket.SOL_UDP, 103, 1200)  # UDP_SEGMENT
                    data = os.urandom(40 * 1200)
                    client.sendto(data, (target, port))
                    back = {client.recv(65535) for _ in range(40)}
                self.assertEqual(back, {data[i:i + 1200] for i in range(0, len(data), 1200)})

    def test_port_unreachable_comes_back(self):
        for role, target in (("c4", V1), ("s1", embedded(C4))):
            family = socket.AF_INET6 if ":" in target else socket.AF_INET
            with self.subTest(sender=role), \
                    self.lab.socket(role, family, socket.SOCK_DGRAM, timeout=10) as client:
                client.connect((target, 9))
                client.send(b"nobody listens")
                with self.assertRaises(ConnectionRefusedError):
                    client.recv(100)


if __name__ == "__main__":
    unittest.main(verbosity=2)
