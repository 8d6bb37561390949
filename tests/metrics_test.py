# SPDX-License-Identifier: BSD-2-Clause
"""Rules, dashboard and documents name only metrics and labels that there are; each alert is
documented and tested. Environment: XLAT646_EXPORTER, the program whose table decides."""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PROMETHEUS = os.path.join(ROOT, "packaging/prometheus")
GRAFANA = os.path.join(ROOT, "packaging/grafana")
sys.path.insert(0, GRAFANA)
sys.dont_write_bytecode = True

import make_dashboard  # pylint: disable=wrong-import-position

DOCUMENTS = sorted(path for pattern in ("README.md", "translator/*/README.md",
                                        "packaging/*/README.md", "packaging/man/*")
                   for path in glob.glob(pattern, root_dir=ROOT))
TARGET_LABELS = {"job", "instance", "site"}
# Of bird_exporter 1.4.1 and node_exporter 1.5, as far as they are used here. monitoring_test.py
# sees that the former are there.
OTHERS = {
    "up": "", "ALERTS": "alertname,alertstate,severity",
    "bird_protocol_up": "name,proto,ip_version",
    "bird_protocol_prefix_export_count": "name,proto,ip_version",
    "bird_protocol_prefix_import_count": "name,proto,ip_version",
    "bird_ospf_running": "name", "bird_ospfv3_running": "name",
    "bird_ospf_neighbor_adjacent_count": "name,area",
    "bird_ospfv3_neighbor_adjacent_count": "name,area",
    "node_network_transmit_bytes_total": "device", "node_network_receive_bytes_total": "device",
    "node_network_transmit_drop_total": "device", "node_network_receive_drop_total": "device",
    "node_cpu_seconds_total": "cpu,mode", "node_memory_MemAvailable_bytes": "",
    "node_softnet_dropped_total": "cpu", "node_softnet_times_squeezed_total": "cpu"}
# Words of the documents that look like metrics: protocols and filters in BIRD's configuration.
NO_METRICS = re.compile(r"xlat646_((v|ospf|export|import)[46]|bfd)?$")
WORDS = {"and", "or", "unless", "on", "ignoring", "by", "without", "group_left", "group_right",
         "bool", "offset"}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def exported():
    """{name: (type, labels)}"""
    done = subprocess.run([os.environ["XLAT646_EXPORTER"], "--list-metrics"], check=True,
                          capture_output=True, text=True, timeout=30)
    table = {}
    for line in done.stdout.splitlines():
        name, kind, labels, _ = line.split("\t")
        table[name] = (kind, set(labels.split(",")) - {""})
    return table


def groups(name):
    return yaml.safe_load(read(f"packaging/prometheus/{name}"))["groups"]


def rules(name, key):
    return {rule[key]: rule for group in groups(name) for rule in group["rules"]}


RECORDED = rules("xlat646-recording.rules.yml", "record")
ALERTS = rules("xlat646-alerts.rules.yml", "alert")
DROP_ALERTS = {rule["alert"]: rule for group in groups("xlat646-alerts.rules.yml")
               if group["name"] == "xlat646_drop_alerts" for rule in group["rules"]}


def selectors(expression):
    """(name, [(label, operator, value)]) of each metric in it."""
    blank = re.sub(r'"(?:[^"\\]|\\.)*"', lambda m: '"' + "#" * (len(m[0]) - 2) + '"', expression)
    found = []
    for match in re.finditer(r"(?<![\w:$.])([a-zA-Z_:][\w:]*)\b(?!\s*(?:\(|by\b|without\b))",
                             blank):
        before, name = blank[:match.start()], match[1]
        inside = before.count("{") > before.count("}")
        listed = re.search(r"\b(by|without|on|ignoring|group_left)\s*\([^()]*$", before)
        if inside or listed or name in WORDS or re.search(r"\[[^\]]*$|[\d.]$", before):
            continue
        matchers = []
        if blank[match.end():match.end() + 1] == "{":
            end = blank.index("}", match.end())
            matchers = re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"',
                                  expression[match.end():end])
        found.append((name, matchers))
    return found


def panels():
    return [p for p in json.loads(read("packaging/grafana/xlat646.json"))["panels"]
            if p["type"] != "row"]


def queries():
    """(where, expression, legend) of all that the dashboard asks for."""
    board = json.loads(read("packaging/grafana/xlat646.json"))
    found = [(p["title"], t["expr"], t["legendFormat"]) for p in panels() for t in p["targets"]]
    found += [(a["name"], a["expr"], a["titleFormat"]) for a in board["annotations"]["list"]]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)",
                                           variable["query"]["query"]).groups()
            found.append((variable["name"], selector, "{{" + label + "}}"))
    return found


