# SPDX-License-Identifier: BSD-2-Clause
"""A live view of the topology with some traffic in it: who announces, what the core routers use,
what each node says of itself, and what it translates."""

import argparse
import sys
import time

from lab import command_path
from load import Chats
from topology import CORE4, CORE6, POOL, PREFIX, VARIANTS, Topology

CLEAR = "\x1b[H\x1b[2J"


def packets(status):
    return [status["counters"][d]["received"] for d in ("v4_to_v6", "v6_to_v4")]


class View:
    def __init__(self, net):
        self.net, self.before = net, {}

    def core(self):
        rows = [("core", "announced to it", "by (metric)", "sends it over")]
        for role in CORE4 + CORE6:
            announced = ", ".join(f"{name} ({metric})" for name, metric
                                  in sorted(self.net.advertised(role).items()))
            rows.append((role, POOL if role in CORE4 else PREFIX, announced or "nobody",
                         ", ".join(sorted(self.net.used(role))) or "NOTHING"))
        wide = max(len(row[2]) for row in rows) + 2
        return [f"{role:6}{what:18}{by:{wide}}{over}" for role, what, by, over in rows]

    def nodes(self):
        yield f"{'node':8}{'ready':7}{'drained':9}{'table':18}{'4 to 6':>12}{'6 to 4':>12}"
        for name, node in self.net.nodes.items():
            status, now = node.status(), time.monotonic()
            if status is None:
                self.before.pop(name, None)
                yield f"{name:8}{'-':7}{'-':9}no daemon answers"
                continue
            digest = status["table"]["digest"][:16]
            count = packets(status)
            rates = ["", ""]
            if name in self.before:
                then, old = self.before[name]
                rates = [f"{(new - was) / (now - then):.0f}/s" for new, was in zip(count, old)]
            self.before[name] = now, count
            readiness = status["readiness"]
            yield (f"{name:8}{'yes' if readiness['ready'] else 'NO':7}"
                   f"{'YES' if status['routing']['draining'] else 'no':9}{digest:18}"
                   f"{rates[0]:>12}{rates[1]:>12}")
        digests = self.net.digests()
        if len(digests) > 1:
            yield "THE TABLES DIFFER: " + "; ".join(
                f"{', '.join(names)} {digest[:16]}" for digest, names in digests.items())

    def text(self):
        return "\n".join([*self.core(), "", *self.nodes()])


def hints(net):
    node = next(iter(net.nodes.values()))
    tool = f"{command_path()} {{}} --config {node.daemon.config_path}"
    return "\n".join([
        "Try in another terminal (here for the node " + node.name + "):",
        "  " + tool.format("drain"), "  " + tool.format("undrain"),
        f"  kill -9 {node.daemon.process.pid}",
        f"  ip netns exec {net.names['client']} ping 192.0.2.1",
        f"  edit {node.daemon.mapping_path}, then kill -HUP {node.daemon.process.pid}",
        f"  ip netns exec {net.names['r4t']} birdc -s {net.routers['r4t'].socket} show ospf state"])


def main():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("--nodes", type=int, default=2, metavar="N", help="1 to 16 (default 2)")
    parser.add_argument("--variant", choices=VARIANTS, default=VARIANTS[0],
                        help="all nodes alike, or Osaka only while no node of Tokyo announces")
    parser.add_argument("--seconds", type=float, metavar="S", help="end then, not with Ctrl-C")
    options = parser.parse_args()
    if not 1 <= options.nodes <= 16:
        parser.error("--nodes: 1 to 16")

    print(f"{options.nodes} nodes, {options.variant}: waiting for OSPF ...", flush=True)
    with Topology(options.nodes, options.variant) as net:
        net.start_nodes()
        chats = Chats(net, 64)
        view, end = View(net), time.monotonic() + (options.seconds or float("inf"))
        while time.monotonic() < end:
            head = f"{time.strftime('%H:%M:%S')}  {options.variant}, 64 connections talk"
            print((CLEAR if sys.stdout.isatty() else "") + head, view.text(), hints(net)
                  if sys.stdout.isatty() else "", sep="\n\n", flush=True)
            time.sleep(1)
        result = chats.finish()
        print(f"{result['connections']} connections, {result['messages']} messages, "
              f"{len(result['broken'])} broken")
    return 1 if result["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
