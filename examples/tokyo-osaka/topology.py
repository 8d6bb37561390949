# SPDX-License-Identifier: BSD-2-Clause
"""Two sites, several translators, real BIRD daemons, in network namespaces.

                   client                    IPv4 Internet
                     |
                    r4t ------- r4o          IPv4 core: OSPFv2
                     | \\       / |
                     |   \\   /   |           every node has a link to every core router
                   tokyo   X   osaka         nodes: xlat646d and BIRD
                     |   /   \\   |
                     | /       \\ |
                    r6t ------- r6o          IPv6 core: OSPFv3
                     |           |
                    swt ------- swo          one IPv6-only segment, a bridge per site
                    |  |         |
                   s1  s2        s3

Names of devices: "to-X" leads to X. Further nodes are tokyo2, osaka2, tokyo3 and so on.
"""

import contextlib
import ipaddress
import json
import os
import re
import signal
import subprocess

from bird import NodeBird, router
from lab import Daemon, command_path, embedded, socket_of
from netns import LabError, Net, need_tools, wait_until

SITES = ("tokyo", "osaka")
CORE4, CORE6 = ("r4t", "r4o"), ("r6t", "r6o")
SWITCHES = ("swt", "swo")
VARIANTS = ("equal-cost", "preferred-site")
POOL, PREFIX = "192.0.2.0/24", f"{embedded('0.0.0.0')}/96"
CLIENT = "198.51.100.10"
CLIENT_IN_PREFIX = embedded(CLIENT)
SEGMENT = "2001:db8:6::/64"
# Public address, own address and site of each server.
SERVERS = {"s1": ("192.0.2.1", "2001:db8:6::11", 0), "s2": ("192.0.2.2", "2001:db8:6::12", 0),
           "s3": ("192.0.2.3", "2001:db8:6::13", 1)}
PAIRS = [(public, own) for public, own, _ in SERVERS.values()]
# A node without these routes is of no use, whatever it hears of its own.
REQUIRE = [{"route": "198.51.100.0/24"}, {"route": SEGMENT}]
# A node's own routes come from OSPF.
KERNEL = """protocol kernel { ipv4 { import none; export all; }; }
protocol kernel { ipv6 { import none; export all; }; }
"""


