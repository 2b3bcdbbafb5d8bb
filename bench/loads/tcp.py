"""tcp: each request connects to a local server, writes a line, streams the 64-byte answer back."""

from __future__ import annotations

from functools import partial

from bench.loads.base import Load
from bench.loads.rate import contestants

LOAD = Load(
    name="tcp",
    title="TCP round trip per request",
    unit="req/s",
    cpu_unit="µs/req",
    less_is_better=False,
    prepare=partial(contestants, "tcp", "line", 0),
)
