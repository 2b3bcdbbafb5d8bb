"""Which files matter to a session, and that a save is told of once."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from emulator.dev.watching import Watched, watching
from tests.support.waiting import within


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("worker.py", True),
        ("package/part.py", True),
        ("pages/index.html", True),
        (".dev.vars", True),
        ("output.log", False),
        ("cache.sqlite3", False),
        (".venv/lib/thing.py", False),
        ("node_modules/x/index.js", False),
        ("__pycache__/worker.py", False),
        ("../elsewhere.py", False),
    ],
)
def test_what_matters(tmp_path: Path, name: str, matters: bool) -> None:
    folder = tmp_path / "worker"
    watched = Watched.of([folder], [folder / ".dev.vars"])
    assert watched.matters(Path(os.path.normpath(folder / name))) is matters


def test_a_folder_inside_another_is_looked_at_with_it(tmp_path: Path) -> None:
    watched = Watched.of([tmp_path / "a", tmp_path / "a" / "b", tmp_path / "ab"], [])
    assert watched.folders == (tmp_path / "a", tmp_path / "ab")


def test_files_outside_are_looked_at_by_their_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "src" / "x.toml", tmp_path / "wrangler.toml"
    (tmp_path / "src").mkdir()
    watched = Watched.of([tmp_path / "src"], [inside, outside, tmp_path / "gone" / "y"])
    assert watched.outside == (tmp_path,)


class Saves:
    """What was told of."""

    def __init__(self) -> None:
        self.told: list[set[Path]] = []
        self.failed: list[str] = []
        self._news = asyncio.Event()

    def add(self, paths: set[Path]) -> None:
        self.told.append(paths)
        self._news.set()

    async def next(self) -> None:
        await within(self._news.wait())
        self._news.clear()


async def test_a_save_of_many_files_is_told_of_once(tmp_path: Path) -> None:
    saves = Saves()
    watched = Watched.of([tmp_path], [])
    (tmp_path / "first.py").write_text("")
    with watching(watched, time.time() - 60, saves.add, saves.failed.append):
        await saves.next()  # What was saved before: from now on the system tells.
        for number in range(10):
            (tmp_path / f"{number}.py").write_text("x = 1\n")
            (tmp_path / f"{number}.log").write_text("noise")
        await saves.next()
    assert saves.told[0] == {tmp_path / "first.py"}
    assert set().union(*saves.told[1:]) <= {tmp_path / f"{number}.py" for number in range(10)}
    assert saves.failed == []


async def test_a_save_before_the_system_tells_is_not_lost(tmp_path: Path) -> None:
    saves = Saves()
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    for file in (old, new):
        file.write_text("")
    since = time.time()
    os.utime(old, (since - 10, since - 10))
    os.utime(new, (since + 1, since + 1))
    with watching(Watched.of([tmp_path], []), since, saves.add, saves.failed.append):
        await saves.next()
    assert saves.told == [{new}]


async def test_a_folder_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    told = asyncio.Event()
    reasons: list[str] = []

    def failed(reason: str) -> None:
        reasons.append(reason)
        told.set()

    with watching(Watched.of([tmp_path / "gone"], []), time.time(), print, failed):
        await within(told.wait())
    assert "path" in reasons[0]
