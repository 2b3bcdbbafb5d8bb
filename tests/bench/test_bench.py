"""`python -m bench` as a process: that it measures and what it writes, never how fast anything was."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.clients.rate import is_whole
from bench.statistics import Sample, Spread, ratio
from tests.support.process import REPOSITORY, TIMEOUT_SECONDS


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
    counts = ("--rounds", "2", "--seconds", "0.1", "--connections", "3")
    ran = run("--quick", "--only", "hello", "--loop", "asyncio", *counts, "--json", str(path))
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(path.read_text())
    assert document["rounds"] == 2
    assert document["machine"]["python"].startswith(f"{sys.version_info[0]}.{sys.version_info[1]}.")
    by_server = {entry["server"]: entry for entry in document["results"]}
    assert set(by_server) == {"pyworker", "aiohttp"}
    for entry in by_server.values():
        assert (entry["load"], entry["loop"], entry["unit"]) == ("hello", "asyncio", "req/s")
        assert len(entry["samples"]) == 2
        assert entry["value"]["low"] <= entry["value"]["median"] <= entry["value"]["high"]
        assert entry["value"]["low"] > 0
    assert by_server["aiohttp"]["ratio"] is None
    assert by_server["pyworker"]["ratio"]["median"] > 0
    assert str(path) in ran.stdout
    assert ran.stdout.splitlines()[2].split()[:3] == ["hello", "asyncio", "pyworker"]


def test_names_the_loads_there_are() -> None:
    ran = run("--only", "hello,gopher")
    assert ran.returncode == 2
    assert "no load is called 'gopher': hello, tcp, stream, start" in ran.stderr


def test_ratio_compares_neighbours() -> None:
    own = [Sample(10), Sample(4), Sample(9)]
    baseline = [Sample(5), Sample(4), Sample(3)]
    assert ratio(own, baseline) == Spread(median=2, low=1, high=3)


def test_client_knows_where_an_answer_ends() -> None:
    counted = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
    for answer in (counted, chunked):
        assert is_whole(answer)
        assert not any(is_whole(answer[:end]) for end in range(len(answer)))
