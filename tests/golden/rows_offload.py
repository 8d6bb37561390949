# SPDX-License-Identifier: BSD-2-Clause
"""Matrix section 20: packets with an offload header (virtio_net_hdr)."""
import struct

from book import (C4, C6, OWN4, OWN6, S4, S6, T4, T6, Book, config, down, embed, error4, own_error4, own_error6,
                  out_error6, quote46, up)
from packets import (Echo, address, checksum, counting, dccp, fragment_header, ident_free, incremental, ones_sum, options_header, pseudo, raw,
                     routing_header, tcp, udp, udplite, v4, v6)
from rows_fragments import ID, pieces4, pieces6

NEEDS_CSUM, DATA_VALID = 1, 2
TCPV4, UFO, TCPV6, UDP_L4, ECN = 1, 3, 4, 5, 0x80
NONE = {"flags": 0, "gso_type": 0, "gso_size": 0, "csum_start": 0, "csum_offset": 0}
STAMPS = b"\x01\x01\x08\x0a" + struct.pack("!II", 0x11223344, 0x55667788)


def partial(start, offset):
    """Without hdr_len: it has no meaning here and is not compared."""
    return {"flags": NEEDS_CSUM, "gso_type": 0, "gso_size": 0, "csum_start": start, "csum_offset": offset}


def gso(kind, size, start, head, offset=16):
    return {"flags": NEEDS_CSUM, "gso_type": kind, "gso_size": size, "hdr_len": start + head, "csum_start": start,
            "csum_offset": offset}


def header(**fields):
    return {"flags": 0, "gso_type": 0, "hdr_len": 0, "gso_size": 0, "csum_start": 0, "csum_offset": 0, **fields}


def partials(b):
    for name, offset, make in (("TCP", 16, tcp), ("UDP", 6, udp)):
        for size in (0, 1, 100, 1000):
            segment = make(counting(size))
            before, after = up(segment, partial=True)
            b.forward("GSO-01 GSO-03", f"{name} with {size} bytes, partial checksum, 4to6", before, after, checksum="partial",
                      offload=header(**partial(20, offset)), out_offload=[partial(40, offset)])
            before, after = down(segment, partial=True)
            b.forward("GSO-01 GSO-03", f"{name} with {size} bytes, partial checksum, 6to4", before, after, checksum="partial",
                      offload=header(**partial(40, offset)), out_offload=[partial(20, offset)])
        for opts in (4, 40):
            before, after = up(make(), partial=True, options=b"\x01" * opts)
            b.forward("GSO-03", f"{name}, partial, {opts} bytes of IPv4 options", before, after, checksum="partial",
                      offload=header(**partial(20 + opts, offset)), out_offload=[partial(40, offset)])
        proto = make().proto
        for text, first, headers in (("destination options", 60, options_header(proto, 2)),
                                     ("hop-by-hop and routing", 0, options_header(43) + routing_header(proto))):
            before = v6(S6, C6, headers + make().on(S6, C6, True), first)
            b.forward("GSO-03", f"{name}, partial, behind {text}", before, down(make(), partial=True)[1], checksum="partial",
                      offload=header(**partial(40 + len(headers), offset)), out_offload=[partial(20, offset)])
        for hdr_len in (0, 1, 54, 65535):
            before, after = up(make(), partial=True)
            b.forward("GSO-05", f"{name}, partial, hdr_len {hdr_len} is only a hint", before, after, checksum="partial",
                      offload=header(**partial(20, offset), hdr_len=hdr_len), out_offload=[partial(40, offset)])
        before = v6(S6, embed(T4), make(), partial=True)
        b.forward("GSO-01 HP-05", f"{name}, partial, hairpin", before, v6(embed(S4), T6, make(), hlim=63, partial=True),
                  checksum="partial", offload=header(**partial(40, offset)), out_offload=[partial(40, offset)])
        before, after = up(make(), partial=True)
        for text, packet, out, start in (("4to6", before, up(make())[1], 20), ("6to4", *down(make()), 40)):
            if text == "4to6":
                packet = up(make())[0]
            for flags in (DATA_VALID, 0):
                b.forward("GSO-10", f"{name}, flags {flags}, {text}: the checksum is complete", packet, out,
                          offload=header(flags=flags), out_offload=[NONE])
        packet = v4(C4, S4, make(), ttl=1, partial=True)
        b.reply("GSO-01 G4-05", f"{name}, partial, TTL 1: quoted as received", packet, "hop_limit", own_error4(11, 0, 0, packet),
                offload=header(**partial(20, offset)), out_offload=[NONE])
    client = "198.51.100.7"
    for port in range(0x10000):         # a client for which the pseudo-header adds up to 0xffff
        client = f"198.51.{port >> 8}.{port & 255}"
        if ones_sum(pseudo(client, S4, 17, 40)) == 0xffff:
            break
    before, after = up(udp(counting(32)), client, partial=True)
    seed = bytearray(before)
    assert seed[26:28] == b"\xff\xff"
    seed[26:28] = b"\0\0"
    b.forward("GSO-02", "UDP, partial, the seed is 0: not UDP without checksum", bytes(seed), after, checksum="partial",
              offload=header(**partial(20, 6)), out_offload=[partial(40, 6)])
    config("udp_drop", udp_zero_checksum="drop")
    b.forward("GSO-02", "the same in mode drop", bytes(seed), after, checksum="partial", config="udp_drop",
              offload=header(**partial(20, 6)), out_offload=[partial(40, 6)])


