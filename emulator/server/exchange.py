"""One HTTP request's journey: checks, the worker's handler, the response's head and body, the record of it.

Floor 6. Owns the order of these and what becomes of the request's IoContext. Must not know workers by name, or how
bytes reach the client (connection.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from time import perf_counter
from typing import cast
from urllib.parse import quote

from emulator.context import EventRecord, IoContext, Outcome
from emulator.errors import SWITCHING_PROTOCOLS, WorkerLoadError
from emulator.http import Request, Response
from emulator.runtime import Isolate, Worker, dispatch
from emulator.server.accept import HTML, OFFERS, preferred
from emulator.server.arrival import Arrival
from emulator.server.connection import ClientGone, HttpConnection, ResponseSink
from emulator.server.framing import Chunked, Framing, Length, UntilClose, content_length, length_of
from emulator.server.head import ResponseHeadError, encode_head, status_words
from emulator.server.internal import INTERNAL_PREFIX, InternalRoutes
from emulator.server.judgement import outcome_of, status_of
from emulator.server.limits import Refusal, refusal_of
from emulator.server.listening import host_and_port
from emulator.server.request_body import RequestBody
from emulator.streams import ReadableCore

# Responses that have neither a body nor a length. Source: RFC 9112, section 6.3.
BODILESS = frozenset({204, 304})
# As globals: Python takes ten times as long to read a member from its class.
_OK, _CANCELED = Outcome.OK, Outcome.CANCELED
_SWITCHING_PROTOCOLS = HTTPStatus.SWITCHING_PROTOCOLS.value
# A body up to this size is joined with the head: one write.
JOINED_BODY_BYTES = 65_536


class Exchange:
    """One request and its response: `run()` it once.

    `over(exchange)` is called when the response is out; `isolate` is then who answered, if it came to that.
    """

    __slots__ = (
        "_awaits_continue",
        "_body",
        "_connection",
        "_internal",
        "_is_for_worker",
        "_keep_alive",
        "_over",
        "_request",
        "_status",
        "_worker",
        "context",
        "isolate",
    )

    def __init__(
        self,
        request: Arrival,
        worker: Worker,
        context: IoContext,
        internal: InternalRoutes,
        over: Callable[[Exchange], None],
    ) -> None:
        self._over = over
        self.context = context
        self.isolate: Isolate | None = None
        self._request = request
        self._worker = worker
        self._internal = internal
        self._connection = cast(HttpConnection, request.connection)
        self._is_for_worker = False
        self._status: str | None = None
        self._keep_alive = request.keep_alive
        self._body: RequestBody | None = None
        self._awaits_continue = False
        if request.has_body:
            self._body = RequestBody(
                request.content, self._send_continue, context.limits.body_bytes
            )
            # Source: RFC 9110, section 10.1.1.
            self._awaits_continue = request.speaks_11 and "Expect" in request.headers

    async def run(self) -> bool:
        """Answer the request, whatever it takes; the result tells whether the connection is kept."""
        began = perf_counter()
        outcome = _CANCELED
        context, connection = self.context, self._connection
        if self._body is not None:
            connection.receive_body(self._body)
        try:
            refusal = refusal_of(self._request, context.limits.body_bytes)
            if refusal is None:
                unsent = self._send(await self._response())
                outcome = _OK if unsent is None else await unsent
            else:
                self._refuse(refusal)
                outcome = _OK
        except ClientGone:
            self._keep_alive = False
        except asyncio.CancelledError:
            context.abandon()
            raise
        except Exception as error:
            outcome = self._fail(error)
        finally:
            connection.sink = None
            if self._body is not None:
                self._body.stop()
            seconds = perf_counter() - began
            context.observer.event_finished(
                EventRecord(context.label, outcome, seconds, context.traffic, self._status)
            )
            if context.calls is not None:
                context.calls.tell()
            self._over(self)
        kept = self._keep_alive and connection.may_go_on
        if self._body is not None and not self._body.complete:
            await self._leave(self._body)
        return kept

    async def _leave(self, body: RequestBody) -> None:
        """See to it that the rest of the request, which nobody has read, stands in nobody's way."""
        if self._keep_alive:
            await body.discard_rest()
        else:
            await self._connection.linger()

    def _response(self) -> Awaitable[Response]:
        """Return what will be the response: the worker's, but for paths that are the platform's own."""
        request, context, worker = self._request, self.context, self._worker
        if INTERNAL_PREFIX in request.raw_path and not self._is_for_worker:
            return self._internal_response()
        if self._body is not None:
            context.prospects.sources[self._body] = self._body.may_deliver
        self.isolate = isolate = worker.enter(
            last_good=worker.failure is not None and self._takes_last_good()
        )
        made = Request.from_server(
            url=self._url,
            method=request.method,
            raw_headers=request.raw_headers,
            context=context,
            source=self._body,
        )
        return dispatch.fetch(isolate, made, context, request.task)

    async def _internal_response(self) -> Response:
        answer = await self._internal.answer(self._request)
        if answer is not None:
            return answer
        self._is_for_worker = True
        return await self._response()

    def _takes_last_good(self) -> bool:
        """True for a program while an edit can't be loaded and the session keeps the last good worker for it."""
        return (
            self._worker.keeps_last_good
            and preferred(OFFERS, self._request.headers.getall("Accept", [])) != HTML
        )

    # In.

    def _url(self) -> str:
        """Return the request's target URI. Source: RFC 9112, section 3.3."""
        target = self._request.raw_path
        if not target.isascii():
            target = quote(target.encode("utf-8", "surrogateescape"), safe="/?#[]@!$&'()*+,;=:%~")
        if target == "*":
            target = "/"
        elif not target.startswith("/"):
            return target
        host = self._request.headers.get("Host") or self._own_host()
        return f"{self._connection.url_scheme}://{host}{target}"

    def _own_host(self) -> str:
        transport = self._request.transport
        address = transport.get_extra_info("sockname") if transport is not None else None
        # A Unix socket's is a path.
        return host_and_port(*address[:2]) if isinstance(address, tuple) else "localhost"

    def _send_continue(self) -> None:
        transport = self._request.transport
        if self._awaits_continue and transport is not None:
            self._awaits_continue = False
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # Out.

    def _send(self, response: Response) -> Awaitable[Outcome] | None:
        """Send `response`; what is returned, if anything, sends the rest of it."""
        status = response.status
        if status == _SWITCHING_PROTOCOLS:
            raise ResponseHeadError(SWITCHING_PROTOCOLS)
        # A stream of another request's is refused here.
        payload = response.payload_in(self.context)
        headers = response.raw_headers()
        if status in BODILESS or self._request.method == "HEAD":
            length = length_of(payload, headers)
            own = "" if length is None or status in BODILESS else content_length(length)
            self._write(self._head(status, response.status_text, headers, own))
            if isinstance(payload, ReadableCore):
                payload.cancel()
        elif payload is None or isinstance(payload, bytes):
            body = payload or b""
            head = self._head(status, response.status_text, headers, content_length(len(body)))
            if len(body) <= JOINED_BODY_BYTES:
                self._write(head + body)
            else:
                self._write(head)
                self._write(body)
        else:
            framing = self._framing(length_of(payload, headers))
            return self._send_stream(response, payload, framing)
        return self._drained() if self._connection.writing_paused else None

    async def _send_stream(
        self, response: Response, core: ReadableCore, framing: Framing
    ) -> Outcome:
        if not framing.keeps_connection:
            self._keep_alive = False
        if self._body is not None:
            self._body.ask()  # Reading it may go on beside the response, whose head comes now.
        own = framing.header()
        head = self._head(response.status, response.status_text, response.raw_headers(), own)
        sink = ResponseSink(self._connection, head, framing)
        done = core.pump_to(sink)
        if done.error is not None and not sink.begun:
            raise done.error
        sink.send_head()
        try:
            await done
        except ClientGone:
            raise
        except asyncio.CancelledError:
            core.cancel(ClientGone())
            sink.break_off()
            raise
        except Exception as error:
            # The head is out: all that is left is to close the connection without the body's end.
            self._keep_alive = False
            sink.break_off()
            self.context.observer.body_failed(self.context.label, error)
            return outcome_of(error, self.context)
        return _OK

    def _framing(self, length: int | None) -> Framing:
        if length is not None:
            return Length(length)
        return Chunked() if self._request.speaks_11 else UntilClose()

    def _head(self, status: int, reason: str, headers: list[tuple[str, str]], own: str) -> bytes:
        if self._awaits_continue:
            # The body was never asked for, so whether it follows is the client's choice: start afresh.
            self._awaits_continue = False
            self._keep_alive = False
        if not self._keep_alive:
            own += "Connection: close\r\n"
        elif not self._request.speaks_11:
            own += "Connection: keep-alive\r\n"
        head = encode_head(status, reason, headers, own)
        self._status = status_words(status, reason)
        return head

    def _write(self, data: bytes) -> None:
        transport = self._connection.transport
        if transport is None:
            raise ClientGone
        transport.write(data)

    async def _drained(self) -> Outcome:
        """Wait until a slow client has taken what was written, so that responses don't pile up."""
        await ResponseSink(self._connection, b"", Length(0)).flush()
        return _OK

    def _refuse(self, refusal: Refusal) -> None:
        self._keep_alive = False
        self._status = f"{refusal.status} {refusal.reason}"
        self._awaits_continue = False
        self._write_if_open(refusal.encode(with_body=self._request.method != "HEAD"))

    def _fail(self, error: Exception) -> Outcome:
        if self._body is not None and self._body.refusal is not None:
            # The request was at fault, not the worker that could not read it.
            self._refuse(self._body.refusal)
            return Outcome.EXCEPTION
        outcome = outcome_of(error, self.context)
        status = status_of(outcome)
        self.context.observer.handler_failed(self.context.label, error)
        headers, body = self._answer_to(error, outcome, status)
        head = self._head(status.value, status.phrase, headers, content_length(len(body)))
        self._write_if_open(head if self._request.method == "HEAD" else head + body)
        return outcome

    def _answer_to(
        self, error: Exception, outcome: Outcome, status: HTTPStatus
    ) -> tuple[list[tuple[str, str]], bytes]:
        # Only failures pay for it, the first with its import.
        from emulator.server.error_response import (
            FailedRequest,
            answer_to_failure,
            answer_to_load_failure,
            production_answer,
        )

        if self._worker.hides_failures:
            return production_answer(outcome)
        request = self._request
        isolate = self.isolate or self._worker.last_good
        if isinstance(error, WorkerLoadError):
            accept = request.headers.getall("Accept", [])
            return answer_to_load_failure(error, accept, isolate.env, isolate.secrets)
        failed = FailedRequest(
            request.method,
            self._url(),
            [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in request.raw_headers
            ],
            request.content_length,
            has_body=self._body is not None,
        )
        return answer_to_failure(error, outcome, status, failed, self.context, isolate)

    def _write_if_open(self, data: bytes) -> None:
        if self._request.transport is not None:
            self._request.transport.write(data)
