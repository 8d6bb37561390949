# SPDX-License-Identifier: BSD-2-Clause
"""The statistics segment: what each mapping has carried is what was sent, over reloads and
xlat646 restart; what others may do to the file; what a crash leaves."""

import os
import signal
import socket
import time
import unittest

from control_test import Command
from lab import C4, OWN4, S1, S2, V1, V2, LabTestCase, embedded, mapping_yaml
from netns import wait_until
from restart_test import RestartTestCase
from stats_segment import StatsSegment
from traffic import UdpStream, udp_echo_server

V9 = "192.0.2.9"
PAIRS = [(V1, S1), (V2, S2)]
IPV4_UDP, IPV6_UDP = 28, 48
IGMP = 7  # DropReason


class Statistics(RestartTestCase):
    config = {**RestartTestCase.config, "reload_guard": 0}

    def setUp(self):
        super().setUp()
        self.expected = {V1: [0] * 4, V2: [0] * 4}
        for address, start in self.expected.items():
            start[:] = self.segment().pair(address)

    @property
    def path(self):
        return os.path.join(self.daemon.directory, "stats")

    def segment(self):
        return StatsSegment(self.path)

    def send(self, target, server, count=20, size=300):
        """Datagrams to `target`, and their echoes."""
        self.echo_datagrams(target, server, count, size)
        self.count(target, count, size)

    def count(self, target, count, size):
        e = self.expected[target]
        e[0] += count
        e[1] += count * (size + IPV4_UDP)
        e[2] += count
        e[3] += count * (size + IPV6_UDP)

    def numbers(self):
        segment = self.segment()
        return {address: segment.pair(address) for address in self.expected}

    def assert_counted(self):
        """The fast path's numbers come once a second."""
        try:
            wait_until(lambda: self.numbers() == self.expected, "the numbers", 15)
        except Exception:  # says which
            self.assertEqual(self.numbers(), self.expected)
            raise

    def test_exact(self):
        """Packets that stay, that come and go, and slots that are used again."""
        self.send(V1, S1)
        self.send(V2, S2, 7, 1000)
        self.assert_counted()
        first = self.segment()
        self.assertEqual(first.mappings[f"{V1}/32"][0], f"{S1}/128")
        self.assertEqual((first.state, first.ready), ("current", True))
        self.assertEqual(first.mode, 0o640)
        self.assertEqual(first.digest, self.status()["table"]["digest"])

        # V2 goes, another one gets its slot.
        self.addCleanup(self.daemon.reload, PAIRS)
        self.daemon.reload([(V9, S2), (V1, S1)])
        wait_until(lambda: self.segment().life["reloads"] == first.life["reloads"] + 1, "told")
        after = self.segment()
        self.assertEqual(after.mappings[f"{V9}/32"][1], first.mappings[f"{V2}/32"][1])
        self.assertEqual(after.generation, first.generation + 1)
        del self.expected[V2]
        self.expected[V9] = [0] * 4
        self.assert_counted()
        self.send(V9, S2, 5, 64)
        self.send(V1, S1, 5, 64)
        self.assert_counted()
        # Another process: it reads the file from top to bottom, so all slots are others.
        self.restart()
        restarted = self.segment()
        self.assertEqual(restarted.pid, self.status()["pid"])
        self.assertNotEqual(restarted.pid, after.pid)
        self.assertEqual(restarted.life["restarts"], after.life["restarts"] + 1)
        self.assert_counted()
        self.send(V9, S2, 3, 99)
        self.daemon.reload(PAIRS)
        del self.expected[V9]
        self.expected[V2] = [0] * 4
        self.send(V2, S2, 1)
        self.assert_counted()
        self.restart()
        self.send(V1, S1, 3)
        self.assert_counted()

    def test_between_servers(self):
        """RFC 7757 section 4: what one sends the other receives, each as IPv6."""
        count, size = 9, 200
        with udp_echo_server(self.lab, "s2", S2) as port, \
                self.lab.socket("s1", socket.AF_INET6, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.connect((embedded(V2), port))
            for _ in range(count):
                client.send(bytes(size))
                client.recv(2000)
        for numbers in self.expected.values():
            for i in (0, 2):
                numbers[i] += count
                numbers[i + 1] += count * (size + IPV6_UDP)
        self.assert_counted()

    def test_under_traffic(self):
        """No packet is lost or counted twice by whatever happens at the same time."""
        with udp_echo_server(self.lab, "s1", S1) as port1, \
                udp_echo_server(self.lab, "s2", S2) as port2:
            streams = {V1: UdpStream(self.lab, "c4", V1, port1, 1500),
                       V2: UdpStream(self.lab, "c4", V2, port2, 1500)}
            last = self.numbers()
            for i in range(26):
                time.sleep(0.05)
                if i % 4 == 3:
                    self.restart()
                else:
                    self.daemon.reload(PAIRS + [(f"192.0.2.{20 + n}", f"2001:db8:6::{n + 256:x}")
                                                for n in range(40 * (i % 3))])
                now = self.numbers()
                for address, numbers in now.items():
                    went_back = [a > b for a, b in zip(last[address], numbers)]
                    self.assertFalse(any(went_back), (last, now))
                last = now
            for address, stream in streams.items():
                self.assertEqual(stream.finish(), [])
                self.assertEqual(stream.twice, 0)
                self.expected[address][0] += stream.sent
                self.expected[address][2] += stream.sent

        def packets():
            return {a: n[::2] for a, n in self.numbers().items()}

        wanted = {a: n[::2] for a, n in self.expected.items()}
        try:
            wait_until(lambda: packets() == wanted, "the numbers", 15)
        finally:
            self.assertEqual(packets(), wanted)
        self.daemon.reload(PAIRS)

    def test_crash(self):
        self.send(V1, S1)
        self.assert_counted()
        self.daemon.process.kill()
        self.daemon.process.wait()
        left = self.segment()
        self.assertEqual(left.state, "current")
        self.assertEqual(left.pair(V1), self.expected[V1])
        self.daemon.start()
        self.assertNotEqual(self.segment().pid, left.pid)
        self.assertEqual(self.segment().pair(V1), [0] * 4)
        self.assertEqual(self.daemon.stop(), 0)
        self.assertFalse([name for name in os.listdir(self.daemon.directory) if "stats" in name])
        self.daemon.start()

    def test_somebody_removes_the_file(self):
        self.send(V1, S1)
        os.unlink(self.path)
        self.send(V1, S1)
        self.assert_ping("c4", V1, count=1)
        self.expected[V1] = [n + more for n, more in zip(self.expected[V1], (1, 84, 1, 104))]
        self.daemon.reload(PAIRS)
        self.assert_counted()

    def test_no_place_for_it(self):
        """Packets come first."""
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.write_config(**self.config, stats_segment="/nowhere/stats")
        self.daemon.start()
        self.assert_ping("c4", V1)
        self.assertRegex(self.daemon.log(), "stats_segment: cannot make /nowhere/stats.new: No such")
        said = self.status()["stats_segment"]
        self.assertFalse(said["runs"])
        self.assertIn("No such", said["why_not"])
        self.assertGreater(self.daemon.counters()["v4_to_v6"]["forwarded"], 0)
        self.daemon.reload(PAIRS)
        self.restart()
        self.daemon.write_config(**self.config)
        self.restart()
        self.assertTrue(self.status()["stats_segment"]["runs"])
        self.assertGreaterEqual(self.segment().pair(V1)[0], 2)  # handed over all the same


    def test_discarded(self):
        """An example of each kind, soon, and for longer than the process lives."""
        with self.lab.socket("c4", socket.AF_INET, socket.SOCK_RAW, 2) as igmp:
            igmp.sendto(bytes(8), (V1, 0))

        def found():
            return [d for d in self.segment().drops if d[-1] == IGMP]
        wait_until(found, "the packet")
        seen_at, source, destination, length, *_ = found()[0]
        self.assertLess(abs(seen_at / 1000 - time.time()), 60)
        self.assertEqual(socket.inet_ntoa(source[:4]), C4)
        self.assertEqual(socket.inet_ntoa(destination[:4]), V1)
        self.assertEqual(length, 28)
        before = found()
        self.restart()
        self.daemon.reload(PAIRS)
        self.assertEqual(found(), before)


class Reading(Command, LabTestCase):
    """A beat each second, also of a daemon without work; a reload that fails is told."""

    def test_life(self):
        path = os.path.join(self.daemon.directory, "stats")
        first = StatsSegment(path)
        wait_until(lambda: StatsSegment(path).beat_ms > first.beat_ms, "a beat")
        self.daemon.write_mapping("version: 1\nmappings:\n  - { ipv4: 192.0.2.300, ipv6: x }\n")
        self.daemon.signal_and_wait(signal.SIGHUP, "reload failed")
        wait_until(lambda: StatsSegment(path).life["is_last_reload_failed"] == 1, "the failure")
        self.assertEqual(StatsSegment(path).life["failed_reloads"], 1)
        self.assertEqual(StatsSegment(path).generation, first.generation)
        self.daemon.write_mapping(mapping_yaml(PAIRS))
        self.daemon.reload()
        wait_until(lambda: StatsSegment(path).life["is_last_reload_failed"] == 0, "the success")

    def test_report(self):
        """What the control socket says, without the counters; kept up to date unasked."""
        path = os.path.join(self.daemon.directory, "stats")
        wait_until(lambda: StatsSegment(path).report, "a report")
        said, wanted = StatsSegment(path).report, self.status()
        del wanted["counters"]
        self.assertEqual(sorted(said), sorted(wanted))
        for key in ("version", "pid", "config", "table", "tun", "fastpath"):
            self.assertEqual(said[key], wanted[key])
        self.assertTrue(said["readiness"]["ready"])
        self.daemon.write_mapping("version: 1\nmappings:\n  - { ipv4: 192.0.2.300, ipv6: x }\n")
        self.daemon.signal_and_wait(signal.SIGHUP, "reload failed")
        self.daemon.write_mapping(mapping_yaml(PAIRS))
        self.daemon.reload()

        def history():
            return StatsSegment(path).report["reload_history"]
        wait_until(lambda: history() and history()[0]["result"] == "reloaded", "both reloads")
        self.assertEqual([r["result"] for r in history()[:2]], ["reloaded", "failed"])
        self.assertRegex(history()[1]["message"], r"mapping\.yaml:3:\d+: error:")
        for _ in range(25):
            self.daemon.reload()
        wait_until(lambda: {r["result"] for r in history()} == {"reloaded"}, "the last ones")
        self.assertEqual(len(history()), 20)

    def test_blocks(self):
        """The offsets of a few counters, and that probes are in no pair."""
        path = os.path.join(self.daemon.directory, "stats")
        before = StatsSegment(path)
        unmapped = "192.0.2.77"
        self.lab.ip("gw", f"route add {unmapped}/32 dev xlat646")
        self.lab.ping("c4", unmapped, "-W", "1")
        self.lab.ping("c4", OWN4)
        after = StatsSegment(path)
        self.assertEqual(after.counter(136) - before.counter(136), 1)  # answered, 4 to 6
        self.assertEqual(after.counter(0) - before.counter(0), 2)      # received, 4 to 6
        self.assertEqual(after.pair(V1), [0] * 4)
        self.assertGreater(after.counter(2 * 768), 0)                  # received, probes


if __name__ == "__main__":
    unittest.main(verbosity=2)
