"""The wording of one line of the terminal: requests, durations, sizes.

Floor 7. Owns text only: functions from values to strings. Must not know colours or where a line
goes.
"""

from __future__ import annotations

from typing import NamedTuple

from emulator.context import CallRecord, EventRecord, Outcome, Traffic
from emulator.printable import printable
from emulator.quantities import duration, size

METHOD_COLUMNS = 7
# As globals: Python takes ten times as long to read a member from its class.
_OK = Outcome.OK
DURATION_COLUMNS = 8
TARGET_COLUMNS = (16, 60)
# What stands beside the target in a line of usual length.
BESIDE_TARGET_COLUMNS = 56


class Columns(NamedTuple):
    """A finished event as columns: `head` and `tail` around the status."""

    head: str
    status: str
    tail: str

    @property
    def length(self) -> int:
        """How many columns the line takes."""
        return len(self.head) + len(self.status) + len(self.tail)


def request_line(record: EventRecord) -> str:
    """Return the line of one finished event: `GET /path 200 OK (12 ms)`, with sockets if any."""
    label, outcome, seconds, traffic, status = record
    words = f"{label} {status if outcome is _OK and status else _result(record)}"
    if not words.isprintable():
        words = printable(words)
    moved = _traffic(traffic) if traffic.sockets else ""
    return f"{words} ({duration(seconds)}){moved}"


def request_columns(record: EventRecord, columns: int) -> Columns:
    """Return the same in columns for a terminal `columns` wide: what does not fit is said shorter, or left out."""
    method, _, target = printable(record.label).partition(" ")
    least, most = TARGET_COLUMNS
    width = max(least, min(most, columns - BESIDE_TARGET_COLUMNS))
    time = f"{duration(record.seconds):>{DURATION_COLUMNS}}"
    head = f"{method:<{METHOD_COLUMNS}} {cut(target, width):<{width}} {time}  "
    full = printable(_result(record))
    short = full.split(" ")[0]
    shortest = Columns(head, short, "")
    for line in (
        Columns(head, full, _traffic(record.traffic)),
        Columns(head, full, _short_traffic(record.traffic)),
        Columns(head, short, _short_traffic(record.traffic)),
        shortest,
    ):
        if line.length <= columns:
            return line
    return shortest


def call_line(record: CallRecord, depth: int, *, below: bool) -> str:
    """Return the line of one call of another worker: `  └ auth GET /check 200 OK (1.2 ms)`.

    One that is not `below` its event's line names that.
    """
    words = [record.service, record.label]
    if record.outcome is Outcome.CANCELED:
        words.append("canceled")
    elif record.outcome is not Outcome.OK:
        words.append("failed")
    elif record.status is not None:
        words.append(record.status)
    words.append(f"({duration(record.seconds)})")
    if not below:
        words.append(f"of {record.event}")
    if record.failure is not None:
        words[-1] += ":"
        words.append(record.failure)
    return f"{'   ' * (depth - 1)}  └ {printable(' '.join(words))}"


def cut(text: str, columns: int) -> str:
    """Return `text`, without its middle if it is longer than `columns`."""
    if len(text) <= columns:
        return text
    start = columns // 2
    return f"{text[:start]}…{text[len(text) - (columns - start - 1) :]}"


def _result(record: EventRecord) -> str:
    """The status, and what else there is to say of an event that did not end well."""
    if record.outcome is _OK:
        return record.status or "closed"
    if record.outcome is Outcome.CANCELED:
        return f"{record.status} canceled" if record.status else "canceled"
    if record.status is None:
        return "failed"
    if record.outcome is not Outcome.EXCEPTION:
        return f"{record.status} {record.outcome.value}"
    # An error status says it already; after any other the body failed.
    return record.status if record.status.startswith("5") else f"{record.status} failed"


def _traffic(traffic: Traffic) -> str:
    if not traffic.sockets:
        return ""
    sockets = "1 socket" if traffic.sockets == 1 else f"{traffic.sockets} sockets"
    return f" {sockets}, {size(traffic.bytes_sent)} sent, {size(traffic.bytes_received)} received"


def _short_traffic(traffic: Traffic) -> str:
    if not traffic.sockets:
        return ""
    return f" {traffic.sockets} ⇅ {size(traffic.bytes_sent)} / {size(traffic.bytes_received)}"
