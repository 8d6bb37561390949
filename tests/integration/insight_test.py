# SPDX-License-Identifier: BSD-2-Clause
"""xlat646 status, top, mappings, drops and lookup: they read the segment, so they say what was sent,
also over a reload and after a crash; whatever the names in it are; and leave the terminal as it was."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from control_test import Command
from lab import C4, S1, S2, TUN, V1, V2, LabTestCase, command_path, mapping_yaml
from netns import wait_until
from stats_segment import HEADER
from traffic import UdpStream, udp_echo_server

EX_USAGE, EX_UNAVAILABLE, EX_NOPERM = 64, 69, 77
IPV4_UDP, IPV6_UDP = 28, 48
REASONS = 35
TOKYO = "\u6771\u4eac"
BACKWARDS = "a\u202eb"  # a terminal would turn what follows around
NAMED = ("version: 1\nmappings:\n"
         f"  - {{ ipv4: {V1}, ipv6: \"{S1}\", name: \"{TOKYO}\", tenant: acme }}\n"
         f"  - {{ ipv4: {V2}, ipv6: \"{S2}\", name: \"{BACKWARDS}\", tenant: \"x\\\"y\" }}\n")


class SegmentTestCase(Command, LabTestCase):
    @property
    def path(self):
        return os.path.join(self.daemon.directory, "stats")

    def xlat646(self, *words, path=None, status=0, wrapper=()):
        """The command's CompletedProcess."""
        done = subprocess.run([*wrapper, command_path(), *words, "--stats", path or self.path],
                              capture_output=True, timeout=120, check=False,
                              stdin=subprocess.DEVNULL)
        done.stdout, done.stderr = (text.decode(errors="surrogateescape")
                                    for text in (done.stdout, done.stderr))
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def document(self, *words, path=None, status=0):
        return json.loads(self.xlat646(*words, "--json", path=path, status=status).stdout)

    def rows(self, *words):
        return {row["ipv4"]: row for row in self.document("mappings", *words)["rows"]}


