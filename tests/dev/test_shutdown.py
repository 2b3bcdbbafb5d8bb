"""A session ends by its deadline, whatever the worker does; each case is a process of its own."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.support.process import REPOSITORY, running

SESSION = """
import asyncio, sys, threading, time
from emulator.dev.shutdown import Shutdown

def import_for_ever():
    print("ready", flush=True)
    while True:
        pass

def import_stubbornly():
    while True:
        try:
            print("ready", flush=True)
            time.sleep(60)
        except BaseException:
            print("swallowed", flush=True)

async def wait(requested):
    print("ready", flush=True)
    await requested.wait()

async def loop_without_awaiting(requested):
    print("ready", flush=True)
    while True:
        pass

async def cling(requested):
    print("ready", flush=True)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

async def leave_a_thread(requested):
    threading.Thread(target=time.sleep, args=(60,)).start()
    await wait(requested)

async def serve(shutdown, work):
    requested = shutdown.serve()
    await work(requested)
    shutdown.closed()

work = globals()[sys.argv[2]]
if sys.argv[1] == "uvloop":
    from uvloop import new_event_loop
else:
    from asyncio import new_event_loop
shutdown = Shutdown(before_exit=lambda: print("before exit", flush=True), deadline_seconds=0.5)
with shutdown.handling_signals():
    if asyncio.iscoroutinefunction(work):
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(serve(shutdown, work))
        print("ended", flush=True)
    else:
        try:
            work()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
"""


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> str:
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return str(request.param)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("work", "exit_code", "last_line"),
    [
        ("wait", 0, "ended"),
        ("leave_a_thread", 0, "before exit"),
        ("loop_without_awaiting", None, "before exit"),
        ("cling", None, "before exit"),
        ("import_for_ever", 0, "interrupted"),
        ("import_stubbornly", None, "before exit"),
    ],
)
async def test_it_is_gone_by_the_deadline(
    tmp_path: Path,
    loop: str,
    work: str,
    exit_code: int | None,
    last_line: str,
    number: signal.Signals,
) -> None:
    """`exit_code` None stands for 128 + the signal's number."""
    script = tmp_path / "session.py"
    script.write_text(SESSION)
    argv = [sys.executable, str(script), loop, work]
    async with running(argv, ready="ready", environ={"PYTHONPATH": str(REPOSITORY)}) as process:
        started = time.monotonic()
        process.send_signal(number)
        assert await process.wait() == (128 + number if exit_code is None else exit_code)
        assert time.monotonic() - started < 0.5 + 1
        assert process.lines[-1] == last_line
        assert process.stderr_lines == []


async def test_a_second_signal_ends_it_at_once(tmp_path: Path, loop: str) -> None:
    script = tmp_path / "session.py"
    script.write_text(SESSION.replace("deadline_seconds=0.5", "deadline_seconds=60"))
    argv = [sys.executable, str(script), loop, "import_stubbornly"]
    async with running(argv, ready="ready", environ={"PYTHONPATH": str(REPOSITORY)}) as process:
        process.send_signal(signal.SIGINT)
        await process.line("swallowed")
        started = asyncio.get_running_loop().time()
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 130
        assert asyncio.get_running_loop().time() - started < 2
