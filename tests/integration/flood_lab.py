# SPDX-License-Identifier: BSD-2-Clause
"""The laboratory under attack: who sends floods from where, and the books that are kept.

Frames enter by cable from the routers r4 and r6, or, what no kernel would forward, straight into
the gateway's TUN. Results and answers for anyone but the good hosts vanish in the routers: r4 has
no route but the pool's, r6 none but the translation prefix, and the sinks and flooding clients are
routed into nothing.

All that the gateway's kernel has handed to the translator and got from it is compared with the
translator's counters, packet by packet, and what the kernel has lost on the way is known too."""

import contextlib
import ipaddress
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import time

import live
from lab import (OWN4, OWN6, PAIRS, S1, TUN, V1, WITHOUT_PINGS, LabTestCase,
                 one_by_one)
from netns import LabError, die_with_parent, wait_until
from traffic import TcpPair, transfer

HERE = pathlib.Path(__file__).resolve().parent
SINKS4, SINKS6 = "192.0.2.16/28", "2001:db8:6::100/124"
CLIENTS = "198.51.100.64/26"
# Of the documentation blocks, the policy lets in only these.
GOOD_CLIENTS, GOOD_SERVERS = "198.51.100.0/25", "192.0.2.0/27"
RATE = {"per_second": 100, "burst": 100, "per_source_per_second": 10, "per_source_burst": 10}
DIRECTIONS = ("v4_to_v6", "v6_to_v4")

LEAST = 100_000          # packets of a flood beside a good flow
PATIENCE = 4             # seconds, after which a flood ends although the good flow has not
GOOD_BYTES = 24_000_000  # in each direction
MAY_GROW = 1 << 20       # bytes of resident memory from one flood to the next
ROOM = 10_000            # packets in the TUN's queue when none shall be lost

V4, V6, INSIDE = range(3)  # by which cable; or straight into the TUN


class Books:
    """The state of all counters while nothing moves."""

    def __init__(self, lab, daemon):
        self.daemon = daemon.counters()
        self.tun = link(lab, "gw", TUN)
        # Lost in the gateway's queues, whoever they belonged to.
        self.lost = sum(link(lab, role, dev)[way]["dropped"]
                        for role, dev in (("r4", "core"), ("r6", "core"), ("gw", "v4"),
                                          ("gw", "v6"), ("gw", TUN)) for way in ("rx", "tx"))
        self.resident = resident_bytes(daemon.process.pid)
        self.cpu = cpu_seconds(daemon.process.pid)
        self.time = time.monotonic()

    def total(self, key):
        return sum(self.daemon[d][key] for d in DIRECTIONS)

    def errors_sent(self):
        return sum(sum(self.daemon[d]["errors_sent"].values()) for d in DIRECTIONS)

    def reply_bytes(self):
        return self.tun["rx"]["bytes"] - self.total("forwarded_bytes")

    def problems(self):
        """What does not add up."""
        found = []

        def equal(what, left, right):
            if left != right:
                found.append(f"{what}: {left} != {right}")
        for name in DIRECTIONS:
            counters = self.daemon[name]
            discarded = (sum(counters["rejected"].values()), sum(counters["dropped"].values()))
            equal(f"{name}: received = forwarded + answered + rejected + dropped",
                  counters["received"],
                  counters["forwarded"] + counters["answered"] + sum(discarded))
            equal(f"{name}: rejected = errors sent", discarded[0],
                  sum(counters["errors_sent"].values()))
        equal("handed out by the TUN = received", self.tun["tx"]["packets"], self.total("received"))
        equal("bytes handed out by the TUN = received", self.tun["tx"]["bytes"],
              self.total("received_bytes"))
        # Nothing here is cut into more than two pieces.
        equal("taken by the TUN = forwarded + second pieces + answers", self.tun["rx"]["packets"],
              self.total("forwarded") + self.total("pieces") // 2 + self.total("answered")
              + self.errors_sent())
        for name in ("read_errors", "write_errors", "unknown_reads", "segmented_writes"):
            equal(name, self.daemon["tun"][name], 0)
        return found


