# SPDX-License-Identifier: BSD-2-Clause
"""A real Prometheus scrapes two nodes of examples/tokyo-osaka with the shipped configuration and
rules: its numbers are iperf3's, and it sees what is wrong."""

import json
import os
import signal
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../examples/tokyo-osaka"), os.path.join(HERE, "..")]

# pylint: disable=wrong-import-position
import metrics_test
from events import ANOTHER_PAIR, BROKEN_MAPPING
from monitoring import Monitoring
from netns import LabError, need_tools, wait_until
from stats_segment import StatsSegment
from topology import SERVERS, Topology
from traffic import echo_datagrams

PATIENT = {"readiness": {"failures": 10}, "bfd_ms": 300}
TENANTS = {"s1": "acme", "s2": "umbrella", "s3": "acme"}
IPV4_UDP, IPV6_UDP = 28, 48
# Headers of TCP: without options, and with all that there is room for.
LEAST, MOST = {"4to6": 40, "6to4": 60}, {"4to6": 80, "6to4": 100}
CONTROL = 20000  # iperf3 talks about the test over a connection of its own
HELLO = 4        # and begins a UDP stream with a datagram in each direction


def mapping(extra=()):
    lines = [f'  - {{ ipv4: {public}, ipv6: "{own}", name: {name}, tenant: {TENANTS[name]} }}\n'
             for name, (public, own, _) in SERVERS.items()]
    lines += [f'  - {{ ipv4: {a}, ipv6: "{b}" }}\n' for a, b in extra]
    return "version: 1\nmappings:\n" + "".join(lines)


