"""Sources that are not a connection: bytes at hand, and anything that can be iterated.

Floor 2. Owns how bytes and iterables become native sources.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterable, Iterable
from enum import Enum

from emulator import errors
from emulator.streams.native import ByteSource, Receiver


class MemorySource(ByteSource):
    """Delivers `data` and ends, to its first receiver and at once."""

    __slots__ = ("_data", "_receiver")

    def __init__(self, data: bytes) -> None:
        self._data: bytes | None = data
        self._receiver: Receiver | None = None

    def deliver_to(self, receiver: Receiver) -> None:
        data, self._data = self._data, None
        if data is None:
            return
        self._receiver = receiver
        if data:
            receiver.receive(data)
        if self._receiver is not None:
            self._receiver = None
            receiver.end()

    def pause(self) -> None:
        """Everything was delivered when the receiver was attached."""

    def resume(self) -> None:
        """Everything was delivered when the receiver was attached."""

    def cancel(self, reason: BaseException | None) -> None:
        self._data = self._receiver = None


class IterationState(Enum):
    """Where an iteration is: not begun, delivering, told to wait, over."""

    IDLE = "idle"
    RUNNING = "running"
    HELD = "held"
    OVER = "over"


class IterableSource(ByteSource):
    """Delivers the chunks of an iterable or async iterable of bytes, each when it is asked for.

    The iterable runs in one task, begun with the first `resume()`, in the context of whoever made this source.
    A chunk that is not bytes-like fails the stream with TypeError; cancelling the source closes the iterator.
    """

    __slots__ = ("_chunks", "_context", "_receiver", "_room", "_state", "_task")

    def __init__(self, chunks: AsyncIterable[object] | Iterable[object]) -> None:
        self._chunks = chunks
        self._receiver: Receiver | None = None
        self._state = IterationState.IDLE
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._context = contextvars.copy_context()

    def deliver_to(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def pause(self) -> None:
        if self._state is IterationState.RUNNING:
            self._state = IterationState.HELD
            self._room.clear()

    def resume(self) -> None:
        if self._state is IterationState.IDLE:
            self._state = IterationState.RUNNING
            self._room.set()
            self._task = asyncio.get_running_loop().create_task(
                self._iterate(), name="body iterator", context=self._context
            )
        elif self._state is IterationState.HELD:
            self._state = IterationState.RUNNING
            self._room.set()

    def cancel(self, reason: BaseException | None) -> None:
        if self._state is IterationState.IDLE and not hasattr(self._chunks, "__aiter__"):
            _close(self._chunks)
        self._state = IterationState.OVER
        self._receiver = None
        if self._task is not None:
            self._task.cancel()

    async def _iterate(self) -> None:
        try:
            if isinstance(self._chunks, AsyncIterable):
                iterator = aiter(self._chunks)
                try:
                    async for chunk in iterator:
                        await self._deliver(chunk)
                finally:
                    aclose = getattr(iterator, "aclose", None)
                    if aclose is not None:
                        await aclose()
            else:
                chunks = iter(self._chunks)
                try:
                    for chunk in chunks:
                        await self._deliver(chunk)
                        await asyncio.sleep(0)  # A sink that never fills must not stop the loop.
                finally:
                    _close(chunks)
        except asyncio.CancelledError:
            if self._state is not IterationState.OVER:
                self._settle(ConnectionError(errors.BODY_ITERATOR_CANCELLED))
            raise
        except Exception as error:
            self._settle(error)
        except BaseException as error:  # sys.exit() in a body must not stop the event loop.
            self._settle(RuntimeError(f"A body's iterator raised {error!r}."))
        else:
            self._settle(None)

    async def _deliver(self, chunk: object) -> None:
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise errors.chunk_not_bytes(chunk, errors.SOURCE_CHUNK_NOT_BYTES)
        if self._receiver is not None and len(chunk):
            self._receiver.receive(bytes(chunk))
        await self._room.wait()

    def _settle(self, error: BaseException | None) -> None:
        self._state = IterationState.OVER
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        if error is None:
            receiver.end()
        else:
            receiver.fail(error)


def _close(iterator: object) -> None:
    close = getattr(iterator, "close", None)
    if close is not None:
        close()
