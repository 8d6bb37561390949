# SPDX-License-Identifier: BSD-2-Clause
"""The laboratory of the integration tests and the daemon in it.

    c4 ------- r4 ------- gw ------- r6 ==+== s1
    IPv4 host  IPv4       xlat646d   IPv6 +== s2
               router                router

  c4  198.51.100.10          r4  198.51.100.1, 203.0.113.1   gw  203.0.113.2, 2001:db8:a::2
  s1  2001:db8:6::2 (192.0.2.1)   s2  2001:db8:6::3 (192.0.2.2)   r6  2001:db8:a::1, ...:6::1
No router has a mapping. The translation prefix is 2001:db8:46::/96.

Environment: XLAT646D (the program), XLAT646_RUN_UNDER (words in front of its command line) and
XLAT646_MODE:
  on      offloads everywhere, as veth comes
  off     tun.offload: false
  verify  tun.offload: true, but no other device has any offload: every checksum is computed by
          the sender and verified by the receiver
  nic     as verify, and the gateway merges what arrives (GRO): packets as from a physical card
  fast    as on, and the gateway has the fast path on both uplinks
  fastnic as nic, with the fast path
"""

import ipaddress
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from netns import LabError, Net, need_tools, wait_until
from traffic import echo_datagrams

MODES = ("on", "off", "verify", "nic", "fast", "fastnic")
SANITIZER_REPORT = r"(?:Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:"

C4 = "198.51.100.10"
R4 = "198.51.100.1"
GW4 = "203.0.113.2"
GW6 = "2001:db8:a::2"
R6 = "2001:db8:a::1"
S1, S2 = "2001:db8:6::2", "2001:db8:6::3"
V1, V2 = "192.0.2.1", "192.0.2.2"
OWN4, OWN6 = "192.0.2.254", "2001:db8:46:ff::1"
POOL4 = "192.0.2.240/29"
PREFIX6 = "2001:db8:46::"
TUN = "xlat646"
PAIRS = [(V1, S1), (V2, S2)]
# How two busy cores are shared must not matter but to readiness_test.py.
READINESS = {"failures": 20, "watchdog_ms": 20000}
# For tests that look at all that crosses the TUN, and for gateways that lose their addresses.
WITHOUT_PINGS = {**READINESS, "probe": False}


def embedded(address4):
    """The IPv4-embedded IPv6 address (RFC 6052) of an IPv4 address."""
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(PREFIX6))
                                     + int(ipaddress.IPv4Address(address4))))


def mapping_yaml(pairs):
    lines = [f'  - {{ ipv4: {a}, ipv6: "{b}" }}\n' for a, b in pairs]
    return "version: 1\nmappings:" + ("\n" + "".join(lines) if lines else " []\n")


def tun_section(**changes):
    """One queue, whatever the number of CPUs; tests of several ask for them."""
    return {"name": TUN, "offload": mode() != "off", "queues": 1, **changes}


def one_by_one():
    """No packet overtakes one of another flow, none is joined with another: for tests that send a
    last packet and wait for it, or that count what the TUN takes."""
    return tun_section(lanes=1, coalesce="off")


def mode():
    value = os.environ.get("XLAT646_MODE", "on")
    if value not in MODES:
        raise LabError(f"XLAT646_MODE is {value}, not one of {', '.join(MODES)}")
    return value


def daemon_path():
    path = os.environ.get("XLAT646D")
    if not path or not os.access(path, os.X_OK):
        raise LabError(f"XLAT646D must name the program to test, and is {path!r}")
    return os.path.abspath(path)


def command_path():
    """XLAT646, or what lies beside xlat646d."""
    path = os.environ.get("XLAT646") or os.path.join(os.path.dirname(daemon_path()), "xlat646")
    if not os.access(path, os.X_OK):
        raise LabError(f"{path} is not there")
    return path


def keeps_freed_memory(daemon):
    """The address sanitizer does, for a while; it looks for leaks itself."""
    with open(f"/proc/{daemon.process.pid}/maps", encoding="utf-8") as file:
        return "libasan" in file.read()


