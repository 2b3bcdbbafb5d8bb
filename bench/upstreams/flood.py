"""The server behind `stream`: `python -m bench.upstreams.flood PORT`.

Asked for `/N` it sends N bytes as fast as they are taken, and closes. Blocking sockets, one thread
a connection: a MiB a call leaves the CPU to the server that is measured.
"""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress

BLOCK = memoryview(bytes(range(256)) * 4096)


def _answer(connection: socket.socket) -> None:
    with connection, suppress(ConnectionError):
        line = b""
        while not line.endswith(b"\n"):
            data = connection.recv(1024)
            if not data:
                return
            line += data
        remaining = int(line.strip().removeprefix(b"/"))
        while remaining > 0:
            connection.sendall(BLOCK[:remaining])
            remaining -= len(BLOCK)


def _serve(port: int) -> None:
    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
