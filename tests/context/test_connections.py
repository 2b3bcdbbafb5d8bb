"""One event's connections: a sum of what they moved, and no life of their own."""

from __future__ import annotations

from emulator.context import Traffic
from emulator.context.connections import Connections


class Wire:
    """Stands for a connection."""


def test_traffic_is_the_sum_also_of_those_that_are_gone() -> None:
    connections = Connections()
    assert connections.traffic == Traffic()
    kept, gone = Wire(), Wire()
    traffic = Traffic(1, 2, 3)
    connections.count(kept, traffic)
    connections.count(gone, Traffic(1, 10, 20))
    del gone
    traffic.bytes_sent += 5
    assert connections.traffic == Traffic(2, 17, 23)
    assert connections.known() == [(kept, traffic)]
