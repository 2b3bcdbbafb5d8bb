"""A file as a native source and sink: standard input, standard output, or one on a disk.

Floor 7. Owns reading and writing in a thread, so that a slow file, a pipe or a terminal never holds the event loop up;
must not know what the bytes are.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from emulator.errors import SocketError
from emulator.server.framing import Framing, FramingError
from emulator.streams import (
    HIGH_WATER_MARK_BYTES,
    Bytes,
    ByteSink,
    ByteSource,
    Feeder,
    Promise,
    Receiver,
)

READ_BYTES = 65_536


class OutputLostError(Exception):
    """The file takes nothing any more; `__cause__` is the operating system's reason."""


class FileSource(ByteSource):
    """Delivers what `file`, a path or a descriptor, gives until its end; opened with the first read.

    `length_bytes` is how much that will be, where it is known. Beyond `limit_bytes` it fails, and says `too_large`.
    """

    def __init__(
        self, file: Path | int, length_bytes: int | None, limit_bytes: int, too_large: str
    ) -> None:
        self._file = file
        self._length_bytes = length_bytes
        self._left_bytes = limit_bytes
        self._too_large = too_large
        self._receiver: Receiver | None = None
        self._thread: threading.Thread | None = None
        self._wanted = threading.Event()
        self._paused = True

    @property
    def length_bytes(self) -> int | None:
        return self._length_bytes

    def may_deliver(self) -> bool:
        """True while bytes may still come to whoever reads."""
        return self._receiver is not None and self._thread is not None

    def deliver_to(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        if self._receiver is None:
            return
        self._paused = False
        self._wanted.set()
        if self._thread is None:
            arguments = (asyncio.get_running_loop(),)
            # A daemon: nothing can interrupt a read of a terminal, and nobody waits for it.
            self._thread = threading.Thread(
                target=self._read, args=arguments, name="pyworker-input", daemon=True
            )
            self._thread.start()

    def cancel(self, reason: BaseException | None) -> None:
        self._receiver = None
        self._wanted.set()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            # Unbuffered: what a pipe has now is delivered now.
            with open(self._file, "rb", buffering=0, closefd=isinstance(self._file, Path)) as file:
                data = b"more"
                while data:
                    self._wanted.wait()
                    self._wanted.clear()
                    if self._receiver is None:
                        return
                    data = file.read(READ_BYTES)
                    _call(loop, self._deliver, data)
        except OSError as error:
            _call(loop, self._fail, SocketError(error.strerror or str(error)))

    def _deliver(self, data: bytes) -> None:
        receiver = self._receiver
        if receiver is None:
            return
        if not data:
            self._receiver = None
            receiver.end()
            return
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self._fail(SocketError(self._too_large))
            return
        receiver.receive(data)
        if not self._paused:
            self._wanted.set()

    def _fail(self, error: Exception) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.fail(error)


class FileSink(ByteSink):
    """Writes to `file`, a path or a descriptor, each chunk as it comes.

    `head` goes out with the first bytes of the body, or alone; `framing` says how long that may be. `close()` ends
    the thread, which closes what it opened.
    """

    def __init__(self, file: Path | int, head: bytes, framing: Framing) -> None:
        self._file = file
        self._head = head
        self._framing = framing
        self._loop = asyncio.get_running_loop()
        self._chunks: SimpleQueue[bytes | None] = SimpleQueue()
        self._buffered_bytes = 0
        self._feeder: Feeder | None = None
        self._held = False
        self._opened = False
        self._flushed: Promise[None] | None = None
        self._lost: OutputLostError | None = None
        self.begun = False
        threading.Thread(target=self._write, name="pyworker-response", daemon=True).start()

    @property
    def buffered_bytes(self) -> int:
        return self._buffered_bytes

    def feed_from(self, feeder: Feeder) -> None:
        self._feeder = feeder
        if self._lost is not None:
            feeder.sink_lost(self._lost)

    def write(self, data: Bytes) -> bool:
        if self._lost is not None:
            return True
        try:
            parts = self._framing.frame(data)
        except FramingError as error:
            feeder, self._feeder = self._feeder, None
            if feeder is not None:
                feeder.sink_lost(error)
            return True
        self.send_head()
        for part in parts:
            self._put(bytes(part))
        self._held = self._buffered_bytes > HIGH_WATER_MARK_BYTES
        return not self._held

    def send_head(self) -> None:
        """Send the head now, if the body has not taken it along."""
        self.begun = True
        head, self._head = self._head, b""
        if head:
            self._put(head)

    def flush(self) -> Promise[None]:
        if self._lost is not None:
            return Promise.rejected(self._lost)
        if self._opened and not self._buffered_bytes:
            return Promise.fulfilled(None)
        if self._flushed is None:
            self._flushed = Promise()
        return self._flushed

    def finish(self) -> Promise[None]:
        try:
            self._framing.end()
        except FramingError as error:
            return Promise.rejected(error)
        self.send_head()
        return self.flush()

    def abort(self, error: BaseException) -> None:
        """What was written stays: a file has no sign for a body that is not the whole."""

    def close(self) -> None:
        """No more writes."""
        self._chunks.put(None)

    def _put(self, data: bytes) -> None:
        self._buffered_bytes += len(data)
        self._chunks.put(data)

    def _write(self) -> None:
        try:
            with open(self._file, "wb", buffering=0, closefd=isinstance(self._file, Path)) as file:
                _call(self._loop, self._wrote, 0)
                while (chunk := self._chunks.get()) is not None:
                    rest = memoryview(chunk)
                    while rest:
                        rest = rest[file.write(rest) or 0 :]
                    _call(self._loop, self._wrote, len(chunk))
        except OSError as error:
            _call(self._loop, self._lose, error)

    def _wrote(self, count: int) -> None:
        self._opened = True
        self._buffered_bytes -= count
        if not self._buffered_bytes and self._flushed is not None:
            flushed, self._flushed = self._flushed, None
            flushed.resolve(None)
        if self._held and self._buffered_bytes <= HIGH_WATER_MARK_BYTES // 2:
            self._held = False
            if self._feeder is not None:
                self._feeder.drained()

    def _lose(self, reason: OSError) -> None:
        self._lost = OutputLostError(reason.strerror or str(reason))
        self._lost.__cause__ = reason
        if self._flushed is not None:
            self._flushed.reject(self._lost)
        if self._feeder is not None:
            self._feeder.sink_lost(self._lost)


def _call(
    loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *arguments: object
) -> None:
    """Have the loop call `callback`, unless it is closed: then nobody is interested any more."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback, *arguments)
