"""held and idle: many connections at once, and what each of them costs."""

from __future__ import annotations

import time
from functools import partial

from bench.clients.crowd import crowd, still_there
from bench.loads.base import Load, busy_seconds
from bench.loads.fresh import affordable, contestants, lowered
from bench.options import Options
from bench.processes import Server
from bench.statistics import Sample

WARM_UP_CLIENTS = 128
# Until what a server does after the last answer is over, and every stream has had a drip.
SETTLE_SECONDS = 1.0
WARM_UP_SETTLE_SECONDS = 0.1
HELD_BYTES = 64
HELD_DESCRIPTORS = 2
HELLO_BYTES = 13


def _held(server: Server, options: Options) -> Sample:
    return _sample(server, affordable(options.held, HELD_DESCRIPTORS), HELD_BYTES)


def _idle(server: Server, options: Options) -> Sample:
    return _sample(server, affordable(options.idle, 1), HELLO_BYTES)


def _sample(server: Server, count: int, body_bytes: int) -> Sample:
    """Return kilobytes of resident memory, and CPU microseconds to open, for each of `count` clients."""
    with crowd(server, min(WARM_UP_CLIENTS, count), body_bytes):
        pass
    time.sleep(WARM_UP_SETTLE_SECONDS)
    before, busy_before = server.resident_bytes(), server.processor_seconds()
    with crowd(server, count, body_bytes) as clients:
        busy = busy_seconds(server, busy_before)
        time.sleep(SETTLE_SECONDS)
        grown = server.resident_bytes() - before
        there = still_there(clients)
    if there < count:
        raise server.failure(f"let go {count - there} of {count} clients")
    return Sample(max(grown, 0) / count / 1000, None if busy is None else busy / count * 1e6)


HELD = Load(
    name="held",
    title="slow streams held open: memory of each",
    unit="kB",
    cpu_unit="µs to open",
    less_is_better=True,
    prepare=partial(contestants, "held", "drip", _held),
    note=lambda options: lowered("held", options.held, HELD_DESCRIPTORS),
)
IDLE = Load(
    name="idle",
    title="idle keep-alive clients: memory of each",
    unit="kB",
    cpu_unit="µs to open",
    less_is_better=True,
    prepare=partial(contestants, "idle", None, _idle),
    note=lambda options: lowered("idle", options.idle, 1),
)
