"""The calls of other workers that one event makes, and those that these make: a tree.

Floor 2. Owns who called whom, how deep, and when a call is told of. Must not know how a worker is called.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from time import perf_counter

from emulator.context.observer import CallRecord, Observer, Outcome

# How many workers may be at work for one another, the event's own included.
# Source: https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/, "Limits".
CALL_DEPTH_LIMIT = 32


class Call:
    """One call, under way until `tree.end(call)`. `background` is the wait_until work that its worker began.

    `depth` is 1 for a call by the event's own handler.
    """

    __slots__ = (
        "background",
        "began",
        "calls",
        "depth",
        "failure",
        "label",
        "record",
        "service",
        "told",
    )

    def __init__(self, service: str, label: str, depth: int) -> None:
        self.service = service
        self.label = label
        self.depth = depth
        self.began = perf_counter()
        self.background: list[asyncio.Task[None]] = []
        self.calls: list[Call] = []
        self.failure: str | None = None
        self.record: CallRecord | None = None
        self.told = False


_current: ContextVar[Call | None] = ContextVar("pyworker_call", default=None)


def current_call() -> Call | None:
    """The call whose worker's code is running; None in that of the event's own worker."""
    return _current.get()


class CallTree:
    """The calls of the event called `label`."""

    def __init__(self, label: str, observer: Observer) -> None:
        self._label = label
        self._observer = observer
        self._calls: list[Call] = []
        self._event_told = False

    def begin(self, service: str, label: str) -> Call:
        """Return a new call of `service`, made by the code that is running."""
        parent = _current.get()
        call = Call(service, label, 1 if parent is None else parent.depth + 1)
        (self._calls if parent is None else parent.calls).append(call)
        return call

    def end(
        self, call: Call, outcome: Outcome, status: str | None = None, failure: str | None = None
    ) -> None:
        """`call` is over. A `failure` that has come from a call further on is told there."""
        seconds = perf_counter() - call.began
        call.failure = failure
        if any(each.failure == failure for each in call.calls):
            failure = None
        call.record = CallRecord(
            self._label, call.service, call.label, outcome, seconds, status, failure
        )
        if self._event_told:
            self._tell(call)

    def tell(self) -> None:
        """The event has been told of: tell of its calls, each before those that it made."""
        self._event_told = True
        line = list(reversed(self._calls))
        while line:
            call = line.pop()
            self._tell(call)
            line.extend(reversed(call.calls))

    def _tell(self, call: Call) -> None:
        if call.record is not None and not call.told:
            call.told = True
            self._observer.call_finished(call.record, call.depth)


class calling:
    """`with calling(call):` runs the block as what `call` has its worker do."""

    __slots__ = ("_call", "_token")

    def __init__(self, call: Call) -> None:
        self._call = call

    def __enter__(self) -> None:
        self._token = _current.set(self._call)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
