"""Which files a session looks at, and hearing of their changes.

Floor 7. Owns the thread that waits for the operating system's word and what of it matters; must not know what becomes
of a change.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# A save is over when nothing has changed for so long; one that never ends is told of after the other time.
QUIET_MILLISECONDS = 10
LONGEST_SAVE_MILLISECONDS = 400

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


@dataclass(frozen=True)
class Watched:
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

    def matters(self, path: Path) -> bool:
        """True for a file whose change the session must follow."""
        if path in self.files:
            return True
        for folder in self.folders:
            if path.is_relative_to(folder):
                *parents, _ = path.relative_to(folder).parts
                return path.suffix in SUFFIXES and not SKIPPED_FOLDERS.intersection(parents)
        return False


@contextmanager
def watching(
    watched: Watched, changed: Callable[[set[Path]], object], failed: Callable[[str], object]
) -> Iterator[None]:
    """A block on the running event loop in which `changed(paths)` is called there for each save.

    `failed(reason)` is called when the operating system does not tell of changes.
    """
    loop = asyncio.get_running_loop()
    stopped = threading.Event()

    def call(function: Callable[..., object], argument: object) -> None:
        if not stopped.is_set():
            loop.call_soon_threadsafe(lambda: None if stopped.is_set() else function(argument))

    threads = [
        threading.Thread(
            target=_watch,
            args=(watched, folders, recursive, call, changed, failed, stopped),
            name="pyworker-watch",
            daemon=True,
        )
        for folders, recursive in ((watched.folders, True), (watched.outside, False))
        if folders
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()


def _watch(
    watched: Watched,
    folders: tuple[Path, ...],
    recursive: bool,
    call: Callable[[Callable[..., object], object], None],
    changed: Callable[[set[Path]], object],
    failed: Callable[[str], object],
    stopped: threading.Event,
) -> None:
    # Imported on use, beside what is served already.
    from watchfiles import watch

    try:
        for changes in watch(
            *folders,
            watch_filter=lambda _, path: watched.matters(Path(path)),
            debounce=LONGEST_SAVE_MILLISECONDS,
            step=QUIET_MILLISECONDS,
            stop_event=stopped,
            recursive=recursive,
            raise_interrupt=False,
        ):
            call(changed, {Path(path) for _, path in changes})
    except (OSError, RuntimeError) as error:
        call(failed, str(error))
