"""Importing a worker's own files, under a package name that no other worker shares.

Floor 5. Owns how a name in an `import` statement of a worker becomes a module. Must not know entry points or requests.
The worker's modules are executed with builtins of their own, whose `__import__` looks into the worker's folder first,
as Python does for a script, and finds `helpers.py` there as `_pyworker_isolate_7.helpers`. So two workers may both have
a `helpers.py`, a reload starts clean, and `unload` leaves nothing behind. All other names are imported as ever.

As for a script: a module of the worker shadows an installed or standard module of its name (for the worker only, not
for libraries), except those that are built into or frozen into the interpreter; a folder without `__init__.py` is a
package only if nothing better has its name; a top-level module can't import relatively.
Sources are always compiled afresh: a `.pyc` of the second before is never believed.
"""

from __future__ import annotations

import builtins
import functools
import importlib
import importlib.util
import itertools
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from emulator.errors import UNLOADED
from emulator.runtime import builtin_modules

PREFIX = "_pyworker_isolate_"

_serials = itertools.count(1)
_importers: dict[str, Importer] = {}
_python_import = builtins.__import__
_python_import_module = importlib.import_module


class _WorkerLoader(SourceFileLoader):
    """Compiles from source every time and runs the code with the worker's own builtins."""

    def __init__(self, fullname: str, path: str, worker_builtins: dict[str, Any]) -> None:
        super().__init__(fullname, path)
        self._builtins = worker_builtins

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = self._builtins
        super().exec_module(module)


