"""`python -m bench` as a process: that it measures and what it writes, never how fast anything was."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.clients.rate import is_whole, request
from bench.contenders import CONTENDERS
from bench.goals import GOALS
from bench.loads import ALL
from bench.options import LOADS
from tests.support.process import REPOSITORY, TIMEOUT_SECONDS

SMALL = ("--rounds", "2", "--seconds", "0.1", "--connections", "3", "--stream-mebibytes", "2")
FEW = ("--held", "3", "--idle", "5")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmarks to their end."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def test_measures_and_writes_what_it_measured(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    ran = run("--quick", "--only", "hello", "--loop", "asyncio", *SMALL, "--json", str(path))
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(path.read_text())
    assert document["rounds"] == 2
    assert document["machine"]["python"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")
    by_server = {entry["server"]: entry for entry in document["results"]}
    assert set(by_server) == {"pyworker", "aiohttp", "aiohttp logged", "raw loop"}
    for entry in by_server.values():
        assert (entry["load"], entry["loop"], entry["unit"]) == ("hello", "asyncio", "req/s")
        assert len(entry["samples"]) == 2
        assert entry["value"]["low"] <= entry["value"]["median"] <= entry["value"]["high"]
        assert entry["value"]["low"] > 0
    assert by_server["aiohttp"]["ratio"] is None
    assert by_server["pyworker"]["ratio"]["median"] > 0
    goal, like_for_like = document["goals"]
    assert (goal["load"], goal["against"], goal["bound"]) == ("hello", "aiohttp", 1.7)
    assert (like_for_like["against"], like_for_like["bound"]) == ("aiohttp logged", 0)
    assert goal["reached"] == by_server["pyworker"]["ratio"]
    assert str(path) in ran.stdout
    assert ran.stdout.splitlines()[2].split()[:3] == ["hello", "asyncio", "pyworker"]


@pytest.mark.parametrize(
    ("load", "servers"),
    [
        ("echo", {"pyworker", "aiohttp", "raw loop"}),
        ("json", {"pyworker", "aiohttp", "raw loop"}),
        ("tcp", {"pyworker", "aiohttp", "raw loop"}),
        ("stream", {"pyworker", "pyworker reader", "aiohttp", "raw loop"}),
        ("stream-tls", {"pyworker", "aiohttp", "raw loop"}),
        ("held", {"pyworker", "aiohttp", "raw loop"}),
        ("slow", {"pyworker", "aiohttp", "raw loop"}),
        ("idle", {"pyworker", "aiohttp", "raw loop"}),
        ("start", {"pyworker", "aiohttp", "raw loop"}),
        ("reload", {"pyworker"}),
        ("rules", {"pyworker", "pyworker cpu_ms", "pyworker unwatched"}),
        ("processes", {"pyworker", "pyworker processes"}),
    ],
)
def test_every_load_runs(load: str, servers: set[str], tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    options = ("--rounds", "1", "--loop", "asyncio", "--json", str(path))
    ran = run("--load", load, *SMALL, *FEW, *options)
    assert ran.returncode == 0, ran.stderr
    results = json.loads(path.read_text())["results"]
    assert {entry["server"] for entry in results} == servers


def test_names_the_loads_there_are() -> None:
    ran = run("--only", "hello,gopher")
    assert ran.returncode == 2
    assert "no load is called 'gopher': hello, echo, json, tcp, stream," in ran.stderr


def test_the_loads_are_those_of_the_options_and_goals() -> None:
    assert tuple(ALL) == LOADS
    names = {contender.name for contender in CONTENDERS}
    for goal in GOALS:
        assert goal.load in ALL
        assert {goal.server, goal.against or goal.server} <= names


def test_client_knows_where_an_answer_ends() -> None:
    counted = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    for answer in (counted, chunked):
        assert is_whole(answer)
        assert not any(is_whole(answer[:end]) for end in range(len(answer)))


def test_client_sends_a_body_where_one_is_asked_for() -> None:
    assert request(0) == b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    head, _, body = request(5).partition(b"\r\n\r\n")
    assert head.endswith(b"\r\nContent-Length: 5")
    assert body == b"xxxxx"
