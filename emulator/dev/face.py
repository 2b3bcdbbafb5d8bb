"""What a session says, before it is known how: every event becomes a message.

Floor 7. Owns the words of what is told while a worker is served and how important each is; must not know colours or
formats. Terminal is for a person, JsonLog for a program. Every method returns at once and never raises.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from emulator.config import Config, LogLevel
from emulator.context import CallRecord, EventRecord, Observer
from emulator.dev.output import Channel, Output
from emulator.errors import (
    BOUND_WORKER,
    LEFT_DEBUGGER,
    NOT_ANSWERED,
    RELOAD_FAILED,
    RELOADED,
    RELOADED_WORKER,
    SETTINGS_FAILED,
    PyworkerError,
    WorkerLoadError,
)
from emulator.failures import describe_failure, summary
from emulator.quantities import duration


class Importance(IntEnum):
    """How much a message matters; the session's level hides what matters less."""

    INFO = 1
    WARNING = 2
    ERROR = 3


_LEAST_SHOWN = {
    LogLevel.DEBUG: 1,
    LogLevel.INFO: 1,
    LogLevel.LOG: 1,
    LogLevel.WARN: 2,
    LogLevel.ERROR: 3,
    LogLevel.NONE: 4,
}


class Message(NamedTuple):
    """Something to tell. `label` names the request; `error` is shown with its traceback.

    Messages of one `group` say the same thing again. `fields` are what a program may want of `text`.
    """

    kind: str
    importance: Importance
    text: str
    label: str | None = None
    error: BaseException | None = None
    group: Hashable = None
    fields: Mapping[str, object] = MappingProxyType({})


