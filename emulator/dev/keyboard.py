"""Keys as they are pressed, from a terminal that stays as it was found.

Floor 7. Owns the terminal's input mode on POSIX and Windows: one thread reads keys while this process is in the
foreground and nobody has borrowed the terminal. Must not know what a key does.

    OFF --start--> READING --lend--> LENT --given back--> READING --stop--> OFF

In the background, as after Ctrl-Z and `bg`, nothing is read and nothing changed: either would stop the process.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

LOOK_SECONDS = 0.3
KEY_LOOK_SECONDS = 0.05

# Arrows and the like are several characters that begin with Escape: no key of ours.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)?")


class Mode(Enum):
    """Whose the keys are."""

    OFF = "off"
    READING = "reading"
    LENT = "lent"


class Keyboard:
    """Calls `on_key(character)`, in a thread of its own, for each key from `start()` to `stop()`."""

    def __init__(self, on_key: Callable[[str], None]) -> None:
        self._on_key = on_key
        self._mode = Mode.OFF
        self._lenders = 0
        self._lock = threading.RLock()
        self._terminal: _Terminal | None = None

    def start(self) -> bool:
        """Begin to read standard input. False, and nothing happens, when it is no terminal."""
        self._terminal = _terminal()
        if self._terminal is None:
            return False
        atexit.register(self.stop)
        self._mode = Mode.READING if not self._lenders else Mode.LENT
        threading.Thread(target=self._read, name="pyworker-keys", daemon=True).start()
        if hasattr(signal, "SIGTSTP") and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTSTP, self._suspended)
        return True

    def stop(self) -> None:
        """Leave the terminal as it was found. Harmless when called twice, from any thread."""
        with self._lock:
            lent, self._mode = self._mode is Mode.LENT, Mode.OFF
            if self._terminal is not None:
                # A prompt that is cut off has its own mode set.
                self._terminal.restore(always=lent)
                self._terminal.wake()
        atexit.unregister(self.stop)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """A block in which keys go to whoever reads standard input, in lines and echoed."""
        self.lend()
        try:
            yield
        finally:
            self.take_back()

    def lend(self) -> None:
        """Begin what `take_back` ends; may be called several times."""
        with self._lock:
            self._lenders += 1
            if self._mode is Mode.READING and self._terminal is not None:
                self._mode = Mode.LENT
                self._terminal.restore()

    def take_back(self) -> None:
        """Undo one `lend`."""
        with self._lock:
            self._lenders -= 1
            if not self._lenders and self._mode is Mode.LENT and self._terminal is not None:
                self._mode = Mode.READING
                self._terminal.wake()

    def _read(self) -> None:
        terminal = self._terminal
        assert terminal is not None
        while self._mode is not Mode.OFF:
            with self._lock:
                readable = self._mode is Mode.READING and terminal.in_foreground()
                if readable:
                    terminal.set_keys()
            if not terminal.wait(LOOK_SECONDS, readable=readable):
                continue
            with self._lock:
                if self._mode is not Mode.READING or not terminal.in_foreground():
                    continue
                text = terminal.read()
            if text is None:  # The terminal is gone.
                return
            for character in text:
                self._on_key(character)

    def _suspended(self, number: int, frame: Any) -> None:
        """Ctrl-Z: stop as any program does; keys are read again after `fg`."""
        if sys.platform == "win32":
            return
        with self._lock:
            if self._terminal is not None and self._mode is Mode.READING:
                self._terminal.restore()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        # Here it goes on after SIGCONT.
        signal.signal(signal.SIGTSTP, self._suspended)
        if self._terminal is not None:
            self._terminal.wake()


if sys.platform == "win32":
    import msvcrt

    class _Terminal:
        """The console, whose keys need no mode."""

        def in_foreground(self) -> bool:
            return True

        def set_keys(self) -> None: ...

        def restore(self, *, always: bool = False) -> None: ...

        def wake(self) -> None: ...

        def wait(self, seconds: float, *, readable: bool) -> bool:
            time.sleep(KEY_LOOK_SECONDS)
            return readable and msvcrt.kbhit()

        def read(self) -> str | None:
            character = msvcrt.getwch()
            if character in "\x00\xe0":  # A key without a character: its second half follows.
                msvcrt.getwch()
                return ""
            return character

else:
    import termios

    class _Terminal:
        """Standard input, a TTY: without echo and lines while keys are read; Ctrl-C stays a signal."""

        def __init__(self) -> None:
            self._descriptor = sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
            self._found = termios.tcgetattr(self._descriptor)
            self._changed = False
            self._waker, self._wake = os.pipe()
            os.set_blocking(self._wake, False)

        def in_foreground(self) -> bool:
            try:
                return os.tcgetpgrp(self._descriptor) == os.getpgrp()
            except OSError:
                return False

        def set_keys(self) -> None:
            """Each key at once, not echoed. What the shell changed meanwhile is what is restored."""
            with contextlib.suppress(termios.error):
                current = termios.tcgetattr(self._descriptor)
                if not current[3] & (termios.ICANON | termios.ECHO):
                    return
                self._found = termios.tcgetattr(self._descriptor)
                current[3] &= ~(termios.ICANON | termios.ECHO)
                current[6][termios.VMIN], current[6][termios.VTIME] = 1, 0
                termios.tcsetattr(self._descriptor, termios.TCSANOW, current)
                self._changed = True

        def restore(self, *, always: bool = False) -> None:
            if (self._changed or always) and self.in_foreground():
                with contextlib.suppress(termios.error):
                    termios.tcsetattr(self._descriptor, termios.TCSANOW, self._found)
                self._changed = False

        def wake(self) -> None:
            with contextlib.suppress(OSError):
                os.write(self._wake, b"x")

        def wait(self, seconds: float, *, readable: bool) -> bool:
            waited = [self._waker, self._descriptor] if readable else [self._waker]
            found, _, _ = select.select(waited, [], [], seconds)
            if self._waker in found:
                os.read(self._waker, 1024)
            return self._descriptor in found

        def read(self) -> str | None:
            try:
                data = os.read(self._descriptor, 64)
            except OSError:
                return None
            if not data:
                return None
            return _SEQUENCE.sub("", data.decode("utf-8", "replace"))


def _terminal() -> _Terminal | None:
    stdin = sys.__stdin__
    try:
        if stdin is None or not stdin.isatty():
            return None
        return _Terminal()
    except (OSError, ValueError):
        return None
