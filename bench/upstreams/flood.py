"""The server behind the streams: `python -m bench.upstreams.flood PORT [CERTIFICATE]`, over TLS with a certificate.

Asked for `/N` it sends N bytes as fast as they are taken, and closes. Blocking sockets, one thread
a connection: a MiB a call leaves the CPU to the server that is measured.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from contextlib import suppress
from pathlib import Path

from bench.upstreams.asked import head, is_whole, path

BLOCK = memoryview(bytes(range(256)) * 4096)


def _answer(connection: socket.socket, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError):
        if tls is not None:
            connection = tls.wrap_socket(connection, server_side=True)
        with connection:
            _send(connection)
            if isinstance(connection, ssl.SSLSocket):
                connection.unwrap()


def _send(connection: socket.socket) -> None:
    request = b""
    while not is_whole(request):
        data = connection.recv(1024)
        if not data:
            return
        request += data
    if before := head(request):
        connection.sendall(before)
    remaining = int(path(request).removeprefix("/"))
    while remaining > 0:
        connection.sendall(BLOCK[:remaining])
        remaining -= len(BLOCK)


def _serve(port: int, certificate: Path | None) -> None:
    tls = None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_answer, args=(connection, tls), daemon=True).start()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
