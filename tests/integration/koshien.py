#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does it hurt translation when all the world asks for statistics? In turn, in one laboratory: a TCP
stream through the translator alone, and the same stream while 50 clients scrape a large table
without pause, one reads a byte per second, one sends garbage, and the exporter is stopped, killed
and started again and its segment file deleted. Exporter and clients (which would be other machines)
are in control groups of the least weight, as the exporter's unit asks for.

    koshien.py [--rounds N] [--seconds N] [--mappings N]     as root; XLAT646D names the daemon

Prints both rates, their ratio, and the ratio with what exporter and clients took of the CPUs given
back. Named after the stadium at which map646 lost its node."""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import time

from lab import PAIRS, V1, Daemon, Lab, daemon_path
from netns import LabError, need_tools, wait_until

PORT = 9646
CLIENTS = 50
GROUPS1, GROUPS2 = pathlib.Path("/sys/fs/cgroup/cpu"), pathlib.Path("/sys/fs/cgroup")
TICKS = os.sysconf("SC_CLK_TCK")


def many_pairs(count):
    return PAIRS + [(f"10.{64 + (i >> 16)}.{i >> 8 & 255}.{i & 255}",
                     f"2001:db8:7::{i >> 16:x}:{i & 0xffff:x}") for i in range(count)]


class LeastWeight:
    """A control group of the least CPU weight; without the controller, the last in all queues."""

    def __init__(self):
        self.path, self.seconds = None, 0.0
        for root, key, least in ((GROUPS2, "cpu.weight", 1), (GROUPS1, "cpu.shares", 2)):
            group = root / f"xlat646-{os.getpid()}-{id(self):x}"
            if not (root / "cgroup.procs").exists():
                continue
            try:
                group.mkdir()
                if not (group / key).exists():
                    raise FileNotFoundError(key)
                (group / key).write_text(str(least), encoding="ascii")
                with contextlib.suppress(OSError):  # Linux 5.15: also gives way at once
                    (group / "cpu.idle").write_text("1", encoding="ascii")
                self.path = group
                return
            except OSError:
                with contextlib.suppress(OSError):
                    group.rmdir()

    def words(self):
        """In front of a command line."""
        if self.path:
            return ["sh", "-c", f'echo $$ >{self.path}/cgroup.procs; exec "$@"', "sh"]
        return ["setsid", "sh", "-c",
                'echo 19 >/proc/self/autogroup; exec chrt -i 0 nice -n 19 "$@"', "sh"]

    def __str__(self):
        return "a control group of the least weight" if self.path else "nice 19, SCHED_IDLE"

    def close(self):
        if self.path:
            wait_until(self._removed, f"{self.path} to be empty")

    def _removed(self):
        try:
            self.path.rmdir()
            return True
        except OSError:
            return False


def cpu_seconds(process):
    """Of it and of its children that have ended."""
    stat = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii")
    return sum(map(int, stat.rpartition(")")[2].split()[11:15])) / TICKS


class Crowd:
    """Everybody who is interested in statistics."""

    def __init__(self, lab, daemon, mappings):
        self.lab, self.stats = lab, os.path.join(daemon.directory, "stats")
        self.groups = [LeastWeight(), LeastWeight()]
        self.limit, self.cpu, self.exporter, self.others = mappings + 1000, 0.0, None, []

    def start_exporter(self):
        program = os.path.join(os.path.dirname(daemon_path()), "xlat646-exporter")
        self.exporter = self.lab.start(
            "gw", *self.groups[0].words(), program, "--stats", self.stats,
            "--listen", f"127.0.0.1:{PORT}", "--per-mapping", "all",
            "--per-mapping-limit", str(self.limit), stderr=subprocess.DEVNULL)
        # Nobody waits for it: it may get no CPU for long.

    def start(self, seconds):
        self.start_exporter()
        url = f"http://127.0.0.1:{PORT}/metrics"
        own = [sys.executable, os.path.abspath(__file__)]
        for words in (["wrk", "-t", "1", "-c", str(CLIENTS), "-d", str(seconds), "--timeout", "60", url],
                      [*own, "slow"], [*own, "garbage"]):
            self.others.append(self.lab.start(
                "gw", *self.groups[1].words(), *words, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True))

    def misfortunes(self, seconds):
        """All that can befall an exporter, evenly over the time."""
        pause = seconds / 5
        time.sleep(pause)
        self.exporter.send_signal(signal.SIGSTOP)
        time.sleep(pause)
        self.exporter.send_signal(signal.SIGCONT)
        time.sleep(pause)
        self.end(self.exporter)
        self.start_exporter()
        time.sleep(pause)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.stats)

    def end(self, process):
        self.cpu += cpu_seconds(process)
        process.kill()
        process.wait()

    def stop(self):
        for process in [self.exporter, *self.others]:
            if process and process.returncode is None:
                self.end(process)
        self.others.clear()

    def close(self):
        self.stop()
        for group in self.groups:
            group.close()


class Koshien:
    def __init__(self, mappings):
        need_tools("iperf3", "wrk")
        self.stack = contextlib.ExitStack()
        try:
            self.lab = self.stack.enter_context(Lab())
            self.daemon = Daemon(self.lab, pairs=many_pairs(mappings))
            self.stack.callback(self.daemon.remove)
            self.daemon.start()
            self.crowd = Crowd(self.lab, self.daemon, mappings)
            self.stack.callback(self.crowd.close)
        except BaseException:
            self.stack.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stack.close()

    def stream(self, seconds, meanwhile=lambda: None):
        """Gbit/s, bytes, and the seconds it took."""
        server = self.lab.start("s1", "iperf3", "-s", "-1", "-p", "5300", stdout=subprocess.DEVNULL)
        wait_until(lambda: self.lab.listening("s1", 5300), "iperf3 listens")
        start = time.monotonic()
        client = self.lab.start("c4", "iperf3", "-J", "-c", V1, "-p", "5300", "-t", str(seconds),
                                stdout=subprocess.PIPE)
        meanwhile()
        report = json.loads(client.communicate(timeout=seconds + 60)[0])
        took = time.monotonic() - start
        server.wait(timeout=30)
        if "error" in report:
            raise LabError(report["error"])
        received = report["end"]["sum_received"]
        return received["bits_per_second"] / 1e9, received["bytes"], took

    def round(self, seconds):
        """The stream alone, and in the crowd. `bytes`: of both."""
        alone, first, _ = self.stream(seconds)
        crowd, before = self.crowd, self.crowd.cpu
        crowd.start(seconds)
        try:
            watched, second, took = self.stream(seconds, lambda: crowd.misfortunes(seconds))
        finally:
            crowd.stop()
        taken = (crowd.cpu - before) / (took * os.cpu_count())
        self.daemon.reload()  # makes the file again
        if not os.path.exists(crowd.stats):
            raise LabError("the reload has not made a new segment file")
        return {"alone": alone, "watched": watched, "bytes": first + second,
                "ratio": watched / alone, "taken": taken,
                "given_back": watched / alone / (1 - taken)}


def connect():
    while True:
        try:
            return socket.create_connection(("127.0.0.1", PORT))
        except OSError:
            time.sleep(0.1)


def slow():
    """One byte per second of an answer of megabytes."""
    while True:
        with contextlib.suppress(OSError), connect() as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            while client.recv(1):
                time.sleep(1)


def garbage():
    while True:
        with contextlib.suppress(OSError), connect() as client:
            for _ in range(64):
                client.sendall(os.urandom(1500))


def main():
    if sys.argv[1:] == ["slow"]:
        slow()
    if sys.argv[1:] == ["garbage"]:
        garbage()
    options = argparse.ArgumentParser(description="Translation while all the world scrapes.")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=int, default=10)
    options.add_argument("--mappings", type=int, default=100_000)
    chosen = options.parse_args()
    rounds = []
    with Koshien(chosen.mappings) as koshien:
        print(f"{chosen.mappings} mappings, {CLIENTS} clients, in {koshien.crowd.groups[0]}")
        koshien.stream(2)  # warms up
        for _ in range(chosen.rounds):
            rounds.append(koshien.round(chosen.seconds))
            print("alone {alone:.2f} Gbit/s, in the crowd {watched:.2f}, ratio {ratio:.3f}; the crowd "
                  "took {taken:.1%} of the CPUs, given back {given_back:.3f}".format(**rounds[-1]),
                  flush=True)
    for key in ("ratio", "given_back"):
        values = sorted(r[key] for r in rounds)
        print(f"{key}: median {statistics.median(values):.3f}, {values[0]:.3f} to {values[-1]:.3f}")


if __name__ == "__main__":
    main()
