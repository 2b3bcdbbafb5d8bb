"""One client that takes a long response slowly: a portion each time, and the rest of the time nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

from bench.processes import HOST, Server

TIMEOUT_SECONDS = 30.0
PORTIONS_A_SECOND = 10


def run(server: Server, length_bytes: int, rate_bytes: int, seconds: float) -> Iterator[int]:
    """Take `rate_bytes` a second of a body of `length_bytes`; yield what each portion was.

    Raises BenchFailure when the response ends sooner.
    """
    portion = bytearray(rate_bytes // PORTIONS_A_SECOND)
    portion_bytes = len(portion)
    request = f"GET /{length_bytes} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((HOST, server.port), timeout=TIMEOUT_SECONDS) as client:
        client.sendall(request.encode())
        due = time.monotonic()
        for _ in range(int(seconds * PORTIONS_A_SECOND)):
            taken_bytes = 0
            while taken_bytes < portion_bytes:
                count = client.recv_into(portion, portion_bytes - taken_bytes)
                if not count:
                    raise server.failure("broke off a slow client's response")
                taken_bytes += count
            yield taken_bytes
            due += 1 / PORTIONS_A_SECOND
            time.sleep(max(due - time.monotonic(), 0))
