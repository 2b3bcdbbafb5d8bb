"""What the person who runs `pyworker dev` sees: one line a request, notes, failures with their cause.

Floor 7. Owns colours, columns and the status line of a TTY; plain lines elsewhere. The words are in face.py, those of
exceptions in failures.py, and the writing in output.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Self, TextIO

from emulator.config import Config, LogLevel
from emulator.context import CallRecord, EventRecord, Outcome
from emulator.dev import tables
from emulator.dev.face import Face, Importance, Message
from emulator.dev.lines import call_line, request_columns, request_line
from emulator.dev.notes import NoteBook
from emulator.dev.output import Channel, Output
from emulator.errors import NO_NOTES
from emulator.failures import describe
from emulator.printable import printable, printable_block

_RESET = "\x1b[0m"
_RED, _GREEN, _YELLOW, _CYAN = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"
_CLEAR = b"\x1b[H\x1b[2J\x1b[3J"
# As globals: Python takes ten times as long to read a member from its class.
_OUT = Channel.OUT
_STATUS_COLOURS = {"2": _GREEN, "3": _CYAN, "4": _YELLOW, "5": _RED}
_IMPORTANCE_COLOURS = {Importance.INFO: "", Importance.WARNING: _YELLOW, Importance.ERROR: _RED}


class Terminal(Face):
    """The session's face for a person. Colour where `coloured` has the channel."""

    def __init__(
        self,
        output: Output,
        coloured: frozenset[Channel] = frozenset(),
        level: LogLevel = LogLevel.LOG,
    ) -> None:
        super().__init__(output, level)
        self._coloured = coloured
        self._has_plain_lines = not coloured and output.columns(_OUT) is None
        self._notes = NoteBook()
        self._has_keys = False
        if output.columns(Channel.OUT) is not None:
            output.show_status(self._status)

    @classmethod
    def for_process(
        cls,
        environ: Mapping[str, str] | None = None,
        level: LogLevel = LogLevel.LOG,
        *,
        errors_only: bool = False,
        output: Output | None = None,
    ) -> Self:
        """The terminal of this process's standard output and error; `errors_only` for a command whose output is data.

        `output` says where they lead, if not there at once.
        Colour goes to a TTY only, and nowhere when NO_COLOR is set (https://no-color.org).
        """
        environ = os.environ if environ is None else environ
        output = output or process_output(errors_only=errors_only)
        coloured = frozenset[Channel]()
        if not environ.get("NO_COLOR") and environ.get("TERM") != "dumb":
            coloured = frozenset(
                channel for channel in Channel if output.columns(channel) is not None
            )
        return cls(output, coloured, level)

    @property
    def is_tty(self) -> bool:
        """True where a person can see what is written in place."""
        return self._output.columns(Channel.OUT) is not None

    def capturing_prints(self) -> AbstractContextManager[None]:
        """Show what the worker prints between our lines, in order, without waiting for it."""
        return self._output.capturing_prints()

    def ready(self, url: str) -> None:
        """The server accepts on `url`."""
        self._line(Channel.OUT, f"Ready on {url}")

    def introduce(self, config: Config, keys: str = "") -> None:
        """On a TTY: a table. Call in a thread of its own: what draws it takes time to load."""
        self._has_keys = bool(keys)
        if self.is_tty and self._least <= Importance.INFO:
            rows = tables.rows_of(config)
            if keys:
                rows.append(("Keys", keys))
            self.show_table(rows)

    def show_table(self, rows: list[tuple[str, ...]]) -> None:
        """Write `rows` in columns."""
        columns = self._output.columns(Channel.OUT) or tables.COLUMNS
        text = tables.rendered(rows, columns, coloured=Channel.OUT in self._coloured)
        self._output.write(Channel.OUT, text.encode("utf-8", "backslashreplace"))

    def say(self, text: str) -> None:
        """Answer whoever pressed a key."""
        self._line(Channel.OUT, text)

    def clear(self) -> None:
        """Empty the screen."""
        self._output.write(Channel.OUT, _CLEAR)

    def show_notes(self) -> None:
        """List notes and warnings with their numbers; then they count as read."""
        groups = self._notes.groups()
        if groups:
            self.show_table(
                [(each.kind, f"{each.count}x", printable(each.text)) for each in groups]
            )
        else:
            self.say(NO_NOTES)
        self._notes.read()
        self._output.refresh_status()

    def finished(self, record: EventRecord) -> None:
        """One line, coloured by the class of its status; columns on a TTY."""
        if self._has_plain_lines:
            self._output.write(_OUT, f"{request_line(record)}\n".encode())
            return
        columns = self._output.columns(_OUT)
        status_class = record.status[:1] if record.status else ""
        colour = _STATUS_COLOURS.get(status_class, "")
        if columns is None:
            self._line(_OUT, request_line(record), colour=colour)
            return
        line = request_columns(record, columns)
        status = self._in_colour(Channel.OUT, line.status, colour)
        self._line(Channel.OUT, f"{line.head}{status}{line.tail}")

    def called(self, record: CallRecord, depth: int, *, below: bool) -> None:
        """One line, further in than what made the call."""
        colour = _RED if record.outcome is not Outcome.OK else ""
        self._line(Channel.OUT, call_line(record, depth, below=below), colour=colour)

    def tell(self, message: Message) -> None:
        """What was said before is counted: on a TTY in the status, elsewhere with a line at 10, 100, 1000 times."""
        again = ""
        # Many requests say the same: only what is shown is worth its wording.
        if message.group is not None:
            kind = "note" if message.kind == "note" else "warning"
            count = self._notes.count(message.group, kind, message.text)
            if self.is_tty:
                self._output.refresh_status()
                if count != 1:
                    return
            elif message.kind == "note" and count != 1:
                if count < 10 or str(count).strip("0") != "1":
                    return
                again = f" ({count} times)"
        said = message.text if message.label is None else f"{message.label}: {message.text}"
        if message.importance is Importance.ERROR:
            said = printable_block(said)  # With the line that is wrong, and a mark below it.
        else:
            said = printable(f"note: {said}" if message.kind == "note" else said)
        said += again
        if message.error is not None:
            said = f"{said}: {describe(message.error)}"
        channel = Channel.OUT if message.importance is Importance.INFO else Channel.ERR
        colour = _IMPORTANCE_COLOURS[message.importance]
        if message.kind == "port_taken":
            colour = _YELLOW
        self._line(channel, said, colour=colour)

    def _status(self, columns: int) -> str:
        """The line below all others: what nobody has read yet."""
        text = self._notes.summary()
        if not text:
            return ""
        if self._has_keys:
            text = f"[n] {text}"
        text = text if len(text) < columns else f"{text[: max(columns - 2, 0)]}…"
        return self._in_colour(Channel.OUT, text, _YELLOW)

    def _in_colour(self, channel: Channel, text: str, colour: str) -> str:
        coloured = self._coloured and colour and channel in self._coloured
        return f"{colour}{text}{_RESET}" if coloured else text

    def _line(self, channel: Channel, text: str, *, colour: str = "") -> None:
        text = self._in_colour(channel, text, colour)
        self._output.write(channel, f"{text}\n".encode("utf-8", "backslashreplace"))


def process_output(*, errors_only: bool = False) -> Output:
    """An Output on this process's standard output and error, or on the latter alone."""
    out = sys.stderr if errors_only else sys.stdout
    return Output(descriptor_of(out), descriptor_of(sys.stderr))


def descriptor_of(stream: TextIO | None) -> int | None:
    """The file descriptor behind `stream`; None when the process was started without one."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None