def completed(b):
    for reply in (False, True):
        echo = Echo(counting(32), reply)
        before = v4(C4, S4, bytearray(echo.on(C4, S4))[:2] + b"\0\0" + echo.on(C4, S4)[4:], 1)
        b.forward("GSO-04", "ICMP with a partial checksum: completed", before, v6(C6, S6, echo, hlim=63),
                  offload=header(**partial(20, 2)), out_offload=[NONE])
        b.forward("GSO-04", "ICMPv6 with a partial checksum: completed", v6(S6, C6, echo, partial=True), ident_free(S4, C4, echo),
                  offload=header(**partial(40, 2)), out_offload=[NONE])
    segment = tcp(counting(100))
    before = v4(C4, S4, segment, partial=True)
    b.forward("GSO-04", "csum_start 0: the header adds nothing, completed", before, up(segment)[1],
              offload=header(**partial(0, 36)), out_offload=[NONE])
    for offset in (17, 18, 4, 24):
        good = bytearray(up(segment)[0])
        value = checksum(bytes(good[20:]))
        good[20 + offset:22 + offset] = struct.pack("!H", value)
        out = bytearray(good[20:])
        if not 15 <= offset <= 17:
            out[16:18] = update(out[16:18])
        else:
            out[16:18] = update(good[36:38])
        b.forward("GSO-04", f"TCP with csum_offset {offset}: completed there, then translated",
                  up(segment)[0], v6(C6, S6, bytes(out), 6, hlim=63), checksum="wrong",
                  offload=header(**partial(20, offset)), out_offload=[NONE])
    for text, fields in (("csum_start 65535", partial(65535, 16)), ("csum_offset 65535", partial(20, 65535)),
                         ("the field one byte behind the end", partial(20, 25)), ("csum_start at the end", partial(46, 0)),
                         ("csum_start behind the end", partial(47, 16)), ("both 65535", partial(65535, 65535))):
        b.drop("GSO-04 GSO-05", f"{text}, 4to6", v4(C4, S4, tcp(), partial=True), "bad_offload", offload=header(**fields))
    for text, fields in (("csum_start 65535", partial(65535, 6)), ("csum_offset 65535", partial(40, 65535)),
                         ("the field one byte behind the end", partial(40, 13))):
        b.drop("GSO-04 GSO-05", f"{text}, 6to4", v6(S6, C6, udp(), partial=True), "bad_offload", offload=header(**fields))
    segment = udp(counting(1472))
    b.forward("GSO-01 F46-04 F46-11", "partial UDP of 1500 bytes, DF=0: completed, then split",
              v4(C4, S4, segment, ident=ID, partial=True), *pieces6(17, segment.on(C6, S6), 1232),
              offload=header(**partial(20, 6)), out_offload=[NONE, NONE])
    config("mtu4_576", mtu4=576)
    segment = udp(counting(900))
    b.forward("GSO-01 F64-06", "partial UDP, mtu4 576: completed, then split", v6(S6, C6, segment, partial=True),
              *pieces4(17, segment.on(S4, C4), 552), config="mtu4_576", offload=header(**partial(40, 6)), out_offload=[NONE, NONE])


