#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One end of a measured flow; runs inside a namespace as a process of its own.

    flows.py udp-receive ADDRESS PORT           numbered datagrams, with the kernel's arrival times
    flows.py udp-send SOURCE PORT TARGET SOURCE_PORT...   one datagram per millisecond on each
    flows.py tcp-receive ADDRESS PORT           one stream
    flows.py tcp-send SOURCE SOURCE_PORT TARGET PORT MEGABITS
    flows.py echo ADDRESS PORT                  a server for chat
    flows.py chat COUNT TARGET PORT...          connections that talk five times a second

Says "ready" when it is, ends at the end of its input and prints what it has seen as JSON. Times are
nanoseconds of CLOCK_REALTIME, the same in all namespaces of a machine.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import select
import socket
import struct
import sys
import time

SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
SO_MAX_PACING_RATE = 47
HEADER = struct.Struct("!IIQ")  # flow, number, when it was sent
TICK = 1_000_000
BLOCK = 1 << 16
ANSWER_WITHIN = 30.0


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def bound(kind, address, port):
    made = socket.socket(family_of(address), kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    return made


def in_time():
    """Sending must not wait for its turn."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def ready():
    print("ready", flush=True)


def ended():
    return bool(select.select([sys.stdin], [], [], 0)[0])


def udp_receive(address, port):
    sock = bound(socket.SOCK_DGRAM, address, int(port))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    ready()
    seen, last = [], None
    while last is None or time.monotonic() < last:
        readable, _, _ = select.select([sock] + ([sys.stdin] if last is None else []), [], [], 0.1)
        if sys.stdin in readable:
            last = time.monotonic() + 0.5  # what is still on its way
        if sock not in readable:
            continue
        data, extra, _, _ = sock.recvmsg(2048, 64)
        seconds, nanoseconds = struct.unpack("qq", extra[0][2][:16])
        seen.append((*HEADER.unpack(data[:HEADER.size]), seconds * 1_000_000_000 + nanoseconds))
    return {"seen": seen}


def udp_send(source, port, target, *source_ports):
    socks = [bound(socket.SOCK_DGRAM, source, int(p)) for p in source_ports]
    in_time()
    ready()
    times = []
    begin = time.time_ns()
    while not ended():
        now = time.time_ns()
        for flow, sock in enumerate(socks):
            # What has no route at this moment is lost like any other.
            with contextlib.suppress(OSError):
                sock.sendto(HEADER.pack(flow, len(times), now).ljust(64, b"."), (target, int(port)))
        times.append(now)
        time.sleep(max(0, begin + len(times) * TICK - time.time_ns()) / 1e9)
    return {"flows": len(socks), "times": times}


def tcp_receive(address, port):
    with bound(socket.SOCK_STREAM, address, int(port)) as listener:
        listener.listen(1)
        ready()
        stream, _ = listener.accept()
    stream.settimeout(2 * ANSWER_WITHIN)
    digest, total, times, error = hashlib.sha256(), 0, [], None
    try:
        while data := stream.recv(BLOCK):
            times.append(time.time_ns())
            digest.update(data)
            total += len(data)
    except OSError as problem:
        error = repr(problem)
    return {"bytes": total, "sha256": digest.hexdigest(), "times": times, "error": error}


def tcp_send(source, source_port, target, port, megabits):
    stream = bound(socket.SOCK_STREAM, source, int(source_port))
    stream.settimeout(2 * ANSWER_WITHIN)
    stream.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, int(float(megabits) * 125000))
    stream.connect((target, int(port)))
    ready()
    random = os.urandom(BLOCK - 8)
    digest, total, error = hashlib.sha256(), 0, None
    try:
        while not ended():
            block = struct.pack("!Q", total) + random
            stream.sendall(block)
            digest.update(block)
            total += len(block)
        stream.shutdown(socket.SHUT_WR)
        stream.recv(1)  # the other end has read all of it
    except OSError as problem:
        error = repr(problem)
    return {"bytes": total, "sha256": digest.hexdigest(), "error": error}


async def end_of_input():
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def echo(address, port):
    async def serve(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
        writer.close()
    await asyncio.start_server(serve, address, int(port), backlog=1024)
    ready()
    await end_of_input()
    return {}


class Chat:
    """One connection; `problem` says what broke it."""

    def __init__(self, target, port):
        self.target, self.port = target, int(port)
        self.said, self.problem = 0, None

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection(self.target, self.port)

    async def say(self):
        text = os.urandom(32)
        self.writer.write(text)
        answer = await asyncio.wait_for(self.reader.readexactly(len(text)), ANSWER_WITHIN)
        if answer != text:
            raise ValueError("another answer than what was said")
        self.said += 1

    async def talk(self, end):
        """Says something at the end, too, and ends well only if that is answered."""
        try:
            while not end.is_set():
                await self.say()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(end.wait(), 0.2)
            await self.say()
        except (OSError, EOFError, ValueError, asyncio.TimeoutError) as problem:
            self.problem = repr(problem)


async def chat(count, *targets):
    pairs = list(zip(targets[::2], targets[1::2]))
    chats = [Chat(*pairs[n % len(pairs)]) for n in range(int(count))]
    await asyncio.gather(*(c.open() for c in chats))
    await asyncio.gather(*(c.say() for c in chats))
    end = asyncio.Event()
    talking = asyncio.gather(*(c.talk(end) for c in chats))
    ready()
    await end_of_input()
    end.set()
    await talking
    return {"connections": len(chats), "messages": sum(c.said for c in chats),
            "broken": [c.problem for c in chats if c.problem]}


def main():
    name, *arguments = sys.argv[1:]
    function = {"udp-receive": udp_receive, "udp-send": udp_send, "tcp-receive": tcp_receive,
                "tcp-send": tcp_send, "echo": echo, "chat": chat}[name]
    result = function(*arguments)
    print(json.dumps(asyncio.run(result) if asyncio.iscoroutine(result) else result), flush=True)


if __name__ == "__main__":
    main()
