"""connect(): checks in the platform's order, then a Socket whose connection is opened behind it.

Floor 3. Owns the order of the checks and the attempt. Source: connect.md, "Arguments", "Where it may be called".
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

from emulator.context import Claim, IoContext, require_current
from emulator.errors import CONNECT_IN_THREAD, ConfigError, OwnershipError
from emulator.sockets.address import SocketAddress, SocketInfo, info_of, parse_address
from emulator.sockets.dial import (
    TimeLimit,
    dial,
    opened_at_once,
    start_attempt,
    start_soon,
)
from emulator.sockets.network import DEFAULT_NETWORK, Network
from emulator.sockets.options import SocketOptions, parse_options
from emulator.sockets.policy import production_note
from emulator.sockets.socket import Socket

# A wait for a slot that is shorter is nobody's concern.
NOTICEABLE_WAIT_SECONDS = 0.01


def connect(
    address: str | Mapping[str, object] | SocketAddress,
    options: Mapping[str, object] | SocketOptions | None = None,
    /,
    **named: object,
) -> Socket:
    """Open a TCP connection to `address` ("host:port", a mapping or a SocketAddress); returns its Socket at once.

    Options, as a mapping or by keyword: secure_transport "off" | "on" | "starttls", allow_half_open (bool),
    high_water_mark (bytes). Raises TypeError for arguments that can't be used, GlobalScopeError outside a handler;
    a connection that fails rejects the Socket's `opened` and `closed`.
    """
    target = parse_address(address)
    chosen = parse_options(options, named)
    context = require_current()
    begin_connection(context)
    socket = Socket(context, chosen, info_of(str(target)), target)
    network = context.provided(Network, DEFAULT_NETWORK)
    if network.policy is None and (note := production_note(target)) is not None:
        context.observer.note(note)
    socket.attempt(start_soon(_begin, socket, target, network, context))
    return socket


def _begin(socket: Socket, address: SocketAddress, network: Network, context: IoContext) -> None:
    """Open the connection of `socket` at once, where nothing is to be waited for or to be refused."""
    if (
        network.policy is None
        and socket.secure_transport != "on"
        and context.slots.free_to_open
        and opened_at_once(address, socket.wire)
    ):
        return
    claim = Claim(f"{address} ({socket.made_at.rpartition('/')[2]})")
    socket.claim(claim)
    context.slots.take_at_once(claim)  # Before those who ask in this same turn.
    attempt = _attempt(socket, address, network, context, claim)
    socket.attempt(start_attempt(attempt, f"connect to {address}"))


async def _attempt(
    socket: Socket, address: SocketAddress, network: Network, context: IoContext, claim: Claim
) -> None:
    loop = asyncio.get_running_loop()
    asked = loop.time()
    try:
        async with context.slots.held(claim):
            tell_wait(context, address, loop.time() - asked, claim)
            limit = TimeLimit(network.connect_timeout_seconds)
            await dial(address, socket.wire, limit, network.policy)
            if socket.secure_transport == "on":
                async with limit.waiting():
                    await socket.secured()
    except (OSError, ConfigError) as error:
        socket.connect_failed(error)


def begin_connection(context: IoContext) -> None:
    """Check, in the platform's order, that `context` may connect, and count it.

    Raises OwnershipError when its event is over, RuntimeError in another thread, SubrequestError.
    """
    if context.ended:
        raise OwnershipError(Socket.io_type, f"{context.label}, which is over")
    if not context.in_its_thread:
        thread = threading.current_thread().name
        raise RuntimeError(CONNECT_IN_THREAD.format(thread=thread))
    context.spend_subrequest()


def tell_wait(context: IoContext, address: SocketAddress, seconds: float, claim: Claim) -> None:
    """Tell whoever watches that `claim` stood in line for `seconds`, if that is worth a line."""
    if seconds > NOTICEABLE_WAIT_SECONDS:
        context.observer.connection_waited(context.label, str(address), seconds, claim.waited_for)


def accept(context: IoContext, info: SocketInfo) -> Socket:
    """Return the Socket of an inbound connection; its wire is the protocol to give to the event loop.

    It may be answered after the client's FIN: it is closed when its handler ends, not before.
    """
    return Socket(context, SocketOptions(allow_half_open=True), info)
