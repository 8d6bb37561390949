# SPDX-License-Identifier: BSD-2-Clause
"""xlat646-exporter: its numbers are what was sent, whatever becomes of the daemon and its segment,
and whatever clients do."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import unittest

from exporter import PORT, Exporter, exporter_path, parse, value_of
from lab import S1, S2, V1, V2, LabTestCase, daemon_path
from netns import need_tools, wait_until
from traffic import UdpStream, udp_echo_server

IPV4_UDP, IPV6_UDP = 28, 48
MAPPINGS = f"""version: 1
mappings:
  - {{ ipv4: {V1}, ipv6: "{S1}", name: "w\\"w\\\\w", tenant: acme }}
  - {{ ipv4: {V2}, ipv6: "{S2}", tenant: "Zoë" }}
  - {{ ipv4: 192.0.2.16/28, ipv6: "2001:db8:7::/124" }}
"""
PASS_SOCKETS = """
import os, socket, sys
sockets = [socket.create_server(("127.0.0.1", int(sys.argv[1]))),
           socket.create_server(("::1", int(sys.argv[1])), family=socket.AF_INET6)]
for i, s in enumerate(sockets):
    os.dup2(s.fileno(), 100 + i)
for i in range(len(sockets)):
    os.dup2(100 + i, 3 + i)  # inheritable
os.environ.update(LISTEN_FDS=str(len(sockets)), LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


class ExporterTestCase(LabTestCase):
    @classmethod
    def prepare(cls):
        cls.daemon.write_mapping(MAPPINGS)

    @property
    def stats(self):
        return os.path.join(self.daemon.directory, "stats")

    def export(self, *options, stats=None, **more):
        exporter = Exporter(self.lab, stats or self.stats, *options, **more)
        self.addCleanup(exporter.stop)
        return exporter

    def wait_metric(self, exporter, metric, wanted, /, **labels):
        wait_until(lambda: exporter.metrics().get(metric, {}).get(frozenset(labels.items()))
                   == wanted, f"{metric} {labels} {wanted}")

    def promtool(self, text):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""), text)


class Numbers(ExporterTestCase):
    def test_numbers(self):
        """What was sent, no more and no less, as a difference and by mapping and tenant."""
        exporter = self.export("--per-mapping", "all")
        before = exporter.metrics()
        self.echo_datagrams(V1, S1)
        self.echo_datagrams(V2, S2, 7, 1000)

        def grown(metric, /, **labels):
            return value_of(exporter.metrics(), metric, **labels) - \
                value_of(before, metric, **labels)

        label1 = {"ipv4": V1, "name": 'w\\"w\\\\w'}
        wait_until(lambda: grown("xlat646_mapping_packets_total", direction="6to4", ipv4=V2) == 7,
                   "the last packet", 15)
        wait_until(lambda: grown("xlat646_packets_translated_total", direction="6to4",
                                 protocol="udp") == 27, "all packets", 15)
        for direction, header in (("4to6", IPV4_UDP), ("6to4", IPV6_UDP)):
            small, large = 20 * (300 + header), 7 * (1000 + header)
            for name, labels, wanted in (
                    ("mapping_packets", label1, 20), ("mapping_bytes", label1, small),
                    ("mapping_packets", {"ipv4": V2}, 7), ("mapping_bytes", {"ipv4": V2}, large),
                    ("mapping_packets", {"ipv4": "192.0.2.16/28"}, 0),
                    ("packets_translated", {"protocol": "udp"}, 27),
                    ("translated_bytes", {"protocol": "udp"}, small + large)):
                self.assertEqual(grown(f"xlat646_{name}_total", direction=direction, **labels),
                                 wanted, (name, labels, direction))
        now = exporter.metrics()
        digest = re.findall(r"digest ([0-9a-f]{16})", self.daemon.log())[-1]
        self.assertEqual(value_of(now, "xlat646_mapping_info", sha256=digest), 1)
        self.assertEqual(value_of(now, "xlat646_mappings"), 3)
        self.assertEqual(value_of(now, "xlat646_up"), 1)
        self.assertGreater(value_of(now, "xlat646_daemon_resident_memory_bytes"), 0)

    def test_reloads_and_drops(self):
        exporter = self.export()
        before = exporter.metrics()
        self.daemon.write_mapping("version: 1\nmappings: [ nonsense ]\n")
        self.daemon.signal_and_wait(1, "reload failed")
        self.addCleanup(self.daemon.reload)
        self.addCleanup(self.daemon.write_mapping, MAPPINGS)
        self.wait_metric(exporter, "xlat646_mapping_last_reload_successful", 0)
        failures = "xlat646_mapping_reload_failures_total"
        self.assertEqual(value_of(exporter.metrics(), failures), value_of(before, failures) + 1)
        with self.lab.socket("c4", socket.AF_INET, socket.SOCK_RAW, 2) as igmp:
            igmp.sendto(bytes(8), (V1, 0))
        labels = {"direction": "4to6", "reason": "igmp"}
        self.wait_metric(exporter, "xlat646_packets_dropped_total",
                         value_of(before, "xlat646_packets_dropped_total", **labels) + 1, **labels)
        wait_until(lambda: [d for d in json.loads(exporter.get("/api/v1/drops").text)["last"]
                            if d["reason"] == "igmp"], "the example")

    def test_modes(self):
        """promtool likes all of them; each has its series, none has another's."""
        need_tools("promtool")
        listed = {line.split("\t")[0]: line.split("\t") for line in
                  subprocess.run([exporter_path(), "--list-metrics"], capture_output=True,
                                 text=True, check=True).stdout.splitlines()}
        self.echo_datagrams(V1, S1, 50)  # more than the other tests send to V2
        for mode, count in (("off", 0), ("top", 2), ("all", 6), ("tenant", 0)):
            exporter = self.export("--per-mapping", mode, "--top", "1")
            answer = exporter.get("/metrics")
            self.assertEqual(answer.headers["Content-Type"],
                             "text/plain; version=0.0.4; charset=utf-8")
            self.promtool(answer.text)
            metrics = parse(answer.text)
            for name in ("packets", "bytes"):
                series = metrics.get(f"xlat646_mapping_{name}_total", {})
                self.assertEqual(len(series), count, (mode, series))
                tenants = metrics.get(f"xlat646_tenant_{name}_total", {})
                self.assertEqual(len(tenants), 6 if mode == "tenant" else 0, tenants)
            if mode == "top":
                self.assertTrue(all(("ipv4", V1) in s for s in series), series)
            if mode == "tenant":
                value_of(metrics, "xlat646_tenant_bytes_total", tenant="Zoë", direction="4to6")
                value_of(metrics, "xlat646_tenant_bytes_total", direction="4to6")
            for name, series in metrics.items():
                labels = set(listed[name][2].split(",")) - {""}
                self.assertTrue(all({k for k, _ in s} <= labels for s in series), name)
            self.assertEqual(value_of(metrics, "xlat646_mapping_series_suppressed"), 0)
            self.assertEqual(exporter.stop(), 0)

    def test_limits(self):
        """Never a part: all, or none and a word about it."""
        for mode in ("all", "tenant"):
            for limit, is_suppressed in ((2, 1), (3, 0)):
                exporter = self.export("--per-mapping", mode, "--per-mapping-limit", str(limit))
                metrics = exporter.metrics()
                self.assertEqual(value_of(metrics, "xlat646_mapping_series_suppressed"),
                                 is_suppressed)
                series = [name for name in metrics if re.match("xlat646_(mapping|tenant)_bytes",
                                                               name)]
                self.assertEqual(bool(series), not is_suppressed, series)
                exporter.stop()

    def test_api(self):
        exporter = self.export()
        self.echo_datagrams(V2, S2, 5)

        def rows(question):
            return json.loads(exporter.get(f"/api/v1/mappings{question}").text)
        wait_until(lambda: rows(f"?filter={V2}")["rows"][0]["v6_to_v4"]["packets"] >= 5, "packets")
        self.assertEqual(rows("")["matches"], 3)
        self.assertEqual([r["ipv4"] for r in rows("?sort=ipv4&order=desc&limit=2")["rows"]],
                         ["192.0.2.16/28", V2])
        self.assertEqual([r["ipv4"] for r in rows("?tenant=acme")["rows"]], [V1])
        self.assertEqual(rows("?tenant=Zo%C3%AB")["matches"], 1)
        self.assertEqual(rows("?offset=2")["rows"][0]["ipv4"], "192.0.2.16/28")
        for bad in ("?limit=x", "?limit=100000", "?sort=no", "?order=up", "?limit=1&limit=2",
                    "?what=1", "?filter=" + "a" * 1000, "?offset=-1"):
            answer = exporter.get(f"/api/v1/mappings{bad}")
            self.assertEqual(answer.status, 400, bad)
            self.assertIn("error", json.loads(answer.text))
        tenants = json.loads(exporter.get("/api/v1/tenants?sort=bytes").text)
        self.assertEqual(tenants["tenants"], 3)
        status = json.loads(exporter.get("/api/v1/status").text)
        self.assertTrue(status["exporter"]["ready"])
        self.assertEqual(status["daemon"]["pid"], self.daemon.process.pid)

    def test_sockets_of_systemd(self):
        exporter = self.export(under=(sys.executable, "-c", PASS_SOCKETS, str(PORT)))
        self.assertEqual(value_of(exporter.metrics(), "xlat646_up"), 1)
        self.assertEqual(exporter.get("/-/healthy", address="::1").status, 200)
        self.assertIn("2 passed sockets", exporter.log())

    def test_command_line(self):
        first = self.export()
        self.assertEqual(first.get("/-/healthy", address="::1").status, 200)
        for options, wanted in ((["--listen", "nowhere"], 64), (["--per-mapping", "some"], 64),
                                (["--listen", "127.0.0.1:0"], 64), (["word"], 64),
                                (["--top", "0"], 64), (["--help"], 0), (["--version"], 0),
                                (["--listen", f"127.0.0.1:{PORT}"], 78),
                                (["--listen", "203.0.113.99:9646"], 78)):
            self.assertEqual(self.lab.run("gw", exporter_path(), *options).returncode, wanted,
                             options)

    def test_another_user(self):
        """It needs no right but to read the segment."""
        os.chmod(self.stats, 0o644)
        self.addCleanup(os.chmod, self.stats, 0o640)
        exporter = self.export("--user", "nobody")
        self.assertEqual(value_of(exporter.metrics(), "xlat646_up"), 1)
        with open(f"/proc/{exporter.process.pid}/status", encoding="ascii") as file:
            status = file.read()
        self.assertRegex(status, r"Uid:\s65534\s65534\s65534\s65534")
        self.assertRegex(status, r"CapEff:\s0{16}\n")
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, exporter.process.pid), 19)
        self.assertEqual(os.sched_getscheduler(exporter.process.pid), os.SCHED_BATCH)


