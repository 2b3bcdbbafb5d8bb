"""The session for a program: one JSON object a line on standard output.

Floor 7. Owns the objects' keys (docs/logging.md); the words are in face.py. What the worker prints becomes objects too,
a line each.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from emulator.config import Config, LogLevel
from emulator.context import CallRecord, EventRecord
from emulator.dev.face import Face, Message
from emulator.dev.output import Channel, Output
from emulator.failures import describe, summary

LINE_LIMIT_BYTES = 64 * 1024


class JsonLog(Face):
    """Writes to an Output's standard output only."""

    def __init__(self, output: Output, level: LogLevel = LogLevel.LOG) -> None:
        super().__init__(output, level)
        self._lock = threading.Lock()
        # What was printed of lines that have not ended.
        self._unended = dict.fromkeys(Channel, b"")

    @contextmanager
    def capturing_prints(self) -> Iterator[None]:
        """Make an object of each line that the worker prints."""
        with self._output.capturing_prints(self._printed):
            yield
        for channel, rest in self._unended.items():
            if rest:
                self._print_line(channel, rest)
        self._unended = dict.fromkeys(Channel, b"")

    def ready(self, url: str) -> None:
        """The server accepts on `url`."""
        self._write("ready", "info", url=url)

    def introduce(self, config: Config, keys: str = "") -> None:
        """Say who is served, and the names in its env."""
        self._write("worker", "info", name=config.name, main=str(config.main), vars=[*config.vars])

    def finished(self, record: EventRecord) -> None:
        """One finished event."""
        self._write(
            "request",
            "info",
            label=record.label,
            status=record.status,
            outcome=record.outcome.value,
            ms=round(record.seconds * 1000, 3),
            sockets=record.traffic.sockets,
            bytes_sent=record.traffic.bytes_sent,
            bytes_received=record.traffic.bytes_received,
        )

    def called(self, record: CallRecord, depth: int, *, below: bool) -> None:
        """One finished call; `request` is the label of the event that it was made for."""
        self._write(
            "call",
            "info",
            request=record.event,
            service=record.service,
            label=record.label,
            depth=depth,
            status=record.status,
            outcome=record.outcome.value,
            ms=round(record.seconds * 1000, 3),
            error=record.failure,
        )

    def tell(self, message: Message) -> None:
        """The message's kind is the event; a failure has its traceback as text."""
        given: dict[str, object] = {"message": message.text}
        if message.label is not None:
            given["label"] = message.label
        if message.error is not None:
            given["error"] = summary(message.error)
            given["traceback"] = describe(message.error)
        self._write(message.kind, message.importance.name.lower(), **given, **message.fields)

    def _printed(self, channel: Channel, data: bytes) -> None:
        with self._lock:
            *lines, rest = (self._unended[channel] + data).split(b"\n")
            if len(rest) > LINE_LIMIT_BYTES:
                lines, rest = [*lines, rest], b""
            self._unended[channel] = rest
        for line in lines:
            self._print_line(channel, line)

    def _print_line(self, channel: Channel, line: bytes) -> None:
        text = line.decode("utf-8", "backslashreplace")
        self._write("print", "info", stream=channel.value, text=text)

    def _write(self, event: str, level: str, **values: object) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "event": event, "level": level, **values}
        text = json.dumps(line, ensure_ascii=True, default=repr)
        self._output.write(Channel.OUT, f"{text}\n".encode())
