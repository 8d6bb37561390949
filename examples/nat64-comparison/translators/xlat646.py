# SPDX-License-Identifier: BSD-2-Clause
"""xlat646d in its three modes, and with busy polling for the sake of latency."""

import subprocess

from lab import Daemon, daemon_path
from netns import LabError
from testbed import UPLINKS
from translators import Translator

RANK = 10
# Longer than the pause between two echo requests of the workloads: the worker never sleeps.
BUSY_POLL_US = 20000


class Xlat646(Translator):
    def __init__(self, name, label, fast=False, offload=True, busy_poll_us=0, only=None):
        self.name, self.label, self.only = name, label, only
        self.sections = {
            "tun": {"name": "xlat646", "offload": offload, "busy_poll_us": busy_poll_us},
            "fastpath": {"mode": "on" if fast else "off", "interfaces": UPLINKS}}
        self._daemon = None

    def version(self):
        return subprocess.run([daemon_path(), "--version"], capture_output=True, text=True,
                              check=True).stdout.strip()

    def start(self, testbed):
        self._daemon = Daemon(testbed, **self.sections)
        try:
            self._daemon.start()
        except LabError:
            self._daemon.remove()
            raise

    def stop(self, testbed):
        self._daemon.remove()


CASES = [Xlat646("fast", "xlat646 fast path", fast=True),
         Xlat646("tun", "xlat646 TUN offload"),
         Xlat646("tun-plain", "xlat646 TUN plain", offload=False),
         Xlat646("tun-busy", "xlat646 TUN busy polling", busy_poll_us=BUSY_POLL_US,
                 only=("ping_idle", "ping_rare", "ping_loaded"))]
