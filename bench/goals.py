"""The table of ratios to reach, and what a run says of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.contenders import PROCESSORS
from bench.statistics import Sample, Spread, ratio


@dataclass(frozen=True, slots=True)
class Goal:
    """`server` is to reach `bound` times what `against` does, or at most that.

    Without `against`, `bound` is in the load's own unit, and `worst` asks it of the highest sample.
    """

    load: str
    bound: float
    against: str | None = None
    at_most: bool = False
    worst: bool = False
    server: str = "pyworker"

    def is_met(self, reached: Spread) -> bool:
        """Say whether the middle of `reached`, or its worst, is good enough."""
        figure = reached.high if self.worst else reached.median
        return figure <= self.bound if self.at_most else figure >= self.bound


GOALS = (
    Goal("hello", 3.0, "workerd"),
    Goal("hello", 1.2, "uvicorn"),
    Goal("hello", 1.0, "granian"),
    Goal("hello", 1.7, "aiohttp"),
    # Like for like: pyworker logs a line a request, too. It has no bound.
    Goal("hello", 0.0, "aiohttp logged"),
    Goal("hello", 0.0, "uvicorn logged"),
    Goal("tcp", 3.5, "workerd"),
    Goal("tcp", 1.6, "aiohttp"),
    Goal("stream", 0.9, "nginx"),
    Goal("stream", 4.0, "workerd"),
    Goal("stream", 1.1, "aiohttp", server="pyworker reader"),
    Goal("stream-tls", 0.7, "nginx"),
    Goal("held", 1.0, "nginx", at_most=True),
    Goal("slow", 1024.0, at_most=True, worst=True),
    Goal("start", 1.3, "aiohttp", at_most=True),
    Goal("start", 1 / 3, "wrangler", at_most=True),
    Goal("reload", 25.0, at_most=True),
    Goal("reload", 50.0, at_most=True, worst=True),
    # What the rules cost where no limit is set; what a limit of CPU time costs has no bound.
    Goal("rules", 0.95, "pyworker unwatched"),
    Goal("rules", 0.0, "pyworker unwatched", server="pyworker cpu_ms"),
    Goal("processes", 0.85 * PROCESSORS, "pyworker", server="pyworker processes"),
)


def judged(entries: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what `entries`, the results of a run, say of each goal that they have both sides of."""
    for goal in GOALS:
        for entry in entries:
            if (entry["load"], entry["server"]) != (goal.load, goal.server):
                continue
            reached = _reached(goal, entry, entries)
            if reached is not None:
                yield _judgement(goal, entry, reached)


def _reached(
    goal: Goal, entry: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]
) -> Spread | None:
    samples = _samples(entry)
    if goal.against is None:
        return Spread.of(sample.value for sample in samples)
    for other in entries:
        same_loop = other["loop"] in ("", entry["loop"])
        if (other["load"], other["server"]) == (goal.load, goal.against) and same_loop:
            return ratio(samples, _samples(other))
    return None


def _judgement(goal: Goal, entry: Mapping[str, Any], reached: Spread) -> dict[str, Any]:
    return {
        "load": goal.load,
        "loop": entry["loop"],
        "server": goal.server,
        "against": goal.against,
        "unit": entry["unit"] if goal.against is None else "x",
        "bound": goal.bound,
        "at_most": goal.at_most,
        "worst": goal.worst,
        "reached": {"median": reached.median, "low": reached.low, "high": reached.high},
        "met": goal.is_met(reached),
    }


def _samples(entry: Mapping[str, Any]) -> list[Sample]:
    return [Sample(sample["value"], sample["cpu"]) for sample in entry["samples"]]
