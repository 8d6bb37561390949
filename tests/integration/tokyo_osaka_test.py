# SPDX-License-Identifier: BSD-2-Clause
"""Several nodes, a core of four routers with BIRD, and a segment over two sites (the topology of
examples/tokyo-osaka): what happens to a node breaks no connection. How long the gaps are is
measured by examples/tokyo-osaka/gaps.py and judged by nobody here."""

import os
import sys
import time
import unittest

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/tokyo-osaka")
sys.path.insert(0, EXAMPLE)

# pylint: disable=wrong-import-position
import events
from load import DIRECTIONS, Chats, Load, Stream
from netns import wait_until
from topology import CORE4, CORE6, POOL, PREFIX, SERVERS, Topology
from view import View

# CPUs may be busy with other tests; how fast a node is withdrawn is not judged here.
PATIENT = {"readiness": {"failures": 10}, "bfd_ms": 300}


class TwoSites(unittest.TestCase):
    """Two nodes with equal cost, a third one that does not run."""

    @classmethod
    def setUpClass(cls):
        cls.net = Topology(3, **PATIENT)
        cls.addClassCleanup(cls.net.close)
        cls.net.start_nodes(2)

    def struck(self, event, check=lambda: None, all_arrive=False):
        """100 connections and streams in both directions are there before, during and after it."""
        load = Load(self.net, ("tokyo", "osaka"))
        try:
            begin = load.now()
            event.strike(self.net)
            try:
                check()
            finally:
                event.recover(self.net)
            time.sleep(0.5)  # what the core does now, it does with packets on their way
            end = load.now()
        finally:
            results = load.finish()
        self.assertEqual(results["chats"]["connections"], 100)
        self.assertEqual(load.broken(), [])
        for direction, window in load.window(begin, end).items():
            self.assertGreater(results["streams"][direction]["bytes"], 0)
            self.assertEqual(results["datagrams"][direction]["twice"], 0)
            if all_arrive:
                self.assertEqual(window["lost"], 0, direction)

    def event(self, name):
        return next(e for e in events.EVENTS if e.name == name)

    def assert_announced(self, *names):
        """And used. Soon: a router's view is as old as its last calculation."""
        for role in CORE4 + CORE6:
            wait_until(lambda r=role: set(self.net.advertised(r)) == set(names),
                       f"{role} hears {names}")
        self.net.wait_used(names)

    def test_kill(self):
        """RT-03, DC-05: the loss of a node is an event of routing and of nothing else."""
        self.struck(self.event("kill -9 of the daemon"), lambda: self.assert_announced("osaka"))
        self.assert_announced("tokyo", "osaka")

    def test_stopped(self):
        """RT-29."""
        self.struck(self.event("SIGSTOP of the daemon"), lambda: self.assert_announced("osaka"))

    def test_drain_and_undrain(self):
        """RT-20, RT-21: not a packet is lost, in either direction, in neither of the two."""
        self.struck(self.event("drain"), lambda: self.assert_announced("osaka"), all_arrive=True)
        self.assert_announced("tokyo", "osaka")

    def test_link_cut(self):
        """RT-17: no carrier is lost, BFD notices; the node goes on, by its other links."""
        def check():
            used = {role: self.net.used(role) for role in CORE4 + CORE6}
            self.assertEqual([used["r4t"], used["r6t"]], [{"osaka"}] * 2)
            self.assertEqual([used["r4o"], used["r6o"]], [{"tokyo", "osaka"}] * 2)
            for role in CORE4 + CORE6:
                self.assertEqual(set(self.net.advertised(role)), {"tokyo", "osaka"})
        self.struck(events.Event("one link of each side cut", *events.cut("r4t", "r6t")), check)

    def test_third_node(self):
        """RT-07, DC-03: flows are spread over equal nodes; RT-21: one more or less is free."""
        def shares():
            before = self.net.received("v4_to_v6")
            time.sleep(1)
            after = self.net.received("v4_to_v6")
            for name, count in before.items():
                self.assertGreater(after[name] - count, 10, f"{name} has no part in 100 flows")
            return set(before)

        def check():
            self.assert_announced("tokyo", "osaka", "tokyo2")
            self.assertEqual(shares(), {"tokyo", "osaka", "tokyo2"})
        self.struck(self.event("node added"), check, all_arrive=True)
        self.assert_announced("tokyo", "osaka")

    def test_flapping(self):
        """RT-19: drained and undrained faster than LSAs may follow each other."""
        tool = self.net.nodes["tokyo"].tool
        for _ in range(4):
            tool("drain")
            time.sleep(0.5)
            tool("undrain")
            time.sleep(0.5)
        time.sleep(6)  # MinLSInterval is five: nothing late follows
        self.assert_announced("tokyo", "osaka")

    def test_different_tables(self):
        """Operations go on, and whoever looks sees it."""
        view = View(self.net)
        self.assertNotIn("DIFFER", view.text())

        def check():
            self.assertEqual(sorted(self.net.digests().values()), [["osaka"], ["tokyo"]])
            self.assertRegex(view.text(),
                             "THE TABLES DIFFER: tokyo [0-9a-f]{16}; osaka [0-9a-f]{16}")
        self.struck(self.event("different tables"), check, all_arrive=True)
        self.assertNotIn("DIFFER", view.text())
        for shown in (POOL, PREFIX, "osaka (20), tokyo (20)"):
            self.assertIn(shown, view.text())

    def test_server_moves(self):
        """From the Tokyo segment to that of Osaka: the same pair, the same connections."""
        pair = SERVERS["s1"][:2]
        streams = [Stream(self.net, d, 0, 7100, 50) for d in DIRECTIONS]
        chats = Chats(self.net, 30)
        time.sleep(0.5)
        self.net.move("s1", 1)
        self.addCleanup(self.net.move, "s1", 0)
        done = self.net.run("client", "ping", "-n", "-c", "50", "-i", "0.1", "-W", "5", pair[0])
        self.assertRegex(done.stdout, f"bytes from {pair[0]}")
        self.assertIn("s1", self.net.ip_output("swo", "-o link show master lan"))
        self.assertNotIn("s1", self.net.ip_output("swt", "-o link show master lan"))
        self.assertEqual(chats.finish()["broken"], [])
        for stream in streams:
            result = stream.finish()
            self.assertEqual(result["broken"], [])
            self.assertGreater(result["bytes"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
