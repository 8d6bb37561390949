# SPDX-License-Identifier: BSD-2-Clause
"""The carrier of the TUN says whether this node translates (RT-28, RT-29): on only then, off
whatever it is that fails, and never on for a moment in between."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from control_test import ask
from lab import (GW4, GW6, OWN4, R6, S1, TUN, V1, Daemon, Lab, LabTestCase, command_path, embedded,
                 mapping_yaml, socket_of)
from netns import wait_until
from one_thread import stuck, threads

FAST = {"interval_ms": 100, "failures": 3, "successes": 5}
R4_CORE = "203.0.113.1"


class Link:
    """What a routing daemon on the gateway hears about the TUN."""

    def __init__(self, lab):
        self.lab = lab
        self.heard = tempfile.NamedTemporaryFile("ab", prefix="xlat646-test-")
        self.monitor = lab.start("gw", "ip", "-o", "monitor", "link", stdout=self.heard)
        self.forget()

    def _catch_up(self):
        """What it reports of a change that we make now stands behind all that has been."""
        before = self._text().count(": lo:")

        def heard():
            self.lab.ip("gw", "link set lo txqlen 77", "link set lo txqlen 78")
            return self._text().count(": lo:") > before
        wait_until(heard, "ip monitor listens")

    def _text(self):
        with open(self.heard.name, encoding="ascii") as file:
            return file.read()

    def forget(self, known=None):
        """`known`: what it has now."""
        self._catch_up()
        self.start, self.known = len(self._text()), known

    def history(self):
        """Has carrier (True) or has none (False), as often as that has changed since forget(), as
        long as the device was up."""
        self._catch_up()
        states = [self.known]
        for flags in re.findall(rf"\d+: {TUN}: <([^>]*)>", self._text()[self.start:]):
            words = flags.split(",")
            state = "LOWER_UP" in words
            if "UP" in words and states[-1] != state:
                states.append(state)
        return states[1:]

    def close(self):
        self.monitor.kill()
        self.monitor.wait()
        self.heard.close()


def watchdogs(lab):
    """The children that watch the daemons of the gateway."""
    found = []
    for process in lab.check("gw", "ip", "netns", "pids", lab.names["gw"]).split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                open(f"/proc/{process}/comm", encoding="ascii") as file:
            if file.read().strip() == "xlat646d-watch":
                found.append(int(process))
    return found


class ReadinessTestCase(LabTestCase):
    readiness = FAST

    @classmethod
    def setUpClass(cls):
        cls.config = {**cls.config, "readiness": cls.readiness}
        super().setUpClass()

    def setUp(self):
        self.link = Link(self.lab)
        self.addCleanup(self.link.close)
        if self.daemon.process.poll() is not None:
            self.daemon.start()

    def has_tun(self):
        return f"{TUN}:" in self.lab.ip_output("gw", "-o link show type tun")

    def has_carrier(self):
        found = re.search(rf"{TUN}: <([^>]*)>", self.lab.ip_output("gw", "-o link show"))
        return found is not None and "LOWER_UP" in found.group(1).split(",")

    def wait_carrier(self, wanted):
        wait_until(lambda: self.has_carrier() == wanted, f"carrier {'on' if wanted else 'off'}")

    def status(self):
        done = subprocess.run([command_path(), "status", "--json", "--socket",
                               socket_of(self.daemon)], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def wait_rounds(self, count):
        """So many rounds of probes have come to an end."""
        def ended():
            probes = self.status()["counters"]["probes"]
            return probes["answered"] + probes["failed"] + probes["excused"]
        before = ended()
        wait_until(lambda: ended() >= before + count, f"{count} rounds of probes")

    def assert_withdrawn_while(self, trouble, reason, may_blink=False):
        """`trouble` is a context manager. Withdrawn within it, without ever coming back; then
        ready again."""
        self.wait_carrier(True)
        self.link.forget(True)
        start = len(self.daemon.log())
        with trouble:
            line = self.daemon.wait_log(r"not ready any more, xlat646 is without carrier", start)
            self.assertRegex(line, reason)
            readiness = self.status()["readiness"]
            self.assertFalse(readiness["ready"])
            self.assertRegex(readiness["why_not"], reason)
            self.wait_rounds(3 * FAST["successes"])
            if may_blink:
                self.assertNotIn("ready again", self.daemon.log()[start:])
            else:
                self.assertFalse(self.has_carrier())
                self.assertEqual(self.link.history(), [False])
        self.daemon.wait_log("ready again: ", start)
        self.assertTrue(self.has_carrier())
        self.assertTrue(self.status()["readiness"]["ready"])
        if not may_blink:
            wait_until(lambda: self.link.history() == [False, True], "one change back")
        self.assert_ping("c4", V1)

    @contextlib.contextmanager
    def firewall(self, hook, rule, role="gw", device=""):
        family = "netdev" if device else "inet"
        where = f"hook {hook} device {device} priority 0" if device else f"hook {hook} priority 0"
        self.lab.check(role, "nft", f"add table {family} x46; "
                       f"add chain {family} x46 c {{ type filter {where}; }}; "
                       f"add rule {family} x46 c {rule}")
        try:
            yield
        finally:
            self.lab.check(role, "nft", f"delete table {family} x46")


class Ready(ReadinessTestCase):
    config = {"reload_guard": 0}

    def test_carrier_comes_with_the_probes_and_not_before(self):
        self.assertEqual(self.daemon.stop(), 0)
        self.assertFalse(self.has_tun())
        self.link.forget()
        self.daemon.start()
        self.assertTrue(self.has_carrier())  # when the log says so, it is so
        wait_until(lambda: self.link.history() == [False, True], "first without, then with carrier")
        self.wait_rounds(10)
        self.assertEqual(self.link.history(), [False, True])
        status = self.status()
        self.assertEqual((status["readiness"]["ready"], status["readiness"]["withdrawals"]),
                         (True, 0))
        self.assertGreater(status["counters"]["probes"]["answered"], 10)
        # The daemon's own pings are no traffic.
        self.assertEqual([status["counters"][d]["received"] for d in ("v4_to_v6", "v6_to_v4")],
                         [0, 0])
        text = subprocess.run([command_path(), "status", "--socket", socket_of(self.daemon)],
                              capture_output=True, text=True, timeout=60, check=False).stdout
        self.assertRegex(text, r"(?m)^ready +yes, since \S+Z \(\d+ s\), 0 withdrawals$")

    def test_no_carrier_at_a_bad_start(self):
        self.assertEqual(self.daemon.stop(), 0)
        self.link.forget()
        self.daemon.write_mapping("version: 1\nmappings:\n  - { ipv4: 1.2.3, ipv6: x }\n")
        self.daemon.start(wait=False)
        self.assertEqual(self.daemon.process.wait(60), 78)
        self.assertEqual(self.link.history(), [])
        self.daemon.write_mapping(mapping_yaml([(V1, S1)]))

    def test_stop_withdraws_first(self):
        self.link.forget(True)
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(self.link.history(), [False])

    def test_firewall(self):
        for hook, rule, reason in (
                ("input", f"iifname {TUN} icmpv6 type echo-request drop", "does not come out"),
                ("input", f"iifname {TUN} icmp type echo-reply drop", "the answer of .* does not"),
                ("output", f"ip daddr {OWN4} drop", "cannot send|does not come out"),
                ("output", f"oifname {TUN} meta nfproto ipv6 drop", "cannot send|the answer of")):
            with self.subTest(hook=hook, rule=rule):
                self.assert_withdrawn_while(self.firewall(hook, rule), reason)

    def test_what_shows_with_carrier_only(self):
        """A drop between firewall and queue: found by the first ping after the carrier came on."""
        self.assert_withdrawn_while(self.firewall("egress", "meta protocol ip drop", device=TUN),
                                    "does not come out", may_blink=True)

    def test_routes_removed_by_hand(self):
        @contextlib.contextmanager
        def without(*route):
            self.lab.ip("gw", "route del " + " ".join(route))
            try:
                yield
            finally:
                self.daemon.reload()  # which repairs them
        self.assert_withdrawn_while(without(OWN4, "dev", TUN), f"{OWN4} is not routed to {TUN}")
        self.assert_withdrawn_while(without(f"{embedded('0.0.0.0')}/96", "dev", TUN),
                                    f"is not routed to {TUN}")

    def test_no_address_of_its_own(self):
        @contextlib.contextmanager
        def without(device, address, *routes):
            self.lab.ip("gw", f"addr del {address} dev {device}")
            try:
                yield
            finally:
                self.lab.ip("gw", f"addr add {address} dev {device}"
                            + (" nodad" if ":" in address else ""), *routes)
        self.assert_withdrawn_while(
            without("v6", f"{GW6}/64", f"route replace 2001:db8:6::/64 via {R6}"),
            "no IPv6 address to probe from")
        self.assert_withdrawn_while(
            without("v4", f"{GW4}/24", f"route replace 198.51.100.0/24 via {R4_CORE}"),
            "no IPv4 address to probe from|cannot send|not routed")

    def test_outsiders_cannot_answer(self):
        """With the TUN's way cut, whoever else answers pings of own4 does not help."""
        self.lab.ip("r4", f"addr add {OWN4}/32 dev core")
        self.addCleanup(self.lab.ip, "r4", f"addr del {OWN4}/32 dev core")

        @contextlib.contextmanager
        def stolen():
            self.lab.ip("gw", f"route del {OWN4} dev {TUN}", f"route add {OWN4} via {R4_CORE}")
            try:
                self.assertEqual(self.lab.ping("gw", OWN4).returncode, 0)
                yield
            finally:
                self.lab.ip("gw", f"route del {OWN4} via {R4_CORE}")
                self.daemon.reload()
        self.assert_withdrawn_while(stolen(), f"{OWN4} is not routed to {TUN} but to v4")

    def test_stuck_worker(self):
        process = self.daemon.process.pid
        (worker,) = [t for t, name in threads(process).items() if name == "worker 0"]
        self.assert_withdrawn_while(stuck(process, worker),
                                    r"worker 1 of \d+ does not translate a probe")

    def test_link_down_by_hand(self):
        """The kernel forgets the routes with it; whoever sets it up again must reload."""
        self.lab.ip("gw", f"link set {TUN} down")
        start = len(self.daemon.log())
        self.lab.ip("gw", f"link set {TUN} up")
        self.wait_carrier(False)
        self.daemon.reload()
        self.daemon.wait_log("ready again: ", start)
        self.assert_ping("c4", V1)


