"""A connection to another worker: a Socket for the caller, whose other end its connect handler is given.

Floor 4. Owns the two ends and what becomes of them when the handler ends or fails. Must not know how a handler is
found. Source: connect.md, "Inbound".
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from emulator import errors
from emulator.bindings.calling import caller, conversation
from emulator.bindings.service import Service
from emulator.context import IoContext
from emulator.errors import SocketError
from emulator.sockets import (
    Socket,
    SocketAddress,
    SocketInfo,
    SocketState,
    accept,
    connect_in_memory,
    parse_address,
    parse_options,
)


def begin_connection(
    service: Service, address: object, options: object, named: Mapping[str, object]
) -> Socket:
    """Return the caller's Socket; the rest happens behind it.

    Raises TypeError for arguments that can't be used, and what `caller` raises.
    """
    target = parse_address(address)
    chosen = parse_options(options, named)
    if chosen.secure_transport != "off":
        raise TypeError(errors.SERVICE_TLS.format(value=chosen.secure_transport))
    context = caller()
    near = Socket(context, chosen, SocketInfo(remote_address=str(target)), target)
    _wakes_nobody(near, context)
    # A task of the event's: it ends with that, and counts where it is asked what can still happen.
    near.attempt(
        asyncio.get_running_loop().create_task(
            _Meeting(service, near, target, context).run(), name=f"{service.name} CONNECT {target}"
        )
    )
    return near


def _wakes_nobody(socket: Socket, context: IoContext) -> None:
    """Both ends are one event's: by itself such a connection brings nothing."""
    context.prospects.sources.pop(socket, None)


class _Meeting:
    """One connection, from the caller's Socket to the end of the handler."""

    def __init__(
        self, service: Service, near: Socket, target: SocketAddress, context: IoContext
    ) -> None:
        self._service = service
        self._near = near
        self._target = target
        self._context = context
        self._far: Socket | None = None

    async def run(self) -> None:
        """Run the handler; its failure is told, and breaks the connection."""
        label = f"CONNECT {self._target}"
        try:
            with conversation(self._context, self._service.name, label) as made:
                await self._service.connect(self._accept, self._context)
                if made.call.background:
                    await asyncio.wait(made.call.background)
            if self._far is not None and self._far.state is not SocketState.CLOSED:
                await self._far.close()
        except Exception as error:
            self._fail(error)
        except asyncio.CancelledError:
            self._let_go()
            raise

    async def _accept(self) -> Socket:
        far = accept(self._context, SocketInfo(local_address=str(self._target)))
        _wakes_nobody(far, self._context)
        self._far = far
        connect_in_memory(self._near.wire, far.wire)
        await far.opened
        return far

    def _fail(self, error: Exception) -> None:
        if self._far is None:
            reason = error if isinstance(error, OSError) else SocketError(str(error))
            self._near.connect_failed(reason)
            return
        label = f"{self._context.label} > {self._service.name}"
        self._context.observer.handler_failed(label, error)
        self._far.wire.abort(error)

    def _let_go(self) -> None:
        """The handler was ended: its end is closed with everything else of the event."""
        if self._far is not None and not self._context.ended:
            self._far.wire.abort(SocketError(errors.CONNECTION_LOST))
