"""stream: an upstream TCP server sends as fast as it can; every byte goes on as a chunked response."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.clients import download
from bench.loads.base import Contestant, Load, started, tasks
from bench.options import Options
from bench.processes import Launch, Server, free_port, module, running
from bench.statistics import Sample

WARM_UP_BYTES = 32 * 1024 * 1024
GIBIBYTE = 1024**3


@contextmanager
def _prepare(options: Options, folder: Path) -> Iterator[list[Contestant]]:
    with ExitStack() as stack:
        port = free_port()
        launch = Launch(module("bench.upstreams.flood", port), {})
        stack.enter_context(running("the upstream server", launch, port, folder / "upstream.log"))
        found = []
        for task in tasks("stream", options, folder, port):
            for name, server in started(stack, task):
                _sample(server, min(WARM_UP_BYTES, options.stream_bytes))
                take = partial(_sample, server, options.stream_bytes)
                found.append(Contestant(name, task.loop, take))
        yield found


def _sample(server: Server, length_bytes: int) -> Sample:
    """Return megabytes per second, and CPU seconds per GiB."""
    before = server.processor_seconds()
    seconds = download.run(server, length_bytes)
    after = server.processor_seconds()
    cpu = None
    if before is not None and after is not None:
        cpu = (after - before) * GIBIBYTE / length_bytes
    return Sample(length_bytes / seconds / 1e6, cpu)


LOAD = Load(
    name="stream",
    title="TCP stream to a chunked response",
    unit="MB/s",
    cpu_unit="s/GiB",
    less_is_better=False,
    goals={"pyworker": 1.1, "pyworker reader": 1.1},
    prepare=_prepare,
)
