"""A worker served inside another program: tests, notebooks, tools.

Floor 6. Owns `serve`, the embedding call. Must not know the command line. It is a server of aiohttp's test kit, so that
pytest-aiohttp's client takes it as it is.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Self

from aiohttp.test_utils import BaseTestServer
from aiohttp.web_runner import ServerRunner

from emulator.config import ConnectListener, ServiceBinding
from emulator.config.limits import DEFAULT_LIMITS, Limits
from emulator.context import Observer
from emulator.errors import WORKER_MODULE_FAILED, WorkerLoadError
from emulator.runtime import Directory, Isolate, Worker
from emulator.server.front import Front
from emulator.server.inbound import InboundListener
from emulator.server.listening import bind
from emulator.sockets import DEFAULT_NETWORK, Network, end_lingering

GRACE_SECONDS = 1.0

# A worker as it is named here: a file, a module, its importable name, or a class.
Code = str | Path | ModuleType | type


@dataclass(frozen=True, slots=True)
class Service:
    """A worker that others call: `env` holds its variables, `entrypoint` is a class in it, None its default one."""

    worker: Code
    env: Mapping[str, Any] = field(default_factory=dict)
    entrypoint: str | None = None


Named = Code | Service


class WorkerServer(BaseTestServer):
    """A worker that is being served: made by `serve`.

    As an async context manager it accepts requests at `url` within the block. Starting raises WorkerLoadError,
    ListenError and, for a file of certificates that can't be used, ConfigError. `connect_addresses` are the "host:port"
    of its connect() handler's listeners, in the order given.
    """

    def __init__(
        self,
        worker: Code,
        env: Mapping[str, Any],
        listeners: Sequence[ConnectListener],
        observer: Observer,
        network: Network,
        limits: Limits,
        host: str,
        port: int,
        services: Mapping[str, Named],
    ) -> None:
        super().__init__(host=host, port=port, socket_factory=_bind_one)
        self._worker = worker
        self._env = env
        self._listeners = listeners
        self._observer = observer
        self._network = network
        self._limits = limits
        self._inbound: list[InboundListener] = []
        self._services = services
        self._directory: Directory | None = None
        self.connect_addresses: list[str] = []

    @property
    def url(self) -> str:
        """Where requests go, without a slash at the end: "http://127.0.0.1:40123"."""
        return str(self.make_url("/")).rstrip("/")

    async def __aenter__(self) -> Self:
        await self.start_server()
        return self

    async def start_server(
        self, loop: asyncio.AbstractEventLoop | None = None, **kwargs: Any
    ) -> None:
        """Load the worker and accept requests; done once, by the context manager or by a test client."""
        if self.started:
            return
        self._network.trust.load()
        self._directory = _load_all(self._worker, self._env, self._services)
        for worker in self._directory:
            for note in worker.last_good.notes:
                self._observer.note(note)
        try:
            await super().start_server(loop, **kwargs)
            front = self.handler
            assert isinstance(front, Front)
            assert self.port is not None
            front.listens_at((self.host, self.port))
            for entry in self._listeners:
                listener = InboundListener(front, entry)
                await listener.start()
                self._inbound.append(listener)
                self.connect_addresses.append(listener.address)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop; requests under way have a second to end. Called again it does nothing."""
        inbound, self._inbound = self._inbound, []
        await asyncio.gather(
            super().close(), *(listener.close(GRACE_SECONDS) for listener in inbound)
        )
        await end_lingering(GRACE_SECONDS)
        if self._directory is not None:
            self._directory.unload()

    async def _make_runner(self, **kwargs: Any) -> ServerRunner:
        assert self._directory is not None
        return ServerRunner(
            Front(self._directory.first, self._observer, self._network, self._limits),
            shutdown_timeout=GRACE_SECONDS,
        )


def serve(
    worker: Code,
    *,
    env: Mapping[str, Any] | None = None,
    connect: int | Sequence[ConnectListener] = 0,
    observer: Observer | None = None,
    network: Network = DEFAULT_NETWORK,
    limits: Limits = DEFAULT_LIMITS,
    host: str = "127.0.0.1",
    port: int = 0,
    services: Mapping[str, Named] | None = None,
) -> WorkerServer:
    """Return a server, not started yet, for `worker`: a file, a module, its importable name, or a class.

    `env` holds its variables, `connect` how many TCP ports its connect() handler listens on (or which), `observer`
    hears what the terminal would show; `network` says whom connect() trusts and how long it waits. Port 0 is any.
    `services` are other workers, by the names that they have in its env, and in each other's; what else is in theirs is
    said by a `Service`.

        async with emulator.serve("worker.py", env={"GREETING": "hi"}) as server:
            ...  # server.url
    """
    listeners = (
        [ConnectListener("tcp", 0, host) for _ in range(connect)]
        if isinstance(connect, int)
        else connect
    )
    return WorkerServer(
        worker,
        env or {},
        listeners,
        observer or Observer(),
        network,
        limits,
        host,
        port,
        services or {},
    )


def _load_all(worker: Code, env: Mapping[str, Any], services: Mapping[str, Named]) -> Directory:
    """Load the worker that is served and those that it may call. Raises WorkerLoadError."""
    directory = Directory()
    named = {
        binding: each if isinstance(each, Service) else Service(each)
        for binding, each in services.items()
    }
    bound = directory.bindings(
        [ServiceBinding(binding, binding, each.entrypoint) for binding, each in named.items()]
    )
    directory.add(Worker(_load(worker, {**env, **bound})))
    for binding, each in named.items():
        served = Worker(_load(each.worker, {**each.env, **bound}))
        served.name = binding
        directory.add(served)
    return directory


def _load(worker: Code, env: Mapping[str, Any]) -> Isolate:
    if isinstance(worker, str):
        is_path = worker.endswith(".py") or Path(worker).name != worker
        worker = Path(worker) if is_path else _imported(worker)
    if isinstance(worker, Path):
        return Isolate.load(worker.stem, worker, env)
    return Isolate.load(worker.__name__, worker, env)


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except Exception as error:
        raise WorkerLoadError(
            WORKER_MODULE_FAILED.format(name=name, error=f"{type(error).__name__}: {error}")
        ) from error


def _bind_one(host: str, port: int, family: socket.AddressFamily) -> socket.socket:
    """Return one listening socket: aiohttp's test kit takes no more, and picks the family itself."""
    bound = bind(host, port)
    chosen = next((listening for listening in bound if listening.family == family), bound[0])
    for listening in bound:
        if listening is not chosen:
            listening.close()
    return chosen
