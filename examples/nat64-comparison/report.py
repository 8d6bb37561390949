# SPDX-License-Identifier: BSD-2-Clause
"""The report in Markdown, with its plots beside it."""

import bars
import plots
from summary import REFERENCE, Results

LINKS = {"on": "veth as it comes: hosts hand over packets of up to 64 KiB",
         "nic": "hosts without offloads, GRO in the gateway: the closest to physical cards",
         "off": "no offloads and no GRO anywhere"}
# Further columns: key, heading, format.
MORE = [("cpu_s_per_gb", "CPU s/GB", ".2f"), ("cpu_us_per_packet", "CPU µs/packet", ".2f"),
        ("cpu_us_per_request", "CPU µs/request", ".1f"),
        ("retransmissions", "retransmissions", ".0f"), ("loss_percent", "loss %", ".1f"),
        ("p1", "1st percentile", ".0f"), ("p99", "99th percentile", ".0f"),
        ("worst", "worst case (99.9 %)", ".0f")]

HEAD = """# Translators between IPv4 and IPv6, compared

The terms are RFC 8219's: *throughput* is the highest rate without loss, *latency* has a typical
(median) and a worst case (99.9th percentile) value. Here latency is that of a round trip. Each
number is the median of {rounds} round(s), with the lowest and the highest beside it; *of plain
IPv6* is the median of the ratios within the rounds. CPU is that of the whole machine, both ends
included. ≥ says that the sender and not the path was the limit in most rounds.
"""

LIMITS = """- Client, gateway and server share this machine's CPUs, and no physical card takes part.
  What is measured is the cost of a translator beside that of the ends, not the speed of a link.
- Trials last {udp_trial} s, those of TCP {tcp} s; RFC 2544 and RFC 8219 ask for 60 s and 20
  repetitions. A rate counts as lossless if one of two trials is.
- One-way delay and packet delay variation: one machine's ends and its scheduler are not the
  instrument for them.
"""


def number(value):
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def workload_table(results, links, workload):
    able = [t for t in results.labels if results.samples(links, workload, t)]
    more = [m for m in MORE if any(results.values(links, workload, t, m[0]) for t in able)]
    rows = []
    for translator in able:
        values = results.values(links, workload, translator)
        if not values:
            rows.append([results.labels[translator], "could not be measured, see below"]
                        + [""] * (2 + len(more)))
            continue
        sign = "≥ " if results.at_least(links, workload, translator) else ""
        ratio = results.ratio_by_round(links, workload, translator)
        row = [results.labels[translator],
               sign + number(results.median(links, workload, translator)),
               f"{number(min(values))} – {number(max(values))}",
               "–" if ratio is None else "1" if translator == REFERENCE else f"{ratio:.2f}"]
        for key, _, form in more:
            value = results.median(links, workload, translator, key)
            row.append("–" if value is None else format(value, form))
        rows.append(row)
    unit = results.workloads[workload]["unit"]
    return table(["", unit, "lowest – highest", "of plain IPv6"] + [m[1] for m in more], rows)


def pairs_section(results):
    if "pairs" not in results.raw:
        return ""
    found = results.raw["pairs"]
    counts = sorted({s["pairs"] for s in found["samples"]})
    rows = []
    for path, label in (("fast", "fast path"), ("tun", "TUN offload")):
        for way, words in bars.WAYS.items():
            cells = []
            for count in counts:
                values = sorted(s["value"] for s in found["samples"] if (
                    s["path"], s["direction"], s["pairs"]) == (path, way, count))
                cells.append(f"{number(values[len(values) // 2])} "
                             f"({number(values[0])} – {number(values[-1])})")
            rows.append([label, words, *cells, f"{results.pairs_ratio(path, way):.2f}"])
    text = ("\n## Many pairs and few\n\n64-byte UDP over random pairs, kpps without loss:\n\n"
            + table(["", "", *(f"{count:,} pairs" for count in counts), "ratio"], rows))
    text += (f"\n`xlat646d --check` of {counts[-1]:,} pairs takes "
             f"{results.pairs_median('load', 'seconds'):.1f} s and "
             f"{results.pairs_median('load', 'peak_mb'):.0f} MB at most.\n\n")
    return text + table(
        ["", "start to ready, s", "daemon's peak, MB", "datagrams sent during a reload", "lost"],
        [[row["path"], f"{row['ready_s']:.1f}", f"{row['peak_mb']:.0f}", str(row["sent"]),
          str(row["lost"])] for row in found["reload"]])


def unmeasured(results):
    raw = results.raw
    lines = [f"- **{a['label']}** is not in the tables: {' '.join(a['why'].split())}.\n"
             for a in raw["absent"].values()]
    seen = {}
    for s in raw["samples"]:
        for key in ("error", "errors"):
            if key in s:
                where = (results.labels[s["translator"]],
                         results.workloads[s["workload"]]["title"], s["links"])
                seen.setdefault(where, []).append(" ".join(s[key].split())[:300])
    lines += [f"- {label}, {title}, links {links}, {len(what)} time(s): {what[0]}\n"
              for (label, title, links), what in seen.items()]
    if "pairs_error" in raw:
        lines.append(f"- Many pairs and few: {' '.join(raw['pairs_error'].split())[:300]}\n")
    stolen = sum(s["stolen_s"] for s in raw["samples"])
    if stolen >= 1:
        lines.append(f"- The hypervisor took {stolen:.1f} CPU seconds from this machine meanwhile."
                     "\n")
    return "".join(lines) + LIMITS.format(**raw["options"]["seconds"])


def write(raw, directory):
    results = Results(raw)
    parts = [HEAD.format(rounds=raw["options"]["rounds"])]
    if raw["options"]["smoke"]:
        parts.append("\n**A smoke test: these numbers mean nothing.**\n")
    parts.append("\n## The machine\n\n" + table(["", ""], [
        [key, str(value)] for key, value in raw["machine"].items()] + [
        [t["label"], t["version"]] for t in raw["translators"] if t["version"]]))
    parts.append("\n## Bars\n\nRatios of the medians.\n\n" + table(
        ["", "bar", "links", "measured", ""],
        [[text, limit, links, number(value), verdict]
         for text, limit, links, value, verdict in bars.judge(results)])
        + "\nThe cost of the core alone per packet is measured by `xlat646_bench` "
          "(`tests/bench/`).\n")
    for links in results.links:
        parts.append(f"\n## Links: {links}\n\n{LINKS[links]}.\n")
        parts += [f"\n![{name}]({name}.svg)\n" for name in plots.draw(results, links, directory)]
        for name, workload in results.workloads.items():
            parts.append(f"\n### {workload['title']}\n\n{workload_table(results, links, name)}")
    parts.append(pairs_section(results))
    parts.append("\n## What was not measured, and what to doubt\n\n" + unmeasured(results))
    (directory / "report.md").write_text("".join(parts), encoding="utf-8")
