"""When start_tls() may be called.

Floor 3. Owns the platform's refusals and their order. Source: connect.md, "start_tls()".
"""

from __future__ import annotations

from emulator import errors
from emulator.sockets.options import SecureTransport
from emulator.sockets.state import SocketState

_UPGRADABLE = (SocketState.CONNECTING, SocketState.OPEN, SocketState.UPGRADED)


def check_upgradable(secure_transport: SecureTransport, state: SocketState) -> None:
    """Raise the platform's TypeError unless start_tls() may be called now. Its order is part of the contract."""
    if secure_transport == "on":
        raise TypeError(errors.START_TLS_ON_TLS)
    if state not in _UPGRADABLE:
        raise TypeError(errors.START_TLS_CLOSED)
    if secure_transport != "starttls":
        raise TypeError(errors.START_TLS_NOT_ASKED_FOR)
    if state is SocketState.UPGRADED:
        raise TypeError(errors.START_TLS_TWICE)
