# SPDX-License-Identifier: BSD-2-Clause
"""Traffic through the topology that notices every gap: see flows.py."""

import contextlib
import json
import os
import socket
import subprocess
import time

from netns import LabError
from topology import CLIENT, CLIENT_IN_PREFIX, SERVERS
from traffic import family_of

FLOWS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flows.py")
DIRECTIONS = ("v4_to_v6", "v6_to_v4")
UDP_PORT, TCP_PORT, ECHO_PORT = 7000, 7001, 7002
FIRST_SOURCE_PORT = 20000
PUBLIC, SERVER, _ = SERVERS["s1"]
# Sender's namespace, its address, whom it asks, receiver's namespace and address.
ENDS = {"v4_to_v6": ("client", CLIENT, PUBLIC, "s1", SERVER),
        "v6_to_v4": ("s1", SERVER, CLIENT_IN_PREFIX, "client", CLIENT)}


class Flow:
    """A running flows.py."""

    def __init__(self, net, role, *words):
        self.what = f"{role}: {' '.join(map(str, words))}"
        self.process = net.start(role, "/usr/bin/python3", FLOWS, *map(str, words), text=True,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def wait_ready(self):
        if self.process.stdout.readline() != "ready\n":
            raise LabError(f"{self.what} does not start")
        return self

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def result(self):
        self.end()
        try:
            said = self.process.stdout.read()
            return json.loads(said)
        except ValueError:
            raise LabError(f"{self.what}: {said!r}") from None
        finally:
            self.process.stdout.close()
            self.process.wait(timeout=90)


def way(net, direction, kind, source_port, port):
    """The node that gets the packets of a flow. Nothing else may be on its way."""
    role, source, target, _, _ = ENDS[direction]
    before = net.received(direction)
    with net.socket(role, family_of(source), kind) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((source, source_port))
        with contextlib.suppress(ConnectionRefusedError):
            sock.connect((target, port))
            sock.send(b"which way?")
            sock.recv(1)  # nobody listens
    after = net.received(direction)
    return max(after, key=lambda name: after[name] - before.get(name, 0))


def ports_over(net, direction, kind, port, nodes):
    """A source port for each of these nodes whose packets the core sends there; any port if the
    core does not use the node."""
    ports, candidates = [], iter(range(FIRST_SOURCE_PORT, 2 * FIRST_SOURCE_PORT))
    used = net.used("r4t" if direction == "v4_to_v6" else "r6t")
    for node in nodes:
        ports.append(next(candidate for candidate in candidates
                          if node not in used
                          or way(net, direction, kind, candidate, port) == node))
    return ports


class Chats:
    """Open connections, half of them opened by the servers."""

    def __init__(self, net, count):
        self.servers = [Flow(net, role, "echo", own, ECHO_PORT).wait_ready()
                        for role, (_, own, _) in SERVERS.items()]
        self.servers.append(Flow(net, "client", "echo", CLIENT, ECHO_PORT).wait_ready())
        targets = [word for public, _, _ in SERVERS.values() for word in (public, ECHO_PORT)]
        self.flows = [Flow(net, "client", "chat", count // 2, *targets),
                      Flow(net, "s2", "chat", count - count // 2, CLIENT_IN_PREFIX, ECHO_PORT)]
        for flow in self.flows:
            flow.wait_ready()

    def finish(self):
        """Each connection has answered once more, or is broken."""
        for flow in self.flows:
            flow.end()
        results = [flow.result() for flow in self.flows]
        for server in self.servers:
            server.result()
        return {key: results[0][key] + results[1][key]
                for key in ("connections", "messages", "broken")}


class Stream:
    """TCP in one direction; the hash of what arrives is that of what was sent, or it is broken."""

    def __init__(self, net, direction, source_port, port, megabits):
        sender, source, target, receiver, address = ENDS[direction]
        self.receiver = Flow(net, receiver, "tcp-receive", address, port).wait_ready()
        self.sender = Flow(net, sender, "tcp-send", source, source_port, target, port,
                           megabits).wait_ready()

    def finish(self):
        sent, received = self.sender.result(), self.receiver.result()
        same = (sent["bytes"], sent["sha256"]) == (received["bytes"], received["sha256"])
        problems = [e for e in (sent["error"], received["error"]) if e]
        return {"times": received["times"], "bytes": received["bytes"],
                "broken": problems + ([] if same else ["the data differ"])}


class Datagrams:
    """1000 a second in one direction from each of some source ports."""

    def __init__(self, net, direction, ports):
        sender, source, target, receiver, address = ENDS[direction]
        self.receiver = Flow(net, receiver, "udp-receive", address, UDP_PORT).wait_ready()
        self.sender = Flow(net, sender, "udp-send", source, UDP_PORT, target, *ports).wait_ready()

    def finish(self):
        sent = self.sender.result()
        seen = self.receiver.result()["seen"]
        arrivals = [sorted(when for flow, _, _, when in seen if flow == number)
                    for number in range(sent["flows"])]
        arrived = {(flow, number) for flow, number, _, _ in seen}
        lost = [when for number, when in enumerate(sent["times"])
                for flow in range(sent["flows"]) if (flow, number) not in arrived]
        return {"sent": sent["times"], "arrivals": arrivals, "lost": lost,
                "twice": len(seen) - len(arrived)}


def longest_gap(times, begin, end):
    """In milliseconds, in this interval; one that has not ended counts up to the end."""
    marks = [begin, *(t for t in times if begin <= t <= end), end]
    return max(b - a for a, b in zip(marks, marks[1:])) / 1e6


class Load:
    """All of it. Each direction has a stream over over[0] and datagrams over each of `over`, as
    long as the core uses them."""

    def __init__(self, net, over, connections=100, megabits=50):
        tcp, udp = ({d: ports_over(net, d, kind, port, nodes) for d in DIRECTIONS}
                    for kind, port, nodes in ((socket.SOCK_STREAM, TCP_PORT, over[:1]),
                                              (socket.SOCK_DGRAM, UDP_PORT, over)))
        self.chats = Chats(net, connections)
        self.streams = {d: Stream(net, d, tcp[d][0], TCP_PORT, megabits) for d in DIRECTIONS}
        self.datagrams = {d: Datagrams(net, d, udp[d]) for d in DIRECTIONS}
        self.results = None

    @staticmethod
    def now():
        return time.time_ns()

    def finish(self):
        for flow in self.datagrams.values():
            flow.sender.end()
        time.sleep(0.1)
        self.results = {"datagrams": {d: f.finish() for d, f in self.datagrams.items()},
                        "streams": {d: f.finish() for d, f in self.streams.items()},
                        "chats": self.chats.finish()}
        return self.results

    def broken(self):
        return self.results["chats"]["broken"] + [
            f"bulk {d}: {problem}" for d in DIRECTIONS
            for problem in self.results["streams"][d]["broken"]]

    def window(self, begin, end):
        """What has happened between two times."""
        found = {}
        for d in DIRECTIONS:
            datagrams = self.results["datagrams"][d]
            found[d] = {
                "udp_gap_ms": max(longest_gap(t, begin, end) for t in datagrams["arrivals"]),
                "tcp_gap_ms": longest_gap(self.results["streams"][d]["times"], begin, end),
                "lost": sum(begin <= when <= end for when in datagrams["lost"]),
                "sender_stall_ms": longest_gap(datagrams["sent"], begin, end)}
        return found
