# SPDX-License-Identifier: BSD-2-Clause
"""Hostile traffic at the edge: every packet is in exactly one counter under the right name, errors
are few, memory and log stay as they are, and a good TCP flow beside each flood arrives whole.

Each flood goes twice: alone, to be counted, and then beside the good flow for as long as that
takes. Rates are printed, never judged."""

import collections
import signal
import time
import unittest

from scapy.layers.inet import ICMP, IP, UDP

import flood_cases
from flood_lab import (DIRECTIONS, INSIDE, LEAST, MAY_GROW, PATIENCE, RATE, V4, V6, FloodTestCase)
from lab import C4, OWN4, V1, keeps_freed_memory
from netns import Sniffer, wait_until

RANDOM_PACKETS = 1_000_000
RANDOM_BYTES = 200_000
SEED = 0x46
ALONE = 4000  # packets of a flood without a good flow, or a few less


class Expected:
    """What a number of turns of a flood must have left in the counters."""

    def __init__(self, cases, sent):
        self.received, self.forwarded, self.pieces = (collections.Counter() for _ in range(3))
        self.reasons, self.errors = collections.Counter(), collections.Counter()
        self.bytes = 0
        for number, case in enumerate(cases):
            times = sent // len(cases) + (number < sent % len(cases))
            self.received[case.direction] += times
            self.bytes += times * len(case.packet)
            if case.reason:
                self.reasons[case.direction, case.reason] += times
            else:
                self.forwarded[case.direction] += times
                self.pieces[case.direction] += times * case.pieces * (case.pieces > 1)
            if case.error:
                self.errors[case.direction, case.error] += times


def grown(before, after, *keys):
    """Entries of counters, by direction and name, that have grown."""
    found = collections.Counter()
    for direction in DIRECTIONS:
        for key in keys:
            for name, value in after.daemon[direction][key].items():
                found[direction, name] += value - before.daemon[direction][key].get(name, 0)
    return +found


