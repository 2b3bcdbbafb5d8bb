"""A worker whose modules take too long to import: told of, and in strict mode refused."""

from __future__ import annotations

from pathlib import Path

from tests.support.process import pyworker

WORKER = """\
import time

began = time.thread_time()
while time.thread_time() - began < {seconds}:
    pass

def on_fetch():
    ...
"""
SENTENCE = "Script startup exceeded CPU time limit. (10021) Importing the worker took "


def settings(folder: Path, *, seconds: float) -> list[str]:
    (folder / "worker.py").write_text(WORKER.format(seconds=seconds))
    file = folder / "wrangler_py.toml"
    file.write_text('name = "slow"\nmain = "worker.py"\n')
    return ["dev", "-c", str(file), "--port", "0"]


async def test_it_is_told_of(tmp_path: Path) -> None:
    async with pyworker(*settings(tmp_path, seconds=1.1)) as process:
        assert any(SENTENCE in line for line in process.lines)


async def test_strict_mode_refuses(tmp_path: Path) -> None:
    arguments = [*settings(tmp_path, seconds=1.1), "--strict"]
    async with pyworker(*arguments, ready=None) as process:
        assert await process.wait() != 0
        assert any(SENTENCE in line for line in process.lines)
        assert not any(line.startswith("Ready on ") for line in process.lines)


async def test_a_worker_that_is_quick_enough(tmp_path: Path) -> None:
    async with pyworker(*settings(tmp_path, seconds=0), "--strict") as process:
        assert not any(SENTENCE in line for line in process.lines)
