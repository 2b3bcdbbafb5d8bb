"""The connections of one event, and what each of them has moved.

Floor 2. Owns the list and its sum; must not know what a connection is. It keeps no connection alive.
"""

from __future__ import annotations

import weakref

from emulator.context.observer import Traffic


class Connections:
    """Made with its event, and filled by whoever opens a connection for it."""

    __slots__ = ("_counted",)

    def __init__(self) -> None:
        # Made when there is one: most events have none.
        self._counted: list[tuple[weakref.ref[object], Traffic]] | None = None

    def count(self, connection: object, traffic: Traffic) -> None:
        """`connection` adds what it moves to `traffic`, from now on a part of the event's."""
        if self._counted is None:
            self._counted = []
        self._counted.append((weakref.ref(connection), traffic))

    @property
    def traffic(self) -> Traffic:
        """What they have moved so far, in all."""
        total = Traffic()
        for _, traffic in self._counted or ():
            total.sockets += traffic.sockets
            total.bytes_sent += traffic.bytes_sent
            total.bytes_received += traffic.bytes_received
        return total

    def known(self) -> list[tuple[object, Traffic]]:
        """Return those that somebody still holds, oldest first, with what each has moved."""
        counted = ((reference(), traffic) for reference, traffic in self._counted or ())
        return [(each, traffic) for each, traffic in counted if each is not None]
