"""One `pyworker call`: load the worker, give it one request without a server, print its response.

Floor 7. Owns the order of things from a request to an exit code; must not know options or aiohttp. Limits, address
policy and rules are those of `pyworker dev`: server/oversight.py enforces them.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TextIO

from emulator import errors
from emulator.config import Config
from emulator.config.limits import Limits
from emulator.context import IoContext, enter
from emulator.dev.console import Console
from emulator.dev.face import Face
from emulator.dev.files import FileSink, FileSource, OutputLostError
from emulator.dev.setup import (
    INTERRUPTED_EXIT_CODE,
    load_workers,
    loop_factory,
    network_of,
    run_to_end,
)
from emulator.dev.shutdown import Phase, Shutdown
from emulator.http import Request, Response
from emulator.runtime import Isolate, dispatch
from emulator.server.exchange import BODILESS
from emulator.server.framing import Length, UntilClose, content_length, length_of
from emulator.server.head import HEADERS_LIMIT_BYTES, ResponseHeadError, encode_head
from emulator.server.limits import (
    HEADERS_TOO_LARGE,
    URL_LIMIT_BYTES,
    URL_TOO_LONG,
    Refusal,
    body_too_large,
)
from emulator.server.oversight import oversee
from emulator.sockets import Network, end_lingering
from emulator.streams import ByteSource, MemorySource, ReadableCore

GRACE_SECONDS = 1.0
FAILED_EXIT_CODE = 1
# As curl's: https://curl.se/docs/manpage.html#EXIT
STATUS_EXIT_CODE = 22
OUTPUT_EXIT_CODE = 23

STANDARD_OUTPUT = 1


@dataclass(frozen=True, slots=True)
class Order:
    """The request that is to be made. A `body` that is a Path or a stream is read while the worker reads it."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Path | TextIO | None = None

    @property
    def label(self) -> str:
        """What the request is called in what the user reads: "GET /path"."""
        _, _, rest = self.url.partition("://")
        _, slash, path = rest.partition("/")
        return f"{self.method} {slash or '/'}{path}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What becomes of the response: where its body goes, None being standard output, and what else is shown.

    `fails` has a status from 400 on end in exit code 22, without its body.
    """

    output: Path | None = None
    with_head: bool = False
    fails: bool = False


def run(configs: tuple[Config, ...], order: Order, delivery: Delivery, terminal: Face) -> int:
    """Make the call; return the process's exit code: 0 for any response, 1 when the handler failed.

    The first of `configs` is the worker that gets the request, under its settings; it may call the others. Raises
    WorkerLoadError and ConfigError. SIGINT and SIGTERM are the client's going: the handler is cancelled.
    """
    config = configs[0]
    console = Console(terminal)
    shutdown = Shutdown(before_exit=console.close)
    try:
        with shutdown.handling_signals(), terminal.capturing_prints(), console.debugging():
            network = network_of(config)
            network.trust.load()
            for note in (
                *(note for each in configs for note in each.notes),
                *network.trust.notes(),
            ):
                terminal.note(note)
            isolate = load_workers(configs, terminal).first.last_good
            with asyncio.Runner(loop_factory=loop_factory(config.event_loop)) as runner:
                call = _Call(isolate, config.limits, network, order, delivery, terminal)
                return run_to_end(runner.get_loop(), call.run(shutdown), terminal)
    except (KeyboardInterrupt, errors.WorkerLoadError):
        if shutdown.phase is Phase.STOPPING:
            return INTERRUPTED_EXIT_CODE
        raise
    finally:
        console.close()


class _Call:
    def __init__(
        self,
        isolate: Isolate,
        limits: Limits,
        network: Network,
        order: Order,
        delivery: Delivery,
        terminal: Face,
    ) -> None:
        self._isolate = isolate
        self._limits = limits
        self._order = order
        self._delivery = delivery
        self._terminal = terminal
        self._context = IoContext(order.label, terminal, limits=limits, provided={Network: network})

    async def run(self, shutdown: Shutdown) -> int:
        """Make the call unless a signal comes first."""
        stopped = asyncio.create_task(shutdown.serve().wait())
        call = asyncio.create_task(self._overseen(), name=self._context.label)
        await asyncio.wait({stopped, call}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if call.done():
            return call.result()
        call.cancel()
        await asyncio.wait({call})
        return INTERRUPTED_EXIT_CODE

    async def _overseen(self) -> int:
        context = self._context
        with oversee(self._terminal, self._limits, lambda: (context,)), ExitStack() as files:
            try:
                code = await self._answered(files)
                await context.finish()
            except asyncio.CancelledError:
                context.abandon()
                raise
            finally:
                context.end()
                if context.calls is not None:
                    context.calls.tell()
            await end_lingering(GRACE_SECONDS)
        return code

    async def _answered(self, files: ExitStack) -> int:
        try:
            if (refusal := self._refusal()) is not None:
                response = _refused(refusal)
            else:
                source = self._source(files)
                response = await dispatch.fetch(self._isolate, self._request(source), self._context)
            return await self._deliver(response, files)
        except OutputLostError as lost:
            self._context.abandon()
            if not isinstance(lost.__cause__, BrokenPipeError):
                self._say_output_lost(str(lost))
            return OUTPUT_EXIT_CODE
        except Exception as error:
            self._terminal.handler_failed(self._context.label, error)
            return FAILED_EXIT_CODE

    # In.

    def _refusal(self) -> Refusal | None:
        """What `pyworker dev` would answer in the worker's place."""
        if len(self._order.url.partition("://")[2].partition("/")[2]) >= URL_LIMIT_BYTES:
            return URL_TOO_LONG
        size = sum(len(name) + len(value) + 4 for name, value in self._order.headers)
        if size > HEADERS_LIMIT_BYTES:
            return HEADERS_TOO_LARGE
        body = self._order.body
        length = len(body) if isinstance(body, bytes) else _size_of(body)
        if length is not None and length > self._limits.body_bytes:
            return body_too_large(self._limits.body_bytes)
        return None

    def _source(self, files: ExitStack) -> ByteSource | None:
        body = self._order.body
        if body is None:
            return None
        if isinstance(body, bytes):
            return MemorySource(body)
        file = body if isinstance(body, Path) else body.fileno()
        limit = self._limits.body_bytes
        source = FileSource(file, _size_of(body), limit, body_too_large(limit).text)
        files.callback(source.cancel, None)
        self._context.prospects.sources[source] = source.may_deliver
        return source

    def _request(self, source: ByteSource | None) -> Request:
        order = self._order
        headers = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in order.headers
        ]
        named = {name.lower() for name, _ in headers}
        if source is not None and not named & {b"content-length", b"transfer-encoding"}:
            length = len(order.body) if isinstance(order.body, bytes) else source.length_bytes
            if length is None:
                headers.append((b"Transfer-Encoding", b"chunked"))
            else:
                headers.append((b"Content-Length", b"%d" % length))
        return Request.from_server(
            url=order.url,
            method=order.method,
            raw_headers=headers,
            context=self._context,
            source=source,
        )

    # Out.

    async def _deliver(self, response: Response, files: ExitStack) -> int:
        if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
            raise ResponseHeadError(errors.SWITCHING_PROTOCOLS)
        with enter(self._context):
            payload = response.payload()
        failed = self._delivery.fails and response.status >= HTTPStatus.BAD_REQUEST
        length = length_of(payload, response.raw_headers())
        own = "" if length is None or response.status in BODILESS else content_length(length)
        head = encode_head(response.status, response.status_text, response.raw_headers(), own)
        bodiless = response.status in BODILESS or self._order.method == "HEAD" or failed
        if bodiless and isinstance(payload, ReadableCore):
            payload.cancel()
        framing = UntilClose() if length is None or bodiless else Length(length)
        sink = FileSink(self._output(), head if self._delivery.with_head else b"", framing)
        files.callback(sink.close)
        if isinstance(payload, ReadableCore) and not bodiless:
            if not await self._pumped(payload, sink):
                return FAILED_EXIT_CODE
        else:
            if payload and isinstance(payload, bytes) and not bodiless:
                sink.write(payload)
            await sink.finish()
        if failed:
            status = f"{response.status} {response.status_text}".rstrip()
            self._terminal.note(errors.CALL_STATUS.format(status=status))
            return STATUS_EXIT_CODE
        return 0

    async def _pumped(self, core: ReadableCore, sink: FileSink) -> bool:
        """Move the body to the sink; False when it broke off."""
        done = core.pump_to(sink)
        if done.error is not None and not sink.begun:
            raise done.error
        sink.send_head()
        try:
            await done
        except OutputLostError:
            raise
        except asyncio.CancelledError:
            core.cancel()
            raise
        except Exception as error:
            self._terminal.body_failed(self._context.label, error)
            return False
        return True

    def _output(self) -> Path | int:
        """Where the response goes. Raises OutputLostError when the process has no standard output."""
        if self._delivery.output is not None:
            return self._delivery.output
        if sys.__stdout__ is None:
            raise OutputLostError(errors.CALL_NO_STDOUT)
        return STANDARD_OUTPUT

    def _say_output_lost(self, reason: str) -> None:
        target = self._delivery.output or "standard output"
        self._terminal.note(errors.CALL_OUTPUT.format(target=target, reason=reason))


def _refused(refusal: Refusal) -> Response:
    return Response(f"{refusal.text}\n", status=refusal.status, status_text=refusal.reason)


def _size_of(body: object) -> int | None:
    """The size of a body that is a regular file; None for others."""
    if isinstance(body, Path) and body.is_file():
        return body.stat().st_size
    return None
