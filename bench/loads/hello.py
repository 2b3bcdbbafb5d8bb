"""hello: a text body of 13 bytes, keep-alive."""

from __future__ import annotations

from functools import partial

from bench.loads.base import Load
from bench.loads.rate import contestants

LOAD = Load(
    name="hello",
    title="hello world",
    unit="req/s",
    cpu_unit="µs/req",
    less_is_better=False,
    prepare=partial(contestants, "hello", None, 0),
)
