"""How connections are made, as whoever started the server decided.

Floor 3. Owns the settings of connect() that are not the worker's to choose.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.sockets.policy import Policy
from emulator.sockets.tls import Trust

CONNECT_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Network:
    """`connect_timeout_seconds` bounds look-up, TCP and TLS together; `trust` says which certificates are accepted.

    `policy` refuses what production refuses; without one everything that can be reached may be.
    """

    connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS
    trust: Trust = field(default_factory=Trust)
    policy: Policy | None = None


DEFAULT_NETWORK = Network()
