#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures translators between IPv4 and IPv6 beside plain forwarding, and writes a report.

Rounds are outermost: all that is compared with one another is measured within a few seconds, in an
order that changes from round to round. Needs root; XLAT646D may name the daemon."""

import argparse
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "integration"))
os.environ.setdefault("XLAT646D", str(ROOT / "build" / "bin" / "xlat646d"))

import machine  # noqa: E402
import pairs  # noqa: E402
import report  # noqa: E402
import translators  # noqa: E402
from netns import LabError, need_tools  # noqa: E402
from testbed import LINKS, CpuClock, Testbed  # noqa: E402
from workloads import WORKLOADS, Seconds  # noqa: E402

NORMAL = Seconds(tcp=3, udp_trial=0.5, http=3, echoes=500)
QUICK = Seconds(tcp=1, udp_trial=0.3, http=1, echoes=500)
SMOKE = Seconds(tcp=1, udp_trial=0.05, http=1, echoes=20)
# What a broken path, translator or tool can lead to; the other cells are measured all the same.
FAILURES = (LabError, OSError, subprocess.SubprocessError, ValueError, KeyError)


def parse_options():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, help="default 5; with --quick 3")
    options.add_argument("--quick", action="store_true",
                         help="links as they come only, shorter runs")
    options.add_argument("--smoke", action="store_true",
                         help="as short as can be: does everything work? The numbers mean nothing")
    options.add_argument("--links", type=names_of(LINKS), help="default on,nic,off")
    options.add_argument("--only", type=names_of([w.name for w in WORKLOADS]),
                         metavar="WORKLOAD,...", help=", ".join(w.name for w in WORKLOADS))
    cases = [t.name for t in translators.load_all()]
    options.add_argument("--translators", type=names_of(cases), metavar="NAME,...",
                         help=", ".join(cases) + "; plain IPv6 is always there")
    options.add_argument("--pairs", action="store_true",
                         help="also 1,000,000 pairs against 30: throughput, load, reload")
    options.add_argument("--pairs-only", action="store_true", help="nothing but that")
    options.add_argument("--output", type=pathlib.Path, default="nat64-comparison-report",
                         help="directory of the report; default ./%(default)s")
    options.add_argument("--report", action="store_true",
                         help="measure nothing, write the report of --output again")
    chosen = options.parse_args()
    if chosen.rounds is None:
        chosen.rounds = 1 if chosen.smoke else 3 if chosen.quick else 5
    if chosen.links is None:
        chosen.links = ["on"] if chosen.quick or chosen.smoke else list(LINKS)
    chosen.seconds = SMOKE if chosen.smoke else QUICK if chosen.quick else NORMAL
    return chosen


def names_of(known):
    def parse(text):
        given = text.split(",")
        unknown = set(given) - set(known)
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
        return [name for name in known if name in given]
    return parse


def measure(bed, workload, case, seconds):
    clock = CpuClock()
    try:
        case.start(bed)
        try:
            bed.await_path(case)
            found = workload.run(bed, case, seconds)
        finally:
            case.stop(bed)
    except FAILURES as error:
        found = {"error": f"{type(error).__name__}: {error}"}
    return {**found, "stolen_s": clock.stolen()}


def measure_round(number, chosen, workloads, cases, samples):
    for links in chosen.links:
        bed = Testbed(links)
        for turn, workload in enumerate(workloads):
            able = [c for c in cases if c.only is None or workload.name in c.only]
            first = (number + turn) % len(able)
            for case in able[first:] + able[:first]:
                found = measure(bed, workload, case, chosen.seconds)
                samples.append({"round": number, "links": links, "workload": workload.name,
                                "translator": case.name, **found})
                say(f"{links:4}{workload.name:15} {case.label:25} "
                    + found.get("error", f"{found.get('value', 0):.3f} {workload.unit}"))
                if "error" in found:  # what is left of it must not disturb the others
                    bed.close()
                    bed = Testbed(links)
        bed.close()


def say(text):
    print(text.rstrip().replace("\n", " | ")[:300], file=sys.stderr, flush=True)


def main():
    chosen = parse_options()
    file = chosen.output / "results.json"
    if chosen.report:
        report.write(json.loads(file.read_text(encoding="utf-8")), chosen.output)
        return
    need_tools("iperf3", "wrk", "nginx", "ping", "ss", "taskset", "ethtool")
    chosen.output.mkdir(parents=True, exist_ok=True)

    wanted = [c for c in translators.load_all()
              if chosen.translators is None or c.name in chosen.translators + ["ipv6"]]
    absent = {c.name: {"label": c.label, "why": why} for c in wanted if (why := c.missing())}
    cases = [c for c in wanted if c.name not in absent]
    workloads = [w for w in WORKLOADS if chosen.only is None or w.name in chosen.only]
    results = {
        "machine": machine.describe(),
        "options": {"rounds": chosen.rounds, "links": chosen.links, "smoke": chosen.smoke,
                    "seconds": vars(chosen.seconds)},
        "translators": [{"name": c.name, "label": c.label, "version": c.version()}
                        for c in cases],
        "absent": absent,
        "workloads": [{"name": w.name, "title": w.title, "unit": w.unit,
                       "lower_is_better": w.lower_is_better} for w in workloads],
        "samples": [],
    }

    def save():
        file.write_text(json.dumps(results, indent=1), encoding="utf-8")

    for number in range(0 if chosen.pairs_only else chosen.rounds):
        say(f"round {number + 1} of {chosen.rounds}")
        measure_round(number, chosen, workloads, cases, results["samples"])
        save()
    if chosen.pairs or chosen.pairs_only:
        try:
            results["pairs"] = pairs.measure(chosen.rounds, chosen.seconds, say,
                                             1000 if chosen.smoke else pairs.MANY)
        except FAILURES as error:
            results["pairs_error"] = f"{type(error).__name__}: {error}"
            say(results["pairs_error"])
    save()
    report.write(results, chosen.output)
    say(f"the report is {chosen.output}/report.md")


if __name__ == "__main__":
    main()