class Monitored(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        need_tools("prometheus", "prometheus-bird-exporter", "iperf3")
        cls.net = Topology(2, **PATIENT)
        cls.monitoring = Monitoring(cls.net)
        cls.addClassCleanup(cls.monitoring.remove)
        cls.addClassCleanup(cls.net.close)
        for node in cls.net.nodes.values():
            node.daemon.write_mapping(mapping())
        cls.net.start_nodes()
        cls.monitoring.start()

    def wait(self, condition, what):
        """Scrapes and rules come once a second."""
        try:
            return wait_until(condition, what, 90, 0.2)
        except LabError as error:
            self.fail(f"{error}\nfiring: {self.monitoring.firing()}\n{self.monitoring.log()}")

    def wait_well(self):
        self.wait(lambda: not self.monitoring.firing(), "no alert")

    def values(self, expression, *labels):
        return self.monitoring.values(expression, *labels)

    def tenants(self, what):
        return self.values(f"sum by (tenant, direction) (xlat646_tenant_{what}_total)", "tenant",
                           "direction")

    def counted(self):
        """What the segments say, read without any of the exporter's code."""
        packets, size = {}, {}
        for node in self.net.nodes.values():
            segment = StatsSegment(os.path.join(node.daemon.directory, "stats"))
            for name, tenant in TENANTS.items():
                pair = segment.pair(SERVERS[name][0])
                for n, direction in enumerate(("4to6", "6to4")):
                    key = (tenant, direction)
                    packets[key] = packets.get(key, 0) + pair[2 * n]
                    size[key] = size.get(key, 0) + pair[2 * n + 1]
        return packets, size

    def settled(self):
        """Packets and bytes by tenant and direction, when Prometheus has seen all."""
        def look():
            found = self.tenants("packets"), self.tenants("bytes")
            return found if found == self.counted() else None
        return self.wait(look, "Prometheus has what the segments have")

    def since(self, before):
        return [{key: value - old[key] for key, value in new.items()}
                for old, new in zip(before, self.settled())]

    def iperf3(self, *tests):
        """(server, options...) each, at the same time; what the clients say."""
        servers, clients = [], []
        for number, (server, *_) in enumerate(tests):
            port = str(5201 + number)
            servers.append(self.net.start(server, "iperf3", "-s", "-1", "-p", port,
                                          stdout=subprocess.DEVNULL))
            wait_until(lambda s=server, p=port: self.net.listening(s, int(p)), "iperf3 listens")
        for number, (server, *options) in enumerate(tests):
            clients.append(self.net.start("client", "iperf3", "-J", "-c", SERVERS[server][0], "-p",
                                          str(5201 + number), *options, stdout=subprocess.PIPE))
        said = [json.loads(client.communicate(timeout=90)[0]) for client in clients]
        for server in servers:
            server.wait(timeout=30)
        for one in said:
            self.assertNotIn("error", one)
        return [one["end"] for one in said]

    def test_datagrams(self):
        """Exact: so many packets of that size for each tenant, over whatever node they go."""
        before = self.settled()
        sent = {"s1": (150, 700), "s2": (60, 1200), "s3": (40, 64)}
        for server, (count, size) in sent.items():
            public, own, _ = SERVERS[server]
            echo_datagrams(self.net, "client", public, (server, own), count, size)
        packets, size = self.since(before)
        self.assertEqual(packets, {("acme", "4to6"): 190, ("acme", "6to4"): 190,
                                   ("umbrella", "4to6"): 60, ("umbrella", "6to4"): 60})
        acme = 150 * 700 + 40 * 64
        self.assertEqual(size, {("acme", "4to6"): acme + 190 * IPV4_UDP,
                                ("acme", "6to4"): acme + 190 * IPV6_UDP,
                                ("umbrella", "4to6"): 60 * (1200 + IPV4_UDP),
                                ("umbrella", "6to4"): 60 * (1200 + IPV6_UDP)})

    def test_iperf3_tcp(self):
        """One tenant receives, the other one sends: iperf3's bytes and their headers."""
        before = self.settled()
        acme, umbrella = self.iperf3(("s1", "-n", "40M"), ("s2", "-n", "25M", "-R"))
        packets, size = self.since(before)
        for key, said, least in ((("acme", "4to6"), acme, 40 << 20),
                                 (("umbrella", "6to4"), umbrella, 25 << 20)):
            direction = key[1]
            sent, received = said["sum_sent"], said["sum_received"]
            self.assertGreaterEqual(sent["bytes"], least)
            self.assertGreaterEqual(size[key],
                                    received["bytes"] + LEAST[direction] * packets[key])
            self.assertLessEqual(size[key], sent["bytes"] + MOST[direction] * packets[key]
                                 + 1500 * sent["retransmits"] + CONTROL)
        # What came back are acknowledgements.
        self.assertLess(size[("acme", "6to4")], size[("acme", "4to6")] / 5)
        rates = self.values("job_tenant_direction:xlat646_tenant_bytes:rate5m", "tenant",
                            "direction")
        self.assertEqual(set(rates), set(size))

    def test_iperf3_udp(self):
        before = self.values('sum by (what) (label_replace(xlat646_packets_translated_total{'
                             'protocol="udp", direction="4to6"}, "what", "packets", "", "") or '
                             'label_replace(xlat646_translated_bytes_total{protocol="udp", '
                             'direction="4to6"}, "what", "bytes", "", ""))', "what")
        old = self.settled()
        said, = self.iperf3(("s3", "-u", "-b", "8M", "-l", "1000", "-n", "2M"))
        self.since(old)
        total = said["sum"]
        arrived = said["sum_received"]["bytes"] // 1000  # before iperf3 ended
        packets = self.values('sum(xlat646_packets_translated_total{protocol="udp", '
                              'direction="4to6"})')[()] - before[("packets",)]
        size = self.values('sum(xlat646_translated_bytes_total{protocol="udp", '
                           'direction="4to6"})')[()] - before[("bytes",)]
        self.assertGreaterEqual(packets, arrived + 1)
        self.assertLessEqual(packets, total["packets"] + 1)
        self.assertEqual(size, (packets - 1) * (1000 + IPV4_UDP) + HELLO + IPV4_UDP)

    def test_tables(self):
        self.wait_well()
        digest = StatsSegment(os.path.join(self.net.nodes["tokyo"].daemon.directory,
                                           "stats")).digest
        self.assertEqual(self.values("xlat646_mapping_info", "site", "sha256"),
                         {("tokyo", digest[:16]): 1, ("osaka", digest[:16]): 1})
        self.assertEqual(self.values("job:xlat646_mapping_tables:count"), {(): 1})
        tokyo = self.net.nodes["tokyo"].daemon
        tokyo.write_mapping(mapping([ANOTHER_PAIR]))
        tokyo.signal_and_wait(signal.SIGHUP, "reloaded:")
        self.wait(lambda: self.monitoring.firing() == {"Xlat646TablesDiffer": [""]}, "divergence")
        self.assertEqual(self.values("job:xlat646_mapping_tables:count > 1"), {(): 2})
        alert, = self.monitoring.get("/api/v1/alerts")["alerts"]
        self.assertIn(f"{self.monitoring.addresses['osaka']} has {digest[:16]}",
                      alert["annotations"]["description"])
        tokyo.write_mapping(mapping())
        tokyo.signal_and_wait(signal.SIGHUP, "reloaded:")
        self.wait_well()
        self.assertEqual(self.values("job:xlat646_mapping_tables:count > 1"), {})

    def test_refused_reload(self):
        self.wait_well()
        osaka = self.net.nodes["osaka"].daemon
        osaka.write_mapping(BROKEN_MAPPING)
        osaka.signal_and_wait(signal.SIGHUP, "reload failed")
        self.wait(lambda: self.monitoring.firing() == {"Xlat646ReloadFailed": ["osaka"]}, "alert")
        osaka.write_mapping(mapping())
        osaka.signal_and_wait(signal.SIGHUP, "reloaded:")
        self.wait_well()

    def test_routing(self):
        """What bird_exporter says fits what the rules ask it: kill -9, and drain."""
        self.wait_well()
        addresses = self.monitoring.addresses

        def announcing():
            """Pool, prefix, and the node's own addresses."""
            found = self.values("instance:xlat646_routes_advertised:sum", "instance")
            return {site: found[(address,)] > 0 for site, address in addresses.items()}
        self.wait(lambda: announcing() == {"tokyo": True, "osaka": True}, "both announce")
        for name in metrics_test.OTHERS:
            if name.startswith("bird_"):
                self.assertTrue(self.monitoring.query(name), f"bird_exporter has no {name}")
        tokyo, osaka = self.net.nodes["tokyo"], self.net.nodes["osaka"]
        self.net.kill(osaka.daemon.process)
        self.wait(lambda: self.monitoring.firing().get("Xlat646Stale") == ["osaka"], "alert")
        self.wait(lambda: announcing() == {"tokyo": True, "osaka": False}, "withdrawn")
        self.assertEqual(self.values("xlat646_ready", "site"), {("tokyo",): 1, ("osaka",): 0})
        self.assertEqual(self.values("job:xlat646_ready:max"), {(): 1})
        osaka.start_daemon()
        self.net.wait_running()
        self.wait_well()
        tokyo.tool("drain")
        self.wait(lambda: self.monitoring.firing() == {"Xlat646ReadyNotAdvertised": ["tokyo"]},
                  "a forgotten drain")
        tokyo.tool("undrain")
        self.net.wait_running()
        self.wait_well()

    def test_dashboard(self):
        """Prometheus understands each query of it, and has an answer."""
        for _ in range(3):  # no_mapping, and an ICMP error
            self.net.run("client", "ping", "-n", "-c", "1", "-W", "1", "192.0.2.77")
        values = {"$__rate_interval": "1m", "$__interval": "1m", "$__range": "5m",
                  "$job": "xlat646", "$site": "tokyo|osaka", "$instance": ".*"}
        self.wait(lambda: self.values("rate(xlat646_packets_dropped_total[1m]) > 0"), "drops")
        empty = []
        for where, expression, _ in metrics_test.queries():
            for name, value in values.items():
                expression = expression.replace(name, value)
            # Neither node_exporter nor a fast path is here; the exporters show tenants.
            missing = any(part in expression for part in ("node_", "fastpath", "xlat646_mapping_p",
                                                          "xlat646_mapping_b", "changes("))
            if not self.monitoring.query(expression) and not missing:
                empty.append(f"{where}: {expression}")
        self.assertEqual(empty, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
