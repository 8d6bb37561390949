# SPDX-License-Identifier: BSD-2-Clause
"""A namespace with a real Prometheus beside the nodes of examples/tokyo-osaka, connected to each of
them by a network for management; the exporters on the nodes."""

import json
import os
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import yaml

from lab import daemon_path
from netns import LabError, wait_until

PACKAGING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../packaging/prometheus")
EXPORTERS = {"xlat646": 9646, "bird": 9324}  # port by job


def exporter_path():
    """xlat646-exporter lies beside xlat646d, or is named."""
    path = os.environ.get("XLAT646_EXPORTER") or os.path.join(os.path.dirname(daemon_path()),
                                                              "xlat646-exporter")
    if not os.access(path, os.X_OK):
        raise LabError(f"{path} is not there")
    return path


class Monitoring:
    def __init__(self, net):
        self.net = net
        self.directory = tempfile.mkdtemp(prefix="xlat646-prometheus-")
        net.add("monitor")
        self.addresses = {}  # of nodes, as Prometheus sees them
        for node in net.nodes.values():
            low = f"172.16.46.{4 * node.number}"
            net.veth("monitor", f"to-{node.name}", node.name, "mgmt")
            stem, last = low.rsplit(".", 1)
            net.ip("monitor", f"addr add {stem}.{int(last) + 1}/30 dev to-{node.name}")
            net.ip(node.name, f"addr add {stem}.{int(last) + 2}/30 dev mgmt")
            self.addresses[node.name] = f"{stem}.{int(last) + 2}"

    def start(self):
        with open(os.path.join(self.directory, "log"), "ab") as log:
            for node in self.net.nodes.values():
                address = self.addresses[node.name]
                self.net.start(node.name, exporter_path(), "--stats",
                               os.path.join(node.daemon.directory, "stats"), "--listen",
                               f"{address}:{EXPORTERS['xlat646']}", "--per-mapping", "tenant",
                               stdout=log, stderr=log)
                self.net.start(node.name, "prometheus-bird-exporter", "-bird.v2", "-format.new",
                               "-bird.socket", node.bird.socket, "-web.listen-address",
                               f"{address}:{EXPORTERS['bird']}", stdout=log, stderr=log)
            self._write()
            self.net.start("monitor", "prometheus", "--config.file",
                           os.path.join(self.directory, "prometheus.yml"), "--storage.tsdb.path",
                           os.path.join(self.directory, "data"), "--web.listen-address",
                           "127.0.0.1:9090", stdout=log, stderr=log)
        try:
            wait_until(self._answers, "Prometheus answers", 60, 0.1)
        except LabError as error:
            raise LabError(f"{error}\n{self.log()}") from None

    def _answers(self):
        try:
            return len(self.query("up == 1")) == len(EXPORTERS) * len(self.addresses)
        except (LabError, urllib.error.URLError, ConnectionError):
            return False  # while it starts it refuses connections, then queries

    def _write(self):
        """The shipped files; the addresses are this network's, and each period is a second."""
        with open(os.path.join(PACKAGING, "prometheus.yml"), encoding="utf-8") as file:
            config = yaml.safe_load(file)
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["scrape_configs"] = [c for c in config["scrape_configs"]
                                    if c["job_name"] in EXPORTERS]
        for job in config["scrape_configs"]:
            for entry in job["static_configs"]:
                name, port = entry["targets"][0].split(".")[0], entry["targets"][0].split(":")[1]
                entry["targets"] = [f"{self.addresses[name]}:{port}"]
        for name in config["rule_files"]:
            with open(os.path.join(PACKAGING, name), encoding="utf-8") as file:
                rules = yaml.safe_load(file)
            for group in rules["groups"]:
                group.pop("interval", None)
                for rule in group["rules"]:
                    if "for" in rule:
                        rule["for"] = "1s"
            self._dump(name, rules)
        self._dump("prometheus.yml", config)

    def _dump(self, name, content):
        with open(os.path.join(self.directory, name), "w", encoding="utf-8") as file:
            yaml.safe_dump(content, file, width=1000)

    def get(self, path, **arguments):
        url = f"http://127.0.0.1:9090{path}?{urllib.parse.urlencode(arguments)}"
        with self.net.inside("monitor"):
            try:
                with urllib.request.urlopen(url, timeout=30) as answer:
                    return json.load(answer)["data"]
            except urllib.error.HTTPError as error:
                raise LabError(f"{url}: {error.read().decode()}") from None

    def query(self, expression):
        """[(labels, value)]"""
        return [(r["metric"], float(r["value"][1]))
                for r in self.get("/api/v1/query", query=expression)["result"]]

    def values(self, expression, *labels):
        """{values of the labels: value}"""
        return {tuple(metric.get(label, "") for label in labels): value
                for metric, value in self.query(expression)}

    def firing(self):
        """{alert: [sites]}"""
        found = {}
        for alert in self.get("/api/v1/alerts")["alerts"]:
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(
                    alert["labels"].get("site", ""))
        return {name: sorted(sites) for name, sites in found.items()}

    def log(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8") as file:
            return file.read()[-4000:]

    def remove(self):
        """When the namespaces, and all that ran in them, are gone."""
        shutil.rmtree(self.directory, ignore_errors=True)
