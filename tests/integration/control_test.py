# SPDX-License-Identifier: BSD-2-Clause
"""The control socket and the command xlat646: what they say, and that clients harm nobody."""

import contextlib
import json
import os
import resource
import signal
import socket
import stat
import subprocess
import unittest

from lab import (C4, PREFIX6, READINESS, S1, S2, TUN, V1, V2, Daemon, Lab, LabTestCase, command_path,
                 embedded, keeps_freed_memory, mapping_yaml, mode, socket_of)
from netns import wait_until
from traffic import UdpStream, udp_echo_server

EX_USAGE, EX_UNAVAILABLE, EX_CANTCREAT, EX_NOPERM = 64, 69, 73, 77
BROKEN = "version: 1\nmappings:\n  - { ipv4: 192.0.2.300, ipv6: 2001:db8:6::2 }\n"
STATUS = b'{"command":"status"}\n'
DIRECTIONS = ("v4_to_v6", "v6_to_v4")


def connect(daemon):
    """Waits for its turn: while the daemon's queue is full, connect() fails at once."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(60)

    def connected():
        with contextlib.suppress(BlockingIOError):
            client.connect(socket_of(daemon))
            return True
        return False
    try:
        wait_until(connected, "the daemon accepts", 60, 0.001)
    except BaseException:
        client.close()
        raise
    return client


def read_all(client):
    """Everything up to the end of the stream, however it ends."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := client.recv(65536):
            data += piece
    return data


def ask(daemon, request):
    with connect(daemon) as client:
        client.sendall(request)
        return json.loads(read_all(client))


class Command:
    """xlat646 COMMAND at a daemon's socket."""

    def command(self, name, *words, daemon=None, wrapper=()):
        daemon = daemon or self.daemon
        return subprocess.run(
            [*wrapper, command_path(), name, *words, "--socket", socket_of(daemon)],
            capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)

    def status(self, daemon=None):
        done = self.command("status", "--json", daemon=daemon)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)


