"""What the person who runs `pyworker dev` sees: one line a request, notes, failures with their cause.

Floor 7. Owns the session's wording and its colours; the wording of single values is in lines.py, of
exceptions in failures.py, and the writing in output.py. Every method returns at once and never
raises.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TextIO

from emulator.context import EventRecord, Observer
from emulator.dev.lines import duration, request_line
from emulator.dev.output import Channel, Output
from emulator.failures import describe, summary
from emulator.printable import printable

_RESET = "\x1b[0m"
_RED, _GREEN, _YELLOW, _CYAN = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"
_STATUS_COLOURS = {"2": _GREEN, "3": _CYAN, "4": _YELLOW, "5": _RED}
_NOTES_REMEMBERED = 1000


class Terminal(Observer):
    """The session's face. Plain lines; colour where `coloured` has the channel."""

    def __init__(self, output: Output, coloured: frozenset[Channel] = frozenset()) -> None:
        self._output = output
        self._coloured = coloured
        self._notes: set[str] = set()

    @classmethod
    def for_process(
        cls, environ: Mapping[str, str] | None = None, *, errors_only: bool = False
    ) -> Terminal:
        """The terminal of this process's standard output and error; `errors_only` for a command whose output is data.

        Colour goes to a TTY only, and nowhere when NO_COLOR is set (https://no-color.org).
        """
        environ = os.environ if environ is None else environ
        descriptors = {
            Channel.OUT: _descriptor(sys.stderr if errors_only else sys.stdout),
            Channel.ERR: _descriptor(sys.stderr),
        }
        coloured = frozenset[Channel]()
        if not environ.get("NO_COLOR") and environ.get("TERM") != "dumb":
            coloured = frozenset(
                channel
                for channel, descriptor in descriptors.items()
                if descriptor is not None and os.isatty(descriptor)
            )
        return cls(Output(descriptors[Channel.OUT], descriptors[Channel.ERR]), coloured)

    def capturing_prints(self) -> AbstractContextManager[None]:
        """Show what the worker prints between our lines, in order, without waiting for it."""
        return self._output.capturing_prints()

    def close(self) -> None:
        """Write what is left to be written, within half a second."""
        self._output.close()

    def port_taken(self, port: int, used_port: int) -> None:
        """The port that was asked for is another program's."""
        self._line(
            Channel.OUT, f"Port {port} is in use, using {used_port} instead.", colour=_YELLOW
        )

    def accepting_connections(self, address: str) -> None:
        """A [[connect]] port, "host:port", is listened on."""
        self._line(Channel.OUT, f"TCP connections to {address} go to the connect() handler")

    def ready(self, url: str) -> None:
        """The server accepts on `url`."""
        self._line(Channel.OUT, f"Ready on {url}")

    def event_finished(self, record: EventRecord) -> None:
        """One line, coloured by the class of its status."""
        status_class = record.status[:1] if record.status else ""
        self._line(Channel.OUT, request_line(record), colour=_STATUS_COLOURS.get(status_class, ""))

    def handler_failed(self, label: str, error: BaseException) -> None:
        """The exception, the worker's frames first."""
        self._failure(f"{label}: the handler failed", error)

    def background_failed(self, label: str, error: BaseException) -> None:
        """The exception of wait_until work."""
        self._failure(f"{label}: wait_until() work failed", error)

    def stray_failure(self, message: str, error: BaseException | None) -> None:
        """What the event loop says of a task or callback that nobody waits for."""
        if error is None:
            self._line(Channel.ERR, printable(message), colour=_RED)
        else:
            self._failure(message, error)

    def body_failed(self, label: str, error: BaseException) -> None:
        """The exception that cut a response short."""
        self._failure(f"{label}: the response was cut short", error)

    def connection_failed(self, label: str, address: str, reason: BaseException) -> None:
        """One line with the cause that production hides."""
        text = printable(f'{label}: connect("{address}") failed: {summary(reason)}')
        self._line(Channel.ERR, text, colour=_RED)

    def connection_waited(
        self, label: str, address: str, seconds: float, holders: Sequence[str]
    ) -> None:
        """One line for a connection that stood in line for a slot, with who had them."""
        held = f", held by {', '.join(holders)}" if holders else ""
        text = f"{label}: connect() to {address} waited {duration(seconds)} for a slot{held}"
        self._line(Channel.ERR, printable(text), colour=_YELLOW)

    def loop_blocked(self, place: str, seconds: float) -> None:
        """One line, while it happens."""
        text = (
            f"{place} has blocked every request for {duration(seconds)}: it does not await. "
            "Use an async library, or asyncio.to_thread()."
        )
        self._line(Channel.ERR, printable(text), colour=_YELLOW)

    def certificate_unchecked(self, label: str, address: str) -> None:
        """One line each time: a test of nothing looks like a test."""
        text = f'{label}: connect("{address}") does not check the certificate (--tls-insecure).'
        self._line(Channel.ERR, printable(text), colour=_YELLOW)

    def note(self, text: str) -> None:
        """One line, the first time that it is said."""
        if text in self._notes or len(self._notes) >= _NOTES_REMEMBERED:
            return
        self._notes.add(text)
        self._line(Channel.ERR, f"note: {printable(text)}", colour=_YELLOW)

    def _failure(self, what: str, error: BaseException) -> None:
        self._line(Channel.ERR, f"{printable(what)}: {describe(error)}", colour=_RED)

    def _line(self, channel: Channel, text: str, *, colour: str = "") -> None:
        if colour and channel in self._coloured:
            text = f"{colour}{text}{_RESET}"
        self._output.write(channel, f"{text}\n".encode("utf-8", "backslashreplace"))


def _descriptor(stream: TextIO | None) -> int | None:
    """The file descriptor behind `stream`; None when the process was started without one."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None
