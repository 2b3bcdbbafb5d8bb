"""`python -m bench`: measure, print, write. Exit code 1 when a part of the run failed."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from bench import page, report
from bench.contenders import CONTENDERS
from bench.loads import ALL, Contestant, Load
from bench.options import Options, parse
from bench.processes import BenchFailure, Missing
from bench.report import Result
from bench.statistics import Sample

# So many processes on average want to run before the first of ours does.
BUSY_LOAD = 0.5
# What they can't do is worth a note, and no reason to measure nobody.
_PEERS = frozenset(contender.name for contender in CONTENDERS if contender.is_peer)


def main() -> int:
    """Run what the command line asks for."""
    options = parse()
    if options.docs and find_spec("matplotlib") is None:
        _say("--docs draws with matplotlib, which is not here: pip install matplotlib")
        return 1
    _raise_file_limit()
    began = time.monotonic()
    notes = [*_busy(), *_absent(options)]
    results: list[Result] = []
    failed: list[str] = []
    try:
        for name in options.loads:
            _say(f"{name}: {ALL[name].title}")
            try:
                results += _measured(ALL[name], options, notes)
            except BenchFailure as failure:
                _say(f"{name} failed: {failure}")
                failed.append(name)
    except KeyboardInterrupt:
        return 130
    notes += [f"{name} failed, and is left out" for name in failed]
    if results:
        _write(results, options, notes, time.monotonic() - began)
    return 0 if results and not failed else 1


def _write(results: list[Result], options: Options, notes: list[str], taken_seconds: float) -> None:
    """Print the tables, and write the files."""
    made = report.document(results, options, notes)
    print(report.aligned(report.result_rows(made), left=3))
    if made["goals"]:
        print(f"\n{report.aligned(report.goal_rows(made), left=4)}")
    if notes:
        print("\n" + "\n".join(notes))
    print(f"\n{taken_seconds:.0f} s, {report.write_json(made, options.json_path)}")
    if options.docs:
        print(page.write(made))


def _measured(load: Load, options: Options, notes: list[str]) -> list[Result]:
    """Return what `load` gives; what is not as asked for goes to `notes`."""
    if note := load.note(options):
        _say(note)
        notes.append(note)
    try:
        return _measure(load, options, notes)
    except Missing as missing:
        _say(f"{load.name} is left out: {missing}")
        notes.append(f"{load.name} is left out: {missing}")
        return []


def _measure(load: Load, options: Options, notes: list[str]) -> list[Result]:
    """Return every contestant's samples, without the peers that can't take the load."""
    left_out = set()
    with (
        tempfile.TemporaryDirectory(prefix="pyworker-bench-") as folder,
        load.prepare(options, Path(folder)) as contestants,
    ):
        samples: list[list[Sample]] = [[] for _ in contestants]
        for number in range(options.edits if load.name == "reload" else options.rounds):
            # Every other round goes backwards: nobody always follows the same neighbour.
            order = range(len(contestants))
            for index in order if number % 2 == 0 else reversed(order):
                if index in left_out:
                    continue
                try:
                    samples[index].append(contestants[index].sample())
                except BenchFailure as failure:
                    left_out.add(index)
                    notes.append(_excused(load, contestants[index], failure))
    return [
        Result(load, contestant, samples[index])
        for index, contestant in enumerate(contestants)
        if index not in left_out
    ]


def _excused(load: Load, contestant: Contestant, failure: BenchFailure) -> str:
    """Return what to say of a peer that can't take `load`. Raises `failure` when it is nobody's but ours."""
    if contestant.name not in _PEERS:
        raise failure
    why = str(failure).partition(". It printed")[0]
    note = f"{load.name}: {why}, and is left out"
    _say(note)
    return note


def _absent(options: Options) -> Iterator[str]:
    """Say which contenders are left out, and how to get them."""
    for contender in CONTENDERS:
        how = contender.missing()
        if how is not None and (options.peers or not contender.is_peer):
            note = f"{contender.name} is left out, for it is not here: {how}"
            _say(note)
            yield note


def _busy() -> Iterator[str]:
    """Say so when others keep the machine busy."""
    load = os.getloadavg()[0]
    if load > BUSY_LOAD:
        note = f"the machine was busy already (load average {load:.1f}): trust CPU times and memory, not rates"
        _say(note)
        yield note


def _raise_file_limit() -> None:
    """Let this process, and those it starts, open as many files as they may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
