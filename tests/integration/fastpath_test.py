# SPDX-License-Identifier: BSD-2-Clause
"""The fast path: it carries what it can, shares the ingress with others, and ends with its daemon.

Modes fast and fastnic."""

import signal
import unittest

from capture_test import Capturing
from lab import C4, GW4, S1, V1, WITHOUT_PINGS, Daemon, Lab, LabTestCase, embedded
from netns import wait_until
from traffic import TcpPair, UdpStream, transfer, udp_echo_server

EX_CONFIG = 78
DIRECTIONS = ("v4_to_v6", "v6_to_v4")
BOTH = {"mode": "on", "interfaces": ["v4", "v6"]}
# Classic BPF: look at nothing, return "next" or a class. Somebody else's filter.
THEIRS = ("bpf", "bytecode", "1,6 0 0 4294967295")


class Running(LabTestCase):
    config = {"fastpath": BOTH, "reload_guard": 0}

    def setUp(self):
        if self.daemon.process.poll() is not None:
            self.daemon.start()

    def by_user_space(self, counters):
        """Packets that went through the TUN."""
        return sum(counters[d]["received"] - sum(counters["fastpath"][d][p]["packets"]
                                                 for p in ("tcp", "udp", "icmp"))
                   for d in DIRECTIONS)

    def test_packets_take_it(self):
        before = self.daemon.counters()
        self.assert_ping("c4", V1, count=5)
        self.assert_ping("s1", embedded(C4), count=5)
        with TcpPair(self.lab, "c4", V1, "s1", S1) as pair:
            transfer(pair.client, pair.server, 20_000_000)
        with TcpPair(self.lab, "s1", embedded(C4), "c4", C4) as pair:
            transfer(pair.client, pair.server, 20_000_000)
        with udp_echo_server(self.lab, "s1", S1) as port:
            stream = UdpStream(self.lab, "c4", V1, port, 500)
            wait_until(lambda: stream.sent >= 100, "datagrams are sent")
            self.assertEqual(len(stream.finish()), 0)
        after = self.daemon.counters()
        for direction in DIRECTIONS:
            fast, slow = after["fastpath"][direction], before["fastpath"][direction]
            for protocol, least in (("icmp", 10), ("udp", 100), ("tcp", 100)):
                self.assertGreaterEqual(
                    fast[protocol]["packets"] - slow[protocol]["packets"], least, after)
            self.assertGreater(fast["tcp"]["bytes"] - slow["tcp"]["bytes"], 20_000_000)
            self.assertEqual(fast["lost"], 0)
            # One packet, one count: what is received is forwarded, by either path.
            one = after[direction]
            self.assertEqual(one["received"], one["forwarded"] + one["answered"]
                             + sum(one["dropped"].values()) + sum(one["rejected"].values()))
            sign = 1 if direction == "v4_to_v6" else -1
            self.assertEqual(one["forwarded_bytes"],
                             one["received_bytes"] + sign * 20 * one["forwarded"], one)
        self.assertEqual(self.by_user_space(after) - self.by_user_space(before), 0, after)

    def test_rest_is_left_to_user_space(self):
        """A packet that has to be fragmented goes through the TUN, its answer does not."""
        before = self.by_user_space(self.daemon.counters())
        self.assert_ping("c4", V1, "-M", "dont", "-s", "1452", count=1)  # F46-04
        counters = self.daemon.counters()
        self.assertEqual(self.by_user_space(counters) - before, 1, counters)
        self.assertGreater(counters["fastpath"]["v4_to_v6"]["passed"]["size"], 0)

    def test_connection_survives_reloads(self):
        with TcpPair(self.lab, "c4", V1, "s1", S1) as pair:
            for _ in range(5):
                self.daemon.reload()
                pair.client.sendall(b"more")
                self.assertEqual(pair.server.recv(100), b"more")
        counters = self.daemon.counters()
        for direction in DIRECTIONS:
            self.assertEqual(counters["fastpath"][direction]["passed"].get("stopped", 0), 0)

    def test_removed_pair_is_gone_at_once(self):
        self.daemon.reload([("192.0.2.2", "2001:db8:6::3")])
        self.addCleanup(self.daemon.reload, [(V1, S1), ("192.0.2.2", "2001:db8:6::3")])
        self.assertNotEqual(self.lab.ping("c4", V1, "-W", "1").returncode, 0)
        self.assert_ping("c4", "192.0.2.2")

    def test_crash(self):
        """No translation without a daemon, and a connection goes on with the next one."""
        with TcpPair(self.lab, "c4", V1, "s1", S1) as pair:
            self.daemon.process.kill()
            self.daemon.process.wait()
            wait_until(lambda: self.lab.ping("c4", V1, "-W", "1").returncode != 0,
                       "nothing is translated any more")
            done = self.lab.ping("s1", embedded(C4), "-W", "2")
            self.assertRegex(done.stdout, "Destination unreachable", done.stdout)
            self.daemon.start()
            self.assert_ping("c4", V1)
            transfer(pair.client, pair.server, 1_000_000)

    def test_hang(self):
        """A daemon that does nothing loses its permission in seconds, and gets it back."""
        self.daemon.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: self.lab.ping("c4", V1, "-W", "1").returncode != 0,
                       "the permission ends")
        finally:
            self.daemon.process.send_signal(signal.SIGCONT)
        wait_until(lambda: self.lab.ping("c4", V1, "-W", "1").returncode == 0, "it works again")
        passed = self.daemon.counters()["fastpath"]["v4_to_v6"]["passed"]
        self.assertGreater(passed["stopped"], 0)

    def test_stop(self):
        self.assertEqual(self.daemon.stop(), 0)
        self.assertNotEqual(self.lab.ping("c4", V1, "-W", "1").returncode, 0)
        self.assertNotIn("xlat646", self.lab.check("gw", "tc", "filter", "show", "dev", "v4",
                                                   "ingress"))


