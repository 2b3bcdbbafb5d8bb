"""Samples to figures, and figures to what is said of each goal."""

from __future__ import annotations

import pytest

from bench.goals import Goal, judged
from bench.statistics import Sample, Spread, ratio


def entry(load: str, server: str, *values: float, loop: str = "uvloop") -> dict[str, object]:
    samples = [{"value": value, "cpu": None} for value in values]
    return {"load": load, "server": server, "loop": loop, "unit": "ms", "samples": samples}


def test_a_spread_has_the_middle_and_the_ends() -> None:
    assert Spread.of([3, 1, 2]) == Spread(median=2, low=1, high=3)
    assert Spread.of([4, 1]) == Spread(median=2.5, low=1, high=4)


def test_ratio_compares_neighbours() -> None:
    own = [Sample(10), Sample(4), Sample(9)]
    baseline = [Sample(5), Sample(4), Sample(3)]
    assert ratio(own, baseline) == Spread(median=2, low=1, high=3)


def test_nothing_is_a_multiple_of_nothing() -> None:
    assert ratio([Sample(10), Sample(4)], [Sample(5), Sample(0)]) is None


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal("hello", 2.0), True),
        (Goal("hello", 2.1), False),
        (Goal("hello", 2.0, at_most=True), True),
        (Goal("hello", 1.9, at_most=True), False),
        (Goal("hello", 2.0, at_most=True, worst=True), False),
        (Goal("hello", 3.0, at_most=True, worst=True), True),
    ],
)
def test_a_goal_is_met_by_the_middle_or_by_the_worst(goal: Goal, met: bool) -> None:
    assert goal.is_met(Spread(median=2.0, low=1.0, high=3.0)) is met


def test_a_goal_is_judged_by_the_same_loop_or_by_what_has_none() -> None:
    entries = [
        entry("hello", "pyworker", 8, 8),
        entry("hello", "pyworker", 6, 6, loop="asyncio"),
        entry("hello", "aiohttp", 4, 4),
        entry("hello", "aiohttp", 2, 2, loop="asyncio"),
        entry("hello", "workerd", 1, 1, loop=""),
    ]
    found = {
        (goal["loop"], goal["against"]): (goal["reached"]["median"], goal["met"])
        for goal in judged(entries)
    }
    assert found == {
        ("uvloop", "workerd"): (8, True),
        ("asyncio", "workerd"): (6, True),
        ("uvloop", "aiohttp"): (2, True),
        ("asyncio", "aiohttp"): (3, True),
    }


def test_a_bound_of_its_own_needs_nobody_else() -> None:
    found = [
        (goal["unit"], goal["worst"], goal["met"])
        for goal in judged([entry("reload", "pyworker", 10, 20, 60)])
    ]
    assert found == [("ms", False, True), ("ms", True, False)]
