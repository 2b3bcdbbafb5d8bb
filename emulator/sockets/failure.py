"""What a connection that could not be made is called, in the platform's words.

Floor 3. Owns the choice of the sentence; the reason behind it is its cause. Source: connect.md, "Life of a socket", 3,
"start_tls()", "Addresses that production refuses".
"""

from __future__ import annotations

from emulator import errors
from emulator.errors import SocketError
from emulator.sockets.address import SocketAddress
from emulator.sockets.policy import RefusedError

HTTP_PORTS = frozenset({80, 443})


def connect_error(
    reason: BaseException, address: SocketAddress | None, *, was_open: bool
) -> SocketError:
    """Return the error of a connection to `address` that failed for `reason`.

    `was_open` says that it had been open, and was being upgraded to TLS.
    """
    error = SocketError(_sentence(reason, address, was_open))
    error.__cause__ = reason
    return error


def _sentence(reason: BaseException, address: SocketAddress | None, was_open: bool) -> str:
    if isinstance(reason, RefusedError):
        return reason.sentence
    if was_open and isinstance(reason, ConnectionError):
        return errors.START_TLS_LOST
    if address is not None and address.port in HTTP_PORTS:
        return errors.CONNECT_FAILED_HTTP
    return errors.CONNECT_FAILED
