"""The soak's verdict, of states that are given."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.soak import COUNTED, State

IDLE = State(
    descriptors=10, tasks=2, threads=1, generations=2, draining=0, resident_bytes=100_000_000
)


def test_nothing_is_wrong_with_what_was_there_before() -> None:
    assert IDLE.breaches(IDLE) == []
    assert IDLE.breaches(replace(IDLE, tasks=1, resident_bytes=105_000_000)) == []


@pytest.mark.parametrize("name", COUNTED)
def test_whatever_is_left_is_a_breach(name: str) -> None:
    after = replace(IDLE, **{name: getattr(IDLE, name) + 3})
    assert IDLE.breaches(after) == [f"3 {name} left"]


def test_memory_that_grew_is_a_breach() -> None:
    assert IDLE.breaches(replace(IDLE, resident_bytes=120_000_000)) == ["memory grew by 20%"]
