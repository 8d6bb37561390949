# SPDX-License-Identifier: BSD-2-Clause
"""Least privilege without systemd: `user` in the main file, and files that others can write."""

import contextlib
import grp
import json
import os
import pwd
import shutil
import signal
import subprocess
import unittest

from control_test import BROKEN
from lab import (C4, S1, S2, TUN, V1, V2, Daemon, Lab, command_path, daemon_path, embedded,
                 mapping_yaml, mode)
from lifecycle_test import nice_values
from netns import wait_until
from readiness_test import watchdogs
from restart_test import Adopted

EX_NOPERM, EX_CONFIG = 77, 78
USER = "nobody"
UID, GID = pwd.getpwnam(USER).pw_uid, pwd.getpwnam(USER).pw_gid
CONTROL_GROUP = "daemon"
CONTROL_GID = grp.getgrnam(CONTROL_GROUP).gr_gid
CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN, CAP_SYS_NICE, CAP_SYS_RESOURCE = 12, 13, 21, 23, 24
CAP_PERFMON, CAP_BPF = 38, 39


def status_of(path):
    with open(f"{path}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file)


def of_threads(pid):
    return [status_of(f"/proc/{pid}/task/{task}") for task in os.listdir(f"/proc/{pid}/task")]


def mask(*capabilities):
    return sum(1 << c for c in capabilities)


def may_raise_limits():
    return bool(int(status_of("/proc/self")["CapEff"], 16) & mask(CAP_SYS_RESOURCE))


def wanted():
    """What the daemon may keep in this mode, on this kernel."""
    kept = mask(CAP_NET_ADMIN, CAP_NET_RAW)
    if not may_raise_limits():
        kept |= mask(CAP_SYS_NICE)  # instead of the limit
    if mode().startswith("fast"):
        kept |= mask(CAP_BPF, CAP_PERFMON)
        release = tuple(int(n) for n in os.uname().release.split("-")[0].split(".")[:2])
        if release < (6, 6):
            kept |= mask(CAP_SYS_ADMIN)
    return kept


class PrivilegesTestCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)

    def setUp(self):
        self.changes = {}
        self.daemon = Daemon(self.lab)
        self.addCleanup(self.daemon.remove)
        self.run_directory = os.path.join(self.daemon.directory, "run")
        # The new process of a restart is started as USER: the build may lie where only root may look.
        self.program = os.path.join(self.daemon.directory, "xlat646d")
        shutil.copy(daemon_path(), self.program)
        self.addCleanup(os.environ.__setitem__, "XLAT646D", os.environ["XLAT646D"])
        self.command_path = command_path()
        os.environ["XLAT646D"] = self.program
        self.configure()

    def configure(self, **changes):
        self.changes = {
            "user": USER, "control_socket": self.run_directory + "/control.sock",
            "stats_segment": self.run_directory + "/stats", "control_group": CONTROL_GROUP,
            **changes}
        self.daemon.write_config(**self.changes)

    def command(self, *words):
        return subprocess.run([self.command_path, *words, "--socket",
                               self.run_directory + "/control.sock"], check=False, timeout=120,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def assert_least(self, pid, kept, uid=UID, gid=GID):
        threads = of_threads(pid)
        self.assertGreaterEqual(len(threads), 4)  # supervisor, worker, readiness, pulse
        for status in threads:
            self.assertEqual(status["Uid"].split(), [str(uid)] * 4)
            self.assertEqual(status["Gid"].split(), [str(gid)] * 4)
            self.assertEqual(set(map(int, status["Groups"].split())),
                             set(os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)) | {CONTROL_GID})
            for name in ("CapPrm", "CapEff", "CapInh", "CapBnd", "CapAmb"):
                self.assertEqual(status[name], f"{kept:016x}", status["Name"] + " " + name)
            self.assertEqual(status["NoNewPrivs"], "1", status["Name"])
        self.assertLessEqual(nice_values(pid)["worker 0"], nice_values(pid)["readiness"] - 10)

    def assert_translates(self):
        for role, target in (("c4", V1), ("s1", embedded(C4))):
            done = self.lab.ping(role, target)
            self.assertEqual(done.returncode, 0, done.stdout + self.daemon.log())

    def refused(self, status, *patterns):
        done = self.lab.run("gw", *self.daemon.command())
        self.assertEqual(done.returncode, status, done.stderr)
        for pattern in patterns:
            self.assertRegex(done.stderr, pattern)
        self.assertNotIn(TUN, self.lab.ip_output("gw", "-o link show"))


