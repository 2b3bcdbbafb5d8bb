"""slow: a client takes 1 MB/s of a stream whose upstream sends as fast as it can; the growth of memory meanwhile."""

from __future__ import annotations

from functools import partial

from bench.clients import download, sip
from bench.loads.base import Load, busy_seconds
from bench.loads.fresh import contestants
from bench.options import MEBIBYTE, Options
from bench.processes import Server
from bench.statistics import Sample

WARM_UP_BYTES = 32 * MEBIBYTE
LENGTH_BYTES = 1024 * MEBIBYTE
RATE_BYTES = 1_000_000


def _sample(server: Server, options: Options) -> Sample:
    """Return by how many KiB memory grew at most, and CPU milliseconds per second."""
    download.run(server, WARM_UP_BYTES)
    before, busy_before = server.resident_bytes(), server.processor_seconds()
    most = before
    for _ in sip.run(server, LENGTH_BYTES, RATE_BYTES, options.slow_seconds):
        most = max(most, server.resident_bytes())
    busy = busy_seconds(server, busy_before)
    cpu = None if busy is None else busy / options.slow_seconds * 1e3
    return Sample((most - before) / 1024, cpu)


LOAD = Load(
    name="slow",
    title="client at 1 MB/s, upstream flat out: growth of memory",
    unit="KiB",
    cpu_unit="ms/s",
    less_is_better=True,
    prepare=partial(contestants, "slow", "flood", _sample),
)
