# SPDX-License-Identifier: BSD-2-Clause
"""The network of the comparison, the same for every translator.

    c ---------- gw ---------- s        two veth cables; c and s have addresses of both families,
    client    translator    server      so that plain IPv4 and plain IPv6 take the same way

Links: `on`   veth as it comes: hosts hand over packets of up to 64 KiB with partial checksums
       `nic`  hosts without offloads, GRO in the gateway: the closest to physical cards
       `off`  no offloads and no GRO anywhere: every packet on its own
"""

import os
import shutil
import subprocess
import tempfile

from lab import C4, S1, V1, embedded
from netns import LabError, Net, wait_until

LINKS = ("on", "nic", "off")
CLIENT4, CLIENT6 = C4, "2001:db8:c::10"
SERVER4, SERVER6 = "203.0.113.10", S1
PUBLIC4 = V1                    # the server's address on the IPv4 side of a translator
CLIENT_IN_PREFIX = embedded(C4)  # the client's on the IPv6 side
UPLINKS = ["v4", "v6"]          # the gateway's devices
OFFLOADS = ("tx", "tso", "gso", "gro")

# The client's side on one CPU, the server's on another: samples scatter less.
CLIENT_CPU, SERVER_CPU = sorted(os.sched_getaffinity(0))[0], sorted(os.sched_getaffinity(0))[-1]

NGINX = """
worker_processes 1;
daemon off;
user root;
pid {dir}/pid;
error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {dir}/1; proxy_temp_path {dir}/2; fastcgi_temp_path {dir}/3;
  uwsgi_temp_path {dir}/4; scgi_temp_path {dir}/5;
  keepalive_requests 100000000;
  server {{
    listen 80 backlog=4096; listen [::]:80 backlog=4096 ipv6only=on;
    location / {{ default_type text/plain; return 200 "{body}"; }}
  }}
}}
"""


class CpuClock:
    """CPU seconds of the whole machine since it was made, and what the hypervisor took from it."""

    def __init__(self):
        self._start = self._read()

    @staticmethod
    def _read():
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(
                int, file.readline().split()[1:9])
        tick = os.sysconf("SC_CLK_TCK")
        return (user + nice + system + irq + softirq) / tick, steal / tick

    def seconds(self):
        return self._read()[0] - self._start[0]

    def stolen(self):
        return self._read()[1] - self._start[1]


class Testbed(Net):
    """The drawing above, and a web server at the server's."""

    def __init__(self, links):
        super().__init__("c", "gw", "s")
        self.links = links
        self.directory = tempfile.mkdtemp(prefix="xlat646-comparison-")
        try:
            self._connect()
            if links != "on":
                self._remove_offloads()
            self._start_nginx()
        except BaseException:
            self.close()
            raise

    def close(self):
        super().close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _connect(self):
        self.forward("gw")
        self.veth("c", "eth0", "gw", UPLINKS[0])
        self.veth("gw", UPLINKS[1], "s", "eth0")
        self.ip("c", f"addr add {CLIENT4}/24 dev eth0", f"addr add {CLIENT6}/64 dev eth0 nodad",
                "route add default via 198.51.100.1", "route add default via 2001:db8:c::1")
        self.ip("gw", "addr add 198.51.100.1/24 dev v4", "addr add 2001:db8:c::1/64 dev v4 nodad",
                "addr add 203.0.113.1/24 dev v6", "addr add 2001:db8:6::1/64 dev v6 nodad")
        self.ip("s", f"addr add {SERVER4}/24 dev eth0", f"addr add {SERVER6}/64 dev eth0 nodad",
                "route add default via 203.0.113.1", "route add default via 2001:db8:6::1")
        for role in ("c", "s"):
            self.sysctl(role, **{"net.ipv4.ip_local_port_range": "1024 65535",
                                 "net.ipv4.tcp_tw_reuse": 1})

    def _remove_offloads(self):
        ends = [("c", "eth0"), ("s", "eth0")] + [("gw", dev) for dev in UPLINKS]
        for role, dev in ends:
            self.ethtool(role, dev, *(word for name in OFFLOADS for word in (name, "off")))
        if self.links == "nic":
            for dev in UPLINKS:
                self.ethtool("gw", dev, "gro", "on")

    def _start_nginx(self):
        config = os.path.join(self.directory, "nginx.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(NGINX.format(dir=self.directory, body="x" * 100))
        self.start("s", *on_cpu(SERVER_CPU), "nginx", "-c", config, "-p", self.directory,
                   "-e", os.path.join(self.directory, "error.log"),
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.listening("s", 80), "nginx listens")

    def await_path(self, translator):
        """Both directions work: neighbours are known, the translator is awake."""
        for role, target in (("c", translator.server), ("s", translator.client)):
            wait_until(lambda r=role, t=target: self.run(
                r, "ping", "-n", "-c", "1", "-W", "1", t).returncode == 0,
                f"an answer by way of {translator.label}", timeout=20)

    def start_in_gateway(self, *argv):
        """For adapters. The log is at the process's `log_path`."""
        path = os.path.join(self.directory, f"{os.path.basename(argv[0])}.log")
        with open(path, "wb") as log:
            process = self.start("gw", *argv, stdout=log, stderr=log)
        process.log_path = path
        return process

    @staticmethod
    def stop_process(process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise LabError(f"{process.args} did not end") from None


def on_cpu(cpu):
    return ["taskset", "-c", str(cpu)]