class Running(SegmentTestCase):
    @classmethod
    def prepare(cls):
        cls.daemon.write_mapping(NAMED)

    def test_mappings(self):
        """Exactly what was sent, by mapping and by tenant; the fast path's numbers come in once a
        second."""
        before = self.rows()
        self.assertEqual(list(before), [V1, V2])
        self.assertEqual((before[V1]["ipv6"], before[V1]["name"], before[V2]["tenant"]),
                         (S1, TOKYO, 'x"y'))
        self.echo_datagrams(V1, S1, 20)
        self.echo_datagrams(V2, S2, 7, 1000)

        def numbers(row):
            return [row[d][what] for d in ("v4_to_v6", "v6_to_v4") for what in ("packets", "bytes")]

        def grown():
            after = self.rows()
            return {a: [n - b for n, b in zip(numbers(after[a]), numbers(before[a]))]
                    for a in (V1, V2)}
        wanted = {V1: [20, 20 * (300 + IPV4_UDP), 20, 20 * (300 + IPV6_UDP)],
                  V2: [7, 7 * (1000 + IPV4_UDP), 7, 7 * (1000 + IPV6_UDP)]}
        with contextlib.suppress(Exception):  # the comparison says more
            wait_until(lambda: grown() == wanted, "the numbers", 15)
        self.assertEqual(grown(), wanted)

        tenants = {row["tenant"]: row for row in self.document("mappings", "--by-tenant")["rows"]}
        self.assertEqual(numbers(tenants["acme"]), numbers(self.rows()[V1]))
        self.assertEqual(sorted(tenants), ["acme", 'x"y'])
        self.assertEqual(list(self.rows("--tenant", "acme")), [V1])
        self.assertEqual(list(self.rows("--filter", TOKYO)), [V1])
        self.assertEqual(list(self.rows("--filter", S2)), [V2])
        self.assertEqual(list(self.rows("--sort", "ipv4", "--reverse", "--limit", "1")), [V2])
        self.assertEqual(list(self.rows("--offset", "1")), [V2])
        text = self.xlat646("mappings").stdout.splitlines()
        self.assertRegex(text[0], "^IPV4 +4>6 PACKETS +4>6 BYTES +6>4 PACKETS +6>4 BYTES +IPV6")
        self.assertRegex(text[1], rf"^{V1} .* {S1} +{TOKYO} +acme$")
        self.assertRegex(text[2], rf'^{V2} .* {S2} +a\?b +x"y$')
        self.assertRegex(self.xlat646("mappings", "--by-tenant").stdout, r"(?m)^acme .* 1$")

    def test_status(self):
        """What the daemon itself says, but for the moment."""
        self.echo_datagrams(V1, S1, 3)
        mine, theirs = self.document("status"), self.status()
        self.assertEqual(list(mine), list(theirs) + ["daemon"])
        for key in ("version", "pid", "config", "translation_prefix", "table", "tun", "fastpath",
                    "hooks", "stats_segment"):
            self.assertEqual(mine[key], theirs[key])
        self.assertEqual(mine["daemon"]["state"], "running")
        self.assertIs(mine["daemon"]["ready"], True)

        def packets(status):
            return {k: n for k, n in status["counters"].items() if k not in ("tun", "probes")}
        with contextlib.suppress(Exception):
            wait_until(lambda: packets(self.document("status")) == packets(self.status()),
                       "both", 15)
        self.assertEqual(packets(self.document("status")), packets(self.status()))
        self.assertEqual(list(mine["counters"]), list(theirs["counters"]))
        text = self.xlat646("status").stdout
        self.assertRegex(text, rf"(?m)^TUN +{TUN}, 1 queue, offload: ")
        self.assertRegex(text, r"(?m)^ready +yes, since ")
        self.assertEqual(len(text.splitlines()), len(self.command("status").stdout.splitlines()))

    def test_drops(self):
        self.lab.ip("gw", f"route add 192.0.2.99 dev {TUN}")
        self.addCleanup(self.lab.ip, "gw", f"route del 192.0.2.99 dev {TUN}")

        def count():
            reasons = {r["reason"]: r for r in self.document("drops")["counts"]}
            return reasons.get("no_mapping", {"v4_to_v6": {"rejected": 0}})["v4_to_v6"]["rejected"]

        before = count()
        self.lab.ping("c4", "192.0.2.99", "-W", "2")
        self.assertEqual(count(), before + 1)

        def example():
            return [d for d in self.document("drops", "--last", "255")["last"]
                    if d["destination"] == "192.0.2.99"]
        found = wait_until(example, "an example")[0]
        self.assertEqual((found["source"], found["reason"], found["direction"], found["length"]),
                         (C4, "no_mapping", "v4_to_v6", 84))
        self.assertRegex(self.xlat646("drops").stdout, rf"(?m)^no_mapping +{before + 1} ")
        self.assertRegex(self.xlat646("drops", "--last").stdout,
                         rf"(?m)^20.*Z  no_mapping +{C4} > 192\.0\.2\.99, protocol 1, 84 bytes$")
        self.assertEqual(self.document("drops", "--last=0")["last"], [])
        explained = self.xlat646("drops", "--explain").stdout
        self.assertEqual(len(re.findall(r"(?m)^\w+: ", explained)), REASONS)
        self.assertEqual(explained.count("    -> "), REASONS)
        self.assertRegex(explained, rf"(?m)^no_mapping: {before + 1} of IPv4, \d+ of IPv6\n"
                                    r"    No explicit.*\n    -> If the server should be")
        self.assertEqual(len(self.document("drops", "--explain")["counts"]), REASONS)

    def test_rates_over_a_reload(self):
        """The table changes while top looks: the stream goes on, and so does its rate."""
        with udp_echo_server(self.lab, "s1", S1) as port:
            stream = UdpStream(self.lab, "c4", V1, port, 500)
            top = subprocess.Popen([command_path(), "top", "--json", "--interval", "6", "--stats",
                                    self.path], stdout=subprocess.PIPE)
            self.addCleanup(top.wait)
            time.sleep(2)
            self.addCleanup(self.daemon.reload)
            self.addCleanup(self.daemon.write_mapping, NAMED)
            self.daemon.reload([("192.0.2.50", "2001:db8:6::50"), (V1, S1)])
            document = json.loads(top.communicate(timeout=60)[0])
            stream.finish()
        self.assertEqual(document["mappings"], 2)
        self.assertEqual(document["rows"][0]["ipv4"], V1)
        self.assertGreater(document["rows"][0]["v4_to_v6"]["packets_per_second"], 0)
        self.assertGreater(document["rows"][0]["v6_to_v4"]["bits_per_second"], 0)
        self.assertEqual(document["rows"][1]["v4_to_v6"]["packets_per_second"], 0)
        # Not on a terminal: one table.
        self.assertRegex(self.xlat646("top").stdout, rf"(?m)\AIPV4 +4>6 PACKETS/s .*\n(.*\n)*{V1} ")
        self.assertRegex(self.xlat646("top", "--by-tenant").stdout, r"\ATENANT ")

    def test_lookup(self):
        """By the files, and whether the daemon has the same."""
        def running(address):
            done = self.xlat646("lookup", "-c", self.daemon.config_path, "--json", address)
            return json.loads(done.stdout)["running"]
        self.assertEqual(running(V1)["state"], "running")
        self.assertIs(running(V1)["same"], True)
        self.assertEqual(running(S2)["mapping"], {"ipv4": V2, "ipv6": S2})
        self.assertEqual(running("192.0.2.9"),
                         {"state": "running", "same": True, "mapping": None})
        # The files change, the daemon has not read them: longest match on both sides.
        self.addCleanup(self.daemon.reload)
        self.addCleanup(self.daemon.write_mapping, NAMED)
        self.daemon.reload([(V1, S1), ("192.0.2.0/28", "2001:db8:5::/124")])
        self.assertIs(running(V1)["same"], True)
        self.assertEqual(running(V2)["mapping"]["ipv4"], "192.0.2.0/28")
        self.daemon.write_mapping(NAMED)
        self.assertIs(running(V1)["same"], True)
        self.assertIs(running(V2)["same"], False)
        self.assertIs(running("192.0.2.9")["same"], False)
        text = self.xlat646("lookup", "-c", self.daemon.config_path, V2).stdout
        self.assertIn("running     DIFFERENT: 192.0.2.0/28 = 2001:db8:5::/124", text)
        path = self.daemon.config_path  # finds the segment by itself
        done = subprocess.run([command_path(), "lookup", "-c", path, V1], capture_output=True,
                              text=True, check=False, timeout=60)
        self.assertIn("running     the same\n", done.stdout)

    def test_usage(self):
        for words in (["mappings", "--sort", "nonsense"], ["mappings", "--limit", "-1"],
                      ["mappings", "--limit", "1x"], ["mappings", "--sort", "bit_rate"],
                      ["mappings", "--by-tenant", "--filter", "x"], ["mappings", "operand"],
                      ["mappings", "--js"], ["drops", "--last", "x"], ["drops", "--last=x"],
                      ["top", "--interval", "0"], ["top", "--nonsense"],
                      ["status", "--socket", "x"]):
            with self.subTest(words=words):
                done = self.xlat646(*words, status=EX_USAGE)
                self.assertEqual(done.stdout, "")
                self.assertRegex(done.stderr, r"\Axlat646 \w+: .* \(try --help\)\n\Z")
        for command in ("top", "mappings", "drops", "status"):
            done = subprocess.run([command_path(), command, "--help"], capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 0)
            self.assertIn("--stats", done.stdout)

    def test_no_segment(self):
        for command in ("status", "top", "mappings", "drops"):
            done = self.xlat646(command, path="/no/such/file", status=EX_UNAVAILABLE)
            self.assertRegex(done.stderr, "No such file.*Does xlat646d run.*--stats names another")
            self.xlat646(command, path="/etc/passwd", status=EX_UNAVAILABLE)
            self.xlat646(command, path=self.daemon.directory, status=EX_UNAVAILABLE)
            self.xlat646(command, status=EX_NOPERM, wrapper=(
                "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"))

    def test_default_places(self):
        """The segment, or the control socket where there is none."""
        def run(links, words):
            script = "mount -t tmpfs none /run && mkdir /run/xlat646 && cd /run/xlat646 && "
            script += "".join(f"ln -s {self.daemon.directory}/{name} {name} && " for name in links)
            return subprocess.run(["unshare", "-m", "sh", "-c", script + f"{command_path()} {words}"],
                                  capture_output=True, text=True, check=False, timeout=60)
        done = run(["stats"], "status --json")
        self.assertEqual(json.loads(done.stdout)["daemon"]["state"], "running")
        done = run(["control.sock"], "status --json")
        self.assertEqual(json.loads(done.stdout)["pid"], self.daemon.process.pid)
        self.assertNotIn("daemon", json.loads(done.stdout))
        self.assertEqual(run([], "status").returncode, EX_UNAVAILABLE)
        self.assertEqual(run(["control.sock"], "mappings").returncode, EX_UNAVAILABLE)
        self.assertIn(V1, run(["stats"], "mappings").stdout)

    def test_hostile_bytes(self):
        """A file of somebody else's: nothing in it reaches the terminal, nothing ends a command."""
        with open(self.path, "rb") as file:
            data = bytearray(file.read())
        offsets = HEADER.unpack_from(data)[-18:-7]
        report, table, text, size = offsets[1], offsets[8], offsets[9], offsets[10]
        self.assertEqual(size, len(data))
        for content in (b"\x1b]0;x\x07\xff\n", b"\xff", b"\x00\x01", b"\xe2\x80\xae\x1b[2J"):
            with self.subTest(content=content), tempfile.NamedTemporaryFile() as file:
                bad = bytearray(data)
                bad[text + 1:] = (content * size)[:size - text - 1]
                file.write(bad)
                file.flush()
                for words in (["mappings"], ["mappings", "--by-tenant"], ["top"], ["drops"],
                              ["drops", "--last"], ["status"]):
                    done = subprocess.run([command_path(), *words, "--stats", file.name],
                                          capture_output=True, check=False, timeout=60)
                    self.assertIn(done.returncode, (0, EX_UNAVAILABLE), done.stderr)
                    self.assertNotRegex(done.stdout + done.stderr, rb"[\x00-\x09\x0b-\x1f\x7f\xff]")
                    done = subprocess.run([command_path(), *words, "--json", "--stats", file.name],
                                          capture_output=True, check=False, timeout=60)
                    self.assertIn(done.returncode, (0, EX_UNAVAILABLE), done.stderr)
                    self.assertNotIn(b"\x1b", done.stdout)
                    json.loads(done.stdout)
                for begin in (report, table, offsets[0]):
                    bad[begin:begin + 4096] = (content * 4096)[:4096]
                file.seek(0)
                file.write(bad)
                file.flush()
                for words in (["mappings"], ["top", "--json"], ["drops", "--explain"], ["status"]):
                    done = subprocess.run([command_path(), *words, "--stats", file.name],
                                          capture_output=True, check=False, timeout=60)
                    self.assertIn(done.returncode, (0, EX_UNAVAILABLE), (words, done.stderr))
                    self.assertNotRegex(done.stdout + done.stderr, rb"[\x00-\x09\x0b-\x1f\x7f\xff]")


