# SPDX-License-Identifier: BSD-2-Clause
"""BIRD daemons for tests, each with its files in a directory of its own."""

import os
import shutil
import tempfile

from lab import command_path
from netns import LabError, wait_until

HEAD = """log stderr all;
router id {router_id};
protocol device {{ scan time 1; }}
"""

# A router that speaks OSPF of both versions to a translator and obeys it. RT-07, RT-15, RT-16.
ROUTER = """
protocol kernel { ipv4 { import none; export all; }; }
protocol kernel { ipv6 { import none; export all; }; }
protocol bfd { interface "%(device)s" { interval %(bfd)d ms; multiplier 3; }; }
protocol ospf v2 ospf4 {
  ecmp yes; merge external yes;
  ipv4 { import all; export none; };
  area 0 { interface "%(device)s" { %(link)s }; %(stub)s };
}
protocol ospf v3 ospf6 {
  ecmp yes; merge external yes;
  ipv6 { import all; export none; };
  area 0 { interface "%(device)s" { %(link)s }; %(stub)s };
}
"""
LINK = """type ptp; hello %(hello)d; dead %(dead)d; bfd yes; """
PASSWORD = """authentication cryptographic;
  password "%s" { id 1; algorithm hmac sha256; };"""


class Bird:
    def __init__(self, net, role, router_id, text):
        self.net, self.role = net, role
        self.directory = tempfile.mkdtemp(prefix="xlat646-bird-")
        os.chmod(self.directory, 0o755)
        self.config_path = os.path.join(self.directory, "bird.conf")
        self.socket = os.path.join(self.directory, "ctl")
        self.log_path = os.path.join(self.directory, "log")
        self.process = None
        self.write(HEAD.format(router_id=router_id) + text)

    def write(self, text):
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = self.net.start(
                self.role, "bird", "-f", "-c", self.config_path, "-s", self.socket,
                "-P", os.path.join(self.directory, "pid"), stdout=log, stderr=log)

        def answers():
            if self.process.poll() is not None:
                raise LabError(f"bird ended:\n{self.log()}")
            return self.birdc("show", "status").returncode == 0
        wait_until(answers, "BIRD answers")
        return self

    def birdc(self, *words):
        return self.net.run(self.role, "birdc", "-s", self.socket, *words)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class NodeBird(Bird):
    """The BIRD of a node: it includes what `xlat646 bird-config` makes of `settings`, which are for
    the daemon's configuration. The files lie beside the daemon's."""

    def __init__(self, daemon, router_id, interfaces, text="", **routing):
        super().__init__(daemon.net, daemon.role, router_id, "")
        self.include = os.path.join(daemon.directory, "xlat646.conf")
        self.drain_file = os.path.join(daemon.directory, "drain.conf")
        hook = [command_path(), "bird-config", "--config", daemon.config_path, "--install",
                self.include]
        self.settings = {
            "routing": {"router_id": router_id, "interfaces": interfaces,
                        "drain_file": self.drain_file, "bird_socket": self.socket, **routing},
            "hooks": {"after_start": hook, "after_reload": hook}}
        self.write(HEAD.format(router_id=router_id) + text + f'include "{self.include}";\n')


def router(net, role, router_id, device, password=None, hello=1, dead=4, stub=None, bfd_ms=100):
    """`device`: a pattern of BIRD; `stub`: a device without other routers."""
    link = LINK % {"hello": hello, "dead": dead} + (PASSWORD % password if password else "")
    return Bird(net, role, router_id, ROUTER % {
        "device": device, "link": link, "bfd": bfd_ms,
        "stub": f'interface "{stub}" {{ stub; }};' if stub else ""})


def routes(net, role, family, of="bird"):
    """The destinations that BIRD gave to the kernel."""
    lines = net.ip_output(role, f"-{family} route show proto {of}").splitlines()
    return {line.split()[0] for line in lines if line and not line.startswith("\t")}


def check_type_and_tag(test, routers, ipv4, ipv6):
    """As bird-config's nodes announce, with the metric of a primary site and a link of cost 10."""
    for role, protocol, prefix in (("r4", "ospf4", ipv4), ("r6", "ospf6", ipv6)):
        shown = routers[role].birdc("show", "route", "all", prefix).stdout
        test.assertRegex(shown, rf"\[{protocol} .*\] \* E1 \(150/30\) \[fc86\] \[10\.255\.0\.1\]")
        test.assertIn("OSPF.metric1: 30", shown)  # 20, and 10 for the link
        test.assertIn("OSPF.tag: 0x0000fc86", shown)
