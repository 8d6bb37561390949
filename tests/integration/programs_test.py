# SPDX-License-Identifier: BSD-2-Clause
"""Programs that operators use: ssh, iperf3, tracepath. (curl is in transfer_test.py.)"""

import json
import os
import re
import subprocess
import unittest

from lab import C4, V1, V2, LabTestCase, embedded
from netns import need_tools, wait_until


class Programs(LabTestCase):
    @classmethod
    def prepare(cls):
        need_tools("iperf3", "tracepath", "dropbear", "dropbearkey", "ssh-keyscan")
        cls.quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def iperf3(self, role, target, *options):
        done = self.lab.run(role, "iperf3", "-J", "-c", target, "-t", "2", *options)
        report = json.loads(done.stdout)
        self.assertNotIn("error", report)
        return report["end"]

    def test_iperf3(self):
        for role, target, server in (("c4", V1, "s1"), ("s1", embedded(C4), "c4"),
                                     ("s1", embedded(V2), "s2")):
            self.lab.start(server, "iperf3", "-s", "-1", "-p", "5300", **self.quiet)
            wait_until(lambda: self.lab.listening(server, 5300), "iperf3 listens")
            with self.subTest(client=role, server=server, protocol="tcp"):
                end = self.iperf3(role, target, "-p", "5300", "--bidir", "-P", "2")
                self.assertGreater(end["sum_received"]["bytes"], 0)
                self.assertGreater(end["sum_received_bidir_reverse"]["bytes"], 0)
            self.lab.start(server, "iperf3", "-s", "-1", "-p", "5301", **self.quiet)
            wait_until(lambda: self.lab.listening(server, 5301), "iperf3 listens")
            with self.subTest(client=role, server=server, protocol="udp"):
                end = self.iperf3(role, target, "-p", "5301", "-u", "-b", "20M", "-l", "1400")
                self.assertLess(end["sum"]["lost_packets"], end["sum"]["packets"])

    def test_tracepath_finds_the_mtu(self):
        """What a full IPv6 packet carries is 1480 bytes of IPv4."""
        text = self.lab.check("c4", "tracepath", "-4", "-n", V1)
        self.assertRegex(text, r"Resume: pmtu 1480 hops 6 back")
        text = self.lab.check("s1", "tracepath", "-6", "-n", embedded(C4))
        self.assertRegex(text, r"Resume: pmtu 1500 hops 6 back")

    def test_ssh_key_exchange(self):
        """An SSH server that only has IPv6 shows its key to the IPv4 client; no login needed."""
        key = os.path.join(self.daemon.directory, "host_key")
        public = subprocess.run(["dropbearkey", "-t", "ed25519", "-f", key], check=True,
                                capture_output=True, text=True).stdout
        self.lab.start("s1", "dropbear", "-F", "-r", key, "-p", "[::]:22", "-P", "", **self.quiet)
        wait_until(lambda: self.lab.listening("s1", 22), "sshd listens")
        text = self.lab.check("c4", "ssh-keyscan", "-T", "20", "-t", "ed25519", V1)
        self.assertIn(re.search("^ssh-ed25519 (\\S+)", public, re.MULTILINE).group(1), text)
        # from one server to the other's public address, too
        text = self.lab.check("s2", "ssh-keyscan", "-T", "20", "-t", "ed25519", embedded(V1))
        self.assertIn("ssh-ed25519", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
