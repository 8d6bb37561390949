# SPDX-License-Identifier: BSD-2-Clause
"""A gateway with two cables and, at their other ends, a tester that speaks raw frames.

    t:v4 ------- v4 gw xlat646 v6 ------- t:v6

The gateway's kernel routes as any router: it lowers TTL and hop limit before the TUN and after it.
The tester has no addresses, so nothing but the gateway ever answers.

No waiting: after each packet two pings go to the translator itself, one per family. Everything is
on one CPU and the translator has one queue, so when both answers are there, whatever the packet
caused is there as well."""

import ipaddress
import os
import socket
import sys
import time

from golden_rows import GOLDEN
from lab import TUN
from netns import ETH_P_ALL, SO_RCVBUFFORCE, LabError, Net

sys.path.append(str(GOLDEN))
from packets import checksum, icmp, v4, v6

GW4, NEXT4 = "198.19.255.253", "198.19.255.254"
GW6, NEXT6 = "2001:db8:fffe:fffe::1", "fe80::2"
PING4, PING6 = "8.8.4.4", "2a00:dead::5"  # clients that every profile accepts
MARK = b"xlat646 sentinel "
MLD_ROUTERS = bytes.fromhex("ff020000000000000000000000000016")
PATIENCE = 20.0  # seconds; only so that a broken program ends as a failure


