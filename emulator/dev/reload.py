"""Following the files: what a save changes is loaded beside what is served, and takes its place.

Floor 7. Owns the order of a reload and what is said of it; must not know how files are watched or requests answered.
No request waits for a reload but those that come while the worker's own modules are imported, and none is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter, time

from emulator import errors
from emulator.config import Config, differences
from emulator.dev.face import Face
from emulator.dev.setup import load_worker, network_of
from emulator.dev.watching import Watched, watching
from emulator.runtime import Worker
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
)


class Reloader:
    """Keeps `server` doing what the files say, from `start()` to `stop()`, on the running event loop.

    `config` is what is in force, `read()` returns what the files say now and raises ConfigError.
    """

    def __init__(
        self,
        config: Config,
        read: Callable[[], Config],
        worker: Worker,
        server: RunningServer,
        face: Face,
    ) -> None:
        self._config = config
        self._read = read
        self._worker = worker
        self._server = server
        self._face = face
        self._watched: Watched | None = None
        self._watching = ExitStack()
        self._reconfiguring: asyncio.Task[None] | None = None
        self._mistaken = False

    def start(self, since: float) -> None:
        """Look at the files from now on, and for what was saved after `since`, in seconds since 1970."""
        self._watch(since)

    def stop(self) -> None:
        """Look at them no more."""
        self._watching.close()
        if self._reconfiguring is not None:
            self._reconfiguring.cancel()

    def reload(self, changed: frozenset[Path] | set[Path] = frozenset()) -> None:
        """Load the worker anew, and its settings; `changed` are the files that are the reason, none a person's wish.

        What can't be loaded is told, and leaves the worker failing until the next save.
        """
        began, since = perf_counter(), time()
        config = self._config
        if not changed or changed & set(config.sources) or self._mistaken:
            try:
                config = self._read()
            except errors.ConfigError as error:
                self._mistaken = True
                self._face.settings_failed(error)
                return
            self._mistaken = False
        told = differences(self._config, config)
        try:
            isolate = load_worker(config, self._face)
        except errors.WorkerLoadError as error:
            self._worker.fail(error)
            self._face.reload_failed(error)
        else:
            self._worker.replace(isolate)
            self._face.reloaded(_named(changed, config), perf_counter() - began)
        if told:
            self._apply(config, told)
        self._config = config
        if config.reload:
            self._watch(since)

    def _apply(self, config: Config, told: list[str]) -> None:
        """Have the server follow the new settings, and say which changed."""
        before = self._config
        for sentence in told:
            self._face.settings_changed(sentence)
        for note in config.notes:
            if note not in before.notes:
                self._face.note(note)
        at_start = [
            name for name in _TAKEN_AT_START if getattr(before, name) != getattr(config, name)
        ]
        if at_start:
            self._face.note(errors.RESTART_NEEDED.format(names=", ".join(at_start)))
        self._worker.keeps_last_good = config.keep_last_good
        network = network_of(config)
        try:
            network.trust.load()
        except errors.ConfigError as error:
            self._face.settings_failed(error)
        else:
            self._server.front.reconfigure(network, config.limits)
        if before.run_crons:
            self._server.schedule(config.crons)
        if before.connect != config.connect:
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

    def _watch(self, since: float) -> None:
        """Look at what is to be looked at now, if that is not what is looked at already."""
        watched = Watched.of([self._config.main.parent], self._config.sources)
        if watched != self._watched:
            self._watching.close()
            self._watched = watched
            self._watching.enter_context(watching(watched, since, self.reload, self._unwatched))

    def _unwatched(self, reason: str) -> None:
        self._face.note(errors.NOT_WATCHING.format(reason=reason))


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