class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.exported = exported()

    def labels(self, name):
        """None: there is no such metric. Of a recorded one: any."""
        if name in self.exported:
            return self.exported[name][1] | TARGET_LABELS
        if name in OTHERS:
            return set(OTHERS[name].split(",")) | TARGET_LABELS
        return any if name in RECORDED else None

    def check(self, where, expression):
        found = selectors(expression)
        self.assertTrue(found or "vector(" in expression, f"{where}: no metric in {expression}")
        for name, matchers in found:
            labels = self.labels(name)
            self.assertIsNotNone(labels, f"{where}: there is no metric {name}: {expression}")
            for label, _, _ in matchers:
                if labels is not any:
                    self.assertIn(label, labels, f"{where}: {name} has no such label")
            if name in self.exported:
                of_rate = re.search(rf"\b(rate|increase)\(\s*{name}\b", expression)
                self.assertEqual(bool(of_rate), self.exported[name][0] == "counter",
                                 f"{where}: counters are read by rate() and increase() only")

    def test_reader(self):
        """What this test reads out of an expression; and that it finds what is wrong."""
        self.assertEqual(selectors('sum by (job, x_y) (rate(a_total{b=~"c_d{}|e", f!="g"}[5m])) / '
                                   'on (h) group_left () (i:j_k:l > 0) and z unless label_replace('
                                   'm, "n", "$1", "o", "")'),
                         [("a_total", [("b", "=~", "c_d{}|e"), ("f", "!=", "g")]),
                          ("i:j_k:l", []), ("z", []), ("m", [])])
        for bad in ("xlat646_nothing", 'xlat646_ready{tenant="a"}', "rate(xlat646_ready[5m])",
                    "sum(xlat646_packets_dropped_total)", "a:b:c"):
            with self.assertRaises(AssertionError):
                self.check("here", bad)

    def test_rules(self):
        for name, rule in {**RECORDED, **ALERTS}.items():
            self.check(name, rule["expr"])
            for text in rule.get("annotations", {}).values():
                for query in re.findall(r'printf "([^"]*)"', text):
                    self.check(name, query.replace("%q", '"x"'))

    def test_dashboard(self):
        for where, expression, legend in queries():
            self.check(where, expression)
            shown = set(re.findall(r"{{(\w+)}}", legend))
            for label in shown:
                self.assertTrue(any(self.labels(name) is any or label in self.labels(name)
                                    for name, _ in selectors(expression)), f"{where}: {legend}")
            if by := re.match(r".*?\bby \(([^)]*)\)", expression):
                self.assertLessEqual(shown, set(by[1].split(", ")), where)
            for window in re.findall(r"\[([^\]]*)\]", expression):
                self.assertIn(window, ("$__rate_interval", "$__range", "$__interval"), where)

    def test_all_metrics_are_shown(self):
        """In the dashboard, or there is a reason."""
        shown = {name for _, expression, _ in queries() for name, _ in selectors(expression)}
        self.assertEqual(set(self.exported) - shown, {
            "xlat646_build_info", "xlat646_workers", "xlat646_segment_size_bytes",
            "xlat646_segment_state",  # in the alerts
            "xlat646_worker_sleeps_total", "xlat646_worker_futile_polls_total",
            "xlat646_daemon_threads", "process_start_time_seconds",
            "process_virtual_memory_bytes", "process_open_fds", "process_max_fds"})

    def test_documents(self):
        targets = set(re.findall(r"add_(?:library|executable)\((\w+)", "".join(
            read(path) for pattern in ("*/CMakeLists.txt", "*/*/CMakeLists.txt")
            for path in glob.glob(pattern, root_dir=ROOT))))
        named = {"metrics": 0, "recorded": 0, "alerts": 0}
        for path in DOCUMENTS:
            for word in re.findall(r"(?<![\w:/.-])(?:xlat646_|bird_(?:protocol|ospf)|process_|"
                                   r"node_(?:network|cpu|memory|softnet))\w+", read(path)):
                if word.startswith("xlat646_") and (word in targets or NO_METRICS.match(word)):
                    continue
                named["metrics"] += 1
                known = any(name.startswith(word) for name in self.exported) \
                    if word.endswith("_") else self.labels(word) is not None  # xlat646_daemon_*
                self.assertTrue(known, f"{path}: there is no metric {word}")
            for word in re.findall(r"[\w:]+:xlat646_[\w:]+|xlat646:[\w:]+", read(path)):
                named["recorded"] += 1
                self.assertIn(word, RECORDED, path)
            for word in re.findall(r"\bXlat646[A-Z]\w+", read(path)):
                named["alerts"] += 1
                self.assertIn(word, ALERTS, path)
        self.assertTrue(all(named.values()), named)