class Port:
    """One end of a device, as IP packets."""

    def __init__(self, net, role, dev, header):
        self.header = header  # whether the device has Ethernet headers
        with net.inside(role):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                        socket.htons(ETH_P_ALL))
            self.socket.bind((dev, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.socket.settimeout(PATIENCE)

    def send(self, packet, frame_header=b""):
        self.socket.send(frame_header + packet)

    def read_until(self, is_last):
        """Yields (packet, outgoing) up to the one that is the last, without it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            frame, address = self.socket.recvfrom(70000)
            packet = frame[14:] if self.header else frame
            outgoing = address[2] == socket.PACKET_OUTGOING
            if is_last(packet, outgoing):
                return
            yield packet, outgoing
        raise TimeoutError

    def close(self):
        self.socket.close()


class Seen:
    """What one packet caused."""

    def __init__(self):
        self.read = []     # by the translator from the TUN
        self.written = []  # by the translator into the TUN
        self.wire = []     # (is_v4 side, packet) that arrived at the tester
        self.kernel = []   # errors that the gateway's kernel has sent for itself


def age(packet, steps=-1):
    """What a router does to TTL or hop limit."""
    packet = bytearray(packet)
    if packet[0] >> 4 == 4:
        packet[8] += steps
        total = 0xFFFF ^ int.from_bytes(packet[10:12], "big")  # RFC 1624: a wrong one stays wrong
        total += steps * 256 % 0xFFFF
        total = (total & 0xFFFF) + (total >> 16)
        packet[10:12] = (0xFFFF ^ total).to_bytes(2, "big")
    else:
        packet[7] += steps
    return bytes(packet)


def ip_length(packet):
    """By the header; what lies behind is the link's."""
    if packet[0] >> 4 == 4:
        return int.from_bytes(packet[2:4], "big")
    return 40 + int.from_bytes(packet[4:6], "big")


def has_good_header(packet):
    if packet[0] >> 4 == 4:
        header = (packet[0] & 15) * 4
        return 20 <= header <= ip_length(packet) <= len(packet) and checksum(packet[:header]) == 0
    return packet[0] >> 4 == 6 and ip_length(packet) <= len(packet)


def is_hard_martian(packed):
    """What a kernel neither accepts as a source nor routes."""
    if len(packed) == 4:
        return packed[0] in (0, 127) or 224 <= packed[0] < 240 or packed == b"\xff" * 4
    address = ipaddress.IPv6Address(packed)
    return int(address) in (0, 1) or address.is_link_local or address.is_multicast


def refused_before(packet, is_v4):
    """Why the gateway's kernel keeps this packet, whose TTL is that of the row, from the TUN, or
    changes it. None: it has no reason to."""
    if not has_good_header(packet) or (packet[0] >> 4 == 4) != is_v4:
        return "bad header or length"
    if packet[8 if is_v4 else 7] == 0:
        return "TTL or hop limit ends in the gateway"
    addresses = (packet[12:16], packet[16:20]) if is_v4 else (packet[8:24], packet[24:40])
    if any(is_hard_martian(a) for a in addresses):
        return "martian, multicast or link-local address"
    if is_v4 and packet[0] & 15 > 5:
        return "IPv4 options: a router checks them and fills them in"
    if not is_v4 and packet[6] == 0:
        return "Hop-by-Hop options: a router checks them"
    return None


class Bench(Net):
    def __init__(self):
        super().__init__("gw", "t")
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self.tun = None
        self.count = 0
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def _connect(self):
        self.sysctl("t", **{"net.ipv6.conf.all.disable_ipv6": 1,
                            "net.ipv6.conf.default.disable_ipv6": 1})
        self.forward("gw")
        self.sysctl("gw", **{"net.ipv4.conf.all.accept_source_route": 1,
                             "net.ipv4.conf.default.accept_source_route": 1})
        for dev in ("v4", "v6"):
            self.veth("gw", dev, "t", dev)
            for role in ("gw", "t"):
                self.ip(role, f"link set {dev} mtu 65535")  # sizes are the translator's business
                self.ethtool(role, dev, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
        self.sysctl("gw", **{"net.ipv6.conf.v4.disable_ipv6": 1})
        self.ip("gw", "link set v6 down", "link set v6 addrgenmode none", "link set v6 up",
                f"addr add {GW4}/32 dev v4", f"addr add {GW6}/128 dev v6 nodad",
                f"neigh add {NEXT4} lladdr {self._mac('t', 'v4')} dev v4 nud permanent",
                f"neigh add {NEXT6} lladdr {self._mac('t', 'v6')} dev v6 nud permanent",
                f"route add default via {NEXT4} dev v4 onlink",
                f"route add default via {NEXT6} dev v6")
        self.frame_headers = {
            True: self._mac_bytes("gw", "v4") + self._mac_bytes("t", "v4") + b"\x08\x00",
            False: self._mac_bytes("gw", "v6") + self._mac_bytes("t", "v6") + b"\x86\xdd"}
        self.sides = {True: Port(self, "t", "v4", True), False: Port(self, "t", "v6", True)}
        self.own = {ipaddress.ip_address(a).packed for a in (GW4, GW6)}

    def _mac(self, role, dev):
        words = self.ip_output(role, f"-o link show {dev}").split()
        return words[words.index("link/ether") + 1]

    def _mac_bytes(self, role, dev):
        return bytes.fromhex(self._mac(role, dev).replace(":", ""))

    def attach(self, own4, own6):
        """After each start of the daemon, with its own addresses."""
        if self.tun:
            self.tun.close()
        self.tun = Port(self, "gw", TUN, False)
        self.own4, self.own6 = own4, own6

    def route(self, action, destination):
        self.ip("gw", f"route {action} {destination} dev {TUN} metric 7")

    def send(self, packet, is_v4):
        """By cable, as any host does."""
        self.sides[is_v4].send(packet, self.frame_headers[is_v4])
        return self._collect()

    def inject(self, packet):
        """Straight into the TUN, past the gateway's IP layer."""
        self.tun.send(packet)
        return self._collect()

    def settle(self):
        """When results come back into the TUN: their own results can be behind the pings."""
        while (seen := self._collect()).wire or seen.read:
            pass

    def _collect(self):
        self.count += 1
        mark = MARK + self.count.to_bytes(8, "big")
        for is_v4, source, own, kind, proto in ((True, PING4, self.own4, 8, 1),
                                                (False, PING6, self.own6, 128, 58)):
            ping = icmp(source, own, kind, 0, self.count, mark)
            build = v4 if is_v4 else v6
            self.sides[is_v4].send(build(source, own, ping, proto), self.frame_headers[is_v4])
        seen = Seen()
        try:
            for is_v4, side in self.sides.items():
                for packet, outgoing in side.read_until(lambda p, o: not o and p.endswith(mark)):
                    if outgoing:
                        continue
                    if self._is_of_the_kernel(packet):
                        seen.kernel.append(packet)
                    else:
                        seen.wire.append((is_v4, packet))
            answers = []  # the second pong in the TUN is the end

            def is_end(packet, outgoing):
                if not outgoing and packet.endswith(mark):
                    answers.append(packet)
                return len(answers) == 2
            for packet, outgoing in self.tun.read_until(is_end):
                if MARK not in packet and not self._is_of_the_kernel(packet):
                    (seen.read if outgoing else seen.written).append(packet)
        except TimeoutError:
            raise LabError("the translator does not answer its ping any more") from None
        return seen

    def _is_of_the_kernel(self, packet):
        """Errors in the gateway's name, and its multicast listener reports."""
        if packet[:1] and packet[0] >> 4 == 4:
            return packet[12:16] in self.own
        return packet[8:24] in self.own or (packet[8:24] == bytes(16)
                                            and packet[24:40] == MLD_ROUTERS)
