"""A new project, from a template: `pyworker init`.

Floor 7. Owns which files a project starts with, by emulator/templates/, and that nothing is ever overwritten; must not
know the command line. In a template `$name` and `$date` are filled in; NAME.template becomes NAME, and dot-NAME .NAME.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from emulator import errors

SUFFIX = ".template"
DOT = "dot-"
# As long as a label of a host name may be: the worker's name becomes one.
NAME_LIMIT = 63
# What a folder may hold and still count as empty.
NOT_OURS = frozenset({".git", ".venv", ".DS_Store"})
NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Project:
    """What was made: the worker's name, its folder, its files relative to that."""

    name: str
    folder: Path
    files: tuple[str, ...]


def create(folder: Path, template: str) -> Project:
    """Write the files of `template` into `folder`, which is made if need be; the worker is called after it.

    Raises ProjectError, before anything is written, for a folder that holds something or can't name a worker, and
    for what can't be written.
    """
    folder = folder.absolute()
    name = worker_name(folder.name)
    if folder.exists() and not folder.is_dir():
        raise errors.ProjectError(errors.INIT_IS_FILE.format(folder=folder))
    if present := _present(folder):
        names = ", ".join(present[:NAMES_SHOWN]) + (" …" if len(present) > NAMES_SHOWN else "")
        raise errors.ProjectError(errors.INIT_NOT_EMPTY.format(folder=folder, names=names))
    words = {"name": name, "date": date.today().isoformat()}
    written = []
    for path, text in _files(files("emulator") / "templates" / template):
        _write(folder / path, Template(text).substitute(words))
        written.append(path)
    return Project(name, folder, tuple(sorted(written)))


def worker_name(text: str) -> str:
    """Return `text` in the letters that a worker's name may have. Raises ProjectError when nothing is left of it."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower())[:NAME_LIMIT].strip("-")
    if not name:
        raise errors.ProjectError(errors.INIT_NO_NAME.format(name=text))
    return name


def _present(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if entry.name not in NOT_OURS)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _failed(folder, error) from error


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every file of a template: its path in the project, and its text."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            name = entry.name.removesuffix(SUFFIX)
            name = f".{name.removeprefix(DOT)}" if name.startswith(DOT) else name
            yield prefix + name, entry.read_text("utf-8")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # "x": whatever came in the meantime stays.
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise _failed(path, error) from error


def _failed(path: Path, error: OSError) -> errors.ProjectError:
    reason = error.strerror or str(error)
    return errors.ProjectError(errors.INIT_FAILED.format(path=path, reason=reason))
