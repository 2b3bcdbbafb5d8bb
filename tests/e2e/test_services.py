"""Several workers in one `pyworker dev`: given by -c, bound to each other, reloaded one by one."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest

from tests.support.process import RunningProcess, pyworker

FRONT = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/add"):
            return Response(str(await self.env.AUTH.add(1, 2)))
        if request.url.endswith("/tcp"):
            return Response(self.env.AUTH.connect("hello:1").readable)
        if request.url.endswith("/gone"):
            return await self.env.GONE.fetch(request)
        return await self.env.AUTH.fetch(request)
"""
AUTH = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/fail"):
            raise ValueError("their mistake")
        return Response("auth says " + self.env.WORD)

    async def add(self, a, b):
        return a + b

    async def connect(self, socket):
        info = await socket.opened
        await socket.writable.get_writer().write(info.local_address.encode())
"""
FRONT_SETTINGS = """
name = "front"
main = "worker.py"
[[services]]
binding = "AUTH"
service = "auth"
[[services]]
binding = "GONE"
service = "aut"
"""
AUTH_SETTINGS = """
name = "auth"
main = "worker.py"
[vars]
WORD = "one"
"""
CONFIGS = ("-c", "front/wrangler.toml", "-c", "auth/wrangler.toml")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, worker, settings in (
        ("front", FRONT, FRONT_SETTINGS),
        ("auth", AUTH, AUTH_SETTINGS),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "worker.py").write_text(worker)
        (tmp_path / name / "wrangler.toml").write_text(settings)
    return tmp_path


async def get(process: RunningProcess, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(process.url + path) as response:
        return response.status, await response.text()


async def test_the_first_is_served_and_calls_the_others(project: Path) -> None:
    async with pyworker("dev", *CONFIGS, "--port", "0", cwd=project) as process:
        assert await get(process, "/check") == (200, "auth says one")
        assert await get(process, "/add") == (200, "3")
        assert await get(process, "/tcp") == (200, "hello:1")
        status, text = await get(process, "/fail")
        assert status == 500
        assert "ValueError: their mistake" in text
        await process.line(r"^  └ auth GET /fail failed \(.*\): ValueError: their mistake \(")
        lines = process.stdout_lines
        first = next(number for number, line in enumerate(lines) if line.startswith("GET /check"))
        assert lines[first + 1].startswith("  └ auth GET /check 200 OK (")
        assert [line.split(" (")[0] for line in lines if "└" in line] == [
            "  └ auth GET /check 200 OK",
            "  └ auth add()",
            "  └ auth CONNECT hello:1",
            "  └ auth GET /fail failed",
        ]
        assert "Worker auth (worker.py) is reached through service bindings" in lines


async def test_a_binding_that_leads_nowhere_is_told_at_the_start_and_when_called(
    project: Path,
) -> None:
    async with pyworker("dev", *CONFIGS, "--port", "0", cwd=project) as process:
        assert any(
            'front: the binding GONE leads to the worker "aut", which is not here' in line
            and 'Here are: front, auth. Did you mean "auth"?' in line
            for line in process.lines
        )
        status, text = await get(process, "/gone")
        assert status == 500
        assert 'local dev session for the "default" entrypoint of service "aut"' in text


async def test_a_save_reloads_the_worker_that_it_belongs_to(project: Path) -> None:
    async with pyworker("dev", *CONFIGS, "--port", "0", cwd=project) as process:
        assert await get(process, "/") == (200, "auth says one")
        (project / "auth" / "worker.py").write_text(AUTH.replace("auth says", "auth now says"))
        await process.line(r"^Reloaded auth after worker\.py changed")
        assert await get(process, "/") == (200, "auth now says one")
        settings = project / "auth" / "wrangler.toml"
        settings.write_text(AUTH_SETTINGS.replace("one", "two"))
        await process.line(r"^Reloaded auth after wrangler\.toml changed")
        assert await get(process, "/") == (200, "auth now says two")
        (project / "auth" / "worker.py").write_text("this is no Python")
        await process.line(r"^The worker could not be loaded")
        status, text = await get(process, "/")
        assert status == 500
        assert "SyntaxError" in text
        (project / "auth" / "worker.py").write_text(AUTH)
        seen = len(process.lines)
        await process.line(r"^Reloaded auth after", after=seen - 1)
        assert await get(process, "/") == (200, "auth says two")
        assert not any("Reloaded front" in line for line in process.lines)


async def test_the_log_for_programs_has_the_calls(project: Path) -> None:
    ready = r'"event": "ready".*"url": "([^"]+)"'
    arguments = (*CONFIGS, "--port", "0", "--log-format", "json")
    async with pyworker("dev", *arguments, cwd=project, ready=ready) as process:
        assert process.match is not None
        async with (
            aiohttp.ClientSession() as session,
            session.get(process.match[1] + "/check") as response,
        ):
            assert await response.text() == "auth says one"
        await process.line('"event": "call"')
    (call,) = [line for line in map(json.loads, process.stdout_lines) if line["event"] == "call"]
    assert call["ms"] > 0
    assert {name: call[name] for name in ("request", "service", "label", "depth", "status")} == {
        "request": "GET /check",
        "service": "auth",
        "label": "GET /check",
        "depth": 1,
        "status": "200 OK",
    }


async def test_call_has_services_too(project: Path) -> None:
    async with pyworker("call", "/add", *CONFIGS, cwd=project, ready=None) as process:
        assert await process.wait() == 0
        assert process.stdout_lines == ["3"]
        assert any(line.startswith("  └ auth add() (") for line in process.stderr_lines)


async def test_two_workers_of_one_name(project: Path) -> None:
    (project / "auth" / "wrangler.toml").write_text(AUTH_SETTINGS.replace('"auth"', '"front"'))
    async with pyworker("dev", *CONFIGS, cwd=project, ready=None) as process:
        assert await process.wait() == 1
        assert 'Two workers are called "front": ' in process.output
        assert "Traceback" not in process.output
