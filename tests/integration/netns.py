# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces for tests: create, connect, run, sniff, and remove whatever happens.

A `Net` owns every namespace and process that it made. They go when it is closed, at exit, on a
signal, and, should the test be killed with SIGKILL, when the next Net is made.
Names hold the process id that owns them: x46-PID-RANDOM-ROLE.
"""

import atexit
import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

PREFIX = "x46"
CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
PR_SET_PDEATHSIG = 1
SO_RCVBUFFORCE = 33

_libc = ctypes.CDLL(None, use_errno=True)
_open_nets = []


class LabError(Exception):
    """The surroundings are wrong (a tool is missing, a command failed), not the program."""


def need_tools(*names):
    """A missing tool is an error: nothing is skipped."""
    missing = [n for n in names if shutil.which(n) is None]
    if missing:
        raise LabError(f"missing programs: {', '.join(missing)}; packaging/dependencies.sh test")


def wait_until(condition, what, timeout=30.0, step=0.02):
    """Polls until `condition()` is true and returns its value. The timeout is only a safety net."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"waited {timeout:.0f} s in vain: {what}")
        time.sleep(step)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno), "setns")


def die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _run(argv, text_in=None):
    done = subprocess.run(argv, input=text_in, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def _pid_lives(pid):
    return os.path.exists(f"/proc/{pid}")


def _remove_namespace(name):
    for pid in subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True,
                              check=False).stdout.split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def remove_stale():
    """Namespaces of tests that were killed before they could clean up."""
    for line in _run(["ip", "netns", "list"]).splitlines():
        parts = line.split()[0].split("-") if line.split() else []
        if len(parts) == 4 and parts[0] == PREFIX and not _pid_lives(parts[1]):
            _remove_namespace("-".join(parts))


