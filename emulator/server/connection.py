"""One HTTP connection: aiohttp's parser and request loop, with the responses written by us.

Floor 6. Owns the transport as a byte sink for one response after the other, and what a request that can't be parsed
is answered. Must not know workers.
"""

from __future__ import annotations

import socket
import struct
from typing import Any, cast

from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from emulator.context import EventRecord, Observer, Outcome, Traffic
from emulator.errors import CLIENT_GONE
from emulator.server.framing import Framing, FramingError
from emulator.server.limits import (
    HEADERS_TOO_LARGE,
    URL_LIMIT_BYTES,
    URL_TOO_LONG,
    Refusal,
    malformed,
)
from emulator.streams import Bytes, ByteSink, Feeder, Promise

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ClientGone(ConnectionError):
    """The client closed the connection before its response was complete."""

    def __init__(self) -> None:
        super().__init__(CLIENT_GONE)


class Sent(StreamResponse):
    """Tells aiohttp's request loop that the response is on its way already."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._keep_alive = keep_alive

    async def prepare(self, request: BaseRequest) -> None:
        """Everything was written."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything was written."""


class HttpConnection(RequestHandler):
    """What a client is connected to."""

    def __init__(self, *args: Any, observer: Observer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sink: ResponseSink | None = None
        self._observer = observer

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.sink is not None:
            self.sink.drained()

    def connection_lost(self, exc: BaseException | None) -> None:
        sink, self.sink = self.sink, None
        if sink is not None:
            sink.lost()
        super().connection_lost(exc)

    def refuse_to_linger(self) -> None:
        """Close right after this response: the client waits for a word before it sends its body."""
        self._lingering_time = 0.0

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> StreamResponse:
        """Answer a request that aiohttp could not parse; anything else is our own bug and says so in the log."""
        if not isinstance(exc, BadHttpMessage):
            return super().handle_error(request, status, exc, message)
        refusal = _refusal_of(exc)
        if self.transport is not None:
            self.transport.write(refusal.encode())
        answer = f"{refusal.status} {refusal.reason}"
        self._observer.event_finished(
            EventRecord("malformed request", Outcome.OK, 0.0, Traffic(), answer)
        )
        return Sent(keep_alive=False)


class ResponseSink(ByteSink):
    """The body of one response, on its way to the client.

    `head` goes out with the first bytes of the body, or alone if there are none yet.
    """

    def __init__(self, connection: HttpConnection, head: bytes, framing: Framing) -> None:
        self._connection = connection
        self._head = head
        self._framing = framing
        self._feeder: Feeder | None = None
        self._flushed: Promise[None] | None = None
        connection.sink = self

    def feed_from(self, feeder: Feeder) -> None:
        self._feeder = feeder
        if self._connection.transport is None:
            feeder.sink_lost(ClientGone())

    @property
    def buffered_bytes(self) -> int:
        transport = self._connection.transport
        return 0 if transport is None else transport.get_write_buffer_size()

    def write(self, data: Bytes) -> bool:
        transport = self._connection.transport
        if transport is None:
            return True
        try:
            parts = self._framing.frame(data)
        except FramingError as error:
            self._break_off(error)
            return True
        if self._head:
            parts = (self._head, *parts)
            self._head = b""
        if len(parts) == 1:
            transport.write(parts[0])
        else:
            transport.writelines(parts)
        return not self._connection.writing_paused

    def send_head(self) -> None:
        """Send the head now, if the body has not taken it along."""
        head, self._head = self._head, b""
        if head and self._connection.transport is not None:
            self._connection.transport.write(head)

    def flush(self) -> Promise[None]:
        if not self._connection.writing_paused:
            return Promise.fulfilled(None)
        if self._flushed is None:
            self._flushed = Promise()
        return self._flushed

    def finish(self) -> Promise[None]:
        transport = self._connection.transport
        if transport is None:
            return Promise.rejected(ClientGone())
        try:
            end = self._head + self._framing.end()
        except FramingError as error:
            self._break_off(error)
            return Promise.rejected(error)
        self._head = b""
        if end:
            transport.write(end)
        return self.flush()

    def abort(self, error: BaseException) -> None:
        """Close the connection without the body's end, so that the client can tell that it was broken off."""
        transport = self._connection.transport
        if transport is None:
            return
        self.send_head()
        if not self._framing.keeps_connection:
            raw = cast(socket.socket | None, transport.get_extra_info("socket"))
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        self._connection.force_close()

    def drained(self) -> None:
        """The client took what was written."""
        flushed, self._flushed = self._flushed, None
        if flushed is not None:
            flushed.resolve(None)
        if self._feeder is not None:
            self._feeder.drained()

    def lost(self) -> None:
        """The client is gone."""
        error = ClientGone()
        if self._flushed is not None:
            self._flushed.reject(error)
        if self._feeder is not None:
            self._feeder.sink_lost(error)

    def _break_off(self, error: FramingError) -> None:
        feeder, self._feeder = self._feeder, None
        if feeder is not None:
            feeder.sink_lost(error)
        self.abort(error)


def _refusal_of(error: BadHttpMessage) -> Refusal:
    if isinstance(error, LineTooLong):
        return URL_TOO_LONG if error.args[1] == URL_LIMIT_BYTES else HEADERS_TOO_LARGE
    if error.message.startswith("Too many headers"):
        return HEADERS_TOO_LARGE
    return malformed(error.message.partition("\n")[0].rstrip(":"))