def node_name(number):
    return SITES[number % 2] + (str(number // 2 + 1) if number > 1 else "")


class Node:
    """A translator: namespace, links to all core routers, daemon and BIRD."""

    def __init__(self, net, number):
        self.net, self.number, self.name = net, number, node_name(number)
        self.preferred = net.variant == "equal-cost" or number % 2 == 0
        net.add(self.name)
        net.forward(self.name)
        net.hash_by_ports(self.name)
        interfaces = []
        for k, core in enumerate(CORE4 + CORE6):
            net.link(self.name, core)
            interfaces.append({"name": f"to-{core}", "family": "ipv4" if core in CORE4 else "ipv6"})
            if core in CORE4:
                low = ipaddress.IPv4Address("203.0.113.0") + 8 * number + 4 * k
                net.ip(core, f"addr add {low + 1}/30 dev to-{self.name}")
                net.ip(self.name, f"addr add {low + 2}/30 dev to-{core}")
            else:
                net.ip(core, f"addr add 2001:db8:a:{number:x}{k}::1/64 dev to-{self.name} nodad")
                net.ip(self.name, f"addr add 2001:db8:a:{number:x}{k}::2/64 dev to-{core} nodad")
        self.daemon = Daemon(net, self.name, PAIRS)
        self.bird = NodeBird(self.daemon, f"10.255.1.{number + 1}", interfaces, KERNEL,
                             pool=[POOL], site="primary" if self.preferred else "standby",
                             bfd={"interval_ms": net.bfd_ms})
        self.daemon.write_config(
            own_addresses={"ipv4": f"192.0.2.{254 - number}",
                           "ipv6": f"2001:db8:46:ff::{number + 1:x}"},
            icmp_source_pool=None, readiness={"require": REQUIRE, **net.readiness},
            **self.bird.settings)

    def start_bird(self):
        self.tool("bird-config", "--install", self.bird.include)
        self.bird.start()

    def start_daemon(self):
        self.daemon.start(wait=False)

    def tool(self, *words, good=True):
        """xlat646 with this node's configuration."""
        done = subprocess.run([command_path(), *words, "--config", self.daemon.config_path],
                              capture_output=True, text=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL)
        if good and done.returncode != 0:
            raise LabError(f"{self.name}: {words}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def status(self):
        """What `xlat646 status --json` says; None while no daemon answers."""
        done = subprocess.run([command_path(), "status", "--json", "--socket",
                               socket_of(self.daemon)], capture_output=True, text=True, timeout=60,
                              check=False, stdin=subprocess.DEVNULL)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def is_ready(self):
        status = self.status()
        return status is not None and status["readiness"]["ready"]

    def links(self):
        return [(self.name, core) for core in CORE4 + CORE6]

    def remove(self):
        """Without ceremony: whatever state the processes are in."""
        for process in (self.daemon.process, self.bird.process):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        self.bird.remove()
        with contextlib.suppress(LabError):
            self.daemon.remove()


class Topology(Net):
    def __init__(self, nodes=2, variant="equal-cost", readiness=None, bfd_ms=100):
        need_tools("bird", "birdc", "bridge", "nft")
        super().__init__("client", *CORE4, *CORE6, *SWITCHES, *SERVERS)
        self.variant, self.readiness, self.bfd_ms = variant, readiness or {}, bfd_ms
        self.nodes, self.routers = {}, {}
        try:
            self._connect()
            for _ in range(nodes):
                self.add_node()
            self._start_routers()
        except BaseException:
            self.close()
            raise

    def close(self):
        for node in self.nodes.values():
            node.remove()
        for bird in self.routers.values():
            bird.remove()
        self.nodes, self.routers = {}, {}
        super().close()

    def link(self, role_a, role_b):
        self.veth(role_a, f"to-{role_b}", role_b, f"to-{role_a}")

    def hash_by_ports(self, role):
        """RT-07: flows, not pairs of hosts, are spread over equal routes. By addresses, protocol
        and ports as they stand in the packet (3), as between real machines; policy 1 would see the
        random number that the sender's socket gives to its packets, and changes after a loss."""
        self.sysctl(role, **{f"net.{family}.fib_multipath_hash_{key}": value
                             for family in ("ipv4", "ipv6")
                             for key, value in (("policy", 3), ("fields", 0x37))})

    def _connect(self):
        for role in CORE4 + CORE6:
            self.forward(role)
            self.hash_by_ports(role)
        self.veth("client", "eth0", "r4t", "stub")
        self.ip("client", f"addr add {CLIENT}/24 dev eth0", "route add default via 198.51.100.1")
        self.ip("r4t", "addr add 198.51.100.1/24 dev stub")
        self.link(*CORE4)
        self.ip("r4t", "addr add 203.0.113.253/30 dev to-r4o")
        self.ip("r4o", "addr add 203.0.113.254/30 dev to-r4t")
        self.link(*CORE6)
        self.link(*SWITCHES)
        for site, switch in enumerate(SWITCHES):
            self.ip(switch, "link add lan type bridge", "link set lan up",
                    f"link set to-{SWITCHES[1 - site]} master lan")
            self.veth(CORE6[site], "stub", switch, "router")
            self.ip(switch, "link set router master lan")
            self.ip(CORE6[site], f"addr add 2001:db8:6::{site + 1}/64 dev stub nodad")
        for server, (_, _, site) in SERVERS.items():
            self.plug(server, site)

    def plug(self, server, site, mac=None):
        """Connects a server to the bridge of a site. It asks nobody; the bridges and the neighbours
        learn from its announcement."""
        own = SERVERS[server][1]
        self.veth(server, "eth0", SWITCHES[site], server)
        self.ip(SWITCHES[site], f"link set {server} master lan")
        if mac:
            self.ip(server, "link set eth0 down", f"link set eth0 address {mac}")
        self.sysctl(server, **{"net.ipv6.conf.eth0.ndisc_notify": 1})
        # A server's router is the one of the site where it was born.
        self.ip(server, "link set eth0 up", f"addr add {own}/64 dev eth0 nodad",
                f"route add default via 2001:db8:6::{SERVERS[server][2] + 1}")

    def move(self, server, site):
        """The same server, with its addresses and its MAC, at another site."""
        shown = self.ip_output(server, "-o link show eth0")
        mac = re.search(r"link/ether (\S+)", shown).group(1)
        self.ip(server, "link del eth0")
        self.plug(server, site, mac)

    def add_node(self):
        """Neither its daemon nor its BIRD runs yet."""
        node = Node(self, len(self.nodes))
        self.nodes[node.name] = node
        return node

    def _start_routers(self):
        for number, role in enumerate(CORE4 + CORE6):
            has_hosts = role == "r4t" or role in CORE6
            self.routers[role] = router(self, role, f"10.255.0.{number + 1}", "to-*",
                                        stub="stub" if has_hosts else None, bfd_ms=self.bfd_ms)
            self.routers[role].start()

    def start_nodes(self, count=None):
        """All of them, or the first ones."""
        for node in list(self.nodes.values())[:count]:
            node.start_bird()
            node.start_daemon()
        self.wait_running()

    # What the core knows

    def advertised(self, role):
        """{node: metric} as the routers' LSAs have it: for the pool or for the prefix."""
        shown = self.routers[role].birdc("show", "ospf", "state", "all",
                                         "ospf4" if role in CORE4 else "ospf6").stdout
        by_id = {f"10.255.1.{n.number + 1}": n.name for n in self.nodes.values()}
        wanted, found, who = POOL if role in CORE4 else PREFIX, {}, None
        external = re.compile(rf"\s+external {re.escape(wanted)} metric (\d+)")
        for line in shown.splitlines():
            if match := re.match(r"\s+router (\S+)", line):
                who = by_id.get(match.group(1), who if line.startswith("\t\t") else None)
            elif who and (match := external.match(line)):
                found[who] = int(match.group(1))
        return found

    def used(self, role):
        """Devices' other ends over which a core router sends what is to be translated."""
        family, wanted = (4, POOL) if role in CORE4 else (6, PREFIX)
        shown = json.loads(self.ip_output(role, f"-{family} -j route show {wanted}") or "[]")
        hops = [hop["dev"] for route in shown for hop in route.get("nexthops", [route])]
        return {hop.removeprefix("to-") for hop in hops}

    def wait_used(self, names, timeout=60):
        """Until every core router sends to just these nodes."""
        wanted = set(names)
        try:
            wait_until(lambda: all(self.used(role) == wanted for role in CORE4 + CORE6),
                       f"all core routers use {sorted(wanted)}", timeout, 0.05)
        except LabError as error:
            raise LabError(f"{error}: { {r: self.used(r) for r in CORE4 + CORE6} }") from None

    def running(self):
        return [n for n in self.nodes.values()
                if n.daemon.process and n.daemon.process.poll() is None]

    def wait_running(self):
        """Until all nodes that run are ready, and the core uses those of them that it should."""
        for node in self.running():
            wait_until(node.is_ready, f"{node.name} is ready", 60, 0.1)
        self.wait_used(n.name for n in self.running() if n.preferred)

    def digests(self):
        """{digest of the table: [names of the nodes that have it]}"""
        found = {}
        for node in self.running():
            if status := node.status():
                found.setdefault(status["table"]["digest"], []).append(node.name)
        return found

    def received(self, direction):
        return {node.name: status["counters"][direction]["received"] for node in self.running()
                if (status := node.status())}

    # Accidents

    def cut(self, role_a, role_b):
        """Nothing passes this link any more, and neither end has lost its carrier."""
        for role, peer in ((role_a, role_b), (role_b, role_a)):
            self.check(role, "nft", f"add table netdev cut-{peer}; add chain netdev cut-{peer} in "
                       f"{{ type filter hook ingress device to-{peer} priority 0; policy drop; }}")

    def mend(self, role_a, role_b):
        for role, peer in ((role_a, role_b), (role_b, role_a)):
            self.check(role, "nft", f"delete table netdev cut-{peer}")

    def break_probe(self, node):
        """The node's pings of itself are lost; all other packets pass."""
        own4 = f"192.0.2.{254 - node.number}"
        self.check(node.name, "nft", "add table inet probe; add chain inet probe out { type filter "
                   f"hook output priority 0; }}; add rule inet probe out ip daddr {own4} drop")

    def mend_probe(self, node):
        self.check(node.name, "nft", "delete table inet probe")

    def kill(self, process, number=signal.SIGKILL):
        os.kill(process.pid, number)
        if number == signal.SIGKILL:
            process.wait()
