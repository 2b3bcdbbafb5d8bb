"""What the two controllers of a readable stream share: when its source is pulled, and what closing and failing take.

Floor 2. Owns those; what is queued, and who waits for it, is each controller's own. Source: WHATWG Streams,
"ReadableStreamDefaultController" and "ReadableByteStreamController".
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import Any

from emulator import errors
from emulator.context import Owned
from emulator.naming import camel_case_aliases
from emulator.streams.core import ReadableState, as_error
from emulator.streams.promise import Promise
from emulator.streams.standard_readable import Controller, StandardReadable
from emulator.streams.underlying import Algorithm, nothing


class Pulling(Enum):
    """What the source is doing: starting, nothing, pulling, pulling with a wish for more, dismissed."""

    STARTING = "starting"
    IDLE = "idle"
    PULLING = "pulling"
    PULLING_AGAIN = "pulling, and again after that"
    DISMISSED = "dismissed"


class Puller:
    """Calls a source's pull when its stream wants more, once at a time."""

    __slots__ = ("_fail", "_pull", "_wanted", "state")

    def __init__(
        self,
        pull: Algorithm,
        wanted: Callable[[], bool],
        fail: Callable[[BaseException], None],
    ) -> None:
        self.state = Pulling.STARTING
        self._pull = pull
        self._wanted = wanted
        self._fail = fail

    def start(self, started: Promise[Any], controller: object) -> None:
        """The source's start was called: pull when it is done, fail as it does."""

        def begin(_: object) -> None:
            if self.state is Pulling.STARTING:
                self.state = Pulling.IDLE
            self.pull(controller)

        started.then(begin, self._fail)

    def pull(self, controller: object) -> None:
        """Call pull if more is wanted; after the one under way, if there is one."""
        if self.state in (Pulling.STARTING, Pulling.DISMISSED) or not self._wanted():
            return
        if self.state is not Pulling.IDLE:
            self.state = Pulling.PULLING_AGAIN
            return
        self.state = Pulling.PULLING

        def pulled(_: object) -> None:
            again = self.state is Pulling.PULLING_AGAIN
            if self.state is not Pulling.DISMISSED:
                self.state = Pulling.IDLE
            if again:
                self.pull(controller)

        self._pull(controller).then(pulled, self._fail)

    def dismiss(self) -> None:
        """Nothing more is wanted of the source, ever."""
        self.state = Pulling.DISMISSED
        self._pull = nothing


@camel_case_aliases
class SourceController(Owned, Controller):
    """Given to a source's start and pull."""

    def __init__(
        self,
        stream: StandardReadable,
        pull: Algorithm,
        cancel: Algorithm,
        high_water_mark: float,
    ) -> None:
        super().__init__()
        self._stream = stream
        self._puller = Puller(pull, self._wants_more, self.fail)
        self._cancel = cancel
        self._high_water_mark = high_water_mark
        self._close_requested = False
        stream.controller = self

    def started(self, start: Promise[Any]) -> None:
        """The source's start was called, and gave `start`."""
        self._puller.start(start, self)

    @property
    def desired_size(self) -> float | None:
        """How much more the queue wants; negative when it is over-full, None once the stream has failed."""
        self.check_owner()
        return self._room()

    def close(self) -> None:
        """End the stream after what is queued. Raises TypeError when it is closed, closing or failed."""
        self.check_owner()
        if not self.may_enqueue:
            raise TypeError(errors.CONTROLLER_NOT_OPEN)
        self.finish()

    def error(self, error: object = None) -> None:
        """Fail the stream; what is queued is lost. Does nothing once it is closed or failed."""
        self.check_owner()
        self.fail(as_error(error, errors.STREAM_FAILED))

    # For the runtime.

    @property
    def stream(self) -> StandardReadable:
        """The stream whose queue this is."""
        return self._stream

    @property
    def may_enqueue(self) -> bool:
        """True while chunks are taken."""
        return not self._close_requested and self._stream.state is ReadableState.READABLE

    @abstractmethod
    def finish(self) -> None:
        """End the stream after what is queued."""

    @abstractmethod
    def fail(self, error: BaseException) -> None:
        """Fail the stream, unless it is closed or failed already."""

    @abstractmethod
    def _queued(self) -> float:
        """How much is queued, as the strategy measures it."""

    @abstractmethod
    def _wants_more(self) -> bool:
        """True while the source is to be pulled."""

    def _room(self) -> float | None:
        if self._stream.state is ReadableState.ERRORED:
            return None
        if self._stream.state is ReadableState.CLOSED:
            return 0
        return self._high_water_mark - self._queued()

    def _dismiss(self) -> None:
        self._puller.dismiss()
        self._cancel = nothing