class Rules(unittest.TestCase):
    def promtool(self, *words):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False,
                              timeout=100, cwd=PROMETHEUS)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_syntax(self):
        self.promtool("check", "rules", *glob.glob("*.rules.yml", root_dir=PROMETHEUS))
        self.promtool("check", "config", "prometheus.yml")

    def test_unit_tests(self):
        self.promtool("test", "rules", *sorted(glob.glob("*.rules_test.yml", root_dir=PROMETHEUS)))

    def test_each_alert(self):
        """Says what is wrong and what to do, is documented, and a unit test sees it fire."""
        tests = "".join(read(path) for path in glob.glob("packaging/prometheus/*.rules_test.yml",
                                                         root_dir=ROOT))
        document = read("packaging/prometheus/README.md")
        for name, rule in ALERTS.items():
            self.assertEqual(set(rule["annotations"]), {"summary", "description", "action"}, name)
            self.assertIn(rule["labels"]["severity"], ("critical", "warning", "info"), name)
            self.assertIn("for", rule, name)
            self.assertIn(f"| `{name}` |", document)
            fires = rf'{{alertname="{name}", |alertname: {name}\n +exp_alerts:\n'
            self.assertRegex(tests, fires, f"{name} has no unit test")

    def test_drop_reasons(self):
        """Each belongs to exactly one alert."""
        def concerns(rule, reason):
            tests = {"=": lambda v: v == reason, "!=": lambda v: v != reason,
                     "=~": lambda v: re.fullmatch(v, reason),
                     "!~": lambda v: not re.fullmatch(v, reason)}
            return any(all(tests[operator](value) for label, operator, value in matchers
                           if label == "reason")
                       for _, matchers in selectors(rule["expr"]) if matchers)
        for reason in make_dashboard.drop_reasons():
            alerts = [name for name, rule in DROP_ALERTS.items() if concerns(rule, reason)]
            self.assertEqual(len(alerts), 1, f"{reason}: {alerts}")
        for rule in DROP_ALERTS.values():
            for word in re.findall(r"reason!?[=~]+\"([^\"]*)\"", rule["expr"]):
                for part in re.split(r"\|(?![^(]*\))", word):
                    self.assertTrue(any(re.fullmatch(part, r)
                                        for r in make_dashboard.drop_reasons()), part)


class Dashboard(unittest.TestCase):
    def test_current(self):
        make_dashboard_path = os.path.join(GRAFANA, "make_dashboard.py")
        subprocess.run(["/usr/bin/python3", make_dashboard_path, "--check"], check=True, timeout=30)

    def test_form(self):
        board = json.loads(read("packaging/grafana/xlat646.json"))
        self.assertIsNone(board["id"])
        self.assertEqual(board["uid"], "xlat646")
        self.assertEqual([v["name"] for v in board["templating"]["list"]],
                         ["datasource", "job", "site", "instance"])
        ids = [p["id"] for p in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        taken = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertLessEqual(at["x"] + at["w"], 24)
            self.assertFalse(cells & taken, f"{panel['title']} lies on another panel")
            taken |= cells
        for panel in panels():
            self.assertEqual(panel["datasource"]["uid"], "${datasource}", panel["title"])
            self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])

    def test_syntax(self):
        """Of its queries: as recording rules, so that promtool reads them."""
        values = {"$__rate_interval": "5m", "$__range": "1h", "$__interval": "1m", "$job": ".*",
                  "$site": ".*", "$instance": ".*"}
        made = []
        for number, (_, expression, _) in enumerate(queries()):
            for name, value in values.items():
                expression = expression.replace(name, value)
            self.assertNotIn("$", expression.replace('"$1"', ""))
            made.append({"record": f"dashboard:query:{number}", "expr": expression})
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            yaml.safe_dump({"groups": [{"name": "dashboard", "rules": made}]}, file)
            done = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True,
                                  text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_provisioning(self):
        provider, = yaml.safe_load(read("packaging/grafana/provisioning.yml"))["providers"]
        self.assertEqual(provider["type"], "file")


if __name__ == "__main__":
    unittest.main(verbosity=2)
