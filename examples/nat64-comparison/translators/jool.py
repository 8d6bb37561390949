# SPDX-License-Identifier: BSD-2-Clause
"""Jool (SIIT): a kernel module (Debian: jool-dkms, and headers of the running kernel) and the
program jool_siit (jool-tools). It hangs in netfilter's PREROUTING and needs no routes."""

import shutil
import subprocess

from lab import PREFIX6
from testbed import PUBLIC4, SERVER6
from translators import Translator

RANK = 30
INSTANCE = "comparison"


class Jool(Translator):
    name, label = "jool", "Jool"

    def missing(self):
        if not shutil.which("jool_siit"):
            return "the program jool_siit is not installed"
        if not shutil.which("modprobe"):
            return "there is no modprobe, so its kernel module cannot be loaded"
        done = subprocess.run(["modprobe", "jool_siit"], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            return ("its kernel module cannot be loaded: "
                    + (done.stderr.strip() or f"modprobe's status is {done.returncode}"))
        return None

    def version(self):
        done = subprocess.run(["jool_siit", "--version"], capture_output=True, text=True,
                              check=False)
        return done.stdout.strip()

    def start(self, testbed):
        testbed.check("gw", "jool_siit", "instance", "add", INSTANCE, "--netfilter",
                      "--pool6", f"{PREFIX6}/96")
        testbed.check("gw", "jool_siit", "-i", INSTANCE, "eamt", "add", f"{PUBLIC4}/32",
                      f"{SERVER6}/128")

    def stop(self, testbed):
        testbed.check("gw", "jool_siit", "instance", "remove", INSTANCE)


CASES = [Jool()]
