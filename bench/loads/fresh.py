"""Loads whose every sample has a server of its own: what counts is how one that has done little changes."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.contenders import Contender, Task
from bench.loads.base import Contestant, Upstream, entrants, log_of
from bench.loads.upstream import behind
from bench.options import Options
from bench.processes import Server, free_port, running
from bench.statistics import Sample

# For everything else that a process has open.
SPARE_DESCRIPTORS = 200

Measure = Callable[[Server, Options], Sample]


@contextmanager
def contestants(
    load: str, upstream: str | None, measure: Measure, options: Options, folder: Path
) -> Iterator[list[Contestant]]:
    """Have a contestant for every contender, whose samples are what `measure` says of a server just started."""
    with ExitStack() as stack:
        served = Upstream() if upstream is None else stack.enter_context(behind(upstream, folder))
        yield [
            Contestant(
                contender.name, task.loop, partial(_sample, measure, contender, task, options)
            )
            for contender, task in entrants(load, options, folder, served)
        ]


def affordable(wanted: int, descriptors_each: int) -> int:
    """Return how many of `wanted` connections one process may have here, each with `descriptors_each`."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(min(wanted, (limit - SPARE_DESCRIPTORS) // descriptors_each), 1)


def lowered(load: str, wanted: int, descriptors_each: int) -> str | None:
    """Say that fewer than `wanted` are affordable; None where they all are."""
    count = affordable(wanted, descriptors_each)
    if count == wanted:
        return None
    return f"{load}: {count:,} in place of {wanted:,}, for a process may not open more files here"


def _sample(measure: Measure, contender: Contender, task: Task, options: Options) -> Sample:
    port = free_port()
    launch = contender.launch(task, port)
    assert launch is not None
    with running(contender.name, launch, port, log_of(contender, task)) as server:
        return measure(server, options)