class Running(Command, LabTestCase):
    def tearDown(self):
        if self.daemon.process.poll() is None:
            self.daemon.write_mapping(mapping_yaml([(V1, S1), (V2, S2)]))
            self.assertEqual(self.command("reload", "--force").returncode, 0)

    def test_status(self):
        self.assert_ping("c4", V1, count=3)
        # One packet that nobody answers: addresses of the pool go to the TUN, none is a server.
        self.lab.ping("c4", "192.0.2.241", "-W", "1")
        status = self.status()
        self.assertEqual(status["pid"], self.daemon.process.pid)
        self.assertEqual(status["config"], self.daemon.config_path)
        self.assertEqual(status["translation_prefix"], f"{PREFIX6}/96")
        self.assertEqual(status["table"]["mappings"], 2)
        self.assertIn(f"digest {status['table']['digest'][:16]}", self.daemon.log())
        self.assertEqual(status["tun"]["name"], TUN)
        self.assertEqual(status["tun"]["offload"] == "off", mode() == "off")
        self.assertGreaterEqual(status["counters"]["v4_to_v6"]["received"], 3)
        # The same numbers as in the log: nothing flows between the two.
        by_signal = self.daemon.counters()
        for direction in DIRECTIONS:
            self.assertEqual(status["counters"][direction], by_signal[direction])
        text = self.command("status")
        self.assertEqual(text.returncode, 0, text.stderr)
        self.assertRegex(text.stdout, r"(?m)^table +2 mappings, generation \d+, digest "
                         + status["table"]["digest"][:16] + "$")
        self.assertRegex(text.stdout, rf"(?m)^TUN +{TUN}, 1 queue, offload: ")
        received = [f"{status['counters'][d]['received']:,}" for d in DIRECTIONS]
        self.assertRegex(text.stdout, rf"(?m)^received +{received[0]} +{received[1]}$")
        if mode().startswith("fast"):
            self.assertRegex(text.stdout, r"(?m)^fast path +on\n  v4 +attached by (tcx|clsact)\n"
                                          r"  v6 +attached by (tcx|clsact)$")
            self.assertRegex(text.stdout, r"(?m)^  by the fast path +[1-9]\d* +[1-9]\d*$")
        else:
            self.assertRegex(text.stdout, r"(?m)^fast path +off$")

    def test_discarded_packets_have_reasons(self):
        before = self.status()["counters"]["v4_to_v6"]["rejected"].get("no_mapping", 0)
        self.lab.ip("gw", f"route add 192.0.2.99 dev {TUN}")
        self.addCleanup(self.lab.ip, "gw", f"route del 192.0.2.99 dev {TUN}")
        self.lab.ping("c4", "192.0.2.99", "-W", "2")
        rejected = self.status()["counters"]["v4_to_v6"]["rejected"]
        self.assertEqual(rejected["no_mapping"], before + 1)
        self.assertRegex(self.command("status").stdout,
                         rf"(?m)^no_mapping +{before + 1} +\d+\n    No explicit address mapping")

    def test_reload(self):
        table = self.status()["table"]
        self.daemon.write_mapping(mapping_yaml([(V1, S1), (V2, S2), ("192.0.2.3", S2 + "3")]))
        done = self.command("reload")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, "^reloaded: 3 mappings, 1 added, 0 removed, 0 changed, ")
        status = self.status()
        self.assertEqual(status["table"]["generation"], table["generation"] + 1)
        self.assertNotEqual(status["table"]["digest"], table["digest"])
        self.assertEqual(status["last_reload"]["result"], "reloaded")
        self.assertEqual(status["last_reload"]["added"], 1)
        self.assertIn("3 mappings, 1 added", self.daemon.log())

    def test_reload_with_errors(self):
        table = self.status()["table"]
        self.daemon.write_mapping(BROKEN)
        done = self.command("reload")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, "(?m)^reload FAILED, nothing has changed: 2 mappings")
        self.assertRegex(done.stderr, r"mapping\.yaml:3:\d+: error: .*192\.0\.2\.300")
        status = self.status()
        self.assertEqual(status["table"], table)
        self.assertEqual(status["last_reload"]["result"], "failed")
        self.assertRegex(self.command("status").stdout,
                         r"(?m)^last reload +FAILED .*\n(  .*\n)*  .*mapping\.yaml:3:\d+: error")
        self.assert_ping("c4", V1)

    def test_reload_guard(self):
        self.daemon.write_mapping(mapping_yaml([]))
        done = self.command("reload")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stderr, r"reload_guard.*--force")
        self.assertEqual(self.status()["table"]["mappings"], 2)
        done = self.command("reload", "--force")
        self.assertEqual(done.returncode, 0, done.stderr)
        status = self.status()
        self.assertEqual(status["table"]["mappings"], 0)
        self.assertTrue(status["last_reload"]["forced"])
        self.assertEqual(status["last_reload"]["removed"], 2)

    def test_signals_are_reported_too(self):
        self.daemon.write_mapping(BROKEN)
        self.daemon.signal_and_wait(signal.SIGHUP, "reload failed")
        self.assertEqual(self.status()["last_reload"]["result"], "failed")

    def test_permissions(self):
        path = socket_of(self.daemon)
        mode_bits = os.stat(path).st_mode
        self.assertTrue(stat.S_ISSOCK(mode_bits))
        self.assertEqual(stat.S_IMODE(mode_bits), 0o660)
        for wrapper, expected in (
                (("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"), EX_NOPERM),
                # Of the group (root's, here) one needs no more.
                (("setpriv", "--reuid", "65534", "--regid", "0", "--clear-groups"), 0)):
            with self.subTest(wrapper=wrapper):
                done = self.command("status", wrapper=wrapper)
                self.assertEqual(done.returncode, expected, done.stderr)

    def test_usage(self):
        for words in (["--nonsense"], ["operand"], ["--js"], ["--timeout", "x"]):
            with self.subTest(words=words):
                done = self.command("status", *words)
                self.assertEqual(done.returncode, EX_USAGE, done.stderr)
                self.assertEqual(done.stdout, "")
        for words in ([], ["nonsense"], ["--socket", "x"]):
            with self.subTest(words=words):
                done = self.lab.run("gw", command_path(), *words)
                self.assertEqual(done.returncode, EX_USAGE, done.stderr)
        for words in (["--help"], ["version"], ["status", "--help"], ["check", "--help"]):
            with self.subTest(words=words):
                done = self.lab.run("gw", command_path(), *words)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("xlat646", done.stdout)

    def test_check_is_the_daemons_own(self):
        def places(text):
            return [line[line.index("mapping.yaml"):] for line in text.splitlines()
                    if "mapping.yaml:" in line]
        for text, expected in ((mapping_yaml([(V1, S1)]), 0), (BROKEN, 1)):
            self.daemon.write_mapping(text)
            done = self.lab.run("gw", command_path(), "check", self.daemon.config_path)
            self.assertEqual(done.returncode, expected, done.stderr)
            self.assertEqual("1 mappings, digest" in done.stdout, expected == 0)
            by_daemon = self.lab.run("gw", *self.daemon.command("--check"))
            self.assertEqual(by_daemon.returncode == 0, expected == 0)
            self.assertEqual(places(done.stderr), places(by_daemon.stderr))
            self.assertGreater(len(places(done.stderr)), 0)

    def test_one_socket_one_daemon(self):
        second = Daemon(self.lab, tun={"name": "second"}, fastpath=None,
                        control_socket=socket_of(self.daemon))
        self.addCleanup(second.remove)
        done = self.lab.run("gw", *second.command())
        self.assertEqual(done.returncode, EX_CANTCREAT, done.stderr)
        self.assertIn(f"another xlat646d serves {socket_of(self.daemon)}", done.stderr)
        self.assertEqual(self.status()["pid"], self.daemon.process.pid)
        self.assert_ping("c4", V1)

    def test_stopped_daemon(self):
        """The daemon does not answer: the command says so, and does not wait for ever."""
        self.daemon.process.send_signal(signal.SIGSTOP)
        try:
            done = self.command("status", "--timeout", "1")
        finally:
            self.daemon.process.send_signal(signal.SIGCONT)
        self.assertEqual(done.returncode, EX_UNAVAILABLE, done.stdout)
        self.assertIn("timeout", done.stderr)
        self.status()


