#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes xlat646.json, the dashboard, to which the sentences of the drop reasons come from the
translator's source; --check says whether the file is what would be written."""

import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OUTPUT = os.path.join(HERE, "xlat646.json")
REASONS = os.path.join(HERE, "../../translator/siit/outcome.hpp")

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
NODE = 'job=~"$job", site=~"$site", instance=~"$instance"'
HOST = 'instance=~"$instance"'  # other exporters have jobs of their own
TUN = 'instance=~"$instance", device=~"xlat646.*"'
WIDTH = 24


def drop_reasons():
    """{name: sentence}"""
    with open(REASONS, encoding="utf-8") as file:
        found = dict(re.findall(r'^ *X\((\w+), "([^"]+)"\)', file.read(), re.MULTILINE))
    if len(found) < 30:
        raise SystemExit(f"{REASONS}: the drop reasons are not where they were")
    return found


def rate(name, more="", by="", selector=NODE):
    inner = f"rate({name}{{{selector}{', ' + more if more else ''}}}[$__rate_interval])"
    return f"sum by ({by}) ({inner})" if by else f"sum({inner})"


class Dashboard:
    def __init__(self):
        self.panels, self.x, self.y, self.height = [], 0, 0, 0

    def row(self, title):
        self._next_line()
        self.panels.append({"id": len(self.panels) + 1, "type": "row", "title": title,
                            "collapsed": False, "panels": [],
                            "gridPos": {"x": 0, "y": self.y, "w": WIDTH, "h": 1}})
        self.y += 1

    def _next_line(self):
        self.x, self.y, self.height = 0, self.y + self.height, 0

    def add(self, kind, title, description, targets, unit, width=12, height=8, **more):
        """`targets`: (expression, legend) each."""
        if self.x + width > WIDTH:
            self._next_line()
        instant = kind in ("stat", "table", "bargauge")
        form = {"format": "table"} if kind == "table" else {}
        panel = {
            "id": len(self.panels) + 1, "type": kind, "title": title, "description": description,
            "datasource": DATASOURCE,
            "gridPos": {"x": self.x, "y": self.y, "w": width, "h": height},
            "targets": [{"refId": chr(ord("A") + n), "datasource": DATASOURCE, "expr": expression,
                         "legendFormat": legend, "instant": instant, "range": not instant, **form}
                        for n, (expression, legend) in enumerate(targets)],
            "fieldConfig": {"defaults": {"unit": unit, **more.pop("defaults", {})},
                            "overrides": more.pop("overrides", [])},
            "options": more.pop("options", {}), **more}
        self.panels.append(panel)
        self.x, self.height = self.x + width, max(self.height, height)

    def plot(self, title, description, targets, unit, width=12, stacked=False, floor=True):
        self.add("timeseries", title, description, targets, unit, width, defaults={
            **({"min": 0} if floor else {}),
            "custom": {"fillOpacity": 20 if stacked else 5, "showPoints": "never",
                       "stacking": {"mode": "normal" if stacked else "none", "group": "A"}}},
            options={"legend": {"displayMode": "table", "placement": "bottom",
                                "calcs": ["lastNotNull", "max"]},
                     "tooltip": {"mode": "multi", "sort": "desc"}})

    def number(self, title, description, expression, unit, bad=None, good=None, legend=""):
        """Red from `bad` on, or green from `good` on."""
        steps = [{"color": "text", "value": None}]
        if bad is not None:
            steps = [{"color": "green", "value": None}, {"color": "red", "value": bad}]
        if good is not None:
            steps = [{"color": "red", "value": None}, {"color": "green", "value": good}]
        self.add("stat", title, description, [(expression, legend)], unit, 4, 4,
                 defaults={"thresholds": {"mode": "absolute", "steps": steps}},
                 options={"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"})

    def table(self, title, description, expression, columns, value, unit="none", width=12,
              mappings=None):
        """`columns`: labels that are shown, in order; `mappings`: {label: {value: text}}"""
        overrides = [{"matcher": {"id": "byName", "options": label}, "properties": [
            {"id": "mappings", "value": [{"type": "value", "options": {
                key: {"text": text, "index": n} for n, (key, text) in enumerate(texts.items())}}]},
        ]} for label, texts in (mappings or {}).items()]
        order = [*columns, "Value"]
        self.add("table", title, description, [(expression, "")], unit, width, 8,
                 overrides=overrides, transformations=[
                     {"id": "filterFieldsByName", "options": {"include": {"names": order}}},
                     {"id": "organize", "options": {
                         "indexByName": {name: n for n, name in enumerate(order)},
                         "renameByName": {"Value": value}}}],
                 options={"sortBy": [{"displayName": value, "desc": True}]})

    def timeline(self, title, description, targets, texts):
        self.add("state-timeline", title, description, targets, "none", 12, defaults={
            "mappings": [{"type": "value", "options": {
                value: {"text": text, "color": color, "index": n}
                for n, (value, (text, color)) in enumerate(texts.items())}}]},
            options={"showValue": "never", "mergeValues": True})


