"""Ports of this machine for tests that must name one before a server listens on it."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


def free_port() -> int:
    """A port that nobody listened on a moment ago. Prefer port 0 where the program takes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def listening_in_a_row(count: int) -> Iterator[int]:
    """Listen on `count` ports in a row, on 127.0.0.1; hand back the first. The port after is free."""
    for _ in range(100):
        # Below the range of outgoing connections, which may hold one in every row.
        first = random.randrange(10_000, 32_000)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
                socket.create_server(("127.0.0.1", first + count)).close()
            except (OSError, OverflowError):
                continue
            yield first
            return
    raise OSError(f"found no {count + 1} free ports in a row")