class Neighbours(LabTestCase):
    """Somebody else's filters were there first, and stay."""

    config = {"fastpath": BOTH}

    @classmethod
    def prepare(cls):
        cls.lab.check("gw", "tc", "qdisc", "add", "dev", "v4", "clsact")
        for priority in ("1", "1000"):
            cls.lab.check("gw", "tc", "filter", "add", "dev", "v4", "ingress", "prio", priority,
                          *THEIRS)

    def filters(self):
        return self.lab.check("gw", "tc", "filter", "show", "dev", "v4", "ingress")

    def test_they_stay(self):
        self.assert_ping("c4", V1)
        self.assertGreater(self.daemon.counters()["fastpath"]["v4_to_v6"]["icmp"]["packets"], 0)
        self.daemon.stop()
        for text in ("pref 1 bpf", "pref 1000 bpf"):
            self.assertIn(text, self.filters())
        self.daemon.start()


class Starting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)

    def daemon(self, fastpath):
        daemon = Daemon(self.lab, fastpath=fastpath)
        self.addCleanup(daemon.remove)
        return daemon

    def test_on_must_work(self):
        for interfaces in (["v4", "nosuch"], ["lo"], []):
            with self.subTest(interfaces=interfaces):
                done = self.lab.run("gw", *self.daemon({"mode": "on", "interfaces": interfaces})
                                    .command())
                self.assertEqual(done.returncode, EX_CONFIG, done.stderr)
                self.assertIn(interfaces[-1] if interfaces else "fastpath.interfaces", done.stderr)
                self.assertNotEqual(self.lab.ping("c4", V1, "-W", "1").returncode, 0)

    def test_auto_does_what_it_can(self):
        daemon = self.daemon({"mode": "auto", "interfaces": ["v4", "nosuch", "lo"]}).start()
        for word in ("nosuch", "lo"):
            self.assertRegex(daemon.log(), rf"no fast path for packets from {word}: ")
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        counters = daemon.counters()
        self.assertGreater(counters["fastpath"]["v4_to_v6"]["icmp"]["packets"], 0)
        self.assertEqual(counters["fastpath"]["v6_to_v4"]["icmp"]["packets"], 0)
        self.assertGreater(counters["v6_to_v4"]["forwarded"], 0)

    def test_auto_where_packets_would_be_lost(self):
        """A reverse path filter drops what a pair sends after its translation: a strict one, and a
        loose one where there is no IPv4 address."""
        self.addCleanup(lambda: self.lab.sysctl("gw", **{"net.ipv4.conf.v6.rp_filter": 0}))
        for value in (1, 2):
            with self.subTest(rp_filter=value):
                self.lab.sysctl("gw", **{"net.ipv4.conf.v6.rp_filter": value})
                daemon = self.daemon({"mode": "auto", "interfaces": ["v4", "v6"]}).start()
                self.assertRegex(daemon.log(), "no fast path for packets from v6: .*rp_filter.*"
                                               r"sysctl -w net\.ipv4\.conf\.v6\.rp_filter=0")
                self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
                self.lab.sysctl("gw", **{"net.ipv4.conf.v6.rp_filter": 0})
                daemon.wait_log("fast path: at the ingress of v6")
                self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
                self.assertEqual(daemon.stop(), 0)

    def test_loose_filter_with_an_address(self):
        """It lets pass what it should."""
        self.lab.sysctl("gw", **{"net.ipv4.conf.v6.rp_filter": 2})
        self.addCleanup(lambda: self.lab.sysctl("gw", **{"net.ipv4.conf.v6.rp_filter": 0}))
        self.lab.ip("gw", "addr add 203.0.113.77/32 dev v6")
        self.addCleanup(lambda: self.lab.ip("gw", "addr del 203.0.113.77/32 dev v6"))
        daemon = self.daemon({"mode": "auto", "interfaces": ["v4", "v6"]}).start()
        self.assertNotIn("no fast path", daemon.log())
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        self.assertGreater(daemon.counters()["fastpath"]["v6_to_v4"]["icmp"]["packets"], 0)

    def test_off(self):
        daemon = self.daemon({"mode": "off", "interfaces": ["v4", "v6"]}).start()
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        self.assertNotIn("fastpath", daemon.counters())


