# SPDX-License-Identifier: BSD-2-Clause
"""SIGHUP: nothing is lost, and a bad file changes nothing."""

import os
import re
import signal
import threading
import unittest

from lab import C4, PAIRS, S1, S2, TUN, V1, V2, LabTestCase, embedded, mapping_yaml, mode
from netns import wait_until
from traffic import TcpPair, UdpStream, Worker, udp_echo_server

RELOADS = 50
# Every second address, so that no two of them share a route.
VISITORS = [(f"198.18.{n // 128}.{n % 128 * 2}", f"2001:db8:7::{n + 1:x}") for n in range(10_000)]


class UnderTraffic(LabTestCase):
    config = {"reload_guard": 0,
              "tun": {"name": TUN, "offload": mode() != "off", "queues": 2}}

    def test_fifty_reloads_lose_nothing(self):
        """Datagrams and a connection that were there before see nothing while 10,000 pairs come
        and go fifty times."""
        with udp_echo_server(self.lab, "s1", S1) as port1, \
                udp_echo_server(self.lab, "c4", C4) as port2, \
                TcpPair(self.lab, "c4", V1, "s1", S1) as pair:
            streams = [UdpStream(self.lab, "c4", V1, port1, 500),
                       UdpStream(self.lab, "s2", embedded(C4), port2, 500)]
            stop = threading.Event()
            steady = Worker(self.steady_tcp, pair, stop)
            try:
                for number in range(RELOADS):
                    line = self.daemon.reload(PAIRS + VISITORS if number % 2 == 0 else PAIRS)
                    self.assertRegex(line, r"10,?000")
            finally:
                stop.set()
                moved = steady.join_or_raise()
                lost = [stream.finish() for stream in streams]
        for numbers, stream in zip(lost, streams):
            self.assertEqual(len(numbers), 0, f"lost of {stream.sent}: {numbers[:20]} ...")
            self.assertGreater(stream.sent, 0)
        self.assertEqual([s.twice for s in streams], [0, 0])
        self.assertGreater(moved, 0)
        counters = self.daemon.counters()
        for direction in ("v4_to_v6", "v6_to_v4"):
            for kind in ("dropped", "rejected"):
                self.assertEqual(counters[direction][kind], {}, counters)
        # Afterwards the visitors are gone and the pairs that stayed still work.
        self.assert_ping("c4", V1)
        self.assert_ping("c4", V2)

    @staticmethod
    def steady_tcp(pair, stop):
        """Numbered lines to the server and back, never more than one block under way."""
        number = 0
        while not stop.is_set():
            block = f"{number:08d}".encode() * 1024
            for sender, receiver in ((pair.client, pair.server), (pair.server, pair.client)):
                sender.sendall(block)
                got = b""
                while len(got) < len(block):
                    piece = receiver.recv(len(block) - len(got))
                    if not piece:
                        raise AssertionError("the connection ended")
                    got += piece
                if got != block:
                    raise AssertionError(f"block {number} changed on the way")
            number += 1
            stop.wait(0.005)
        return number


