"""`pyworker dev` with settings as users of the platform's tool have them."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest

from tests.support.process import pyworker

WORKER = """
from workers import Response

NAMES = ("PLAIN", "SECRET", "GIVEN", "NESTED")

async def on_fetch(request, env, ctx):
    return Response.json({name: getattr(env, name, None) for name in NAMES})
"""
SETTINGS = """{
  // What the platform's tool calls a configuration file.
  "name": "settled",
  "main": "src/worker.py",
  "vars": { "PLAIN": "top", "NESTED": { "deep": [1] }, },
  "env": {
    "staging": { "vars": { "PLAIN": "staging" } }
  },
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "worker.py").write_text(WORKER)
    (tmp_path / "wrangler.jsonc").write_text(SETTINGS)
    (tmp_path / ".dev.vars").write_text('SECRET="all"\nGIVEN=file\n')
    (tmp_path / ".dev.vars.staging").write_text("SECRET=of-staging\n")
    return tmp_path


async def found(project: Path, *arguments: str, **environ: str) -> dict[str, object]:
    """What the worker finds in env."""
    options = ("dev", "--port", "0", *arguments)
    async with (
        pyworker(*options, cwd=project, environ=environ) as process,
        aiohttp.ClientSession() as session,
        session.get(process.url) as response,
    ):
        assert "of-staging" not in process.output
        answer: dict[str, object] = json.loads(await response.text())
        return answer


async def test_json_with_comments_secrets_and_variables(project: Path) -> None:
    assert await found(project, "--var", "GIVEN:a:b") == {
        "PLAIN": "top",
        "SECRET": "all",
        "GIVEN": "a:b",
        "NESTED": {"deep": [1]},
    }


@pytest.mark.parametrize(
    ("arguments", "environ"), [(["--env", "staging"], {}), ([], {"CLOUDFLARE_ENV": "staging"})]
)
async def test_an_environment(project: Path, arguments: list[str], environ: dict[str, str]) -> None:
    assert await found(project, *arguments, **environ) == {
        "PLAIN": "staging",
        "SECRET": "of-staging",
        "GIVEN": None,
        "NESTED": None,
    }


async def test_a_mistake_ends_it_before_anything_is_served(project: Path) -> None:
    (project / "wrangler.jsonc").write_text('{\n  "main": "src/worker.py",\n  "vras": {}\n}')
    async with pyworker("dev", ready=None, cwd=project) as process:
        assert await process.wait() == 1
        assert process.stderr_lines[0] == (
            "Error: wrangler.jsonc, line 3, column 3: unknown key `vras`. Did you mean `vars`?"
        )
