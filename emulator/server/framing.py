"""How a response's body says where it ends: by length, by chunks, or by the connection's close.

Floor 6. Owns the framing bytes; must not know connections. Source: RFC 9112, sections 6 and 7.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from emulator.errors import BODY_LONGER_THAN_LENGTH, BODY_SHORTER_THAN_LENGTH
from emulator.streams import Bytes, ReadableCore

# A chunk up to this size is joined with its size line: one write instead of two.
JOINED_CHUNK_BYTES = 16_384


class FramingError(ValueError):
    """A body that is not as long as its Content-Length said."""


class Framing(ABC):
    """One body's framing; an instance serves one response."""

    # Whether the connection can carry another response after this one.
    keeps_connection = True

    @abstractmethod
    def header(self) -> str:
        """Return the header line that announces this framing, with its end; "" if there is none."""

    @abstractmethod
    def frame(self, data: Bytes) -> tuple[Bytes, ...]:
        """Return what to send for `data`, never empty. Raises FramingError when the body is too long."""

    def may_end_after(self, size_bytes: int) -> bool:
        """True when the body is complete with this many more bytes."""
        return True

    @abstractmethod
    def end(self) -> bytes:
        """Return what to send behind the last byte. Raises FramingError when the body is too short."""


class Chunked(Framing):
    """Transfer-Encoding: chunked, for HTTP/1.1 bodies of unknown length."""

    def __init__(self) -> None:
        self._separator = b""

    def header(self) -> str:
        return "Transfer-Encoding: chunked\r\n"

    def frame(self, data: Bytes) -> tuple[Bytes, ...]:
        # The line break behind a chunk is written in front of the next one.
        size_line = b"%b%x\r\n" % (self._separator, len(data))
        self._separator = b"\r\n"
        if len(data) <= JOINED_CHUNK_BYTES:
            return (size_line + data,)
        return (size_line, data)

    def end(self) -> bytes:
        return self._separator + b"0\r\n\r\n"


class Length(Framing):
    """Content-Length: the body is exactly `length_bytes` long, or the response is broken off."""

    def __init__(self, length_bytes: int) -> None:
        self._length_bytes = length_bytes
        self._remaining_bytes = length_bytes

    def header(self) -> str:
        return content_length(self._length_bytes)

    def frame(self, data: Bytes) -> tuple[Bytes, ...]:
        if len(data) > self._remaining_bytes:
            raise FramingError(BODY_LONGER_THAN_LENGTH.format(length=self._length_bytes))
        self._remaining_bytes -= len(data)
        return (data,)

    def may_end_after(self, size_bytes: int) -> bool:
        return size_bytes == self._remaining_bytes

    def end(self) -> bytes:
        if self._remaining_bytes:
            sent = self._length_bytes - self._remaining_bytes
            raise FramingError(
                BODY_SHORTER_THAN_LENGTH.format(length=self._length_bytes, sent=sent)
            )
        return b""


class UntilClose(Framing):
    """No framing: the body ends where the connection does. For HTTP/1.0 clients."""

    keeps_connection = False

    def header(self) -> str:
        return ""

    def frame(self, data: Bytes) -> tuple[Bytes, ...]:
        return (data,)

    def end(self) -> bytes:
        return b""


def content_length(length_bytes: int) -> str:
    """Return the header line that says how long a body is, with its end."""
    return f"Content-Length: {length_bytes}\r\n"


def length_of(payload: bytes | ReadableCore | None, headers: list[tuple[str, str]]) -> int | None:
    """Return how long the body is: what is at hand or known of it decides, for others the worker's Content-Length."""
    if isinstance(payload, bytes):
        return len(payload)
    if payload is not None and payload.length_bytes is not None:
        return payload.length_bytes
    for name, value in headers:
        if name.lower() == "content-length" and value.isascii() and value.isdigit():
            return int(value)
    return 0 if payload is None else None
