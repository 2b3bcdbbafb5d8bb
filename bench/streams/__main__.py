"""`python -m bench.streams`: measure, print, write JSON."""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import os
import platform
import pstats
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import uvloop

from bench.statistics import Sample, Spread, ratio
from bench.streams.works import WORKS, Work

RESULTS = Path(__file__).parents[1] / "results"
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}
OURS = ("pyworker", "pyworker native")


def main() -> int:
    """Run what the command line asks for."""
    options = _parse()
    if options.profile:
        _profile(options.profile, options.chunks)
        return 0
    entries: list[dict[str, object]] = []
    for loop in LOOPS if options.loop == "both" else (options.loop,):
        for name, contestants in WORKS.items():
            if options.only in (None, name):
                taken = _measure(contestants, loop, options.rounds, options.chunks)
                entries += _entries(name, loop, taken)
    print(_table(entries))
    path: Path = options.json_path or RESULTS / time.strftime("streams-%Y%m%d-%H%M%S.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_document(entries, options), indent=1) + "\n")
    print(f"\n{path}")
    return 0


def _parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.streams", description="Measure our streams beside other libraries'."
    )
    parser.add_argument("--loop", choices=(*LOOPS, "both"), default="both", help="event loop")
    parser.add_argument("--only", choices=tuple(WORKS), help="one work")
    parser.add_argument("--rounds", type=int, default=7, help="samples of each contender")
    parser.add_argument("--chunks", type=int, default=20_000, help="chunks a sample")
    parser.add_argument("--json", type=Path, dest="json_path", help="where the results go")
    parser.add_argument("--profile", choices=tuple(WORKS), help="profile our work instead")
    return parser.parse_args(arguments)


def _measure(
    contestants: dict[str, Work], loop: str, rounds: int, chunks: int
) -> dict[str, list[Sample]]:
    """Return samples of every contestant, taken in turns; every other round goes backwards."""
    samples: dict[str, list[Sample]] = {name: [] for name in contestants}
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        for number in range(-1, rounds):
            for name in contestants if number % 2 else reversed(contestants):
                sample = runner.run(_sample(contestants[name], chunks))
                if number >= 0:  # The first round warms up.
                    samples[name].append(sample)
    return samples


async def _sample(work: Work, chunks: int) -> Sample:
    """Return chunks per second, and CPU microseconds per chunk."""
    before, began = time.process_time(), time.perf_counter()
    arrived = await work(chunks)
    seconds, busy = time.perf_counter() - began, time.process_time() - before
    if arrived != chunks:
        sys.exit(f"{arrived} of {chunks} chunks arrived")
    return Sample(chunks / seconds, busy / chunks * 1e6)


def _entries(work: str, loop: str, taken: dict[str, list[Sample]]) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = []
    for name, samples in taken.items():
        against = {
            other: asdict(times)
            for other, theirs in taken.items()
            if name in OURS and other not in OURS and (times := ratio(samples, theirs))
        }
        entries.append(
            {
                "work": work,
                "loop": loop,
                "contender": name,
                "unit": "chunks/s",
                "samples": [asdict(sample) for sample in samples],
                "value": asdict(Spread.of(sample.value for sample in samples)),
                "cpu": asdict(Spread.of(sample.cpu or 0 for sample in samples)),
                "ratios": against,
            }
        )
    return entries


def _table(entries: Sequence[dict[str, object]]) -> str:
    lines = []
    for entry in entries:
        value, cpu, ratios = entry["value"], entry["cpu"], entry["ratios"]
        assert isinstance(value, dict)
        assert isinstance(cpu, dict)
        assert isinstance(ratios, dict)
        beside = "  ".join(f"x {name} {spread['median']:.2f}" for name, spread in ratios.items())
        lines.append(
            f"{entry['work']:<10} {entry['loop']:<8} {entry['contender']:<16}"
            f"{value['median']:>12,.0f} chunks/s {cpu['median']:>7.2f} µs  {beside}".rstrip()
        )
    return "\n".join(lines)


def _document(
    entries: Sequence[dict[str, object]], options: argparse.Namespace
) -> dict[str, object]:
    return {
        "format": 1,
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "release": platform.release(),
            "processor": platform.machine(),
            "processors": os.cpu_count(),
        },
        "rounds": options.rounds,
        "chunks": options.chunks,
        "results": list(entries),
    }


def _profile(work: str, chunks: int) -> None:
    """Print where the time of our work goes."""
    profiler = cProfile.Profile()
    with asyncio.Runner() as runner:
        profiler.enable()
        runner.run(_sample(WORKS[work]["pyworker"], chunks))
        profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(15)


if __name__ == "__main__":
    sys.exit(main())
