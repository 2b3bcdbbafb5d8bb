"""Putting a rate on a server: with wrk where it is installed, else with clients of our own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.processes import HOST, REPOSITORY, BenchFailure, module

PROCESSES = 2
# Beyond the measured time: connecting, reporting.
SPARE_SECONDS = 30.0
POST_SCRIPT = Path(__file__).with_name("post.lua")


@dataclass(frozen=True, slots=True)
class Count:
    """What was answered in how long; `failures` are answers other than 200 and lost connections."""

    requests: int
    seconds: float
    failures: int


def name(seconds: float) -> str:
    """Return which generator makes a load of `seconds`: wrk counts whole ones only."""
    usable = seconds == int(seconds) and shutil.which("wrk") is not None
    return "wrk" if usable else "bench.clients.rate"


def run(port: int, connections: int, seconds: float, body_bytes: int = 0) -> Count:
    """Keep `connections` clients busy for `seconds`, each request with a body of `body_bytes`.

    Raises BenchFailure when that can't be done.
    """
    if name(seconds) == "wrk":
        return _run_wrk(port, connections, int(seconds), body_bytes)
    return _run_own(port, connections, seconds, body_bytes)


def _run_wrk(port: int, connections: int, seconds: int, body_bytes: int) -> Count:
    threads = min(PROCESSES, connections)
    argv = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", f"http://{HOST}:{port}/"]
    if body_bytes:
        argv += ["-s", str(POST_SCRIPT), "--", str(body_bytes)]
    printed = _output(subprocess.Popen(argv, stdout=subprocess.PIPE), seconds)
    found = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m),", printed)
    if found is None:
        raise BenchFailure(f"wrk printed no figures:\n{printed}")
    unit_seconds = {"ms": 0.001, "s": 1.0, "m": 60.0}[found[3]]
    lost = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed
    )
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    failures = sum(map(int, lost.groups())) if lost else 0
    failures += int(refused[1]) if refused else 0
    return Count(int(found[1]), float(found[2]) * unit_seconds, failures)


def _run_own(port: int, connections: int, seconds: float, body_bytes: int) -> Count:
    processes = min(PROCESSES, connections)
    share, rest = divmod(connections, processes)
    clients = [
        subprocess.Popen(
            module("bench.clients.rate", port, share + (number < rest), seconds, body_bytes),
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
        )
        for number in range(processes)
    ]
    reports = [json.loads(_output(client, seconds)) for client in clients]
    return Count(
        sum(report["requests"] for report in reports),
        sum(report["seconds"] for report in reports) / len(reports),
        sum(report["failures"] for report in reports),
    )


def _output(process: subprocess.Popen[bytes], seconds: float) -> str:
    with process:
        try:
            printed, _ = process.communicate(timeout=seconds + SPARE_SECONDS)
        finally:
            process.kill()
    if process.returncode:
        raise BenchFailure(f"{process.args!r} ended with exit code {process.returncode}")
    return printed.decode()
