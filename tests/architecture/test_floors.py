"""Imports point down, in no circle, and stand at the top of their file."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.source_tree import PROJECT, Import, SourceTree, write_tree

# What stands on what. Two parts on one floor don't import each other. Halves put in order what shares a floor of
# the plan: streams ask the context whose they are, and the faces that workers import stand on the runtime.
FLOORS = {
    "emulator.errors": 0,
    "emulator.folding": 0,
    "emulator.memory": 0,
    "emulator.naming": 0,
    "emulator.nearest": 0,
    "emulator.printable": 0,
    "emulator.quantities": 0,
    "emulator.failures": 0.5,
    "emulator.config": 1,
    "emulator.context": 2,
    "emulator.streams": 2.5,
    "emulator.http": 3,
    "emulator.sockets": 3,
    "emulator.bindings": 4,
    "emulator.runtime": 5,
    "cloudflare": 5.5,
    "emulator.server": 6,
    "emulator.dev": 7,
    "emulator.cli": 8,
    "emulator.__main__": 9,
}

# The package's own door: its version for everybody, and `serve` for embedders, imported when it is asked for.
DOOR = "emulator"

# The runtime answers a worker's `import workers` with the faces that stand on it: loads them, and uses nothing of them.
LOADER = "emulator.runtime.builtin_modules"

# Who may import within a function: commands load what they run, so that `--help` answers at once. So that
# `pyworker dev` starts at once: settings what few projects or only a mistake need, an exchange what writes error pages,
# streams what runs a worker's own source or sink.
LAZY = (DOOR, "emulator.cli", "emulator.config")
LAZY_MODULES = (
    "emulator.server.exchange",
    "emulator.streams.pairing",
    "emulator.streams.readable",
    "emulator.streams.writable",
)

# Faces that import some of their names when these are asked for, and show all of them to type checkers.
LAZY_FACES = (DOOR, "cloudflare.workers", "emulator.streams")


def part_of(module: str) -> str:
    """Return the part in FLOORS that `module` belongs to; the module itself if there is none."""
    for depth in (2, 1):
        part = ".".join(module.split(".")[:depth])
        if part in FLOORS:
            return part
    return module


def ours(tree: SourceTree) -> list[Import]:
    """Every import of one of our modules by another."""
    return [
        found
        for file in tree.files
        for found in tree.imports(file)
        if found.target.split(".")[0] in {"emulator", "cloudflare"}
        and not (found.importer == LOADER and part_of(found.target) == "cloudflare")
    ]


def wrong_floors(tree: SourceTree) -> list[str]:
    """Complain about imports that point up or sideways, and parts that have no floor."""
    complaints = []
    for module in sorted(tree.modules - {DOOR}):
        if part_of(module) not in FLOORS:
            complaints.append(f"{module} has no floor: give it one in FLOORS")
    for found in ours(tree):
        importer, target = part_of(found.importer), part_of(found.target)
        if DOOR in (found.importer, found.target) or importer == target:
            continue
        if FLOORS.get(target, 99) >= FLOORS.get(importer, -1):
            complaints.append(
                f"{found.importer}:{found.line} imports {found.target}: "
                f"floor {FLOORS.get(importer)} may not import floor {FLOORS.get(target)}"
            )
    return complaints


def hidden_imports(tree: SourceTree) -> list[str]:
    """Complain about our modules imported for type checkers only or within a function."""
    complaints = []
    for found in ours(tree):
        place = f"{found.importer}:{found.line} imports {found.target}"
        if found.typing_only and found.importer not in LAZY_FACES:
            complaints.append(f"{place} under TYPE_CHECKING, which hides a cycle")
        if (
            found.lazy
            and found.importer not in (DOOR, *LAZY_MODULES)
            and part_of(found.importer) not in LAZY
        ):
            complaints.append(f"{place} within a function")
    return complaints


def missing(tree: SourceTree) -> list[str]:
    """Complain about imports of our modules that are not there, by name in a string too."""
    return [
        f"{found.importer}:{found.line} imports {found.target}, which is not there"
        for found in ours(tree)
        if found.target not in tree.modules
    ]


def cycles(tree: SourceTree) -> list[str]:
    """Complain about modules that import each other in a circle, lazily or not."""
    graph: dict[str, set[str]] = {module: set() for module in tree.modules}
    for found in ours(tree):
        if found.importer != DOOR and found.target in tree.modules:
            graph[found.importer].add(found.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


@pytest.fixture(scope="module")
def project() -> SourceTree:
    return SourceTree(PROJECT, "emulator", "cloudflare")


def test_imports_point_down(project: SourceTree) -> None:
    assert wrong_floors(project) == []


def test_imports_hide_nowhere(project: SourceTree) -> None:
    assert hidden_imports(project) == []


def test_what_is_imported_is_there(project: SourceTree) -> None:
    assert missing(project) == []


def test_no_cycles(project: SourceTree) -> None:
    assert cycles(project) == []


def test_every_floor_is_there(project: SourceTree) -> None:
    assert set(FLOORS) - {part_of(module) for module in project.modules} == set()


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        (
            "emulator/streams/pump.py",
            "from emulator.sockets import wire\n",
            "emulator.streams.pump:1 imports emulator.sockets: floor 2.5 may not import floor 3",
        ),
        (
            "emulator/http/body.py",
            "import os\nimport emulator.sockets.wire\n",
            "emulator.http.body:2 imports emulator.sockets.wire: floor 3 may not import floor 3",
        ),
        (
            "emulator/context/io.py",
            "def f():\n    from ..streams import Pump\n",
            "emulator.context.io:2 imports emulator.streams: floor 2 may not import floor 2.5",
        ),
        (
            "emulator/errors.py",
            "import importlib\nimportlib.import_module('emulator.naming')\n",
            "emulator.errors:2 imports emulator.naming: floor 0 may not import floor 0",
        ),
        (
            "emulator/runtime/isolate.py",
            "import cloudflare.sockets\n",
            "emulator.runtime.isolate:1 imports cloudflare.sockets: floor 5 may not import floor 5.5",
        ),
        ("emulator/extra/new.py", "", "emulator.extra.new has no floor: give it one in FLOORS"),
    ],
)
def test_a_wrong_floor_is_seen(tmp_path: Path, path: str, text: str, complaint: str) -> None:
    assert wrong_floors(write_tree(tmp_path, {path: text})) == [complaint]


def test_right_floors_pass(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "emulator/__init__.py": "def f():\n    from emulator.server import serve\n",
            "emulator/errors.py": "",
            "emulator/streams/__init__.py": "from emulator.streams.pump import Pump\n",
            "emulator/streams/pump.py": "from emulator import errors\nimport asyncio\n",
            "emulator/server/front.py": "from emulator.streams import Pump\nimport aiohttp\n",
            "cloudflare/sockets.py": "from emulator.sockets import connect\n",
        },
    )
    assert wrong_floors(tree) == hidden_imports(tree) == cycles(tree) == []


def test_a_hidden_import_is_seen(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "emulator/http/body.py": (
                "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    from emulator.streams import Pump\n"
                "async def f():\n    import emulator.context\n    import ssl\n"
            ),
            "emulator/cli/dev.py": "def command():\n    import emulator.dev.session\n",
        },
    )
    assert hidden_imports(tree) == [
        "emulator.http.body:3 imports emulator.streams under TYPE_CHECKING, which hides a cycle",
        "emulator.http.body:5 imports emulator.context within a function",
    ]


def test_a_missing_module_is_seen(tmp_path: Path) -> None:
    text = "from importlib import import_module\nimport_module('emulator.dev.gone').describe()\n"
    assert missing(write_tree(tmp_path, {"emulator/cli/dev.py": text})) == [
        "emulator.cli.dev:2 imports emulator.dev.gone, which is not there"
    ]


def test_a_cycle_is_seen(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "emulator/http/a.py": "from emulator.http import b\n",
            "emulator/http/b.py": "from emulator.http.c import C\n",
            "emulator/http/c.py": "def f():\n    from emulator.http.a import A\n",
        },
    )
    [circle] = cycles(tree)
    assert sorted(circle.split(" imports ")[1:]) == [
        "emulator.http.a",
        "emulator.http.b",
        "emulator.http.c",
    ]


def test_a_module_that_imports_its_own_package_is_a_cycle(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "emulator/http/__init__.py": "from emulator.http.a import A\n",
            "emulator/http/a.py": "from emulator.http import B\n",
        },
    )
    assert len(cycles(tree)) == 1
