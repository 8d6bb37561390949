#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests of the comparison. `Numbers` needs nothing; `Helper` and `Smoke` need root; `Smoke` runs it
all once, as short as can be, and judges no speed."""

import ipaddress
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tests" / "integration"))

import bars  # noqa: E402
import udp  # noqa: E402
import workloads  # noqa: E402
from netns import LabError, Net, Sniffer  # noqa: E402
from pairs import pair_list  # noqa: E402
from summary import Results  # noqa: E402


class Path:
    """A path that carries `capacity` and a sender that reaches `limit` (`paced`: if it has to keep
    to a rate); every `hiccup`-th trial loses one."""

    def __init__(self, capacity, limit, paced=None, hiccup=None):
        self.capacity, self.limit, self.paced = capacity, limit, paced or limit
        self.hiccup, self.trials = hiccup, 0

    def __call__(self, rate):
        self.trials += 1
        sent = min(rate, self.paced) if rate else self.limit
        lost = max(0, sent - self.capacity)
        if self.hiccup and self.trials % self.hiccup == 0:
            lost += 1
        return {"send_rate": sent, "lost": lost}


class Numbers(unittest.TestCase):
    def test_bisection_finds_the_capacity(self):
        for capacity in (30_000, 400_000, 990_000):
            for hiccup in (None, 2):
                found = udp.highest_lossless(Path(capacity, 1_000_000, hiccup=hiccup))
                self.assertLessEqual(found["send_rate"], capacity)
                self.assertGreater(found["send_rate"], capacity * 0.9 - 10_000)
                self.assertFalse(found["at_least"])

    def test_a_sender_that_is_the_limit_is_reported(self):
        found = udp.highest_lossless(Path(2_000_000, 1_000_000))
        self.assertEqual((found["send_rate"], found["at_least"]), (1_000_000, True))
        # Only as fast as it goes it is faster than the path.
        found = udp.highest_lossless(Path(800_000, 1_000_000, paced=500_000))
        self.assertEqual((found["send_rate"], found["at_least"]), (500_000, True))

    def test_a_path_that_always_loses_is_an_error(self):
        with self.assertRaises(LabError):
            udp.highest_lossless(Path(0, 1_000_000))

    def test_percentiles_and_ping(self):
        values = list(range(1, 501))
        self.assertEqual([workloads.percentile(values, p) for p in (1, 50, 99, 99.9, 100)],
                         [5, 250, 495, 500, 500])
        self.assertEqual(workloads.percentile([7], 1), 7)
        text = ("64 bytes from 192.0.2.1: icmp_seq=1 ttl=61 time=0.042 ms\n"
                "64 bytes from 192.0.2.1: icmp_seq=2 ttl=61 time=1.13 ms\n"
                "2 packets transmitted, 2 received, 0% packet loss, time 5ms\n")
        self.assertEqual(workloads.parse_ping(text), [42.0, 1130.0])

    def test_ratios_are_those_of_one_round(self):
        def sample(number, translator, value, **more):
            return {"round": number, "links": "on", "workload": "tcp1_46",
                    "translator": translator, "value": value, **more}
        raw = {"translators": [{"name": n, "label": n} for n in ("ipv6", "fast")],
               "workloads": [{"name": "tcp1_46"}], "options": {"links": ["on"]},
               "samples": [sample(0, "ipv6", 10), sample(0, "fast", 9, at_least=True),
                           sample(1, "ipv6", 20), sample(1, "fast", 19, at_least=False),
                           sample(2, "ipv6", 10), sample(2, "fast", 12, at_least=True),
                           {**sample(3, "fast", 1), "value": None, "error": "no"}]}
        results = Results(raw)
        self.assertEqual(results.ratio_by_round("on", "tcp1_46", "fast"), 0.95)
        self.assertEqual(results.ratio("on", "tcp1_46", "fast"), 1.2)
        self.assertTrue(results.at_least("on", "tcp1_46", "fast"))
        verdicts = {text: verdict for text, _limit, _links, _value, verdict in bars.judge(results)}
        self.assertEqual(verdicts["fast path, TCP 1 stream(s) 4 to 6, of plain IPv6"], "met")
        self.assertEqual(verdicts["fast path, TCP 1 stream(s) 6 to 4, of plain IPv6"],
                         "not measured")
        for s in raw["samples"]:
            if s["translator"] == "fast" and s["value"]:
                s["value"] = 9.4
        verdicts = {text: verdict for text, _limit, _links, _value, verdict in bars.judge(results)}
        self.assertEqual(verdicts["fast path, TCP 1 stream(s) 4 to 6, of plain IPv6"], "NOT met")

    def test_pairs_are_one_to_one(self):
        for count in (30, 1000):
            made = pair_list(count)
            self.assertEqual(made[1][0], "10.64.0.1")
            self.assertEqual([len(set(side)) for side in zip(*made)], [count, count])


SHORT = ("--seconds", "0.05")


class Helper(unittest.TestCase):
    """The UDP sender and receiver, on the loopback device of a namespace."""

    def setUp(self):
        self.net = Net("a")
        self.addCleanup(self.net.close)

    def send(self, *options):
        target = () if "--to" in options else ("--to", "127.0.0.1")
        return json.loads(self.net.check("a", udp.helper(), "send", "--port", "9", *target,
                                         *options))["sent"]

    def received(self, options, *sendings):
        receiver = self.net.start("a", udp.helper(), "receive", "--port", "9", "--tag", "7",
                                  *options, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True)
        self.assertEqual(receiver.stdout.readline(), "ready\n")
        sent = [self.send(*words) for words in sendings]
        out, _ = receiver.communicate()
        self.assertEqual(receiver.returncode, 0)
        return sent, json.loads(out)

    def test_all_of_a_run_is_counted_and_nothing_else(self):
        sent, found = self.received([], ["--tag", "8", "--rate", "1000", *SHORT],
                                    ["--tag", "7", "--rate", "1000", *SHORT])
        self.assertGreater(min(sent), 0)
        self.assertEqual((found["received"], found["damaged"]), (sent[1], 0))

    def test_other_lengths_are_damage(self):
        sent, found = self.received([], ["--tag", "7", "--rate", "1000", "--size", "65", *SHORT])
        self.assertEqual((found["received"], found["damaged"]), (0, sent[0]))

    def test_bursts(self):
        for merged in ([], ["--merged"]):
            sent, found = self.received(
                ["--size", "1000", *merged],
                ["--tag", "7", "--size", "1000", "--segments", "40", "--rate", "40000", *SHORT])
            self.assertEqual(sent[0] % 40, 0)
            self.assertGreater(sent[0], 0)
            self.assertEqual((found["received"], found["damaged"]), (sent[0], 0))

    def test_many_targets_and_sources(self):
        self.net.ip("a", "route add local 10.0.0.0/22 dev lo",
                    "route add local 2001:db8::/118 dev lo")
        for family, options, field, first in (
                (["--size", "64"], ["--to", "10.0.0.1", "--targets", "1000"], "dst", "10.0.0.1"),
                (["--ipv6"], ["--to", "::1", "--from", "2001:db8::1", "--sources", "1000"], "src",
                 "2001:db8::1")):
            with Sniffer(self.net, "a", "lo") as sniffer:
                sent, found = self.received(family, ["--tag", "7", "--rate", "10000", *options,
                                                     *SHORT])
                packets = sniffer.wait_for(lambda p: p.haslayer("UDP"), "datagrams", sent[0])
            self.assertEqual(found["received"], sent[0])
            offsets = {int(ipaddress.ip_address(getattr(p, field)))
                       - int(ipaddress.ip_address(first)) for p in packets}
            self.assertTrue(offsets <= set(range(1000)), offsets)
            self.assertGreater(len(offsets), len(packets) / 2)

    def test_a_rate_is_kept(self):
        sent, _found = self.received([], ["--tag", "7", "--rate", "2000", "--seconds", "0.5"])
        self.assertLessEqual(sent[0], 1000)
        self.assertGreater(sent[0], 0)

    def test_usage(self):
        for words in (["send", "--port", "9"], ["frobnicate", "--port", "9", "--tag", "1"],
                      ["send", "--port", "9", "--tag", "1", "--to", "nowhere"],
                      ["send", "--port", "9", "--tag", "1", "--to", "::1", "--size", "7"],
                      ["receive", "--port", "99999", "--tag", "1"], ["receive"]):
            done = self.net.run("a", udp.helper(), *words)
            self.assertEqual(done.returncode, 64, (words, done.stderr))
            self.assertTrue(done.stderr.startswith("udp_load: "))


class Smoke(unittest.TestCase):
    def run_comparison(self, *options):
        directory = tempfile.TemporaryDirectory(prefix="xlat646-comparison-test-")
        self.addCleanup(directory.cleanup)
        path = pathlib.Path(directory.name)
        subprocess.run([sys.executable, str(HERE / "compare.py"), "--smoke", "--output",
                        directory.name, *options], check=True)
        results = json.loads((path / "results.json").read_text(encoding="utf-8"))
        self.assertLessEqual(set(results["absent"]), {"jool"})
        for s in results["samples"]:
            self.assertNotIn("error", s)
            self.assertGreater(s["value"], 0, s)
        return path, results, (path / "report.md").read_text(encoding="utf-8")

    def test_every_cell_has_a_value(self):
        path, results, report = self.run_comparison()
        names = {t["name"] for t in results["translators"]}
        self.assertLessEqual({"ipv6", "ipv4", "fast", "tun", "tun-plain", "tun-busy", "tayga"},
                             names)
        expected = {(w.name, t) for w in workloads.WORKLOADS for t in names
                    if t != "tun-busy" or w.name.startswith("ping")}
        self.assertEqual({(s["workload"], s["translator"]) for s in results["samples"]}, expected)
        self.assertEqual(len(results["samples"]), len(expected))
        for word in [t["label"] for t in results["translators"]] + [
                w["title"] for w in results["workloads"]]:
            self.assertIn(word, report)
        for name in ("delay", "tcp", "tcp-cpu", "udp", "quic", "http"):
            self.assertIn(f"]({name}-on.svg)", report)
            self.assertIn(b"<svg", (path / f"{name}-on.svg").read_bytes())
            self.assertTrue((path / f"{name}-on.png").read_bytes().startswith(b"\x89PNG"))
        # Of all bars, only those of many pairs need an option.
        self.assertEqual(report.count("not measured |"), 8)

    def test_other_links_and_many_pairs(self):
        _path, results, report = self.run_comparison(
            "--links", "nic,off", "--only", "ping_idle,tcp1_46,udp64_64", "--pairs",
            "--translators", "fast,tun")
        self.assertEqual({(s["links"], s["workload"], s["translator"])
                          for s in results["samples"]},
                         {(links, w, t) for links in ("nic", "off")
                          for w in ("ping_idle", "tcp1_46", "udp64_64")
                          for t in ("ipv6", "fast", "tun")})
        self.assertEqual(sorted((s["path"], s["pairs"], s["direction"])
                                for s in results["pairs"]["samples"] if s["value"] > 0),
                         [(p, n, d) for p in ("fast", "tun") for n in (30, 1000)
                          for d in ("46", "64")])
        self.assertIn("1,000 pairs", report)
        self.assertEqual(len(results["pairs"]["reload"]), 2)
        for row in results["pairs"]["reload"]:
            self.assertGreater(row["sent"], 0)


if __name__ == "__main__":
    unittest.main()
