# SPDX-License-Identifier: BSD-2-Clause
"""A node with FRR, as routing-hooks/frr has it, and its two routers, which are BIRD and know the
way to it from OSPF alone."""

import os
import unittest

from bird import Bird, router, routes
from control_test import Command
from frr import Frr, need_frr
from lab import C4, GW4, PREFIX6, READINESS, S1, V1, LabTestCase, embedded
from netns import LabError, need_tools, wait_until

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../routing-hooks/frr")
OWNED = "192.0.2.0/24"
P = f"{PREFIX6}/96"
OWN6 = "2001:db8:46:ff::1"
# A route that the operator wants the node to have. Whose it is does not matter; nobody announces it.
REQUIRED = "198.18.0.0/15"

# Another node, which nobody prefers.
OTHER_ID = "10.255.0.9"
OTHER = """
protocol static other4 { ipv4; route %s unreachable {
  ospf_metric1 = 1000; ospf_tag = 64646; }; }
protocol ospf v2 {
  ipv4 { import none; export where proto = "other4"; };
  area 0 { interface "eth0" { type ptp; hello 1; dead 4; }; };
}
"""


def example():
    """With the changes that its head asks for; the prefixes and the router id are the lab's."""
    with open(os.path.join(EXAMPLE, "frr.conf"), encoding="utf-8") as file:
        text = file.read()
    for theirs, ours in (("interface eth0\n", "interface v4\n"),
                         ("interface eth1\n", "interface v6\n")):
        if text.count(theirs) != 1:
            raise LabError(f"frr.conf: no {theirs}")
        text = text.replace(theirs, ours)
    return text


def documented(heading):
    """The commands of a paragraph of the README, one a line."""
    with open(os.path.join(EXAMPLE, "README.md"), encoding="utf-8") as file:
        text = file.read()
    block = text.split(f"\n{heading}:\n\n", 1)[1].split("\n\n", 1)[0]
    return [line.strip() for line in block.splitlines()]


class FrrTestCase(Command, LabTestCase):
    config = {"routes": {"table": 646},
              "readiness": {**READINESS, "require": [{"route": REQUIRED}]}}
    devices = "core"

    @classmethod
    def setUpClass(cls):
        need_tools("bird", "birdc")
        need_frr()
        super().setUpClass()

    @classmethod
    def prepare(cls):
        lab = cls.lab
        # What else the routers know would hide what OSPF tells them.
        lab.ip("r4", "route del default")
        lab.ip("r6", "route del default via 2001:db8:a::2")
        lab.ip("gw", f"route add {REQUIRED} via 203.0.113.1")
        for command in documented("Once, and after each boot"):
            lab.check("gw", *command.split())
        cls.frr = Frr(lab, "gw", example())
        cls.addClassCleanup(cls.frr.remove)
        cls.frr.start()
        cls.routers = {}
        for role, number in (("r4", 4), ("r6", 6)):
            cls.routers[role] = router(lab, role, f"10.255.0.{number}", cls.devices)
            cls.addClassCleanup(cls.routers[role].remove)
            cls.routers[role].start()

    def setUp(self):
        if self.daemon.process.poll() is not None:
            self.daemon.start()
        self.wait_announced()

    def known(self):
        """What the routers have learnt."""
        return (routes(self.lab, "r4", 4) - {"203.0.113.0/24"},
                routes(self.lab, "r6", 6) - {"2001:db8:a::/64"})

    def wait_known(self, ipv4, ipv6):
        try:
            wait_until(lambda: self.known() == (ipv4, ipv6), "the routes", 60, 0.2)
        except LabError as error:
            shown = self.frr.vtysh("show ip route", "show ipv6 route", "show ip ospf neighbor",
                                   "show ipv6 ospf6 neighbor")
            raise LabError(f"{error}: {self.known()}\n{shown}\n{self.frr.log()}") from None

    def wait_announced(self):
        self.wait_known({OWNED}, {P, OWN6})

    def wait_withdrawn(self):
        self.wait_known(set(), set())

    def kill(self):
        self.daemon.process.kill()
        self.daemon.process.wait()


