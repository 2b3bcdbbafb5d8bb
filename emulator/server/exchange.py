"""One HTTP request's journey: checks, the worker's handler, the response's head and body, the record of it.

Floor 6. Owns the order of these and what becomes of the request's IoContext. Must not know workers by name, or how
bytes reach the client (connection.py).
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from time import perf_counter
from typing import cast
from urllib.parse import quote

from aiohttp.http import HttpVersion11
from aiohttp.web_request import BaseRequest

from emulator.context import EventRecord, IoContext, Outcome, enter
from emulator.errors import SWITCHING_PROTOCOLS, WorkerLoadError
from emulator.http import Request, Response
from emulator.runtime import Isolate, Worker, dispatch
from emulator.server.accept import HTML, OFFERS, preferred
from emulator.server.connection import ClientGone, HttpConnection, ResponseSink, Sent
from emulator.server.framing import Chunked, Framing, Length, UntilClose, length_of
from emulator.server.head import ResponseHeadError, encode_head
from emulator.server.internal import INTERNAL_PREFIX, InternalRoutes
from emulator.server.judgement import outcome_of, status_of
from emulator.server.limits import Refusal, refusal_of
from emulator.server.listening import host_and_port
from emulator.server.request_body import RequestBody
from emulator.streams import ReadableCore

# Responses that have neither a body nor a length. Source: RFC 9112, section 6.3.
BODILESS = frozenset({204, 304})
# A body up to this size is joined with the head: one write.
JOINED_BODY_BYTES = 65_536


class Exchange:
    """One request and its response. `run()` it once; `isolate` is who answered, if it came to that."""

    def __init__(
        self, request: BaseRequest, worker: Worker, context: IoContext, internal: InternalRoutes
    ) -> None:
        self.context = context
        self.isolate: Isolate | None = None
        self._request = request
        self._worker = worker
        self._internal = internal
        self._observer = context.observer
        self._connection = cast(HttpConnection, request.protocol)
        self._body = (
            RequestBody(request.content, self._send_continue, context.limits.body_bytes)
            if request.body_exists
            else None
        )
        self._status: str | None = None
        self._keep_alive = request.keep_alive
        # Source: RFC 9110, section 10.1.1.
        self._awaits_continue = (
            self._body is not None
            and request.version == HttpVersion11
            and "Expect" in request.headers
        )

    async def run(self) -> Sent:
        """Answer the request, whatever it takes; the result tells aiohttp whether the connection is kept."""
        began = perf_counter()
        outcome = Outcome.CANCELED
        if self._body is not None:
            self._connection.receive_body(self._request.content)
        try:
            refusal = refusal_of(self._request, self.context.limits.body_bytes)
            if refusal is None:
                outcome = await self._serve()
            else:
                self._refuse(refusal)
                outcome = Outcome.OK
        finally:
            self._connection.sink = None
            if self._body is not None:
                self._body.stop()
            seconds = perf_counter() - began
            self._observer.event_finished(
                EventRecord(
                    self.context.label, outcome, seconds, self.context.traffic, self._status
                )
            )
            if self.context.calls is not None:
                self.context.calls.tell()
        return Sent(keep_alive=self._keep_alive and self._connection.may_go_on)

    async def leave(self) -> None:
        """After `run()`: see to it that the rest of the request stands in nobody's way."""
        if self._body is None or self._body.complete:
            return
        if self._keep_alive:
            await self._body.discard_rest()
        else:
            await self._connection.linger()

    async def _serve(self) -> Outcome:
        try:
            if INTERNAL_PREFIX in self._request.raw_path:
                answer = await self._internal.answer(self._request)
                if answer is not None:
                    return await self._send(answer)
            return await self._send(await self._handle())
        except ClientGone:
            self._keep_alive = False
            return Outcome.CANCELED
        except asyncio.CancelledError:
            self.context.abandon()
            raise
        except Exception as error:
            return self._fail(error)

    async def _handle(self) -> Response:
        context = self.context
        if self._body is not None:
            context.prospects.sources[self._body] = self._body.may_deliver
        self.isolate = self._worker.enter(last_good=self._takes_last_good())
        return await dispatch.fetch(self.isolate, self._worker_request(), context)

    def _takes_last_good(self) -> bool:
        """True for a program while an edit can't be loaded and the session keeps the last good worker for it."""
        worker = self._worker
        return (
            worker.failure is not None
            and worker.keeps_last_good
            and preferred(OFFERS, self._request.headers.getall("Accept", [])) != HTML
        )

    # In.

    def _worker_request(self) -> Request:
        request = self._request
        return Request.from_server(
            url=self._url,
            method=request.method,
            raw_headers=request.raw_headers,
            context=self.context,
            source=self._body,
        )

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

    async def _send(self, response: Response) -> Outcome:
        status = response.status
        if status == HTTPStatus.SWITCHING_PROTOCOLS:
            raise ResponseHeadError(SWITCHING_PROTOCOLS)
        with enter(self.context):  # A stream of another request's is refused here.
            payload = response.payload()
        headers = response.raw_headers()
        length = length_of(payload, headers)
        if status in BODILESS or self._request.method == "HEAD":
            own = [] if length is None or status in BODILESS else [_content_length(length)]
            head = self._head(status, response.status_text, headers, own)
            if isinstance(payload, ReadableCore):
                payload.cancel()
            self._write(head)
            return await self._drained()
        if isinstance(payload, ReadableCore):
            return await self._send_stream(response, payload, self._framing(length))
        body = payload or b""
        head = self._head(status, response.status_text, headers, [_content_length(len(body))])
        if len(body) <= JOINED_BODY_BYTES:
            self._write(head + body)
        else:
            self._write(head)
            self._write(body)
        return await self._drained()

    async def _send_stream(
        self, response: Response, core: ReadableCore, framing: Framing
    ) -> Outcome:
        if not framing.keeps_connection:
            self._keep_alive = False
        if self._body is not None:
            self._body.ask()  # Reading it may go on beside the response, whose head comes now.
        announced = framing.header()
        own = [announced] if announced is not None else []
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
            self._observer.body_failed(self.context.label, error)
            return outcome_of(error, self.context)
        return Outcome.OK

    def _framing(self, length: int | None) -> Framing:
        if length is not None:
            return Length(length)
        return Chunked() if self._request.version == HttpVersion11 else UntilClose()

    def _head(
        self,
        status: int,
        reason: str,
        headers: list[tuple[str, str]],
        own: list[tuple[str, str]],
    ) -> bytes:
        if self._awaits_continue:
            # The body was never asked for, so whether it follows is the client's choice: start afresh.
            self._awaits_continue = False
            self._keep_alive = False
        if not self._keep_alive:
            own.append(("Connection", "close"))
        elif self._request.version != HttpVersion11:
            own.append(("Connection", "keep-alive"))
        head = encode_head(status, reason, headers, own)
        self._status = f"{status} {reason}".rstrip()
        return head

    def _write(self, data: bytes) -> None:
        transport = self._request.transport
        if transport is None:
            raise ClientGone
        transport.write(data)

    async def _drained(self) -> Outcome:
        """Wait until a slow client has taken what was written, so that responses don't pile up."""
        if self._connection.writing_paused:
            await ResponseSink(self._connection, b"", Length(0)).flush()
        return Outcome.OK

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
        self._observer.handler_failed(self.context.label, error)
        headers, body = self._answer_to(error, outcome, status)
        head = self._head(
            status.value,
            status.phrase,
            headers,
            [_content_length(len(body))],
        )
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


def _content_length(length: int) -> tuple[str, str]:
    return ("Content-Length", str(length))
