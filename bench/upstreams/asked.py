"""How an upstream is asked: with a line by workers, in HTTP by proxies. `/N` asks for N bytes."""

from __future__ import annotations

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n"


def is_whole(request: bytes) -> bool:
    """Say whether all of `request` is there."""
    return request.endswith(b"\r\n\r\n" if request.startswith(b"GET ") else b"\n")


def head(request: bytes) -> bytes:
    """Return what stands in front of the answer to `request`."""
    return HEAD if request.startswith(b"GET ") else b""


def path(request: bytes) -> str:
    """Return the path that `request` is for: "/", "/1024"."""
    words = request.decode().split()
    return words[1] if words[0] == "GET" else words[0]