def at_a_glance(board):
    board.row("At a glance")
    board.number("Nodes ready", "Nodes that translate and say so.",
                 f"sum(xlat646_ready{{{NODE}}})", "none", good=1)
    board.number("Nodes not ready", "Running or not, they do not translate.",
                 f"count(xlat646_ready{{{NODE}}} == 0) or vector(0)", "none", bad=1)
    board.number("Different tables", "1: all running nodes of a job hold the same mapping table.",
                 'max(job:xlat646_mapping_tables:count{job=~"$job"})', "none", bad=2)
    board.number("Drop ratio", "Packets discarded, of all received.",
                 f"{rate('xlat646_packets_dropped_total')} / "
                 f"({rate('xlat646_packets_received_total')} > 0)", "percentunit", bad=0.05)
    board.number("Error budget left", "Of 30 days; 100 %: some node was always ready.",
                 'min(job:xlat646_error_budget:remaining30d{job=~"$job"})', "percentunit", good=0.1)
    board.number("Alerts", "That fire now, of xlat646's.",
                 'count(ALERTS{alertname=~"Xlat646.*", alertstate="firing"}) or vector(0)', "none",
                 bad=1)


def traffic(board):
    board.row("Traffic")
    board.plot("Packets translated", "A super-packet (GSO) is one packet.",
               [(rate("xlat646_packets_translated_total", by="direction, protocol"),
                 "{{direction}} {{protocol}}")], "pps", stacked=True)
    board.plot("Bits translated", "Of the packets as they were received, from the IP header on.",
               [("8 * " + rate("xlat646_translated_bytes_total", by="direction, protocol"),
                 "{{direction}} {{protocol}}")], "bps", stacked=True)
    board.plot("Bits by node", "How the routers spread the traffic over the nodes.",
               [("8 * " + rate("xlat646_translated_bytes_total", by="instance, direction"),
                 "{{instance}} {{direction}}")], "bps")
    board.plot("Received and sent", "IP bits on both sides; IPv6 headers are 20 bytes longer.",
               [("8 * " + rate("xlat646_received_bytes_total", by="ip_version"),
                 "IPv{{ip_version}} received"),
                ("8 * " + rate("xlat646_sent_bytes_total", by="ip_version"),
                 "IPv{{ip_version}} sent")], "bps")
    board.plot("Super-packets", "Segments that came in super-packets, and packets that were merged "
               "into such: what offloads save.",
               [(rate("xlat646_super_packets_total", by="direction"),
                 "{{direction}} super-packets"),
                (rate("xlat646_segments_total", by="direction"), "{{direction}} segments in them"),
                (rate("xlat646_packets_merged_total", by="direction"), "{{direction}} merged")],
               "pps")
    board.plot("Fragments", "Received, and made by the translator. Many: look at the MTU inside.",
               [(rate("xlat646_fragments_total", by="direction"), "{{direction}} received"),
                (rate("xlat646_fragments_created_total", by="direction"), "{{direction}} made")],
               "pps")
    board.plot("Fast path", "Packets that the kernel program has translated, and those that it has "
               "left to user space. Empty without a fast path.",
               [(rate("xlat646_fastpath_packets_total", by="direction, result"),
                 "{{direction}} {{result}}"),
                (rate("xlat646_fastpath_packets_lost_total", by="direction"),
                 "{{direction}} lost")], "pps")
    board.plot("Why the fast path leaves packets alone", "By its own reasons.",
               [(rate("xlat646_fastpath_passed_total", by="reason"), "{{reason}}")], "pps",
               stacked=True)


