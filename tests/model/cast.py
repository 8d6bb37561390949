# SPDX-License-Identifier: BSD-2-Clause
"""The configurations and the addresses that generated packets use."""
from config import IPV4_BLOCKS, IPV6_BLOCKS, Config, number

import ipaddress

PREFIX = "2001:db8:64::/96"
BASE = {
    "prefix": PREFIX,
    "pairs": [["192.0.2.1", "2001:db8:1::10"], ["192.0.2.2", "2001:db8:2::20"]],
    "own4": "203.0.113.1",
    "own6": "2001:db8:ffff::1",
    "pool4": ["203.0.113.65"],
    "profile": "any",
    "per_second": 0,  # no rate limits
    "append_original_source": False,
}
# Matrix table 11.2.
EAM = [
    ["192.0.2.1", "2001:db8:aaaa::"],
    ["192.0.2.2/32", "2001:db8:bbbb::b/128"],
    ["192.0.2.16/28", "2001:db8:cccc::/124"],
    ["192.0.2.128/26", "2001:db8:dddd::/64"],
    ["192.0.2.192/29", "2001:db8:eeee:8::/62"],
    # Longer matches inside of the prefixes above.
    ["192.0.2.17", "2001:db8:1717::1"],
    ["192.0.2.136/30", "2001:db8:1234::/126"],
]
CHANGES = (
    {},
    {"profile": "internet", "deny": ["8.8.8.0/24", "2a00::/16"], "allow": ["10.1.0.0/16"]},
    {"profile": "private", "pool4": []},
    {"mtu4": 9000, "mtu6": 9000},
    {"mtu4": 576, "mtu6": 1400, "tcp_mss_clamp": "auto"},
    {"lowest_ipv6_mtu": 1500, "icmp4_error_size": 1260, "mtu4": 1400},
    {"udp_zero_checksum": "drop", "unmapped": "drop", "drop_spoofed_pairs": False},
    {"hairpin": False, "unmapped": "reject_host", "icmpv6_policy_codes": True},
    {"prefix": "64:ff9b::/96", "pairs": [*BASE["pairs"], ["10.9.9.9", "fd00::9"]]},
    {"traffic_class": 46, "tcp_mss_clamp": 1220, "drop_spoofed_pairs": False},
    {"pairs": EAM, "tcp_mss_clamp": "auto", "traffic_class": 0},
    {
        "own4": "192.0.0.8",
        "own6": "2001:db8:64::192.0.0.8",
        "pool4": [],
        "send_unreachable": False,
        "send_parameter_problem": False,
    },
    {"mtu4": 1260, "mtu6": 1280, "icmp4_error_size": 800, "append_original_source": True},
    {"profile": "internet", "udp_zero_checksum": "drop", "mtu6": 1492, "lowest_ipv6_mtu": 1400},
    {"append_original_source": True, "drop_spoofed_pairs": False},
)
TEXTS = [{**BASE, **change} for change in CHANGES]


def edges(blocks, bits):
    """The ends of each block and their neighbours."""
    found = set()
    for text in blocks:
        net = ipaddress.ip_network(text)
        first, last = int(net.network_address), int(net.broadcast_address)
        found.update(a for a in (first - 1, first, first + 1, last, last + 1) if 0 <= a < 1 << bits)
    return sorted(found)


EDGES4 = edges([*IPV4_BLOCKS, "192.0.0.0/29", "192.0.0.8/32", "192.0.0.170/31"], 32)
EDGES6 = edges([*IPV6_BLOCKS, "64:ff9b:1::/48", "2002::/16", "fc00::/7"], 128)
CLIENTS = [number(a) for a in ("198.51.100.7", "198.51.100.77", "8.8.8.8", "1.1.1.1", "10.1.2.3")]
CLIENTS += [number(a) for a in ("172.16.0.1", "100.64.0.1", "9.9.9.9", "223.255.255.254")]
ROUTERS6 = [number(a) for a in ("2001:db8:ff::1", "2a00::1", "2003::1", "fd00::1", "fec0::1")]
ROUTERS6 += [number(a) for a in ("2001:db8:64:1::c633:6407", "5f00::1", "2400::1")]


class Cast:
    """One configuration and who plays in it."""

    def __init__(self, text):
        self.config = config = Config(text)
        self.pairs = list(config.host6.items())
        for net4, len4, _, _ in config.nets:
            for suffix in {0, 1, (1 << (32 - len4)) // 2, (1 << (32 - len4)) - 1}:
                self.pairs.append((net4 | suffix, config.to6(net4 | suffix)))
        self.unmapped4 = [number("192.0.2.99"), number("192.0.2.3"), number("192.0.2.15")]
        self.unmapped6 = [number("2001:db8:9::9"), number("2001:db8:1::11")]
        self.clients = [a for a in CLIENTS if not config.denies4(a)]
        self.sizes4 = [config.mtu4, config.limit6 - 20, config.mtu6 - 20, 1260, 1280, 576]
        self.sizes4 += [config.limit6 - 28, config.mtu6 - 28]
        # Two full pieces, the last one as long as it may be.
        room4, room6 = config.mtu4 - 20, config.limit6 - 48
        self.sizes4.append(20 + room6 // 8 * 8 + room6)
        self.sizes6 = [config.mtu4 + 20, config.mtu4 + 28, config.mtu6, 1280, 1300, config.limit6]
        self.sizes6.append(40 + room4 // 8 * 8 + room4)


CASTS = [Cast(text) for text in TEXTS]
