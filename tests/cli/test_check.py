"""`pyworker check`: the report, as text and as JSON, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emulator.cli import main

WORKER = """
from workers import Response, WorkerEntrypoint
import words

print("imported")

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(words.HELLO)

    async def connect(self, socket):
        pass

class Admin(WorkerEntrypoint):
    async def fetch(self, request):
        pass
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "worker.py").write_text(WORKER)
    (tmp_path / "src" / "words.py").write_text("HELLO = 'hello'\n")
    (tmp_path / "wrangler.toml").write_text(
        'name = "shop"\nmain = "src/worker.py"\n[vars]\nGREETING = "hi"\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def test_a_worker_without_fault(project: Path) -> None:
    result = check("--strict")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:5] == [
        "Worker shop (src/worker.py)",
        "  settings  wrangler.toml",
        "  handlers  connect, fetch",
        "            fetch (class Admin)",
        "  env       GREETING = 'hi'",
    ]
    assert lines[5].startswith("  modules   words.py, worker.py (")
    assert lines[6].startswith("  start-up  ")
    assert len(lines) == 7
    assert result.stderr == "imported\n"


def test_the_report_as_json(project: Path) -> None:
    (project / ".dev.vars").write_text("TOKEN=hush\n")
    answer = json.loads(check("--json").stdout)
    assert answer.pop("ok") is True
    [report] = answer.pop("workers")
    assert answer == {}
    assert report.pop("startup")["limit_ms"] == 1000
    assert report == {
        "name": "shop",
        "main": str(project / "src" / "worker.py"),
        "settings": str(project / "wrangler.toml"),
        "environment": None,
        "handlers": {"default": ["connect", "fetch"], "named": {"Admin": ["fetch"]}},
        "bindings": [
            {"name": "GREETING", "kind": "variable", "value": "hi"},
            {"name": "TOKEN", "kind": "secret", "value": None},
        ],
        "modules": [
            {"path": "words.py", "bytes": 16},
            {"path": "worker.py", "bytes": len(WORKER)},
        ],
        "notes": [],
    }


def test_notes_fail_in_strict_mode_only(project: Path) -> None:
    (project / "src" / "words.py").write_text("import fcntl\nHELLO = ''\n")
    with (project / "wrangler.toml").open("a") as file:
        file.write("[observability]\nenabled = true\n")
    result = check()
    assert result.exit_code == 0
    notes = [line for line in result.stdout.splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: wrangler.toml: `observability` has no effect here yet.",
        "note: words.py:1: fcntl can't be imported in production: Pyodide has no such module.",
    ]
    assert check("--strict").exit_code == 1
    report = json.loads(check("--strict", "--json").stdout)
    assert (report["ok"], len(report["workers"][0]["notes"])) == (False, 2)


def test_a_worker_without_fetch_is_noted(project: Path) -> None:
    (project / "src" / "worker.py").write_text("async def on_connect(socket): pass\n")
    assert "note: There is no fetch() handler" in check().stdout


@pytest.mark.parametrize(
    ("worker", "message"),
    [
        ("import socket\nsocket.create_connection(('127.0.0.1', 1))\n", "within global scope"),
        ("1 / 0\n", "ZeroDivisionError: division by zero (src/worker.py:1)"),
        ("import sys\nsys.exit(0)\n", "The worker can't be loaded: SystemExit: 0"),
        ("x = 1\n", "worker.py has no handlers."),
        ("def f(:\n", "SyntaxError"),
    ],
)
def test_a_worker_that_cannot_be_loaded(worker: str, message: str, project: Path) -> None:
    (project / "src" / "worker.py").write_text(worker)
    result = check()
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    as_json = check("--json")
    assert as_json.exit_code == 1
    report = json.loads(as_json.stdout)
    assert report["ok"] is False
    assert message in report["error"]


@pytest.mark.parametrize("statement", ["while True: pass", "import time; time.sleep(1000)"])
def test_an_import_that_never_ends_is_interrupted(
    statement: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.dev.check.IMPORT_SECONDS", 0.2)
    (project / "src" / "worker.py").write_text(f"\n{statement}\n")
    result = check()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Importing the worker took more than 0.2 s and was interrupted." in result.stderr
    assert "(src/worker.py:2)" in result.stderr


def test_settings_that_are_wrong_are_json_too(project: Path) -> None:
    result = check("no.py", "--json")
    assert json.loads(result.stdout) == {
        "ok": False,
        "error": "SCRIPT no.py: there is no file no.py.",
    }


def test_secrets_are_told_by_name_only(project: Path) -> None:
    (project / ".dev.vars").write_text("TOKEN=hush\n")
    result = check("--var", "DEBUG:1")
    assert "            TOKEN (secret)\n" in result.stdout
    assert "            DEBUG = '1'\n" in result.stdout
    assert "hush" not in result.output


def test_an_environment(project: Path) -> None:
    with (project / "wrangler.toml").open("a") as file:
        file.write('[env.staging.vars]\nGREETING = "ho"\n')
    result = check("--env", "staging")
    assert "  settings  wrangler.toml, environment staging\n" in result.stdout
    assert "  env       GREETING = 'ho'\n" in result.stdout


def test_several_workers(project: Path) -> None:
    (project / "other.toml").write_text('name = "other"\nmain = "src/worker.py"\n')
    result = check("-c", "wrangler.toml", "-c", "other.toml")
    assert result.stdout.startswith("Worker shop ")
    assert "\n\nWorker other " in result.stdout


def test_misuse(project: Path) -> None:
    assert check("--nonsense").exit_code == 2
