# SPDX-License-Identifier: BSD-2-Clause
"""TAYGA from Debian: user space, one packet at a time through a TUN."""

import os
import shutil
import subprocess

from lab import PREFIX6
from testbed import PUBLIC4, SERVER6
from translators import Translator

RANK = 20
CONFIG = """tun-device nat64
ipv4-addr 192.0.2.254
prefix {prefix}/96
map {public} {server}
"""


class Tayga(Translator):
    name, label = "tayga", "TAYGA"

    def missing(self):
        return None if shutil.which("tayga") else "the program tayga is not installed"

    def version(self):
        return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "tayga"],
                              capture_output=True, text=True, check=False).stdout.strip()

    def start(self, testbed):
        config = os.path.join(testbed.directory, "tayga.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(prefix=PREFIX6, public=PUBLIC4, server=SERVER6))
        testbed.check("gw", "tayga", "--mktun", "-c", config)
        testbed.ip("gw", "link set nat64 up", f"route add {PUBLIC4}/32 dev nat64",
                   f"route add {PREFIX6}/96 dev nat64")
        self._process = testbed.start_in_gateway("tayga", "--nodetach", "-c", config)

    def stop(self, testbed):
        testbed.stop_process(self._process)
        testbed.ip("gw", "link del nat64")


CASES = [Tayga()]
