"""`pyworker dev` as a process: from its first line to its end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from emulator import __version__
from tests.support.ports import free_port, listening_in_a_row
from tests.support.process import REPOSITORY, pyworker, running

STOP_SECONDS = 3

HELLO = """
from workers import Response

async def on_fetch(request, env, ctx):
    print("a worker's own line")
    return Response(f"hello from {getattr(env, 'PLACE', 'nowhere')}")
"""

WAITING = """
import asyncio
from workers import Response

async def chunks():
    yield b"first"
    await asyncio.sleep(3600)

async def on_fetch(request, env, ctx):
    print("handler runs")
    if request.url.endswith("/stream"):
        return Response(chunks())
    if request.url.endswith("/loop"):
        while True:
            pass
    await asyncio.sleep(3600)
"""


@pytest.fixture
def hello(tmp_path: Path) -> Path:
    (tmp_path / "hello.py").write_text(HELLO)
    return tmp_path


@asynccontextmanager
async def request(port: int, path: str = "/") -> AsyncIterator[asyncio.StreamReader]:
    """Send a GET for `path`; the block reads the raw answer."""
    reader, writer = await asyncio.open_connection("localhost", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    try:
        yield reader
    finally:
        writer.transport.abort()


async def get(port: int, path: str = "/") -> str:
    """The whole raw answer to a GET."""
    async with request(port, path) as reader:
        return (await reader.read()).decode()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_a_bare_file_is_served_and_each_request_is_a_line(hello: Path, loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    environ = {"PYWORKER_LOOP": loop}
    async with pyworker("dev", "hello.py", "--port", "0", cwd=hello, environ=environ) as process:
        assert process.lines == [f"Ready on http://localhost:{process.port}"]
        answer = await get(process.port, "/some/path?q=1")
        assert answer.startswith("HTTP/1.1 200 OK\r\n")
        assert answer.endswith("hello from nowhere")
        await process.line(r"^GET /some/path(\?q=1)? 200 OK \(\d+(\.\d)? ms\)$")
        assert process.lines[1] == "a worker's own line"
        assert process.stderr_lines == []


async def test_settings_are_used_and_keys_without_effect_noted(hello: Path) -> None:
    (hello / "wrangler_py.toml").write_text(
        'main = "hello.py"\nworkers_dev = true\nvars = { PLACE = "a file" }\n[dev]\nport = 0\n'
    )
    async with pyworker("dev", cwd=hello) as process:
        await process.line(r"^note: wrangler_py.toml: `workers_dev` has no effect here yet\.$")
        assert (await get(process.port)).endswith("hello from a file")


async def test_connections_to_a_connect_port_reach_the_handler(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(
        "async def connect(socket, env, ctx):\n    await socket.readable.pipe_to(socket.writable)\n"
    )
    (tmp_path / "wrangler_py.toml").write_text(
        'main = "echo.py"\n[dev]\nport = 0\n'
        '[[connect]]\nprotocol = "tcp"\nport = 0\naddress = "127.0.0.1"\n'
    )
    async with pyworker("dev", cwd=tmp_path) as process:
        found = await process.line(r"^TCP connections to 127\.0\.0\.1:(\d+) go to the connect")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
        writer.write(b"there and back")
        writer.write_eof()
        assert await reader.read() == b"there and back"
        writer.close()
        await process.line(r"^CONNECT .* 1 socket, 14 B sent, 14 B received$")


async def test_ready_is_true_when_it_is_said(hello: Path) -> None:
    port = free_port()
    async with pyworker("dev", "hello.py", "--port", str(port), cwd=hello) as process:
        assert process.url == f"http://localhost:{port}"
        assert (await get(port)).startswith("HTTP/1.1 200 OK\r\n")


async def test_a_port_in_use_is_said_and_the_next_one_taken(hello: Path) -> None:
    with listening_in_a_row(2) as first:
        argv = ("dev", "hello.py", "--ip", "127.0.0.1", "--port", str(first))
        async with pyworker(*argv, cwd=hello) as process:
            assert process.lines == [
                f"Port {first} is in use, using {first + 2} instead.",
                f"Ready on http://127.0.0.1:{first + 2}",
            ]
            assert (await get(first + 2)).startswith("HTTP/1.1 200 OK\r\n")


async def test_ten_ports_in_use_are_an_error(hello: Path) -> None:
    with listening_in_a_row(10) as first:
        argv = ("dev", "hello.py", "--ip", "127.0.0.1", "--port", str(first))
        async with pyworker(*argv, cwd=hello, ready=None) as process:
            assert await process.wait() == 1
            assert str(first) in process.stderr_lines[0]
            assert "Traceback" not in process.output


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("path", [None, "/stream", "/wait"])
async def test_a_signal_stops_it_in_time(
    tmp_path: Path, path: str | None, number: signal.Signals, loop: str
) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    (tmp_path / "waiting.py").write_text(WAITING)
    argv = ("dev", "waiting.py", "--port", "0")
    async with pyworker(*argv, cwd=tmp_path, environ={"PYWORKER_LOOP": loop}) as process:
        if path is None:
            process.send_signal(number)
            assert await process.wait(STOP_SECONDS) == 0
        else:
            async with request(process.port, path) as reader:
                await process.line("handler runs")
                if path == "/stream":
                    await reader.readuntil(b"first")
                process.send_signal(number)
                assert await process.wait(STOP_SECONDS) == 0
        assert "Traceback" not in process.output
        assert process.stderr_lines == []


async def test_a_handler_that_loops_without_awaiting_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text(WAITING)
    async with pyworker("dev", "waiting.py", "--port", "0", cwd=tmp_path) as process:
        async with request(process.port, "/loop"):
            await process.line("handler runs")
            process.send_signal(signal.SIGINT)
            assert await process.wait(STOP_SECONDS) == 130
        assert "Traceback" not in process.output


async def test_a_module_that_loops_while_it_is_imported_can_be_stopped(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("print('imported')\nwhile True:\n    pass\n")
    async with pyworker("dev", "slow.py", cwd=tmp_path, ready="imported") as process:
        process.send_signal(signal.SIGINT)
        assert await process.wait(STOP_SECONDS) == 130
        assert process.lines == ["imported"]


async def test_a_broken_worker_shows_its_own_traceback(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def helper():\n    return 1 / 0\n\nhelper()\n")
    async with pyworker("dev", "broken.py", cwd=tmp_path, ready=None) as process:
        assert await process.wait() == 1
        assert process.stdout_lines == []
        assert process.stderr_lines[0].startswith("Error: ")
        assert "ZeroDivisionError: division by zero" in process.output
        assert f'  File "{tmp_path}/broken.py", line 2, in helper' in process.stderr_lines
        assert f"{REPOSITORY}/emulator" not in process.output


async def test_a_syntax_error_shows_the_line(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def on_fetch(:\n    pass\n")
    async with pyworker("dev", "broken.py", cwd=tmp_path, ready=None) as process:
        assert await process.wait() == 1
        assert "    def on_fetch(:" in process.stderr_lines
        assert f"{REPOSITORY}/emulator" not in process.output


async def test_an_exception_in_a_handler_is_shown_and_the_server_goes_on(tmp_path: Path) -> None:
    (tmp_path / "raises.py").write_text("def on_fetch():\n    raise ValueError('oh no')\n")
    async with pyworker("dev", "raises.py", "--port", "0", cwd=tmp_path) as process:
        for _ in range(2):
            answer = await get(process.port)
            assert answer.startswith("HTTP/1.1 500 ")
        await process.line(r"^GET / 500 Internal Server Error \(")
        assert "GET /: the handler failed: ValueError: oh no" in process.stderr_lines
        assert f'  File "{tmp_path}/raises.py", line 2, in on_fetch' in process.stderr_lines
        assert f"{REPOSITORY}/emulator" not in process.output


async def test_a_reader_of_the_output_that_goes_away_fails_no_request(hello: Path) -> None:
    """As in `pyworker dev | head -1`."""
    reader, writer = os.pipe()
    argv = [sys.executable, "-m", "emulator", "dev", "hello.py", "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=hello,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=writer,
        stderr=writer,
        start_new_session=True,
    )
    os.close(writer)
    try:
        ready = await asyncio.to_thread(os.read, reader, 1024)
        os.close(reader)
        port = int(ready.rsplit(b":", 1)[1])
        for _ in range(3):
            assert (await get(port)).startswith("HTTP/1.1 200 OK\r\n")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), STOP_SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_nobody_steers_the_terminal_by_a_path(hello: Path) -> None:
    async with pyworker("dev", "hello.py", "--port", "0", cwd=hello) as process:
        await get(process.port, "/\x1b[2Jx")
        await get(process.port, "/after")
        await process.line("GET /after")
        assert "\x1b" not in process.output


async def test_version() -> None:
    async with pyworker("--version", ready=None) as process:
        assert await process.wait() == 0
        assert process.lines == [f"pyworker {__version__}"]


async def test_the_installed_command_is_the_same() -> None:
    command = Path(sys.executable).with_name("pyworker")
    if not command.exists():
        pytest.skip("pyworker is not installed in this environment")
    async with running([str(command), "--version"]) as process:
        assert await process.wait() == 0
        assert process.lines == [f"pyworker {__version__}"]
