"""Many clients that ask once each and stay: blocking sockets, in this process."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bench.processes import HOST, Server

TIMEOUT_SECONDS = 30.0
BATCH = 64
# So many would keep their ports for a minute otherwise.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@contextmanager
def crowd(server: Server, count: int, body_bytes: int) -> Iterator[list[socket.socket]]:
    """Have `count` clients that have each received a response's head and `body_bytes` after it.

    Raises BenchFailure for a response that is not good, or broken off.
    """
    clients: list[socket.socket] = []
    try:
        while len(clients) < count:
            batch = []
            for _ in range(min(BATCH, count - len(clients))):
                client = socket.create_connection((HOST, server.port), timeout=TIMEOUT_SECONDS)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                clients.append(client)
                batch.append(client)
                client.sendall(REQUEST)
            for client in batch:
                _receive(server, client, body_bytes)
        yield clients
    finally:
        for client in clients:
            client.close()


def still_there(clients: list[socket.socket]) -> int:
    """Return how many of `clients` the server has not closed."""
    there = 0
    for client in clients:
        client.setblocking(False)
        try:
            there += bool(client.recv(65_536))
        except BlockingIOError:
            there += 1
        except OSError:
            pass
    return there


def _receive(server: Server, client: socket.socket, body_bytes: int) -> None:
    received = b""
    with suppress(TimeoutError):
        while data := client.recv(65_536):
            received += data
            head, end, body = received.partition(b"\r\n\r\n")
            if end and not head.startswith(b"HTTP/1.1 200"):
                break
            if end and len(body) >= body_bytes:
                return
    raise server.failure(f"answered a client with {received[:200]!r}")