def drops(board):
    board.row("Drops")
    board.plot("Packets dropped", "By reason and direction; the table has the sentences.",
               [(rate("xlat646_packets_dropped_total", by="reason, direction") + " > 0",
                 "{{reason}} {{direction}}")], "pps", stacked=True)
    board.plot("Drop ratio by reason", "Of all packets received.",
               [(rate("xlat646_packets_dropped_total", by="reason") + " / scalar("
                 + rate("xlat646_packets_received_total") + ") > 0", "{{reason}}")], "percentunit")
    dropped = f"increase(xlat646_packets_dropped_total{{{NODE}}}[$__range])"
    board.table("Drops in the time shown", "What to do about each: xlat646 drops --explain.",
                f'label_replace(sum by (reason) ({dropped}) > 0, "sentence", "$1", "reason", '
                '"(.*)")', ["reason", "sentence"], "packets", "short", WIDTH,
                {"sentence": drop_reasons()})
    board.plot("ICMP errors", "The translator's own, and those that its rate limit withheld.",
               [(rate("xlat646_icmp_errors_sent_total", by="ip_version, kind"),
                 "IPv{{ip_version}} {{kind}}"),
                (rate("xlat646_icmp_errors_suppressed_total", by="ip_version, kind"),
                 "IPv{{ip_version}} {{kind}} withheld")], "pps")
    board.plot("TUN", "Failed reads and writes, other oddities, and pings that the translator has "
               "answered itself.",
               [(rate("xlat646_tun_errors_total", by="operation"), "{{operation}} errors"),
                (rate("xlat646_tun_unknown_reads_total"), "reads without a packet"),
                (rate("xlat646_tun_segmented_writes_total"), "super-packets cut"),
                (rate("xlat646_echo_replies_sent_total"), "pings answered")], "pps")


def mappings(board):
    board.row("Mappings and tenants (xlat646-exporter --per-mapping)")
    board.plot("Bits by tenant", "Both directions, all nodes. With --per-mapping tenant.",
               [("topk(20, 8 * " + rate("xlat646_tenant_bytes_total", by="tenant") + ")",
                 "{{tenant}}")], "bps", stacked=True)
    board.plot("Packets by tenant", "Both directions, all nodes. With --per-mapping tenant.",
               [("topk(20, " + rate("xlat646_tenant_packets_total", by="tenant") + ")",
                 "{{tenant}}")], "pps", stacked=True)
    board.plot("Bits by mapping", "The 20 with the most. With --per-mapping top or all.",
               [("topk(20, 8 * " + rate("xlat646_mapping_bytes_total", by="ipv4, name, direction")
                 + ")", "{{ipv4}} {{name}} {{direction}}")], "bps")
    board.plot("Packets by mapping", "The 20 with the most. With --per-mapping top or all.",
               [("topk(20, " + rate("xlat646_mapping_packets_total", by="ipv4, name, direction")
                 + ")", "{{ipv4}} {{name}} {{direction}}")], "pps")
    board.number("Series withheld", "Nodes with more mappings or tenants than --per-mapping-limit: "
                 "they show none of them.", f"sum(xlat646_mapping_series_suppressed{{{NODE}}})",
                 "none", bad=1)


def tables(board):
    board.row("Tables and reloads")
    board.table("Tables", "Nodes with the same table show the same digits, as in xlat646 status.",
                f"xlat646_mapping_info{{{NODE}}}", ["instance", "sha256"], "held")
    board.plot("Mappings", "Pairs in the table.",
               [(f"xlat646_mappings{{{NODE}}}", "{{instance}}")], "short")
    board.plot("Reloads", "Of the mapping files, and those that were refused.",
               [(f"increase(xlat646_mapping_reloads_total{{{NODE}}}[$__rate_interval])",
                 "{{instance}}"),
                (f"increase(xlat646_mapping_reload_failures_total{{{NODE}}}[$__rate_interval])",
                 "{{instance}} refused")], "short")
    board.timeline("Last reload", "Whether the last reload was successful; else the node goes on "
                   "with the table it had.",
                   [(f"xlat646_mapping_last_reload_successful{{{NODE}}}", "{{instance}}")],
                   {"0": ("refused", "red"), "1": ("good", "green")})
    board.plot("Age of the table", "Since the table in use was loaded.",
               [(f"time() - xlat646_mapping_last_reload_success_timestamp_seconds{{{NODE}}}",
                 "{{instance}}")], "s")
    board.plot("Process", "Generation of the table since the process began, and how often xlat646 "
               "restart has replaced the process.",
               [(f"xlat646_mapping_generation{{{NODE}}}", "{{instance}} generation"),
                (f"increase(xlat646_restarts_total{{{NODE}}}[$__rate_interval])",
                 "{{instance}} restarts")], "short")


