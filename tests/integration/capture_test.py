# SPDX-License-Identifier: BSD-2-Clause
"""xlat646 capture: both sides of each pair, linked; and that no client of it harms a packet.

In mode fast the same with a fast path that stands aside."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import time
import unittest

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6

from control_test import Command, connect, read_all
from lab import (C4, S1, TUN, V1, V2, LabTestCase, command_path, embedded, mode, one_by_one,
                 socket_of)
from netns import die_with_parent, wait_until
from restart_test import Adopted

BLOCK, PACKET, INTERFACE = struct.Struct("=II"), 6, 1
PAIRS = [(V1, S1, "www", "acme"), (V2, "2001:db8:6::3", None, None)]
NAMED = "version: 1\nmappings:\n" + "".join(
    f'  - {{ ipv4: {a}, ipv6: "{b}"' + (f", name: {n}, tenant: {t}" if n else "") + " }\n"
    for a, b, n, t in PAIRS)
REQUEST = {"command": "capture", "snap_length": 65535, "rate": 100000}


class Packet:
    """One enhanced packet block."""

    def __init__(self, body):
        interface, high, low, kept, self.length = struct.unpack_from("=IIIII", body)
        self.time = (high << 32) + low
        self.bytes = body[20:20 + kept]
        options = body[20 + (kept + 3) // 4 * 4:]
        self.comment, self.flags = None, None
        while True:
            code, size = struct.unpack_from("=HH", options)
            value, options = options[4:4 + size], options[4 + (size + 3) // 4 * 4:]
            if code == 0:
                break
            if code == 1:
                self.comment = value.decode()
            elif code == 2:
                self.flags = struct.unpack("=I", value)[0]
        assert not options and interface == 0
        self.pair = int(re.match(r"pair (\d+),", self.comment).group(1))
        self.ip = (IP if self.bytes[0] >> 4 == 4 else IPv6)(self.bytes)


def packets(data):
    """Of a pcapng file, read by its specification."""
    found, interfaces = [], 0
    while data:
        kind, length = BLOCK.unpack_from(data)
        assert length % 4 == 0 and struct.unpack_from("=I", data, length - 4)[0] == length
        if kind == INTERFACE:
            interfaces += 1
        if kind == PACKET:
            found.append(Packet(data[8:length - 4]))
        data = data[length:]
    assert interfaces == 1
    return found


class Capturing(Command, LabTestCase):
    config = {"tun": one_by_one()}
    everything = ["--without-fastpath"] if mode().startswith("fast") else []

    @classmethod
    def prepare(cls):
        cls.daemon.write_mapping(NAMED)

    def setUp(self):
        self.path = os.path.join(self.daemon.directory, "out.pcapng")

    def start(self, *words, path=None):
        """The command, when the daemon has begun."""
        before = len(self.daemon.log())
        process = subprocess.Popen(
            [command_path(), "capture", "-w", path or self.path, "--socket",
             socket_of(self.daemon), "--stats", os.path.join(self.daemon.directory, "stats"),
             *self.everything, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=path is None, preexec_fn=die_with_parent)
        self.addCleanup(self.kill, process)
        self.daemon.wait_log("capture asked for", before)
        if path is None:  # it blocks signals before it asks
            wait_until(lambda: os.path.exists(self.path), "the file")
        return process

    @staticmethod
    def kill(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def finish(self, process, by=signal.SIGINT):
        """What it says, and the packets in its file."""
        if by:
            process.send_signal(by)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(out, "")
        with open(self.path, "rb") as file:
            return err, packets(file.read())

    def wait_end(self):
        """Until another capture can begin."""
        def free():
            with connect(self.daemon) as client:
                client.sendall(b'{"command":"capture","seconds":1}\n')
                client.shutdown(socket.SHUT_WR)
                return not read_all(client).startswith(b'{"error"')
        wait_until(free, "the daemon to end the capture")

    def send(self, role, packet, count=1):
        with self.lab.inside(role):
            family = socket.AF_INET if isinstance(packet, IP) else socket.AF_INET6
            sender = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
        with sender:
            for _ in range(count):
                sender.sendto(bytes(packet), (packet.dst, 0))

    def received(self):
        return self.status()["counters"]["v4_to_v6"]["received"]


class Capture(Capturing):
    def test_pairs_are_linked(self):
        process = self.start()
        self.assert_ping("c4", V1)
        err, got = self.finish(process)
        self.assertRegex(err, r"capture: 4 pairs captured; missed: 0 above the rate, 0 for want")
        self.assertEqual([p.pair for p in got], [1, 1, 2, 2, 3, 3, 4, 4])
        self.assertEqual([p.ip.version for p in got], [4, 6, 6, 4] * 2)
        self.assertEqual([p.flags for p in got], [1, 2] * 4)
        for before, after in zip(got[::2], got[1::2]):
            self.assertIn("mapping www (tenant acme): translated", before.comment)
            self.assertEqual(after.comment, before.comment.split("; checksum left")[0]
                             + "; this is what came out")
            self.assertEqual(before.time, after.time)
        self.assertEqual((got[0].ip.src, got[0].ip.dst, got[0].ip[ICMP].type), (C4, V1, 8))
        self.assertEqual((got[1].ip.src, got[1].ip.dst), (embedded(C4), S1))
        self.assertEqual(bytes(got[0].ip[ICMP].payload), got[1].ip[ICMPv6EchoRequest].data)
        # Another reader of the format.
        with open(self.path, "rb") as file:  # tcpdump gives up root before it would open it
            text = subprocess.run(["tcpdump", "-n", "-r", "-"], stdin=file, capture_output=True,
                                  text=True, check=False)
        self.assertEqual((text.returncode, len(text.stdout.splitlines())), (0, 8), text.stderr)
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

    def test_drops_and_answers(self):
        self.lab.ip("gw", f"route add 192.0.2.99 dev {TUN}")
        self.addCleanup(self.lab.ip, "gw", f"route del 192.0.2.99 dev {TUN}")
        process = self.start("--drops", "-s", "40")
        self.assert_ping("c4", V1)
        self.lab.ping("c4", "192.0.2.99", "-W", "1")
        self.send("c4", IP(src=C4, dst=V1, proto=2) / b"igmp")
        wait_until(lambda: self.daemon.discarded("v4_to_v6", "igmp"), "the drop")
        _, got = self.finish(process)
        self.assertEqual([p.pair for p in got], [1, 1, 2])
        self.assertRegex(got[0].comment, r"discarded, no_mapping: No explicit .* Answered by an ICMP"
                                         r" error \(unreachable\)")
        self.assertEqual((got[0].flags, got[1].flags), (1, 2))
        self.assertEqual((got[1].ip.src == C4, got[1].ip.dst, got[1].ip[ICMP].type),
                         (False, C4, 3))
        self.assertEqual((len(got[0].bytes), got[0].length), (40, 84))
        self.assertIn("discarded, igmp: ", got[2].comment)
        self.assertNotIn("Answered", got[2].comment)

    def test_filter_and_reason(self):
        # A ping of two packets, which are pairs with their answers; one that dies; each looks at
        # one side or the other.
        for words, pairs in ((["icmp6"], 4), (["udp"], 1), ([f"host {V2}"], 0), ([], 5),
                             (["--reason", "hop_limit"], 1), (["-c", "2"], 2),
                             ([f"src host {S1}", "and", "not", "udp"], 2)):
            with self.subTest(words=words):
                process = self.start(*words)
                self.assert_ping("c4", V1)
                before = self.daemon.discarded("v4_to_v6", "hop_limit")
                self.send("c4", IP(src=C4, dst=V1, ttl=3) / UDP(sport=9, dport=9) / b"dies")
                wait_until(lambda: self.daemon.discarded("v4_to_v6", "hop_limit") > before,
                           "the packet that dies")
                _, got = self.finish(process, None if "-c" in words else signal.SIGINT)
                os.unlink(self.path)
                self.assertEqual(len({p.pair for p in got}), pairs, [p.comment for p in got])

    def test_rate(self):
        start = time.monotonic()
        process = self.start("--rate", "20")
        self.flood(300)
        err, got = self.finish(process)
        pairs = len({p.pair for p in got})
        self.assertGreater(pairs, 0)
        self.assertLessEqual(pairs, 20 * (time.monotonic() - start) + 2)
        missed = int(re.search(r"missed: (\d+) above the rate, 0 for", err).group(1))
        self.assertEqual(pairs + missed, self.flooded)

    def flood(self, count):
        """Datagrams of which none may be lost, in batches that the TUN's queue holds."""
        self.flooded = 0
        with self.lab.socket("s1", socket.AF_INET6, socket.SOCK_DGRAM) as server, \
                self.lab.socket("c4", socket.AF_INET, socket.SOCK_DGRAM) as client:
            server.bind((S1, 0))
            server.settimeout(20)
            client.connect((V1, server.getsockname()[1]))
            for first in range(0, count, 100):
                batch = [struct.pack("!I", n) + bytes(100) for n in range(first, first + 100)]
                for datagram in batch:
                    client.send(datagram)
                self.assertEqual([server.recv(2000) for _ in batch], batch)
                self.flooded += len(batch)

    def test_clients_that_stop_or_die(self):
        for number in (signal.SIGSTOP, signal.SIGKILL):
            with self.subTest(number):
                process = self.start("-s", "65535", "--rate", "100000", "udp")
                self.flood(200)
                process.send_signal(number)
                before = self.received()
                self.flood(3000)
                self.assertGreaterEqual(self.received() - before, 3000)
                if number == signal.SIGSTOP:
                    refused = subprocess.run(
                        [command_path(), "capture", "-w", self.path + "2", "--socket",
                         socket_of(self.daemon)], capture_output=True, text=True, check=False)
                    self.assertEqual(refused.returncode, 70)
                    self.assertIn("one at a time", refused.stderr)
                    self.assertFalse(os.path.exists(self.path + "2"))
                    process.send_signal(signal.SIGCONT)
                    err, got = self.finish(process)
                    missed = int(re.search(r", ([\d,]+) for want", err).group(1).replace(",", ""))
                    self.assertGreater(missed, 0)
                    self.assertEqual(len({p.pair for p in got}) + missed, 3200)
                self.wait_end()

    def test_reload_and_a_pipe(self):
        process = self.start()
        self.assert_ping("c4", V1)
        self.daemon.write_mapping(NAMED.replace("www", "web"))
        self.assertEqual(self.command("reload").returncode, 0)

        def renamed():
            self.assert_ping("c4", V1, count=1)
            with open(self.path, "rb") as file:
                return b"mapping web (" in file.read()
        wait_until(renamed, "the new name")
        _, got = self.finish(process)
        self.assertIn("mapping www (", got[0].comment)
        # A program that reads it ends: so does the capture, in order.
        process = self.start("-c", "9", path="-")
        process.stdout.close()
        self.assert_ping("c4", V1)
        self.assertRegex(process.stderr.read().decode(), r"pairs? captured; missed: 0 above")
        self.assertEqual(process.wait(), 0)
        self.wait_end()

    def test_requests(self):
        for change in ({"filter": "00"}, {"filter": "0" * 16}, {"filter": "zz" * 8},
                       {"filter": "0006000000000001" * 513}, {"rate": 0}, {"seconds": 3601},
                       {"reason": "x"}, {"snap_length": 65536}, {"force": True},
                       {"without_fastpath": 1}):
            with self.subTest(change), connect(self.daemon) as client:
                client.sendall(json.dumps({**REQUEST, **change}).encode() + b"\n")
                self.assertEqual(list(json.loads(read_all(client))), ["error"])
        for words in ([], ["-w", "x", "nonsense", "filter"], ["-w", "x", "--rate", "0"],
                      ["-w", "x", "--reason", "none"]):
            done = subprocess.run([command_path(), "capture", *words], capture_output=True,
                                  text=True, check=False, cwd=self.daemon.directory)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (64, 1), done.stderr)
        # More from the client is not waited for, nor obeyed.
        with connect(self.daemon) as client:
            client.sendall(json.dumps(REQUEST).encode() + b"\n" + b"more" * 1000)
            self.assertTrue(client.recv(100).startswith(b'{"capture":'))
            self.assert_ping("c4", V1)
        self.wait_end()

    def test_that_a_restart_ends_it(self):
        """The last one: the daemon is another process then."""
        process = self.start()
        self.assert_ping("c4", V1)
        old = self.daemon.process
        done = self.command("restart")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.daemon.process = Adopted(int(re.search(r"process (\d+)", done.stdout).group(1)))
        self.assertEqual(old.wait(60), 0)
        err, got = self.finish(process, None)
        self.assertIn("captured until another process took over", err)
        self.assertGreaterEqual(len(got), 8)
        process = self.start("-c", "1")
        self.assert_ping("c4", V1)
        _, got = self.finish(process, None)
        self.assertEqual([p.pair for p in got], [1, 1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
