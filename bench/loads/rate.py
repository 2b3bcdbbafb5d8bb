"""Loads that are a rate: as many requests as a number of keep-alive clients can make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.clients import generator
from bench.loads.base import Contestant, started, tasks
from bench.options import Options
from bench.processes import Launch, Server, free_port, module, running
from bench.statistics import Sample

WARM_UP_SECONDS = 0.5


@contextmanager
def contestants(
    load: str, upstream: str | None, options: Options, folder: Path
) -> Iterator[list[Contestant]]:
    """Start `upstream`, a module, and every contender for `load`, and warm them up."""
    with ExitStack() as stack:
        upstream_port = 0
        if upstream is not None:
            upstream_port = free_port()
            launch = Launch(module(upstream, upstream_port), {})
            log = folder / "upstream.log"
            stack.enter_context(running("the upstream server", launch, upstream_port, log))
        found = []
        for task in tasks(load, options, folder, upstream_port):
            for name, server in started(stack, task):
                sample(server, options.connections, min(WARM_UP_SECONDS, options.seconds))
                take = partial(sample, server, options.connections, options.seconds)
                found.append(Contestant(name, task.loop, take))
        yield found


def sample(server: Server, connections: int, seconds: float) -> Sample:
    """Return requests per second, and CPU microseconds per request. Raises BenchFailure."""
    before = server.processor_seconds()
    count = generator.run(server.port, connections, seconds)
    after = server.processor_seconds()
    if count.failures or not count.requests:
        raise server.failure(f"failed {count.failures} of {count.requests} requests")
    cpu = None
    if before is not None and after is not None:
        cpu = (after - before) / count.requests * 1e6
    return Sample(count.requests / count.seconds, cpu)
