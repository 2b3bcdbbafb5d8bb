"""Third parties have one door each, and only those that pyproject.toml declares come in."""

from __future__ import annotations

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from tests.architecture.source_tree import PROJECT, SourceTree, write_tree

# Which files may import a module: those whose path begins so.
DOORS: dict[str, tuple[str, ...]] = {
    "aiohttp": ("emulator/server/",),
    "click": ("emulator/cli/",),
    # An extra: imported when a certificate is to be made, and only there.
    "cryptography": ("emulator/server/local_certificate.py",),
    "rich": ("emulator/dev/",),
    "ssl": ("emulator/sockets/tls/",),
    "sqlite3": (),
    "uvloop": ("emulator/dev/setup.py",),
}


def wrong_doors(tree: SourceTree) -> list[str]:
    """Complain about a module imported anywhere but at its door."""
    return [
        f"{file.path}:{found.line} imports {found.target}, whose door is "
        f"{' or '.join(DOORS[name]) or 'not there yet'}"
        for file in tree.files
        for found in tree.imports(file)
        if (name := found.target.split(".")[0]) in DOORS and not file.path.startswith(DOORS[name])
    ]


def strangers(tree: SourceTree, declared: set[str]) -> list[str]:
    """Complain about modules that are neither ours, the standard library's nor declared."""
    known = declared | set(sys.stdlib_module_names) | {"emulator", "cloudflare"}
    return [
        f"{file.path}:{found.line} imports {found.target}, which pyproject.toml does not declare"
        for file in tree.files
        for found in tree.imports(file)
        if found.target.split(".")[0] not in known
    ]


def declared_modules() -> set[str]:
    """The modules of pyproject.toml's dependencies, and of its extras."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    lines = chain(project["dependencies"], *extras)
    names = (re.match(r"[\w.-]+", line) for line in lines)
    return {name.group().replace("-", "_") for name in names if name}


@pytest.fixture(scope="module")
def project() -> SourceTree:
    return SourceTree(PROJECT, "emulator", "cloudflare")


def test_each_third_party_comes_in_at_its_door(project: SourceTree) -> None:
    assert wrong_doors(project) == []


def test_only_declared_third_parties_come_in(project: SourceTree) -> None:
    assert strangers(project, declared_modules()) == []


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        (
            "emulator/http/body.py",
            "import os\nfrom aiohttp.web import Response\n",
            "emulator/http/body.py:2 imports aiohttp.web, whose door is emulator/server/",
        ),
        (
            "emulator/sockets/wire.py",
            "def f():\n    import ssl\n",
            "emulator/sockets/wire.py:2 imports ssl, whose door is emulator/sockets/tls/",
        ),
        (
            "emulator/bindings/kv.py",
            "import sqlite3\n",
            "emulator/bindings/kv.py:1 imports sqlite3, whose door is not there yet",
        ),
    ],
)
def test_a_wrong_door_is_seen(tmp_path: Path, path: str, text: str, complaint: str) -> None:
    assert wrong_doors(write_tree(tmp_path, {path: text})) == [complaint]


def test_the_right_door_is_open(tmp_path: Path) -> None:
    tree = write_tree(
        tmp_path,
        {
            "emulator/server/front.py": "import aiohttp.web\nimport asyncio\n",
            "emulator/sockets/tls/trust.py": "import ssl\n",
            "emulator/sockets/wire.py": "from emulator.sockets import tls\n",
        },
    )
    assert wrong_doors(tree) == []
    assert strangers(tree, {"aiohttp"}) == []


def test_a_stranger_is_seen(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, {"emulator/http/url.py": "import requests.sessions\n"})
    assert strangers(tree, {"aiohttp"}) == [
        "emulator/http/url.py:1 imports requests.sessions, which pyproject.toml does not declare"
    ]
