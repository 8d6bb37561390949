# SPDX-License-Identifier: BSD-2-Clause
"""Start, stop, crash, and every way a start can fail."""

import os
import re
import signal
import socket
import subprocess
import unittest

from lab import (C4, S1, TUN, V1, V2, Daemon, Lab, LabTestCase, daemon_path, embedded,
                 mapping_yaml, tun_section)
from netns import wait_until
from traffic import TcpPair, transfer

EX_CONFIG, EX_NOPERM, EX_UNAVAILABLE = 78, 77, 69
STACK_TRACE = re.compile(r"terminate called|what\(\)|Aborted|Segmentation|AddressSanitizer|#0 0x")


def threads(pid):
    """Their names and numbers, without a sanitizer's own, which is called as the daemon."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="ascii") as file:
            name = file.read().rstrip("\n")
        if int(thread) == pid or name != "xlat646d":
            yield name, thread


def nice_values(pid):
    values = {}
    for name, thread in threads(pid):
        with open(f"/proc/{pid}/task/{thread}/stat", encoding="ascii") as file:
            values[name] = int(file.read().rsplit(")", 1)[1].split()[16])
    return values


def time_slice(thread):
    """In nanoseconds; None before Linux 6.12, where a thread cannot choose one."""
    try:
        with open(f"/proc/{thread}/sched", encoding="ascii") as file:
            found = re.search(r"^se\.slice +: +(\d+)$", file.read(), re.MULTILINE)
    except FileNotFoundError:  # a kernel without these reports
        return None
    return found and int(found[1])


class Running(LabTestCase):
    config = {"reload_guard": 0}

    def setUp(self):
        if self.daemon.process.poll() is not None:
            self.daemon.start()

    def routes(self):
        return (self.lab.ip_output("gw", "route show table all")
                + self.lab.ip_output("gw", "-6 route show table all"))

    def has_tun(self):
        return TUN in self.lab.ip_output("gw", "-o link show type tun")

    def test_stop_removes_everything(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                self.assertIn(TUN, self.routes())
                self.assertEqual(self.daemon.stop(number), 0, self.daemon.log())
                self.assertFalse(self.has_tun())
                self.assertNotRegex(self.routes(), rf"{TUN}|192\.0\.2\.|2001:db8:46:")
                self.daemon.start()
                self.assert_ping("c4", V1)

    def test_crash_and_restart(self):
        """RT-12: while the TUN is away nothing loops; stateless: a connection goes on after it."""
        with TcpPair(self.lab, "c4", V1, "s1", S1) as pair:
            pair.client.sendall(b"before")
            self.assertEqual(pair.server.recv(100), b"before")
            self.daemon.process.kill()
            self.daemon.process.wait()
            wait_until(lambda: not self.has_tun(), "the TUN goes with its process")
            done = self.lab.ping("c4", V1, "-W", "2")
            self.assertRegex(done.stdout, "Host Unreachable|Net Unreachable", done.stdout)
            done = self.lab.ping("s1", embedded(C4), "-W", "2")
            self.assertRegex(done.stdout, "Destination unreachable", done.stdout)
            self.daemon.start()
            self.assert_ping("c4", V1)
            self.assert_ping("s1", embedded(C4))
            pair.server.sendall(b"after")
            self.assertEqual(pair.client.recv(100), b"after")
            transfer(pair.client, pair.server, 1_000_000)
        self.assertEqual(self.daemon.stop(), 0)
        self.assertNotRegex(self.routes(), r"192\.0\.2\.|2001:db8:46:")

    def test_hooks_are_ordinary_programs(self):
        """They have the daemon's user, but neither its priority nor its capabilities."""
        self.assertEqual(self.daemon.stop(), 0)
        show = ("grep -E '^(Uid|Cap(Inh|Prm|Eff|Amb)):' /proc/$$/status; cat /proc/$$/autogroup; "
                "echo session $(cut -d' ' -f1,5,6,19 /proc/$$/stat)")
        caps = "+net_admin,+net_raw,+sys_nice,+dac_override"
        nobody = ["setpriv", "--reuid=65534", "--clear-groups", f"--inh-caps={caps}",
                  f"--ambient-caps={caps}"]
        for under, user in (([], 0), (nobody, 65534)):
            with self.subTest(user=user):
                # Fast path: not with these few.
                daemon = Daemon(self.lab, hooks={"after_start": ["/bin/sh", "-c", show]},
                                fastpath=None)
                self.addCleanup(daemon.remove)
                daemon.start(under=["nice", "-n", "-7", "setsid", *under])
                daemon.wait_log("hook after_start: done")
                said = "".join(f"{line}\n" for line in
                               re.findall(r"hook after_start: (.*)", daemon.log()))
                self.assertRegex(said, rf"(?m)^Uid:.{user}.{user}.")
                pid, group, session, nice = re.search(r"session (\d+) (\d+) (\d+) (-?\d+)",
                                                      said).groups()
                self.assertEqual((group, session, nice), (pid, pid, "0"))
                self.assertRegex(said, r"(?m)^/autogroup-\d+ nice 0$")
                sets = {name: int(value, 16) for name, value in
                        re.findall(r"Cap(\w+):.([0-9a-f]+)", said)}
                self.assertEqual((sets["Inh"], sets["Amb"]), (0, 0), said)
                if user:
                    self.assertEqual((sets["Prm"], sets["Eff"]), (0, 0), said)
                self.assert_ping("c4", V1)  # the daemon has kept its own
                daemon.reload()
                self.assertEqual(daemon.stop(), 0)

    def test_workers_come_first(self):
        """A process that eats CPUs slows itself down, not the workers."""
        self.assertEqual(self.daemon.stop(), 0)
        for priority, under, wanted in ((10, [], -10), (20, [], -20), (0, [], 0),
                                        (10, ["setpriv", "--bounding-set=-sys_nice"], 0)):
            with self.subTest(priority=priority, under=under):
                daemon = Daemon(self.lab, tun=tun_section(queues=2, priority=priority))
                self.addCleanup(daemon.remove)
                daemon.start(under=["setsid", *under])
                pid = daemon.process.pid
                values = {"xlat646d": 0, "readiness": 0, "pulse": 0, "worker 0": wanted,
                          "worker 1": wanted}
                # A thread names itself, then asks: at "ready" it may not have run yet.
                wait_until(lambda: nice_values(pid) == values, f"nice values {values}")
                if time_slice(pid) is None:
                    print("SKIPPED: this kernel does not tell a thread's time slice")
                else:
                    short = ["worker 0", "worker 1"] if priority else []
                    wait_until(lambda: sorted(name for name, thread in threads(pid)
                                              if time_slice(thread) == 100_000) == short,
                               f"a short time slice of {short}")
                # Where the kernel compares within sessions only, the session counts, too.
                with open(f"/proc/{pid}/autogroup", encoding="ascii") as file:
                    self.assertEqual(int(file.read().split()[-1]), wanted)
                self.assertEqual("tun.priority" in daemon.log(), wanted != -priority, daemon.log())
                self.assert_ping("c4", V1)
                self.assertEqual(daemon.stop(), 0)

    def test_routes_cover_the_pairs_exactly(self):
        """Each address of the pool either is a pair (or ours) or is not routed to the TUN."""
        self.daemon.reload([(f"192.0.2.{n}", f"2001:db8:6::1:{n}") for n in range(8, 15)]
                           + [(V1, S1), (V2, "2001:db8:6::3")])
        wanted = {1, 2, *range(8, 15), *range(240, 248), 254}  # pairs, pool, own
        routed = {n for n in range(256)
                  if self.lab.run("gw", "ip", "route", "get", f"192.0.2.{n}").stdout
                  .find(f"dev {TUN}") >= 0}
        self.assertEqual(routed, wanted)
        self.daemon.reload([(V1, S1), (V2, "2001:db8:6::3")])

    def test_second_daemon_with_the_same_tun(self):
        second = Daemon(self.lab)
        self.addCleanup(second.remove)
        done = self.lab.run("gw", *second.command())
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(TUN, done.stderr)
        self.assertNotRegex(done.stderr, STACK_TRACE)
        self.assert_ping("c4", V1, count=5)
        self.assert_ping("s1", embedded(C4))
        self.assertIn(TUN, self.routes())

    def test_closed_log_pipe(self):
        """SIGPIPE: the reader of the log goes away, the translator does not."""
        self.assertEqual(self.daemon.stop(), 0)
        process = self.daemon.start(wait=False, stderr=subprocess.PIPE).process
        lines = iter(process.stderr.readline, b"")
        self.assertTrue(any(b"ready:" in line for line in lines))
        process.stderr.close()
        for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGUSR1, signal.SIGHUP):
            process.send_signal(number)
            self.assert_ping("c4", V1, count=3)
        self.assertIsNone(process.poll())
        self.assertEqual(self.daemon.stop(), 0)

    def test_descriptors_do_not_leak_on_reload(self):
        def descriptors():
            return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))
        self.daemon.reload()
        before = descriptors()
        for _ in range(10):
            self.daemon.reload()
        self.assertEqual(descriptors(), before)