class Importer:
    """The modules of one generation of one worker, whose files lie in `root`.

    `package` is the private package name; it is in `sys.modules` until `unload`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.package = f"{PREFIX}{next(_serials)}"
        self._builtins = {**vars(builtins), "__import__": self._import}
        self._own_names: dict[str, bool] = {}
        self._main: tuple[str, Path] | None = None
        spec = ModuleSpec(self.package, None, is_package=True)
        spec.submodule_search_locations = [str(root)]
        install()
        _importers[self.package] = self
        sys.modules[self.package] = importlib.util.module_from_spec(spec)

    def load_main(self, path: Path) -> ModuleType:
        """Execute the file `path` and return it as a module; other modules may import it by its stem.

        Raises whatever the file raises: the caller tells the user.
        """
        stem = path.stem.replace(".", "_")
        fullname = f"{self.package}.{stem}"
        self._main = (fullname, path)
        return importlib.import_module(fullname)

    def import_module(self, name: str, package: str | None = None) -> ModuleType:
        """Do what `importlib.import_module` does, for a caller inside the worker."""
        if name.startswith("."):
            return _python_import_module(name, package)
        if name == builtin_modules.WORKERS:
            return builtin_modules.import_builtin(name)
        if not self._is_own(name.partition(".")[0]):
            return _python_import_module(name)
        try:
            return _python_import_module(f"{self.package}.{name}")
        except ModuleNotFoundError as error:
            raise self._renamed(error) from None

    def owns(self, module: str) -> bool:
        """Tell whether `module` is the full name of one of the worker's modules."""
        return module.startswith(self.package + ".")

    def files(self) -> tuple[Path, ...]:
        """Return the files of the worker's modules that have been imported, in the order of their names."""
        modules = (module for name, module in list(sys.modules.items()) if self.owns(name))
        found = {Path(file) for module in modules if (file := getattr(module, "__file__", None))}
        return tuple(sorted(found))

    def unload(self) -> None:
        """Take the worker's modules out of `sys.modules`; calling it again changes nothing."""
        _importers.pop(self.package, None)
        prefix = self.package + "."
        for name in [name for name in sys.modules if name.startswith(prefix)]:
            del sys.modules[name]
        sys.modules.pop(self.package, None)

    def find_spec(self, fullname: str, path: Sequence[str] | None) -> ModuleSpec:
        """Return the spec of one of the worker's modules, looked for in the folders `path`."""
        if self._main is not None and fullname == self._main[0]:
            return self._source_spec(fullname, self._main[1])
        tail = fullname.rpartition(".")[2]
        namespace = []
        for folder in map(Path, path or ()):
            package = folder / tail
            if (package / "__init__.py").is_file():
                return self._source_spec(fullname, package / "__init__.py", [str(package)])
            if (folder / f"{tail}.py").is_file():
                return self._source_spec(fullname, folder / f"{tail}.py")
            if package.is_dir():
                namespace.append(str(package))
        if not namespace:
            shown = fullname.removeprefix(self.package + ".")
            raise ModuleNotFoundError(f"No module named {shown!r}", name=fullname)
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = namespace
        return spec

    def _source_spec(
        self, fullname: str, path: Path, locations: list[str] | None = None
    ) -> ModuleSpec:
        loader = _WorkerLoader(fullname, str(path), self._builtins)
        spec = importlib.util.spec_from_file_location(
            fullname, path, loader=loader, submodule_search_locations=locations
        )
        assert spec is not None  # a loader was given
        return spec

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Be `__import__` for the worker's modules: same arguments, same result, the worker's folder first."""
        if level:
            self._check_relative(globals, level)
            return self._python_import(name, globals, locals, fromlist, level)
        if name == builtin_modules.WORKERS:
            return builtin_modules.import_builtin(name)
        top = name.partition(".")[0]
        if not self._is_own(top):
            return _python_import(name, globals, locals, fromlist or (), 0)
        module = self._python_import(f"{self.package}.{name}", globals, locals, fromlist, 0)
        return module if fromlist else sys.modules[f"{self.package}.{top}"]

    def _python_import(
        self,
        name: str,
        globals: Mapping[str, object] | None,
        locals: Mapping[str, object] | None,
        fromlist: Sequence[str] | None,
        level: int,
    ) -> ModuleType:
        if self.package not in _importers:
            shown = name.removeprefix(self.package + ".")
            raise ModuleNotFoundError(UNLOADED.format(name=shown), name=shown)
        try:
            return _python_import(name, globals, locals, fromlist or (), level)
        except ModuleNotFoundError as error:
            raise self._renamed(error)  # noqa: B904  it is the same exception object

    def _renamed(self, error: ModuleNotFoundError) -> ModuleNotFoundError:
        if error.name is not None:
            error.name = error.name.removeprefix(self.package + ".")
        return error

    def _check_relative(self, globals: Mapping[str, object] | None, level: int) -> None:
        package = str((globals or {}).get("__package__") or "")
        depth = package.removeprefix(self.package).count(".")
        if depth == 0:
            raise ImportError("attempted relative import with no known parent package")
        if level > depth:
            raise ImportError("attempted relative import beyond top-level package")

    def _is_own(self, top: str) -> bool:
        own = self._own_names.get(top)
        if own is None:
            own = self._own_names[top] = self._look_up(top)
        return own

    def _look_up(self, top: str) -> bool:
        if top in builtin_modules.RESERVED or top.startswith(PREFIX):
            return False
        if BuiltinImporter.find_spec(top) or FrozenImporter.find_spec(top):
            return False
        if (self.root / f"{top}.py").is_file() or (self.root / top / "__init__.py").is_file():
            return True
        return (self.root / top).is_dir() and not _is_importable(top)


class _IsolateFinder:
    """Hands names below a private package to the importer that owns it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        importer = _importers.get(fullname.partition(".")[0])
        return importer.find_spec(fullname, path) if importer is not None else None


def _is_importable(top: str) -> bool:
    """Tell whether Python finds a module `top` that is more than a folder."""
    if top in sys.modules:
        return getattr(sys.modules[top], "__file__", None) is not None
    spec = importlib.util.find_spec(top)
    return spec is not None and spec.origin is not None


@functools.wraps(_python_import_module)
def _import_module(name: str, package: str | None = None) -> ModuleType:
    caller = sys._getframe(1).f_globals.get("__name__", "")
    importer = _importers.get(caller.partition(".")[0])
    if importer is None:
        return _python_import_module(name, package)
    return importer.import_module(name, package)


_FINDER = _IsolateFinder()


def install() -> None:
    """Make the process able to import workers; calling it again changes nothing.

    `importlib.import_module` is exchanged for one that looks into the worker's folder when a worker's module calls it.
    """
    builtin_modules.install()
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(1, _FINDER)
    importlib.import_module = _import_module
