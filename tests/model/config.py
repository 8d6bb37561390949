# SPDX-License-Identifier: BSD-2-Clause
"""A configuration (keys as in golden rows) with its address classes and its mapping table."""
import ipaddress

# Table 16.1. H: hard martian; D: denied in profile internet; p: as D, but allowed in private.
IPV4_BLOCKS = {
    "0.0.0.0/8": "H",
    "10.0.0.0/8": "p",
    "100.64.0.0/10": "p",
    "127.0.0.0/8": "H",
    "169.254.0.0/16": "H",
    "172.16.0.0/12": "p",
    "192.0.0.0/24": "D",
    "192.0.0.9/32": "A",
    "192.0.0.10/32": "A",
    "192.0.2.0/24": "D",
    "192.88.99.0/24": "D",
    "192.168.0.0/16": "p",
    "198.18.0.0/15": "D",
    "198.51.100.0/24": "D",
    "203.0.113.0/24": "D",
    "224.0.0.0/4": "H",
    "240.0.0.0/4": "H",
}
# Table 16.2, the class as source of an ICMPv6 error.
IPV6_BLOCKS = {
    "::/96": "H",
    "::ffff:0:0/96": "H",
    "64:ff9b::/96": "D",
    "100::/64": "D",
    "100:0:0:1::/64": "D",
    "2001::/23": "D",
    "2001::/32": "A",
    "2001:1::1/128": "A",
    "2001:1::2/128": "A",
    "2001:1::3/128": "A",
    "2001:2::/48": "D",
    "2001:3::/32": "A",
    "2001:4:112::/48": "A",
    "2001:10::/28": "D",
    "2001:20::/28": "D",
    "2001:30::/28": "D",
    "2001:db8::/32": "D",
    "3fff::/20": "D",
    "5f00::/16": "D",
    "fe80::/10": "H",
    "fec0::/10": "D",
    "ff00::/8": "H",
}
WELL_KNOWN = int(ipaddress.IPv6Address("64:ff9b::"))
PLATEAUS = (65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68)


class Classes:
    """The class of an address: that of the most specific block."""

    def __init__(self, blocks, bits):
        self.bits = bits
        self.blocks = []
        for text, kind in blocks.items():
            net = ipaddress.ip_network(text)
            self.blocks.append((net.prefixlen, int(net.network_address), kind))
        self.blocks.sort(reverse=True)
        self.known = {}

    def __call__(self, address):
        kind = self.known.get(address)
        if kind is None:
            kind = "A"
            for length, network, block in self.blocks:
                if (address ^ network) >> (self.bits - length) == 0:
                    kind = block
                    break
            if len(self.known) > 100000:
                self.known.clear()
            self.known[address] = kind
        return kind


CLASS4 = Classes(IPV4_BLOCKS, 32)  # the registry; nothing in a configuration changes class H
CLASS6 = Classes(IPV6_BLOCKS, 128)


def number(text):
    return int(ipaddress.ip_address(text))


class Config:
    def __init__(self, c):
        self.text = c
        self.prefix = int(ipaddress.IPv6Network(c["prefix"]).network_address)
        self.prefix96 = self.prefix >> 32
        self.is_well_known = self.prefix == WELL_KNOWN
        self.own4 = number(c["own4"])
        self.own6 = number(c["own6"])
        pool = c.get("pool4", [])
        assert len(pool) <= 1, "the choice among several members is not deterministic (S91-03)"
        self.pool4 = number(pool[0]) if pool else self.own4  # S91-04
        self.mtu4 = c.get("mtu4", 1500)
        self.mtu6 = c.get("mtu6", 1500)
        self.limit6 = min(c.get("lowest_ipv6_mtu", 1280), self.mtu6)  # F46-05
        self.profile = c.get("profile", "any")
        self.unmapped = c.get("unmapped", "reject")
        self.zero_is_dropped = c.get("udp_zero_checksum", "compute") == "drop"
        self.dscp = c.get("traffic_class")
        clamp = c.get("tcp_mss_clamp")
        self.clamp = min(self.mtu6 - 60, self.mtu4 - 40) if clamp == "auto" else clamp
        self.hairpin = c.get("hairpin", True)
        self.spoof = c.get("drop_spoofed_pairs", True)
        self.policy_codes = c.get("icmpv6_policy_codes", False)
        self.icmp4_size = c.get("icmp4_error_size", 576)
        self.send_unreachable = c.get("send_unreachable", True)
        self.send_parameter = c.get("send_parameter_problem", True)
        self.append_source = c.get("append_original_source", True)
        self._load(c["pairs"])
        # SPA-03: blocks that are switched on or off by the configuration.
        changes = [(text, "A") for text in c.get("allow", [])]
        changes += [(text, "X") for text in c.get("deny", [])]
        self.class4 = Classes({**IPV4_BLOCKS, **{t: k for t, k in changes if ":" not in t}}, 32)
        self.class6 = Classes({**IPV6_BLOCKS, **{t: k for t, k in changes if ":" in t}}, 128)

    def _load(self, pairs):
        """RFC 7757: longest match; host pairs are the longest of all."""
        self.host6, self.host4, self.nets = {}, {}, []
        for text4, text6 in pairs:
            net4, net6 = ipaddress.ip_network(text4), ipaddress.ip_network(text6)
            if net4.prefixlen == 32 and net6.prefixlen == 128:
                self.host6[int(net4.network_address)] = int(net6.network_address)
                self.host4[int(net6.network_address)] = int(net4.network_address)
            else:
                self.nets.append(
                    (
                        int(net4.network_address),
                        net4.prefixlen,
                        int(net6.network_address),
                        net6.prefixlen,
                    )
                )
        self.by4 = sorted(self.nets, key=lambda n: -n[1])
        self.by6 = sorted(self.nets, key=lambda n: -n[3])

    def to6(self, address):
        """EAM-02, without the fallback to RFC 6052: None when no pair matches."""
        found = self.host6.get(address)
        if found is not None or not self.nets:
            return found
        for net4, len4, net6, len6 in self.by4:
            if (address ^ net4) >> (32 - len4) == 0:
                suffix = address & ((1 << (32 - len4)) - 1)
                return net6 | suffix << (128 - len6 - (32 - len4))
        return None

    def to4(self, address):
        """EAM-03, likewise."""
        found = self.host4.get(address)
        if found is not None or not self.nets:
            return found
        for net4, len4, net6, len6 in self.by6:
            if (address ^ net6) >> (128 - len6) == 0:
                return net4 | (address >> (128 - len6 - (32 - len4))) & ((1 << (32 - len4)) - 1)
        return None

    def embed(self, address):
        return self.prefix | address

    def is_embedded(self, address):
        return address >> 32 == self.prefix96

    def denies4(self, address):
        """Is this client denied by the policy, or by A52-06?"""
        if self.is_well_known and CLASS4(address) != "A":
            return True
        kind = self.class4(address)
        if kind in "AX":
            return kind == "X"
        return self.profile == "internet" or self.profile == "private" and kind != "p"

    def denies_router6(self, address):
        kind = self.class6(address)
        return kind == "X" or kind != "A" and self.profile != "any"

    def traffic_class(self, octet):
        """T46-04, T64-02, ECN-02: an option changes DSCP, never ECN."""
        return octet if self.dscp is None else self.dscp << 2 | octet & 3
