"""One client that takes a long response as fast as it comes. Blocking, in this process."""

from __future__ import annotations

import socket
import time

from bench.processes import HOST, Server

RECEIVE_BYTES = 1024 * 1024
TIMEOUT_SECONDS = 60.0
END = b"\r\n0\r\n\r\n"


def run(server: Server, length_bytes: int) -> float:
    """Ask for a chunked body of `length_bytes`; return the seconds from the request to its end.

    Raises BenchFailure when the response is not good, or not whole.
    """
    request = f"GET /{length_bytes} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    buffer = bytearray(RECEIVE_BYTES)
    received_bytes = 0
    end = b""
    with socket.create_connection((HOST, server.port), timeout=TIMEOUT_SECONDS) as connection:
        began = time.perf_counter()
        connection.sendall(request.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            if not (data := connection.recv(65_536)):
                raise server.failure(f"answered only {head!r}")
            head += data
        head, _, end = head.partition(b"\r\n\r\n")
        received_bytes = len(end)
        while count := connection.recv_into(buffer):
            received_bytes += count
            end = (end + bytes(buffer[max(count - len(END), 0) : count]))[-len(END) :]
        seconds = time.perf_counter() - began
    chunked = b"transfer-encoding: chunked" in head.lower()
    if not head.startswith(b"HTTP/1.1 200") or not chunked:
        raise server.failure(f"answered with this head: {head!r}")
    if received_bytes < length_bytes or end != END:
        raise server.failure(f"broke off after {received_bytes} of {length_bytes} bytes")
    return seconds
