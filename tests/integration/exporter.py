# SPDX-License-Identifier: BSD-2-Clause
"""xlat646-exporter beside the daemon of the laboratory, and what its answers say."""

import http.client
import os
import re
import socket
import subprocess
import tempfile

from lab import LabError, daemon_path
from netns import wait_until

PORT = 9646
SERIES = re.compile(r"^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-z0-9_]+)="((?:[^"\\]|\\.)*)"(?:,|$)')


def exporter_path():
    path = os.path.join(os.path.dirname(daemon_path()), "xlat646-exporter")
    if not os.access(path, os.X_OK):
        raise LabError(f"{path} is not there")
    return path


def parse(text):
    """{name: {labels as a frozenset of pairs: value}}; a series that comes twice is an error."""
    out = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SERIES.match(line).groups()
        key = frozenset(LABEL.findall(labels or ""))
        if key in out.setdefault(name, {}):
            raise AssertionError(f"twice: {line}")
        out[name][key] = float(value)
    return out


def value_of(metrics, metric, /, **labels):
    return metrics[metric][frozenset(labels.items())]


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()


class Exporter:
    """One process; `under` are words in front of its command line."""

    def __init__(self, lab, stats, *options, role="gw", under=(), wait=True):
        self.lab, self.role = lab, role
        self.log_file = tempfile.NamedTemporaryFile(prefix="xlat646-exporter-", suffix=".log")
        self.process = lab.start(role, *under, exporter_path(), "--stats", stats, *options,
                                 stdout=self.log_file, stderr=subprocess.STDOUT)
        if wait:
            wait_until(self.answers, "the exporter's answer")

    def answers(self):
        if self.process.poll() is not None:
            raise LabError(f"the exporter ended with {self.process.returncode}:\n{self.log()}")
        try:
            return self.get("/-/healthy").status == 200
        except (OSError, http.client.HTTPException):
            return False

    def log(self):
        with open(self.log_file.name, encoding="utf-8") as file:
            return file.read()

    def connect(self, address="127.0.0.1", timeout=30):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        made = self.lab.socket(self.role, family, socket.SOCK_STREAM, timeout=timeout)
        try:
            made.connect((address, PORT))
        except OSError:
            made.close()
            raise
        return made

    def get(self, path, method="GET", address="127.0.0.1", body=None):
        connection = http.client.HTTPConnection("localhost")
        connection.sock = self.connect(address)
        try:
            connection.request(method, path, body=body)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def metrics(self):
        answer = self.get("/metrics")
        assert answer.status == 200, answer.text
        return parse(answer.text)

    def resident(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def stop(self):
        """Returns the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        status = self.process.wait(timeout=30)
        self.log_file.close()
        return status
