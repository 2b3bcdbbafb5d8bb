"""What a load is: a name, units, and contestants whose samples can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import CONTENDERS, Task
from bench.options import Options
from bench.processes import Server, free_port, running
from bench.statistics import Sample


@dataclass(frozen=True, slots=True)
class Contestant:
    """One server on one event loop, ready to be measured: `sample()` takes one measurement."""

    name: str
    loop: str
    sample: Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Load:
    """`prepare` starts the contestants and what they need, and ends all of it.

    `goals` says which ratio to the baseline a contender should reach: at least, or at most where
    less is better.
    """

    name: str
    title: str
    unit: str
    cpu_unit: str
    less_is_better: bool
    goals: Mapping[str, float]
    prepare: Callable[[Options, Path], AbstractContextManager[list[Contestant]]]


def tasks(load: str, options: Options, folder: Path, upstream_port: int = 0) -> Iterator[Task]:
    """Return a task for each event loop of the run."""
    for loop in options.loops:
        place = folder / loop
        place.mkdir(exist_ok=True)
        yield Task(load, loop, upstream_port, place)


def started(stack: ExitStack, task: Task) -> Iterator[tuple[str, Server]]:
    """Start every contender that does `task`, until `stack` is closed; return names and servers."""
    for contender in CONTENDERS:
        port = free_port()
        launch = contender.launch(task, port)
        if launch is not None:
            log = task.folder / f"{contender.name.replace(' ', '-')}.log"
            yield contender.name, stack.enter_context(running(contender.name, launch, port, log))
