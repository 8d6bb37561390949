#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The process that sends a flood, as fast as it can, through packet sockets that it inherits.

    flood_sender.py replay LEAST SECONDS DESCRIPTOR...  < records
    flood_sender.py paced COUNT BATCH DESCRIPTOR...  < records
    flood_sender.py random COUNT SEED DESCRIPTOR FRAME_HEADER v4|v6|bytes

replay: a record is one byte (which of the descriptors), four bytes (length) and a frame; a length
of 0 ends them. The frames go out in turn, LEAST of them at least; then until standard input ends,
or SECONDS have passed. LEAST frames and not one more if SECONDS is 0.

paced: COUNT frames in turn. After each BATCH of them it prints a line and reads one.

random: COUNT packets of random_packets.py behind FRAME_HEADER (in hex).

Prints "started", and at the end how many packets were sent in how many seconds."""

import itertools
import os
import select
import socket
import struct
import sys
import time

import random_packets

BATCH = 256  # packets between two looks at the clock


def read_records(stream):
    records = []
    while True:
        which, length = struct.unpack("!BI", stream.read(5))
        if length == 0:
            return records
        records.append((which, stream.read(length)))


def sender(descriptor):
    return socket.socket(fileno=os.dup(int(descriptor))).send


def replay(least, seconds, *descriptors):
    least, seconds = int(least), float(seconds)
    sends = [sender(d) for d in descriptors]
    turns = [(sends[which], frame) for which, frame in read_records(sys.stdin.buffer)]
    turns *= 1 + BATCH // len(turns)
    print("started", flush=True)
    start, sent = time.monotonic(), 0
    while sent < least:
        for send, frame in turns[:least - sent]:
            send(frame)
        sent += min(len(turns), least - sent)
    # Go on where the last turn has ended, so that each frame has been sent equally often, or once
    # more.
    place = sent % len(turns)
    turns = turns[place:] + turns[:place]
    while seconds and time.monotonic() < start + seconds:
        if select.select([sys.stdin], [], [], 0)[0]:
            break
        for send, frame in turns:
            send(frame)
        sent += len(turns)
    return sent, time.monotonic() - start


def paced(count, batch, *descriptors):
    count, batch = int(count), int(batch)
    sends = [sender(d) for d in descriptors]
    turns = [(sends[which], frame) for which, frame in read_records(sys.stdin.buffer)]
    print("started", flush=True)
    start = time.monotonic()
    frames = itertools.cycle(turns)
    for first in range(0, count, batch):
        for send, frame in itertools.islice(frames, min(batch, count - first)):
            send(frame)
        print("sent", flush=True)
        if not sys.stdin.buffer.readline():
            sys.exit("nobody listens any more")
    return count, time.monotonic() - start


def send_random(count, seed, descriptor, frame_header, kind):
    send = sender(descriptor)
    header = bytes.fromhex(frame_header)
    packets = random_packets.packets(kind, int(seed))
    print("started", flush=True)
    start = time.monotonic()
    for _ in range(int(count)):
        send(header + next(packets))
    return int(count), time.monotonic() - start


if __name__ == "__main__":
    SENT, TOOK = {"replay": replay, "paced": paced, "random": send_random}[sys.argv[1]](*sys.argv[2:])
    print(SENT, TOOK, flush=True)