class Net:
    """Namespaces by role ("c4", "gw"): `net.names[role]` is the real name."""

    def __init__(self, *roles):
        need_tools("ip", "sysctl", "ethtool")
        if os.geteuid() != 0:
            raise LabError("network namespaces need root")
        remove_stale()
        self._tag = f"{PREFIX}-{os.getpid()}-{secrets.token_hex(2)}"
        self.names = {}
        self._processes = []
        _open_nets.append(self)
        for role in roles:
            self.add(role)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        if self not in _open_nets:
            return
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        for name in self.names.values():
            _remove_namespace(name)
        _open_nets.remove(self)

    def add(self, role):
        """One more namespace."""
        name = f"{self._tag}-{role}"
        _run(["ip", "netns", "add", name])
        self.names[role] = name
        self.ip(role, "link set lo up")
        self.sysctl(role, **{
            "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0,
            "net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.default.rp_filter": 0,
            # Traces send more probes in a second than a kernel would answer.
            "net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0,
        })

    def ip(self, role, *lines):
        """Each line is one ip(8) command without the word ip."""
        _run(["ip", "-n", self.names[role], "-batch", "-"], "\n".join(lines) + "\n")

    def ip_output(self, role, words):
        return _run(["ip", "-n", self.names[role], *words.split()])

    def sysctl(self, role, **values):
        for key, value in values.items():
            self.check(role, "sysctl", "-q", "-w", f"{key}={value}")

    def forward(self, role):
        self.sysctl(role, **{"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1,
                             "net.ipv4.conf.all.send_redirects": 0,
                             "net.ipv4.conf.default.send_redirects": 0})

    def veth(self, role_a, dev_a, role_b, dev_b):
        """An Ethernet cable; both ends are up."""
        _run(["ip", "link", "add", dev_a, "netns", self.names[role_a], "type", "veth",
              "peer", "name", dev_b, "netns", self.names[role_b]])
        self.ip(role_a, f"link set {dev_a} up")
        self.ip(role_b, f"link set {dev_b} up")

    def devices(self, role):
        return [line.split(":")[1].split("@")[0].strip()
                for line in self.ip_output(role, "-o link show type veth").splitlines()]

    def ethtool(self, role, dev, *settings):
        self.check(role, "ethtool", "-K", dev, *settings)

    def run(self, role, *argv, timeout=60, **options):
        """Runs to the end; returns the CompletedProcess whatever the exit status."""
        return subprocess.run(["ip", "netns", "exec", self.names[role], *argv], timeout=timeout,
                              capture_output=True, text=True, errors="replace", check=False,
                              stdin=subprocess.DEVNULL, **options)

    def check(self, role, *argv, **options):
        done = self.run(role, *argv, **options)
        if done.returncode != 0:
            raise LabError(f"{role}: {' '.join(argv)}: status {done.returncode}\n"
                           f"{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, role, *argv, **options):
        """Starts a process that dies with the test. Only from the main thread: the kernel ties
        such a process to the thread that made it."""
        assert threading.current_thread() is threading.main_thread()
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(["ip", "netns", "exec", self.names[role], *argv],
                                   preexec_fn=die_with_parent, **options)
        self._processes.append(process)
        return process

    @contextlib.contextmanager
    def inside(self, role):
        """The calling thread is in the namespace; sockets made here stay there."""
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(f"/run/netns/{self.names[role]}", "rb") as there:
            _setns(there.fileno())
            try:
                yield
            finally:
                _setns(home.fileno())

    def socket(self, role, family, kind, protocol=0, timeout=30.0):
        with self.inside(role):
            made = socket.socket(family, kind, protocol)
        made.settimeout(timeout)
        return made

    def listening(self, role, port):
        """True when something listens on this TCP port."""
        return f":{port} " in self.check(role, "ss", "-Hltn") + " "

    def send_ip(self, role, packet):
        """Sends one packet with its own IP header (IPv4 or IPv6), any source address."""
        packet = bytes(packet)
        if packet[0] >> 4 == 4:
            family, target = socket.AF_INET, (socket.inet_ntoa(packet[16:20]), 0)
        else:
            family = socket.AF_INET6
            target = (socket.inet_ntop(socket.AF_INET6, packet[24:40]), 0, 0, 0)
        with self.socket(role, family, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            raw.sendto(packet, target)


class Sniffer:
    """Collects what arrives (`outgoing`: what leaves) at one device, as Ethernet frames."""

    def __init__(self, net, role, dev, outgoing=False):
        self._outgoing = outgoing
        self._frames = []
        self._lock = threading.Lock()
        with net.inside(role):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                         socket.htons(ETH_P_ALL))
            self._socket.bind((dev, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self._socket.settimeout(0.05)
        self._stop = False
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._stop = True
        self._thread.join()
        self._socket.close()

    def _collect(self):
        while not self._stop:
            try:
                frame, address = self._socket.recvfrom(70000)
            except TimeoutError:
                continue
            if (address[2] == socket.PACKET_OUTGOING) == self._outgoing:
                with self._lock:
                    self._frames.append(frame)

    def packets(self, keep=lambda p: True):
        """The IP packets so far as Scapy objects."""
        from scapy.layers.inet import IP
        from scapy.layers.inet6 import IPv6
        with self._lock:
            frames = list(self._frames)
        parsed = []
        for frame in frames:
            if frame[12:14] == b"\x08\x00":
                parsed.append(IP(frame[14:]))
            elif frame[12:14] == b"\x86\xdd":
                parsed.append(IPv6(frame[14:]))
        return [p for p in parsed if keep(p)]

    def wait_for(self, keep, what, count=1, timeout=20.0):
        return wait_until(lambda: len(self.packets(keep)) >= count and self.packets(keep), what,
                          timeout)


def _close_all():
    for net in list(_open_nets):
        net.close()


def _on_signal(number, _frame):
    sys.exit(128 + number)


atexit.register(_close_all)
if threading.current_thread() is threading.main_thread():
    for _number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(_number, _on_signal)
