"""Bytes in motion: what a native source, a native sink and those between them promise each other.

Floor 2. Owns the four interfaces of the native path and nothing else. All calls are synchronous and happen on
the event loop, so a byte moves from a peer's connection to another one's without a task or a reader in between.

    ByteSource ──receive/end/fail──▶ Receiver          a source delivers to one receiver at a time
               ◀──pause/resume/cancel──
    Feeder     ──write/finish/abort──▶ ByteSink        a sink is fed by one feeder at a time
               ◀──drained/sink_lost──
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from emulator.streams.promise import Promise

# The bytes a stream holds before it makes its source wait.
HIGH_WATER_MARK_BYTES = 65_536

Bytes = bytes | bytearray | memoryview


class Receiver(ABC):
    """Takes what a source delivers. Nothing comes after `receive_last`, `end` or `fail`.

    `takes_end`: it would rather hear of the last bytes and the end at once.
    """

    takes_end = False

    @abstractmethod
    def receive(self, data: bytes) -> None:
        """Take `data`, never empty. It may still come after the source was paused."""

    def receive_last(self, data: bytes) -> None:
        """Take `data`, never empty, behind which the source has ended."""
        self.receive(data)
        self.end()

    @abstractmethod
    def end(self) -> None:
        """The source has delivered its last byte."""

    @abstractmethod
    def fail(self, error: BaseException) -> None:
        """The source broke off: what was delivered is not the whole."""


class ByteSource(ABC):
    """Delivers bytes to a receiver as they arrive."""

    @property
    def length_bytes(self) -> int | None:
        """How many bytes it delivers in all, where that is known from the start."""
        return None

    def take_all(self) -> bytes | None:
        """Return all that would be delivered, when it is there already and nobody receives yet; None otherwise.

        Nothing is delivered afterwards. Raises what `fail` would tell.
        """
        return None

    @abstractmethod
    def deliver_to(self, receiver: Receiver) -> None:
        """Deliver to `receiver` from now on, in place of whoever received before."""

    def take_end(self) -> bool:
        """Tell whether everything was delivered but the end; then nothing is delivered any more, not even that."""
        return False

    @abstractmethod
    def pause(self) -> None:
        """Stop delivering soon; harmless when paused, ended or failed."""

    @abstractmethod
    def resume(self) -> None:
        """Deliver again; harmless when not paused, ended or failed."""

    @abstractmethod
    def cancel(self, reason: BaseException | None) -> None:
        """Nobody wants the rest: let go of it. Nothing is delivered afterwards."""


class Feeder(ABC):
    """Feeds a sink."""

    @abstractmethod
    def drained(self) -> None:
        """The sink has room again after a write that returned False."""

    @abstractmethod
    def sink_lost(self, error: BaseException) -> None:
        """The sink takes nothing any more."""


class ByteSink(ABC):
    """Sends bytes on, in the order they were written."""

    @abstractmethod
    def feed_from(self, feeder: Feeder) -> None:
        """Tell `feeder` from now on about room and loss."""

    @abstractmethod
    def write(self, data: Bytes) -> bool:
        """Take all of `data`; False asks the feeder to hold back until `drained()`."""

    @property
    @abstractmethod
    def buffered_bytes(self) -> int:
        """Bytes taken that are not sent yet."""

    @abstractmethod
    def flush(self) -> Promise[None]:
        """Return a promise that settles when everything written so far is sent, or can't be."""

    @abstractmethod
    def finish(self) -> Promise[None]:
        """No more writes: send what is held, then a clean end. The promise settles when that is done."""

    def finish_with(self, data: Bytes) -> Promise[None]:
        """Take all of `data`, the last there is, and finish."""
        self.write(data)
        return self.finish()

    @abstractmethod
    def abort(self, error: BaseException) -> None:
        """Break off, so that whoever receives can tell that this is not the whole."""
