# SPDX-License-Identifier: BSD-2-Clause
"""UDP by the helper program: single runs, and the highest rate without loss."""

import json
import os
import secrets
import subprocess

from lab import daemon_path
from netns import LabError
from testbed import CLIENT6, CLIENT_CPU, SERVER4, SERVER_CPU, CpuClock, on_cpu

PORT = 9000
PRECISION = 0.02  # of the rate
ATTEMPTS = 2      # a rate is lossless if one of them is: others share these CPUs
REACHED = 0.97    # a sender that stays below this part of the wanted rate is the limit itself


def helper():
    path = os.environ.get("XLAT646_UDP_LOAD",
                          os.path.join(os.path.dirname(daemon_path()), "xlat646_udp_load"))
    if not os.access(path, os.X_OK):
        raise LabError(f"{path} is not there: build the target xlat646_udp_load")
    return path


def run(testbed, sender, receiver, target, seconds, rate=0, size=64, segments=1, extra=()):
    """One run from namespace to namespace. Returns what the helper printed at both ends, and the
    CPU seconds of the machine."""
    tag = str(secrets.randbits(63) | 1)
    common = ["--port", str(PORT), "--size", str(size), "--tag", tag]
    # Behind a translator, the server has IPv6 and the client IPv4.
    ipv6 = target == CLIENT6 if receiver == "c" else target != SERVER4
    cpus = {"c": CLIENT_CPU, "s": SERVER_CPU}
    listener = testbed.start(receiver, *on_cpu(cpus[receiver]), helper(), "receive", *common,
                             *(["--ipv6"] if ipv6 else []),
                             *(["--merged"] if segments > 1 else []),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if listener.stdout.readline() != "ready\n":
            raise LabError("the UDP receiver does not start")
        clock = CpuClock()
        sent = json.loads(testbed.check(
            sender, *on_cpu(cpus[sender]), helper(), "send", "--to", target, *common,
            "--seconds", str(seconds), "--rate", str(rate), "--segments", str(segments), *extra,
            timeout=seconds + 30))
        listener.stdin.close()
        result = json.loads(listener.stdout.read())
        result["cpu"] = clock.seconds()
        if listener.wait(timeout=30) != 0:
            raise LabError("the UDP receiver failed")
    finally:
        listener.kill()
        listener.wait()
        listener.stdout.close()
    if result["received"] > sent["sent"]:
        raise LabError(f"more datagrams received ({result['received']}) than sent")
    return {"sent": sent["sent"], "lost": sent["sent"] - result["received"], **result,
            "send_seconds": sent["seconds"], "send_rate": sent["sent"] / sent["seconds"]}


def highest_lossless(trial, attempts=ATTEMPTS, precision=PRECISION):
    """`trial(rate)` (0: as fast as it goes) returns a dictionary with `lost` and `send_rate`.
    Returns the best lossless one with `at_least`: True if the sender, not the path, was the limit.
    Bisection between nothing and the sender's own limit (RFC 2544, section 26.1)."""
    def best_of(rate):
        runs = []
        while len(runs) < attempts:
            runs.append(trial(rate))
            if runs[-1]["lost"] == 0:
                break
        return min(runs, key=lambda r: r["lost"])

    fastest = best_of(0)
    if fastest["lost"] == 0:
        return {**fastest, "at_least": True}
    low, high, best, at_least = 0.0, fastest["send_rate"], None, False
    while high - low > precision * high:
        middle = (low + high) / 2
        done = best_of(middle)
        if done["lost"] == 0:
            low, at_least = middle, done["send_rate"] < REACHED * middle
            best = max(best or done, done, key=lambda r: r["send_rate"])
        else:
            high = middle
        if high < 1000:
            raise LabError("loss at every rate down to 1000 datagrams per second")
    return {**best, "at_least": at_least}
