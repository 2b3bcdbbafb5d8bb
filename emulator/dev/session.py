"""One `pyworker dev`: load the worker, serve it, stop.

Floor 7. Owns the order of things from settings to exit code; must not know options, HTTP or how a
worker is loaded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from emulator import errors
from emulator.config import Config, EventLoopChoice
from emulator.dev.console import Console
from emulator.dev.face import Face
from emulator.dev.shutdown import Phase, Shutdown
from emulator.runtime.isolate import Isolate
from emulator.server import start
from emulator.sockets import Network, Policy, Trust

PORT_TRIES = 10
GRACE_SECONDS = 1.0
INTERRUPTED_EXIT_CODE = 130


def run(config: Config, terminal: Face) -> int:
    """Serve until SIGINT or SIGTERM; return the process's exit code.

    Raises WorkerLoadError, ListenError and ConfigError. A worker that does not let go is left
    behind by ending the process, within 3 s of the signal (shutdown.py).
    """
    console = Console(terminal)
    shutdown = Shutdown(before_exit=console.close)
    loop_factory = _loop_factory(config.event_loop)
    try:
        with shutdown.handling_signals(), terminal.capturing_prints(), console.debugging():
            network = _network(config)
            network.trust.load()
            for note in (*config.notes, *network.trust.notes()):
                terminal.note(note)
            # Before the loop runs: Ctrl-C reaches a module that never stops being imported.
            isolate = Isolate.load(config.name, config.main, config.vars)
            for note in isolate.notes:
                terminal.note(note)
            _check_startup(config, isolate, terminal)
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                _run(
                    runner.get_loop(),
                    _serve(config, network, isolate, terminal, console, shutdown),
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


def _run(loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, None], terminal: Face) -> None:
    """Run `main` to its end, whatever the worker's own tasks raise.

    asyncio lets sys.exit() in a task or callback break out of the loop; the loop can go on afterwards.
    """
    loop.set_exception_handler(
        lambda _, event: terminal.stray_failure(event["message"], event.get("exception"))
    )
    task = loop.create_task(main)
    while True:
        try:
            loop.run_until_complete(task)
            return
        except (SystemExit, KeyboardInterrupt) as error:
            if task.done():
                raise
            terminal.note(errors.TASK_EXITED.format(error=repr(error)))


async def _serve(
    config: Config,
    network: Network,
    isolate: Isolate,
    terminal: Face,
    console: Console,
    shutdown: Shutdown,
) -> None:
    requested = shutdown.serve()
    server = await start(
        isolate,
        host=config.ip,
        port=config.port,
        port_tries=PORT_TRIES,
        connect_listeners=config.connect,
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
        terminal.ready(server.url)
        with console.serving(config, server.url):
            await requested.wait()
    finally:
        await server.close(grace_seconds=GRACE_SECONDS)
        shutdown.closed()


def _network(config: Config) -> Network:
    """How connect() makes its connections, by the settings."""
    trust = Trust(config.tls_ca, frozenset(config.tls_insecure))
    policy = None if config.strict is None else Policy(config.strict.allowed)
    return Network(config.connect_timeout_seconds, trust, policy)


def _check_startup(config: Config, isolate: Isolate, terminal: Face) -> None:
    """Say, or in strict mode refuse, that importing the worker takes too long for production."""
    if isolate.startup_cpu_ms > config.limits.startup_cpu_ms:
        sentence = errors.STARTUP_EXCEEDED.format(
            milliseconds=isolate.startup_cpu_ms, limit=config.limits.startup_cpu_ms
        )
        if config.strict is not None:
            raise errors.WorkerLoadError(sentence)
        terminal.note(sentence)


def _loop_factory(choice: EventLoopChoice) -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's loop where it is installed, asyncio's elsewhere, or the one asked for."""
    if choice is EventLoopChoice.ASYNCIO:
        return asyncio.new_event_loop
    try:
        # Imported on use: it is not there on every system.
        import uvloop
    except ImportError as error:
        if choice is EventLoopChoice.UVLOOP:
            raise errors.ConfigError(errors.LOOP_MISSING) from error
        return asyncio.new_event_loop
    return uvloop.new_event_loop
