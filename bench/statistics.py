"""Samples to figures: medians, spread, and ratios of samples taken side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: `value` in the load's unit, `cpu` the server's CPU time in its CPU unit."""

    value: float
    cpu: float | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the ends of several figures."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return the spread of at least one value."""
        ordered = sorted(values)
        return cls(median(ordered), ordered[0], ordered[-1])


def ratio(samples: Sequence[Sample], baseline: Sequence[Sample]) -> Spread | None:
    """Return the spread of `samples` over `baseline`, round by round; None where the baseline has a zero.

    Neighbours in time are compared, so that a machine that slows down in between weighs on both.
    """
    pairs = list(zip(samples, baseline, strict=True))
    if not all(other.value for _, other in pairs):
        return None
    return Spread.of(own.value / other.value for own, other in pairs)
