"""One request's context in tests, without a server: what is connected inside belongs to it and is closed after it.

with request() as context:
    socket = connect(...)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from emulator.context import IoContext, Observer, enter
from emulator.sockets import DEFAULT_NETWORK, Network


class RecordingObserver(Observer):
    """Remembers, as text, what it is told about connections."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.failures: list[tuple[str, str, BaseException]] = []
        self.waits: list[tuple[str, str, float]] = []
        self.unchecked: list[str] = []

    def connection_failed(self, label: str, address: str, reason: BaseException) -> None:
        self.failures.append((label, address, reason))

    def connection_waited(
        self, label: str, address: str, seconds: float, holders: Sequence[str]
    ) -> None:
        self.waits.append((label, address, seconds))

    def certificate_unchecked(self, label: str, address: str) -> None:
        self.unchecked.append(address)

    def note(self, text: str) -> None:
        self.notes.append(text)


@contextmanager
def request(
    label: str = "GET /", observer: Observer | None = None, network: Network = DEFAULT_NETWORK
) -> Iterator[IoContext]:
    """Run the block as a request's handler would be run; the request is over when the block is."""
    context = IoContext(label, observer or RecordingObserver(), provided={Network: network})
    with enter(context):
        try:
            yield context
        finally:
            context.end()