class Face(Observer, ABC):
    """One session's voice, over an Output; messages below `level` are not told."""

    def __init__(self, output: Output, level: LogLevel = LogLevel.LOG) -> None:
        self._output = output
        self._least = _LEAST_SHOWN[level]
        self._tells_events = self._least <= Importance.INFO
        self._finished_last = ""

    @abstractmethod
    def capturing_prints(self) -> AbstractContextManager[None]:
        """Show what the worker prints between our lines, in order, without waiting for it."""

    @abstractmethod
    def ready(self, url: str) -> None:
        """The server accepts on `url`."""

    @abstractmethod
    def introduce(self, config: Config, keys: str = "") -> None:
        """Say who is served, with what in its env; `keys` is a line about keys."""

    @abstractmethod
    def tell(self, message: Message) -> None:
        """Show `message`, which is important enough."""

    @abstractmethod
    def finished(self, record: EventRecord) -> None:
        """Show one finished event."""

    @abstractmethod
    def called(self, record: CallRecord, depth: int, *, below: bool) -> None:
        """Show one finished call of another worker; `below` tells that its event was shown just before."""

    def handed_over(self) -> AbstractContextManager[None]:
        """Leave standard output to the block, with all that was said before it written."""
        return self._output.handed_over()

    def pass_on(self, channel: Channel, data: bytes) -> None:
        """Write lines of another process as they are."""
        self._output.write(channel, data)

    def close(self) -> None:
        """Write what is left to be written, within half a second."""
        self._output.close()

    def port_taken(self, port: int, used_port: int) -> None:
        """The port that was asked for is another program's."""
        text = f"Port {port} is in use, using {used_port} instead."
        self._say("port_taken", text, port=port, used_port=used_port)

    def accepting_connections(self, address: str) -> None:
        """A [[connect]] port, "host:port", is listened on."""
        text = f"TCP connections to {address} go to the connect() handler"
        self._say("accepting_connections", text, address=address)

    def cron_awaited(self, cron: str, moment: datetime) -> None:
        """The expression `cron` fires next at `moment`, in UTC."""
        text = f'Cron "{cron}" is due next at {moment:%Y-%m-%d %H:%M} UTC'
        self._say("cron_awaited", text, cron=cron, moment=moment.isoformat())

    def bound_to(self, name: str, main: Path) -> None:
        """A worker that others may call is there."""
        self._say("bound_to", BOUND_WORKER.format(name=name, main=main.name), name=name)

    def reloaded(self, files: str, seconds: float, worker: str | None = None) -> None:
        """What a save changed answers new requests; it took `seconds`. `worker` is named where there are several."""
        words = RELOADED if worker is None else RELOADED_WORKER
        text = words.format(files=files, duration=duration(seconds), worker=worker)
        self._say("reloaded", text, files=files, seconds=seconds, worker=worker)

    def reload_failed(self, error: BaseException) -> None:
        """A save left a worker that can't be loaded."""
        self._fail("reload_failed", RELOAD_FAILED, None, error)

    def settings_changed(self, sentence: str) -> None:
        """A save changed a setting."""
        self._say("settings_changed", sentence)

    def settings_failed(self, error: BaseException) -> None:
        """A save left settings that can't be followed; those before stay in force."""
        self._fail("settings_failed", SETTINGS_FAILED, None, error)

    def event_finished(self, record: EventRecord) -> None:
        """One line."""
        if self._tells_events:
            self._finished_last = record.label
            self.finished(record)

    def call_finished(self, record: CallRecord, depth: int) -> None:
        """One line, below its event's."""
        if self._least <= Importance.INFO:
            self.called(record, depth, below=record.event == self._finished_last)

    def handler_failed(self, label: str, error: BaseException) -> None:
        """The exception, the worker's frames first; leaving a debugger is none."""
        if _left_debugger(error):
            self._say("handler_left", LEFT_DEBUGGER, label)
        elif isinstance(error, WorkerLoadError):
            group = ("not_loaded", str(error))
            text = NOT_ANSWERED.format(error=str(error).partition("\n")[0])
            if self._least <= Importance.ERROR:
                self.tell(Message("handler_failed", Importance.ERROR, text, label, group=group))
        else:
            self._fail("handler_failed", "the handler failed", label, error)

    def background_failed(self, label: str, error: BaseException) -> None:
        """The exception of wait_until work."""
        self._fail("background_failed", "wait_until() work failed", label, error)

    def stray_failure(self, message: str, error: BaseException | None) -> None:
        """What the event loop says of a task or callback that nobody waits for."""
        self._fail("stray_failure", message, None, error)

    def body_failed(self, label: str, error: BaseException) -> None:
        """The exception that cut a response short."""
        self._fail("body_failed", "the response was cut short", label, error)

    def connection_failed(self, label: str, address: str, reason: BaseException) -> None:
        """One line with the cause that production hides."""
        text = f'connect("{address}") failed: {summary(reason)}'
        fields = {"address": address, "reason": summary(reason)}
        if self._least <= Importance.ERROR:
            kind = "connection_failed"
            self.tell(Message(kind, Importance.ERROR, text, label, fields=fields))

    def connection_waited(
        self, label: str, address: str, seconds: float, holders: Sequence[str]
    ) -> None:
        """One line for a connection that stood in line for a slot, with who had them."""
        held = f", held by {', '.join(holders)}" if holders else ""
        text = f"connect() to {address} waited {duration(seconds)} for a slot{held}"
        self._warn("connection_waited", text, label, address=address, seconds=seconds)

    def loop_blocked(self, place: str, seconds: float) -> None:
        """One line, while it happens."""
        text = (
            f"{place} has blocked every request for {duration(seconds)}: it does not await. "
            "Use an async library, or asyncio.to_thread()."
        )
        self._warn("loop_blocked", text, place=place, seconds=seconds)

    def certificate_unchecked(self, label: str, address: str) -> None:
        """A test of nothing looks like a test."""
        text = f'connect("{address}") does not check the certificate (--tls-insecure).'
        self._warn("certificate_unchecked", text, label, address=address)

    def note(self, text: str) -> None:
        """Something worth one line."""
        if self._least <= Importance.WARNING:
            self.tell(Message("note", Importance.WARNING, text, group=("note", text)))

    def _say(self, kind: str, text: str, label: str | None = None, **fields: object) -> None:
        if self._least <= Importance.INFO:
            self.tell(Message(kind, Importance.INFO, text, label, fields=fields))

    def _warn(self, kind: str, text: str, label: str | None = None, **fields: object) -> None:
        """Warnings about one place or address are one group."""
        if self._least <= Importance.WARNING:
            subject = fields.get("address", fields.get("place", text))
            self.tell(
                Message(kind, Importance.WARNING, text, label, group=(kind, subject), fields=fields)
            )

    def _fail(self, kind: str, text: str, label: str | None, error: BaseException | None) -> None:
        if self._least > Importance.ERROR:
            return
        if isinstance(error, PyworkerError):
            # Its message says what to do; where we raised it helps nobody.
            text, error = f"{text}: {describe_failure(error)}", None
        self.tell(Message(kind, Importance.ERROR, text, label, error))


def _left_debugger(error: BaseException) -> bool:
    """Tell whether somebody typed `q` at pdb's prompt."""
    bdb = sys.modules.get("bdb")
    return bdb is not None and isinstance(error, bdb.BdbQuit)
