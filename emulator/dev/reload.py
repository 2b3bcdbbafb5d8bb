"""Following the files: what a save changes is loaded beside what is served, and takes its place.

Floor 7. Owns the order of a reload and what is said of it; must not know how files are watched or requests answered.
No request waits for a reload but those that come while the worker's own modules are imported, and none is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, time

from emulator import errors
from emulator.config import Config, differences
from emulator.dev.face import Face
from emulator.dev.setup import check_names, configure, load_worker, network_of, notes_on_services
from emulator.dev.watching import Watch
from emulator.runtime import Directory, Worker
from emulator.server import RunningServer

# Settings that a server takes when it starts, as they are called there.
_TAKEN_AT_START = (
    "ip",
    "port",
    "local_protocol",
    "https_key_path",
    "https_cert_path",
    "unix_socket",
    "event_loop",
    "log_format",
    "log_level",
    "reload",
    "run_crons",
    "workers",
)


class Reloader:
    """Keeps `server` and the workers doing what the files say, from `start()` to `stop()`, on the running event loop.

    `configs` are what is in force, one for each worker of `directory`, the first that of the worker that is served.
    `read()` returns what the files say now and raises ConfigError.
    """

    def __init__(
        self,
        configs: tuple[Config, ...],
        read: Callable[[], tuple[Config, ...]],
        directory: Directory,
        server: RunningServer,
        face: Face,
    ) -> None:
        self._configs = configs
        self._read = read
        self._directory = directory
        self._server = server
        self._face = face
        self._watch = Watch(self.reload, face)
        self._reconfiguring: asyncio.Task[None] | None = None
        self._mistaken = False

    def start(self, since: float) -> None:
        """Look at the files from now on, and for what was saved after `since`, in seconds since 1970."""
        self._watch.follow(self._configs, since)

    def stop(self) -> None:
        """Look at them no more."""
        self._watch.stop()
        if self._reconfiguring is not None:
            self._reconfiguring.cancel()

    def reload(self, changed: frozenset[Path] | set[Path] = frozenset()) -> None:
        """Load anew the workers that `changed` files belong to, and the settings; all of them without any.

        What can't be loaded is told, and leaves its worker failing until the next save.
        """
        since = time()
        before, configs = self._configs, self._configs
        sources = {path for config in configs for path in config.sources}
        if not changed or changed & sources or self._mistaken:
            try:
                configs = self._read()
                check_names(configs)
            except errors.ConfigError as error:
                self._mistaken = True
                self._face.settings_failed(error)
                return
            self._mistaken = False
        concerned = self._concerned(changed)
        pairs = list(zip(before, configs, self._directory, strict=True))
        for _, new, worker in pairs:
            worker.name = new.name  # Before any is loaded: they may bind to each other.
        for old, new, worker in pairs:
            if worker in concerned or old != new:
                self._load(worker, new, changed)
        for number, (old, new, worker) in enumerate(pairs):
            if told := differences(old, new):
                self._tell(old, new, told)
                configure(worker, new)
                if number == 0:
                    self._apply(old, new)
        if before != configs:
            for note in notes_on_services(configs, self._directory):
                self._face.note(note)
        self._configs = configs
        if configs[0].reload:
            self._watch.follow(self._configs, since)

    def _concerned(self, changed: frozenset[Path] | set[Path]) -> list[Worker]:
        """Return the workers that `changed` files are part of, or may be: those in whose folder one lies."""
        workers = list(self._directory)
        if not changed or len(workers) == 1:
            return workers
        concerned = [worker for worker in workers if worker.failure is not None]
        for path in changed:
            owners = [worker for worker in workers if path in worker.last_good.files]
            concerned += owners or self._around(path)
        return concerned

    def _around(self, path: Path) -> list[Worker]:
        """Return the workers whose folder is the innermost around `path`."""
        folders = {
            config.main.parent
            for config in self._configs
            if path.is_relative_to(config.main.parent)
        }
        innermost = max(folders, key=lambda folder: len(folder.parts), default=None)
        pairs = zip(self._configs, self._directory, strict=True)
        return [worker for config, worker in pairs if config.main.parent == innermost]

    def _load(self, worker: Worker, config: Config, changed: frozenset[Path] | set[Path]) -> None:
        began = perf_counter()
        try:
            isolate = load_worker(config, self._face, self._directory)
        except errors.WorkerLoadError as error:
            worker.fail(error)
            self._face.reload_failed(error)
        else:
            worker.replace(isolate)
            name = worker.name if len(self._configs) > 1 else None
            self._face.reloaded(_named(changed, config), perf_counter() - began, name)

    def _tell(self, before: Config, config: Config, told: list[str]) -> None:
        for sentence in told:
            self._face.settings_changed(sentence)
        for note in config.notes:
            if note not in before.notes:
                self._face.note(note)

    def _apply(self, before: Config, config: Config) -> None:
        """Have the server follow the new settings of the worker that it serves."""
        at_start = [
            name for name in _TAKEN_AT_START if getattr(before, name) != getattr(config, name)
        ]
        if before.workers > 1 and before.connect != config.connect:
            at_start.append("connect")  # Every process accepts from the same sockets.
        if at_start:
            self._face.note(errors.RESTART_NEEDED.format(names=", ".join(at_start)))
        network = network_of(config)
        try:
            network.trust.load()
        except errors.ConfigError as error:
            self._face.settings_failed(error)
        else:
            self._server.front.reconfigure(network, config.limits)
        if before.run_crons:
            self._server.schedule(config.crons)
        if before.connect != config.connect and before.workers == 1:
            self._reconfiguring = asyncio.get_running_loop().create_task(
                self._listen(config), name="listeners of the new settings"
            )

    async def _listen(self, config: Config) -> None:
        before = set(self._server.connect_addresses)
        try:
            await self._server.listen_instead(config.connect)
        except errors.ListenError as error:
            self._face.settings_failed(error)
        for address in self._server.connect_addresses:
            if address not in before:
                self._face.accepting_connections(address)


def _named(changed: frozenset[Path] | set[Path], config: Config) -> str:
    """Return how the files of a save are called: by name, or by number when there are many."""
    folder = config.main.parent
    names = sorted(
        str(path.relative_to(folder)) if path.is_relative_to(folder) else path.name
        for path in changed
    )
    if not names:
        return config.main.name
    return (
        names[0]
        if len(names) == 1
        else errors.SEVERAL_FILES.format(first=names[0], count=len(names) - 1)
    )