def update(field):
    value = struct.unpack("!H", bytes(field))[0]
    return struct.pack("!H", incremental(value, address(C4) + address(S4), address(C6) + address(S6)))


def tcp_segments(b):
    for opts in (b"", STAMPS):
        head = 20 + len(opts)
        for size, count in ((1000, 3), (1440 - len(opts), 4), (1440 - len(opts), 44), (500, 2), (1, 8)):
            segment = tcp(counting(size * (count - 1) + max(1, size // 2)), options=opts)
            for ecn in (0, ECN):
                before, after = up(segment, df=True, partial=True)
                b.forward("GSO-06 GSO-07 ECN-05", f"TCP, {count} segments of {size}, header {head}, gso_type 0x{TCPV4 | ecn:02x}, DF=1",
                          before, after, checksum="partial", offload=gso(TCPV4 | ecn, size, 20, head),
                          out_offload=[gso(TCPV6 | ecn, size, 40, head)])
                before = v6(S6, C6, segment, partial=True)
                after = v4(S4, C4, segment, ttl=63, ident=None, df=size + head + 20 > 1260, partial=True)
                b.forward("GSO-06 GSO-08 ECN-05", f"TCP, {count} segments of {size}, header {head}, gso_type 0x{TCPV6 | ecn:02x}, 6to4",
                          before, after, checksum="partial", offload=gso(TCPV6 | ecn, size, 40, head),
                          out_offload=[gso(TCPV4 | ecn, size, 20, head)])
        for size in (1441 - len(opts), 1448, 1460):
            packet = v4(C4, S4, tcp(counting(size * 3), options=opts), df=True, partial=True)
            b.reply("GSO-07 F46-06", f"TCP segments of {size}, header {head}, DF=1: 3/4", packet, "too_big",
                    own_error4(3, 4, 1480, packet), offload=gso(TCPV4, size, 20, head), out_offload=[NONE])
        for size in (1220 - len(opts), 1221 - len(opts), 1400, 1460):
            before, after = up(tcp(counting(size * 3), options=opts), partial=True)
            b.forward("GSO-07", f"TCP segments of {size}, header {head}, DF=0: gso_size at most {1220 - len(opts)}", before, after,
                      checksum="partial", offload=gso(TCPV4, size, 20, head),
                      out_offload=[gso(TCPV6, min(size, 1220 - len(opts)), 40, head)])
        for size in (1219 - len(opts), 1220 - len(opts), 1221 - len(opts), 1460 - len(opts)):
            segment = tcp(counting(size * 3), options=opts)
            b.forward("GSO-08 T64-06", f"6to4, TCP segments of {size}, header {head}: DF={int(size + head + 20 > 1260)}",
                      v6(S6, C6, segment, partial=True),
                      v4(S4, C4, segment, ttl=63, ident=None, df=size + head + 20 > 1260, partial=True),
                      checksum="partial", offload=gso(TCPV6, size, 40, head), out_offload=[gso(TCPV4, size, 20, head)])
    config("mtu4_1400", mtu4=1400)
    for size in (1361, 1440):
        packet = v6(S6, C6, tcp(counting(size * 3)), partial=True)
        b.reply("GSO-08 F64-08", f"6to4, TCP segments of {size}, mtu4 1400: 2/0", packet, "too_big", own_error6(2, 0, 1420, packet),
                config="mtu4_1400", offload=gso(TCPV6, size, 40, 20), out_offload=[NONE])
    segment = tcp(counting(1360 * 3))
    b.forward("GSO-08", "6to4, TCP segments of 1360, mtu4 1400: fit", v6(S6, C6, segment, partial=True),
              v4(S4, C4, segment, ttl=63, ident=None, df=True, partial=True), config="mtu4_1400", checksum="partial",
              offload=gso(TCPV6, 1360, 40, 20), out_offload=[gso(TCPV4, 1360, 20, 20)])
    packet = v6(S6, C6, tcp(counting(1461 * 3)), partial=True)
    b.reply("GSO-08 F64-08", "6to4, TCP segments of 1461, mtu4 1500: 2/0 with 1520", packet, "too_big",
            own_error6(2, 0, 1520, packet), offload=gso(TCPV6, 1461, 40, 20), out_offload=[NONE])
    config("lim_1500", lowest_ipv6_mtu=1500)
    before, after = up(tcp(counting(4380)), partial=True)
    b.forward("GSO-07", "DF=0, LIM 1500: gso_size at most 1440", before, after, config="lim_1500", checksum="partial",
              offload=gso(TCPV4, 1460, 20, 20), out_offload=[gso(TCPV6, 1440, 40, 20)])
    segment = tcp(counting(1440 * 3))
    b.forward("GSO-06 HP-05 HP-08", "TCP segments of 1440 from server to server", v6(S6, embed(T4), segment, partial=True),
              v6(embed(S4), T6, segment, hlim=63, partial=True), checksum="partial",
              offload=gso(TCPV6, 1440, 40, 20), out_offload=[gso(TCPV6, 1440, 40, 20)])
    before, after = up(segment, df=True, options=b"\x01" * 12, partial=True)
    b.forward("GSO-03 GSO-06", "TCP segments behind IPv4 options", before, after, checksum="partial",
              offload=gso(TCPV4, 1440, 32, 20), out_offload=[gso(TCPV6, 1440, 40, 20)])
    headers = options_header(6, 1)
    b.forward("GSO-03 GSO-06", "TCP segments behind destination options", v6(S6, C6, headers + segment.on(S6, C6, True), 60),
              v4(S4, C4, segment, ttl=63, ident=None, df=True, partial=True), checksum="partial",
              offload=gso(TCPV6, 1440, 56, 20), out_offload=[gso(TCPV4, 1440, 20, 20)])
    for hdr_len in (0, 10, 65535):
        before, after = up(segment, df=True, partial=True)
        b.forward("GSO-05", f"hdr_len {hdr_len} is recomputed", before, after, checksum="partial",
                  offload={**gso(TCPV4, 1440, 20, 20), "hdr_len": hdr_len}, out_offload=[gso(TCPV6, 1440, 40, 20)])
    packet = v4(C4, S4, segment, ttl=1, partial=True)
    b.reply("GSO-07 T46-08", "TCP segments with TTL 1: one 11/0", packet, "hop_limit", own_error4(11, 0, 0, packet),
            offload=gso(TCPV4, 1440, 20, 20), out_offload=[NONE])


def udp_segments(b):
    for size in (100, 1000, 1200):
        segment = udp(counting(size * 3))
        before, after = up(segment, df=True, partial=True)
        b.forward("GSO-06", f"UDP, 3 datagrams of {size}, 4to6", before, after, checksum="partial",
                  offload=gso(UDP_L4, size, 20, 8, 6), out_offload=[gso(UDP_L4, size, 40, 8, 6)])
        after = v4(S4, C4, segment, ttl=63, ident=None, df=size + 28 > 1260, partial=True)
        b.forward("GSO-06 GSO-08", f"UDP, 3 datagrams of {size}, 6to4", v6(S6, C6, segment, partial=True), after, checksum="partial",
                  offload=gso(UDP_L4, size, 40, 8, 6), out_offload=[gso(UDP_L4, size, 20, 8, 6)])
    packet = v4(C4, S4, udp(counting(1472 * 3)), df=True, partial=True)
    b.reply("GSO-07", "UDP datagrams of 1472, DF=1: 3/4", packet, "too_big", own_error4(3, 4, 1480, packet),
            offload=gso(UDP_L4, 1472, 20, 8, 6), out_offload=[NONE])
    packet = v6(S6, C6, udp(counting(1473 * 3)), partial=True)
    b.reply("GSO-08", "UDP datagrams of 1473, 6to4: 2/0", packet, "too_big", own_error6(2, 0, 1520, packet),
            offload=gso(UDP_L4, 1473, 40, 8, 6), out_offload=[NONE])


def contradictions(b):
    big4 = v4(C4, S4, tcp(counting(3000)), df=True, partial=True)
    big6 = v6(S6, C6, tcp(counting(3000)), partial=True)
    dgram4 = v4(C4, S4, udp(counting(3000)), df=True, partial=True)
    for text, packet, fields in (("TCPV6 on an IPv4 packet", big4, gso(TCPV6, 1000, 20, 20)),
                                 ("TCPV4 on an IPv6 packet", big6, gso(TCPV4, 1000, 40, 20)),
                                 ("TCPV4 on UDP", dgram4, gso(TCPV4, 1000, 20, 8, 6)),
                                 ("UDP_L4 on TCP", big4, gso(UDP_L4, 1000, 20, 20)),
                                 ("UFO, which was not enabled", dgram4, gso(UFO, 1000, 20, 8, 6)),
                                 ("gso_type 99", big4, gso(99, 1000, 20, 20)),
                                 ("gso_size 0, 4to6", big4, gso(TCPV4, 0, 20, 20)), ("gso_size 0, 6to4", big6, gso(TCPV6, 0, 40, 20)),
                                 ("TCPV4 on protocol 253", v4(C4, S4, raw(253, counting(3000)), df=True), gso(TCPV4, 1000, 20, 20))):
        b.drop("GSO-05 GSO-06", text, packet, "bad_offload", offload=fields)
    data = udp(counting(2000)).on(C4, S4)
    for text, fields in (("flags 1", partial(20, 6)), ("UDP_L4", gso(UDP_L4, 1000, 20, 8, 6)), ("TCPV4", gso(TCPV4, 500, 20, 8))):
        b.drop("GSO-11", f"IPv4 first fragment with {text}", v4(C4, S4, data[:1000], 17, mf=True), "bad_offload",
               offload=header(**fields))
        b.drop("GSO-11", f"IPv4 later fragment with {text}", v4(C4, S4, data[1000:], 17, offset=125), "bad_offload",
               offload=header(**fields))
    for text, fields in (("flags 1", partial(48, 6)), ("UDP_L4", gso(UDP_L4, 1000, 48, 8, 6)), ("TCPV6", gso(TCPV6, 500, 48, 8))):
        for offset, more in ((0, True), (125, False)):
            b.drop("GSO-11", f"IPv6 fragment at {offset * 8} with {text}",
                   v6(S6, C6, fragment_header(17, 1, offset, more) + counting(1000), 44), "bad_offload", offload=header(**fields))
    for length in (65516, 65535):
        packet = v6(S6, C6, tcp(counting(length - 20)), partial=True)
        b.drop("GSO-09", f"Payload Length {length} does not fit in IPv4", packet, "too_big", offload=gso(TCPV6, 1400, 40, 20))
    segment = tcp(counting(65515 - 20))
    b.forward("GSO-09", "Payload Length 65515: Total Length 65535", v6(S6, C6, segment, partial=True),
              v4(S4, C4, segment, ttl=63, ident=None, df=True, partial=True), checksum="partial",
              offload=gso(TCPV6, 1400, 40, 20), out_offload=[gso(TCPV4, 1400, 20, 20)])
    before, after = up(segment, df=True, partial=True)
    b.forward("GSO-09", "Total Length 65535: Payload Length 65515", before, after, checksum="partial",
              offload=gso(TCPV4, 1400, 20, 20), out_offload=[gso(TCPV6, 1400, 40, 20)])
    quoted, sent = quote46(udp())
    b.forward("GSO-10", "an ICMP error with flags 2", error4(11, 0, 0, quoted),
              out_error6(3, 0, 0, sent), offload=header(flags=DATA_VALID), out_offload=[NONE])
    for text, packet, answer in (("own4", v4(C4, OWN4, Echo()), v4(OWN4, C4, Echo(reply=True), ttl=64, ident=None)),
                                 ("own6", v6(S6, OWN6, Echo()), v6(OWN6, S6, Echo(reply=True), hlim=64))):
        b.reply("GSO-10 T46-24", f"echo request to {text} with flags 2", packet, None, answer, offload=header(flags=DATA_VALID),
                out_offload=[NONE])
    for name, make in (("DCCP", dccp), ("UDP-Lite", udplite), ("SCTP", lambda: raw(132))):
        b.forward("GSO-10", f"{name} with flags 2", *up(make()), offload=header(flags=DATA_VALID), out_offload=[NONE])


def books():
    b = Book("offload")
    for rows in (partials, completed, tcp_segments, udp_segments, contradictions):
        rows(b)
    return [b]