class Node(FrrTestCase):
    def test_kill(self):
        """RT-03: no carrier, no route; RT-17: BFD is up."""
        self.assert_ping("c4", V1)
        self.assert_ping("s1", embedded(C4))
        wait_until(lambda: self.frr.vtysh("show bfd peers brief").count(" up ") == 2,
                   "both BFD sessions are up", 60, 0.2)
        self.kill()
        self.wait_withdrawn()
        self.daemon.start()
        self.wait_announced()
        self.assert_ping("c4", V1)
        self.assert_ping("s1", embedded(C4))

    def test_not_ready(self):
        """A daemon that lives and has its TUN, but lacks what is required."""
        self.lab.ip("gw", f"route del {REQUIRED}")
        try:
            self.wait_withdrawn()
            self.assertIsNone(self.daemon.process.poll())
            self.assertIn(REQUIRED, self.command("status").stdout)
        finally:
            self.lab.ip("gw", f"route add {REQUIRED} via 203.0.113.1")
        self.wait_announced()
        self.assert_ping("c4", V1)

    def test_stop(self):
        """Withdrawn, and nothing that still comes loops: RT-12."""
        self.assertEqual(self.daemon.stop(), 0)
        self.wait_withdrawn()
        for target in (V1, "192.0.2.77", embedded(C4), OWN6):
            done = self.lab.run("gw", "ip", "route", "get", target)
            # EHOSTUNREACH is what `unreachable` says; no route at all would be ENETUNREACH.
            self.assertIn("No route to host", done.stderr, target)
        self.daemon.start()
        self.wait_announced()

    def test_unmapped_of_the_pool(self):
        """RT-12: the whole pool leads to the translator, which refuses; no loop."""
        done = self.lab.ping("c4", "192.0.2.77")
        self.assertIn("From 192.0.2.", done.stdout)
        self.assertIn("Packet filtered", done.stdout)

    def test_type_and_tag(self):
        """RT-05, RT-06: as BIRD's nodes announce."""
        for role, protocol, prefix in (("r4", "ospf4", OWNED), ("r6", "ospf6", P)):
            shown = self.routers[role].birdc("show", "route", "all", prefix).stdout
            self.assertRegex(shown, rf"\[{protocol} .*\] \* E1 \(150/30\) \[fc86\] \[10\.255\.0\.1\]")
            self.assertIn("OSPF.metric1: 30", shown)  # 20, and 10 for the link
            self.assertIn("OSPF.tag: 0x0000fc86", shown)

    def test_stray_routes(self):
        """RT-13: other static routes are not announced, whether into the TUN, of the pool, or
        neither. The marks are permitted and come after them: when they have arrived, so would
        have the strays."""
        strays = ["ip route 198.51.102.0/24 blackhole", "ip route 192.0.2.128/25 xlat646",
                  "ip route 198.51.103.0/24 xlat646", "ipv6 route 2001:db8:bad::/48 blackhole",
                  "ipv6 route 2001:db8:46::c000:200/120 xlat646",
                  "ipv6 route 2001:db8:bad:1::/64 xlat646"]
        marks = ["ip route 198.51.104.0/24 xlat646", "ipv6 route 2001:db8:600d::/48 xlat646"]
        lists = ["ip prefix-list XLAT646-V4 seq 99 permit 198.51.104.0/24",
                 "ipv6 prefix-list XLAT646-V6 seq 99 permit 2001:db8:600d::/48"]
        try:
            self.frr.vtysh("configure terminal", *lists, *strays, *marks)
            self.wait_known({OWNED, "198.51.104.0/24"}, {P, OWN6, "2001:db8:600d::/48"})
            shown = self.frr.vtysh("show ip route static", "show ipv6 route static")
            for stray in strays:
                self.assertRegex(shown, rf"S>\*? +{stray.split()[2]} ")
        finally:
            self.frr.vtysh("configure terminal", *(f"no {c}" for c in (*marks, *strays, *lists)))
        self.wait_announced()

    def test_drain(self):
        """RT-20, but for FRR's restart: withdrawn; what comes all the same is translated."""
        self.shell(documented("Drain"))
        try:
            self.wait_withdrawn()
            self.lab.ip("r4", f"route add {V1} via {GW4}")
            self.lab.ip("r6", "route add default via 2001:db8:a::2")
            try:
                self.assert_ping("c4", V1)
            finally:
                self.lab.ip("r4", f"route del {V1} via {GW4}")
                self.lab.ip("r6", "route del default via 2001:db8:a::2")
        finally:
            self.shell(documented("Undrain"))
        self.wait_announced()

    def shell(self, commands):
        for command in commands:
            self.lab.check("gw", *self.frr.command("sh", "-c", command))

    def test_restart_of_frr(self):
        """Here FRR finds a TUN with carrier when it starts."""
        self.frr.stop()
        self.wait_withdrawn()
        self.frr.start()
        self.wait_announced()
        self.assert_ping("c4", V1)


class SecondNode(FrrTestCase):
    """Somebody else announces the same pool (c4 plays it)."""

    devices = "*"

    @classmethod
    def prepare(cls):
        other = Bird(cls.lab, "c4", OTHER_ID, OTHER % OWNED)
        cls.addClassCleanup(other.remove)
        other.start()
        super().prepare()

    def next_hop(self):
        return self.lab.ip_output("r4", f"route show {OWNED}").split()[2:3]

    def known(self):
        known4, known6 = super().known()
        return known4 & {OWNED}, known6 & {P, OWN6}

    def test_kill(self):
        wait_until(lambda: f"O   {OWNED} [110/1020]" in self.frr.vtysh("show ip route"),
                   "FRR has heard of the other node", 60, 0.2)
        wait_until(lambda: self.next_hop() == [GW4], "the nearer node is preferred")
        self.kill()
        wait_until(lambda: self.next_hop() == [C4], "the other node takes over", 60, 0.2)
        # This one does not send to the other what has strayed to it.
        wait_until(lambda: f"unreachable {OWNED}" in self.lab.ip_output("gw", "route show"),
                   "the route that refuses")
        self.daemon.start()
        wait_until(lambda: self.next_hop() == [GW4], "this node is back", 60, 0.2)


if __name__ == "__main__":
    unittest.main()