class Require(ReadinessTestCase):
    readiness = {**FAST, "require": [{"ping4": R4_CORE}, {"ping6": S1},
                                     {"route": "198.51.100.0/24"}, {"route": "2001:db8:6::/64"}]}

    @contextlib.contextmanager
    def without_route(self, route):
        self.lab.ip("gw", f"route del {route}")
        try:
            yield
        finally:
            self.lab.ip("gw", f"route add {route}")

    def test_ping4(self):
        self.assert_withdrawn_while(
            self.firewall("input", f"icmp type echo-request ip saddr {GW4} drop", role="r4"),
            f"no answer to pings of {R4_CORE}$")

    def test_ping6(self):
        self.assert_withdrawn_while(
            self.firewall("input", f"ip6 saddr {GW6} icmpv6 type echo-request drop", role="s1"),
            f"no answer to pings of {S1}$")

    def test_route4(self):
        """A default route is not the route that was meant."""
        self.lab.ip("gw", f"route add default via {R4_CORE}")
        self.addCleanup(self.lab.ip, "gw", f"route del default via {R4_CORE}")
        self.assert_withdrawn_while(self.without_route(f"198.51.100.0/24 via {R4_CORE}"),
                                    "no route to 198.51.100.0/24$")

    def test_route6(self):
        self.assert_withdrawn_while(self.without_route(f"2001:db8:6::/64 via {R6}"),
                                    "no route to 2001:db8:6::/64$")


