# SPDX-License-Identifier: BSD-2-Clause
"""On what it was measured."""

import os
import pathlib
import platform
import re
import statistics
import subprocess
import time

from testbed import CLIENT_CPU, SERVER_CPU, CpuClock

PACKAGES = ("iperf3", "nginx-light", "wrk", "iputils-ping", "iproute2", "python3-matplotlib")


def first_line(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except OSError:
        return "not there"
    return (done.stdout or done.stderr).strip().partition("\n")[0] or "unknown"


def field(path, pattern):
    found = re.search(pattern, pathlib.Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    return found.group(1) if found else "unknown"


def wake_up_us():
    """How long it takes to wake a process that sleeps on another CPU; half of there and back."""
    there, back = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(there[1])
        os.sched_setaffinity(0, {SERVER_CPU})
        while os.read(there[0], 1):
            os.write(back[1], b"x")
        os._exit(0)
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CLIENT_CPU})
    times = []
    for _ in range(500):
        time.sleep(0.0002)
        start = time.monotonic()
        os.write(there[1], b"x")
        os.read(back[0], 1)
        times.append((time.monotonic() - start) * 1e6 / 2)
    os.sched_setaffinity(0, mine)
    for end in (*there, *back):
        os.close(end)
    os.waitpid(child, 0)
    return statistics.median(times)


def describe():
    """Also how busy the machine was before anything began: results of a busy one mean little."""
    clock, start = CpuClock(), time.monotonic()
    time.sleep(2)
    cpus = len(os.sched_getaffinity(0))
    busy = clock.seconds() / (time.monotonic() - start) / os.cpu_count()
    return {
        "processor": f"{field('/proc/cpuinfo', r'^model name.*: (.*)$')}, {cpus} CPUs",
        "virtual machine": first_line("systemd-detect-virt", "--vm"),
        "memory": f"{int(field('/proc/meminfo', r'^MemTotal: *([0-9]+)')) / 1e6:.1f} GB",
        "kernel": platform.release(),
        "system": field("/etc/os-release", r'^PRETTY_NAME="(.*)"$'),
        "TCP congestion control": "cubic" if "cubic" in pathlib.Path(
            "/proc/sys/net/ipv4/tcp_available_congestion_control").read_text(
                encoding="ascii").split() else "the kernel's default: cubic is not there",
        "busy before the start": f"{busy:.0%}",
        "to wake a process on another CPU": f"{wake_up_us():.0f} µs",
        "started": time.strftime("%Y-%m-%d %H:%M %z"),
        "programs": ", ".join(
            f"{name} {first_line('dpkg-query', '-W', '-f', '${Version}', name)}"
            for name in PACKAGES),
    }
