"""stream: an upstream TCP server sends as fast as it can; every byte goes on as a chunked response."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.clients import download
from bench.loads.base import Contestant, Load, busy_seconds, entrants, log_of
from bench.loads.upstream import behind
from bench.options import MEBIBYTE, Options
from bench.processes import Server, free_port, running
from bench.statistics import Sample

WARM_UP_BYTES = 32 * MEBIBYTE
GIBIBYTE = 1024 * MEBIBYTE


@contextmanager
def _prepare(load: str, tls: bool, options: Options, folder: Path) -> Iterator[list[Contestant]]:
    with ExitStack() as stack:
        upstream = stack.enter_context(behind("flood", folder, tls=tls))
        found = []
        for contender, task in entrants(load, options, folder, upstream):
            port = free_port()
            launch = contender.launch(task, port)
            assert launch is not None
            log = log_of(contender, task)
            server = stack.enter_context(running(contender.name, launch, port, log))
            _sample(server, min(WARM_UP_BYTES, options.stream_bytes))
            take = partial(_sample, server, options.stream_bytes)
            found.append(Contestant(contender.name, task.loop, take))
        yield found


def _sample(server: Server, length_bytes: int) -> Sample:
    """Return megabytes per second, and CPU seconds per GiB."""
    before = server.processor_seconds()
    seconds = download.run(server, length_bytes)
    busy = busy_seconds(server, before)
    cpu = None if busy is None else busy * GIBIBYTE / length_bytes
    return Sample(length_bytes / seconds / 1e6, cpu)


def _load(name: str, title: str, tls: bool) -> Load:
    return Load(
        name=name,
        title=title,
        unit="MB/s",
        cpu_unit="s/GiB",
        less_is_better=False,
        prepare=partial(_prepare, name, tls),
    )


PLAIN = _load("stream", "TCP stream to a chunked response", tls=False)
TLS = _load("stream-tls", "TLS stream to a chunked response", tls=True)
