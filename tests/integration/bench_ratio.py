#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One TCP stream through the translator beside plain IPv6 forwarding, both directions.

    c ---- gw ---- s      one veth path; gw forwards or translates (fast path, offload on, off)

All cases run at the IPv6 segment size, in turn, several rounds; medians, because single-stream TCP
on few cores is bimodal. CPU is that of the whole machine (/proc/stat) per 10^9 bytes.
Not a test: nothing here passes or fails. Needs root, iperf3 and XLAT646D."""

import argparse
import json
import os
import statistics
import subprocess
import sys

from lab import C4, S1, V1, Daemon
from netns import LabError, Net, need_tools, wait_until

NATIVE6 = "2001:db8:c::10"
PINNED = "0,1" if os.cpu_count() > 1 else "0,0"  # client, server: samples scatter less
CASES = ("plain IPv6", "fast path", "offload on", "offload off")


def cpu_seconds():
    with open("/proc/stat", encoding="ascii") as file:
        fields = [int(v) for v in file.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def connect(net, host_offload):
    net.forward("gw")
    net.veth("c", "eth0", "gw", "v4")
    net.veth("gw", "v6", "s", "eth0")
    net.ip("c", f"addr add {C4}/24 dev eth0", f"addr add {NATIVE6}/64 dev eth0 nodad",
           "route add default via 198.51.100.1", "route add default via 2001:db8:c::1")
    net.ip("gw", "addr add 198.51.100.1/24 dev v4", "addr add 2001:db8:c::1/64 dev v4 nodad",
           "addr add 2001:db8:6::1/64 dev v6 nodad")
    net.ip("s", f"addr add {S1}/64 dev eth0 nodad", "route add default via 2001:db8:6::1")
    if not host_offload:
        for role, dev in (("c", "eth0"), ("s", "eth0")):
            net.ethtool(role, dev, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
        for dev in ("v4", "v6"):
            net.ethtool("gw", dev, "gro", "on")


def congestion_control():
    with open("/proc/sys/net/ipv4/tcp_available_congestion_control", encoding="ascii") as file:
        return ["-C", "cubic"] if "cubic" in file.read().split() else []


def one_run(net, target, reverse, seconds):
    """Returns (Gbit/s, CPU seconds per GB, retransmissions)."""
    before = cpu_seconds()
    done = net.run("c", "iperf3", "-J", "-c", target, "-t", str(seconds), "-M", "1440",
                   "-A", PINNED, *congestion_control(), *(["-R"] if reverse else []), timeout=seconds + 30)
    spent = cpu_seconds() - before
    report = json.loads(done.stdout)
    if "error" in report:
        raise LabError(f"iperf3: {report['error']}")
    received = report["end"]["sum_received"]
    return (received["bits_per_second"] / 1e9, spent / (received["bytes"] / 1e9),
            report["end"]["sum_sent"].get("retransmits", 0))


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=3)
    options.add_argument("--nic", action="store_true",
                         help="hosts without offloads, GRO in the gateway: as with physical cards")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    need_tools("iperf3")

    results = {(case, reverse): [] for case in CASES for reverse in (False, True)}
    with Net("c", "gw", "s") as net:
        connect(net, not chosen.nic)
        daemons = {case: Daemon(net, tun={"name": "xlat646", "offload": case != "offload off"},
                                fastpath={"mode": "on" if case == "fast path" else "off",
                                          "interfaces": ["v4", "v6"]})
                   for case in CASES[1:]}
        net.start("s", "iperf3", "-s", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: net.listening("s", 5201), "iperf3 listens")
        try:
            for number in range(chosen.rounds):
                for case in CASES:
                    daemon = daemons.get(case)
                    if daemon:
                        daemon.start()
                    for reverse in (False, True):
                        results[case, reverse].append(
                            one_run(net, V1 if daemon else S1, reverse, chosen.seconds))
                    if daemon:
                        daemon.stop()
                print(f"round {number + 1} of {chosen.rounds} done", file=sys.stderr)
        finally:
            for daemon in daemons.values():
                daemon.remove()
    report(results, chosen.json)


def report(results, as_json):
    medians = {key: [statistics.median(column) for column in zip(*runs)]
               for key, runs in results.items()}
    rows = []
    for (case, reverse), (speed, cpu, retransmissions) in medians.items():
        speeds = [run[0] for run in results[case, reverse]]
        rows.append({"case": case, "direction": "6to4" if reverse else "4to6",
                     "gbits": round(speed, 2), "lowest": round(min(speeds), 2),
                     "highest": round(max(speeds), 2), "cpu_seconds_per_gb": round(cpu, 2),
                     "retransmissions": retransmissions,
                     "of_plain": round(speed / medians[CASES[0], reverse][0], 2),
                     "of_offload_off": round(speed / medians[CASES[-1], reverse][0], 2)})
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    print(f"{'direction':10}{'case':13}{'Gbit/s':>8}{'lowest':>8}{'highest':>9}{'CPU s/GB':>10}"
          f"{'retr.':>7}{'of plain':>10}{'of off':>8}")
    for row in sorted(rows, key=lambda r: r["direction"]):
        print(f"{row['direction']:10}{row['case']:13}{row['gbits']:8.2f}{row['lowest']:8.2f}"
              f"{row['highest']:9.2f}{row['cpu_seconds_per_gb']:10.2f}{row['retransmissions']:7.0f}"
              f"{row['of_plain']:10.2f}{row['of_offload_off']:8.2f}")


if __name__ == "__main__":
    main()
