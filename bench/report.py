"""What comes out of a run: one document, which is the JSON, and which the tables, the page and the plot are made of."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import machine
from bench.clients import generator
from bench.contenders import BASELINE
from bench.goals import judged
from bench.loads import Contestant, Load
from bench.options import Options
from bench.statistics import Sample, Spread, ratio

RESULTS = Path(__file__).parent / "results"
_FORMAT = 2
_HEADINGS = ("load", "loop", "server", "median", "low - high", "CPU", f"x {BASELINE}", "low - high")
_GOAL_HEADINGS = ("load", "loop", "server", "against", "wanted", "reached", "low - high", "")


@dataclass(frozen=True, slots=True)
class Result:
    """One contestant's samples on one load."""

    load: Load
    contestant: Contestant
    samples: Sequence[Sample]


def document(results: Sequence[Result], options: Options, notes: Sequence[str]) -> dict[str, Any]:
    """Return everything that is known of a run; `notes` say what was not as asked for."""
    entries = [_entry(result, results) for result in results]
    return {
        "format": _FORMAT,
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine.description(),
        "generator": generator.name(options.seconds),
        "baseline": BASELINE,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "connections": options.connections,
        "stream_bytes": options.stream_bytes,
        "notes": list(notes),
        "results": entries,
        "goals": list(judged(entries)),
    }


def write_json(made: Mapping[str, Any], path: Path | None) -> Path:
    """Write the document `made` to `path`, or to a file in bench/results/; return its path."""
    path = path or RESULTS / time.strftime("%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, indent=1) + "\n")
    return path


def result_rows(made: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the results' table: headings, then a row each."""
    return [_HEADINGS, *map(_row, made["results"])]


def goal_rows(made: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the table of ratios wanted and reached: headings, then a row each."""
    return [_GOAL_HEADINGS, *map(_goal_row, made["goals"])]


def aligned(rows: Sequence[tuple[str, ...]], left: int) -> str:
    """Return `rows` as text for a terminal, the first `left` columns to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _entry(result: Result, results: Sequence[Result]) -> dict[str, Any]:
    load, contestant = result.load, result.contestant
    busy = [sample.cpu for sample in result.samples if sample.cpu is not None]
    times = None
    for other in results:
        same = other.load.name == load.name and other.contestant.loop == contestant.loop
        if same and other.contestant.name == BASELINE and other is not result:
            times = ratio(result.samples, other.samples)
    return {
        "load": load.name,
        "title": load.title,
        "loop": contestant.loop,
        "server": contestant.name,
        "unit": load.unit,
        "cpu_unit": load.cpu_unit,
        "less_is_better": load.less_is_better,
        "samples": [asdict(sample) for sample in result.samples],
        "value": asdict(Spread.of(sample.value for sample in result.samples)),
        "cpu": asdict(Spread.of(busy)) if busy else None,
        "ratio": None if times is None else asdict(times),
    }


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    value, cpu, times = entry["value"], entry["cpu"], entry["ratio"]
    return (
        entry["load"],
        entry["loop"] or "-",
        entry["server"],
        f"{figure(value['median'])} {entry['unit']}",
        f"{figure(value['low'])} - {figure(value['high'])}",
        "" if cpu is None else f"{figure(cpu['median'])} {entry['cpu_unit']}",
        "" if times is None else f"{times['median']:.2f}",
        "" if times is None else f"{times['low']:.2f} - {times['high']:.2f}",
    )


def _goal_row(goal: Mapping[str, Any]) -> tuple[str, ...]:
    reached, unit = goal["reached"], goal["unit"]
    sign = "<=" if goal["at_most"] else ">="
    against = goal["against"] or ("worst" if goal["worst"] else "median")
    return (
        goal["load"],
        goal["loop"],
        goal["server"],
        against,
        f"{sign} {_measured(goal['bound'], unit)}" if goal["bound"] else "",
        _measured(reached["high" if goal["worst"] else "median"], unit),
        " - ".join(_bare(reached[end], unit) for end in ("low", "high")),
        ("met" if goal["met"] else "MISSED") if goal["bound"] else "",
    )


def _measured(value: float, unit: str) -> str:
    return f"{_bare(value, unit)} {unit}"


def _bare(value: float, unit: str) -> str:
    return f"{value:.2f}" if unit == "x" else figure(value)


def figure(value: float) -> str:
    """Return a number with no more digits than it is worth."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
