"""One loaded generation of one worker: its modules, its env, its handlers.

Floor 5. Owns loading and unloading, and turns whatever a module raises into one error that names the place. Must not
know requests. A reload loads a new Isolate beside the old one and unloads the old one when it has drained.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from time import thread_time
from types import ModuleType
from typing import Any

from emulator import errors
from emulator.nearest import nearest
from emulator.runtime import entrypoints, environment
from emulator.runtime.entrypoints import Entrypoints, Handler
from emulator.runtime.environment import Environment
from emulator.runtime.guard import run_at_global_scope
from emulator.runtime.importer import Importer

Main = Path | ModuleType | type


class Isolate:
    """Made by `load`; `notes` are sentences for the user about what was found.

    `secrets` are the names of variables in env whose values must not be shown. `startup_cpu_ms` is the CPU time that
    importing the worker's modules took, in milliseconds; `events` is how many events it is answering (worker.py counts
    them).
    """

    def __init__(
        self,
        name: str,
        env: Environment,
        found: Entrypoints,
        importer: Importer | None,
        secrets: frozenset[str],
    ) -> None:
        self.name = name
        self.env = env
        self.notes = found.notes
        self.secrets = secrets
        self.startup_cpu_ms = 0.0
        self.events = 0
        self._entrypoints = found
        self._importer = importer

    @classmethod
    def load(
        cls,
        name: str,
        main: Main,
        env: Mapping[str, Any],
        *,
        root: Path | None = None,
        secrets: frozenset[str] = frozenset(),
    ) -> Isolate:
        """Load the worker `name` from its main file, or take an imported module or a WorkerEntrypoint class.

        `root` is the folder that holds the worker's modules: that of the main file unless given.
        `secrets` are the names in `env` whose values must not be shown; those that look secret need no mention.
        Raises WorkerLoadError; nothing of a worker that failed to load stays behind.
        """
        worker_env = Environment(env)
        if isinstance(main, type):
            return cls(name, worker_env, entrypoints.of_class(main), None, secrets)
        if isinstance(main, ModuleType):
            top = main.__name__.partition(".")[0]
            found = entrypoints.of_namespace(
                main.__name__, vars(main), lambda module: module.partition(".")[0] == top
            )
            return cls(name, worker_env, found, None, secrets)
        path = main.absolute()
        if not path.is_file():
            raise errors.WorkerLoadError(_missing_file(path))
        importer = Importer(root.absolute() if root is not None else path.parent)
        began = thread_time()
        try:
            module = _execute(importer, path, worker_env)
            found = entrypoints.of_namespace(_shown(path), vars(module), importer.owns)
        except BaseException:
            importer.unload()
            raise
        isolate = cls(name, worker_env, found, importer, secrets)
        isolate.startup_cpu_ms = (thread_time() - began) * 1000
        return isolate

    def __repr__(self) -> str:
        return f"<Isolate {self.name} handlers={', '.join(sorted(self.handlers)) or 'none'}>"

    @property
    def handlers(self) -> frozenset[str]:
        """The events that the default entrypoint handles: {"fetch", "connect"}."""
        return frozenset(self._entrypoints.default)

    @property
    def named_handlers(self) -> Mapping[str, frozenset[str]]:
        """The events that each named entrypoint handles, by its class."""
        return {name: frozenset(found) for name, found in self._entrypoints.named.items()}

    @property
    def entrypoint_names(self) -> frozenset[str]:
        """The names of the classes that can be bound to, "Default" among them."""
        return frozenset(self._entrypoints.classes)

    def entrypoint(self, name: str | None = None) -> type | None:
        """Return the class of the named entrypoint, or else of the default one; None if that is made of functions."""
        return self._entrypoints.classes.get(name or entrypoints.DEFAULT)

    @property
    def files(self) -> tuple[Path, ...]:
        """The worker's own files that have been imported; none for a module or class that was handed in."""
        return () if self._importer is None else self._importer.files()

    def handler(self, event: str, entrypoint: str | None = None) -> Handler | None:
        """Return the handler for `event`, of the named entrypoint or else of the default one."""
        if entrypoint is None:
            return self._entrypoints.default.get(event)
        return self._entrypoints.named.get(entrypoint, {}).get(event)

    def unload(self) -> None:
        """Forget the worker's modules; calling it again changes nothing."""
        if self._importer is not None:
            self._importer.unload()


def _execute(importer: Importer, path: Path, env: Environment) -> ModuleType:
    def load() -> ModuleType:
        with environment.current(env):
            return importer.load_main(path)

    try:
        return run_at_global_scope(importer.package, load)
    except BaseException as error:  # sys.exit() in a module is a mistake of that module
        raise _load_failed(error, importer, path) from error


def _load_failed(error: BaseException, importer: Importer, path: Path) -> errors.WorkerLoadError:
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    said = said.replace(importer.package + ".", "")
    place = _place(error, importer.owns) or _shown(path)
    return errors.WorkerLoadError(errors.LOAD_FAILED.format(error=said, place=place))


def _place(error: BaseException, is_own: Callable[[str], bool]) -> str | None:
    """Return `file:line` of the worker's innermost statement that raised; None if none of its code had run."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{_shown(Path(error.filename))}:{error.lineno}"
    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if is_own(str(frame.f_globals.get("__name__", ""))):
            place = f"{_shown(Path(frame.f_code.co_filename))}:{line}"
    return place


def _shown(path: Path) -> str:
    """Return `path` as a person in this folder would write it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _missing_file(path: Path) -> str:
    names = [file.name for file in path.parent.glob("*.py")] if path.parent.is_dir() else []
    near = nearest(path.name, names)
    hint = f" Did you mean {_shown(path.with_name(near))}?" if near else ""
    return errors.WORKER_FILE_MISSING.format(path=_shown(path), hint=hint)
