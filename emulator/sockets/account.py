"""What there is to say of a request's connections, once something has gone wrong.

Floor 3. Owns what is told of each, as text and figures that hold on to nothing. Must not know who reads it.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, NamedTuple

from emulator.context import IoContext, Traffic
from emulator.failures import summary
from emulator.sockets.socket import Socket
from emulator.sockets.wire import Wire


class SocketAccount(NamedTuple):
    """One connection. `made_at` is `file:line`, `secure_transport` "off", "on" or "starttls"; None is not known.

    `failure` says why it could not be opened or was lost.
    """

    address: str
    state: str
    inbound: bool = False
    bytes_sent: int | None = None
    bytes_received: int | None = None
    age_seconds: float | None = None
    made_at: str | None = None
    secure_transport: str | None = None
    failure: str | None = None


def accounts_of(context: IoContext) -> list[SocketAccount]:
    """Return what there is to say of each connection of `context` that its code still knows, oldest first."""
    accounts = []
    for connection, traffic in context.connections.known():
        if isinstance(connection, Wire) and isinstance(connection.listener, Socket):
            accounts.append(_of_socket(connection.listener, connection, traffic))
        elif hasattr(
            connection, "get_extra_info"
        ):  # uvloop's transports have no class in common with asyncio's.
            accounts.append(_of_transport(connection))
    return accounts


def _of_socket(socket: Socket, wire: Wire, traffic: Traffic) -> SocketAccount:
    error = socket._closed.error
    reason = None if error is None else error.__cause__ or error
    info = socket._info
    return SocketAccount(
        address=info.remote_address or info.local_address or "",
        state=socket.state.value,
        inbound=info.remote_address is None,
        bytes_sent=traffic.bytes_sent,
        bytes_received=traffic.bytes_received,
        age_seconds=monotonic() - wire.made,
        made_at=None if socket._made_code is None else socket.made_at,
        secure_transport=socket.secure_transport,
        failure=None if reason is None else summary(reason),
    )


def _of_transport(transport: Any) -> SocketAccount:
    """Python's own sockets: asyncio keeps no count of what passes through them."""
    peer = transport.get_extra_info("peername")
    address = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else str(peer or "")
    return SocketAccount(
        address=f"[{peer[0]}]:{peer[1]}" if isinstance(peer, tuple) and ":" in peer[0] else address,
        state="closing" if transport.is_closing() else "open",
        secure_transport="on" if transport.get_extra_info("sslcontext") is not None else "off",
    )