class Hostile(Command, LabTestCase):
    """Clients of all kinds while packets flow: none is lost, and nothing stays behind."""

    # A supervisor that waits for a client would be killed.
    config = {"readiness": {**READINESS, "watchdog_ms": 5000}}

    def resources(self):
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return (int(lines["VmRSS"].split()[0]),
                len(os.listdir(f"/proc/{self.daemon.process.pid}/fd")))

    def garbage(self):
        for request in (b"\x00\xff\x1b[2J\n", b"GET / HTTP/1.1\r\n\r\n", b"[" * 4000 + b"\n",
                        b'{"command":"' + b"x" * 3000 + b'"}\n', b"{}\n", b"\n",
                        b'{"command":"reload","force":"yes"}\n'):
            self.assertEqual(list(ask(self.daemon, request)), ["error"])
        for size in (16384, 100_000):
            with connect(self.daemon) as client:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    client.sendall(b"x" * size)
                self.assertIn(b"too long", read_all(client))

    def half_messages(self):
        with connect(self.daemon) as client:
            client.sendall(STATUS[:7])
            client.shutdown(socket.SHUT_WR)
            self.assertIn(b"no newline", read_all(client))
        with connect(self.daemon) as client:
            client.sendall(STATUS[:7])
            self.assertEqual(read_all(client), b"")  # its second is over
        connect(self.daemon).close()

    def silent_readers(self, clients):
        """Each asks, and never reads."""
        for _ in range(1000):
            clients.append(connect(self.daemon))
            clients[-1].sendall(STATUS)

    def megabytes(self):
        """As much as the daemon takes; it takes no more than it needs to refuse."""
        with connect(self.daemon) as client:
            client.settimeout(5)
            sent = 0
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for _ in range(64):
                    client.sendall(b'{"command":[' * 8192)
                    sent += 8192 * 12
            self.assertLess(sent, 64 * 8192 * 12)
            self.assertIn(b"too long", read_all(client))

    def gone_at_once(self):
        for _ in range(1000):
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as client, \
                    contextlib.suppress(BlockingIOError):
                client.connect(socket_of(self.daemon))

    def trickling_clients(self, clients):
        """Half a message each, and the rest never."""
        for _ in range(16):
            clients.append(connect(self.daemon))
            clients[-1].sendall(STATUS[:5])

    def silent_clients(self, clients):
        """They say nothing, and fill the daemon's places and the kernel's queue."""
        for _ in range(1000):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            clients.append(client)
            with contextlib.suppress(BlockingIOError):
                client.connect(socket_of(self.daemon))

    def round(self, descriptors):
        self.garbage()
        self.half_messages()
        self.megabytes()
        self.gone_at_once()
        clients = []
        try:
            self.trickling_clients(clients)
            self.silent_readers(clients)
            self.silent_clients(clients)
            self.assertLess(self.resources()[1], descriptors + 20)
            # Who waits his turn is served.
            done = self.command("status", "--json", "--timeout", "100")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["pid"], self.daemon.process.pid)
        finally:
            for client in clients:
                client.close()

    def settled(self, descriptors):
        wait_until(lambda: self.resources()[1] == descriptors, "connections are closed")

    def test_hostile_clients(self):
        healthy = self.status()["readiness"]
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        descriptors = self.resources()[1]
        with udp_echo_server(self.lab, "s1", S1) as port4, \
                udp_echo_server(self.lab, "c4", C4) as port6:
            streams = [UdpStream(self.lab, "c4", V1, port4, 500),
                       UdpStream(self.lab, "s1", embedded(C4), port6, 500)]
            wait_until(lambda: all(s.sent > 50 for s in streams), "datagrams flow")
            self.round(descriptors)
            self.settled(descriptors)
            memory = self.resources()[0]
            for _ in range(3):
                self.round(descriptors)
            self.settled(descriptors)
            for stream in streams:
                self.assertEqual(stream.finish(), [], "datagrams lost")
                self.assertGreater(stream.sent, 200)
        # The first round has brought in everything that is needed; more is a leak.
        if not keeps_freed_memory(self.daemon):
            self.assertLess(self.resources()[0], memory + 2048)
        status = self.status()
        self.assertEqual(status["counters"]["tun"]["write_errors"], 0)
        for key in ("ready", "since", "withdrawals"):
            self.assertEqual(status["readiness"][key], healthy[key])


