"""processes: a worker that computes, served by one process and by one for each processor.

An answer takes about a millisecond, beside which the clients' own work on the same processors is next to nothing.
"""

from __future__ import annotations

from functools import partial

from bench.loads.base import Load
from bench.loads.rate import contestants

LOAD = Load(
    name="processes",
    title="a worker that computes for a millisecond",
    unit="req/s",
    cpu_unit="µs/req",
    less_is_better=False,
    prepare=partial(contestants, "processes", None, 0),
)
