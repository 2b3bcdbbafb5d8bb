"""Writing to the terminal without ever waiting for it.

Floor 7. Owns the process's standard output and error while a session runs: bytes are queued and one
thread writes them in order, so that a slow terminal, a full pipe or a reader that is gone never
holds up or fails a request. On a TTY one line stays below all others, the status. Must not know what
the bytes say.
"""

from __future__ import annotations

import io
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from enum import Enum
from typing import TextIO

from emulator.quantities import size

QUEUE_LIMIT_BYTES = 4 * 1024 * 1024
GATHER_SECONDS = 0.01


class Channel(Enum):
    """Where bytes go."""

    OUT = "stdout"
    ERR = "stderr"
    # To the process that started this one; see relay.py.
    PARENT = "parent"


Receive = Callable[[Channel, bytes], None]

_ERASE_LINE = b"\r\x1b[K"


class Output:
    """A queue in front of two file descriptors; None is a stream that the process was not given.

    At most QUEUE_LIMIT_BYTES wait; beyond that bytes are dropped, and their number is told once
    there is room.
    """

    def __init__(self, out: int | None, err: int | None) -> None:
        self._descriptors = {Channel.OUT: out, Channel.ERR: err, Channel.PARENT: None}
        self._terminals = tuple(
            channel for channel, descriptor in self._descriptors.items() if _is_terminal(descriptor)
        )
        self._lock = threading.Lock()
        self._queue: list[tuple[Channel, bytes]] = []
        self._queued_bytes = 0
        self._dropped_bytes = 0
        self._arrived = threading.Event()
        self._closing = threading.Event()
        # Who holds it writes to the descriptors.
        self._floor = threading.RLock()
        self._handed_over = 0
        self._status: Callable[[int], str] | None = None
        self._status_shown = False
        self._at_line_start = True
        self._thread = threading.Thread(target=self._run, name="pyworker-output", daemon=True)
        self._thread.start()

    def write(self, channel: Channel, data: bytes) -> None:
        """Queue `data`. Never blocks, never raises; may be called from any thread."""
        size_bytes = len(data)
        with self._lock:
            if self._queued_bytes + size_bytes > QUEUE_LIMIT_BYTES:
                self._dropped_bytes += size_bytes
                return
            self._queue.append((channel, data))
            self._queued_bytes += size_bytes
        if not self._arrived.is_set():
            self._arrived.set()

    def columns(self, channel: Channel) -> int | None:
        """How wide the terminal is that `channel` goes to; None if it is none."""
        if channel not in self._terminals:
            return None
        descriptor = self._descriptors[channel]
        try:
            if descriptor is None:
                return None
            return os.get_terminal_size(descriptor).columns or 80
        except OSError:
            return None

    def show_status(self, status: Callable[[int], str] | None) -> None:
        """Keep `status(columns)` below everything else that is written to standard output, a TTY.

        Called with the width each time it is drawn, in this class's thread; "" or None is no line.
        """
        self._status = status
        self._arrived.set()

    def refresh_status(self) -> None:
        """Have the status drawn again, soon."""
        self._arrived.set()

    @contextmanager
    def handed_over(self) -> Iterator[None]:
        """Write what is queued, then nothing: inside the block the descriptors are the caller's.

        What is written meanwhile waits. Other threads that ask for the same wait as well.
        """
        with self._floor:
            if not self._handed_over:
                self._write_queued()
                self._erase_status()
            self._handed_over += 1
            try:
                yield
            finally:
                self._handed_over -= 1
                self._at_line_start = True
        self._arrived.set()

    def close(self, timeout_seconds: float = 0.5) -> None:
        """Write what is queued, for `timeout_seconds` at the most. Harmless when called twice.

        The status stays as the last line.
        """
        self._closing.set()
        self._arrived.set()
        self._thread.join(timeout_seconds)

    @contextmanager
    def capturing_prints(self, receive: Receive | None = None) -> Iterator[None]:
        """Send what the worker prints, to sys.stdout and sys.stderr, through this queue, or to `receive`."""
        with (
            redirect_stdout(self._text_stream(receive, Channel.OUT, sys.stdout)),
            redirect_stderr(self._text_stream(receive, Channel.ERR, sys.stderr)),
        ):
            yield

    def _text_stream(
        self, receive: Receive | None, channel: Channel, original: TextIO | None
    ) -> TextIO:
        raw = _QueuedFile(receive or self.write, channel, self._descriptors[channel])
        encoding = getattr(original, "encoding", None) or "utf-8"
        # As under `python -u`: text goes to the raw file at once, with no buffer between.
        return io.TextIOWrapper(
            raw,  # type: ignore[type-var]  # typeshed asks for more than TextIOWrapper uses
            encoding=encoding,
            errors="backslashreplace",
            write_through=True,
        )

    def _run(self) -> None:
        while True:
            self._arrived.wait()
            self._arrived.clear()
            with self._floor:
                self._write_queued()
                self._draw_status()
            with self._lock:
                finished = self._closing.is_set() and not self._queue
            if finished:
                self._end_status()
                return
            # The first line goes out at once; those that follow closely share one write.
            self._closing.wait(GATHER_SECONDS)

    def _write_queued(self) -> None:
        for channel, data in self._take():
            if data and self._status_shown and self._is_seen(channel):
                self._erase_status()
            self._write_all(channel, data)
            if data and self._is_seen(channel):
                self._at_line_start = data.endswith(b"\n")

    def _is_seen(self, channel: Channel) -> bool:
        """Tell whether `channel` goes where the status is."""
        return channel is Channel.OUT or self.columns(channel) is not None

    def _draw_status(self) -> None:
        columns = self.columns(Channel.OUT)
        if columns is None or not self._at_line_start:
            return
        text = "" if self._status is None else self._status(columns)
        if text or self._status_shown:
            self._write_bytes(Channel.OUT, _ERASE_LINE + text.encode("utf-8", "backslashreplace"))
        self._status_shown = bool(text)

    def _erase_status(self) -> None:
        if self._status_shown:
            self._write_bytes(Channel.OUT, _ERASE_LINE)
            self._status_shown = False

    def _end_status(self) -> None:
        if self._status_shown:
            self._write_bytes(Channel.OUT, b"\n")
            self._status_shown = False

    def _take(self) -> list[tuple[Channel, bytes]]:
        """Empty the queue; neighbours of one channel become one piece."""
        with self._lock:
            queue, self._queue = self._queue, []
            dropped, self._dropped_bytes = self._dropped_bytes, 0
        joined: list[tuple[Channel, list[bytes]]] = []
        for channel, data in queue:
            if not joined or joined[-1][0] is not channel:
                joined.append((channel, []))
            joined[-1][1].append(data)
        if dropped:
            notice = f"({size(dropped)} of output not shown: the terminal did not keep up)\n"
            joined.append((Channel.ERR, [notice.encode()]))
        return [(channel, b"".join(pieces)) for channel, pieces in joined]

    def _write_all(self, channel: Channel, data: bytes) -> None:
        self._write_bytes(channel, data)
        with self._lock:
            self._queued_bytes -= len(data)

    def _write_bytes(self, channel: Channel, data: bytes) -> None:
        descriptor = self._descriptors[channel]
        rest = memoryview(data)
        while rest and descriptor is not None:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                select.select([], [descriptor], [])
            except OSError:
                # The reader is gone: what is printed from here on is for nobody.
                self._descriptors[channel] = descriptor = None


def _is_terminal(descriptor: int | None) -> bool:
    try:
        return descriptor is not None and os.isatty(descriptor)
    except OSError:
        return False


class _QueuedFile(io.RawIOBase):
    """A binary file for sys.stdout that hands its bytes to an Output."""

    def __init__(self, receive: Receive, channel: Channel, descriptor: int | None) -> None:
        super().__init__()
        self._receive = receive
        self._channel = channel
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        self._receive(self._channel, bytes(data))
        return len(data)

    def fileno(self) -> int:
        if self._descriptor is None:
            raise OSError("this process was started without this stream")
        return self._descriptor

    def isatty(self) -> bool:
        return self._descriptor is not None and os.isatty(self._descriptor)
