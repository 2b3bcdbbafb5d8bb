"""`pyworker serve`: what is for others, not for whoever writes the worker."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.support.process import pyworker

WORKER = """
from workers import Response

async def on_fetch(request, env, ctx):
    if "/boom" in request.url:
        secret = "not for everybody"
        raise ValueError(secret)
    return Response("one")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "worker.py").write_text(WORKER)
    return tmp_path


async def text(url: str) -> tuple[int, str]:
    """The status and the text that a browser gets."""
    async with (
        aiohttp.ClientSession(headers={"Accept": "text/html"}) as session,
        session.get(url) as response,
    ):
        return response.status, await response.text()


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_client_learns_what_production_says(project: Path, workers: str) -> None:
    argv = ("serve", "worker.py", "--port", "0", "--workers", workers)
    async with pyworker(*argv, cwd=project) as process:
        assert await text(process.url) == (200, "one")
        assert await text(process.url + "/boom") == (500, "error code: 1101")
        await process.line("ValueError: not for everybody")
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def test_a_save_changes_nothing(project: Path) -> None:
    async with pyworker("serve", "worker.py", "--port", "0", cwd=project) as process:
        (project / "draft").write_text(WORKER.replace("one", "two"))
        os.replace(project / "draft", project / "worker.py")
        assert await text(process.url) == (200, "one")


async def test_dev_hides_errors_when_told_to(project: Path) -> None:
    argv = ("dev", "worker.py", "--port", "0", "--hide-errors")
    async with pyworker(*argv, cwd=project) as process:
        assert await text(process.url + "/boom") == (500, "error code: 1101")


async def test_the_log_of_several_is_objects(project: Path) -> None:
    argv = ("serve", "worker.py", "--port", "0", "--workers", "2", "--log-format", "json")
    async with pyworker(*argv, cwd=project, ready='"ready"') as process:
        assert process.match is not None
        url = json.loads(process.match.string)["url"]
        for _ in range(4):
            await text(url + "/boom")
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        events = [json.loads(line)["event"] for line in process.stdout_lines]
        assert events.count("ready") == 1
        assert events.count("request") == events.count("handler_failed") == 4


async def test_options_for_writing_are_none_here(project: Path) -> None:
    async with pyworker("serve", "worker.py", "--reload", cwd=project, ready=None) as process:
        assert await process.wait() == 2
