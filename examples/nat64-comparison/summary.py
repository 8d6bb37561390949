# SPDX-License-Identifier: BSD-2-Clause
"""Numbers from samples. RFC 8219, section 10: the median summarizes, and the 1st and the 99th
percentile show the variation; with fewer than 100 rounds these are the lowest and the highest."""

import statistics

REFERENCE = "ipv6"


class Results:
    def __init__(self, raw):
        self.raw = raw
        self.labels = {t["name"]: t["label"] for t in raw["translators"]}
        self.workloads = {w["name"]: w for w in raw["workloads"]}
        self.links = [links for links in raw["options"]["links"]
                      if any(s["links"] == links for s in raw["samples"])]

    def samples(self, links, workload, translator):
        return [s for s in self.raw["samples"]
                if (s["links"], s["workload"], s["translator"]) == (links, workload, translator)]

    def values(self, links, workload, translator, key="value"):
        return [s[key] for s in self.samples(links, workload, translator)
                if s.get(key) is not None]

    def median(self, links, workload, translator, key="value"):
        values = self.values(links, workload, translator, key)
        return statistics.median(values) if values else None

    def at_least(self, links, workload, translator):
        """The sender was the limit in most rounds."""
        flags = self.values(links, workload, translator, "at_least")
        return bool(flags) and 2 * sum(flags) > len(flags)

    def ratio_by_round(self, links, workload, translator):
        """The median of the ratios to plain IPv6, each within one round."""
        plain = {s["round"]: s["value"] for s in self.samples(links, workload, REFERENCE)
                 if s.get("value")}
        ratios = [s["value"] / plain[s["round"]]
                  for s in self.samples(links, workload, translator)
                  if s.get("value") is not None and s["round"] in plain]
        return statistics.median(ratios) if ratios else None

    def ratio(self, links, workload, translator, other=REFERENCE):
        """Of the medians."""
        upper = self.median(links, workload, translator)
        lower = self.median(links, workload, other)
        return upper / lower if upper is not None and lower else None

    def added(self, links, workload, translator):
        upper = self.median(links, workload, translator)
        lower = self.median(links, workload, REFERENCE)
        return upper - lower if upper is not None and lower is not None else None

    def pairs_ratio(self, path, direction):
        """A million pairs against 30, of the medians."""
        by_count = {}
        for s in self.raw.get("pairs", {}).get("samples", []):
            if (s["path"], s["direction"]) == (path, direction):
                by_count.setdefault(s["pairs"], []).append(s["value"])
        if len(by_count) < 2:
            return None
        return (statistics.median(by_count[max(by_count)])
                / statistics.median(by_count[min(by_count)]))

    def pairs_median(self, table, key, path=None):
        values = [row[key] for row in self.raw.get("pairs", {}).get(table, [])
                  if path in (None, row.get("path"))]
        return statistics.median(values) if values else None
