# SPDX-License-Identifier: BSD-2-Clause
"""xlat646 restart: another process takes over, and nobody outside notices; whatever is
wrong with the new one, the old one goes on."""

import contextlib
import ctypes
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest

from control_test import Command
from lab import (C4, READINESS, S1, S2, TUN, V1, V2, LabTestCase, command_path, daemon_path,
                 embedded, mapping_yaml, mode, socket_of, tun_section)
from netns import wait_until
from readiness_test import Link, watchdogs
from traffic import TcpPair, UdpStream, Worker, receive_hashed, udp_echo_server

PR_SET_CHILD_SUBREAPER = 36
SO_MAX_PACING_RATE = 47
# Whose parent ends becomes our child: so a successor can be waited for.
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Adopted:
    """A child that somebody else has started, as subprocess.Popen shows its own."""

    def __init__(self, pid):
        self.pid, self.returncode = pid, None

    def poll(self):
        if self.returncode is None:
            with contextlib.suppress(ChildProcessError):  # not yet ours: its parent still lives
                done, status = os.waitpid(self.pid, os.WNOHANG)
                if done:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout=60):
        wait_until(lambda: self.poll() is not None, "the end of a process", timeout)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


def total(status):
    """All numbers of the counters by their paths."""
    flat = {}

    def walk(path, value):
        if isinstance(value, dict):
            for key, part in value.items():
                walk(f"{path}.{key}", part)
        else:
            flat[path] = value
    walk("", status["counters"])
    return flat


class RestartTestCase(Command, LabTestCase):
    """The program is a copy, to be replaced by others."""

    config = {"tun": tun_section(queues=2)}

    @classmethod
    def setUpClass(cls):
        directory = tempfile.mkdtemp(prefix="xlat646-test-")
        cls.addClassCleanup(shutil.rmtree, directory)
        cls.program = os.path.join(directory, "xlat646d")
        shutil.copy(daemon_path(), cls.program)
        shutil.copy(command_path(), directory)
        before = os.environ["XLAT646D"]
        cls.addClassCleanup(os.environ.__setitem__, "XLAT646D", before)
        os.environ["XLAT646D"] = cls.program
        super().setUpClass()

    def setUp(self):
        self.link = Link(self.lab)
        self.addCleanup(self.link.close)
        self.link.forget(True)

    def outside(self):
        """What others see of the daemon beside its packets."""
        return {
            "link": re.sub(r" qdisc.*", "", self.lab.ip_output("gw", f"-o link show {TUN}")),
            "ipv4": self.lab.ip_output("gw", "-4 route show table all proto 64"),
            "ipv6": self.lab.ip_output("gw", "-6 route show table all proto 64"),
            "socket": os.stat(socket_of(self.daemon)).st_ino,
            "lock": os.stat(socket_of(self.daemon) + ".lock").st_ino,
            "watchdogs": len(watchdogs(self.lab)),
        }

    def restart(self):
        """Returns the process id of the new one, which has taken over."""
        old, before = self.daemon.process, self.status()
        done = self.command("restart")
        self.assertEqual(done.returncode, 0, done.stderr + self.daemon.log())
        pid = int(re.fullmatch(r"restarted: process (\d+) has taken over\n", done.stdout).group(1))
        self.assertNotEqual(pid, old.pid)
        self.assertEqual(old.wait(60), 0)
        self.daemon.process = Adopted(pid)
        after = self.status()
        self.assertEqual(after["pid"], pid)
        self.assertTrue(after["readiness"]["ready"])
        counted, counts = total(before), total(after)
        self.assertEqual({k: (n, counts.get(k)) for k, n in counted.items()
                          if not n <= counts.get(k, -1)}, {}, "went back")
        return pid

    def assert_goes_on(self, reason, wanted=None):
        """A restart that fails for `reason` and changes nothing."""
        outside, pid = self.outside(), self.daemon.process.pid
        done = self.command("restart")
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertRegex(done.stderr, rf"^NOT restarted, process {pid} goes on: .*({reason})")
        self.assertIsNone(self.daemon.process.poll())
        self.assertEqual(self.status()["pid"], pid)
        self.assertTrue(self.status()["readiness"]["ready"])
        self.assertEqual(self.outside(), wanted or outside)
        self.assertEqual(self.link.history(), [])
        self.assert_ping("c4", V1)
        self.assert_ping("s1", embedded(C4))


