# SPDX-License-Identifier: BSD-2-Clause
"""Small packets that have queued up leave as super-packets, and nobody can tell at the far end.

The daemon is stopped while packets are sent, so that it finds them in a row."""

import contextlib
import os
import pathlib
import signal
import socket
import struct
import unittest

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from lab import C4, S1, V1, LabTestCase, embedded, mode
from netns import SO_RCVBUFFORCE, Sniffer, wait_until
from traffic import TcpPair, transfer

BURST = 300  # several super-packets of 64
PATHS = (("v4_to_v6", "c4", V1, "s1", S1), ("v6_to_v4", "s1", embedded(C4), "c4", C4))


class Coalesce(LabTestCase):
    joins = True

    @contextlib.contextmanager
    def stopped(self):
        self.daemon.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(self.has_stopped, "every thread of the daemon to stop")
            yield
        finally:
            self.daemon.process.send_signal(signal.SIGCONT)

    def has_stopped(self):
        for stat in pathlib.Path(f"/proc/{self.daemon.process.pid}/task").glob("*/stat"):
            if stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] != "T":
                return False
        return True

    def merged(self, way):
        return self.daemon.counters()[way]["merged"]

    @contextlib.contextmanager
    def flow(self, role, target, server_role, address):
        """A client's socket and a server's, whose neighbours are known."""
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        other = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.lab.socket(server_role, other, socket.SOCK_DGRAM) as server, \
                self.lab.socket(role, family, socket.SOCK_DGRAM) as client:
            server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
            server.bind((address, 0))
            client.connect((target, server.getsockname()[1]))
            client.send(b"warm")
            self.assertEqual(server.recv(100), b"warm")
            yield client, server

    def check_packets(self, packets, data):
        """One packet for each datagram, as if each had been translated alone."""
        self.assertEqual([bytes(p[UDP].payload) for p in packets], data)
        for p in packets:
            fresh = p.copy()
            del fresh[UDP].chksum
            self.assertEqual(p[UDP].chksum, fresh.__class__(bytes(fresh))[UDP].chksum)
        if IP in packets[0]:
            first = packets[0].id
            self.assertEqual([p.id for p in packets],
                             [(first + i) % 65536 for i in range(len(packets))])
            self.assertEqual({int(p.flags) for p in packets}, {0})

    def test_datagrams(self):
        for way, role, target, server_role, address in PATHS:
            with self.subTest(way=way), self.flow(role, target, server_role, address) as ends, \
                    Sniffer(self.lab, server_role, "eth0") as sniffer:
                client, server = ends
                before = self.merged(way)
                data = [struct.pack("!I", i) + os.urandom(60) for i in range(BURST)]
                with self.stopped():
                    for datagram in data:
                        client.send(datagram)
                self.assertEqual([server.recv(2000) for _ in data], data)
                self.assertEqual(self.merged(way) - before, BURST if self.joins else 0)
                if mode() != "on":  # where links carry no super-packets
                    self.check_packets(sniffer.wait_for(
                        lambda p: UDP in p and len(p[UDP].payload) == 64, "datagrams", BURST), data)

    def test_other_packets_between(self):
        """Another flow, another size, and a datagram that was damaged on its way."""
        with self.flow("c4", V1, "s1", S1) as (client, server), \
                self.flow("c4", V1, "s1", S1) as (second, second_server), \
                Sniffer(self.lab, "s1", "eth0") as sniffer:
            port = server.getsockname()[1]
            here = client.getsockname()[1]
            damaged = IP(src=C4, dst=V1) / UDP(sport=here, dport=port, chksum=0x1234) / b"damaged!"
            sizes = [100] * 5 + [99] + [100] * 3 + [101] * 2 + [0, 0] + [8] * 4
            data = [os.urandom(size) for size in sizes]
            with self.stopped():
                for i, datagram in enumerate(data):
                    client.send(datagram)
                    if i % 5 == 4:
                        second.send(datagram)
                    if i in (2, len(data) - 2):
                        self.lab.send_ip("c4", damaged)
                client.send(b"end")
            self.assertEqual([server.recv(2000) for _ in range(len(data) + 1)], [*data, b"end"])
            self.assertEqual([second_server.recv(2000) for _ in range(len(data) // 5)],
                             data[4::5])
            wrong = sniffer.wait_for(lambda p: UDP in p and b"damaged!" in bytes(p[UDP]),
                                     "the damaged one", 2)
        for packet in wrong:
            self.assertEqual(bytes(packet[UDP].payload), b"damaged!")
            fresh = packet.copy()
            del fresh[UDP].chksum
            self.assertNotEqual(packet[UDP].chksum, IPv6(bytes(fresh))[UDP].chksum)

    def test_tcp(self):
        """What a first window holds, and then a bulk of data, both ways."""
        for way, role, target, server_role, address in PATHS:
            with self.subTest(way=way), \
                    TcpPair(self.lab, role, target, server_role, address) as pair:
                before = self.merged(way)
                data = os.urandom(12000)
                with self.stopped():
                    pair.client.sendall(data)
                received = b""
                while len(received) < len(data):
                    received += pair.server.recv(65536)
                self.assertEqual(received, data)
                if mode() == "verify":
                    (self.assertGreater if self.joins else self.assertEqual)(
                        self.merged(way) - before, 0)
                transfer(pair.client, pair.server, 30_000_000)


class NotAsked(Coalesce):
    """The same with `coalesce: off`."""

    joins = False
    config = {"tun": {"name": "xlat646", "coalesce": "off"}}


if __name__ == "__main__":
    unittest.main(verbosity=2)