class Life(PrivilegesTestCase):
    def test_all_of_it(self):
        """SEC-09: start, ping, reload, hook, restart, crash and stop, all as somebody else."""
        hook = self.make_hook()
        state = os.path.join(self.daemon.directory, "state")
        self.configure(hooks={"after_reload": [hook]}, routing={
            "router_id": "10.255.0.1", "interfaces": [{"name": "v4"}],
            "drain_file": state + "/drain.conf", "bird_socket": state + "/bird.ctl"})
        self.daemon.start()
        pid = self.daemon.process.pid
        self.assertNotRegex(self.daemon.log(), "(?i)permi|denied|cannot|tun.priority")
        self.assert_least(pid, wanted())
        (watchdog,) = watchdogs(self.lab)
        self.assert_without_anything(watchdog)
        for name, group, bits in (("control.sock", CONTROL_GID, 0o660), ("stats", GID, 0o640)):
            state = os.stat(os.path.join(self.run_directory, name))
            self.assertEqual((state.st_uid, state.st_gid, state.st_mode & 0o777),
                             (UID, group, bits), name)
        self.assertEqual(os.stat(os.path.join(self.daemon.directory, "state/drain.conf")).st_uid, UID)
        self.assert_translates()
        self.assert_fast()

        self.daemon.reload([(V1, S2), (V2, S1)])
        self.assert_translates()
        self.assert_hooked()

        pid = self.restart(pid)
        self.assert_least(pid, wanted())
        self.assert_without_anything(watchdogs(self.lab)[0])
        self.daemon.reload([(V1, S1), (V2, S2)])
        self.assert_translates()
        self.assert_fast()
        done = self.command("reload")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.daemon.wait_log(r"reload asked for by the control socket \(user 0, process \d+\)")
        self.assertEqual(self.daemon.stop(), 0)
        self.assert_nothing_left()
        # What a crash leaves there is his, too.
        self.daemon.start()
        self.daemon.process.kill()
        self.daemon.process.wait()
        wait_until(lambda: TUN not in self.lab.ip_output("gw", "-o link show"), "the TUN has gone")
        self.daemon.start()
        self.assert_translates()
        self.assertEqual(self.daemon.stop(), 0)
        self.assert_nothing_left()
        self.assertNotRegex(self.daemon.log(), "(?i)not permitted|denied|cannot")

    def make_hook(self, user=UID):
        """It leaves its status."""
        hook, place = self.daemon.directory + "/hook", self.daemon.directory + "/hooked"
        os.mkdir(place)
        os.chown(place, user, -1)
        with open(hook, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\ncat /proc/self/status >{place}/status\n")
        os.chmod(hook, 0o755)
        return hook

    def assert_hooked(self):
        self.daemon.wait_log("hook after_reload: done")
        status = status_of(self.daemon.directory + "/hooked")
        self.assertEqual([status[n] for n in ("CapPrm", "CapEff", "CapInh", "CapAmb")], ["0" * 16] * 4)

    def assert_without_anything(self, pid):
        status = status_of(f"/proc/{pid}")
        self.assertEqual(status["Uid"].split(), [str(UID)] * 4)
        self.assertEqual([status[n] for n in ("CapPrm", "CapEff", "CapInh", "CapAmb")], ["0" * 16] * 4)

    def assert_fast(self):
        if not mode().startswith("fast"):
            return
        def number():
            fast = self.daemon.counters()["fastpath"]["v4_to_v6"]["icmp"]
            return fast["packets"] if isinstance(fast, dict) else fast
        before = number()
        self.assert_translates()
        self.assertGreater(number(), before)

    def restart(self, pid):
        done = self.command("restart")
        self.assertEqual(done.returncode, 0, done.stderr + self.daemon.log())
        self.daemon.process.wait(60)
        status = self.command("status", "--json")
        self.assertEqual(status.returncode, 0, status.stderr)
        new = json.loads(status.stdout)["pid"]
        self.assertNotEqual(new, pid)
        self.daemon.process = Adopted(new)
        return new

    def assert_nothing_left(self):
        self.assertNotIn(TUN, self.lab.ip_output("gw", "-o link show"))
        self.assertEqual(self.lab.ip_output("gw", "route show table all proto 64"), "")
        self.assertEqual([n for n in os.listdir(self.run_directory) if n.startswith("control")], [])

    def test_root_that_is_not_all(self):
        """Without probes CAP_NET_RAW is not needed either."""
        self.configure(user="root", readiness={"probe": False}, fastpath=None,
                       hooks={"after_reload": [self.make_hook(0)]})
        self.daemon.start()
        self.daemon.wait_log("goes on as root, as 'user' wishes")
        kept = wanted() & mask(CAP_NET_ADMIN, CAP_SYS_NICE)
        self.assert_least(self.daemon.process.pid, kept, 0, 0)
        pid = self.restart(self.daemon.process.pid)
        self.assert_least(pid, kept, 0, 0)  # the start of a program gives root nothing back
        self.daemon.reload()
        self.assert_hooked()
        self.assert_translates()
        self.assertEqual(self.daemon.stop(), 0)

    def test_restart_is_refused(self):
        """A restart cannot change the user; nor can it give back what is gone."""
        self.daemon.start()
        for user, reason in (("root", "only a stop and a start can change user"),
                             ("nobody", "cannot be opened: Permission denied")):
            self.configure(user=user)
            if user == USER:
                os.chmod(self.daemon.mapping_path, 0o600)
            done = self.command("restart")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(reason, done.stderr)
            self.assert_translates()
        os.chmod(self.daemon.mapping_path, 0o644)
        self.assertEqual(self.daemon.stop(), 0)

    def test_without_user_root_stays_root(self):
        self.configure(user=None)
        self.daemon.start()
        self.daemon.wait_log("runs as root, with all that root may")
        status = status_of(f"/proc/{self.daemon.process.pid}")
        self.assertEqual(status["CapEff"], status_of("/proc/self")["CapEff"])
        self.assertEqual(self.daemon.stop(), 0)


class Refused(PrivilegesTestCase):
    def check(self, *options):
        return self.lab.run("gw", self.command_path, "check", self.daemon.config_path, *options)

    def test_unknown_names(self):
        for key, kind in (("user", "user"), ("group", "group"), ("control_group", "group")):
            self.configure(**{key: "nonesuch"})
            with open(self.daemon.config_path, encoding="utf-8") as file:
                line = 1 + [x.split(":")[0] for x in file].index(key)
            place = rf"xlat646\.yaml:{line}:{len(key) + 3}: "
            message = rf"this machine has no {kind} 'nonesuch'"
            with self.subTest(key):
                self.refused(EX_CONFIG, place + "error: " + message)
                # Files are checked on other machines, too.
                done = self.check()
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertRegex(done.stderr, place + "warning: " + message)

    def test_not_root(self):
        done = self.lab.run("gw", "setpriv", "--reuid", "1", "--clear-groups",
                            *self.daemon.command())
        self.assertEqual(done.returncode, EX_NOPERM, done.stderr)
        self.assertIn("only root can become somebody", done.stderr)

    def test_unreadable(self):
        for path, starts in ((self.daemon.mapping_path, r"cannot be opened: Permission denied \(for "
                              rf"user {UID}"), (self.daemon.config_path, f"user {USER} cannot read it")):
            os.chmod(path, 0o600)
            with self.subTest(path):
                self.refused(EX_CONFIG, starts)
                done = self.check()
                # A draft of the main file may be root's alone.
                self.assertEqual(done.returncode, int(path == self.daemon.mapping_path), done.stderr)
                self.assertRegex(done.stderr, rf"(?m)^{path}: .*user {USER} of the daemon cannot read")
            os.chmod(path, 0o644)
        self.assertNotIn("cannot", self.check().stderr)

    def test_directory_of_somebody_else(self):
        os.mkdir(self.run_directory, 0o755)
        self.refused(EX_NOPERM, rf"user {USER} cannot write to {self.run_directory}/ .*; run chown")
        self.assertEqual(os.stat(self.run_directory).st_uid, 0)

    def spoil(self, path, bits=None, owner=-1, group=-1):
        """Until the end of the test."""
        state = os.stat(path)
        self.addCleanup(os.chmod, path, state.st_mode & 0o7777)
        self.addCleanup(os.chown, path, state.st_uid, state.st_gid)
        os.chown(path, owner, group)
        if bits is not None:
            os.chmod(path, bits)

    def test_writable_by_others(self):
        """SEC-02: at start and on reload; the old table stays."""
        self.configure(fastpath=None)
        self.daemon.start()
        parts = os.path.join(self.daemon.directory, "mapping.d")
        open_place = os.path.join(self.daemon.directory, "open")
        os.mkdir(parts)
        os.mkdir(open_place)
        os.chmod(open_place, 0o1777)
        elsewhere = os.path.join(self.daemon.directory, "elsewhere.yaml")
        shutil.copy(self.daemon.mapping_path, elsewhere)
        mapping, config = self.daemon.mapping_path, self.daemon.config_path
        foreign = 12345

        def link_of_others():
            os.remove(mapping)
            os.symlink("open/link", mapping)
            os.symlink("../elsewhere.yaml", open_place + "/link")
            os.lchown(open_place + "/link", foreign, foreign)

        def unlink():
            for path in (mapping, open_place + "/link"):
                with contextlib.suppress(FileNotFoundError):
                    os.remove(path)
            self.daemon.write_mapping(mapping_yaml([(V1, S1), (V2, S2)]))

        cases = (
            ("mode", lambda: self.spoil(mapping, 0o646),
             rf"{mapping}: .*by everybody; run chmod o-w"),
            ("group", lambda: self.spoil(mapping, 0o664, group=foreign),
             rf"{mapping}: .*by group {foreign}; run chmod g-w"),
            ("owner", lambda: self.spoil(mapping, owner=foreign),
             rf"{mapping}: .*owned by user {foreign}"),
            ("directory", lambda: self.spoil(parts, 0o777),
             r"mapping\.d/\*\.yaml: .*its directory \S+mapping\.d/ .*by everybody; run chmod o-w"),
            ("its owner", lambda: self.spoil(parts, owner=foreign),
             rf"mapping\.d/\*\.yaml: .*its directory \S+ belongs to user {foreign}"),
            ("link", link_of_others, rf"symbolic link open/link|link \S+ belongs to user {foreign}"),
        )
        for name, spoil, message in cases:
            with self.subTest(name):
                spoil()
                line = self.daemon.signal_and_wait(signal.SIGHUP, "reloaded:|reload failed")
                self.assertIn("the old table with 2 mappings stays", line)
                self.assertRegex(self.daemon.log(), message)
                self.doCleanups_of_case(unlink)
                self.assertIn("2 mappings", self.daemon.reload())
        self.assertEqual(self.daemon.stop(), 0)
        for name, spoil, message in cases:
            with self.subTest("start: " + name):
                spoil()
                self.refused(EX_CONFIG, message)
                done = self.check()
                # Places are only warned about: a check may be of drafts, and of copies.
                self.assertEqual(done.returncode, int(name in ("mode", "group", "owner")), done.stderr)
                self.assertRegex(done.stderr, message)
                self.doCleanups_of_case(unlink)
        for options in ({"bits": 0o666}, {"bits": 0o664, "group": foreign}, {"owner": foreign},
                        {"owner": UID}):
            self.spoil(config, **options)
            self.refused(EX_CONFIG, rf"{config}: ")
            self.doCleanups_of_case(unlink)
        # His own, and of his own group: nobody else.
        self.spoil(mapping, 0o664, owner=UID, group=GID)
        self.assertEqual(self.check().returncode, 0)
        self.daemon.start()
        self.assertEqual(self.daemon.stop(), 0)

    def doCleanups_of_case(self, then):
        """What spoil() has registered last goes first."""
        while self._cleanups and self._cleanups[-1][0] in (os.chmod, os.chown):
            function, words, named = self._cleanups.pop()
            function(*words, **named)
        then()

    def test_a_draft_of_root(self):
        """As Ansible's `validate` hands it over."""
        draft = os.path.join(self.daemon.directory, "draft")
        os.mkdir(draft, 0o700)
        os.chown(draft, 12345, -1)
        path = os.path.join(draft, "source")
        with open(self.daemon.config_path, encoding="utf-8") as file:
            text = file.read().replace('"mapping.yaml"', json.dumps(self.daemon.mapping_path))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        done = self.lab.run("gw", self.command_path, "check", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("belongs to user 12345", done.stderr)
        with open(self.daemon.mapping_path, "w", encoding="utf-8") as file:
            file.write(BROKEN)
        self.assertEqual(self.lab.run("gw", self.command_path, "check", path).returncode, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
