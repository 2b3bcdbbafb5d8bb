"""What the runtime tells whoever watches: the terminal, a test, later the inspector.

Floor 2. Owns the list of things that can be told; every method does nothing here, so a watcher overrides
only what it shows. Methods are called on the event loop, must not raise and must not block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Outcome(Enum):
    """How one event (a request, an inbound connection) ended."""

    OK = "ok"
    EXCEPTION = "exception"
    EXCEEDED_CPU = "exceeded_cpu"
    EXCEEDED_SUBREQUESTS = "exceeded_subrequests"
    HUNG = "hung"
    CANCELED = "canceled"


@dataclass(slots=True)
class Traffic:
    """What a request moved through its sockets: how many there were, and bytes each way."""

    sockets: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


# That of an event without connections; not to be added to.
NO_TRAFFIC = Traffic()


class EventRecord(NamedTuple):
    """One finished event, as it is logged.

    `label` is "GET /path" or "CONNECT host:port"; `status` is "200 OK" for HTTP, None elsewhere;
    `seconds` runs from the request's head to the last byte of its response.
    """

    label: str
    outcome: Outcome
    seconds: float
    traffic: Traffic
    status: str | None = None


class CallRecord(NamedTuple):
    """One finished call of another worker through a service binding.

    `event` is the label of the request or connection that it was made for; `label` is "GET /path", "add()" or
    "CONNECT host:port"; `status` is "200 OK" for fetch, None elsewhere; `failure` says on one line why it failed.
    """

    event: str
    service: str
    label: str
    outcome: Outcome
    seconds: float
    status: str | None = None
    failure: str | None = None


class Observer:
    """Hears of everything a user may want to see; each default does nothing."""

    def event_finished(self, record: EventRecord) -> None:
        """One request or inbound connection is over."""

    def call_finished(self, record: CallRecord, depth: int) -> None:
        """A call of another worker is over: told after its event's end, or at its own when that comes later.

        `depth` is 1 for a call by the event's own handler, 2 for one that this has caused, and so on.
        """

    def handler_failed(self, label: str, error: BaseException) -> None:
        """A handler raised, or returned what can't be sent. `label` names the event."""

    def background_failed(self, label: str, error: BaseException) -> None:
        """Something given to wait_until raised, or was cancelled for running too long."""

    def body_failed(self, label: str, error: BaseException) -> None:
        """A response's body ended in an error after its head was sent."""

    def connection_failed(self, label: str, address: str, reason: BaseException) -> None:
        """connect(address) failed; `reason` is what the operating system or TLS said."""

    def connection_waited(
        self, label: str, address: str, seconds: float, holders: Sequence[str]
    ) -> None:
        """connect(address) stood in line `seconds` for a connection slot; `holders` had them when it came."""

    def loop_blocked(self, place: str, seconds: float) -> None:
        """Worker code at `place` has kept every other request waiting for `seconds`, and still does.

        Called from another thread than the event loop's.
        """

    def certificate_unchecked(self, label: str, address: str) -> None:
        """connect(address) speaks TLS with a host whose certificate is not checked, as was asked for."""

    def note(self, text: str) -> None:
        """Something worth one line: production would do otherwise, a key does nothing here."""
