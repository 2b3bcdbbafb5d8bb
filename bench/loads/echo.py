"""echo: 64 KiB in, the same out, read whole in between."""

from __future__ import annotations

from functools import partial

from bench.loads.base import Load
from bench.loads.rate import contestants

LOAD = Load(
    name="echo",
    title="echo of 64 KB",
    unit="req/s",
    cpu_unit="µs/req",
    less_is_better=False,
    prepare=partial(contestants, "echo", None, 64 * 1024),
)