class Ending(SegmentTestCase):
    def test_crash_and_stop(self):
        self.echo_datagrams(V1, S1, 9)
        wait_until(lambda: self.rows()[V1]["v4_to_v6"]["packets"] == 9, "the numbers", 15)
        self.daemon.stop(signal.SIGKILL)

        def state():
            return self.document("mappings")["daemon"]["state"]
        wait_until(lambda: state() == "silent", "that nothing is written", 30)
        for words in (["mappings"], ["drops"], ["top"]):
            done = self.xlat646(*words)
            self.assertRegex(done.stderr, r"\Axlat646 \w+: xlat646d \(process \d+\) has written "
                                          r"nothing for \d+.* it has crashed, .* last values\n\Z")
        self.assertEqual(self.rows()[V1]["v4_to_v6"]["packets"], 9)
        done = self.xlat646("status", status=EX_UNAVAILABLE)
        self.assertRegex(done.stdout, r"(?m)^ready +yes, ")  # what it said last
        self.assertIn("these are its last values", done.stderr)
        status = self.document("status", status=EX_UNAVAILABLE)
        self.assertEqual(status["daemon"]["state"], "silent")
        self.assertIs(status["daemon"]["ready"], False)
        self.assertEqual(status["counters"]["v4_to_v6"]["protocols"]["udp"]["packets"], 9)

        # Another one begins at zero; one that ends in order takes its file along.
        self.daemon.start()
        self.assertEqual(self.document("status")["daemon"]["state"], "running")
        self.assertEqual(self.rows()[V1]["v4_to_v6"]["packets"], 0)
        top = subprocess.Popen(
            [command_path(), "top", "--json", "--interval", "4", "--stats", self.path],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(top.wait)
        time.sleep(1)  # it has opened the file, if this machine is not too busy
        self.daemon.stop()
        said, complaint = top.communicate(timeout=60)
        if top.returncode == 0:
            self.assertEqual(json.loads(said)["daemon"]["state"], "stopped")
            self.assertIn("has stopped; these are its last values", complaint)
        self.xlat646("status", status=EX_UNAVAILABLE)
        self.daemon.start()


# What a shell is to its jobs. Without one the kernel stops nobody.
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
pid = os.fork()
if pid == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
while True:
    status = os.waitpid(pid, os.WUNTRACED)[1]
    if not os.WIFSTOPPED(status):
        os._exit(os.waitstatus_to_exitcode(status))
"""


class Screen:
    """xlat646 top at a terminal of its own."""

    def __init__(self, test, path, *words, under=()):
        self.test, self.output = test, b""
        self.master, slave = pty.openpty()
        test.addCleanup(os.close, self.master)
        self.slave = slave
        test.addCleanup(os.close, slave)
        self.resize(30, 100)
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [*under, command_path(), "top", "--stats", path, *words], stdin=slave, stdout=slave,
            stderr=slave, start_new_session=True, env={**os.environ, "TERM": "xterm"},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        test.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            self.output += os.read(self.master, 65536)
        return self.output

    def wait(self, pattern):
        """Waits for it in what comes from now on; returns the match."""
        begin = len(self.read())
        return wait_until(lambda: re.search(pattern, self.read()[begin:]), str(pattern), 30)

    def press(self, keys):
        os.write(self.master, keys)

    def is_restored(self):
        """The terminal's settings; and the last words turn everything back."""
        wait_until(lambda: self.read().rfind(b"\x1b[?1049l") > self.output.rfind(b"\x1b[?1049h"),
                   "the screen as before")
        return termios.tcgetattr(self.slave) == self.before

    def ended(self):
        wait_until(lambda: self.read() is not None and self.process.poll() is not None, "its end")
        return self.process.returncode


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


class Live(SegmentTestCase):
    @classmethod
    def prepare(cls):
        cls.daemon.write_mapping(NAMED)

    def test_keys(self):
        screen = Screen(self, self.path)
        screen.wait(rb"xlat646d ready, up .*2 mappings(?s:.)*\[bit/s\](?s:.)*"
                    + V1.encode())
        self.assertFalse(termios.tcgetattr(screen.slave)[3] & (termios.ICANON | termios.ECHO))
        screen.press(b"p")
        screen.wait(rb"\[packets/s\]")
        screen.press(b"P")
        screen.wait(rb"\[all packets\](?s:.)*4>6 PACKETS ")
        screen.press(b"m")
        screen.wait(rb"m: mappings(?s:.)*TENANT(?s:.)*acme")
        screen.press(b"mn")
        screen.wait(rb"\[name\](?s:.)*a\?b(?s:.)*" + TOKYO.encode())
        screen.press(b"r")
        screen.wait(TOKYO.encode() + rb"(?s:.)*a\?b")
        screen.resize(5, 20)  # no room for both mappings, nor for what follows the address
        screen.process.send_signal(signal.SIGWINCH)
        screen.wait(rb"xlat646d ready, up [^\n]{0,8}\x1b\[K\r+\n(?s:.)*"
                    rb"IPV4[^\r\n]{0,16}\x1b\[K\x1b\[J")
        screen.press(b"q")
        self.assertEqual(screen.ended(), 0)
        self.assertTrue(screen.is_restored())

    def test_signals(self):
        for number, status in ((signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM),
                               (signal.SIGHUP, -signal.SIGHUP), (signal.SIGQUIT, -signal.SIGQUIT)):
            with self.subTest(number=number):
                screen = Screen(self, self.path)
                screen.wait(b"xlat646d ready")
                screen.process.send_signal(number)
                self.assertEqual(screen.ended(), status)
                self.assertTrue(screen.is_restored())

    def test_stopped_and_continued(self):
        """Ctrl-Z gives the terminal back for a while."""
        screen = Screen(self, self.path, under=("/usr/bin/python3", "-c", SHELL))
        screen.wait(b"xlat646d ready")
        screen.press(b"\x1a")
        self.assertTrue(screen.is_restored())
        shell = screen.process.pid
        with open(f"/proc/{shell}/task/{shell}/children", encoding="ascii") as file:
            top = int(file.read())
        wait_until(lambda: state_of(top) == "T", "that it stops")
        os.kill(top, signal.SIGCONT)
        screen.wait(b"xlat646d ready")
        screen.press(b"q")
        self.assertEqual(screen.ended(), 0)
        self.assertTrue(screen.is_restored())

    def test_a_segment_that_is_cut_off(self):
        """By somebody else, as the daemon never does: the terminal is as before all the same."""
        with open(self.path, "rb") as file, tempfile.NamedTemporaryFile() as copy:
            copy.write(file.read())
            copy.flush()
            screen = Screen(self, copy.name)
            screen.wait(rb"has written nothing for")  # nobody writes to a copy
            os.truncate(copy.name, 4096)
            self.assertEqual(screen.ended(), -signal.SIGBUS)
            self.assertTrue(screen.is_restored())
            self.assertIn(b"the segment has been cut off", screen.read())

    def test_a_reload(self):
        screen = Screen(self, self.path, "--sort", "ipv4")
        screen.wait(V2.encode())
        self.addCleanup(self.daemon.reload)
        self.addCleanup(self.daemon.write_mapping, NAMED)
        self.daemon.write_mapping(mapping_yaml([(V1, S1), ("192.0.2.77", S2)]))
        self.daemon.reload()
        screen.wait(rb"192\.0\.2\.77")
        screen.press(b"q")
        self.assertEqual(screen.ended(), 0)


if __name__ == "__main__":
    unittest.main()