class DaemonsLife(ExporterTestCase):
    def assert_ready(self, exporter):
        wait_until(lambda: exporter.get("/-/ready").status == 200, "ready")
        self.wait_metric(exporter, "xlat646_ready", 1)

    def assert_not_ready(self, exporter, why):
        wait_until(lambda: exporter.get("/-/ready").status == 503, "not ready")
        self.assertRegex(exporter.get("/-/ready").text, why)
        self.wait_metric(exporter, "xlat646_up", 0)
        self.assertEqual(exporter.get("/-/healthy").status, 200)

    def test_life(self):
        exporter = self.export("--per-mapping", "all")
        self.assert_ready(exporter)
        self.echo_datagrams(V1, S1)
        self.wait_metric(exporter, "xlat646_mapping_packets_total", 20, ipv4=V1,
                         name='w\\"w\\\\w', direction="6to4")
        # Killed: the last numbers stay, and say that they are old.
        self.daemon.process.kill()
        self.daemon.process.wait()
        self.assert_not_ready(exporter, "no sign of life from the daemon for [0-9]+ s")
        left = exporter.metrics()
        self.assertEqual(value_of(left, "xlat646_packets_translated_total", direction="4to6",
                                  protocol="udp"), 20)
        self.assertEqual(value_of(left, "xlat646_segment_state", state="current"), 1)
        self.daemon.start()
        self.assert_ready(exporter)
        self.wait_metric(exporter, "xlat646_mapping_packets_total", 0, ipv4=V1,
                         name='w\\"w\\\\w', direction="6to4")
        # Stopped in order: the segment goes.
        self.assertEqual(self.daemon.stop(), 0)
        self.assert_not_ready(exporter, "no daemon: .*No such file")
        self.wait_metric(exporter, "xlat646_segment_state", 1, state="missing")
        self.assertNotIn("xlat646_mappings", exporter.metrics())
        self.assertEqual(exporter.get("/api/v1/drops").status, 503)
        self.assertEqual(json.loads(exporter.get("/api/v1/status").text)["daemon"]["state"],
                         "absent")
        self.promtool(exporter.get("/metrics").text)
        self.daemon.start()
        self.assert_ready(exporter)
        # Deleted by somebody: what is mapped goes on, and a reload brings a new one.
        os.unlink(self.stats)
        self.echo_datagrams(V1, S1, 5)
        self.wait_metric(exporter, "xlat646_packets_translated_total", 5, direction="4to6",
                         protocol="udp")
        self.assert_ready(exporter)
        self.daemon.reload()
        self.assert_ready(exporter)
        self.wait_metric(exporter, "xlat646_mapping_generation", 2)
        self.wait_metric(exporter, "xlat646_packets_translated_total", 5, direction="4to6",
                         protocol="udp")
        self.assertEqual(exporter.stop(), 0)

    def test_not_ready(self):
        """A daemon that says so is believed, with its reason."""
        exporter = self.export()
        self.assert_ready(exporter)
        self.lab.ip("gw", "route del 192.0.2.1/32")
        self.addCleanup(self.daemon.start)
        self.addCleanup(self.daemon.stop)
        self.assertEqual(exporter.get("/-/healthy").status, 200)
        self.lab.ip("gw", "link set xlat646 down")
        wait_until(lambda: exporter.get("/-/ready").status == 503, "not ready", 60)
        self.assertRegex(exporter.get("/-/ready").text, "not ready: .{5}")
        self.assertEqual(value_of(exporter.metrics(), "xlat646_up"), 1)
        self.wait_metric(exporter, "xlat646_ready", 0)

    def test_broken_segments(self):
        copy = os.path.join(self.daemon.directory, "copy")
        shutil.copyfile(self.stats, copy)
        os.chmod(copy, 0o600)
        exporter = self.export("--per-mapping", "all", stats=copy)
        self.assertEqual(value_of(exporter.metrics(), "xlat646_mappings"), 3)
        # While it is mapped: the same file, shorter. Nobody but its owner could do that.
        wait_until(lambda: value_of(exporter.metrics(), "xlat646_up") == 0, "an old copy")
        os.truncate(copy, 4096)
        wait_until(lambda: "xlat646_mappings" not in exporter.metrics(), "its end")
        self.assertRegex(exporter.get("/-/ready").text, "cut off|shortened")
        for content in (b"", b"nonsense" * 1000, os.urandom(100000)):
            with open(copy + ".new", "wb") as file:
                file.write(content)
            os.chmod(copy + ".new", 0o600)
            os.replace(copy + ".new", copy)
            self.assertRegex(exporter.get("/-/ready").text, "no daemon: .*(too short|not a stat)")
        os.unlink(copy)
        os.mkfifo(copy)
        self.assertRegex(exporter.get("/-/ready").text, "not an ordinary file")
        os.unlink(copy)
        os.link(self.stats, copy)
        self.assert_ready(exporter)

    def test_shortened_under_it(self):
        """The daemon has it mapped, too, but looks at it only through its own pages: so this is
        a copy whose daemon seems alive."""
        copy = os.path.join(self.daemon.directory, "live")
        with open(self.stats, "rb") as file:
            content = file.read()
        with open(copy, "wb") as file:
            file.write(content)
        os.chmod(copy, 0o600)
        exporter = self.export("--per-mapping", "all", stats=copy)
        self.assertEqual(value_of(exporter.metrics(), "xlat646_up"), 1)
        os.truncate(copy, 8192)
        wait_until(lambda: exporter.get("/-/ready").status == 503, "not ready")
        wait_until(lambda: "shortened" in exporter.log(), "a word in the log")
        self.wait_metric(exporter, "xlat646_up", 0)


