# SPDX-License-Identifier: BSD-2-Clause
"""The rows of tests/golden as packets, and their configurations as xlat646.yaml.

The format is in tests/golden/README.md. Rows with an offload header are left out: that header is
between the kernel and the translator and cannot be sent by cable. So are packets that are longer
than the MTU of any device."""

import ipaddress
import json
import pathlib

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"
LARGEST_MTU = 65535

# Key of a golden configuration -> section and key of xlat646.yaml.
YAML_KEYS = {
    "own4": ("own_addresses", "ipv4"), "own6": ("own_addresses", "ipv6"),
    "mtu4": ("mtu", "ipv4"), "mtu6": ("mtu", "ipv6"), "lowest_ipv6_mtu": ("mtu", "lowest_ipv6"),
    "icmp4_error_size": ("icmp_errors", "size_ipv4"),
    "append_original_source": ("icmp_errors", "original_source"),
    "send_unreachable": ("icmp_errors", "unreachable"),
    "send_parameter_problem": ("icmp_errors", "parameter_problem"),
}
YAML_KEYS.update({key: ("policy", key) for key in (
    "profile", "unmapped", "udp_zero_checksum", "traffic_class", "tcp_mss_clamp", "hairpin",
    "drop_spoofed_pairs", "icmpv6_policy_codes", "allow", "deny")})
YAML_KEYS.update({key: ("icmp_rate", key) for key in (
    "per_second", "burst", "per_source_per_second", "per_source_burst")})


def expand(encoded):
    if isinstance(encoded, str):
        return bytes.fromhex(encoded)
    parts = []
    for piece in encoded:
        if isinstance(piece, str):
            parts.append(bytes.fromhex(piece))
        elif "repeat" in piece:
            parts.append(bytes.fromhex(piece["repeat"][0]) * piece["repeat"][1])
        else:
            parts.append(bytes((piece["start"] + i) & 0xFF for i in range(piece["count"])))
    return b"".join(parts)


class Row:
    def __init__(self, file, number, encoded):
        self.name = f"{file} {number} {' '.join(encoded['requirement'])}: {encoded['description']}"
        self.packet = expand(encoded["in"])
        self.is_v4 = encoded["direction"] == "4to6"
        self.outcome = encoded["outcome"]
        self.out = [expand(o) for o in encoded.get("out", [])]
        self.masks = encoded.get("mask") or [[] for _ in self.out]

    def expected(self):
        return [hide(out, mask) for out, mask in zip(self.out, self.masks, strict=True)]

    @property
    def destination(self):
        """None when the packet is too short to have one."""
        packed = self.packet[16:20] if self.is_v4 else self.packet[24:40]
        return ipaddress.ip_address(packed) if len(packed) in (4, 16) else None


def hide(packet, mask):
    packet = bytearray(packet)
    for start, end in mask:
        packet[start:end] = bytes(len(packet[start:end]))
    return bytes(packet)


class Setup:
    """A configuration and its rows."""

    def __init__(self, config):
        self.config = config
        self.rows = []
        prefix = ipaddress.IPv6Network(config["prefix"]).network_address
        self.own4 = config.get("own4", "192.0.0.8")
        embedded = ipaddress.IPv6Address(int(prefix) + int(ipaddress.IPv4Address(self.own4)))
        self.own6 = config.get("own6", str(embedded))
        self.pairs = config.get("pairs", [])
        # Rows were written for a translator that has sent nothing yet.
        self.needs_fresh_daemon = any(YAML_KEYS.get(k, [""])[0] == "icmp_rate" for k in config)

    def sections(self):
        """For lab.Daemon."""
        sections = {
            "translation_prefix": self.config["prefix"],
            "icmp_source_pool": self.config.get("pool4") or None,
            "own_addresses": {}, "policy": {"profile": "any"},
            "icmp_rate": {} if self.needs_fresh_daemon else {"per_second": 0},
        }
        for key, value in self.config.items():
            if key not in ("prefix", "pairs", "pool4"):
                section, name = YAML_KEYS[key]
                sections.setdefault(section, {})[name] = value
        return sections


def load():
    """Every row that can be sent, in one Setup per configuration."""
    setups = {}
    for path in sorted(GOLDEN.glob("*.json")):
        with path.open(encoding="utf-8") as file:
            content = json.load(file)
        for number, encoded in enumerate(content["rows"]):
            if "offload" in encoded:
                continue
            config = content["configs"][encoded["config"]]
            row = Row(path.stem, number, encoded)
            if len(row.packet) > LARGEST_MTU:
                continue
            setups.setdefault(json.dumps(config, sort_keys=True), Setup(config)).rows.append(row)
    return list(setups.values())
