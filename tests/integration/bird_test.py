# SPDX-License-Identifier: BSD-2-Clause
"""One node with BIRD, and its two routers, which know the way to it from OSPF alone: r4 by OSPFv2,
r6 by OSPFv3. RT-01, RT-02, RT-12."""

import contextlib
import os
import re
import signal
import stat
import subprocess
import tempfile
import time
import unittest

from bird import NodeBird, router, routes
from control_test import Command
from lab import (C4, GW4, PREFIX6, S1, S2, V1, V2, LabTestCase, command_path, embedded,
                 mapping_yaml, socket_of)
from netns import LabError, need_tools, wait_until
from restart_test import Adopted

OWNED = "192.0.2.0/24"
P = f"{PREFIX6}/96"
PASSWORD = "open, sesame; { }"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class BirdTestCase(Command, LabTestCase):
    """The daemon's files are made before it is started: BIRD's lie beside them."""

    routing = {}
    pairs = [(V1, S1), (V2, S2)]

    @classmethod
    def setUpClass(cls):
        need_tools("bird", "birdc")
        super().setUpClass()

    @classmethod
    def prepare(cls):
        lab, daemon = cls.lab, cls.daemon
        # What else the routers know would hide what OSPF tells them.
        lab.ip("r4", "route del default")
        lab.ip("r6", "route del default via 2001:db8:a::2")
        cls.password_file = os.path.join(daemon.directory, "password.conf")
        cls.write_password()
        cls.bird = NodeBird(
            daemon, "10.255.0.1",
            [{"name": "v4", "family": "ipv4"}, {"name": "v6", "family": "ipv6"}],
            password_file=cls.password_file, **cls.routing)
        cls.addClassCleanup(cls.bird.remove)
        cls.include, cls.settings = cls.bird.include, cls.bird.settings
        daemon.write_config(**{**cls.settings, **cls.config})
        cls.tool("bird-config", "--install", cls.include)
        cls.bird.start()
        cls.routers = {}
        timers = cls.routing.get("hello", 5), cls.routing.get("dead", 20)
        for role, number, device in (("r4", 4, "core"), ("r6", 6, "core")):
            made = router(lab, role, f"10.255.0.{number}", device, PASSWORD, *timers)
            cls.addClassCleanup(made.remove)
            cls.routers[role] = made.start()

    @classmethod
    def write_password(cls, text=f'define XLAT646_PASSWORD = "{PASSWORD}";\n'):
        with open(cls.password_file, "w", encoding="utf-8") as file:
            file.write(text)

    @classmethod
    def tool(cls, *words, good=True):
        done = subprocess.run([command_path(), *words, "--config", cls.daemon.config_path],
                              capture_output=True, text=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL)
        if good and done.returncode != 0:
            raise LabError(f"{words}: status {done.returncode}\n{done.stdout}{done.stderr}\n"
                           f"{cls.bird.log()}")
        return done

    def known(self):
        """What the routers have learnt."""
        return (routes(self.lab, "r4", 4) - {"203.0.113.0/24"},
                routes(self.lab, "r6", 6) - {"2001:db8:a::/64"})

    def wait_known(self, ipv4, ipv6, timeout=30):
        try:
            wait_until(lambda: self.known() == (set(ipv4), set(ipv6)), "the routes", timeout, 0.2)
        except LabError as error:
            raise LabError(f"{error}: {self.known()}\n{self.bird.log()}\n"
                           f"{self.bird.birdc('show', 'ospf', 'neighbors').stdout}") from None

    @contextlib.contextmanager
    def stubborn_ping(self):
        """Comes to the node whatever it announces."""
        self.lab.ip("r4", f"route add {V1} via {GW4}")
        self.lab.ip("r6", "route add default via 2001:db8:a::2")
        ping = self.lab.start("c4", "ping", "-q", "-i", "0.01", V1, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            ping.kill()
            ping.wait()
            self.lab.ip("r4", f"route del {V1} via {GW4}")
            self.lab.ip("r6", "route del default via 2001:db8:a::2")

    def routing_status(self):
        return self.status()["routing"]

    def hook_status(self, event):
        return next(h for h in self.status()["hooks"] if h["event"] == event)

    def hook_runs(self, event, runs):
        """Waits until the hook of an event has ended so many times."""
        return wait_until(lambda: (h := self.hook_status(event))["runs"] >= runs and h,
                          f"{event} has run {runs} times", 60, 0.1)


class Pool(BirdTestCase):
    """With a pool: exactly it, its pairs or not (RT-11); with passwords (RT-16), hello 5, BFD."""

    routing = {"pool": [OWNED]}

    def setUp(self):
        self.announced = {OWNED}, {P, "2001:db8:46:ff::1"}
        if self.daemon.process.poll() is not None:
            self.daemon.start()
        self.wait_known(*self.announced)

    def test_kill(self):
        """RT-03: no carrier, no route; RT-17: BFD is up."""
        self.assert_ping("c4", V1)
        self.assert_ping("s1", embedded(C4))
        wait_until(lambda: self.bird.birdc("show", "bfd", "sessions").stdout.count(" Up ") == 2,
                   "both BFD sessions are up", 60, 0.2)
        self.assertNotRegex(self.bird.log(), "(?i)invalid|error|warn")
        self.daemon.process.kill()
        self.daemon.process.wait()
        self.wait_known([], [])
        self.daemon.start()
        self.wait_known(*self.announced)
        self.assert_ping("c4", V1)

    def test_carrier(self):
        """RT-03: a TUN without carrier, though it is there and up, is no reason to announce."""
        self.lab.ip("gw", "link set xlat646 carrier off")
        try:
            wait_until(lambda: OWNED not in self.bird.birdc("show", "route").stdout,
                       "BIRD has seen that the carrier is gone", 30, 0.02)
        finally:
            self.lab.ip("gw", "link set xlat646 carrier on")
        self.wait_known(*self.announced)

    def test_type_and_tag(self):
        """RT-05, RT-06: external type 1, and a tag that the other nodes know."""
        for role, protocol, prefix in (("r4", "ospf4", OWNED), ("r6", "ospf6", P)):
            shown = self.routers[role].birdc("show", "route", "all", prefix).stdout
            self.assertRegex(shown, rf"\[{protocol} .*\] \* E1 \(150/30\) \[fc86\] \[10\.255\.0\.1\]")
            self.assertIn("OSPF.metric1: 30", shown)  # 20, and 10 for the link
            self.assertIn("OSPF.tag: 0x0000fc86", shown)

    def test_stray_routes(self):
        """RT-13: what others have put into BIRD's tables is not announced, not even in the pool."""
        text = read(self.bird.config_path)
        self.bird.write(text + "protocol static stray { ipv4; route 198.18.0.0/15 unreachable;\n"
                               "route 192.0.2.128/25 unreachable; }\n")
        try:
            self.assertEqual(self.bird.birdc("configure").returncode, 0)
            self.assertIn("198.18.0.0/15", self.bird.birdc("show", "route").stdout)
            exported = self.bird.birdc("show", "route", "export", "xlat646_ospf4").stdout
            self.assertIn(OWNED, exported)
            self.assertNotIn("198.18.0.0/15", exported)
            self.assertNotIn("192.0.2.128/25", exported)
        finally:
            self.bird.write(text)
            self.bird.birdc("configure")

    def test_unmapped_of_the_pool(self):
        """RT-12: the node routes the whole pool to its translator, which refuses; no loop."""
        done = self.lab.ping("c4", "192.0.2.77")
        self.assertIn(f"From {V1.rsplit('.', 1)[0]}.", done.stdout)
        self.assertIn("Packet filtered", done.stdout)

    def test_drain(self):
        """RT-20: withdrawn, and still so after configure and restarts of both; translates on."""
        self.assertFalse(self.routing_status()["draining"])
        done = self.tool("drain")
        self.assertIn("drained", done.stdout)
        try:
            self.wait_known([], [])
            self.assertEqual(self.routing_status()["by"], "operator")
            self.assertRegex(self.command("status").stdout, r"(?m)^routing +DRAINING, by the oper")
            # Packets that come all the same are translated.
            self.lab.ip("r4", f"route add {V1} via {GW4}")
            self.lab.ip("r6", "route add default via 2001:db8:a::2")
            try:
                self.assert_ping("c4", V1)
            finally:
                self.lab.ip("r4", f"route del {V1} via {GW4}")
                self.lab.ip("r6", "route del default via 2001:db8:a::2")
            self.assertEqual(self.bird.birdc("configure").returncode, 0)
            self.daemon.stop()
            self.daemon.start()
            self.assertEqual(self.hook_runs("after_start", 1)["failures"], 0)
            self.bird.stop()
            self.bird.start()
            self.assertTrue(self.routing_status()["draining"])
            shown = self.bird.birdc("show", "protocols").stdout
            self.assertRegex(shown, r"(?m)^xlat646_v4 +Static +\S+ +down")
            self.assertEqual(self.known(), (set(), set()))
        finally:
            self.assertIn("undrained", self.tool("undrain").stdout)
        self.wait_known(*self.announced)
        self.assertFalse(self.routing_status()["draining"])

    def test_restart(self):
        """By hand-over: BIRD and the routers hear nothing of it."""
        def since():
            shown = self.bird.birdc("show", "protocols").stdout
            return re.findall(r"(?m)^(xlat646_v\d) +Static +\S+ +(up +\S+)", shown)
        before, log = since(), len(self.daemon.log())
        self.assertEqual(len(before), 2)
        with tempfile.NamedTemporaryFile("ab", prefix="xlat646-test-") as heard:
            monitor = self.lab.start("r4", "ip", "-o", "monitor", "route", stdout=heard)

            def is_heard(address):
                self.lab.ip("r4", f"route add {address} dev core", f"route del {address} dev core")
                return address in read(heard.name)
            wait_until(lambda: is_heard("10.255.255.1"), "ip monitor listens", 30, 0.2)
            self.assertEqual(self.command("restart").returncode, 0)
            self.assertEqual(self.daemon.process.wait(60), 0)
            self.daemon.process = Adopted(self.status()["pid"])
            # The hook has BIRD read its files again.
            self.daemon.wait_log("hook after_start: done", log)
            wait_until(lambda: is_heard("10.255.255.2"), "all of that is heard", 30, 0.2)
            monitor.kill()
            monitor.wait()
            self.assertNotIn("192.0.2.", read(heard.name))
        self.assertEqual(since(), before)
        self.assertEqual(self.known(), self.announced)

    def test_drain_waits(self):
        """RT-21: until hardly a packet comes, or a limit; what is left is said."""
        try:
            done = self.tool("drain", "--wait")
            self.assertRegex(done.stdout, r"(?m)^quiet after \d+ s: 0\.\d packets per second")
            with self.stubborn_ping():
                done = self.tool("drain", "--wait", "--limit", "6", good=False)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"(?m)^NOT quiet after \d+ s: \d\d+\.\d packets per sec")
        finally:
            self.tool("undrain")
        self.wait_known(*self.announced)

    def test_drain_every_second(self):
        """RT-19: routers dampen what changes so often, and learn how it has ended."""
        try:
            for wanted in (((), ()), self.announced):
                for last in range(10, 0, -1):
                    time.sleep(1)
                    self.tool("drain" if (last % 2 == 1) == (wanted == ((), ())) else "undrain")
                self.wait_known(*wanted, timeout=60)
        finally:
            self.tool("undrain")

    def test_drain_as_the_service_user(self):
        """RT-27: all it takes is BIRD's group and the directory of the drain file."""
        user, group = 64646, 64647
        socket_status = os.stat(self.bird.socket)
        directory = os.path.dirname(self.bird.drain_file)

        def drain(command, groups):
            return subprocess.run(
                ["setpriv", f"--reuid={user}", f"--regid={user}", groups, "--inh-caps=-all",
                 "--bounding-set=-all", command_path(), command, "--config",
                 self.daemon.config_path],
                capture_output=True, text=True, timeout=60, check=False)
        try:
            os.chown(self.bird.socket, -1, group)
            os.chmod(self.bird.socket, 0o660)
            os.chown(directory, user, user)
            self.assertNotEqual(drain("drain", "--clear-groups").returncode, 0)
            self.tool("undrain")
            done = drain("drain", f"--groups={group}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.wait_known([], [])
            self.assertEqual(os.stat(self.bird.drain_file).st_uid, user)
            self.assertEqual(drain("undrain", f"--groups={group}").returncode, 0)
            self.wait_known(*self.announced)
        finally:
            os.chown(directory, 0, 0)
            os.chown(self.bird.socket, socket_status.st_uid, socket_status.st_gid)
            os.chmod(self.bird.socket, stat.S_IMODE(socket_status.st_mode))
            self.tool("undrain")

    def test_drain_without_bird(self):
        """Nothing is announced then; BIRD starts drained."""
        self.bird.stop()
        self.wait_known([], [])
        try:
            self.assertIn("BIRD does not run", self.tool("drain").stdout)
            self.bird.start()
            self.assertRegex(self.bird.birdc("show", "protocols").stdout,
                             r"(?m)^xlat646_v4 +Static +\S+ +down")
        finally:
            if self.bird.process.poll() is not None:
                self.bird.start()
            self.tool("undrain")
        self.wait_known(*self.announced)

    def test_drain_with_a_broken_bird_conf(self):
        """RT-23: BIRD refuses to read its files (8002); the routes go all the same."""
        text = read(self.bird.config_path)
        self.bird.write(text + "protocol nonsense {}\n")
        try:
            done = self.tool("drain", good=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("BIRD refuses its configuration", done.stderr)
            self.assertIn("drained", done.stdout)
            self.wait_known([], [])
        finally:
            self.bird.write(text)
            self.tool("undrain")
        self.wait_known(*self.announced)

    def test_broken_file_changes_nothing(self):
        """A text that bird -p refuses, and one that only the whole bird.conf does not bear."""
        before = read(self.include)
        config = read(self.daemon.config_path)
        text = read(self.bird.config_path)
        runs = self.hook_status("after_reload")
        try:
            self.daemon.write_config(**{**self.settings, "routing": {
                **self.settings["routing"], "metric": 77}})
            self.write_password("define XLAT646_PASSWORD = ;\n")
            self.assertEqual(self.command("reload").returncode, 0)
            hook = self.hook_runs("after_reload", runs["runs"] + 1)
            self.assertEqual(hook["failures"], runs["failures"] + 1)
            self.assertEqual(hook["last"]["result"], "exit status 1")
            self.assertIn("nothing has changed", hook["last"]["said"])
            self.assertRegex(self.command("status").stdout,
                             r"(?m)^hook after_reload \d+ runs?, \d+ failed; the last FAILED")
            self.assertRegex(self.daemon.log(), r"hook after_reload: .*password\.conf:1:\d+ ")
            self.assertEqual(read(self.include), before)
            self.write_password()
            self.bird.write("define XLAT646_TAG = 1;\n" + text)
            done = self.tool("bird-config", "--install", self.include, good=False)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("BIRD refuses, nothing has changed", done.stderr)
            self.assertEqual(read(self.include), before)
            self.bird.write(text)
            self.assertEqual(self.known(), self.announced)
            # Mended: the next reload does it.
            self.assertEqual(self.command("reload").returncode, 0)
            hook = self.hook_runs("after_reload", hook["runs"] + 1)
            self.assertTrue(hook["last"]["good"], hook)
            self.assertIn("METRIC = 77", read(self.include))
            self.assertEqual([name for name in os.listdir(self.daemon.directory)
                              if name.startswith("xlat646.conf.")], [])
        finally:
            self.bird.write(text)
            self.write_password()
            with open(self.daemon.config_path, "w", encoding="utf-8") as file:
                file.write(config)
            self.tool("bird-config", "--install", self.include)

    def test_unchanged(self):
        """The same input gives the same bytes, and then BIRD is left alone."""
        done = self.tool("bird-config", "--install", self.include)
        self.assertIn("unchanged", done.stdout)
        self.assertEqual(read(self.include), self.tool("bird-config").stdout)


class Mapped(BirdTestCase):
    """Without a pool: what is mapped, aggregated; a reload changes it. The stop drains."""

    routing = {"hello": 5, "dead": 20, "site": "standby", "ttl_security": False}
    config = {"shutdown": {"drain": True, "limit": 60}, "icmp_source_pool": None}

    def announced(self, *prefixes):
        return {*prefixes, "192.0.2.254"}, {P, "2001:db8:46:ff::1"}

    def setUp(self):
        self.daemon.write_mapping(mapping_yaml(self.pairs))
        if self.daemon.process.poll() is not None:
            self.daemon.start()
        else:
            self.command("reload", "--force")
        self.wait_known(*self.announced(V1, V2))

    def test_reload(self):
        """RT-11: the hook tells BIRD, and the routers learn the fewest prefixes."""
        self.daemon.write_mapping(mapping_yaml(
            [(f"192.0.2.{n}", f"2001:db8:6::{n + 1:x}") for n in range(1, 8)]))
        self.assertEqual(self.command("reload", "--force").returncode, 0)
        self.wait_known(*self.announced(V1, "192.0.2.2/31", "192.0.2.4/30"))
        self.assertEqual(self.hook_status("after_reload")["failures"], 0)

    def test_a_failed_reload_runs_no_hook(self):
        runs = self.hook_status("after_reload")["runs"]
        self.daemon.write_mapping("version: 2\n")
        self.assertEqual(self.command("reload").returncode, 1)
        self.assertEqual(self.hook_status("after_reload")["runs"], runs)
        self.assertFalse(self.hook_status("after_reload")["running"])

    def test_stop_drains(self):
        """RT-21: SIGTERM withdraws, translates until it is quiet, and stops; a start announces."""
        start = len(self.daemon.log())
        with self.stubborn_ping():
            self.daemon.process.send_signal(signal.SIGTERM)
            self.daemon.wait_log("draining for at most 60 s", start)
            self.wait_known([], [])
            self.assertIsNone(self.daemon.process.poll())
            self.assertEqual(self.routing_status()["by"], "stop of xlat646d")
        self.daemon.wait_log("drained: 0.* packets per second still come", start)
        self.assertEqual(self.daemon.process.wait(timeout=30), 0)
        self.assertEqual(os.path.exists(socket_of(self.daemon)), False)
        self.daemon.start()
        self.wait_known(*self.announced(V1, V2))
        self.assertFalse(self.routing_status()["draining"])

    def test_second_signal(self):
        start = len(self.daemon.log())
        self.daemon.process.send_signal(signal.SIGTERM)
        self.daemon.wait_log("draining for", start)
        self.daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.process.wait(timeout=30), 0)
        self.assertNotIn("packets per second", self.daemon.log()[start:])

    def test_stop_of_a_drained_node(self):
        """What the operator has drained stays so after a stop that drains."""
        self.tool("drain")
        try:
            self.wait_known([], [])
            self.assertEqual(self.daemon.stop(), 0)
            self.daemon.start()
            self.assertEqual(self.routing_status()["by"], "operator")
            self.assertIn("drained by the operator", self.daemon.log())
        finally:
            self.tool("undrain")


if __name__ == "__main__":
    unittest.main()