class Clients(ExporterTestCase):
    def test_what_is_not_there(self):
        exporter = self.export()
        for path in ("/nothing", "/metrics/", "/../etc/passwd", "/%2e%2e/etc/passwd", "//"):
            self.assertEqual(exporter.get(path).status, 404, path)
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"):
            answer = exporter.get("/metrics", method, body="x" * 100000)
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD"), method)
        head = exporter.get("/metrics", "HEAD")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertGreater(int(head.headers["Content-Length"]), 1000)
        self.assertIn(exporter.get("/" + "a" * 60000).status, (400, 414, 431))
        self.assertEqual(exporter.get("/metrics").status, 200)

    def test_garbage(self):
        exporter = self.export()
        for sent in (b"\0" * 5000, os.urandom(40000), b"GET\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"\r\n" * 10000,
                     b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 10000 + b"\r\n",
                     b"GET /?" + b"a=b&" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /%00%ff%zz HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nx",
                     b"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
            with exporter.connect() as client:
                try:
                    client.sendall(sent)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(65536):
                        pass
                except OSError:
                    pass  # closed on us
            self.assertEqual(exporter.get("/-/healthy").status, 200, sent[:40])

    def test_many_and_slow(self):
        """From one address they take their share, and what they hold is bounded. Others are
        served, and when they have gone so is this one."""
        exporter = self.export("--per-mapping", "all", "--listen", f"0.0.0.0:{PORT}")
        before = exporter.resident()
        idle = []
        self.addCleanup(lambda: [c.close() for c in idle])
        for i in range(400):
            client = self.lab.socket("gw", socket.AF_INET, socket.SOCK_STREAM, timeout=5)
            client.connect(("127.0.0.1", PORT))
            idle.append(client)
            try:
                client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + (b"\r\n" if i % 2 else b"X"))
            except OSError:
                pass  # one too many
        with self.lab.inside("gw"):
            other = socket.create_connection(("203.0.113.2", PORT), 30,
                                             source_address=("203.0.113.2", 0))
        with other:
            other.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            answer = b""
            while part := other.recv(65536):
                answer += part
        self.assertTrue(answer.startswith(b"HTTP/1.0 200") or answer.startswith(b"HTTP/1.1 200"))
        descriptors = os.listdir(f"/proc/{exporter.process.pid}/fd")
        self.assertLess(len(descriptors), 64 + 20)
        self.assertLess(exporter.resident() - before, 32 << 20)
        for client in idle:
            client.close()
        wait_until(exporter.answers, "an answer again")
        self.assertEqual(exporter.stop(), 0)

    def test_dribble(self):
        """A request that never ends is ended."""
        exporter = self.export()
        with exporter.connect() as client:
            began = 0
            try:
                client.send(b"GET /metrics HTTP/1.1\r\n")
                client.settimeout(0.5)
                while began < 200:
                    client.send(b"a")
                    began += 1
                    try:
                        if not client.recv(1000):
                            break
                    except TimeoutError:
                        pass
            except OSError:
                pass
            self.assertLess(began, 200)
        self.assertEqual(exporter.get("/-/healthy").status, 200)


