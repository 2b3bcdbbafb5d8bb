"""Which files a session looks at, and hearing of their changes.

Floor 7. Owns the thread that waits for the operating system's word and what of it matters; must not know what becomes
of a change.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from emulator import errors
from emulator.config import Config
from emulator.dev.face import Face

# A save is over when nothing has changed for so long; one that never ends is told of after the other time.
QUIET_MILLISECONDS = 10
LONGEST_SAVE_MILLISECONDS = 400
# How long after the start it is looked for saves that came too early to be told of.
LOOK_BACK_MILLISECONDS = 1000
# How far the clock of a file's time may be behind the other one.
CLOCK_SECONDS = 0.01

# What a worker is made of, its code and what it reads; logs and databases are written while it runs.
SUFFIXES = frozenset(
    (
        ".py",
        ".css",
        ".csv",
        ".html",
        ".j2",
        ".jinja",
        ".js",
        ".json",
        ".jsonc",
        ".md",
        ".mustache",
        ".sql",
        ".svg",
        ".tmpl",
        ".toml",
        ".txt",
        ".xml",
        ".yaml",
        ".yml",
    )
)
# Folders that hold tools' files, not a worker's.
SKIPPED_FOLDERS = frozenset(
    (
        "__pycache__",
        ".git",
        ".hg",
        ".hypothesis",
        ".idea",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        ".vscode",
        ".wrangler",
        "build",
        "dist",
        "env",
        "node_modules",
        "python_modules",
        "site-packages",
        "venv",
    )
)


T = TypeVar("T")


class Watched(NamedTuple):
    """The folders of workers, with what is in them, and single `files`, which need not exist yet."""

    folders: tuple[Path, ...]
    files: frozenset[Path]

    @classmethod
    def of(cls, folders: Iterable[Path], files: Iterable[Path]) -> Watched:
        """Return what to look at; a folder inside another is looked at with that."""
        unique = sorted(set(folders))
        outermost = [
            folder
            for folder in unique
            if not any(other != folder and folder.is_relative_to(other) for other in unique)
        ]
        return cls(tuple(outermost), frozenset(files))

    @property
    def outside(self) -> tuple[Path, ...]:
        """The folders of single files that lie in no worker's folder."""
        parents = {file.parent for file in self.files if file.parent.is_dir()}
        return tuple(
            sorted(
                parent
                for parent in parents
                if not any(parent.is_relative_to(folder) for folder in self.folders)
            )
        )

    def saved_after(self, moment: float) -> Iterator[Path]:
        """Yield the files that matter and were written after `moment`, in seconds since 1970."""
        for folder in self.folders:
            for parent, names, files in os.walk(folder):
                names[:] = [name for name in names if name not in SKIPPED_FOLDERS]
                for path in (Path(parent, file) for file in files):
                    if self.matters(path) and _saved(path) > moment:
                        yield path
        for path in self.files:
            if _saved(path) > moment:
                yield path

    def matters(self, path: Path) -> bool:
        """True for a file whose change the session must follow."""
        if path in self.files:
            return True
        if _is_own_output(path):
            return False
        for folder in self.folders:
            if path.is_relative_to(folder):
                *parents, _ = path.relative_to(folder).parts
                return path.suffix in SUFFIXES and not SKIPPED_FOLDERS.intersection(parents)
        return False


@contextmanager
def watching(
    watched: Watched,
    since: float,
    changed: Callable[[set[Path]], object],
    failed: Callable[[str], object],
) -> Iterator[None]:
    """A block on the running event loop in which `changed(paths)` is called there for each save.

    That is also called for what was saved after `since`, in seconds since 1970, before the system began to tell.
    `failed(reason)` is called when it does not tell of changes.
    """
    loop = asyncio.get_running_loop()
    stopped = threading.Event()

    def call(function: Callable[[T], object], argument: T) -> None:
        def run() -> None:
            if not stopped.is_set():
                function(argument)

        with suppress(RuntimeError):  # The loop is closed.
            loop.call_soon_threadsafe(run)

    def run(folders: tuple[Path, ...], recursive: bool) -> None:
        try:
            for paths in _saves(watched, folders, recursive, since, stopped):
                call(changed, paths)
        except (OSError, RuntimeError) as error:
            call(failed, str(error))

    for folders, recursive in ((watched.folders, True), (watched.outside, False)):
        if folders:
            threading.Thread(
                target=run, args=(folders, recursive), name="pyworker-watch", daemon=True
            ).start()
    try:
        yield
    finally:
        stopped.set()


class Watch:
    """A session's eye on its workers' files, from the first `follow()` to `stop()`, on the running event loop.

    `changed(paths)` is called for each save; `face` is told when the system does not tell of any.
    """

    def __init__(self, changed: Callable[[set[Path]], object], face: Face) -> None:
        self._changed = changed
        self._face = face
        self._watched: Watched | None = None
        self._watching = ExitStack()

    def follow(self, configs: Iterable[Config], since: float) -> None:
        """Look at what `configs` are made of, if that is not what is looked at already.

        What was saved after `since`, in seconds since 1970, is a save, too.
        """
        configs = list(configs)
        folders = [config.main.parent for config in configs]
        watched = Watched.of(folders, [path for config in configs for path in config.sources])
        if watched != self._watched:
            self._watching.close()
            self._watched = watched
            self._watching.enter_context(watching(watched, since, self._changed, self._fail))

    def stop(self) -> None:
        """Look no more."""
        self._watching.close()

    def _fail(self, reason: str) -> None:
        self._face.note(errors.NOT_WATCHING.format(reason=reason))


def _saves(
    watched: Watched,
    folders: tuple[Path, ...],
    recursive: bool,
    since: float,
    stopped: threading.Event,
) -> Iterator[set[Path]]:
    """Yield what each save changed in `folders`, until `stopped`. Blocks; raises OSError and RuntimeError."""
    # Imported on use, while requests are served already.
    from watchfiles import watch

    missed: set[Path] | None = None
    for changes in watch(
        *folders,
        watch_filter=lambda _, path: watched.matters(Path(path)),
        debounce=LONGEST_SAVE_MILLISECONDS,
        step=QUIET_MILLISECONDS,
        rust_timeout=LOOK_BACK_MILLISECONDS,
        yield_on_timeout=True,
        stop_event=stopped,
        recursive=recursive,
        raise_interrupt=False,
    ):
        paths = {Path(path) for _, path in changes}
        if missed is None:
            missed = set(watched.saved_after(since))
            paths |= missed
        if paths:
            yield paths


def _saved(path: Path) -> float:
    """Return when `path` was written; a file that is not there never was."""
    try:
        return path.stat().st_mtime + CLOCK_SECONDS
    except OSError:
        return 0.0


def _is_own_output(path: Path) -> bool:
    """True for the file that this process's own lines go to: each would be a reason for the next."""
    for descriptor in (1, 2):
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return True
    return False