class Hang(unittest.TestCase):
    """Each of these ends in the end of the process, and with it of the TUN."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)

    def setUp(self):
        self.daemon = Daemon(self.lab, readiness={**FAST, "watchdog_ms": 300})
        self.addCleanup(self.daemon.remove)
        self.daemon.start()
        self.assertIn("LOWER_UP", self.tun())

    def tun(self):
        return self.lab.ip_output("gw", "-o link show type tun")

    def assert_killed(self):
        self.assertEqual(self.daemon.process.wait(60), -signal.SIGKILL, self.daemon.log())
        wait_until(lambda: not self.tun(), "the TUN goes with its process")
        wait_until(lambda: self.watchdogs() == [], "the watchdog goes, too")

    def watchdogs(self):
        return watchdogs(self.lab)

    def test_stopped(self):
        self.daemon.process.send_signal(signal.SIGSTOP)
        self.assert_killed()
        self.daemon.wait_log("the watchdog has killed it")

    def test_killed(self):
        self.daemon.process.kill()
        self.assert_killed()

    def test_stuck_supervisor(self):
        with stuck(self.daemon.process.pid, self.daemon.process.pid):
            # A process dies when its traced threads have; the test is their tracer.
            wait_until(lambda: not self.tun(), "the TUN has gone")
        self.assert_killed()

    def test_a_log_that_nobody_reads(self):
        """It stops nobody; what got lost is counted."""
        self.assertEqual(self.daemon.stop(), 0)
        ours, theirs = os.pipe()
        self.addCleanup(os.close, ours)
        start = len(self.daemon.log())
        try:
            self.daemon.start(wait=False, stderr=theirs)
        finally:
            os.close(theirs)

        def is_ready():
            with contextlib.suppress(OSError):
                return ask(self.daemon, b'{"command":"status"}\n')["status"]["readiness"]["ready"]
        wait_until(is_ready, "ready")
        # Every reload fails with a hundred lines; a pipe takes 64 KiB, the daemon keeps 256.
        self.daemon.write_mapping("version: 1\nmappings:\n" + "".join(
            f"  - {{ ipv4: 192.0.2.300, ipv6: x{n} }}\n" for n in range(200)))
        for _ in range(80):
            answer = ask(self.daemon, b'{"command":"reload"}\n')["reload"]
            self.assertEqual(answer["result"], "failed")
        answered = self.probes()
        wait_until(lambda: self.probes() > answered + 10, "ten rounds of probes")
        self.assertIsNone(self.daemon.process.poll())
        self.assertTrue(is_ready())
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        os.set_blocking(ours, False)
        heard = b""

        def has_heard():
            nonlocal heard
            with contextlib.suppress(BlockingIOError):
                while piece := os.read(ours, 65536):
                    heard += piece
            return re.search(rb"(?m)^.* warning \d+ lines of this log lost: nobody had read", heard)
        wait_until(has_heard, "how many lines were lost")
        self.assertEqual(len(self.daemon.log()), start)
        self.assertGreater(len(heard), 256 * 1024)
        for line in heard.decode().splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\d \S+ (info|warning|error) ", "a torn line")
        self.assertEqual(self.daemon.stop(), 0)

    def probes(self):
        return ask(self.daemon, b'{"command":"status"}\n')["status"]["counters"]["probes"]["answered"]

    def test_stuck_readiness(self):
        (thread,) = [t for t, name in threads(self.daemon.process.pid).items()
                     if name == "readiness"]
        with stuck(self.daemon.process.pid, thread):
            wait_until(lambda: not self.tun(), "the TUN has gone")
        self.assert_killed()

    def test_the_watchdog_holds_nothing_and_leaves(self):
        (watchdog,) = self.watchdogs()
        held = {os.readlink(f"/proc/{watchdog}/fd/{fd}")
                for fd in os.listdir(f"/proc/{watchdog}/fd")}
        self.assertFalse([h for h in held if "tun" in h or "socket" in h], held)
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(self.watchdogs(), [])

    def test_without_watchdog(self):
        (watchdog,) = self.watchdogs()
        os.kill(watchdog, signal.SIGKILL)
        self.daemon.wait_log("the watchdog has gone")
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_long_reload_is_no_hang(self):
        """It lasts longer than five limits of the watchdog."""
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.write_config(readiness={**FAST, "watchdog_ms": 300}, reload_guard=0)
        self.daemon.start()
        pairs = [(V1, S1)] + [(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}",
                               f"2001:db8:9::{n >> 16:x}:{n & 65535:x}")
                              for n in range(1, 400_000, 2)]
        self.daemon.write_mapping(mapping_yaml(pairs))
        line = self.daemon.reload()
        self.assertIn("200000 added", line)
        self.assertIsNone(self.daemon.process.poll())
        self.assertNotIn("not ready", self.daemon.log())
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        self.assertEqual(self.daemon.stop(), 0)


class Systemd(unittest.TestCase):
    def test_systemd_is_the_watchdog(self):
        lab = Lab()
        self.addCleanup(lab.close)
        daemon = Daemon(lab, readiness=FAST)
        self.addCleanup(daemon.remove)
        path = os.path.join(daemon.directory, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(30)
            added = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1500000"}
            os.environ.update(added)
            try:
                daemon.start()
            finally:
                for name in added:
                    del os.environ[name]
            wanted = {"READY=1", "WATCHDOG=1", "STATUS=ready: 2 mappings"}
            while wanted:
                said = manager.recv(4096).decode()
                wanted = {w for w in wanted if not said.startswith(w)}
            self.assertEqual(watchdogs(lab), [])
            # It goes on beating, and stops to when it is stuck.
            for _ in range(3):
                while manager.recv(4096) != b"WATCHDOG=1":
                    pass
            daemon.process.send_signal(signal.SIGSTOP)
            manager.settimeout(3)
            with self.assertRaises(TimeoutError):
                while True:
                    manager.recv(4096)
            daemon.process.send_signal(signal.SIGCONT)
            manager.settimeout(30)
            self.assertTrue(manager.recv(4096))
            self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
