"""A new project as its user has it: it is served, its tests pass, its check finds nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import aiohttp
import pytest

from emulator.cli.init import TEMPLATES
from tests.support.process import REPOSITORY, pyworker, running


@pytest.fixture(params=TEMPLATES)
async def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    arguments = ("init", "My App", "--template", request.param)
    async with pyworker(*arguments, ready=None, cwd=tmp_path) as process:
        assert await process.wait() == 0
        assert "Made the worker my-app. Next:" in process.stdout_lines
    return tmp_path / "My App"


async def test_its_tests_pass(project: Path) -> None:
    argv = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    async with running(argv, cwd=project, environ={"PYTHONPATH": str(REPOSITORY)}) as process:
        assert await process.wait() == 0, process.output
        await process.line(r"^\d+ passed in")


async def test_its_check_finds_nothing(project: Path) -> None:
    async with pyworker("check", "--strict", ready=None, cwd=project) as process:
        assert await process.wait() == 0, process.output
        assert process.stdout_lines[0] == "Worker my-app (src/entry.py)"


async def test_it_is_served(project: Path) -> None:
    async with (
        pyworker("dev", "--port", "0", cwd=project) as process,
        aiohttp.ClientSession() as session,
        session.get(process.url) as response,
    ):
        # The TCP template's server is not started: the worker says so.
        assert response.status in (200, 502), process.output


async def test_the_tcp_template_has_a_server_to_talk_to(tmp_path: Path) -> None:
    async with pyworker("init", "app", "--template", "tcp", ready=None, cwd=tmp_path) as process:
        assert await process.wait() == 0
    app = tmp_path / "app"
    argv = [sys.executable, "tests/upper.py", "0"]
    async with running(argv, ready=r"^Listening on (\S+)", cwd=app) as peer:
        assert peer.match is not None
        upstream = f"UPSTREAM:{peer.match[1]}"
        arguments = ("call", "/?say=good%20morning", "--var", upstream)
        async with pyworker(*arguments, ready=None, cwd=app) as process:
            assert await process.wait() == 0, process.output
            assert process.stdout_lines == ["GOOD MORNING"]
