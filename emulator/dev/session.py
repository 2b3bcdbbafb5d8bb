"""One `pyworker dev`: load the worker, serve it, follow its files, stop.

Floor 7. Owns the order of things from settings to exit code; must not know options, HTTP or how a
worker is loaded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import time
from urllib.parse import urlsplit

from emulator import errors
from emulator.config import Config
from emulator.dev.console import Console
from emulator.dev.face import Face
from emulator.dev.reach import cron_notes, endpoint_of
from emulator.dev.reload import Reloader
from emulator.dev.setup import (
    INTERRUPTED_EXIT_CODE,
    load_worker,
    loop_factory,
    network_of,
    run_to_end,
)
from emulator.dev.shutdown import Phase, Shutdown
from emulator.runtime import Worker
from emulator.server import start
from emulator.sockets import Network

GRACE_SECONDS = 1.0


def run(config: Config, terminal: Face, read: Callable[[], Config]) -> int:
    """Serve until SIGINT or SIGTERM; return the process's exit code. `read()` returns what the files say by then.

    Raises WorkerLoadError, ListenError and ConfigError. A worker that does not let go is left
    behind by ending the process, within 3 s of the signal (shutdown.py).
    """
    console = Console(terminal)
    shutdown = Shutdown(before_exit=console.close)
    new_loop = loop_factory(config.event_loop)
    try:
        with shutdown.handling_signals(), terminal.capturing_prints(), console.debugging():
            network = network_of(config)
            network.trust.load()
            for note in (*config.notes, *network.trust.notes()):
                terminal.note(note)
            loaded = time()
            # Before the loop runs: Ctrl-C reaches a module that never stops being imported.
            worker = Worker(load_worker(config, terminal))
            worker.keeps_last_good = config.keep_last_good
            with asyncio.Runner(loop_factory=new_loop) as runner:
                run_to_end(
                    runner.get_loop(),
                    _serve(config, network, worker, terminal, console, shutdown, read, loaded),
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
    config: Config,
    network: Network,
    worker: Worker,
    terminal: Face,
    console: Console,
    shutdown: Shutdown,
    read: Callable[[], Config],
    loaded: float,
) -> None:
    requested = shutdown.serve()
    server = await start(
        worker,
        endpoint_of(config, terminal),
        connect_listeners=config.connect,
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
        for note in cron_notes(config, worker.last_good, server.url):
            terminal.note(note)
        terminal.ready(server.url)
        for cron, moment in server.coming_crons():
            terminal.cron_awaited(cron.text, moment)
        reloader = Reloader(config, read, worker, server, terminal)
        if config.reload:
            reloader.start(loaded)
        with console.serving(config, server.url, reloader.reload):
            await requested.wait()
        reloader.stop()
    finally:
        await server.close(grace_seconds=GRACE_SECONDS)
        shutdown.closed()
