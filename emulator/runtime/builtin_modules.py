"""The modules that are built into the runtime: `workers`, `cloudflare.workers`, `cloudflare.sockets`.

Floor 5. Owns the one meta-path finder of the process and answers three names with files that lie beside the emulator
package, whatever is installed and whatever folder is called the same. Must not know any worker.
The official API client on PyPI is a regular package called `cloudflare`; it stays importable, with our two modules
inside it. Where no `cloudflare` can be imported at all, a namespace of that name is supplied.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

import emulator
from emulator.errors import NOT_FROM_JAVASCRIPT

FACES = Path(emulator.__file__).parent.parent / "cloudflare"
FILES = {
    "cloudflare.sockets": FACES / "sockets.py",
    "cloudflare.workers": FACES / "workers.py",
}
WORKERS = "workers"
NAMES = frozenset(FILES) | {WORKERS}
# Top-level names that a worker's own files never take over.
RESERVED = frozenset({WORKERS, "cloudflare"})


class _WorkersLoader(SourceFileLoader):
    """Makes `workers` the very module object that `cloudflare.workers` is."""

    def exec_module(self, module: ModuleType) -> None:
        sys.modules[module.__name__] = importlib.import_module("cloudflare.workers")


class BuiltinFinder:
    """Answers the built-in names, and `cloudflare` when nobody else has it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname in FILES:
            return importlib.util.spec_from_file_location(fullname, FILES[fullname])
        if fullname == WORKERS:
            file = str(FILES["cloudflare.workers"])
            return ModuleSpec(WORKERS, _WorkersLoader(WORKERS, file), origin=file)
        if fullname == "cloudflare":
            return self._namespace()
        return None

    def _namespace(self) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is not self and finder.find_spec("cloudflare", None) is not None:
                return None
        spec = ModuleSpec("cloudflare", None, is_package=True)
        spec.submodule_search_locations = [str(FACES)]
        return spec


_FINDER = BuiltinFinder()


def install() -> None:
    """Put the finder first in `sys.meta_path`; calling it again changes nothing."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


def import_builtin(name: str) -> ModuleType:
    """Return the built-in module `name`, even where another `workers` was imported before `install`."""
    return importlib.import_module("cloudflare.workers" if name == WORKERS else name)


def import_from_javascript(name: str) -> ModuleType:
    """Return the module that the platform calls `name`: "cloudflare:sockets" or "cloudflare:workers".

    Raises ImportError for any other name. Source: python-workers.md, "Modules".
    """
    module = name.replace(":", ".", 1)
    if ":" not in name or module not in FILES:
        known = " and ".join(file.replace(".", ":", 1) for file in FILES)
        raise ImportError(NOT_FROM_JAVASCRIPT.format(name=name, names=known), name=name)
    return importlib.import_module(module)
