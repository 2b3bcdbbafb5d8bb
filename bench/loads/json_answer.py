"""json: an object of about 80 bytes, serialized for every request."""

from __future__ import annotations

from functools import partial

from bench.loads.base import Load
from bench.loads.rate import contestants

LOAD = Load(
    name="json",
    title="JSON",
    unit="req/s",
    cpu_unit="µs/req",
    less_is_better=False,
    prepare=partial(contestants, "json", None, 0),
)
