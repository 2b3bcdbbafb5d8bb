"""One HTTP connection: aiohttp's parser and request loop, with the responses written by us.

Floor 6. Owns the transport as a byte sink for one response after the other, what a request that can't be parsed is
answered, and how a connection is closed so that the answer arrives. Must not know workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.web_protocol import RequestHandler, RequestPayloadError
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from emulator.context import EventRecord, Observer, Outcome, Traffic
from emulator.errors import CLIENT_GONE
from emulator.server.arrival import Arrival, Sent
from emulator.server.framing import JOINED_CHUNK_BYTES, Framing, FramingError
from emulator.server.gathering import write_gathered
from emulator.server.limits import refusal_of_nonsense
from emulator.server.presence import is_present
from emulator.server.request_body import RequestBody
from emulator.sockets import reset_connection
from emulator.streams import Bytes, ByteSink, Feeder, Promise

# How long a client that is still sending is listened to (and not heard) once its answer is out.
LINGER_SECONDS = 10.0
# A client that has ended its side is looked for so often; the first time when its request has surely been begun.
LOOK_SECONDS = 0.25
MOMENT_SECONDS = 0.005


class ClientGone(ConnectionError):
    """The client closed the connection before its response was complete."""

    def __init__(self) -> None:
        super().__init__(CLIENT_GONE)


class Refused(Sent):
    """The last response of a connection whose further bytes mean nothing."""

    def __init__(self, connection: HttpConnection) -> None:
        super().__init__(keep_alive=False)
        self._connection = connection

    async def write_eof(self, data: bytes = b"") -> None:
        """Everything was written; what the client is still sending is dropped."""
        await self._connection.linger()


class Incoming(Enum):
    """What becomes of what the client sends: it is held until aiohttp's loop waits for the first time."""

    HELD = "held"
    PARSED = "parsed"
    DROPPED = "dropped"


# As globals: Python takes ten times as long to read a member from its class.
_HELD, _PARSED, _DROPPED = Incoming


