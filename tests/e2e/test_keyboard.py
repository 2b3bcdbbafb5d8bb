"""`pyworker dev` in a terminal: its columns, its keys, its notes, and pdb at its prompt."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.process import pyworker
from tests.support.pseudo_terminal import PseudoTerminal, in_terminal
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

WORKER = """
import asyncio
from cloudflare.sockets import connect
from workers import Response

async def on_fetch(request, env, ctx):
    if "/note" in request.url:
        ctx.pass_through_on_exception()
    if "/break" in request.url:
        value = 1
        print("before it")
        breakpoint()
        value += 1
        await asyncio.sleep(0)
        return Response(f"value {value}")
    if "/pdb" in request.url:
        import pdb
        pdb.set_trace()
    if "/input" in request.url:
        return Response(input("name? "))
    if "/socket" in request.url:
        await connect(env.PEER).opened
        await asyncio.sleep(3600)
    return Response("hello")
"""


def get(port: int, path: str = "/") -> asyncio.Task[str]:
    """Begin a GET; the result is the body, whatever the status."""

    def fetch() -> str:
        try:
            with urllib.request.urlopen(f"http://localhost:{port}{path}", timeout=20) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return f"{error.code} {error.read().decode()}"

    return asyncio.create_task(asyncio.to_thread(fetch))


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> str:
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return str(request.param)


async def interrupts(terminal: PseudoTerminal) -> None:
    """Press Ctrl-C until pdb takes note: Python overlooks one that comes just before it waits for a key."""
    noted = asyncio.create_task(terminal.says("--KeyboardInterrupt--"))
    while not noted.done():
        terminal.type("\x03")
        await asyncio.wait([noted], timeout=1)
    await noted


@asynccontextmanager
async def serving(
    folder: Path, loop: str = "asyncio", settings: str = "", columns: int = 100, **environ: str
) -> AsyncIterator[PseudoTerminal]:
    (folder / "worker.py").write_text(WORKER)
    (folder / "wrangler_py.toml").write_text(
        f'name = "seated"\nmain = "worker.py"\n[dev]\nport = 0\n{settings}'
    )
    variables = {"PYWORKER_LOOP": loop, **environ}
    async with in_terminal("dev", cwd=folder, environ=variables, columns=columns) as terminal:
        await terminal.says(r"^Ready on http://localhost:\d+$")
        await terminal.says("h help")
        yield terminal


async def test_the_worker_is_introduced_and_leaves_the_terminal_as_it_was(
    tmp_path: Path, loop: str
) -> None:
    async with serving(tmp_path, loop, settings='[vars]\nPLACE = "here"\n') as terminal:
        assert "Worker  seated (worker.py)" in terminal.text
        assert 'Vars    PLACE = "here"' in terminal.text
        await until(lambda: not terminal.keeps_lines, "keys one by one")
        terminal.type("x")
        assert await terminal.ends() == 0
        assert terminal.keeps_lines


async def test_ctrl_c_leaves_the_terminal_as_it_was(tmp_path: Path, loop: str) -> None:
    async with serving(tmp_path, loop) as terminal:
        await until(lambda: not terminal.keeps_lines, "keys one by one")
        terminal.type("\x03")
        assert await terminal.ends() == 0
        assert terminal.keeps_lines


async def test_requests_are_columns_and_a_long_target_loses_its_middle(tmp_path: Path) -> None:
    async with serving(tmp_path, columns=80) as terminal:
        await get(terminal.port, f"/start{'-' * 200}end")
        await terminal.says(r"^GET     /start-+…-+end +\d+(\.\d)? ms  200 OK$")
        assert "\x1b[32m200 OK\x1b[0m" in terminal.raw
        terminal.resize(40)
        await get(terminal.port, f"/other{'-' * 200}end")
        found = await terminal.says(r"^GET .*/other.*$")
        assert len(found[0]) <= 40


async def test_no_color_has_columns_without_colour(tmp_path: Path) -> None:
    async with serving(tmp_path, NO_COLOR="1") as terminal:
        await get(terminal.port, "/note")
        await terminal.says(r"^GET     /note +\d+(\.\d)? ms  200 OK$")
        assert "\x1b[3" not in terminal.raw


async def test_a_note_is_said_once_counted_below_and_listed_by_a_key(tmp_path: Path) -> None:
    async with serving(tmp_path) as terminal:
        for _ in range(3):
            await get(terminal.port, "/note")
        await terminal.says(r"\[n\] 1 note \(3 in all\); latest \(3x\): pass_through")
        assert terminal.text.count("note: pass_through") == 1
        terminal.type("n")
        await terminal.says(r"^note  3x  pass_through")


async def test_keys_list_sockets_help_and_what_else_there_is(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as peer:
        port = peer.getsockname()[1]
        settings = f'[vars]\nPEER = "127.0.0.1:{port}"\n'
        async with serving(tmp_path, settings=settings) as terminal:
            terminal.type("l")
            await terminal.says("No sockets are open.")
            waiting = get(terminal.port, "/socket")
            await terminal.says("note: connect")
            terminal.type("L")
            await terminal.says(rf"^GET /socket  127\.0\.0\.1:{port}  open +\d+\.\d s$")
            terminal.type("h")
            await terminal.says("x or q  quit")
            terminal.type("r")
            await terminal.says("^Reloaded")
            terminal.type("d")
            await terminal.says(r"Write breakpoint\(\) in a handler")
            terminal.type("\x1b[A")  # An arrow is no key of ours.
            terminal.type("c")
            await until(lambda: "\x1b[2J" in terminal.raw, "a clear screen")
            terminal.type("q")
            assert await terminal.ends() == 0
            with pytest.raises(OSError):
                await waiting


async def test_ctrl_z_and_fg(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    argv = ("dev", "worker.py", "--port", "0")
    shell = '"$@"; echo stopped; read line; fg'
    async with in_terminal(*argv, cwd=tmp_path, shell=shell) as terminal:
        await until(lambda: not terminal.keeps_lines, "keys one by one")
        await terminal.says("h help")
        terminal.type("\x1a")
        await terminal.says("stopped")
        assert terminal.keeps_lines
        terminal.type("hx\n")
        await until(lambda: not terminal.keeps_lines, "keys one by one again")
        terminal.type("h")
        await terminal.says("x or q  quit")


async def test_breakpoint_opens_pdb_and_everybody_else_waits(tmp_path: Path, loop: str) -> None:
    settings = "[limits]\ncpu_ms = 200\nwait_until_seconds = 1\n"
    async with serving(tmp_path, loop, settings) as terminal:
        stopped = get(terminal.port, "/break")
        await terminal.says(r"^before it$")
        if sys.version_info >= (3, 13):  # It stops at breakpoint() itself.
            await terminal.says(r"-> breakpoint\(\)\n\(Pdb\) ")
            terminal.type("n\n")
        await terminal.says(r"-> value \+= 1\n\(Pdb\) ")
        other = get(terminal.port, "/other")
        terminal.type("p value * 1000\n")
        await terminal.says(r"^1000$")
        terminal.type("import time; time.sleep(0.8)\n")
        await terminal.says(r"\(Pdb\) ")
        terminal.type("sum(range(20_000_000))\n")
        await terminal.says(r"^199999990000000$")
        assert not other.done()
        terminal.type("n\n")
        await terminal.says(r"-> await asyncio.sleep\(0\)\n\(Pdb\) ")
        await interrupts(terminal)
        terminal.type("c\n")
        assert await stopped == "value 2"
        assert await other == "hello"
        await terminal.says(r"^GET     /break .* 200 OK$")
        assert "blocked" not in terminal.text
        terminal.type("h")
        await terminal.says("x or q  quit")


@pytest.mark.parametrize("leave", ["q\n", "\x04"])
async def test_q_ends_that_request_and_nothing_else(tmp_path: Path, leave: str) -> None:
    async with serving(tmp_path) as terminal:
        stopped = get(terminal.port, "/break")
        await terminal.says(r"\(Pdb\) ")
        terminal.type(leave)
        assert (await stopped).startswith("500 ")
        await terminal.says(r"^GET /break: ended in the debugger \(q\)$")
        assert await get(terminal.port) == "hello"
        terminal.type("\x03")
        assert await terminal.ends() == 0


async def test_the_end_of_the_process_at_a_prompt_leaves_the_terminal_as_it_was(
    tmp_path: Path, loop: str
) -> None:
    async with serving(tmp_path, loop) as terminal:
        stopped = get(terminal.port, "/break")
        await terminal.says(r"\(Pdb\) ")
        terminal.process.terminate()
        terminal.type("\n")  # Python may overlook a signal until a line ends.
        assert await terminal.ends() == 128 + signal.SIGTERM
        assert terminal.keeps_lines
        with pytest.raises(OSError):
            await stopped


async def test_stepping_out_of_a_handler_stops_in_no_other(tmp_path: Path, loop: str) -> None:
    async with serving(tmp_path, loop) as terminal:
        stopped = get(terminal.port, "/break")
        await terminal.says(r"\(Pdb\) ")
        terminal.type("r\n")
        assert await stopped == "value 2"
        assert await get(terminal.port) == "hello"
        terminal.type("h")
        await terminal.says("x or q  quit")


async def test_pdb_set_trace_is_the_same(tmp_path: Path) -> None:
    async with serving(tmp_path) as terminal:
        stopped = get(terminal.port, "/pdb")
        await terminal.says(r"\(Pdb\) ")
        terminal.type("c\n")
        assert await stopped == "hello"
        terminal.type("\x03")
        assert await terminal.ends() == 0


async def test_a_worker_may_ask(tmp_path: Path) -> None:
    async with serving(tmp_path) as terminal:
        asked = get(terminal.port, "/input")
        await terminal.says("name[?] ")
        await until(lambda: terminal.keeps_lines, "lines")
        terminal.type("hex\n")
        assert await asked == "hex"


async def test_breakpoint_without_a_terminal_ends_the_request(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    async with pyworker("dev", "worker.py", "--port", "0", cwd=tmp_path) as process:
        assert (await get(process.port, "/break")).startswith("500 ")
        assert await get(process.port) == "hello"
