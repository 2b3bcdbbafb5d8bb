"""A peer's first bytes, looked at in passing: TLS that answers a plaintext client.

Floor 3. Owns how that is recognised; must not know sockets. It stands between wire and stream for one delivery only.
"""

from __future__ import annotations

from collections.abc import Callable

from emulator.sockets.wire import Wire
from emulator.streams import Receiver

# Record type alert, protocol version 3.x. Source: RFC 8446, section 5.1.
_ALERT = b"\x15\x03"


class Greeting(Receiver):
    """Passes everything on to `receiver`; calls `on_tls_alert()` when the first bytes are one."""

    def __init__(self, wire: Wire, receiver: Receiver, on_tls_alert: Callable[[], None]) -> None:
        self._wire = wire
        self._receiver = receiver
        self._on_tls_alert = on_tls_alert
        wire.deliver_to(self)

    def receive(self, data: bytes) -> None:
        self._wire.deliver_to(self._receiver)
        if data.startswith(_ALERT):
            self._on_tls_alert()
        self._receiver.receive(data)

    def end(self) -> None:
        self._receiver.end()

    def fail(self, error: BaseException) -> None:
        self._receiver.fail(error)
