"""Saving while `pyworker dev` runs: served at once, never a request lost, mistakes told and mended."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.process import pyworker
from tests.support.waiting import within

WORKER = """
import asyncio
from workers import Response
from parts.word import WORD

async def on_fetch(request, env):
    before = WORD
    if "/slow" in request.url:
        await asyncio.sleep(0.02)
    import parts.word
    return Response(f"{before} {parts.word.WORD} {env.GREETING}")
"""
SETTINGS = 'name = "reloaded"\nmain = "worker.py"\n[vars]\nGREETING = "hi"\n'
BROWSER = {"Accept": "text/html"}


def save(path: Path, text: str) -> None:
    """Write a file as editors do: whole, in one move."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    os.replace(draft, path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "worker.py").write_text(WORKER)
    (tmp_path / "parts" / "word.py").write_text('WORD = "one"\n')
    (tmp_path / "wrangler_py.toml").write_text(SETTINGS)
    return tmp_path


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def text(client: aiohttp.ClientSession, url: str, **headers: str) -> tuple[int, str]:
    """The status and the text of the answer to a GET."""
    async with client.get(url, headers=headers) as response:
        return response.status, await response.text()


async def test_a_save_is_served(project: Path, client: aiohttp.ClientSession) -> None:
    async with pyworker("dev", "--port", "0", cwd=project) as process:
        assert await text(client, process.url) == (200, "one one hi")
        save(project / "parts" / "word.py", 'WORD = "two"\n')
        await process.line(r"^Reloaded after parts/word.py changed \(")
        assert await text(client, process.url) == (200, "two two hi")


async def test_no_reloading_when_told_so(project: Path, client: aiohttp.ClientSession) -> None:
    async with pyworker("dev", "--port", "0", "--no-reload", cwd=project) as process:
        save(project / "parts" / "word.py", 'WORD = "two"\n')
        assert await text(client, process.url) == (200, "one one hi")


async def test_a_mistake_is_shown_and_mended_by_the_next_save(
    project: Path, client: aiohttp.ClientSession
) -> None:
    async with pyworker("dev", "--port", "0", cwd=project) as process:
        save(project / "parts" / "word.py", 'WORD = "two\n')
        await process.line("The worker could not be loaded: .*unterminated string literal")
        await process.line('    WORD = "two')
        status, said = await text(client, process.url)
        assert status == 500
        assert "unterminated string literal" in said
        assert "parts/word.py" in said
        assert "emulator" not in said
        status, page = await text(client, process.url, **BROWSER)
        assert status == 500
        assert "<html" in page
        assert "word.py" in page
        save(project / "parts" / "word.py", 'WORD = "three"\n')
        await process.line("^Reloaded")
        assert await text(client, process.url) == (200, "three three hi")


async def test_programs_go_on_with_the_last_good_worker_if_that_is_asked_for(
    project: Path, client: aiohttp.ClientSession
) -> None:
    async with pyworker("dev", "--port", "0", "--keep-last-good", cwd=project) as process:
        save(project / "worker.py", "raise ValueError('on purpose')\n")
        await process.line("The worker could not be loaded: .*on purpose")
        assert await text(client, process.url) == (200, "one one hi")
        status, page = await text(client, process.url, **BROWSER)
        assert status == 500
        assert "on purpose" in page


async def test_changed_settings_are_followed_and_told(
    project: Path, client: aiohttp.ClientSession
) -> None:
    async with pyworker("dev", "--port", "0", cwd=project) as process:
        save(project / "wrangler_py.toml", SETTINGS.replace('"hi"', '"hello"'))
        await process.line('GREETING.* was "hi", is "hello"')
        assert await text(client, process.url) == (200, "one one hello")
        (project / ".dev.vars").write_text("GREETING=secret\n")
        told = await process.line("GREETING.* has another value", after=3)
        assert "secret" not in told.string
        assert await text(client, process.url) == (200, "one one secret")
        save(project / "wrangler_py.toml", "nonsense = 1\n" + SETTINGS)
        await process.line("settings can't be followed.*nonsense")
        assert (await text(client, process.url))[0] == 200
        save(project / "wrangler_py.toml", SETTINGS + '[dev]\nip = "127.0.0.1"\n')
        await process.line("taken when pyworker starts: ip")


async def test_ten_files_saved_at_once_reload_once(
    project: Path, client: aiohttp.ClientSession
) -> None:
    async with pyworker("dev", "--port", "0", cwd=project) as process:
        save(project / "parts" / "word.py", 'WORD = "two"\n')
        await process.line("^Reloaded")
        for number in range(9):
            (project / f"more{number}.py").write_text("")
        save(project / "parts" / "word.py", 'WORD = "three"\n')
        await process.line(r"^Reloaded after \S+ and 9 more changed")
        assert await text(client, process.url) == (200, "three three hi")


async def test_no_request_is_lost_or_answered_by_two_generations(
    project: Path, client: aiohttp.ClientSession
) -> None:
    async with pyworker("dev", "--port", "0", cwd=project) as process:
        stopped = asyncio.Event()
        words: set[str] = set()

        async def ask(path: str) -> int:
            count = 0
            while not stopped.is_set():
                status, said = await text(client, process.url + path)
                before, after, _ = said.split()
                assert (status, before) == (200, after)
                words.add(before)
                count += 1
            return count

        asking = [asyncio.create_task(ask(path)) for path in ("/", "/slow") * 4]
        for number in range(20):
            save(project / "parts" / "word.py", f'WORD = "{number}"\n')
            await within(_served(client, process.url, str(number)))
        stopped.set()
        counts = await asyncio.gather(*asking)
        assert all(counts)
        assert len(words) >= 20


async def _served(client: aiohttp.ClientSession, url: str, word: str) -> None:
    """Ask until the answer is from the generation that says `word`."""
    while True:
        status, said = await text(client, url)
        assert status == 200
        if said.split()[0] == word:
            return
