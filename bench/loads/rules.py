"""rules: hello as it is, with a limit of CPU time, and with nothing that watches the event loop."""

from __future__ import annotations

from functools import partial

from bench.loads.base import Load
from bench.loads.rate import contestants

LOAD = Load(
    name="rules",
    title="hello world with and without what watches",
    unit="req/s",
    cpu_unit="µs/req",
    less_is_better=False,
    prepare=partial(contestants, "rules", None, 0),
)
