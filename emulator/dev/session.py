"""One `pyworker dev`: load the workers, serve the first, follow their files, stop.

Floor 7. Owns the order of things from settings to exit code; must not know options, HTTP or how a
worker is loaded.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from time import time
from typing import Protocol
from urllib.parse import urlsplit

from emulator import errors
from emulator.config import Config
from emulator.dev.console import Console
from emulator.dev.face import Face
from emulator.dev.reach import cron_notes, endpoint_of
from emulator.dev.reload import Reloader
from emulator.dev.setup import (
    INTERRUPTED_EXIT_CODE,
    load_workers,
    loop_factory,
    network_of,
    run_to_end,
)
from emulator.dev.shutdown import Phase, Shutdown
from emulator.memory import expect_requests
from emulator.runtime import Directory
from emulator.server import Share, start
from emulator.sockets import Network

GRACE_SECONDS = 1.0

Configs = tuple[Config, ...]


class Station(Protocol):
    """Who stands beside a session: the person at a console, or the process that started this one.

    `signals` end the session; a `share` is what it accepts from, None if it listens itself.
    """

    @property
    def signals(self) -> Sequence[signal.Signals]: ...

    @property
    def share(self) -> Share | None: ...

    def debugging(self) -> AbstractContextManager[None]:
        """A block in which worker code runs and may call breakpoint()."""

    def serving(
        self, config: Config, url: str, reload: Callable[..., object]
    ) -> AbstractContextManager[None]:
        """A block on the running event loop in which `url` is served; `reload()` is to be called there."""

    def close(self) -> None:
        """The session ends."""


def run(
    configs: Configs, terminal: Face, read: Callable[[], Configs], station: Station | None = None
) -> int:
    """Serve until SIGINT or SIGTERM; return the process's exit code. `read()` returns what the files say by then.

    The first of `configs` is the worker that is served, under its settings; it may call the others.

    Raises WorkerLoadError, ListenError and ConfigError. A worker that does not let go is left
    behind by ending the process, within 3 s of the signal (shutdown.py).
    """
    config = configs[0]
    console = station or Console(terminal)
    shutdown = Shutdown(before_exit=console.close, signals=console.signals)
    new_loop = loop_factory(config.event_loop)
    try:
        with shutdown.handling_signals(), terminal.capturing_prints(), console.debugging():
            network = network_of(config)
            network.trust.load()
            for note in (
                *(note for each in configs for note in each.notes),
                *network.trust.notes(),
            ):
                terminal.note(note)
            loaded = time()
            # Before the loop runs: Ctrl-C reaches a module that never stops being imported.
            directory = load_workers(configs, terminal)
            with asyncio.Runner(loop_factory=new_loop) as runner:
                run_to_end(
                    runner.get_loop(),
                    _serve(configs, network, directory, terminal, console, shutdown, read, loaded),
                    terminal,
                )
            return 0
    except (KeyboardInterrupt, errors.WorkerLoadError):
        # Stopped while a module was being imported: the failure is the user's own doing.
        if shutdown.phase is Phase.STOPPING:
            return INTERRUPTED_EXIT_CODE
        raise
    finally:
        console.close()


async def _serve(
    configs: Configs,
    network: Network,
    directory: Directory,
    terminal: Face,
    console: Station,
    shutdown: Shutdown,
    read: Callable[[], Configs],
    loaded: float,
) -> None:
    config = configs[0]
    expect_requests()
    requested = shutdown.serve()
    server = await start(
        directory.first,
        endpoint_of(config, terminal),
        connect_listeners=config.connect,
        share=console.share,
        crons=config.crons if config.run_crons else (),
        observer=terminal,
        network=network,
        limits=config.limits,
    )
    try:
        used_port = urlsplit(server.url).port
        if config.port and used_port is not None and used_port != config.port:
            terminal.port_taken(config.port, used_port)
        for address in server.connect_addresses:
            terminal.accepting_connections(address)
        for other in configs[1:]:
            terminal.bound_to(other.name, other.main)
        for note in cron_notes(config, directory.first.last_good, server.url):
            terminal.note(note)
        terminal.ready(server.url)
        for cron, moment in server.coming_crons():
            terminal.cron_awaited(cron.text, moment)
        reloader = Reloader(configs, read, directory, server, terminal)
        if config.reload:
            reloader.start(loaded)
        with console.serving(config, server.url, reloader.reload):
            await requested.wait()
        reloader.stop()
    finally:
        await server.close(grace_seconds=GRACE_SECONDS)
        shutdown.closed()
