"""What is said of a worker's imports and addresses by reading its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.dev.production import notes_on


def notes(folder: Path, text: str, **others: str) -> list[str]:
    files = [folder / "worker.py", *(folder / f"{name}.py" for name in others)]
    for file, content in zip(files, (text, *others.values()), strict=True):
        file.write_text(content)
    return notes_on(files)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("import fcntl\n", "worker.py:1: fcntl can't be imported in production"),
        ("\nfrom curses.ascii import NUL\n", "worker.py:2: curses can't be imported"),
        ("def f():\n    import tty\n", "worker.py:2: tty can't be imported"),
        ("import threading\n", "but it can't start threads there."),
        ("import os, subprocess\n", "but it can't start processes there."),
        ("from concurrent.futures import Future\n", "concurrent can be imported in production"),
        ("import uvloop\n", "uvloop (uvloop) has compiled parts"),
        ("connect('smtp.example.com:25')\n", "production prohibits connections to port 25."),
        ("sockets.connect('10.0.0.1:80')\n", "production refuses addresses on this machine"),
        ("connect('localhost:80')\n", "worker.py:1: connect() to localhost:80: production refuses"),
    ],
)
def test_what_production_has_not_is_told(text: str, note: str, tmp_path: Path) -> None:
    [told] = notes(tmp_path, text)
    assert note in told


@pytest.mark.parametrize(
    "text",
    [
        "import asyncio, json, socket, ssl\n",
        "import aiohttp, click\n",
        "import not_installed_anywhere\n",
        "from . import fcntl\n",
        "from workers import Response\nfrom cloudflare.sockets import connect\nimport js\n",
        "try:\n    import fcntl\nexcept ImportError:\n    fcntl = None\n",
        "try:\n    import fcntl\nexcept (OSError, builtins.ModuleNotFoundError):\n    pass\n",
        "if typing.TYPE_CHECKING:\n    import fcntl\n",
        "connect('example.com:443')\nconnect(address)\nconnect(':')\nconnect('nonsense')\n",
        "signal.connect('a: b')\n",
    ],
)
def test_what_production_has_is_not(text: str, tmp_path: Path) -> None:
    assert notes(tmp_path, text) == []


def test_an_import_that_is_not_guarded_beside_one_that_is(tmp_path: Path) -> None:
    text = "try:\n    import json\nexcept ImportError:\n    import fcntl\n"
    assert notes(tmp_path, text)[0].startswith("worker.py:4: fcntl")


def test_the_workers_own_modules_are_its_own(tmp_path: Path) -> None:
    assert notes(tmp_path, "import resource\n", resource="import pwd\n") == [
        "resource.py:1: pwd can't be imported in production: Pyodide has no such module."
    ]


def test_each_thing_is_told_once(tmp_path: Path) -> None:
    assert len(notes(tmp_path, "import pwd\nimport pwd\nconnect('a:25')\nconnect('a:25')\n")) == 2


def test_addresses_that_strict_mode_allows_are_not_told(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text("connect('LOCALHOST:80')\n")
    assert notes_on([tmp_path / "worker.py"], frozenset({"localhost:80"})) == []
