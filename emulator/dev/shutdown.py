"""How a session ends: Ctrl-C, SIGTERM, and what happens when the worker does not let go.

Floor 7. Owns the process's signal handlers and the promise that it is gone within 3 s; must not
know what is being served. The phases:

    LOADING --signal--> STOPPING    KeyboardInterrupt is raised in the worker's module
    SERVING --signal--> STOPPING    `requested` is set: the server is to be closed
    STOPPING --signal--> (exit)     at once

From the first signal on a thread counts: after DEADLINE_SECONDS the process exits whatever it is
doing, be it a handler that loops without awaiting or a thread that sleeps.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from types import FrameType

DEADLINE_SECONDS = 2.5

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Phase(Enum):
    """Where a session is."""

    LOADING = "loading"
    SERVING = "serving"
    STOPPING = "stopping"


class Shutdown:
    """The end of one session. `before_exit()` is called when the process is made to exit, from any thread."""

    def __init__(
        self,
        before_exit: Callable[[], None],
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        signals: Sequence[signal.Signals] = SIGNALS,
    ) -> None:
        self.phase = Phase.LOADING
        self._before_exit = before_exit
        self._signals = signals
        self._deadline_seconds = deadline_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._requested: asyncio.Event | None = None
        self._wakeup: tuple[socket.socket, ...] = ()
        self._forced_exit_code = 128 + signal.SIGINT
        # A bare lock: it may be released in a signal handler whatever was interrupted.
        self._signalled = threading.Lock()
        self._signalled.acquire()

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """Handle the signals, SIGINT and SIGTERM by default, inside the block. Main thread only."""
        threading.Thread(target=self._count_down, name="pyworker-deadline", daemon=True).start()
        before = {number: signal.signal(number, self._handle) for number in self._signals}
        try:
            yield
        finally:
            self._stop_waking()
            if self.phase is not Phase.STOPPING:
                for number, handler in before.items():
                    signal.signal(number, handler)

    def serve(self) -> asyncio.Event:
        """Enter SERVING, on the running loop. The event is set by the first signal."""
        self._loop = asyncio.get_running_loop()
        self._requested = asyncio.Event()
        self._wake_on_signals(self._loop)
        self.phase = Phase.SERVING
        return self._requested

    def closed(self) -> None:
        """All that was served is closed: whatever still holds the process, it exits with 0."""
        self._forced_exit_code = 0

    def _wake_on_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have a signal wake the loop: one that comes just before it goes to sleep would not.

        uvloop sees to this itself; asyncio only for handlers added by add_signal_handler, which do
        not run while a handler of the worker loops without awaiting.
        """
        occupied = signal.set_wakeup_fd(-1)
        if occupied != -1:
            signal.set_wakeup_fd(occupied)
            return
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        loop.add_reader(reader, reader.recv, 4096)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._wakeup = (reader, writer)

    def _stop_waking(self) -> None:
        if self._wakeup:
            signal.set_wakeup_fd(-1)
        for end in self._wakeup:
            end.close()
        self._wakeup = ()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        phase, self.phase = self.phase, Phase.STOPPING
        if phase is Phase.STOPPING:
            self._exit(128 + number)
        self._forced_exit_code = 128 + number
        self._signalled.release()
        if phase is Phase.LOADING:
            raise KeyboardInterrupt
        if self._loop is not None and self._requested is not None:
            self._loop.call_soon_threadsafe(self._requested.set)

    def _count_down(self) -> None:
        with self._signalled:
            time.sleep(self._deadline_seconds)
            self._exit(self._forced_exit_code)

    def _exit(self, code: int) -> None:
        self._before_exit()
        os._exit(code)
