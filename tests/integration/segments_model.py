# SPDX-License-Identifier: BSD-2-Clause
"""What tests/model says about offloaded packets, for segments_test.py: the input is completed and
cut in software, and each segment translated on its own (GSO-12)."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "model"))
import model
from arith import CHECKSUM_AT, GSO_UDP, IDENT, NEEDS_CSUM, NO_OFFLOAD, be16, put16
from offload import complete, header_length, segments, with_length
from v4tov6 import MustSegment


def in_software(packet, offload):
    """The input as it would be on a wire without any offload."""
    if offload[1]:
        return segments(packet, offload)
    if offload[0] & NEEDS_CSUM:
        return [complete(packet, *offload[4:])]
    return [packet]


class Expected:
    """What becomes of a packet that the translator reads with this offload header."""

    def __init__(self, config, packet, offload):
        try:
            whole = model.translate(config, packet, offload)
        except MustSegment:
            whole = None  # the translator cuts it, and cuts the datagrams
        if whole and is_cut_early(config, packet, offload, whole):
            whole = None
        self.outcome = whole.outcome if whole else "forward"
        self.is_cut_by_kernel = bool(whole and offload[1])
        # Per segment, the packets that it becomes.
        self.groups = [whole.packets] if whole else []
        if self.outcome == "forward":
            if self.is_cut_by_kernel:  # GSO-07 may have lowered the size
                offload = (*offload[:3], whole.packets[0].offload[3], *offload[4:])
            self.groups = [self._forwarded(config, p) for p in in_software(packet, offload)]
        pieces = [piece for group in self.groups for piece in group]
        # The offload headers that the translator writes.
        self.written = [p.offload for p in (whole.packets if whole else pieces)]
        self.is_summed_by_kernel = self.outcome == "forward" and self.written[0][0] & NEEDS_CSUM

    @staticmethod
    def _forwarded(config, segment):
        result = model.translate(config, segment, NO_OFFLOAD)
        assert result.outcome == "forward", f"the segment alone: {result.outcome} {result.reason}"
        return result.packets

    def packets(self, written):
        """As they leave the translator and the kernel, in order. `written`: what the translator has
        written, for the first of the Identifications that are free; each segment has the next."""
        out, first = [], be16(written[0], 4) if written else 0
        for number, group in enumerate(self.groups):
            for packet in group:
                data = packet.data
                if self.is_cut_by_kernel and data[0] >> 4 == 4:
                    data = data[:6] + self.groups[0][0].data[6:8] + data[8:]  # DF: GSO-08
                if packet.free == IDENT:
                    data = put16(data, 4, (first + number) & 0xFFFF)
                if data[0] >> 4 == 4:
                    data = with_length(data, len(data))
                if self.is_summed_by_kernel and not self.is_cut_by_kernel:
                    data = never_zero(data)
                out.append(data)
        return out

    def must_not_repeat(self):
        """Are there Identifications of the translator's in packets with DF=0 (ID-01, ID-03)?"""
        if self.outcome != "forward":
            return False
        packet = self.groups[0][0]
        return packet.free == IDENT and not packet.data[6] & 0x40


def is_cut_early(config, packet, offload, whole):
    """UDP datagrams that IPv4 would have to fragment, but that turn around and become IPv6 again
    (HP-08). The translator looks at sizes before addresses."""
    segment = 8 + offload[3]
    return (offload[1] == GSO_UDP and whole.outcome == "forward"
            and packet[0] >> 4 == whole.packets[0].data[0] >> 4
            and 20 + segment > config.mtu4 and 40 + segment <= 1280)


def never_zero(packet):
    """What the kernel's skb_checksum_help() makes of a checksum of 0, for TCP as well."""
    start, proto = header_length(packet)
    at = start + CHECKSUM_AT[proto]
    return put16(packet, at, be16(packet, at) or 0xFFFF)


def translated(config, segment):
    return model.translate(config, segment, NO_OFFLOAD).packets[0].data


def with_zero_sums(config, make, size, mss, is_output):
    """make(payload) with a payload that gives each segment the checksum 0, on the way in or on the
    way out."""
    data = bytearray(size)
    packet, offload = make(bytes(data)).packet, make(bytes(data)).offload
    for number, segment in enumerate(in_software(packet, offload)):
        if is_output:
            segment = translated(config, segment)
        start, proto = header_length(segment)
        value = be16(segment, start + CHECKSUM_AT[proto])
        # The words of the payload are 0; what is added to one is missing in the checksum.
        data[number * mss : number * mss + 2] = (value % 0xFFFF).to_bytes(2, "big")
    return make(bytes(data))
