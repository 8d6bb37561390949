# SPDX-License-Identifier: BSD-2-Clause
"""examples/edge/nftables.conf on the gateway: what its comments promise, by every data path."""

import contextlib
import pathlib
import re
import socket
import unittest

from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6

from lab import C4, GW4, S1, S2, TUN, V1, V2, LabTestCase, command_path, embedded, mode, socket_of
from netns import wait_until

FILE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "edge" / "nftables.conf"
# Counts what connection tracking has got hold of, behind the hook where it would.
TRACKED = """
table inet probe {
    chain seen {
        type filter hook forward priority 10
        ct state != untracked counter
    }
}
"""
PROGRAM = """
import socket, sys
with socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET) as s:
    s.settimeout(float(sys.argv[3]))
    try:
        s.connect((sys.argv[1], int(sys.argv[2])))
        print(s.recv(10).decode())
    except OSError as error:
        print(type(error).__name__, error.errno)
"""
SERVER = """
import socket, sys, threading
def serve(listener):
    while True:
        connection, _ = listener.accept()
        connection.sendall(b"hello")
        connection.close()
for port in sys.argv[2:]:
    family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    listener = socket.create_server((sys.argv[1], int(port)), family=family)
    threading.Thread(target=serve, args=(listener,)).start()
"""
PYTHON = "/usr/bin/python3"


