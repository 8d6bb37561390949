# SPDX-License-Identifier: BSD-2-Clause
"""What may happen to Tokyo, and how it is put right. Each event leaves the topology as it was."""

import dataclasses
import signal
from collections.abc import Callable

from netns import wait_until
from topology import CORE4, CORE6, PAIRS

BROKEN_MAPPING = "version: 1\nmappings:\n  - { ipv4: 192.0.2.300, ipv6: 2001:db8:6::2 }\n"
ANOTHER_PAIR = ("192.0.2.9", "2001:db8:6::19")
UNPLANNED, SLOWLY_NOTICED = 1.3, 2.5  # seconds


@dataclasses.dataclass
class Event:
    """`strike` returns when the core has taken notice, `recover` when all is as before."""
    name: str
    strike: Callable
    recover: Callable | None = None
    bar: float | None = None  # seconds; None: nothing may be lost
    back: str = ""            # what the recovery is called, if it is an event of its own


def tokyo(net):
    return net.nodes["tokyo"]


def wait_without_tokyo(net, roles=CORE4 + CORE6):
    wait_until(lambda: not any("tokyo" in net.used(role) for role in roles),
               "the core goes round Tokyo", 60, 0.05)


def start_again(net):
    tokyo(net).start_daemon()
    net.wait_running()


def kill(net):
    net.kill(tokyo(net).daemon.process)
    wait_without_tokyo(net)


def stop(net):
    net.kill(tokyo(net).daemon.process, signal.SIGSTOP)
    wait_without_tokyo(net)
    tokyo(net).daemon.process.wait(timeout=60)  # its watchdog has killed it


def break_probe(net):
    net.break_probe(tokyo(net))
    wait_without_tokyo(net)


def mend_probe(net):
    net.mend_probe(tokyo(net))
    net.wait_running()


def kill_bird(net):
    net.kill(tokyo(net).bird.process)
    wait_without_tokyo(net)


def restart_bird(net):
    """Drained: the neighbours still know what the killed one has announced, and a BIRD that starts
    removes the node's routes until it has learnt them again."""
    node = tokyo(net)
    node.tool("drain")
    node.bird.start()
    wait_until(lambda: not node.is_ready(), "the node misses its routes", 60, 0.1)
    wait_until(node.is_ready, "the node has its routes again", 60, 0.1)
    undrain(net)


def cut(*cores):
    def strike(net):
        for core in cores:
            net.cut("tokyo", core)
        # A node without one of its sides is of no use to the other, either.
        wait_without_tokyo(net, CORE4 + CORE6 if cores in (CORE4, CORE6) else cores)

    def recover(net):
        for core in cores:
            net.mend("tokyo", core)
        net.wait_running()
    return strike, recover


def vanish(net):
    """As if somebody had pulled the plug: nothing is sent any more, nothing is said to anybody."""
    for link in tokyo(net).links():
        net.cut(*link)
    net.kill(tokyo(net).daemon.process)
    net.kill(tokyo(net).bird.process)
    wait_without_tokyo(net)


def come_back(net):
    for link in tokyo(net).links():
        net.mend(*link)
    tokyo(net).bird.start()
    start_again(net)


def drain(net):
    tokyo(net).tool("drain")
    wait_without_tokyo(net)


def undrain(net):
    tokyo(net).tool("undrain")
    net.wait_running()


def rolling_restart(net):
    for node in net.running():
        node.tool("drain", "--wait")
        if node.daemon.stop() != 0:
            raise AssertionError(node.daemon.log())
        node.start_daemon()
        wait_until(node.is_ready, f"{node.name} is ready", 60, 0.1)
        node.tool("undrain")
        net.wait_running()


def spare(net):
    """The last node is there for this: else it does not run."""
    return list(net.nodes.values())[-1]


def add_node(net):
    node = spare(net)
    node.start_bird()
    node.tool("undrain")
    node.start_daemon()
    net.wait_running()


def remove_node(net):
    """RT-21."""
    node = spare(net)
    node.tool("drain", "--wait")
    if node.daemon.stop() != 0:
        raise AssertionError(node.daemon.log())
    node.bird.stop()
    net.wait_running()


def reload_broken(net):
    node = tokyo(net)
    before = node.status()["table"]["digest"]
    node.daemon.write_mapping(BROKEN_MAPPING)
    node.daemon.signal_and_wait(signal.SIGHUP, "reload failed")
    if node.status()["table"]["digest"] != before or not node.is_ready():
        raise AssertionError("a broken file has changed something")


def reload_good(net):
    tokyo(net).daemon.reload(PAIRS)
    if len(net.digests()) != 1:
        raise AssertionError(f"the tables differ still: {net.digests()}")


def reload_another(net):
    tokyo(net).daemon.reload([*PAIRS, ANOTHER_PAIR])
    if sorted(net.digests().values()) == [sorted(n.name for n in net.running())]:
        raise AssertionError("the tables differ, and the digests do not")


EVENTS = [
    Event("nothing at all", lambda net: None),
    Event("kill -9 of the daemon", kill, start_again, UNPLANNED),
    Event("SIGSTOP of the daemon", stop, start_again, SLOWLY_NOTICED),
    Event("probe failure", break_probe, mend_probe, SLOWLY_NOTICED),
    Event("BIRD killed", kill_bird, restart_bird, UNPLANNED),
    Event("IPv4 link cut", *cut("r4t"), UNPLANNED),
    Event("IPv6 link cut", *cut("r6t"), UNPLANNED),
    Event("both IPv4 links cut", *cut(*CORE4), SLOWLY_NOTICED),
    Event("both IPv6 links cut", *cut(*CORE6), SLOWLY_NOTICED),
    Event("whole node gone", vanish, come_back, UNPLANNED),
    Event("drain", drain, undrain, back="undrain"),
    Event("rolling restart", rolling_restart),
    Event("node added", add_node, remove_node, back="node removed"),
    Event("broken mapping file", reload_broken, reload_good, back="good mapping file"),
    Event("different tables", reload_another, reload_good, back="the same table again"),
]
