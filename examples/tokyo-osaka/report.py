# SPDX-License-Identifier: BSD-2-Clause
"""Tables of medians and maxima of what gaps.py has measured."""

import os
import platform
import statistics

from events import EVENTS
from load import DIRECTIONS

BARS = {event.name: event.bar for event in EVENTS}
PLANNED = {name for event in EVENTS if event.bar is None
           for name in (event.name, event.back) if name}
LEGEND = """
Gaps in ms, packets in number; median / maximum of the repetitions. UDP: two flows of 1000
datagrams per second in each direction, one over Tokyo and one over Osaka as long as the core has
the choice; the worse one counts; gaps are between arrivals, as the receiver's kernel stamped them.
TCP: one stream of 50 Mbit/s in each direction, over Tokyo. Lost: of both UDP flows. Broken: of the
connections that talked before, meanwhile and afterwards, and of the bulk streams, whose data are
hashed. Each event happens to Tokyo.
"""


def pair(values, form="{:.0f}"):
    low, high = form.format(statistics.median(values)), form.format(max(values))
    return low if low == high else f"{low} / {high}"


def line(result):
    """One measurement, for the terminal."""
    w = result["window"]
    return f"{result['name']:32}" + "  ".join(
        f"{d}: UDP gap {w[d]['udp_gap_ms']:.0f}, TCP gap {w[d]['tcp_gap_ms']:.0f} ms, "
        f"{w[d]['lost']} lost" for d in DIRECTIONS) + f"  {len(result['broken'])} broken"


def verdict(name, results):
    """(text of the bar, whether it is met)"""
    broken = sum(len(r["broken"]) for r in results)
    if name in PLANNED:
        lost = sum(r["window"][d]["lost"] for r in results for d in DIRECTIONS)
        return "0 lost", broken == 0 and lost == 0
    if BARS.get(name) is None:
        return "", broken == 0
    worst = max(statistics.median(r["window"][d]["udp_gap_ms"] for r in results)
                for d in DIRECTIONS)
    return f"<= {BARS[name]:.1f} s", broken == 0 and worst <= 1000 * BARS[name]


def grouped(results):
    """{variant: {name: [results]}} in the order of the events."""
    out = {}
    for result in results:
        out.setdefault(result["variant"], {}).setdefault(result["name"], []).append(result)
    return out


def is_met(results):
    return [verdict(name, of)[1] for names in grouped(results).values()
            for name, of in names.items()]


def table(names):
    lines = ["| event | runs | UDP gap 4 to 6 | UDP gap 6 to 4 | TCP gap 4 to 6 | TCP gap 6 to 4 "
             "| lost 4 to 6 | lost 6 to 4 | broken | bar | |", "|---" * 11 + "|"]
    for name, results in names.items():
        cells = [name, str(len(results))]
        for key in ("udp_gap_ms", "tcp_gap_ms", "lost"):
            cells += [pair([r["window"][d][key] for r in results]) for d in DIRECTIONS]
        bar, good = verdict(name, results)
        cells += [f"{sum(len(r['broken']) for r in results)} of "
                  f"{sum(r['connections'] for r in results)}", bar, "met" if good else "**MISSED**"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def told(result):
    """What the nodes said of their tables, if they differed."""
    return "; ".join(f"{names} {digest}" for names, digest in result.get("tables", {}).items())


def text(results):
    parts = ["# Tokyo and Osaka: what users notice\n", LEGEND,
             f"\nLinux {platform.release()}, {os.cpu_count()} CPUs for all hosts, routers and "
             "nodes together.\n"]
    for variant, names in grouped(results).items():
        back = {name: of for name, of in names.items() if name.startswith("back: ")}
        stall = max(r["window"][d]["sender_stall_ms"]
                    for of in names.values() for r in of for d in DIRECTIONS)
        parts.append(f"\n## {variant}\n\n" + table({n: of for n, of in names.items()
                                                  if n not in back}))
        if back:
            parts.append("\nWhen it has been put right:\n\n" + table(back))
        parts += sorted({f"\n**The tables differed** in \"{name}\": {told(r)}.\n"
                         for name, of in names.items() for r in of if told(r) and name in BARS})
        parts.append(f"\nThe longest pause of a sender itself was {stall:.0f} ms.\n")
    return "".join(parts)
