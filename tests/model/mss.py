# SPDX-License-Identifier: BSD-2-Clause
"""T46-25: MSS clamping."""
from arith import be16, ones, put16, update


def clamp(config, body, is_partial):
    """A TCP segment whose MSS option is lowered; its checksum follows by equation 3."""
    if len(body) < 20 or not body[13] & 2:
        return body
    end = min((body[12] >> 4) * 4, len(body))  # what there is of the options
    at = 20
    while at < end and body[at]:
        if body[at] == 1:
            at += 1
            continue
        if at + 1 >= end or body[at + 1] < 2 or at + body[at + 1] > end:
            return body
        if body[at] == 2:
            if body[at + 1] != 4 or be16(body, at + 2) <= config.clamp:
                return body
            before = body[at & ~1 : (at + 5) & ~1]
            after = put16(body, at + 2, config.clamp)
            if not is_partial:
                after = put16(
                    after,
                    16,
                    update(be16(body, 16), ones(before), ones(after[at & ~1 : (at + 5) & ~1])),
                )
            return after
        at += body[at + 1]
    return body
