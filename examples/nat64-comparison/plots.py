# SPDX-License-Identifier: BSD-2-Clause
"""Bars by direction or state, one colour for each translator; whiskers from the lowest to the
highest round. Each plot is written as SVG and as PNG."""

import matplotlib

matplotlib.use("Agg")
# The same bytes for the same numbers.
matplotlib.rcParams["svg.hashsalt"] = "nat64-comparison"

import matplotlib.pyplot as plt  # noqa: E402

# name, title, groups of (workload, label), key of the samples, axis, logarithmic
PLOTS = [
    ("delay", "Round-trip latency (median)", [("ping_idle", "idle"),
                                               ("ping_rare", "CPUs asleep"),
                                               ("ping_loaded", "beside a TCP stream")],
     "value", "µs", True),
    ("tcp", "TCP bandwidth", [("tcp1_46", "1 stream\nIPv4 to IPv6"),
                              ("tcp1_64", "1 stream\nIPv6 to IPv4"),
                              ("tcp4_46", "4 streams\nIPv4 to IPv6"),
                              ("tcp4_64", "4 streams\nIPv6 to IPv4")], "value", "Gbit/s", False),
    ("tcp-cpu", "CPU time of the whole machine for TCP",
     [("tcp1_46", "1 stream\nIPv4 to IPv6"), ("tcp1_64", "1 stream\nIPv6 to IPv4"),
      ("tcp4_46", "4 streams\nIPv4 to IPv6"), ("tcp4_64", "4 streams\nIPv6 to IPv4")],
     "cpu_s_per_gb", "CPU seconds per gigabyte", True),
    ("udp", "UDP throughput (highest rate without loss)",
     [("udp64_46", "64 bytes\nIPv4 to IPv6"), ("udp64_64", "64 bytes\nIPv6 to IPv4"),
      ("udp1400_46", "1400 bytes\nIPv4 to IPv6"), ("udp1400_64", "1400 bytes\nIPv6 to IPv4")],
     "value", "1000 datagrams per second", False),
    ("quic", "UDP in GSO bursts (40 x 1000 bytes), delivered",
     [("quic_46", "IPv4 to IPv6"), ("quic_64", "IPv6 to IPv4")],
     "value", "1000 datagrams per second", True),
    ("http", "HTTP", [("http_keepalive", "connections kept alive"),
                      ("http_close", "a connection per request")],
     "value", "requests per second", False),
]


def draw(results, links, directory):
    """Returns the names of the plots that there is data for."""
    drawn = []
    for name, title, groups, key, axis, logarithmic in PLOTS:
        groups = [g for g in groups if any(results.values(links, g[0], t, key)
                                           for t in results.labels)]
        if not groups:
            continue
        shown = [t for t in results.labels
                 if any(results.values(links, w, t, key) for w, _ in groups)]
        figure, axes = plt.subplots(figsize=(2.2 + 2.1 * len(groups), 4.2),
                                    constrained_layout=True)
        width = 0.84 / len(shown)
        colours = {t: f"C{i}" for i, t in enumerate(results.labels)}
        for i, translator in enumerate(shown):
            places, heights, below, above = [], [], [], []
            for g, (workload, _label) in enumerate(groups):
                values = results.values(links, workload, translator, key)
                if values:
                    middle = results.median(links, workload, translator, key)
                    places.append(g - 0.42 + width * (i + 0.5))
                    heights.append(middle)
                    below.append(middle - min(values))
                    above.append(max(values) - middle)
            axes.bar(places, heights, width * 0.92, yerr=[below, above], capsize=2,
                     label=results.labels[translator], color=colours[translator],
                     error_kw={"elinewidth": 0.8})
        axes.set_title(f"{title}; links: {links}", fontsize=10)
        axes.set_ylabel(axis)
        axes.set_xticks(range(len(groups)), [label for _, label in groups], fontsize=8)
        if logarithmic:
            axes.set_yscale("log")
        axes.grid(axis="y", linewidth=0.3)
        axes.set_axisbelow(True)
        axes.legend(fontsize=7, ncols=2)
        file = f"{name}-{links}"
        for kind, extra in (("svg", {"Date": None}), ("png", {})):
            figure.savefig(directory / f"{file}.{kind}", dpi=120, metadata=extra)
        plt.close(figure)
        drawn.append(file)
    return drawn
