"""What a load is: a name, units, and contestants whose samples can be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import CONTENDERS, Contender, Task
from bench.options import Options
from bench.processes import Server, free_port
from bench.statistics import Sample


@dataclass(frozen=True, slots=True)
class Contestant:
    """One server on one event loop ("": its own), ready to be measured: `sample()` takes one measurement."""

    name: str
    loop: str
    sample: Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Load:
    """`prepare` starts the contestants and what they need, and ends all of it; it raises Missing without a tool.

    `note` says what is not as asked for on this machine, or None.
    """

    name: str
    title: str
    unit: str
    cpu_unit: str
    less_is_better: bool
    prepare: Callable[[Options, Path], AbstractContextManager[list[Contestant]]]
    note: Callable[[Options], str | None] = lambda options: None


@dataclass(frozen=True, slots=True)
class Upstream:
    """The server behind the contenders: where it listens, and whom to trust where it speaks TLS."""

    port: int = 0
    authority: Path | None = None


NO_UPSTREAM = Upstream()


def entrants(
    load: str, options: Options, folder: Path, upstream: Upstream = NO_UPSTREAM
) -> Iterator[tuple[Contender, Task]]:
    """Yield every contender of the run that takes `load`, once for each event loop it can have."""
    for loop in options.loops:
        for contender in CONTENDERS:
            if contender.is_peer and not options.peers:
                continue
            if contender.missing() is not None:
                continue
            if not contender.has_loops and loop != options.loops[0]:
                continue
            own_loop = loop if contender.has_loops else ""
            place = folder / (own_loop or "any")
            place.mkdir(exist_ok=True)
            task = Task(load, own_loop, upstream.port, place, upstream.authority)
            if contender.launch(task, free_port()) is not None:
                yield contender, task


def log_of(contender: Contender, task: Task) -> Path:
    """Return the file for what a contender prints."""
    return task.folder / f"{contender.name.replace(' ', '-')}.log"


def busy_seconds(server: Server, before: float | None) -> float | None:
    """Return the CPU time of `server` since it was `before`; None where it can't be read."""
    now = server.processor_seconds()
    return None if now is None or before is None else now - before
