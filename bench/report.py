"""What comes out of a run: a table for people, JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.clients import generator
from bench.contenders import BASELINE
from bench.loads import Contestant, Load
from bench.options import Options
from bench.statistics import Sample, Spread, ratio

RESULTS = Path(__file__).parent / "results"
_FORMAT = 1
_HEADINGS = (
    "load",
    "loop",
    "server",
    "median",
    "low - high",
    "CPU",
    f"x {BASELINE}",
    "low - high",
    "goal",
)
_PACKAGES = ("aiohttp", "uvloop", "pyworker")


@dataclass(frozen=True, slots=True)
class Result:
    """One contestant's samples on one load; `baseline` are those of BASELINE on the same loop."""

    load: Load
    contestant: Contestant
    samples: Sequence[Sample]
    baseline: Sequence[Sample] | None

    def spread(self) -> Spread:
        """Return the spread of the figures."""
        return Spread.of(sample.value for sample in self.samples)

    def cpu(self) -> Spread | None:
        """Return the spread of the CPU time; None where it can't be read."""
        times = [sample.cpu for sample in self.samples if sample.cpu is not None]
        return Spread.of(times) if times else None

    def ratio(self) -> Spread | None:
        """Return the spread of the ratios to the baseline; None for the baseline itself."""
        if self.baseline is None or self.contestant.name == BASELINE:
            return None
        return ratio(self.samples, self.baseline)

    @property
    def goal(self) -> float | None:
        """The ratio to reach."""
        return self.load.goals.get(self.contestant.name)


def table(results: Sequence[Result]) -> str:
    """Return the results as aligned text."""
    rows = [_HEADINGS, *map(_row, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def write_json(results: Sequence[Result], options: Options) -> Path:
    """Write everything to `options.json_path`, or to a file in bench/results/; return its path."""
    path = options.json_path or RESULTS / time.strftime("%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_document(results, options), indent=1) + "\n")
    return path


def _row(result: Result) -> tuple[str, ...]:
    load = result.load
    spread, cpu, times = result.spread(), result.cpu(), result.ratio()
    sign = "<=" if load.less_is_better else ">="
    return (
        load.name,
        result.contestant.loop,
        result.contestant.name,
        f"{_figure(spread.median)} {load.unit}",
        f"{_figure(spread.low)} - {_figure(spread.high)}",
        "" if cpu is None else f"{_figure(cpu.median)} {load.cpu_unit}",
        "" if times is None else f"{times.median:.2f}",
        "" if times is None else f"{times.low:.2f} - {times.high:.2f}",
        "" if result.goal is None else f"{sign} {result.goal:g}",
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _document(results: Sequence[Result], options: Options) -> Mapping[str, Any]:
    return {
        "format": _FORMAT,
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "release": platform.release(),
            "processor": platform.machine(),
            "processors": os.cpu_count(),
            "packages": {name: _version(name) for name in _PACKAGES},
        },
        "generator": generator.name(options.seconds),
        "baseline": BASELINE,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "connections": options.connections,
        "stream_bytes": options.stream_bytes,
        "results": [_entry(result) for result in results],
    }


def _entry(result: Result) -> Mapping[str, Any]:
    cpu, times = result.cpu(), result.ratio()
    return {
        "load": result.load.name,
        "loop": result.contestant.loop,
        "server": result.contestant.name,
        "unit": result.load.unit,
        "cpu_unit": result.load.cpu_unit,
        "less_is_better": result.load.less_is_better,
        "samples": [asdict(sample) for sample in result.samples],
        "value": asdict(result.spread()),
        "cpu": None if cpu is None else asdict(cpu),
        "ratio": None if times is None else asdict(times),
        "goal": result.goal,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
