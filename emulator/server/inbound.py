"""Inbound TCP: connections to a [[connect]] port become events of the worker's connect() handler.

Floor 6. Owns listeners and the life of one inbound connection. Must not know HTTP. Source: connect.md, "Inbound".
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import cast

from emulator.config import ConnectListener
from emulator.context import EventRecord, IoContext, Outcome, enter
from emulator.runtime import dispatch
from emulator.server.front import UNWINDING_SECONDS, Front
from emulator.server.judgement import outcome_of
from emulator.server.listening import BACKLOG, Listeners, bind, host_and_port
from emulator.sockets import Socket, SocketInfo, SocketState, accept


class InboundListener:
    """Listens on one [[connect]] port and hands each connection to the worker that `front` serves."""

    def __init__(self, front: Front, listener: ConnectListener) -> None:
        self._front = front
        self.entry = listener
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.Task[None]] = set()
        self.address = ""

    async def start(self, sockets: Listeners | None = None) -> None:
        """Accept connections from now on, from `sockets` if they listen already.

        Raises ListenError when the port can't be had.
        """
        loop = asyncio.get_running_loop()
        host = self.entry.address
        bound = bind(host, self.entry.port) if sockets is None else sockets
        self.address = host_and_port(host, bound[0].getsockname()[1])
        self._front.listens_at(*(listening.getsockname()[:2] for listening in bound))
        for listening in bound:
            self._servers.append(
                await loop.create_server(
                    lambda: _Arrival(self._arrived), sock=listening, backlog=BACKLOG
                )
            )

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Stop accepting, let connections end within `grace_seconds`, then cut them off.

        A handler that does not end when it is cancelled is left behind after UNWINDING_SECONDS.
        """
        for server in self._servers:
            server.close()
        if self._connections and grace_seconds:
            await asyncio.wait(self._connections, timeout=grace_seconds)
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=UNWINDING_SECONDS)

    def _arrived(self, transport: asyncio.Transport) -> None:
        """Make a connection's Socket, now that it is known who connected, and hand the connection to it."""
        context = self._front.context(f"CONNECT {self.address}")
        peer = transport.get_extra_info("peername")
        remote_address = host_and_port(*peer[:2]) if peer else None
        with enter(context):
            socket = accept(context, SocketInfo(remote_address, local_address=self.address))
            opened = socket.opened
        opened.when_settled(lambda: self._begin(socket, context))
        transport.set_protocol(socket.wire)
        socket.wire.connection_made(transport)

    def _begin(self, socket: Socket, context: IoContext) -> None:
        task = asyncio.get_running_loop().create_task(
            self._serve(socket, context), name=context.label
        )
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, socket: Socket, context: IoContext) -> None:
        began = perf_counter()
        outcome = Outcome.CANCELED
        worker, isolate = self._front.worker, None
        try:
            isolate = worker.enter(last_good=worker.keeps_last_good)
            await dispatch.connect(isolate, socket, context)
            outcome = Outcome.OK
        except Exception as error:
            outcome = outcome_of(error, context)
            context.observer.handler_failed(context.label, error)
            if socket.state is SocketState.OPEN:
                socket.wire.abort(error)
        finally:
            self._front.observer.event_finished(
                EventRecord(context.label, outcome, perf_counter() - began, context.traffic)
            )
            if context.calls is not None:
                context.calls.tell()
            self._front.see_out(context, isolate)


class _Arrival(asyncio.Protocol):
    """The protocol of a connection until its Socket is there."""

    def __init__(self, arrived: Callable[[asyncio.Transport], None]) -> None:
        self._arrived = arrived

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._arrived(cast(asyncio.Transport, transport))