class Restart(RestartTestCase):
    def test_nothing_is_lost(self):
        """Numbered packets both ways and TCP both ways, over three restarts."""
        outside = self.outside()
        with udp_echo_server(self.lab, "s1", S1) as port6, \
                udp_echo_server(self.lab, "c4", C4) as port4, \
                TcpPair(self.lab, "c4", V1, "s1", S1) as to6, \
                TcpPair(self.lab, "s2", embedded(C4), "c4", C4) as to4:
            streams = [UdpStream(self.lab, "c4", V1, port6, 2000),
                       UdpStream(self.lab, "s2", embedded(C4), port4, 2000)]
            stop = []
            hashes = []
            for pair in (to6, to4):
                # Without a limit TCP fills the TUN's queue on a busy machine, and that is no
                # restart's doing.
                pair.client.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, 25_000_000)
                hashes.append((Worker(self.send_until, pair.client, stop),
                               Worker(receive_hashed, pair.server)))
            for _ in range(3):
                time.sleep(0.3)
                self.restart()
            time.sleep(0.3)
            stop.append(True)
            for sender, receiver in hashes:
                sent, received = sender.join_or_raise(), receiver.join_or_raise()
                self.assertEqual(sent, received)
            for stream in streams:
                self.assertEqual(stream.finish(), [])
                self.assertEqual(stream.twice, 0)
        self.assertEqual(self.outside(), outside)
        self.assertEqual(self.link.history(), [])
        counters = self.status()["counters"]
        self.assertEqual(counters["tun"]["write_errors"], 0)
        self.assertGreaterEqual(counters["v4_to_v6"]["received"], streams[0].sent)
        self.assertGreaterEqual(counters["v6_to_v4"]["received"], streams[1].sent)

    @staticmethod
    def send_until(sock, stop):
        """As send_hashed(), for as long as there are restarts to be survived."""
        digest, size = hashlib.sha256(), 0
        while not stop:
            block = os.urandom(1 << 16)
            digest.update(block)
            sock.sendall(block)
            size += len(block)
        sock.shutdown(socket.SHUT_WR)
        return digest.hexdigest(), size

    def test_the_new_one_is_a_whole_daemon(self):
        self.restart()
        self.daemon.reload([(V1, S2), (V2, S1)])
        try:
            self.assert_ping("c4", V1)
            self.assertEqual(self.status()["table"]["mappings"], 2)
        finally:
            self.daemon.reload([(V1, S1), (V2, S2)])
        (watchdog,) = watchdogs(self.lab)
        held = [os.readlink(f"/proc/{watchdog}/fd/{fd}")
                for fd in os.listdir(f"/proc/{watchdog}/fd")]
        self.assertFalse([h for h in held if "tun" in h or "socket" in h], held)
        # Stop: as the one that made all that.
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(self.lab.ip_output("gw", "route show table all proto 64"), "")
        self.assertNotIn(TUN, self.lab.ip_output("gw", "-o link show"))
        self.assertFalse(os.path.exists(socket_of(self.daemon)))
        self.assertFalse(os.path.exists(socket_of(self.daemon) + ".lock"))
        self.assertEqual(self.link.history(), [False])
        self.daemon.start()

    def test_killed_after_a_restart(self):
        """The old one holds nothing of the TUN any more."""
        self.restart()
        self.daemon.process.kill()
        wait_until(lambda: TUN not in self.lab.ip_output("gw", "-o link show"), "the TUN has gone")
        self.daemon.process.wait()
        self.daemon.start()
        self.assert_ping("c4", V1)

    def test_new_files_are_read(self):
        config = dict(self.config, reload_guard=0)
        try:
            self.daemon.write_mapping(mapping_yaml([(V1, S2), ("192.0.2.9", S1)]))
            self.daemon.write_config(**config, icmp_source_pool=None)
            self.restart()
            self.assert_ping("c4", "192.0.2.9")
            self.assertNotIn(f"{V2} dev", self.outside()["ipv4"])
            self.assertNotIn("192.0.2.240/29", self.outside()["ipv4"])
        finally:
            self.daemon.write_mapping(mapping_yaml([(V1, S1), (V2, S2)]))
            self.daemon.write_config(**self.config)
            self.restart()
        self.assertEqual(self.link.history(), [])
        self.assert_ping("c4", V2)

    def test_another_control_socket(self):
        elsewhere = os.path.join(self.daemon.directory, "other.sock")
        self.daemon.write_config(**self.config, control_socket=elsewhere)
        self.assertEqual(self.command("restart").returncode, 0)
        self.assertEqual(self.daemon.process.wait(60), 0)
        self.assertFalse(os.path.exists(socket_of(self.daemon)))
        done = subprocess.run([command_path(), "status", "--json", "--socket", elsewhere],
                              capture_output=True, text=True, timeout=60, check=True)
        self.daemon.process = Adopted(json.loads(done.stdout)["pid"])
        self.daemon.write_config(**self.config)
        done = subprocess.run([command_path(), "restart", "--socket", elsewhere],
                              capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(self.daemon.process.wait(60), 0)
        self.daemon.process = Adopted(self.status()["pid"])
        self.assertFalse(os.path.exists(elsewhere))
        self.assertEqual(self.link.history(), [])


    def test_not_ready(self):
        """A node that is not ready can be restarted as well, and stays so; or gets ready by it."""
        require = {**READINESS, "failures": 1, "require": [{"ping4": "198.51.100.99"}]}
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.write_config(**self.config, readiness=require)
        self.daemon.start(wait=False)
        self.daemon.wait_log("not ready, .* no answer to pings of 198.51.100.99")
        self.link.forget(False)
        for is_ready in (False, True):
            self.assertEqual(self.command("restart").returncode, 0)
            self.assertEqual(self.daemon.process.wait(60), 0)
            self.daemon.process = Adopted(self.status()["pid"])
            if not is_ready:
                self.wait_rounds(3)
                self.assertFalse(self.status()["readiness"]["ready"])
                self.assertEqual(self.link.history(), [])
                self.daemon.write_config(**self.config)
        wait_until(lambda: self.status()["readiness"]["ready"], "ready")
        wait_until(lambda: self.link.history() == [True], "carrier")
        self.assert_ping("c4", V1)

    def wait_rounds(self, count):
        def failed():
            return self.status()["counters"]["probes"]["failed"]
        before = failed()
        wait_until(lambda: failed() >= before + count, f"{count} rounds of probes")


class GoesOn(RestartTestCase):
    """The old one, when the new one is no good."""

    def tearDown(self):
        shutil.copy(self.original, self.program + ".new")
        os.replace(self.program + ".new", self.program)

    def replace_program(self, text):
        with open(self.program + ".new", "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(file.name, stat.S_IRWXU)
        os.replace(file.name, self.program)

    @classmethod
    def setUpClass(cls):
        cls.original = daemon_path()
        super().setUpClass()

    def test_bad_programs(self):
        os.environ["XLAT646D"] = self.original
        self.addCleanup(os.environ.__setitem__, "XLAT646D", self.program)
        for text, reason in (
                ("#!/bin/sh\nexit 3\n", "the new process: it ended with status 3"),
                ("#!/bin/sh\nkill -SEGV $$\n", "it was ended by signal 11"),
                ("#!/nowhere\n", "cannot start .*xlat646d: No such file"),
                # It knows nothing of a hand-over, as programs before it.
                (f"#!/bin/sh\nunset XLAT646_HANDOVER\nexec {self.original} \"$@\"\n",
                 "it ended with status 73"),
                ("#!/bin/sh\nexec /usr/bin/python3 -c 'import socket; "
                 "s = socket.socket(fileno=2 + int(__import__(\"os\").environ[\"LISTEN_FDS\"])); "
                 "s.send(b\"nonsense\"); s.recv(9); s.recv(9)'\n", "talks nonsense")):
            with self.subTest(reason=reason):
                self.replace_program(text)
                self.assert_goes_on(reason)
        os.unlink(self.program)
        self.assert_goes_on("cannot start .*xlat646d: No such file")

    def test_bad_files(self):
        self.daemon.write_mapping("version: 1\nmappings:\n  - { ipv4: 192.0.2.300, ipv6: x }\n")
        try:
            self.assert_goes_on(r"status 78: .*mapping\.yaml:3:\d+: error")
        finally:
            self.daemon.write_mapping(mapping_yaml([(V1, S1), (V2, S2)]))

    def test_what_cannot_change(self):
        for changes, reason in (
                ({"tun": tun_section(queues=2, name="other")}, "change tun.name"),
                ({"tun": tun_section(queues=1)}, "change tun.queues or tun.lanes"),
                ({"tun": tun_section(queues=2, offload=mode() == "off")}, "change tun.offload"),
                ({"routes": {"table": 77}}, "change routes")):
            with self.subTest(changes=changes):
                self.daemon.write_config(**{**self.config, **changes})
                try:
                    self.assert_goes_on(reason)
                finally:
                    self.daemon.write_config(**self.config)

    def test_a_route_in_the_way(self):
        """The new one has added routes by then: they go again."""
        self.lab.ip("gw", "route add 192.0.2.77/32 dev lo metric 0")
        self.addCleanup(self.lab.ip, "gw", "route del 192.0.2.77/32 dev lo metric 0")
        self.daemon.write_mapping(mapping_yaml([(V1, S1), (V2, S2), ("192.0.2.9", "2001:db8:6::9"),
                                                ("192.0.2.77", "2001:db8:6::77")]))
        try:
            self.assert_goes_on("192.0.2.77")
        finally:
            self.daemon.write_mapping(mapping_yaml([(V1, S1), (V2, S2)]))

    def test_not_ready(self):
        """What the new one requires is not so; its routes were other ones."""
        self.daemon.write_mapping(mapping_yaml([(V1, S1), ("192.0.2.9", S2)]))
        self.daemon.write_config(**self.config, reload_guard=0, readiness={
            **READINESS, "failures": 1, "require": [{"ping4": "198.51.100.99"}]})
        try:
            self.assert_goes_on("no round of probes has succeeded: no answer to pings of")
        finally:
            self.daemon.write_config(**self.config)
            self.daemon.write_mapping(mapping_yaml([(V1, S1), (V2, S2)]))
        self.assert_ping("c4", V2)

    def test_killed_while_it_waits(self):
        """The TUN goes with the daemon, not later with who was to take over."""
        self.daemon.write_config(**self.config, readiness={
            **READINESS, "watchdog_ms": 0, "require": [{"ping4": "198.51.100.99"}]})
        start, old = len(self.daemon.log()), self.daemon.process.pid
        waiting = Worker(self.command, "restart")
        self.daemon.wait_log("mappings loaded in", start)
        (new,) = [int(pid) for pid in self.running("xlat646d") if parent_of(pid) == old]
        os.kill(new, signal.SIGSTOP)  # it will do nothing by itself
        self.daemon.process.kill()
        self.daemon.process.wait()
        wait_until(lambda: TUN not in self.lab.ip_output("gw", "-o link show"), "the TUN has gone")
        self.assertNotEqual(waiting.join_or_raise().returncode, 0)
        wait_until(lambda: not self.running("xlat646d"), "nobody is left")
        self.assertNotIn("handed over", self.daemon.log()[-500:])
        self.daemon.write_config(**self.config)
        self.daemon.start()
        self.assert_ping("c4", V1)

    def test_a_signal_comes_first(self):
        self.replace_program("#!/bin/sh\nexec sleep 600\n")
        done = []
        waiting = Worker(lambda: done.append(self.command("restart")))
        wait_until(lambda: "restart asked for" in self.daemon.log(), "it has begun")
        wait_until(lambda: self.running("sleep"), "the new process runs")
        self.daemon.process.send_signal(signal.SIGUSR1)
        waiting.join_or_raise()
        self.assertRegex(done[0].stderr, "goes on: a signal has come")
        self.assertFalse(self.running("sleep"))
        self.daemon.wait_log("counters: ")

    def running(self, name):
        pids = self.lab.check("gw", "ip", "netns", "pids", self.lab.names["gw"]).split()
        found = []
        for pid in pids:
            with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii") as file:
                found += [pid] if file.read() == f"{name}\n" else []
        return found


class Systemd(RestartTestCase):
    def test_systemd_learns_of_the_new_process(self):
        path = os.path.join(self.daemon.directory, "notify")
        self.assertEqual(self.daemon.stop(), 0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(30)
            manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            added = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "20000000"}
            os.environ.update(added)
            try:
                self.daemon.start(under=["sh", "-c", 'WATCHDOG_PID=$$ exec "$@"', "sh"])
            finally:
                for name in added:
                    del os.environ[name]
            old, new = self.daemon.process.pid, self.restart()
            self.assertEqual(watchdogs(self.lab), [])
            heard = []

            def says(pid, text):
                while (pid, text) not in heard:
                    self.assertLess(len(heard), 100, heard)  # it beats for ever
                    data, cred, _, _ = manager.recvmsg(4096, 64)
                    heard.append((int.from_bytes(cred[0][2][:4], "little"), data.decode()))
            says(old, f"MAINPID={new}")
            says(new, "WATCHDOG=1")
            says(new, "READY=1")
            self.assertFalse([h for h in heard if "STOPPING" in h[1]])


if __name__ == "__main__":
    unittest.main(verbosity=2)