class Page(ExporterTestCase):
    def test_page(self):
        """In a real browser: it moves under traffic, needs nothing from elsewhere, and fits."""
        exporter = self.export()
        page = exporter.get("/")
        self.assertRegex(page.headers["Content-Security-Policy"], "^default-src 'none'; ")
        self.assertNotIn("unsafe", page.headers["Content-Security-Policy"])
        with self.lab.socket("c4", socket.AF_INET, socket.SOCK_RAW, 2) as igmp:
            igmp.sendto(bytes(8), (V1, 0))
        artefacts = os.path.join(os.path.dirname(os.path.dirname(daemon_path())), "exporter-page")
        os.makedirs(artefacts, exist_ok=True)
        probe = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page_probe.py")
        with udp_echo_server(self.lab, "s1", S1) as port:
            stream = UdpStream(self.lab, "c4", V1, port, 100, growth=20)
            try:
                seen = json.loads(self.lab.check("gw", sys.executable, probe,
                                                 f"http://127.0.0.1:{PORT}/", artefacts,
                                                 timeout=180).splitlines()[-1])
            finally:
                stream.finish()
        self.assertEqual(seen["state"], "Ready")
        self.assertGreater(len(seen["rates"]), 1, seen)
        self.assertTrue(any("bit/s" in rate for rate in seen["rates"]), seen)
        self.assertRegex(seen["curve"], "L")
        self.assertIn(V1, seen["mappings"])
        self.assertIn('w"w\\w', seen["mappings"])
        self.assertIn("acme", seen["tenants"])
        self.assertIn("igmp", seen["reasons"])
        self.assertEqual(seen["console"], [])
        self.assertEqual({tuple(u.split("/")[:3]) for u in seen["urls"]},
                         {("http:", "", f"127.0.0.1:{PORT}")}, seen["urls"])
        self.assertEqual([w for w, scroll in seen["widths"] if scroll > w], [], seen["widths"])
        self.assertNotEqual(seen["backgrounds"][0], seen["backgrounds"][1])
        self.assertTrue(os.path.getsize(os.path.join(artefacts, "phone-dark.png")) > 1000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
