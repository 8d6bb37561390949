# SPDX-License-Identifier: BSD-2-Clause
"""What is measured. A workload runs once for one translator and returns a dictionary: `value`, and
what else there is to say (each key is explained in README.md)."""

import dataclasses
import json
import math
import re
import subprocess
import typing

import udp
from netns import LabError, wait_until
from testbed import CLIENT_CPU, SERVER_CPU, CpuClock, on_cpu

IPERF_PORT = 5201
QUIC_SIZE, QUIC_SEGMENTS = 1000, 40


@dataclasses.dataclass(frozen=True)
class Seconds:
    """How long the runs take. RFC 2544 wants 60 s for each; here rounds are repeated instead."""
    tcp: float
    udp_trial: float
    http: float
    echoes: int  # RFC 8219, section 7.2: at least 500 for a percentile


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    title: str
    unit: str
    run: typing.Callable  # (testbed, translator, seconds)
    lower_is_better: bool = False


def percentile(values, percent):
    """The smallest value that `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def parse_ping(text):
    """Microseconds of every answer."""
    return [round(float(t) * 1000, 1) for t in re.findall(r" time=([0-9.]+) ms", text)]


def ping(interval):
    def run(testbed, translator, seconds):
        done = testbed.run("c", "ping", "-n", "-c", str(seconds.echoes), "-i", str(interval),
                           "-W", "2", translator.server, timeout=120)
        times = parse_ping(done.stdout)
        if len(times) < seconds.echoes * 0.9:
            raise LabError(f"only {len(times)} of {seconds.echoes} echo requests were answered")
        return {"value": percentile(times, 50), "p1": percentile(times, 1),
                "p99": percentile(times, 99), "worst": percentile(times, 99.9),
                "lost": seconds.echoes - len(times)}
    return run


# So short that a CPU does not fall into deep sleep, which takes longer than all that is measured.
ping_idle = ping(0.0002)
ping_rare = ping(0.005)


def congestion_control():
    with open("/proc/sys/net/ipv4/tcp_available_congestion_control", encoding="ascii") as file:
        return ["-C", "cubic"] if "cubic" in file.read().split() else []


def start_iperf_server(testbed):
    server = testbed.start("s", "iperf3", "-s", "-1", stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    wait_until(lambda: testbed.listening("s", IPERF_PORT), "iperf3 listens")
    return server


def iperf_client(translator, seconds, streams=1, reverse=False):
    # One segment size for all (1440: IPv6's): otherwise native IPv4 writes split differently.
    return ["iperf3", "-J", "-c", translator.server, "-t", str(seconds), "-M", "1440",
            "-P", str(streams), "-A", f"{CLIENT_CPU},{SERVER_CPU}", *congestion_control(),
            *(["-R"] if reverse else [])]


def ping_loaded(testbed, translator, seconds):
    server = start_iperf_server(testbed)
    # iperf3 takes whole seconds; it is stopped when the last echo has been answered.
    stream = testbed.start("c", *iperf_client(translator, 600), stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    try:
        # One connection is iperf3's for control, the other is the stream.
        wait_until(lambda: testbed.check("c", "ss", "-Htn", "state", "established", "dport",
                                         f":{IPERF_PORT}").count("\n") > 1, "the TCP stream")
        result = ping_rare(testbed, translator, seconds)
        if stream.poll() is not None:
            raise LabError("the TCP stream ended while it was needed")
        return result
    finally:
        testbed.stop_process(stream)
        testbed.stop_process(server)


def tcp(streams, reverse):
    def run(testbed, translator, seconds):
        server = start_iperf_server(testbed)
        try:
            clock = CpuClock()
            done = testbed.run("c", *iperf_client(translator, seconds.tcp, streams, reverse),
                               timeout=seconds.tcp + 60)
            cpu = clock.seconds()
            report = json.loads(done.stdout)
            if "error" in report:
                raise LabError(f"iperf3: {report['error']}")
            received = report["end"]["sum_received"]
            return {"value": received["bits_per_second"] / 1e9,
                    "cpu_s_per_gb": cpu / (received["bytes"] / 1e9),
                    "retransmissions": report["end"]["sum_sent"].get("retransmits", 0)}
        finally:
            testbed.stop_process(server)
    return run


def way(translator, reverse):
    """Sender, receiver, and the receiver's address as the sender sees it."""
    return ("s", "c", translator.client) if reverse else ("c", "s", translator.server)


def udp_lossless(size, reverse):
    def run(testbed, translator, seconds):
        def trial(rate):
            return udp.run(testbed, *way(translator, reverse), seconds.udp_trial, rate, size,
                           extra=["--precedence"])
        best = udp.highest_lossless(trial)
        return {"value": best["send_rate"] / 1000, "at_least": best["at_least"],
                "cpu_us_per_packet": best["cpu"] / best["received"] * 1e6}
    return run


def quic(reverse):
    def run(testbed, translator, seconds):
        done = udp.run(testbed, *way(translator, reverse), seconds.udp_trial * 2, 0, QUIC_SIZE,
                       QUIC_SEGMENTS)
        if done["received"] == 0:
            raise LabError("nothing arrives")
        return {"value": done["received"] / done["seconds"] / 1000,
                "at_least": done["lost"] == 0, "loss_percent": 100 * done["lost"] / done["sent"],
                "cpu_us_per_packet": done["cpu"] / done["received"] * 1e6}
    return run


def http(keep_alive):
    def run(testbed, translator, seconds):
        address = translator.server
        url = f"http://[{address}]/" if ":" in address else f"http://{address}/"
        clock = CpuClock()
        text = testbed.check(
            "c", *on_cpu(CLIENT_CPU), "wrk", "-t", "1", "-c", "32", "-d", f"{seconds.http}s",
            *([] if keep_alive else ["-H", "Connection: close"]), url, timeout=seconds.http + 60)
        cpu = clock.seconds()
        errors = re.search(r"(Non-2xx or 3xx responses: .*|Socket errors: .*)", text)
        requests = int(re.search(r"(\d+) requests in", text).group(1))
        result = {"value": float(re.search(r"Requests/sec:\s+([0-9.]+)", text).group(1)),
                  "cpu_us_per_request": cpu / max(1, requests) * 1e6}
        if errors:
            result["errors"] = errors.group(1)
        return result
    return run


def both_ways(name, title, unit, make):
    return [Workload(f"{name}_46", f"{title}, 4 to 6", unit, make(False)),
            Workload(f"{name}_64", f"{title}, 6 to 4", unit, make(True))]


WORKLOADS = [
    Workload("ping_idle", "round-trip latency, idle", "µs", ping_idle, True),
    Workload("ping_rare", "round-trip latency, idle, CPUs asleep", "µs", ping_rare, True),
    Workload("ping_loaded", "round-trip latency beside a TCP stream", "µs", ping_loaded, True),
    *both_ways("tcp1", "TCP, 1 stream", "Gbit/s", lambda r: tcp(1, r)),
    *both_ways("tcp4", "TCP, 4 streams", "Gbit/s", lambda r: tcp(4, r)),
    *both_ways("udp64", "UDP throughput, 64 bytes", "kpps", lambda r: udp_lossless(64, r)),
    *both_ways("udp1400", "UDP throughput, 1400 bytes", "kpps", lambda r: udp_lossless(1400, r)),
    *both_ways("quic", "UDP in bursts (GSO, 40 x 1000 bytes)", "kpps", quic),
    Workload("http_keepalive", "HTTP, connections kept alive", "requests/s", http(True)),
    Workload("http_close", "HTTP, a connection per request", "requests/s", http(False)),
]
