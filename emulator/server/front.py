"""The HTTP front: every connection's protocol, every request's exchange, every scheduled event.

Floor 6. Owns the events under way and the work that outlives responses. Must not know where it listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from itertools import chain
from time import monotonic

from aiohttp import StreamReader
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest
from aiohttp.web_server import Server

from emulator.config.limits import DEFAULT_LIMITS, Limits
from emulator.context import IoContext, Observer
from emulator.runtime import Isolate, Worker
from emulator.runtime.scheduled_event import ScheduledEvent
from emulator.server.arrival import Arrival, Queued, Sent
from emulator.server.connection import HttpConnection
from emulator.server.exchange import Exchange
from emulator.server.head import HEADERS_LIMIT_BYTES
from emulator.server.internal import InternalRoutes
from emulator.server.limits import HEADERS_LIMIT_COUNT, URL_LIMIT_BYTES
from emulator.server.oversight import oversee
from emulator.server.scheduled import Ran, label_of, run_scheduled
from emulator.sockets import DEFAULT_NETWORK, Network

MOMENT_SECONDS = 0.001
UNWINDING_SECONDS = 0.5


class Front(Server):
    """A protocol factory for the event loop: HTTP in, `worker`'s handlers, HTTP out."""

    def __init__(
        self,
        worker: Worker,
        observer: Observer,
        network: Network = DEFAULT_NETWORK,
        limits: Limits = DEFAULT_LIMITS,
        *,
        host: str = "localhost",
        scheme: str = "http",
    ) -> None:
        super().__init__(
            self._answer_queued,  # type: ignore[arg-type]  # It is given what _make_request returns.
            handler_cancellation=True,
        )
        self._scheme = scheme
        self._internal = InternalRoutes(host, self.fire, observer)
        self._limits = limits
        self.worker = worker
        self.observer = observer
        self._network = network
        self._provided: dict[type, object] = {Network: network}
        self._exchanges: dict[IoContext, asyncio.Task[None]] = {}
        self._scheduled: dict[asyncio.Task[Ran], IoContext] = {}
        self._afterwork: set[asyncio.Task[None]] = set()
        self._oversight = oversee(observer, limits, self._active)

    def __call__(self) -> HttpConnection:
        return HttpConnection(
            self,
            loop=asyncio.get_running_loop(),
            answer=self._answer,
            observer=self.observer,
            scheme=self._scheme,
            access_log=None,
            auto_decompress=False,
            max_line_size=URL_LIMIT_BYTES,
            max_field_size=HEADERS_LIMIT_BYTES,
            max_headers=HEADERS_LIMIT_COUNT,
            lingering_time=0.0,  # Exchange.leave() does it.
        )

    async def shutdown(self, timeout: float | None = None) -> None:
        """Let requests under way end within `timeout` seconds, then cut them off, and what outlives them too.

        A handler that does not end when it is cancelled is left behind after UNWINDING_SECONDS.
        """
        began = monotonic()
        # aiohttp waits twice for a request that does not end, and for ever if told to wait for 0 s.
        await super().shutdown(None if timeout is None else max(timeout / 2, MOMENT_SECONDS))
        if self._exchanges:
            await asyncio.wait(set(self._exchanges.values()), timeout=UNWINDING_SECONDS)
        await self._end_scheduled(None if timeout is None else timeout - (monotonic() - began))
        for task in self._afterwork:
            task.cancel()
        if self._afterwork:
            await asyncio.wait(self._afterwork)
        self._oversight.close()

    async def _end_scheduled(self, timeout: float | None) -> None:
        if self._scheduled:
            await asyncio.wait(self._scheduled, timeout=timeout and max(timeout, 0))
        for task in self._scheduled:
            task.cancel()
        if self._scheduled:
            await asyncio.wait(self._scheduled, timeout=UNWINDING_SECONDS)

    def listens_at(self, *addresses: tuple[str, int]) -> None:
        """The worker is reached at these IP addresses and ports: in strict mode it can't connect there itself."""
        if self._network.policy is not None:
            self._network.policy.own_addresses.update(addresses)

    def context(self, label: str) -> IoContext:
        """Return the context of a new event."""
        return IoContext(label, self.observer, self._limits, self._provided)

    def fire(self, event: ScheduledEvent) -> asyncio.Task[Ran]:
        """Call the worker's scheduled() handler with `event`, as a task of its own."""
        context = self.context(label_of(event))
        task = asyncio.get_running_loop().create_task(
            run_scheduled(self.worker, event, context), name=context.label
        )
        self._scheduled[task] = context
        task.add_done_callback(self._scheduled.pop)
        return task

    def see_out(self, context: IoContext, isolate: Isolate | None) -> None:
        """The event of `context` is over: close what it owned, once its wait_until work is done.

        `isolate` answered it, if it came to that.
        """
        if not context.working:
            try:
                context.end()
            finally:
                if isolate is not None:
                    self.worker.leave(isolate)
            return
        task = asyncio.get_running_loop().create_task(
            context.finish(), name=f"wait_until of {context.label}"
        )
        self._afterwork.add(task)
        task.add_done_callback(self._afterwork.discard)
        if isolate is not None:
            task.add_done_callback(lambda _: self.worker.leave(isolate))

    def reconfigure(self, network: Network, limits: Limits) -> None:
        """Have new events follow other settings."""
        if network.policy is not None and self._network.policy is not None:
            network.policy.own_addresses.update(self._network.policy.own_addresses)
        self._network, self._limits = network, limits
        self._provided = {Network: network}
        self._oversight.close()
        self._oversight = oversee(self.observer, limits, self._active)

    def _active(self) -> Iterator[IoContext]:
        return chain(self._exchanges, self._scheduled.values())

    def _make_request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> BaseRequest:
        return Queued(message, payload, protocol, writer, task, asyncio.get_running_loop())

    async def _answer_queued(self, request: Queued) -> Sent:
        return Sent(keep_alive=await self._answer(request.arrival))

    def _answer(self, arrival: Arrival) -> Awaitable[bool]:
        """Await the result to answer one request; it tells whether its connection serves another."""
        context = self.context(f"{arrival.method} {arrival.raw_path}")
        self._exchanges[context] = arrival.task
        return Exchange(arrival, self.worker, context, self._internal, self._over).run()

    def _over(self, exchange: Exchange) -> None:
        del self._exchanges[exchange.context]
        self.see_out(exchange.context, exchange.isolate)