def socket_of(daemon):
    return os.path.join(daemon.directory, "control.sock")


class Daemon:
    """One xlat646d with its files in a directory of its own."""

    def __init__(self, net, role="gw", pairs=PAIRS, **changes):
        self.net, self.role = net, role
        self.directory = tempfile.mkdtemp(prefix="xlat646-test-")
        os.chmod(self.directory, 0o755)
        self.config_path = os.path.join(self.directory, "xlat646.yaml")
        self.mapping_path = os.path.join(self.directory, "mapping.yaml")
        self.log_path = os.path.join(self.directory, "log")
        self.process = None
        open(self.log_path, "ab").close()
        self.write_mapping(mapping_yaml(pairs))
        self.write_config(**changes)

    def write_config(self, **changes):
        """Keyword arguments replace whole top-level sections; None removes one. JSON is YAML."""
        config = {
            "translation_prefix": f"{PREFIX6}/96",
            "mapping_files": ["mapping.yaml", "mapping.d/*.yaml"],
            "tun": tun_section(),
            "own_addresses": {"ipv4": OWN4, "ipv6": OWN6},
            "icmp_source_pool": [POOL4],
            "policy": {"profile": "any"},
            "icmp_rate": {"per_second": 0},
            "readiness": READINESS,
            "control_socket": socket_of(self),
            "stats_segment": os.path.join(self.directory, "stats"),
        }
        if mode().startswith("fast"):
            config["fastpath"] = {"mode": "on", "interfaces": ["v4", "v6"]}
        config.update(changes)
        text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in config.items()
                       if value is not None)
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(text)

    def write_mapping(self, text):
        """Replaces the file as an editor would: the daemon never sees half of it."""
        data = text if isinstance(text, bytes) else text.encode()
        fresh = self.mapping_path + ".new"
        with open(fresh, "wb") as file:
            file.write(data)
        os.replace(fresh, self.mapping_path)

    def command(self, *options):
        under = os.environ.get("XLAT646_RUN_UNDER", "").split()
        return [*under, daemon_path(), "--config", self.config_path, *options]

    def start(self, wait=True, stderr=None, under=()):
        """`under`: a program that becomes the daemon."""
        with open(self.log_path, "ab") as log:
            before = log.tell()
            self.process = self.net.start(self.role, *under, *self.command(), stdout=log,
                                          stderr=stderr if stderr is not None else log)
        if wait:
            self.wait_log("ready:", before)
        return self

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_log(self, pattern, start=0, timeout=60):
        """Waits for a regular expression in the log after offset `start`; returns the line."""
        def found():
            match = re.search(rf"^.*(?:{pattern}).*(?=\n)", self.log()[start:], re.MULTILINE)
            if match is None and self.process.poll() is not None:
                raise LabError(f"the daemon ended with status {self.process.returncode} while "
                               f"waiting for '{pattern}'; its log:\n{self.log()}")
            return match
        try:
            return wait_until(found, f"'{pattern}' in the log", timeout).group(0)
        except LabError as error:
            raise LabError(f"{error}\n{self.log()}") from None

    def signal_and_wait(self, number, pattern, timeout=60):
        start = len(self.log())
        self.process.send_signal(number)
        return self.wait_log(pattern, start, timeout)

    def reload(self, pairs=None):
        """SIGHUP, waits until the new table is in force; returns the log line."""
        if pairs is not None:
            self.write_mapping(mapping_yaml(pairs))
        line = self.signal_and_wait(signal.SIGHUP, "reloaded:|reload failed")
        if "reload failed" in line:
            raise LabError(line)
        return line

    def counters(self):
        line = self.signal_and_wait(signal.SIGUSR1, "counters:")
        return json.loads(line[line.index("{", line.index("counters:")):])

    def discarded(self, direction, reason):
        """Packets discarded for this reason, with an ICMP error (rejected) or silently."""
        found = self.counters()[direction]
        return found["dropped"].get(reason, 0) + found["rejected"].get(reason, 0)

    def stop(self, number=signal.SIGTERM):
        """Returns the exit status."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise LabError(f"signal {number} did not end the daemon:\n{self.log()}") from None
        return self.process.returncode if self.process else None

    def remove(self):
        """Stops it, if it still runs, and looks for what a sanitizer had to say."""
        try:
            was_running = self.process is not None and self.process.poll() is None
            status = self.stop()
            if was_running and status != 0:
                raise LabError(f"the daemon ended with status {status}:\n{self.log()}")
            if re.search(SANITIZER_REPORT, self.log()):
                raise LabError(f"a sanitizer's report:\n{self.log()}")
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)


class Lab(Net):
    """The drawing above, without a daemon."""

    def __init__(self):
        need_tools("ping", "traceroute", "mtr", "curl", "setpriv", "unshare", "ss")
        super().__init__("c4", "r4", "gw", "r6", "s1", "s2")
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def _connect(self):
        for role in ("r4", "gw", "r6"):
            self.forward(role)
        self.veth("c4", "eth0", "r4", "host")
        self.veth("r4", "core", "gw", "v4")
        self.veth("gw", "v6", "r6", "core")
        self.veth("r6", "port1", "s1", "eth0")
        self.veth("r6", "port2", "s2", "eth0")
        self.ip("c4", f"addr add {C4}/24 dev eth0", f"route add default via {R4}")
        self.ip("r4", f"addr add {R4}/24 dev host", "addr add 203.0.113.1/24 dev core",
                f"route add default via {GW4}")
        self.ip("gw", f"addr add {GW4}/24 dev v4", f"addr add {GW6}/64 dev v6 nodad",
                "route add 198.51.100.0/24 via 203.0.113.1",
                f"route add 2001:db8:6::/64 via {R6}")
        self.ip("r6", "link add lan type bridge", "link set port1 master lan",
                "link set port2 master lan", "link set lan up",
                "addr add 2001:db8:6::1/64 dev lan nodad",
                f"addr add {R6}/64 dev core nodad", f"route add default via {GW6}")
        for role, address in (("s1", S1), ("s2", S2)):
            self.ip(role, f"addr add {address}/64 dev eth0 nodad",
                    "route add default via 2001:db8:6::1")
        if mode() in ("verify", "nic", "fastnic"):
            for role in self.names:
                for dev in self.devices(role):
                    self.ethtool(role, dev, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
        if mode().endswith("nic"):
            for dev in ("v4", "v6"):
                self.ethtool("gw", dev, "gro", "on")

    def set_mtu(self, role_a, dev_a, role_b, dev_b, mtu):
        self.ip(role_a, f"link set {dev_a} mtu {mtu}")
        self.ip(role_b, f"link set {dev_b} mtu {mtu}")

    def ping(self, role, target, *options, count=1):
        """Returns the CompletedProcess of ping; one second between packets is not waited for."""
        return self.run(role, "ping", "-n", "-c", str(count), "-i", "0.2", "-W", "5",
                        *options, target)


class LabTestCase(unittest.TestCase):
    """One laboratory and one running daemon for all tests of a class."""

    config = {}
    pairs = PAIRS

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)
        cls.daemon = Daemon(cls.lab, pairs=cls.pairs, **cls.config)
        cls.addClassCleanup(cls.daemon.remove)
        cls.prepare()
        cls.daemon.start()

    @classmethod
    def prepare(cls):
        """Changes to the laboratory before the daemon starts."""

    def run(self, result=None):
        problems = len(result.errors) + len(result.failures) if result else 0
        super().run(result)
        if result and len(result.errors) + len(result.failures) > problems:
            print(f"--- log of the daemon after {self.id()}\n{self.daemon.log()[-4000:]}---")

    def echo_datagrams(self, target, server, count=20, size=300):
        """From c4 to the public address of the server with the address `server`."""
        echo_datagrams(self.lab, "c4", target, ("s1" if server == S1 else "s2", server), count, size)

    def assert_ping(self, role, target, *options, count=2):
        done = self.lab.ping(role, target, *options, count=count)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f" {count} received", done.stdout, done.stdout)
