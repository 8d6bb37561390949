#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Feeds generated packets to the translator and to the model, and compares what comes out."""
import argparse
import collections
import json
import multiprocessing
import pathlib
import re
import secrets
import struct
import subprocess
import sys
import time

import model
from arith import NO_OFFLOAD, Result
from cast import CASTS, TEXTS
from compare import SEGMENTS_SHOWN, Sent, disagreement
from generate import Generator
from seeds import golden_cases

HERE = pathlib.Path(__file__).resolve().parent
OUTCOME = HERE / "../../translator/siit/outcome.hpp"
REASONS = re.findall(r"^    X\((\w+),", OUTCOME.read_text(), re.M)
VERDICTS = ("forward", "reply", "drop")
BATCH = 1000
HEADER = struct.Struct("=IBBHHHHI")
OFFLOAD = struct.Struct("=BBHHHHI")
FASTPATH = struct.Struct("=BI")
KINDS = [f"taken, {p} {d}" for p in ("tcp", "udp", "echo") for d in ("v4_to_v6", "v6_to_v4")]
Fastpath = collections.namedtuple("Fastpath", "is_wrong text")


class Translator:
    """The driver program."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.send(json.dumps(TEXTS).encode())

    def send(self, block):
        self.process.stdin.write(struct.pack("=I", len(block)) + block)
        self.process.stdin.flush()

    def run(self, cases):
        """Per case: whether it was segmented first, the Results, and what the fast path did."""
        parts = []
        for number, offload, packet in cases:
            parts += (HEADER.pack(number, *offload, len(packet)), packet)
        self.send(b"".join(parts))
        head = self.process.stdout.read(4)
        if len(head) < 4:
            raise RuntimeError(f"the driver died: {self.process.wait()}")
        data = self.process.stdout.read(struct.unpack("=I", head)[0])
        at, out = 0, []
        for _ in cases:
            segmented, count = struct.unpack_from("=BH", data, at)
            at += 3
            results = []
            for _ in range(count):
                verdict, reason, packets = data[at : at + 3]
                at += 3
                outs = []
                for _ in range(packets):
                    *offload, size = OFFLOAD.unpack_from(data, at)
                    at += OFFLOAD.size
                    packet = data[at : at + size]
                    (cut,) = struct.unpack_from("=H", data, at + size)
                    at += size + 2
                    segments = []
                    for _ in range(min(cut, SEGMENTS_SHOWN)):
                        (size,) = struct.unpack_from("=I", data, at)
                        segments.append(data[at + 4 : at + 4 + size])
                        at += 4 + size
                    outs.append(Sent(packet, tuple(offload), cut, segments))
                name = None if reason == 255 else REASONS[reason]
                results.append(Result(VERDICTS[verdict], name, outs))
            is_wrong, size = FASTPATH.unpack_from(data, at)
            at += FASTPATH.size + size
            fastpath = Fastpath(bool(is_wrong), data[at - size : at].decode())
            out.append((bool(segmented), results, fastpath))
        assert at == len(data)
        return out

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def compare_case(case, answer):
    number, offload, packet = case
    segmented, results, fastpath = answer
    wrong, outcome, reason = disagreement(
        CASTS[number].config, packet, offload, segmented, results
    )
    if wrong is None and fastpath.is_wrong:
        wrong = "the fast path"
    return wrong, outcome, reason


def shrink(translator, case, wrong):
    """The case with as much as possible taken away that still shows the same."""
    number, offload, packet = case

    def fails(candidate):
        return compare_case(candidate, translator.run([candidate])[0])[0] == wrong

    if offload != NO_OFFLOAD and fails((number, NO_OFFLOAD, packet)):
        offload = NO_OFFLOAD
    for other in range(len(CASTS)):
        if other != number and fails((other, offload, packet)):
            number = other
            break
    at = len(packet)
    step = max(1, at // 2)
    while step:
        shorter = packet[: len(packet) - step]
        if len(shorter) > 20 and fails((number, offload, shorter)):
            packet = shorter
        else:
            step //= 2
    for at in range(min(len(packet), 200)):
        zero = packet[:at] + b"\0" + packet[at + 1 :]
        if packet[at] and fails((number, offload, zero)):
            packet = zero
    return number, offload, packet


def show(result):
    packets = [f"\n      {o.data.hex()} {o.offload}" for o in result.packets]
    return f"{result.outcome} {result.reason}{''.join(packets)}"


def report(translator, case, wrong):
    """A disagreement as the beginnings of a golden row, with both results."""
    number, offload, packet = small = shrink(translator, case, wrong)
    segmented, results, fastpath = translator.run([small])[0]
    lines = [f"DISAGREEMENT: {wrong}", f"  config {json.dumps(TEXTS[number])}"]
    names = ("flags", "gso_type", "hdr_len", "gso_size", "csum_start", "csum_offset")
    row = {"in": packet.hex(), "offload": dict(zip(names, offload))}
    lines.append(f"  {json.dumps(row)}")
    lines.append(f"  translator (segmented {segmented}):")
    lines += [f"    {show(r)}" for r in results[:3]]
    lines.append("  model:")
    try:
        lines.append(f"    {show(model.translate(CASTS[number].config, packet, offload))}")
    except Exception as error:  # shown, whatever it is
        lines.append(f"    {error!r}")
    if fastpath.text:
        lines.append(f"  fast path: {fastpath.text}")
    return "\n".join(lines)


def work(arguments):
    """One worker's share: batches `first`, `first` + `step`, ..."""
    driver, seed, packets, first, step, stop = arguments
    translator = Translator(driver)
    golden = golden_cases()
    totals, kinds, problems = collections.Counter(), collections.Counter(), {}
    fast = collections.Counter()
    for batch in range(first, -(-packets // BATCH), step):
        generator = Generator(f"{seed}/{batch}", golden)
        cases = [generator.case() for _ in range(min(BATCH, packets - batch * BATCH))]
        for case, answer in zip(cases, translator.run(cases)):
            wrong, outcome, reason = compare_case(case, answer)
            totals[outcome, reason] += 1
            fast[answer[2].text.partition("\n")[0]] += 1
            if wrong is None:
                continue
            totals["disagreements"] += 1
            kinds[wrong] += 1
            if wrong not in problems and len(problems) < stop:
                problems[wrong] = report(translator, case, wrong)
    translator.close()
    return totals, kinds, fast, list(problems.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--driver", required=True, help="the program xlat646_model_driver")
    parser.add_argument("--packets", type=int, default=200000)
    parser.add_argument("--seed", help="default: a random one, which is printed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--show", type=int, default=10, help="disagreements shown per job")
    parser.add_argument(
        "--require-all-reasons", action="store_true", help="fail if a drop reason is never reached"
    )
    parser.add_argument(
        "--require-fastpath",
        action="store_true",
        help="fail if the driver has none, or if a kind of packet never took it",
    )
    options = parser.parse_args()
    seed = options.seed or secrets.token_hex(8)
    print(f"{options.packets} packets, --seed {seed}", flush=True)
    begin = time.monotonic()
    shares = [
        (options.driver, seed, options.packets, n, options.jobs, options.show)
        for n in range(options.jobs)
    ]
    totals, kinds, fast = collections.Counter(), collections.Counter(), collections.Counter()
    with multiprocessing.Pool(options.jobs) as pool:
        for part, some, by_fastpath, problems in pool.imap_unordered(work, shares):
            totals.update(part)
            kinds.update(some)
            fast.update(by_fastpath)
            for problem in problems:
                print(problem)
    seconds = time.monotonic() - begin
    bad = totals.pop("disagreements", 0)
    for wrong, count in kinds.most_common():
        print(f"{count:10} times: {wrong}")
    for (outcome, reason), count in sorted(totals.items(), key=str):
        print(f"{count:10} {outcome} {reason or ''}")
    fast.pop("", None)
    for text, count in sorted(fast.items()):
        print(f"{count:10} fast path: {text}")
    missing = [r for r in REASONS if not any(reason == r for _, reason in totals)]
    done = sum(totals.values())
    print(f"{done} packets, {done / seconds:.0f} per second, {bad} disagreements")
    if missing:
        print(f"reasons that no packet reached: {', '.join(missing)}")
    untaken = [kind for kind in KINDS if not fast[kind]] if options.require_fastpath else []
    if untaken:
        print(f"no such packet by the fast path: {'; '.join(untaken)}")
    is_short = done != options.packets or missing and options.require_all_reasons
    return 1 if bad or is_short or untaken else 0


if __name__ == "__main__":
    sys.exit(main())