def link(lab, role, dev):
    return json.loads(lab.ip_output(role, f"-s -j link show dev {dev}"))[0]["stats64"]


def resident_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE).group(1)) * 1024


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
    return sum(map(int, fields.split()[11:13])) / os.sysconf("SC_CLK_TCK")


class Sending:
    """A flood_sender.py at work."""

    def __init__(self, descriptors, *arguments, records=b""):
        self.sent, self.seconds = None, None
        self.process = subprocess.Popen(
            ["/usr/bin/python3", str(HERE / "flood_sender.py"), *map(str, arguments)],
            pass_fds=descriptors, preexec_fn=die_with_parent, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        try:
            self.process.stdin.write(records)
            self.process.stdin.flush()
            if self.process.stdout.readline() != b"started\n":
                raise LabError("flood_sender.py does not start")
        except BaseException:
            self.kill()
            raise

    def finish(self):
        """Tells it to end, waits until it has. Returns how many packets it has sent."""
        self.process.stdin.close()
        out = self.process.stdout.read()  # not communicate(): it would miss what readline() holds
        if self.process.wait() != 0:
            raise LabError(f"flood_sender.py ended with {self.process.returncode}")
        sent, seconds = out.split()
        self.sent, self.seconds = int(sent), float(seconds)
        return self.sent

    def kill(self):
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()


class FloodTestCase(LabTestCase):
    config = {"policy": {"profile": "internet", "allow": [GOOD_CLIENTS, GOOD_SERVERS]},
              "icmp_rate": RATE, "tun": one_by_one(), "readiness": WITHOUT_PINGS}
    pairs = PAIRS + [(SINKS4, SINKS6)]

    @classmethod
    def prepare(cls):
        cls.lab.ip("r4", "route del default", "route add blackhole default",
                   "route add 192.0.2.0/24 via 203.0.113.2", f"route add blackhole {CLIENTS}")
        cls.lab.ip("r6", "route del ::/0", "route add blackhole ::/0",
                   "route add 2001:db8:46::/96 via 2001:db8:a::2",
                   "route add 2001:db8:46:ff::/64 via 2001:db8:a::2",
                   f"route add blackhole {SINKS6}")
        cls.lab.ip("gw", "route add default via 203.0.113.1",
                   "route add default via 2001:db8:a::1")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.started = time.monotonic()
        # As an operator does, so that addresses without a pair are answered.
        cls.lab.ip("gw", f"route add 192.0.2.0/24 dev {TUN}")
        cls.sockets = []
        for role, dev in (("r4", "core"), ("r6", "core"), ("gw", TUN)):
            with cls.lab.inside(role):
                made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                made.bind((dev, 0))
            cls.addClassCleanup(made.close)
            cls.sockets.append(made)
        cls.frame_headers = [cls.mac("gw", "v4") + cls.mac("r4", "core") + b"\x08\x00",
                             cls.mac("gw", "v6") + cls.mac("r6", "core") + b"\x86\xdd", b""]
        cls.transfer_in_both_directions()  # warms up
        cls.quiet_rate = cls.transfer_in_both_directions()
        print(f"the good flow alone: {cls.quiet_rate:.0f} Mbit/s")

    @classmethod
    def mac(cls, role, dev):
        words = cls.lab.ip_output(role, f"-o link show {dev}").split()
        return bytes.fromhex(words[words.index("link/ether") + 1].replace(":", ""))

    @classmethod
    def transfer_in_both_directions(cls):
        """Raises unless the same bytes arrive. Returns Mbit/s."""
        with TcpPair(cls.lab, "c4", V1, "s1", S1) as pair:
            start = time.monotonic()
            transfer(pair.client, pair.server, GOOD_BYTES)
            transfer(pair.server, pair.client, GOOD_BYTES)
            return 2 * GOOD_BYTES * 8e-6 / (time.monotonic() - start)

    def books(self):
        """Waits until nothing moves any more, and everything is accounted for."""
        last = None
        # A connection that has not ended yet can still send.
        wait_until(lambda: not any(self.lab.check(role, "ss", "-Htan", "exclude", "time-wait")
                                   for role in ("c4", "s1")), "connections to end", timeout=120)

        def at_rest():
            nonlocal last
            before, last = last, Books(self.lab, self.daemon)
            return before is not None and before.tun == last.tun and not last.problems()
        try:
            wait_until(at_rest, "the books to balance", timeout=15)
        except LabError:
            self.fail("the books do not balance: " + "; ".join(last.problems() or ["unrest"]))
        return last

    @contextlib.contextmanager
    def long_queue(self):
        """No packet of a short flood is lost, however long the translator is kept from a CPU."""
        usual = json.loads(self.lab.ip_output("gw", f"-j link show dev {TUN}"))[0]["txqlen"]
        self.lab.ip("gw", f"link set {TUN} txqueuelen {ROOM}")
        yield
        self.lab.ip("gw", f"link set {TUN} txqueuelen {usual}")

    @contextlib.contextmanager
    def returned_errors(self):
        """Yields a list that at the end holds the translator's own errors that were routed back to
        it: the sources of the packets that they are about were forged and belong to it."""
        own = {ipaddress.ip_address(a).packed for a in (OWN4, OWN6)}
        port, found = live.Port(self.lab, "gw", TUN, header=False), []
        try:
            yield found
            port.socket.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                while True:
                    packet, address = port.socket.recvfrom(70000)
                    source = packet[12:16] if packet[0] >> 4 == 4 else packet[8:24]
                    if address[2] == socket.PACKET_OUTGOING and source in own:
                        found.append(packet)
        finally:
            port.close()

    def records(self, cases):
        return b"".join(
            struct.pack("!BI", case.way, len(frame)) + frame for case in cases
            for frame in [self.frame_headers[case.way] + case.packet]) + bytes(5)

    def replay(self, cases, least, seconds=0):
        descriptors = [s.fileno() for s in self.sockets]
        return self.keep(Sending(descriptors, "replay", least, seconds, *descriptors,
                                 records=self.records(cases)))

    def send_paced(self, cases, count, batch, wait):
        """`wait`: called with the number of packets sent so far, after each batch."""
        descriptors = [s.fileno() for s in self.sockets]
        sending = self.keep(Sending(descriptors, "paced", count, batch, *descriptors,
                                    records=self.records(cases)))
        for sent in range(batch, count + batch, batch):
            if sending.process.stdout.readline() != b"sent\n":
                raise LabError("flood_sender.py does not go on")
            wait(min(sent, count))
            sending.process.stdin.write(b"\n")
            sending.process.stdin.flush()
        return sending.finish()

    def send_random(self, way, kind, count, seed):
        descriptor = self.sockets[way].fileno()
        return self.keep(Sending([descriptor], "random", count, seed, descriptor,
                                 self.frame_headers[way].hex(), kind))

    def keep(self, sending):
        self.addCleanup(sending.kill)
        return sending

    def assert_log_is_bounded(self):
        """DC-17: one line per minute, direction and reason, and no other lines about packets."""
        text = self.daemon.log()
        text = text[text.index("ready:"):]
        minutes = (time.monotonic() - self.started) // 60
        lines = [line for line in text.splitlines()[1:] if "counters:" not in line]
        seen = {}
        for line in lines:
            match = re.search(r"discarded \d+ (IPv[46]) packets?: (\w+): .* e\.g\. "
                              r"(?:\S+ > \S+, protocol \d+|no IP header), \d+ bytes$", line)
            self.assertIsNotNone(match, line)
            seen[match.groups()] = seen.get(match.groups(), 0) + 1
        self.assertLessEqual(max(seen.values(), default=0), 2 + minutes, seen)
        return seen