class Starting(Command, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.close)

    def daemon_with(self, **changes):
        daemon = Daemon(self.lab, **changes)
        self.addCleanup(daemon.remove)
        return daemon

    def test_crash_and_stop(self):
        daemon = self.daemon_with()
        path = socket_of(daemon)
        self.assertEqual(self.command("status", daemon=daemon).returncode, EX_UNAVAILABLE)
        daemon.start()
        daemon.process.kill()
        daemon.process.wait()
        self.assertTrue(os.path.exists(path))
        done = self.command("status", daemon=daemon)
        self.assertEqual(done.returncode, EX_UNAVAILABLE, done.stdout)
        self.assertIn("has died", done.stderr)
        wait_until(lambda: TUN not in self.lab.ip_output("gw", "-o link show type tun"),
                   "the TUN goes with its process")
        daemon.start()
        self.assertEqual(self.status(daemon)["pid"], daemon.process.pid)
        self.assertEqual(daemon.stop(), 0)
        left = [name for name in os.listdir(daemon.directory) if name.startswith("control")]
        self.assertEqual(left, [])

    def test_directory(self):
        daemon = self.daemon_with()
        directory = os.path.join(daemon.directory, "run")
        path = os.path.join(directory, "control.sock")
        daemon.write_config(control_socket=path)
        daemon.start()
        self.assertEqual(stat.S_IMODE(os.stat(directory).st_mode), 0o755)
        self.assertEqual(subprocess.run([command_path(), "status", "--socket", path], check=False,
                                        capture_output=True).returncode, 0)
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(os.path.exists(directory))

    def test_off(self):
        daemon = self.daemon_with(control_socket="").start()
        self.assertEqual(os.listdir(daemon.directory).count("control.sock"), 0)
        self.assertEqual(self.lab.ping("c4", V1).returncode, 0)
        daemon.reload()
        self.assertEqual(daemon.stop(), 0)

    def test_something_in_the_way(self):
        daemon = self.daemon_with()
        with open(socket_of(daemon), "w", encoding="ascii") as file:
            file.write("precious")
        done = self.lab.run("gw", *daemon.command())
        self.assertEqual(done.returncode, EX_CANTCREAT, done.stderr)
        self.assertIn("is no socket", done.stderr)
        with open(socket_of(daemon), encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")
        self.assertNotIn(TUN, self.lab.ip_output("gw", "-o link show"))

    def test_fast_path_that_does_not_run(self):
        """Per interface what runs, and why not."""
        daemon = self.daemon_with(fastpath={"mode": "auto", "interfaces": ["v4", "lo"]}).start()
        interfaces = {i["name"]: i for i in self.status(daemon)["fastpath"]["interfaces"]}
        self.assertEqual(list(interfaces), ["v4", "lo"])
        self.assertIsNone(interfaces["lo"]["runs"])
        self.assertNotEqual(interfaces["lo"]["why_not"], "")
        self.assertIn(interfaces["v4"]["runs"],
                      ("tcx", "clsact") if mode().startswith("fast") else ("tcx", "clsact", None))
        self.assertRegex(self.command("status", daemon=daemon).stdout,
                         r"(?m)^  lo +NOT attached: \S")


if __name__ == "__main__":
    unittest.main(verbosity=2)