class Contents(LabTestCase):
    def tearDown(self):
        self.daemon.reload(PAIRS)

    def test_added_changed_removed(self):
        done = self.lab.ping("c4", "192.0.2.3", "-W", "1")
        self.assertNotEqual(done.returncode, 0)
        self.lab.ip("s1", "addr add 2001:db8:6::33/64 dev eth0 nodad preferred_lft 0")
        line = self.daemon.reload(PAIRS + [("192.0.2.3", "2001:db8:6::33")])
        self.assertRegex(line, r"(?i)\b1 added|added[ =:]+1\b")
        self.assert_ping("c4", "192.0.2.3")
        # V1 moves to the other server, whose own address goes
        line = self.daemon.reload([(V1, S2), ("192.0.2.3", "2001:db8:6::33")])
        self.assertRegex(line, r"(?i)\b1 changed|changed[ =:]+1\b")
        self.assertRegex(line, r"(?i)\b1 removed|removed[ =:]+1\b")
        self.assert_ping("c4", V1)
        self.assert_ping("s2", embedded(C4))
        self.assertNotEqual(self.lab.ping("c4", V2, "-W", "1").returncode, 0)

    def test_several_files(self):
        extra = os.path.join(self.daemon.directory, "mapping.d")
        os.mkdir(extra)
        path = os.path.join(extra, "10-more.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(mapping_yaml([("192.0.2.3", "2001:db8:6::33")]))
        self.lab.ip("s1", "addr replace 2001:db8:6::33/64 dev eth0 nodad preferred_lft 0")
        self.daemon.reload()
        self.assert_ping("c4", "192.0.2.3")
        with open(path, "w", encoding="utf-8") as file:
            file.write(mapping_yaml([(V1, "2001:db8:6::33")]))
        log = self.failed_reload()
        self.assertRegex(log, r"10-more\.yaml:\d+:\d+: error")
        self.assertRegex(log, r"mapping\.yaml:\d+:\d+")
        os.unlink(path)

    def failed_reload(self):
        """SIGHUP that must be refused; returns what was logged."""
        start = len(self.daemon.log())
        self.daemon.signal_and_wait(signal.SIGHUP, "reload failed")
        self.daemon.counters()  # all lines of the failure are written by now
        self.assertNotIn("reloaded:", self.daemon.log()[start:])
        return self.daemon.log()[start:]

    def test_broken_files(self):
        head = "version: 1\nmappings:\n"
        good = head + f"  - {{ ipv4: {V1}, ipv6: \"{S1}\" }}\n"
        row = "  - { ipv4: 192.0.2.3, ipv6: \"2001:db8:6::33\" }\n"
        broken = {
            "syntax": (good + "  - { ipv4: 192.0.2.3, ipv6\n - ]\n", True),
            "unknown key": (good + row.replace("}", ", nmae: x }"), True),
            "wrong type": ("version: 1\nmappings: 5\n", True),
            "bad address": (good + row.replace("0.2.3", "0.2.333"), True),
            "host bits": (good + row.replace("0.2.3", "0.2.3/24"), True),
            "duplicate key": (good + row.replace("{", "{ ipv4: 192.0.2.4,"), True),
            "duplicate ipv4": (good + row.replace("192.0.2.3", V1), True),
            "duplicate ipv6": (good + row.replace("2001:db8:6::33", S1), True),
            "inside the prefix": (good + row.replace("2001:db8:6::33", embedded(C4)), True),
            "own address": (good + row.replace("192.0.2.3", "192.0.2.254"), True),
            "martian": (good + row.replace("192.0.2.3", "127.0.0.1"), True),
            "anchor": (good + row.replace("- {", "- &a {") + "  - *a\n", True),
            "missing ipv6": (good + "  - { ipv4: 192.0.2.3 }\n", True),
            "version": (good.replace("version: 1", "version: 7"), True),
            "two documents": (good + "---\n" + good, True),
            "not utf-8": (good.encode() + b"  # \xff\xfe\n", True),
            "nul byte": (good.encode() + b"  # \x00\n", True),
            "too deep": (head + "  - " + "[" * 2000 + "]" * 2000 + "\n", True),
            "empty": ("", False),
            "only a comment": ("# nothing\n", False),
        }
        for name, (content, has_place) in broken.items():
            with self.subTest(broken=name):
                self.daemon.write_mapping(content)
                log = self.failed_reload()
                self.assertIn("mapping.yaml", log)
                if has_place:
                    self.assertRegex(log, r"mapping\.yaml:[1-9]\d*:[1-9]\d*: error")
                self.assert_ping("c4", V1, count=1)
                self.assert_ping("c4", V2, count=1)
                self.assert_ping("s1", embedded(C4), count=1)

    def test_broken_places(self):
        path = self.daemon.mapping_path

        def nothing():
            os.unlink(path)

        def directory():
            os.unlink(path)
            os.mkdir(path)

        def fifo():
            os.unlink(path)
            os.mkfifo(path)

        def writable_by_all():
            os.chmod(path, 0o666)

        for make in (nothing, directory, fifo, writable_by_all):
            with self.subTest(broken=make.__name__):
                make()
                self.assertIn("mapping.yaml", self.failed_reload())
                self.assert_ping("c4", V1)
                if os.path.isdir(path):
                    os.rmdir(path)
                self.daemon.reload(PAIRS)

    def test_guard(self):
        """A file that takes away more than half of the pairs is an accident."""
        many = PAIRS + [(f"192.0.2.{n}", f"2001:db8:6::1:{n}") for n in range(10, 20)]
        self.daemon.reload(many)
        self.daemon.write_mapping(mapping_yaml(PAIRS))
        log = self.failed_reload()
        self.assertRegex(log, r"reload_guard")
        self.assert_ping("c4", V1)
        self.daemon.write_mapping(mapping_yaml(many[:7]))
        self.daemon.reload()
        self.daemon.reload(many[:4])
        self.daemon.reload(many)
        # SIGUSR2: the operator means it.
        self.daemon.write_mapping(mapping_yaml(PAIRS))
        line = self.daemon.signal_and_wait(signal.SIGUSR2, "reloaded:|reload failed")
        self.assertRegex(line, r"reloaded: .* 10 removed")
        self.assert_ping("c4", V1)

    def test_signal_while_loading(self):
        """A SIGHUP that comes before the first table is there waits for it."""
        self.daemon.stop()
        fifty_thousand = [(f"198.19.{n // 250}.{n % 250}", f"2001:db8:8::{n + 1:x}")
                          for n in range(50_000)]
        self.daemon.write_mapping(mapping_yaml(PAIRS + fifty_thousand))
        start = len(self.daemon.log())
        self.daemon.start(wait=False)
        status = f"/proc/{self.daemon.process.pid}/status"

        def blocks_sighup():
            with open(status, encoding="ascii") as file:
                mask = int(re.search(r"^SigBlk:\s*(\w+)", file.read(), re.MULTILINE).group(1), 16)
            return mask >> (signal.SIGHUP - 1) & 1

        wait_until(blocks_sighup, "main() to run")
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.wait_log("ready:", start)
        self.daemon.wait_log("reloaded: ", start)
        self.daemon.stop()
        self.daemon.write_mapping(mapping_yaml(PAIRS))
        self.daemon.start()
        self.assert_ping("c4", V1)

    def test_changed_main_file(self):
        """DESIGN 4: the keys that need a restart are named, and the reload goes on."""
        self.daemon.write_config(mtu={"ipv4": 1400, "ipv6": 1500})
        self.addCleanup(self.daemon.write_config)
        start = len(self.daemon.log())
        self.daemon.reload()
        self.assertTrue(re.search(r"mtu.*restart|restart.*mtu", self.daemon.log()[start:]),
                        self.daemon.log()[start:])


if __name__ == "__main__":
    unittest.main(verbosity=2)
