# SPDX-License-Identifier: BSD-2-Clause
"""A million pairs against 30: 64-byte UDP over random pairs by both data paths, and what it takes
to load and to reload a million.

The server owns the IPv6 addresses of all pairs (a local route), the IPv4 ones are one block; which
belongs to which is a permutation, each pair a line of its own in the mapping file."""

import os
import re
import signal
import subprocess
import time

import udp
from lab import Daemon, daemon_path
from netns import LabError
from testbed import CLIENT_IN_PREFIX, SERVER6, Testbed
from traffic import Worker
from translators.xlat646 import Xlat646

MANY, FEW = 1_000_000, 30
FIRST4, FIRST6 = "10.64.0.0", "2001:db8:7::"
ALL6 = "2001:db8:7::/108"
STRIDE = 700_001  # has no factor in common with either number
RELOAD_RATE = 20_000
PATIENCE = 300  # seconds that loading may take on a slow machine


def pair_list(count):
    return [(f"10.{64 + (i >> 16)}.{i >> 8 & 255}.{i & 255}",
             f"2001:db8:7::{j >> 16:x}:{j & 0xffff:x}")
            for i in range(count) for j in [i * STRIDE % count]]


class Case:
    def __init__(self, bed, path, count):
        self.bed, self.path, self.count = bed, path, count
        sections = Xlat646(path, path, fast=path == "fast").sections
        self.daemon = Daemon(bed, pairs=pair_list(count), reload_guard=0, **sections)

    def start(self):
        before = len(self.daemon.log())
        self.daemon.start(wait=False)
        self.daemon.wait_log("ready:", before, timeout=PATIENCE)

    def stop(self):
        self.daemon.stop()

    def trial(self, reverse, seconds, rate):
        if reverse:
            return udp.run(self.bed, "s", "c", CLIENT_IN_PREFIX, seconds, rate,
                           extra=("--from", FIRST6, "--sources", str(self.count), "--precedence"))
        return udp.run(self.bed, "c", "s", FIRST4, seconds, rate,
                       extra=("--targets", str(self.count), "--precedence"))

    def reload_under_traffic(self, seconds):
        """Datagrams lost while the same million is loaded again."""
        worker = Worker(self.daemon.signal_and_wait, signal.SIGHUP, "reloaded:|reload failed",
                        PATIENCE)
        done = self.trial(False, seconds, RELOAD_RATE)
        outlasted = worker.is_alive()
        if "reloaded:" not in worker.join_or_raise(PATIENCE):
            raise LabError(worker.value)
        if outlasted:
            return self.reload_under_traffic(seconds * 2)
        return {"sent": done["sent"], "lost": done["lost"]}


def peak_mb(pid):
    """0 of a process that has ended but was not waited for."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        found = re.search(r"VmHWM:\s+(\d+)", file.read())
    return int(found.group(1)) / 1000 if found else 0


def load(config_path):
    """Seconds and peak memory in MB of `xlat646d --check` on a million pairs."""
    start, peak = time.monotonic(), 0
    with subprocess.Popen([daemon_path(), "--config", config_path, "--check"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        # Not wait4()'s maximum: that begins with the memory of whoever has forked.
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            peak = max(peak, peak_mb(process.pid))
            time.sleep(0.005)
        end = time.monotonic()
        errors = process.stderr.read().decode(errors="replace")
    if process.returncode != 0:
        raise LabError(f"xlat646d --check: {errors}")
    return {"seconds": end - start, "peak_mb": peak}


def measure(rounds, seconds, say, many=MANY):
    samples, loads, reloads = [], [], []
    with Testbed("on") as bed:
        bed.ip("s", f"route add local {ALL6} dev lo")
        bed.ip("gw", f"route add {ALL6} via {SERVER6}")
        cases = [Case(bed, path, count) for path in ("fast", "tun") for count in (FEW, many)]
        try:
            for number in range(rounds):
                loads.append(load(cases[1].daemon.config_path))
                for case in cases:
                    start = time.monotonic()
                    case.start()
                    ready = time.monotonic() - start
                    for reverse in (False, True):
                        best = udp.highest_lossless(
                            lambda rate, c=case, r=reverse: c.trial(r, seconds.udp_trial, rate))
                        samples.append({
                            "round": number, "path": case.path, "pairs": case.count,
                            "direction": "64" if reverse else "46",
                            "value": best["send_rate"] / 1000, "at_least": best["at_least"]})
                        say(f"pairs {case.path} {case.count} {samples[-1]}")
                    if case.count == many:
                        reloads.append({
                            "path": case.path, "ready_s": ready,
                            "peak_mb": peak_mb(case.daemon.process.pid),
                            **case.reload_under_traffic(max(3, 3 * loads[-1]["seconds"]))})
                        say(f"pairs {reloads[-1]}")
                    case.stop()
        finally:
            for case in cases:
                case.daemon.remove()
    return {"samples": samples, "load": loads, "reload": reloads}
