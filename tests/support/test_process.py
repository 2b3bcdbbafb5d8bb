"""The process runner itself: it waits, tells, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.support.process import ProcessFailure, beside, running

SERVER = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
while True:
    listener.accept()[0].close()
"""


async def test_a_line_makes_it_ready_and_is_kept() -> None:
    async with running([sys.executable, "-c", SERVER], ready=r"^port (\d+)$") as process:
        assert process.match is not None
        assert process.lines == [f"port {process.match[1]}"]
        await process.accepts(int(process.match[1]))


async def test_an_end_before_it_is_ready_shows_the_output() -> None:
    code = "import sys; print('out'); sys.exit('broken')"
    with pytest.raises(ProcessFailure, match=r"ended without a line like 'never'") as caught:
        async with running([sys.executable, "-c", code], ready="never"):
            pass
    assert "broken" in str(caught.value)
    assert "out" in str(caught.value)


async def test_a_port_that_never_accepts_fails_when_the_process_ends() -> None:
    with pytest.raises(ProcessFailure, match="ended before it accepted on port 1"):
        async with running([sys.executable, "-c", "print('bye')"], ready=1):
            pass


async def test_a_wait_that_takes_too_long_shows_the_output() -> None:
    code = "import time; print('stuck', flush=True); time.sleep(60)"
    async with running([sys.executable, "-c", code], ready="stuck") as process:
        with pytest.raises(ProcessFailure, match=r"within 0.1 s\. It printed:\nstuck"):
            await process.line("never", timeout_seconds=0.1)
        with pytest.raises(ProcessFailure, match=r"did not end within 0.1 s"):
            await process.wait(0.1)


async def test_what_it_started_is_ended_too(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    held_open = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    grandchild = (
        f"import time; f = open({str(fifo)!r}, 'w'); print('child', flush=True); time.sleep(60)"
    )
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    async with running([sys.executable, "-c", code], ready=r"^child"):
        os.set_blocking(held_open, True)
    # The end of file comes when the last process that has it open is gone.
    assert await asyncio.wait_for(asyncio.to_thread(os.read, held_open, 1), 10) == b""
    os.close(held_open)


def test_a_process_beside_the_tests_runs_without_their_loop_and_ends_with_its_block() -> None:
    script = "import os; print('pid', os.getpid(), flush=True); import time; time.sleep(60)"
    with beside(running([sys.executable, "-c", script], ready=r"pid (\d+)")) as process:
        assert process.match is not None
        assert int(process.match[1]) == process.pid
        os.kill(process.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
