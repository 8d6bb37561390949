# SPDX-License-Identifier: BSD-2-Clause
"""What users of the servers notice when something happens to a translator: the longest gap in UDP
streams of 1000 datagrams per second and in TCP bulk streams, datagrams lost, and how many of 100
open connections break. Writes report.md and raw.jsonl."""

import argparse
import json
import pathlib
import sys
import time

import report
from events import EVENTS
from load import Load
from topology import VARIANTS, Topology

BEFORE, AFTER = 1.0, 2.0  # seconds watched before an event and after the core has settled


def measure(net, event):
    """What happened during the event and, if it has one, during the recovery."""
    load = Load(net, ("tokyo", "osaka"))
    time.sleep(BEFORE)
    marks = [load.now()]
    event.strike(net)
    time.sleep(AFTER)
    marks.append(load.now())
    tables = {", ".join(names): digest[:16] for digest, names in net.digests().items()}
    if event.recover:
        event.recover(net)
        time.sleep(AFTER)
        marks.append(load.now())
    chats = load.finish()["chats"]
    windows = [load.window(*marks[n:n + 2]) for n in range(len(marks) - 1)]
    common = {"connections": chats["connections"], "messages": chats["messages"],
              "broken": load.broken(), "tables": tables if len(tables) > 1 else {}}
    names = [event.name, event.back or f"back: {event.name}"]
    return [{"name": name, "window": window, **common} for name, window in zip(names, windows)]


def run(options, raw):
    with Topology(options.nodes + 1, options.variant) as net:
        net.start_nodes(options.nodes)
        for repetition in range(options.repetitions):
            for event in EVENTS:
                if options.events and options.events not in event.name:
                    continue
                for result in measure(net, event):
                    result["variant"] = f"{options.variant}, {options.nodes} nodes"
                    raw.write(json.dumps(result) + "\n")
                    raw.flush()
                    print(f"{repetition + 1}/{options.repetitions}  {report.line(result)}",
                          flush=True)


def main():
    parser = argparse.ArgumentParser(prog="run.sh gaps", description=__doc__)
    parser.add_argument("--variant", choices=VARIANTS, default=VARIANTS[0])
    parser.add_argument("--nodes", type=int, default=2, metavar="N", help="one more can be added")
    parser.add_argument("--repetitions", type=int, default=10, metavar="N")
    parser.add_argument("--events", metavar="TEXT", help="only those with TEXT in their name")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("tokyo-osaka-report"),
                        metavar="DIR")
    parser.add_argument("--add", action="store_true", help="to what DIR holds of earlier runs")
    options = parser.parse_args()
    if not 2 <= options.nodes < 16:
        parser.error("--nodes: 2 to 15")
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "raw.jsonl"
    with open(path, "a" if options.add else "w", encoding="utf-8") as raw:
        try:
            run(options, raw)
        finally:
            raw.flush()
            results = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
            (options.out / "report.md").write_text(report.text(results), encoding="utf-8")
            print(f"\n{options.out / 'report.md'}:\n\n{report.text(results)}")
    return 0 if all(report.is_met(results)) else 1


if __name__ == "__main__":
    sys.exit(main())
