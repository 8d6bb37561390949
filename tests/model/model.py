# SPDX-License-Identifier: BSD-2-Clause
"""The reference model: what the requirement matrix says becomes of a packet.

Written from the matrix, not from the translator. Slow and plain on purpose: whole packets are
built afresh, intermediate ones as well."""
import v4tov6
import v6tov4
from arith import Drop, Result


def translate(config, packet, offload):
    """The Result for one packet as read from the TUN. MustSegment when a super-packet of UDP has no
    result as a whole."""
    way = v4tov6 if packet and packet[0] >> 4 == 4 else v6tov4
    try:
        return way.translate(config, packet, offload)
    except Drop as drop:
        return Result("drop", drop.reason, [])