class Watching(unittest.TestCase):
    """Interfaces that vanish, come back, or appear later."""

    def setUp(self):
        self.lab = Lab()
        self.addCleanup(self.lab.close)

    def connect(self):
        """The cable between r4 and gw, as lab.py makes it."""
        self.lab.veth("r4", "core", "gw", "v4")
        self.lab.ip("r4", "addr add 203.0.113.1/24 dev core", f"route add default via {GW4}")
        self.lab.ip("gw", f"addr add {GW4}/24 dev v4",
                    "route add 198.51.100.0/24 via 203.0.113.1")

    def start(self, mode, *interfaces):
        daemon = Daemon(self.lab, fastpath={"mode": mode, "interfaces": interfaces},
                        readiness=WITHOUT_PINGS)
        self.addCleanup(daemon.remove)
        return daemon.start()

    def by_fast_path(self, daemon):
        return daemon.counters()["fastpath"]["v4_to_v6"]["icmp"]["packets"]

    def test_vanishes_and_comes_back(self):
        for mode in ("auto", "on"):
            with self.subTest(mode=mode):
                daemon = self.start(mode, "v4", "v6")
                self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
                for _ in range(2):
                    start = len(daemon.log())
                    self.lab.ip("gw", "link del v4")
                    daemon.wait_log("fast path: no longer at the ingress of v4", start)
                    daemon.wait_log("no fast path for packets from v4: no interface v4", start)
                    self.connect()
                    daemon.wait_log("fast path: at the ingress of v4", start)
                    before = self.by_fast_path(daemon)
                    self.assertEqual(self.lab.ping("c4", V1, count=3).returncode, 0)
                    self.assertEqual(self.by_fast_path(daemon), before + 3)
                    # What goes on for hours is not said each second.
                    log = daemon.log()[start:]
                    self.assertEqual(log.count("no interface v4"), 1, log)
                daemon.stop()

    def test_appears_later(self):
        self.lab.ip("gw", "link del v4")
        daemon = self.start("auto", "v4", "v6")
        self.assertIn("no fast path for packets from v4: no interface v4", daemon.log())
        self.connect()
        daemon.wait_log("fast path: at the ingress of v4")
        self.assertEqual(self.lab.ping("c4", V1, count=3).returncode, 0)
        self.assertEqual(self.by_fast_path(daemon), 3)

    def test_renamed(self):
        """The name is what was configured; another interface of that name is served."""
        daemon = self.start("auto", "v4", "v6")
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        start = len(daemon.log())
        self.lab.ip("gw", "link set v4 down", "link set v4 name other", "link set other up",
                    "route add 198.51.100.0/24 via 203.0.113.1")
        daemon.wait_log("fast path: no longer at the ingress of v4", start)
        before = self.by_fast_path(daemon)
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        self.assertEqual(self.by_fast_path(daemon), before)
        self.lab.ip("gw", "link set other down", "link set other name v4", "link set v4 up",
                    "route add 198.51.100.0/24 via 203.0.113.1")
        daemon.wait_log("fast path: at the ingress of v4", start)
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        self.assertGreater(self.by_fast_path(daemon), before)


class Captured(Capturing):
    everything = []

    def by_fast_path(self):
        """Whether a ping now goes that way."""
        def count():
            return self.status()["counters"]["fastpath"]["v4_to_v6"]["icmp"]["packets"]
        before = count()
        self.assert_ping("c4", V1, count=1)
        return count() > before

    def test_unseen(self):
        process = self.start()
        self.assertTrue(self.by_fast_path())
        err, got = self.finish(process)
        self.assertIn("the fast path is on; what it translates is not seen here", err)
        self.assertRegex(err, r"about \d+ packets unseen in the fast path")
        self.assertEqual(got, [])

    def test_it_stands_aside_until_the_end(self):
        for number in (signal.SIGINT, signal.SIGKILL):
            with self.subTest(number):
                self.assertTrue(self.by_fast_path())
                process = self.start("--without-fastpath")
                self.assertFalse(self.by_fast_path())
                self.assertIn("stands aside while a capture runs", self.command("status").stdout)
                self.assertEqual(self.command("reload").returncode, 0)
                self.assertFalse(self.by_fast_path())
                if number == signal.SIGINT:
                    err, got = self.finish(process, number)
                    self.assertNotIn("fast path", err)
                    self.assertEqual([p.pair for p in got], [1, 1, 2, 2, 3, 3, 4, 4])
                process.kill()
                wait_until(self.by_fast_path, "the fast path")
                self.assertEqual(self.status()["fastpath"]["why_not"], "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