class Edge(LabTestCase):
    @classmethod
    def prepare(cls):
        """The daemon starts behind the rules, and gets ready all the same."""
        text = FILE.read_text(encoding="utf-8")
        for name, device in (("uplink", "v4"), ("inside", "v6")):
            text, count = re.subn(rf'^(define {name} = {{ )"\w+"', rf'\1"{device}"', text,
                                  flags=re.MULTILINE)
            assert count == 1, name
        assert "ct state" not in text
        cls.load(text)
        for role, address, ports in (("s1", S1, ("22", "80")), ("s2", S2, ("25", "80")),
                                     ("c4", C4, ("25", "8080")), ("gw", GW4, ("22", "2222"))):
            cls.lab.start(role, PYTHON, "-c", SERVER, address, *ports)
            for port in ports:
                wait_until(lambda r=role, p=port: cls.lab.listening(r, p), f"{role}:{port}")

    @classmethod
    def load(cls, rules):
        cls.lab.check("gw", "sh", "-c", 'printf %s "$1" | nft -f -', "sh", rules)

    def connect(self, role, address, port, limit=20):
        done = self.lab.run(role, PYTHON, "-c", PROGRAM, address, str(port), str(limit))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def nft(self, *words):
        return self.lab.check("gw", "nft", *words)

    def counted(self, chain, rule):
        found = re.search(rf"{rule} ?counter packets (\d+)",
                          self.nft("list", "chain", "inet", "xlat646", chain))
        self.assertIsNotNone(found, rule)
        return int(found[1])

    @contextlib.contextmanager
    def blocked(self, what):
        element = f"{{ {what} }}"
        self.nft("add", "element", "inet", "xlat646", "blocked", element)
        try:
            yield
        finally:
            self.nft("delete", "element", "inet", "xlat646", "blocked", element)

    def test_open_ports(self):
        self.assertEqual(self.connect("c4", V1, 80), "hello")
        self.assertEqual(self.connect("c4", V2, 25), "hello")

    def test_closed_ports_are_refused(self):
        for address, port in ((V1, 22), (V2, 80)):
            before = self.counted("to_servers", "meta l4proto tcp")
            # admin-prohibited, translated: EHOSTUNREACH, 113.
            self.assertEqual(self.connect("c4", address, port), "OSError 113")
            self.assertGreater(self.counted("to_servers", "meta l4proto tcp"), before)

    def test_servers_reach_clients(self):
        self.assertEqual(self.connect("s1", embedded(C4), 8080), "hello")
        self.assertEqual(self.connect("s2", embedded(C4), 25), "hello")

    def test_only_mail_servers_send_mail(self):
        before = self.counted("to_clients", "@mail_servers")
        self.assertRegex(self.connect("s1", embedded(C4), 25), "PermissionError 13|OSError 113")
        self.assertGreater(self.counted("to_clients", "@mail_servers"), before)

    def test_hairpin_is_judged_like_a_client(self):
        self.assertEqual(self.connect("s1", embedded(V2), 25), "hello")
        self.assertNotEqual(self.connect("s1", embedded(V2), 80), "hello")

    def test_blocked_clients(self):
        for what in (embedded(C4), "2001:db8:46::c633:6400/120"):
            with self.subTest(what), self.blocked(what):
                before = self.counted("to_servers", "@blocked")
                self.assertEqual(self.connect("c4", V1, 80, limit=1.5), "TimeoutError None")
                self.assertGreater(self.counted("to_servers", "@blocked"), before)
        self.assertEqual(self.connect("c4", V1, 80), "hello")

    def test_forged_prefix_from_inside(self):
        before = self.counted("to_servers", r"iifname \S+")
        forged = IPv6(src=embedded("198.51.100.77"), dst="2001:db8:6::77")
        self.lab.ip("r6", "route add 2001:db8:6::77/128 via 2001:db8:a::2")
        try:
            self.lab.send_ip("r6", forged / ICMPv6EchoRequest(data=b"x"))
            wait_until(lambda: self.counted("to_servers", r"iifname \S+") > before, "the counter")
        finally:
            self.lab.ip("r6", "route del 2001:db8:6::77/128")

    def test_udp(self):
        """Fragments and whole datagrams to an open port, and answers from a server of the world."""
        with self.lab.socket("s1", socket.AF_INET6, socket.SOCK_DGRAM) as server, \
                self.lab.socket("c4", socket.AF_INET, socket.SOCK_DGRAM) as client:
            server.bind((S1, 443))
            for size in (10, 4000):
                client.sendto(b"x" * size, (V1, 443))
                data, source = server.recvfrom(9000)
                self.assertEqual(len(data), size)
                server.sendto(b"y" * size, source)
                self.assertEqual(len(client.recv(9000)), size)
        last_rule = r"\n\t\t"
        before = self.counted("to_servers", last_rule)
        with self.lab.socket("c4", socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"x", (V1, 444))
            wait_until(lambda: self.counted("to_servers", last_rule) > before, "its counter")
        with self.lab.socket("c4", socket.AF_INET, socket.SOCK_DGRAM) as names, \
                self.lab.socket("s1", socket.AF_INET6, socket.SOCK_DGRAM) as asking:
            names.bind((C4, 53))
            asking.sendto(b"q", (embedded(C4), 53))
            question, source = names.recvfrom(100)
            names.sendto(b"a" + question, source)
            self.assertEqual(asking.recv(100), b"aq")

    def test_ping_and_traceroute(self):
        self.assert_ping("c4", V1)
        self.assert_ping("s1", embedded(C4))
        done = self.lab.run("c4", "traceroute", "-n", "-q", "1", "-w", "3", "-I", V1)
        self.assertIn(f" {V1} ", done.stdout)
        self.assertNotIn("*", done.stdout)

    def test_the_node_itself(self):
        """Logged in to from the management network only; what it asks is answered."""
        self.assertEqual(self.connect("r4", GW4, 22), "hello")
        self.assertEqual(self.connect("c4", GW4, 22, limit=1.5), "TimeoutError None")
        self.assertEqual(self.connect("gw", GW4, 2222), "hello") # by its loopback interface
        self.assertEqual(self.connect("gw", C4, 8080), "hello")
        with self.lab.socket("c4", socket.AF_INET, socket.SOCK_DGRAM) as names, \
                self.lab.socket("gw", socket.AF_INET, socket.SOCK_DGRAM) as asking:
            names.bind((C4, 53))
            asking.sendto(b"q", (C4, 53))
            question, source = names.recvfrom(100)
            names.sendto(b"a" + question, source)
            self.assertEqual(asking.recv(100), b"aq")

    def test_routing_daemons_hear_each_other(self):
        for kind, protocol, port in ((socket.SOCK_DGRAM, 0, 3784), (socket.SOCK_RAW, 89, 0)):
            with self.lab.socket("gw", socket.AF_INET, kind, protocol) as listener, \
                    self.lab.socket("r4", socket.AF_INET, kind, protocol) as neighbour:
                listener.bind((GW4, port))
                neighbour.sendto(b"hello", (GW4, port))
                self.assertIn(b"hello", listener.recv(100))

    def test_nothing_is_tracked(self):
        self.load(TRACKED)
        try:
            self.assertEqual(self.connect("c4", V1, 80), "hello")
            self.assertEqual(self.connect("s1", embedded(C4), 8080), "hello")
            self.assertIn("counter packets 0 ", self.nft("list", "table", "inet", "probe"))
        finally:
            self.nft("delete", "table", "inet", "probe")

    def test_the_fast_path_has_its_share(self):
        """Otherwise the tests above would show the TUN twice."""
        self.assertEqual(self.connect("c4", V1, 80), "hello")
        done = self.lab.check("gw", command_path(), "status", "--socket", socket_of(self.daemon))
        carried = re.search(r"by the fast path +(\d+)", done)
        self.assertEqual(carried is not None and int(carried[1]) > 0, mode().startswith("fast"),
                         done)


if __name__ == "__main__":
    unittest.main(verbosity=2)
