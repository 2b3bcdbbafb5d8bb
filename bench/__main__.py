"""`python -m bench`: measure, print, write. Exit code 1 when a part of the run failed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench import report
from bench.contenders import BASELINE
from bench.loads import ALL, Load
from bench.options import Options, parse
from bench.processes import BenchFailure
from bench.report import Result
from bench.statistics import Sample


def main() -> int:
    """Run what the command line asks for."""
    options = parse()
    results: list[Result] = []
    try:
        for name in options.loads:
            _say(f"{name}: {ALL[name].title}, {options.rounds} rounds")
            results += _measure(ALL[name], options)
    except BenchFailure as failure:
        _say(str(failure))
        return 1
    except KeyboardInterrupt:
        return 130
    print(report.table(results))
    print(f"\n{report.write_json(results, options)}")
    return 0


def _measure(load: Load, options: Options) -> list[Result]:
    with (
        tempfile.TemporaryDirectory(prefix="pyworker-bench-") as folder,
        load.prepare(options, Path(folder)) as contestants,
    ):
        samples: list[list[Sample]] = [[] for _ in contestants]
        for number in range(options.rounds):
            # Every other round goes backwards: nobody always follows the same neighbour.
            order = range(len(contestants))
            for index in order if number % 2 == 0 else reversed(order):
                samples[index].append(contestants[index].sample())
    baselines = {
        contestant.loop: taken
        for contestant, taken in zip(contestants, samples, strict=True)
        if contestant.name == BASELINE
    }
    return [
        Result(load, contestant, taken, baselines.get(contestant.loop))
        for contestant, taken in zip(contestants, samples, strict=True)
    ]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
