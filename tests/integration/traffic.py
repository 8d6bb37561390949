# SPDX-License-Identifier: BSD-2-Clause
"""Sockets between namespaces: transfers with a hash, echo streams, datagrams."""

import contextlib
import hashlib
import os
import socket
import struct
import threading
import time

from netns import SO_RCVBUFFORCE, LabError

BLOCK = 1 << 20


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Worker(threading.Thread):
    """A thread whose exception reappears in join_or_raise()."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self._call = (function, arguments)
        self._error = None
        self.value = None
        self.start()

    def run(self):
        try:
            self.value = self._call[0](*self._call[1])
        except Exception as error:  # pylint: disable=broad-except
            self._error = error

    def join_or_raise(self, timeout=300):
        self.join(timeout)
        if self.is_alive():
            raise LabError(f"{self._call[0].__name__} did not end")
        if self._error is not None:
            raise self._error
        return self.value


class TcpPair:
    """A TCP connection from one namespace to another through an address of the client's family.

    `client` and `server` are connected sockets; `peer` is what the server sees as its client."""

    def __init__(self, net, client_role, target, server_role, server_address, timeout=120.0):
        with net.socket(server_role, family_of(server_address), socket.SOCK_STREAM) as listener:
            listener.bind((server_address, 0))
            listener.listen(1)
            listener.settimeout(timeout)
            self.client = net.socket(client_role, family_of(target), socket.SOCK_STREAM,
                                     timeout=timeout)
            try:
                self.client.connect((target, listener.getsockname()[1]))
                self.server, peer = listener.accept()
            except BaseException:
                self.client.close()
                raise
        self.peer = peer[0]
        self.server.settimeout(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.client.close()
        self.server.close()


def send_hashed(sock, size):
    """Sends `size` bytes that never repeat a block, ends the stream, returns their SHA-256."""
    random = os.urandom(BLOCK)
    digest = hashlib.sha256()
    for number in range((size + BLOCK - 1) // BLOCK):
        block = (struct.pack("!Q", number) + random[8:])[:size - number * BLOCK]
        digest.update(block)
        sock.sendall(block)
    sock.shutdown(socket.SHUT_WR)
    return digest.hexdigest()


def receive_hashed(sock):
    digest, total = hashlib.sha256(), 0
    buffer = bytearray(BLOCK)
    while count := sock.recv_into(buffer):
        digest.update(memoryview(buffer)[:count])
        total += count
    return digest.hexdigest(), total


def transfer(sender, receiver, size):
    """Moves `size` bytes and raises unless the same bytes arrive."""
    worker = Worker(receive_hashed, receiver)
    sent = send_hashed(sender, size)
    received, total = worker.join_or_raise()
    if total != size or received != sent:
        raise AssertionError(f"sent {size} bytes {sent}, received {total} bytes {received}")


@contextlib.contextmanager
def udp_echo_server(net, role, address):
    """Echoes datagrams; yields the port."""
    server = net.socket(role, family_of(address), socket.SOCK_DGRAM, timeout=0.1)
    server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    server.bind((address, 0))
    stop = threading.Event()

    def echo():
        while not stop.is_set():
            try:
                data, peer = server.recvfrom(65535)
            except TimeoutError:
                continue
            server.sendto(data, peer)

    worker = Worker(echo)
    try:
        yield server.getsockname()[1]
    finally:
        stop.set()
        worker.join_or_raise(10)
        server.close()


def echo_datagrams(net, client, target, server, count=20, size=300):
    """One after the other: `count` from `client` (a namespace) to `target`, and back from `server`
    (a namespace and its address)."""
    role, address = server
    with udp_echo_server(net, role, address) as port, \
            net.socket(client, family_of(target), socket.SOCK_DGRAM) as sock:
        sock.connect((target, port))
        for _ in range(count):
            sock.send(bytes(size))
            sock.recv(65535)


class UdpStream:
    """Sends numbered datagrams to an echo server and notes which come back; at a steady rate, or
    by `growth` datagrams per second more each second."""

    def __init__(self, net, role, target, port, per_second=1000, growth=0):
        self._socket = net.socket(role, family_of(target), socket.SOCK_DGRAM, timeout=0.2)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self._socket.connect((target, port))
        self._per_second = per_second
        self._growth = growth
        self._stop = threading.Event()
        self._seen = set()
        self.sent = 0
        self.twice = 0
        self._receiver = Worker(self._receive)
        self._sender = Worker(self._send)

    def _send(self):
        due = begin = time.monotonic()
        while not self._stop.is_set():
            self._socket.send(struct.pack("!Q", self.sent).ljust(200, b"x"))
            self.sent += 1
            due += 1 / (self._per_second + self._growth * (due - begin))
            time.sleep(max(0.0, due - time.monotonic()))

    def _receive(self):
        """Ends two seconds after the last datagram."""
        quiet = 0
        while quiet < 10:
            try:
                number = struct.unpack("!Q", self._socket.recv(2048)[:8])[0]
            except TimeoutError:
                quiet += self._stop.is_set()
                continue
            quiet = 0
            self.twice += number in self._seen
            self._seen.add(number)

    def finish(self):
        """Returns the numbers that never came back."""
        self._stop.set()
        self._sender.join_or_raise()
        self._receiver.join_or_raise()
        self._socket.close()
        return sorted(set(range(self.sent)) - self._seen)
