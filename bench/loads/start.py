"""start: from exec to the first byte of the first answer."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.contenders import Contender, Task
from bench.loads.base import Contestant, Load, entrants
from bench.options import Options
from bench.processes import BenchFailure, Launch, connect, free_port, spawned, tail
from bench.statistics import Sample

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextmanager
def _prepare(options: Options, folder: Path) -> Iterator[list[Contestant]]:
    found = []
    for contender, task in entrants("start", options, folder):
        _sample(contender, task)  # Its byte-code is there from now on.
        found.append(Contestant(contender.name, task.loop, partial(_sample, contender, task)))
    yield found


def _sample(contender: Contender, task: Task) -> Sample:
    """Return milliseconds to the first answer, and CPU milliseconds of the whole short life."""
    port = free_port()
    launch = contender.launch(task, port)
    assert launch is not None
    launch = Launch(launch.argv, {**launch.environ, **_bytecode(task)})
    log = task.folder / "start.log"
    before = _children_seconds()
    began = time.perf_counter()
    with (
        spawned(launch, log) as process,
        connect(process, contender.name, port, log) as connection,
    ):
        connection.sendall(REQUEST)
        answer = connection.recv(65_536)
        seconds = time.perf_counter() - began
    if not answer.startswith(b"HTTP/1.1 200"):
        raise BenchFailure(f"{contender.name} answered {answer[:80]!r}:\n{tail(log)}")
    return Sample(seconds * 1e3, (_children_seconds() - before) * 1e3)


def _bytecode(task: Task) -> dict[str, str]:
    """Keep byte-code, as on a user's machine from the second start on, whatever is set here."""
    return {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(task.folder / "bytecode"),
    }


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


LOAD = Load(
    name="start",
    title="exec to first answer",
    unit="ms",
    cpu_unit="ms",
    less_is_better=True,
    prepare=_prepare,
)
