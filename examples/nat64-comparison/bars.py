# SPDX-License-Identifier: BSD-2-Clause
"""What xlat646 is meant to reach, judged by the medians."""

import dataclasses
import typing


@dataclasses.dataclass(frozen=True)
class Bar:
    text: str
    limit: float
    value: typing.Callable  # of (Results, links)
    at_most: bool = False
    per_links: bool = True  # measured with each kind of links

    def met(self, value):
        return value <= self.limit if self.at_most else value >= self.limit


WAYS = {"46": "4 to 6", "64": "6 to 4"}


def ratio(workload, translator, other="ipv6"):
    return lambda results, links: results.ratio(links, workload, translator, other)


def all_bars():
    bars = []
    for way, words in WAYS.items():
        for streams in (1, 4):
            bars.append(Bar(f"fast path, TCP {streams} stream(s) {words}, of plain IPv6", 0.95,
                            ratio(f"tcp{streams}_{way}", "fast")))
    for way, limit in (("46", 0.82), ("64", 0.92)):
        bars.append(Bar(f"fast path, UDP 64 bytes {WAYS[way]}, of plain IPv6", limit,
                        ratio(f"udp64_{way}", "fast")))
    bars.append(Bar("fast path, idle round trip, µs added to plain IPv6", 3,
                    lambda r, links: r.added(links, "ping_idle", "fast"), at_most=True))
    for way, words in WAYS.items():
        for streams, limit in ((1, 0.6), (4, 0.45)):
            bars.append(Bar(f"TUN offload, TCP {streams} stream(s) {words}, of plain IPv6", limit,
                            ratio(f"tcp{streams}_{way}", "tun")))
        bars.append(Bar(f"TUN offload, UDP 64 bytes {words}, of plain IPv6", 0.75,
                        ratio(f"udp64_{way}", "tun")))
        for streams in (1, 4):
            bars.append(Bar(f"TUN offload, TCP {streams} stream(s) {words}, of TAYGA", 4,
                            ratio(f"tcp{streams}_{way}", "tun", "tayga")))
        bars.append(Bar(f"TUN offload, UDP 64 bytes {words}, of TAYGA", 1.4,
                        ratio(f"udp64_{way}", "tun", "tayga")))
    bars.append(Bar("TUN offload, HTTP with a connection per request, of TAYGA", 1.15,
                    ratio("http_close", "tun", "tayga")))
    bars.append(Bar("TUN busy polling, idle round trip, µs added to plain IPv6", 12,
                    lambda r, links: r.added(links, "ping_idle", "tun-busy"), at_most=True))
    bars.append(Bar("TUN offload, round trip beside a TCP stream, median, µs", 60,
                    lambda r, links: r.median(links, "ping_loaded", "tun"), at_most=True))
    for path, label, limit in (("fast", "fast path", 0.85), ("tun", "TUN offload", 0.35)):
        for way, words in WAYS.items():
            bars.append(Bar(f"{label}, UDP in GSO bursts {words}, of plain IPv6", limit,
                            ratio(f"quic_{way}", path)))
    for path, label in (("fast", "fast path"), ("tun", "TUN offload")):
        for way, words in WAYS.items():
            bars.append(Bar(f"{label}, UDP 64 bytes {words}, 1,000,000 pairs of 30", 0.85,
                            lambda r, _links, p=path, w=way: r.pairs_ratio(p, w),
                            per_links=False))
    bars.append(Bar("1,000,000 pairs from YAML, seconds", 6,
                    lambda r, _: r.pairs_median("load", "seconds"), True, False))
    bars.append(Bar("1,000,000 pairs from YAML, peak MB", 400,
                    lambda r, _: r.pairs_median("load", "peak_mb"), True, False))
    for path, label in (("fast", "fast path"), ("tun", "TUN offload")):
        bars.append(Bar(f"{label}, 1,000,000 pairs loaded again: datagrams lost", 0,
                        lambda r, _, p=path: r.pairs_median("reload", "lost", p), True, False))
    return bars


def judge(results):
    """Rows of (text, limit with its sign, links, value, "met" or "not met" or "not measured")."""
    rows = []
    for bar in all_bars():
        for links in (results.links or ["on"]) if bar.per_links else ["on"]:
            value = bar.value(results, links)
            verdict = "not measured" if value is None else "met" if bar.met(value) else "NOT met"
            rows.append((bar.text, f"{'≤' if bar.at_most else '≥'} {bar.limit:g}", links, value,
                         verdict))
    return rows