class Starting(unittest.TestCase):
    """Starts that must fail, with a message and an exit status and nothing else."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)

    def setUp(self):
        self.daemon = Daemon(self.lab)
        self.addCleanup(self.daemon.remove)

    def start(self, *wrapper, options=()):
        done = self.lab.run("gw", *wrapper, *self.daemon.command(*options))
        self.assertNotRegex(done.stderr, STACK_TRACE)
        return done

    def test_without_the_device(self):
        done = self.start("unshare", "--mount", "sh", "-c",
                          'mount -t tmpfs none /dev/net && exec "$@"', "sh")
        self.assertIn(done.returncode, (EX_NOPERM, EX_CONFIG), done.stderr)
        self.assertIn("/dev/net/tun", done.stderr)

    def test_without_rights(self):
        done = self.start("setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin")
        self.assertIn(done.returncode, (EX_NOPERM, EX_CONFIG), done.stderr)
        self.assertRegex(done.stderr, "CAP_NET_ADMIN|root|permi")

    def test_no_configuration(self):
        os.unlink(self.daemon.config_path)
        done = self.start()
        self.assertEqual(done.returncode, EX_CONFIG, done.stderr)
        self.assertIn(self.daemon.config_path, done.stderr)

    def test_usage(self):
        for words in ([], ["--config"], ["--nonsense"], ["--config", "/dev/null", "more"]):
            with self.subTest(words=words):
                done = self.lab.run("gw", daemon_path(), *words)
                self.assertEqual(done.returncode, 64 if words[:2] != ["--config", "/dev/null"]
                                 else done.returncode, done.stderr)
                self.assertNotEqual(done.returncode, 0)
                self.assertNotRegex(done.stderr, STACK_TRACE)
        self.assertEqual(self.lab.run("gw", daemon_path(), "--help").returncode, 0)
        self.assertEqual(self.lab.run("gw", daemon_path(), "--version").returncode, 0)

    def test_check_good(self):
        done = self.start(options=["--check"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(TUN, self.lab.ip_output("gw", "-o link show"))

    def test_check_reports_every_error_with_its_place(self):
        self.daemon.write_mapping("version: 1\nmappings:\n"
                                  "  - { ipv4: 192.0.2.1, ipv6: 2001:db8:6::2 }\n"
                                  "  - { ipv4: 192.0.2.300, ipv6: 2001:db8:6::3 }\n"
                                  "  - { ipv4: 192.0.2.1, ipv6: 2001:db8:6::4 }\n"
                                  "  - { ipv4: 192.0.2.5, ipv6: 2001:db8:6::5, nmae: x }\n")
        for options in (["--check"], []):
            with self.subTest(options=options):
                done = self.start(options=options)
                self.assertEqual(done.returncode, EX_CONFIG, done.stderr)
                places = set(re.findall(r"mapping\.yaml:(\d+):\d+: error", done.stderr))
                self.assertEqual(places, {"4", "5", "6"}, done.stderr)

    def test_bad_main_files(self):
        good = {"translation_prefix": "2001:db8:46::/96"}
        for number, changes in enumerate((
                {"translation_prefix": None}, {"translation_prefix": "2001:db8:46::/64"},
                {"translation_prefx": "x"}, {"tun": {"name": "a" * 16}}, {"tun": []},
                {"mtu": {"lowest_ipv6": 1279}}, {"mapping_files": ["missing.yaml"]},
                {"own_addresses": {"ipv6": V1}}, {"policy": {"profile": "anything"}})):
            with self.subTest(number=number, changes=changes):
                self.daemon.write_config(**{**good, **changes})
                for options in (["--check"], []):
                    done = self.start(options=options)
                    self.assertEqual(done.returncode, EX_CONFIG, done.stderr)
                    self.assertIn("xlat646.yaml", done.stderr)

    def test_workers_stay_on_their_cpus(self):
        self.daemon.write_config(tun={"name": TUN, "queues": 1, "cpus": [0]})
        self.daemon.start()
        allowed = {}
        process = self.daemon.process.pid
        for task in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{task}/status", encoding="ascii") as file:
                allowed[int(task)] = re.search(r"Cpus_allowed_list:\s*(\S+)", file.read()).group(1)
        # With a fast path there is one more thread, for its permission.
        self.assertIn("0", [cpus for task, cpus in allowed.items() if task != process])
        self.assertEqual(len(os.sched_getaffinity(process)), len(os.sched_getaffinity(0)))
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        self.assertEqual(self.daemon.stop(), 0)

    def test_a_cpu_that_is_not_there(self):
        self.daemon.write_config(tun={"name": TUN, "cpus": [1023]})
        self.assertEqual(self.start(options=["--check"]).returncode, 0)  # may be meant for another
        done = self.start()
        self.assertEqual(done.returncode, EX_CONFIG, done.stderr)
        self.assertIn("CPU 1023 does not exist or is not allowed", done.stderr)
        self.assertNotIn(TUN, self.lab.ip_output("gw", "-o link show"))

    def test_unknown_key_has_a_suggestion(self):
        self.daemon.write_config(translation_prefx="x")
        self.assertIn("translation_prefix", self.start(options=["--check"]).stderr)

    def test_no_pairs_is_a_valid_start(self):
        self.daemon.write_mapping(mapping_yaml([]))
        self.daemon.start()
        with self.lab.socket("c4", socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"x", (V1, 9))
        self.daemon.reload([(V1, S1)])
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        self.assertEqual(self.daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