def readiness(board):
    board.row("Readiness and probes")
    board.timeline("Ready", "Translates, and says so by the carrier of its TUN.",
                   [(f"xlat646_ready{{{NODE}}}", "{{instance}}")],
                   {"0": ("not ready", "red"), "1": ("ready", "green")})
    board.timeline("Runs", "The daemon writes to its statistics segment.",
                   [(f"xlat646_up{{{NODE}}}", "{{instance}}")],
                   {"0": ("gone", "red"), "1": ("runs", "green")})
    board.plot("Probes", "Pings through kernel and translator, and those that came back.",
               [(rate("xlat646_probes_sent_total", by="instance"), "{{instance}} sent"),
                (rate("xlat646_probes_answered_total", by="instance"), "{{instance}} answered")],
               "pps")
    board.plot("Failed rounds", "Three in a row (readiness.failures) withdraw the node. Excused: "
               "traffic has shown that it translates.",
               [(rate("xlat646_probe_rounds_failed_total", by="instance"), "{{instance}} failed"),
                (rate("xlat646_probe_rounds_excused_total", by="instance"),
                 "{{instance}} excused")], "cps")
    board.plot("Last sign of life", "Since the daemon has written to its segment; it does so each "
               "second.", [(f"time() - xlat646_beat_timestamp_seconds{{{NODE}}}", "{{instance}}")],
               "s", floor=False)
    board.plot("Uptime of the process", "xlat646 restart begins a new one without a gap.",
               [(f"time() - xlat646_start_time_seconds{{{NODE}}}", "{{instance}}")], "s")
    board.plot("CPU", "1: a whole one. The exporter's own is the price of being watched.",
               [(f"rate(xlat646_daemon_cpu_seconds_total{{{NODE}}}[$__rate_interval])",
                 "{{instance}} xlat646d"),
                (f"rate(process_cpu_seconds_total{{{NODE}}}[$__rate_interval])",
                 "{{instance}} xlat646-exporter")], "short")
    board.plot("Memory", "Resident.",
               [(f"xlat646_daemon_resident_memory_bytes{{{NODE}}}", "{{instance}} xlat646d"),
                (f"process_resident_memory_bytes{{{NODE}}}", "{{instance}} xlat646-exporter")],
               "bytes")
    board.plot("Error budget left", "Of 30 days, and of each job.",
               [('job:xlat646_error_budget:remaining30d{job=~"$job"}', "{{job}}")], "percentunit",
               floor=False)


def ospf(board):
    board.row("OSPF (bird_exporter)")
    board.plot("Routes announced", "Of xlat646's own BIRD protocols; 0 while drained or not ready.",
               [(f"instance:xlat646_routes_advertised:sum{{{HOST}}}", "{{instance}}")], "short")
    board.plot("Adjacent neighbours", "0: no router hears this node.",
               [(f'bird_ospf_neighbor_adjacent_count{{{HOST}, name=~"xlat646_.*"}}',
                 "{{instance}} OSPFv2"),
                (f'bird_ospfv3_neighbor_adjacent_count{{{HOST}, name=~"xlat646_.*"}}',
                 "{{instance}} OSPFv3")], "short")
    board.timeline("OSPF", "Running: there is a neighbour.",
                   [(f'bird_ospf_running{{{HOST}, name=~"xlat646_.*"}}', "{{instance}} OSPFv2"),
                    (f'bird_ospfv3_running{{{HOST}, name=~"xlat646_.*"}}', "{{instance}} OSPFv3")],
                   {"0": ("alone", "red"), "1": ("running", "green")})
    board.plot("Static protocols", "Up: not drained. Their routes follow the TUN's carrier.",
               [(f'bird_protocol_prefix_import_count{{{HOST}, proto="Static", '
                 'name=~"xlat646_.*"}', "{{instance}} {{name}}")], "short")