class Malice(FloodTestCase):
    def check(self, title, cases, before, after, sent, is_alone):
        expected = Expected(cases, sent)
        lost = after.lost - before.lost

        def counted(what, actual, exact):
            """Exactly, unless the kernel has lost some on the way."""
            self.assertLessEqual(actual, exact, f"{title}: {what}")
            self.assertGreaterEqual(actual, exact - lost, f"{title}: {what}, {lost} lost")
        reasons = grown(before, after, "rejected", "dropped")
        self.assertLessEqual(set(reasons), set(expected.reasons), f"{title}: {reasons}")
        for name, exact in expected.reasons.items():
            counted(name, reasons[name], exact)
        errors = grown(before, after, "errors_sent", "errors_suppressed")
        self.assertLessEqual(set(errors), set(expected.errors), f"{title}: {errors}")
        for name, exact in expected.errors.items():
            counted(name, errors[name], exact)
        for direction in DIRECTIONS:
            for key in ("received", "forwarded", "pieces"):
                actual = after.daemon[direction][key] - before.daemon[direction][key]
                exact = getattr(expected, key)[direction]
                if is_alone:
                    self.assertEqual(actual, exact, f"{title}: {direction} {key}")
                else:
                    self.assertGreaterEqual(actual, exact - (2 if key == "pieces" else 1) * lost,
                                            f"{title}: {direction} {key}")
        self.check_errors(title, before, after)
        self.assertLessEqual(after.reply_bytes() - before.reply_bytes(), expected.bytes, title)
        return lost

    def check_errors(self, title, before, after):
        """The buckets of each kind and family were full at most, and have been filled since."""
        allowed = RATE["burst"] + RATE["per_second"] * (after.time - before.time) + 1
        sent = grown(before, after, "errors_sent")
        for name, count in sent.items():
            self.assertLessEqual(count, allowed, f"{title}: {name}")

    def check_surroundings(self, title, before, after):
        self.assertIsNone(self.daemon.process.poll())
        if not keeps_freed_memory(self.daemon):
            self.assertLessEqual(after.resident - before.resident, MAY_GROW, f"{title}: VmRSS")
        found = {("IPv4" if direction == "v4_to_v6" else "IPv6", reason)
                 for direction, reason in grown(before, after, "rejected", "dropped")}
        wait_until(lambda: found <= set(self.assert_log_is_bounded()),  # written once a second
                   f"{title}: a line of the log for each of {found}")

    def flood(self, title, cases):
        start = self.books()
        with self.long_queue():
            alone = self.replay(cases, ALONE // len(cases) * len(cases)).finish()
            middle = self.books()
        self.assertEqual(self.check(title, cases, start, middle, alone, is_alone=True), 0)

        sending = self.replay(cases, LEAST, PATIENCE)
        rate = self.transfer_in_both_directions()
        sent = sending.finish()
        end = self.books()
        self.check(title, cases, middle, end, sent, is_alone=False)
        self.check_surroundings(title, middle, end)
        self.report(title, middle, end, sent, sending.seconds, rate)

    def report(self, title, before, after, sent, seconds, rate):
        cpu = after.cpu - before.cpu
        received = after.total("received") - before.total("received")
        print(f"{title}: {sent} packets, {sent / seconds / 1000:.0f} k/s, the kernel has lost "
              f"{after.lost - before.lost}; the daemon used {cpu:.2f} s of CPU in {seconds:.2f} s, "
              f"{1e6 * cpu / received:.2f} us per packet; good flow {rate:.0f} Mbit/s, "
              f"{100 * rate / self.quiet_rate:.0f} % of {self.quiet_rate:.0f} alone", flush=True)

    def test_ttl_one(self):
        """SEC-08, G4-09, G6-07"""
        self.flood("TTL and hop limit 1", flood_cases.ttl_one())

    def test_ttl_one_from_one_source(self):
        """G4-09: others still hear of theirs."""
        hosts = [C4] + [f"198.51.100.{n}" for n in (11, 12, 13)]
        self.lab.ip("c4", *(f"addr add {host}/24 dev eth0" for host in hosts[1:]))
        before = self.books()
        with self.long_queue(), Sniffer(self.lab, "c4", "eth0") as sniffer:
            sending = self.replay([flood_cases.ttl_one()[0]], LEAST, 10)
            for _ in range(5):
                for host in hosts:  # r4 and the kernel of the gateway take one hop each
                    self.lab.send_ip("c4", IP(src=host, dst=V1, ttl=3) / UDP(sport=9, dport=9))
                time.sleep(0.1)
            self.assertIsNone(sending.process.poll())
            sending.finish()
            after = self.books()
            answers = sniffer.packets(lambda p: ICMP in p and p[ICMP].type == 11 and p.src == OWN4)
        # Each probe is within its sender's share. Without shares one in six has been answered; one
        # host may share a bucket with the flood by chance, and a probe may be lost.
        print(f"beside a flood from one source: {len(answers)} of 20 honest probes answered")
        self.assertGreaterEqual(len(answers), 12)
        self.check_errors("one source", before, after)
        self.check_surroundings("one source", before, after)

    def test_forged_errors(self):
        """I46-11, I64-07"""
        self.flood("forged ICMP errors", flood_cases.forged_errors())

    def test_fragments(self):
        """F46-14, F46-15, F64-09, F64-10"""
        self.flood("fragments", flood_cases.fragments())

    def test_header_chains(self):
        """T64-12, F64-02"""
        self.flood("header chains", flood_cases.header_chains())

    def test_special_purpose(self):
        """SPA-01, SPA-04, SPA-07"""
        self.flood("special-purpose blocks", flood_cases.special_purpose())

    def test_spoofed(self):
        """SEC-04, SEC-05, T64-21, T64-24"""
        self.flood("spoofed sources", flood_cases.spoofed())

    def test_random_packets(self):
        """Half a million by each cable; the seeds make them the same every time."""
        self.flood_at_random("random packets", ((V4, "v4"), (V6, "v6")), RANDOM_PACKETS // 2)

    def test_random_bytes(self):
        """Rubbish that no kernel forwards, straight into the TUN."""
        before, after = self.flood_at_random("random bytes", ((INSIDE, "bytes"),), RANDOM_BYTES)
        reasons = grown(before, after, "rejected", "dropped")
        self.assertGreaterEqual(reasons["v4_to_v6", "malformed4"]
                                + reasons["v6_to_v4", "malformed6"],
                                RANDOM_BYTES * 9 // 10 - (after.lost - before.lost))

    def flood_at_random(self, title, kinds, count):
        """Returns the books before and after."""
        title += ", seed " + " and ".join(str(SEED + way) for way, _ in kinds)

        def send(number):
            return [self.send_random(way, kind, number, SEED + way) for way, kind in kinds]
        start = self.books()
        with self.long_queue(), self.returned_errors() as returned:
            alone = sum(sending.finish() for sending in send(ALONE))
            before = self.books()
        self.assertEqual(before.lost, start.lost)
        self.assertEqual(before.total("received") - start.total("received"),
                         alone + len(returned))
        self.assertLessEqual(len(returned), before.errors_sent() - start.errors_sent())

        with self.long_queue():  # so that all of them reach the translator
            sendings = send(count)
            rate = self.transfer_in_both_directions()
            sent = sum(sending.finish() for sending in sendings)
            after = self.books()
        self.assertGreaterEqual(after.total("received") - before.total("received"),
                                sent - (after.lost - before.lost))
        self.check_errors(title, before, after)
        self.check_surroundings(title, before, after)
        self.report(title, before, after, sent, max(s.seconds for s in sendings), rate)
        for direction in DIRECTIONS:
            found = {name: number for (d, name), number in
                     sorted(grown(before, after, "rejected", "dropped").items()) if d == direction}
            print(f"  {direction}: {found}")
        return before, after


class Stop(FloodTestCase):
    def test_stop_in_a_flood(self):
        """The last lines have all counters, and the flood does not keep the daemon alive."""
        self.books()
        sending = self.replay(flood_cases.ttl_one(), LEAST, PATIENCE)
        self.transfer_in_both_directions()
        self.assertEqual(self.daemon.stop(signal.SIGTERM), 0)
        sending.finish()
        self.assertIn("counters:", self.daemon.log().splitlines()[-2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
