"""Loads that are a rate: as many requests as a number of keep-alive clients can make."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.clients import generator
from bench.clients.rate import request
from bench.loads.base import Contestant, Upstream, busy_seconds, entrants, log_of
from bench.loads.upstream import behind
from bench.options import Options
from bench.processes import HOST, READY_SECONDS, Server, free_port, running
from bench.statistics import Sample

WARM_UP_SECONDS = 0.5


@contextmanager
def contestants(
    load: str, upstream: str | None, body_bytes: int, options: Options, folder: Path
) -> Iterator[list[Contestant]]:
    """Start `upstream`, a module, and every contender for `load`, and warm them up."""
    with ExitStack() as stack:
        served = Upstream() if upstream is None else stack.enter_context(behind(upstream, folder))
        found = []
        for contender, task in entrants(load, options, folder, served):
            port = free_port()
            launch = contender.launch(task, port)
            assert launch is not None
            log = log_of(contender, task)
            server = stack.enter_context(running(contender.name, launch, port, log))
            _await_answer(port)
            take = partial(sample, server, options.connections, body_bytes)
            take(min(WARM_UP_SECONDS, options.seconds))
            found.append(Contestant(contender.name, task.loop, partial(take, options.seconds)))
        yield found


def _await_answer(port: int) -> None:
    """Return when `port` answers: that of several processes is open before they are there."""
    with socket.create_connection((HOST, port), timeout=READY_SECONDS) as connection:
        connection.sendall(request(body_bytes=0))
        connection.recv(1)


def sample(server: Server, connections: int, body_bytes: int, seconds: float) -> Sample:
    """Return requests per second, and CPU microseconds per request. Raises BenchFailure."""
    before = server.processor_seconds()
    count = generator.run(server.port, connections, seconds, body_bytes)
    busy = busy_seconds(server, before)
    if count.failures or not count.requests:
        raise server.failure(f"failed {count.failures} of {count.requests} requests")
    cpu = None if busy is None else busy / count.requests * 1e6
    return Sample(count.requests / count.seconds, cpu)
