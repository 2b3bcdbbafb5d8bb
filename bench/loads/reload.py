"""reload: from the edit of a worker's file to the first answer of the edited worker."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from bench.contenders import Contender, Task
from bench.loads.base import Contestant, Load, busy_seconds, entrants, log_of
from bench.options import Options
from bench.processes import HOST, Server, free_port, running
from bench.statistics import Sample

# Between two edits: an editor's debounce, a file system's clock.
PAUSE_SECONDS = 0.25
ASK_AGAIN_SECONDS = 0.0005
PATIENCE_SECONDS = 20.0


@contextmanager
def _prepare(options: Options, folder: Path) -> Iterator[list[Contestant]]:
    with ExitStack() as stack:
        found = []
        for contender, task in entrants("reload", options, folder):
            contender.edit(task, "edit 0")
            port = free_port()
            launch = contender.launch(task, port)
            assert launch is not None
            log = log_of(contender, task)
            server = stack.enter_context(running(contender.name, launch, port, log))
            take = partial(_sample, contender, task, server, count(1))
            take()  # What a first edit imports is there from now on.
            found.append(Contestant(contender.name, task.loop, take))
        yield found


def _sample(contender: Contender, task: Task, server: Server, edits: Iterator[int]) -> Sample:
    """Return milliseconds until the edit is served, and CPU milliseconds for it and for the requests that ask."""
    text = f"edit {next(edits)}"
    time.sleep(PAUSE_SECONDS)
    before = server.processor_seconds()
    began = time.perf_counter()
    contender.edit(task, text)
    while _answer(server) != text.encode():
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise server.failure(f"did not serve an edit within {PATIENCE_SECONDS:g} s")
        time.sleep(ASK_AGAIN_SECONDS)
    seconds = time.perf_counter() - began
    busy = busy_seconds(server, before)
    return Sample(seconds * 1e3, None if busy is None else busy * 1e3)


def _answer(server: Server) -> bytes:
    """Return what the worker says; nothing while the server lets nobody in."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()


LOAD = Load(
    name="reload",
    title="edit to served",
    unit="ms",
    cpu_unit="ms",
    less_is_better=True,
    prepare=_prepare,
)