class HttpConnection(RequestHandler):
    """What a client is connected to.

    A request that comes alone gets a task of its own, in which `answer` says whether the connection is kept. Others
    (pipelined, not HTTP, with an Upgrade) are taken from their queue by aiohttp's loop: a task that waits, parked,
    while there are none.
    """

    def __init__(
        self,
        *args: Any,
        answer: Callable[[Arrival], Awaitable[bool]],
        observer: Observer,
        scheme: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._answer = answer
        # What the loop waits on, and its task, while a request has a task of its own.
        self._parked: tuple[asyncio.Future[None], asyncio.Task[None] | None] | None = None
        self.url_scheme = scheme
        self.sink: ResponseSink | None = None
        self._observer = observer
        self._incoming = _HELD
        self._held = b""
        self._body: RequestBody | None = None
        self._client_ended = False

    @property
    def may_go_on(self) -> bool:
        """False once the client has ended its side and every request of its is under way."""
        return not self._client_ended or bool(self._messages)

    def data_received(self, data: bytes) -> None:
        if self._incoming is not _PARSED and not self._is_to_be_parsed(data):
            return
        waiter, self._waiter = self._waiter, None  # Else it would be woken.
        super().data_received(data)
        if waiter is not None:
            self._waiter = waiter
            if self._messages and not waiter.done():
                self._begin(waiter)
        if self._body is not None:
            self._look_at_body(self._body)

    def _is_to_be_parsed(self, data: bytes) -> bool:
        """Tell whether `data` may be parsed now. What comes before aiohttp's loop has begun waits for it, one turn."""
        if self._incoming is _DROPPED:
            return False
        if self._waiter is None:
            if not self._held:
                self._loop.call_soon(self._parse_held)
            self._held += data
            return False
        self._incoming = _PARSED
        return True

    def _parse_held(self) -> None:
        self._incoming = _PARSED
        data, self._held = self._held, b""
        if self.transport is not None:
            self.data_received(data)

    def _begin(self, waiter: asyncio.Future[None]) -> None:
        """Begin with what has come while nothing was under way and the loop was parked on `waiter`."""
        message, payload = self._messages[0]
        if len(self._messages) > 1 or self._upgraded or type(message) is not RawRequestMessage:
            waiter.set_result(None)
            return
        self._messages.popleft()
        if self._parser is not None:
            self._parser.message_consumed()
        self._waiter, self._parked = None, (waiter, self._task_handler)
        self._request_in_progress = True
        arrival = Arrival(self, message, payload)
        # aiohttp asks no more of it than an Arrival has.
        self._current_request = arrival  # type: ignore[assignment]
        # Not the loop's create_task(): that looks for whom to charge, and this is nobody's yet.
        arrival.task = asyncio.Task(self._serve(arrival), loop=self._loop)
        self._task_handler = arrival.task

    async def _serve(self, arrival: Arrival) -> None:
        kept = False
        try:
            kept = await self._answer(arrival)
        except Exception as error:
            self.log_exception("Unhandled exception", exc_info=error)
        finally:
            self._served(kept and arrival.content.is_eof())

    def _served(self, kept: bool) -> None:
        """The request that had a task of its own is over: wait for the next, or close."""
        assert self._parked is not None
        (waiter, self._task_handler), self._parked = self._parked, None
        self._current_request = self._body = None
        self._request_in_progress = False
        if self._handler_waiter is not None and not self._handler_waiter.done():
            self._handler_waiter.set_result(None)
        if self._force_close or self._close or not kept:
            waiter.cancel()
            self.force_close()
            return
        self._waiter = waiter
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(
                self._next_keepalive_close_time, self._process_keepalive
            )
        if self._messages:
            waiter.set_result(None)

    def receive_body(self, body: RequestBody) -> None:
        """`body` is that of the request that is being handled."""
        self._body = body
        self._look_at_body(body)

    def resume_reading(self, resume_parser: bool = True) -> None:
        # A body's reader asks for it with every piece that is taken from it.
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.sink is not None:
            self.sink.drained()

    def eof_received(self) -> bool:  # type: ignore[override]  # The loop goes by it.
        """Keep the connection of a client that ended its side of it, but waits for an answer, and close any other.

        TLS has no half of a connection.
        """
        if self._is_idle() or self.url_scheme == "https" or not self._client_is_present():
            return False
        if not self._client_ended:
            self._client_ended = True
            self._loop.call_later(MOMENT_SECONDS, self._look_after_client)
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        sink, self.sink = self.sink, None
        if sink is not None:
            sink.lost()
        super().connection_lost(exc)
        if self._body is not None:
            self._body.arrived()
        if self._parked is not None:
            self._parked[0].cancel()

    def _is_idle(self) -> bool:
        return self._waiter is not None and not self._messages

    def _client_is_present(self) -> bool:
        raw = None if self.transport is None else self.transport.get_extra_info("socket")
        return raw is not None and is_present(raw)

    def _look_after_client(self) -> None:
        """Close, as if the client had not only ended its side, when it is gone or has nothing more to hear."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        request = self._current_request
        cut = request is not None and not request.content.is_eof()
        if cut or self._is_idle() or not self._client_is_present():
            transport.close()
        else:
            self._loop.call_later(LOOK_SECONDS, self._look_after_client)

    def _look_at_body(self, body: RequestBody) -> None:
        # Behind a body that is not complete there can only be the parser's error, which the body does not hear of.
        if self._messages and not body.complete:
            self._incoming = _DROPPED
            body.break_off(RequestPayloadError("its body's chunks are not well-formed"))
        body.arrived()

    def force_close(self) -> None:
        """Close now; what was written is still sent, unless a body that is not whole would look whole."""
        transport = self.transport
        if transport is not None and self.sink is not None and self.sink.ends_with_connection:
            reset_connection(transport)
        super().force_close()

    async def linger(self) -> None:
        """End the outgoing side, then drop what comes until the client ends its side, LINGER_SECONDS at most.

        Closing at once would answer what it still sends with a reset, which can destroy the response before the
        client has read it. Source: RFC 9112, section 9.6.
        """
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        self._incoming = _DROPPED
        self.resume_reading(resume_parser=False)
        if transport.can_write_eof():
            transport.write_eof()
        await asyncio.sleep(LINGER_SECONDS)  # Cancelled when the connection is lost.

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
        refusal = refusal_of_nonsense(exc)
        if self.transport is not None:
            self.transport.write(refusal.encode())
        answer = f"{refusal.status} {refusal.reason}"
        self._observer.event_finished(
            EventRecord("malformed request", Outcome.OK, 0.0, Traffic(), answer)
        )
        return Refused(self)


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

    @property
    def ends_with_connection(self) -> bool:
        """True when a clean close would pass for the body's end."""
        return not self._framing.keeps_connection

    @property
    def begun(self) -> bool:
        """True once the head is out."""
        return not self._head

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
            feeder, self._feeder = self._feeder, None
            if feeder is not None:
                feeder.sink_lost(error)
            return True
        if self._head:
            parts = (self._head, *parts)
            self._head = b""
        if len(data) <= JOINED_CHUNK_BYTES:
            transport.write(parts[0] if len(parts) == 1 else b"".join(parts))
        else:
            write_gathered(transport, parts)
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

    def finish_with(self, data: Bytes) -> Promise[None]:
        transport, framing = self._connection.transport, self._framing
        size = len(data)
        if transport is None or size > JOINED_CHUNK_BYTES or not framing.may_end_after(size):
            return super().finish_with(data)
        self._feeder = None
        transport.write(b"".join((self._head, *framing.frame(data), framing.end())))
        self._head = b""
        return self.flush()

    def finish(self) -> Promise[None]:
        transport = self._connection.transport
        if transport is None:
            return Promise.rejected(ClientGone())
        try:
            end = self._head + self._framing.end()
        except FramingError as error:
            return Promise.rejected(error)
        self._head = b""
        self._feeder = None
        if end:
            transport.write(end)
        return self.flush()

    def abort(self, error: BaseException) -> None:
        """The exchange hears of `error` as well, and will `break_off()`: losing the connection would cancel it."""

    def break_off(self) -> None:
        """Close the connection without the body's end, so that the client can tell that this is not the whole."""
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