def host(board):
    board.row("Host and TUN (node_exporter)")
    board.plot("TUN, bits", "Transmitted: from the kernel to the translator.",
               [(f"8 * rate(node_network_transmit_bytes_total{{{TUN}}}[$__rate_interval])",
                 "{{instance}} to the translator"),
                (f"8 * rate(node_network_receive_bytes_total{{{TUN}}}[$__rate_interval])",
                 "{{instance}} from the translator")], "bps")
    board.plot("TUN, dropped by the kernel", "The queue to the translator was full: it needs more "
               "CPU. These packets are in no counter of xlat646d.",
               [(f"rate(node_network_transmit_drop_total{{{TUN}}}[$__rate_interval])",
                 "{{instance}} to the translator"),
                (f"rate(node_network_receive_drop_total{{{TUN}}}[$__rate_interval])",
                 "{{instance}} from the translator")], "pps")
    board.plot("CPU by mode", "Of all CPUs of the machine.",
               [(rate("node_cpu_seconds_total", 'mode!="idle"', "instance, mode", HOST),
                 "{{instance}} {{mode}}")], "short", stacked=True)
    board.plot("Memory available", "",
               [(f"node_memory_MemAvailable_bytes{{{HOST}}}", "{{instance}}")], "bytes")
    board.plot("Backlog", "Packets that a CPU had no room for, and times it ran out of its budget.",
               [(rate("node_softnet_dropped_total", "", "instance", HOST), "{{instance}} dropped"),
                (rate("node_softnet_times_squeezed_total", "", "instance", HOST),
                 "{{instance}} squeezed")], "cps")


def variable(name, label, selector, all_value=None):
    query = f"label_values({selector}, {name})"
    return {"type": "query", "name": name, "label": label, "datasource": DATASOURCE,
            "query": {"query": query, "refId": "StandardVariableQuery"}, "definition": query,
            "refresh": 2, "sort": 1, "multi": True, "includeAll": True,
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            **({"allValue": all_value} if all_value else {})}


def dashboard():
    board = Dashboard()
    for part in (at_a_glance, traffic, drops, mappings, tables, readiness, ospf, host):
        part(board)
    return {
        "id": None, "uid": "xlat646", "title": "xlat646", "tags": ["xlat646", "network", "ipv6"],
        "description": "Stateless IPv4/IPv6 translation: traffic, drops, tables, readiness.",
        "schemaVersion": 37, "version": 1, "editable": True, "graphTooltip": 1,
        "refresh": "30s", "time": {"from": "now-3h", "to": "now"}, "timezone": "",
        "annotations": {"list": [{
            "name": "Tables", "datasource": DATASOURCE, "enable": True, "iconColor": "blue",
            "expr": f"changes(xlat646_mapping_generation{{{NODE}}}[$__interval]) > 0",
            "titleFormat": "{{instance}} has a new table"}]},
        "templating": {"list": [
            {"type": "datasource", "name": "datasource", "label": "Data source",
             "query": "prometheus", "refresh": 1, "multi": False, "includeAll": False},
            variable("job", "Group", "xlat646_up"),
            # Sites that have no label are all sites.
            variable("site", "Site", 'xlat646_up{job=~"$job"}', ".*"),
            variable("instance", "Node", 'xlat646_up{job=~"$job", site=~"$site"}')]},
        "panels": board.panels}


def main():
    text = json.dumps(dashboard(), indent=2) + "\n"
    if sys.argv[1:] == ["--check"]:
        with open(OUTPUT, encoding="utf-8") as file:
            if file.read() != text:
                raise SystemExit(f"{OUTPUT} is not what {sys.argv[0]} writes: run it")
    elif len(sys.argv) == 1:
        with open(OUTPUT, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        raise SystemExit(f"usage: {sys.argv[0]} [--check]")


if __name__ == "__main__":
    main()
