"""The person at the keyboard: hotkeys and the debugger's prompt, beside what is served.

Floor 7. Owns which keys there are and who has the keyboard. Must not know how a worker is loaded or served: what a key
starts is handed in.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from emulator import errors
from emulator.config import Config, LogFormat
from emulator.dev import tables
from emulator.dev.debugger import Debugger
from emulator.dev.face import Face
from emulator.dev.hotkeys import Hotkey, Hotkeys
from emulator.dev.json_log import JsonLog
from emulator.dev.keyboard import Keyboard
from emulator.dev.shutdown import SIGNALS
from emulator.dev.standard_input import borrowed_input
from emulator.dev.terminal import Terminal, process_output
from emulator.server import Share
from emulator.sockets import open_sockets

# What a person can't tell from at once; the first request that a program sends has been answered by then.
LEISURE_SECONDS = 0.1


def face_for(config: Config, *, errors_only: bool = False) -> Face:
    """Return the session's voice as the settings have it; `errors_only` keeps standard output for the result."""
    if config.log_format is LogFormat.JSON:
        return JsonLog(process_output(errors_only=errors_only), config.log_level)
    return Terminal.for_process(level=config.log_level, errors_only=errors_only)


class Console:
    """What a person can do while `face` speaks. `close()` leaves the terminal as it was found.

    `list_sockets()` shows what is open if it is not open in this process. Without `keys` none is heeded.
    """

    signals = SIGNALS
    share: Share | None = None

    def __init__(
        self,
        face: Face,
        list_sockets: Callable[[], object] | None = None,
        *,
        keys: bool = True,
    ) -> None:
        self._face = face
        self._heeds_keys = keys
        self._list_sockets = list_sockets
        self._hotkeys: Hotkeys | None = None
        self._keyboard = Keyboard(self._press)
        self._debugger = Debugger(face.handed_over, self._keyboard)

    @contextmanager
    def debugging(self) -> Iterator[None]:
        """A block in which breakpoint() opens pdb in this terminal, and worker code may read from it."""
        with self._debugger.installed(), borrowed_input(self._keyboard):
            yield

    @contextmanager
    def serving(self, config: Config, url: str, reload: Callable[[], object]) -> Iterator[None]:
        """A block on the running event loop in which `url` is served: introduce the worker, and heed keys.

        `reload()` is called on the event loop.
        """
        face = self._face
        keys = ""
        if isinstance(face, Terminal) and face.is_tty:
            loop = asyncio.get_running_loop()
            table = self._table(face, url, reload)
            self._hotkeys = Hotkeys(table, lambda action: loop.call_soon_threadsafe(action))
            keys = errors.KEYS_HINT if self._heeds_keys and self._keyboard.start() else ""
            introduction = threading.Timer(LEISURE_SECONDS, self._introduce, (config, keys))
            introduction.name, introduction.daemon = "pyworker-introduction", True
            introduction.start()
        else:
            introduction = None
            face.introduce(config)
        try:
            yield
        finally:
            if introduction is not None:
                introduction.cancel()
            self._keyboard.stop()
            self._hotkeys = None

    def close(self) -> None:
        """Leave the terminal as it was found, and write what is left to be written."""
        self._keyboard.stop()
        self._face.close()

    def _introduce(self, config: Config, keys: str) -> None:
        """What takes long to load, for a person who has just read that all is ready."""
        self._face.introduce(config, keys)
        if keys:
            self._debugger.prepare()

    def _press(self, character: str) -> None:
        if self._hotkeys is not None:
            self._hotkeys.press(character)

    def _table(self, terminal: Terminal, url: str, reload: Callable[[], object]) -> list[Hotkey]:
        return [
            Hotkey("b", errors.KEY_BROWSER, lambda: _browse(terminal, url)),
            Hotkey("c", errors.KEY_CLEAR, terminal.clear),
            Hotkey("r", errors.KEY_RELOAD, reload),
            Hotkey("d", errors.KEY_DEBUG, lambda: terminal.say(errors.DEBUG_HINT)),
            Hotkey(
                "l", errors.KEY_SOCKETS, self._list_sockets or (lambda: _list_sockets(terminal))
            ),
            Hotkey("n", errors.KEY_NOTES, terminal.show_notes),
            Hotkey("xq", errors.KEY_QUIT, _quit, at_once=True),
            Hotkey("h?", errors.KEY_HELP, lambda: self._help(terminal)),
        ]

    def _help(self, terminal: Terminal) -> None:
        if self._hotkeys is not None:
            terminal.show_table(self._hotkeys.help())


def _quit() -> None:
    """As Ctrl-C: it ends a session that is busy, too."""
    signal.raise_signal(signal.SIGINT)


def _list_sockets(terminal: Terminal) -> None:
    rows = tables.rows_of_sockets(open_sockets())
    if rows:
        terminal.show_table(rows)
    else:
        terminal.say(errors.NO_SOCKETS)


def _browse(terminal: Terminal, url: str) -> None:
    """Open `url` without waiting for the browser to start, or say that there is none."""

    def open_browser() -> None:
        # Imported on use: few sessions need it.
        import webbrowser

        if not _has_browser() or not webbrowser.open(url):
            terminal.say(errors.NO_BROWSER.format(url=url))

    threading.Thread(target=open_browser, name="pyworker-browser", daemon=True).start()


def _has_browser() -> bool:
    """A browser in a window: one in the terminal would take it away from us."""
    if sys.platform in ("win32", "darwin") or "BROWSER" in os.environ:
        return True
    return "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
