# SPDX-License-Identifier: BSD-2-Clause
"""One's complement arithmetic (matrix section 19) and the outcomes that all modules share."""
import collections

NO_OFFLOAD = (0, 0, 0, 0, 0, 0)  # flags, gso_type, hdr_len, gso_size, csum_start, csum_offset
NEEDS_CSUM = 1
GSO_TCP4, GSO_TCP6, GSO_UDP, GSO_ECN = 1, 4, 5, 0x80

TCP, UDP, DCCP, UDPLITE = 6, 17, 33, 136
ICMP, ICMP6, FRAGMENT = 1, 58, 44
CHECKSUM_AT = {TCP: 16, UDP: 6, DCCP: 6, UDPLITE: 6}  # L4-01, L4-07, L4-08
CHECKSUM_NEEDS = {TCP: 18, UDP: 8, DCCP: 8, UDPLITE: 8}  # F46-14
ZERO_IS_NONE = (UDP, UDPLITE)  # L4-03

# What the translator may choose in a packet: nothing; the IPv4 Identification (and with it the
# header checksum); in an error about a packet with a nonsensical offload header, what it quotes.
NOTHING, IDENT, QUOTE = 0, 1, 2
# One packet that leaves.
Out = collections.namedtuple("Out", "data offload free")
# outcome: forward, reply or drop; reason: None for forward and for echo replies.
Result = collections.namedtuple("Result", "outcome reason packets")


class Drop(Exception):
    """The packet is discarded in silence."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


class Reject(Exception):
    """The packet is discarded; its sender is told so where section 8 allows it. `kind`, `code` and
    `word` are those of the family of the packet."""

    def __init__(self, reason, kind, code, word=0):
        super().__init__(reason)
        self.reason, self.kind, self.code, self.word = reason, kind, code, word


def ones(data):
    """One's complement sum of 16-bit words, 1..0xffff; 0 only if there is nothing but zeros."""
    number = int.from_bytes(data, "big")
    if len(data) & 1:
        number <<= 8
    return number % 65535 or (65535 if number else 0)


def checksum(data):
    return 65535 - ones(data)


def fold(number):
    return number % 65535 or (65535 if number else 0)


def words(address):
    """What an address (an int of any width) adds to a sum."""
    return fold(address)


def update(field, removed, added):
    """RFC 1624 equation 3 (CK-02): HC' = ~(~HC + ~m + m'). `removed` is a sum of words; its
    complement takes the place of the complements of the words."""
    return 65535 - fold((65535 - field) + (65535 - removed) + added)


def be16(data, at):
    return data[at] << 8 | data[at + 1]


def put16(data, at, value):
    """`data` with other 16 bits at `at`."""
    return b"%b%c%c%b" % (data[:at], value >> 8, value & 255, data[at + 2 :])
