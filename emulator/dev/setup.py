"""What every command does that runs a worker: its network, its start-up time, its event loop.

Floor 7. Owns the steps from settings to a loop that survives what a worker's tasks raise; must not know what is done
with the worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from emulator import errors
from emulator.config import Config, EventLoopChoice
from emulator.context import Observer
from emulator.dev.face import Face
from emulator.runtime import Directory, Isolate, Worker
from emulator.sockets import Network, Policy, Trust

INTERRUPTED_EXIT_CODE = 130

T = TypeVar("T")


def network_of(config: Config) -> Network:
    """How connect() makes its connections, by the settings."""
    trust = Trust(config.tls_ca, frozenset(config.tls_insecure))
    policy = None if config.strict is None else Policy(config.strict.allowed)
    return Network(config.connect_timeout_seconds, trust, policy)


def load_worker(config: Config, observer: Observer, directory: Directory | None = None) -> Isolate:
    """Load the worker of `config` and tell `observer` what there is to say of it. Raises WorkerLoadError.

    Its service bindings lead to the workers of `directory`.
    """
    bindings = (directory or Directory()).bindings(config.services)
    env = {**config.vars, **bindings}
    isolate = Isolate.load(config.name, config.main, env, secrets=config.secrets)
    for note in isolate.notes:
        observer.note(note)
    check_startup(config, isolate, observer)
    return isolate


def load_workers(configs: Sequence[Config], observer: Observer) -> Directory:
    """Load the worker of each of `configs`; the first is the one that is reached from outside.

    Raises WorkerLoadError, and ConfigError for two of one name.
    """
    check_names(configs)
    directory = Directory()
    for config in configs:
        worker = Worker(load_worker(config, observer, directory))
        configure(worker, config)
        directory.add(worker)
    for note in notes_on_services(configs, directory):
        observer.note(note)
    return directory


def configure(worker: Worker, config: Config) -> None:
    """Have `worker` do what `config` says of any generation of it."""
    worker.keeps_last_good = config.keep_last_good
    worker.hides_failures = not config.show_errors


def check_names(configs: Sequence[Config]) -> None:
    """Raise ConfigError when two workers have one name."""
    files: dict[str, str] = {}
    for config in configs:
        file = str(config.source or config.main)
        if config.name in files:
            raise errors.ConfigError(
                errors.SAME_WORKER_NAME.format(
                    name=config.name, first=files[config.name], second=file
                )
            )
        files[config.name] = file


def notes_on_services(configs: Sequence[Config], directory: Directory) -> Iterator[str]:
    """Sentences for the user about bindings that lead nowhere, and settings that only the first worker's count."""
    for config in configs:
        yield from directory.notes(
            config.name, config.services, (config.source or config.main).name
        )
    for config in configs[1:]:
        keys = [name for name in ("connect", "crons") if getattr(config, name)]
        if keys:
            listed = " and ".join(f"`{name}`" for name in keys)
            yield errors.SERVED_THROUGH_FIRST.format(worker=config.name, keys=listed)


def check_startup(config: Config, isolate: Isolate, observer: Observer) -> None:
    """Say, or in strict mode refuse, that importing the worker takes too long for production.

    Raises WorkerLoadError when it refuses.
    """
    if isolate.startup_cpu_ms > config.limits.startup_cpu_ms:
        sentence = errors.STARTUP_EXCEEDED.format(
            milliseconds=isolate.startup_cpu_ms, limit=config.limits.startup_cpu_ms
        )
        if config.strict is not None:
            raise errors.WorkerLoadError(sentence)
        observer.note(sentence)


def loop_factory(choice: EventLoopChoice) -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's loop where it is installed, asyncio's elsewhere, or the one asked for.

    Raises ConfigError when uvloop is asked for and is not there.
    """
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


def run_to_end(loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, T], terminal: Face) -> T:
    """Run `main` to its end and return its result, whatever the worker's own tasks raise.

    asyncio lets sys.exit() in a task or callback break out of the loop; the loop can go on afterwards.
    """
    loop.set_exception_handler(
        lambda _, event: terminal.stray_failure(event["message"], event.get("exception"))
    )
    task = loop.create_task(main)
    while True:
        try:
            return loop.run_until_complete(task)
        except (SystemExit, KeyboardInterrupt) as error:
            if task.done():
                raise
            terminal.note(errors.TASK_EXITED.format(error=repr(error)))
