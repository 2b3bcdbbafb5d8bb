"""One source for two streams: each branch receives every chunk, as the same object.

Floor 2. Owns how two branches share a source: it is paused only while both are full (so that a worker may read
one to its end before the other) and cancelled only when both are.
"""

from __future__ import annotations

from enum import Enum

from emulator.streams.core import ReadableCore
from emulator.streams.native import Bytes, ByteSink, ByteSource, Feeder, Receiver
from emulator.streams.promise import Promise


class BranchState(Enum):
    """What a branch says to the shared source."""

    FLOWING = "flowing"
    PAUSED = "paused"
    CANCELLED = "cancelled"


class TeeBranch(ByteSource):
    """The source of one of the two streams."""

    __slots__ = ("_receiver", "_tee", "state")

    def __init__(self, tee: Tee) -> None:
        self.state = BranchState.FLOWING
        self._tee = tee
        self._receiver: Receiver | None = None

    @property
    def attached(self) -> bool:
        """True once somebody receives from this branch."""
        return self._receiver is not None

    def deliver_to(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._tee.start()

    def pause(self) -> None:
        self._change(BranchState.PAUSED)

    def resume(self) -> None:
        self._change(BranchState.FLOWING)

    def cancel(self, reason: BaseException | None) -> None:
        self._change(BranchState.CANCELLED)

    def _change(self, state: BranchState) -> None:
        if self.state is not BranchState.CANCELLED:
            self.state = state
            self._tee.balance()

    def receive(self, data: bytes) -> None:
        """Pass `data` on to this branch's stream."""
        if self._receiver is not None and self.state is not BranchState.CANCELLED:
            self._receiver.receive(data)

    def end(self) -> None:
        """Pass the end on."""
        if self._receiver is not None and self.state is not BranchState.CANCELLED:
            self._receiver.end()

    def fail(self, error: BaseException) -> None:
        """Pass the failure on."""
        if self._receiver is not None and self.state is not BranchState.CANCELLED:
            self._receiver.fail(error)


class Tee(ByteSink):
    """The sink that the teed stream `core` is pumped into: it writes to both branches."""

    __slots__ = ("_core", "_feeder", "_full", "branches")

    def __init__(self, core: ReadableCore) -> None:
        self.branches = (TeeBranch(self), TeeBranch(self))
        self._core = core
        self._feeder: Feeder | None = None
        self._full = False

    def feed_from(self, feeder: Feeder) -> None:
        self._feeder = feeder

    @property
    def buffered_bytes(self) -> int:
        return 0

    def write(self, data: Bytes) -> bool:
        chunk = data if isinstance(data, bytes) else bytes(data)
        for branch in self.branches:
            branch.receive(chunk)
        return not self._full

    def flush(self) -> Promise[None]:
        return Promise.fulfilled(None)

    def finish(self) -> Promise[None]:
        for branch in self.branches:
            branch.end()
        return Promise.fulfilled(None)

    def abort(self, error: BaseException) -> None:
        for branch in self.branches:
            branch.fail(error)

    def start(self) -> None:
        """Let the bytes flow, once both branches have somebody to receive them."""
        if self._feeder is None and all(branch.attached for branch in self.branches):
            self._core.pump_to(self)

    def balance(self) -> None:
        """A branch changed its mind: hold the feeder back, let it go on, or tell it that nobody is left."""
        states = {branch.state for branch in self.branches}
        was_full, self._full = self._full, BranchState.FLOWING not in states
        if self._feeder is None:
            return
        if states == {BranchState.CANCELLED}:
            self._feeder.sink_lost(RuntimeError("Both branches of a tee were cancelled."))
        elif was_full and not self._full:
            self._feeder.drained()


def tee(core: ReadableCore) -> tuple[ByteSource, ByteSource]:
    """Return two sources that each deliver everything `core` has and gets.

    `core` is pumped from the moment both have a receiver.
    """
    return Tee(core).branches
