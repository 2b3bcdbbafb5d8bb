"""A response's head: the bytes before its body.

Floor 6. Owns the order and spelling of head lines, which of a worker's headers are the server's business, and how large
a head may be, coming or going. Must not know connections. Source: RFC 9110, RFC 9112.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from time import time

from emulator.errors import RESPONSE_HEADERS_TOO_LARGE

HEADERS_LIMIT_BYTES = 128 * 1024

# They speak of this connection or of the body's framing: the server writes its own.
SERVERS_OWN = frozenset(
    {
        "connection",
        "content-length",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class ResponseHeadError(ValueError):
    """A worker's response whose head can't be sent."""


def encode_head(
    status: int, reason: str, headers: Iterable[tuple[str, str]], own: str = ""
) -> bytes:
    """Return the status line, the worker's `headers` but those in SERVERS_OWN, the server's `own`, an empty line.

    `own` is lines, each with its end. Raises ResponseHeadError when the worker's headers are larger than the platform
    lets through.
    """
    lines = ""
    end = _dated_end(int(time()))
    for name, value in headers:
        lowered = name.lower()
        if lowered in SERVERS_OWN:
            continue
        if lowered == "date":
            end = "\r\n"
        lines += f"{name}: {value}\r\n"
    if len(lines) > HEADERS_LIMIT_BYTES:
        raise ResponseHeadError(
            RESPONSE_HEADERS_TOO_LARGE.format(size=len(lines), limit=HEADERS_LIMIT_BYTES)
        )
    return f"{_status_line(status, reason)}{lines}{own}{end}".encode("latin-1", "replace")


@lru_cache(maxsize=256)
def status_words(status: int, reason: str) -> str:
    """Return what a status line says behind the version: "200 OK", "299"."""
    return f"{status} {reason}".rstrip()


@lru_cache(maxsize=256)
def _status_line(status: int, reason: str) -> str:
    return f"HTTP/1.1 {status} {reason}\r\n"


@lru_cache(maxsize=2)
def _dated_end(second: int) -> str:
    return f"Date: {formatdate(second, usegmt=True)}\r\n\r\n"
