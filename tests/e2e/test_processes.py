"""`pyworker dev --workers N`: several processes that look like one."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from tests.support.ports import listening_in_a_row
from tests.support.process import RunningProcess, pyworker
from tests.support.waiting import until, within

pytestmark = pytest.mark.skipif(os.name != "posix", reason="one process serves there")

STOP_SECONDS = 3
WORKER = """
import asyncio, os
from workers import Response
from word import WORD

async def on_fetch(request, env, ctx):
    if "/slow" in request.url:
        await asyncio.sleep(0.02)
    if "/long" in request.url:
        print("long " * 100)
    return Response(f"{os.getpid()} {WORD}")

async def connect(socket, env, ctx):
    await socket.readable.pipe_to(socket.writable)

async def scheduled(event, env, ctx):
    print("scheduled ran")
"""
SETTINGS = 'name = "several"\nmain = "worker.py"\n'
LOOPS = ["asyncio", "uvloop"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "worker.py").write_text(WORKER)
    (tmp_path / "word.py").write_text('WORD = "one"\n')
    (tmp_path / "wrangler_py.toml").write_text(SETTINGS)
    return tmp_path


def environment(loop: str) -> dict[str, str]:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    return {"PYWORKER_LOOP": loop}


async def ask(url: str) -> tuple[int, str]:
    """The process that answers a GET over a connection of its own, and its word."""
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        pid, word = (await response.text()).split()
        return int(pid), word


async def pids_of(url: str, count: int = 2) -> set[int]:
    """Ask until `count` processes have answered; return them."""
    seen: set[int] = set()
    while len(seen) < count:
        seen.add((await ask(url))[0])
    return seen


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if sys.platform != "linux":
        return True
    # A process whose parent is gone may wait for somebody to bury it: it runs no more.
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


async def all_gone(pids: set[int]) -> None:
    await until(lambda: not any(map(is_alive, pids)), "the processes to end")


@pytest.mark.parametrize("loop", LOOPS)
async def test_every_process_answers_and_one_speaks(project: Path, loop: str) -> None:
    argv = ("dev", "--workers", "3", "--port", "0")
    async with pyworker(*argv, cwd=project, environ=environment(loop)) as process:
        assert process.lines == [f"Ready on {process.url}"]
        pids = await within(pids_of(process.url, 3))
        assert process.pid not in pids
        process.send_signal(signal.SIGTERM)
        assert await process.wait(STOP_SECONDS) == 0
        assert process.stderr_lines == []
        await all_gone(pids)


async def test_lines_of_several_processes_stay_whole(project: Path) -> None:
    async with pyworker("dev", "--workers", "2", "--port", "0", cwd=project) as process:

        async def ask_often() -> None:
            async with aiohttp.ClientSession() as session:
                for _ in range(50):
                    async with session.get(process.url + "/long") as response:
                        assert response.status == 200

        await asyncio.gather(*(ask_often() for _ in range(8)))
        process.send_signal(signal.SIGINT)
        assert await process.wait(STOP_SECONDS) == 0
        lines = process.lines[1:]
        assert lines.count("long " * 100) == 400
        rest = [line for line in lines if line != "long " * 100]
        assert len(rest) == 400
        assert all(re.fullmatch(r"GET /long 200 OK \(.*\)", line) for line in rest)


@pytest.mark.parametrize("loop", LOOPS)
async def test_a_process_that_dies_is_replaced(project: Path, loop: str) -> None:
    argv = ("dev", "--workers", "2", "--port", "0")
    async with pyworker(*argv, cwd=project, environ=environment(loop)) as process:
        before = await pids_of(process.url)
        victim = before.pop()
        os.kill(victim, signal.SIGKILL)
        note = await process.line(r"^note: Process (\d) \((\d+)\) was ended by SIGKILL; another")
        assert int(note[2]) == victim
        # Nobody is refused: who came to the dead one's socket waits for the next.
        answers = await within(asyncio.gather(*(ask(process.url) for _ in range(20))))
        assert victim not in {pid for pid, _ in answers}
        after = await within(pids_of(process.url))
        assert victim not in after
        assert before < after
        process.send_signal(signal.SIGINT)
        assert await process.wait(STOP_SECONDS) == 0
        await all_gone(after)


@pytest.mark.skipif(sys.platform != "linux", reason="counts what /proc lists")
async def test_a_death_leaves_no_descriptor_and_no_zombie(project: Path) -> None:
    argv = ("dev", "--workers", "2", "--port", "0", "--no-reload")
    async with pyworker(*argv, cwd=project) as process:
        held = f"/proc/{process.pid}/fd"
        pids = await pids_of(process.url)
        count = len(os.listdir(held))
        for _ in range(3):
            victim = min(pids)
            os.kill(victim, signal.SIGKILL)
            pids = await within(pids_of(process.url))
            assert victim not in pids
            assert str(victim) not in os.listdir("/proc")
        assert len(os.listdir(held)) == count


@pytest.mark.parametrize("loop", LOOPS)
async def test_nobody_outlives_the_session_that_is_killed(project: Path, loop: str) -> None:
    argv = ("dev", "--workers", "2", "--port", "0")
    async with pyworker(*argv, cwd=project, environ=environment(loop)) as process:
        pids = await pids_of(process.url)
        os.kill(process.pid, signal.SIGKILL)
        await within(all_gone(pids))
        assert await process.wait() == -signal.SIGKILL
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask(process.url)


async def keep_asking(process: RunningProcess, stopped: asyncio.Event) -> list[str]:
    """Ask over new connections and old ones until `stopped`; return every answer's word."""
    words = []
    async with aiohttp.ClientSession() as session:
        while not stopped.is_set():
            async with session.get(process.url + "/slow") as response:
                assert response.status == 200
                words.append((await response.text()).split()[1])
            words.append((await ask(process.url))[1])
    return words


@pytest.mark.parametrize("loop", LOOPS)
async def test_no_request_is_lost_over_an_edit(project: Path, loop: str) -> None:
    argv = ("dev", "--workers", "2", "--port", "0")
    async with pyworker(*argv, cwd=project, environ=environment(loop)) as process:
        stopped = asyncio.Event()
        asking = [asyncio.create_task(keep_asking(process, stopped)) for _ in range(6)]
        for word in ("two", "three"):
            start = len(process.lines)
            (project / "draft").write_text(f'WORD = "{word}"\n')
            os.replace(project / "draft", project / "word.py")
            await process.line(r"^Reloaded after word\.py changed \(", after=start)
            answers = await within(asyncio.gather(*(ask(process.url) for _ in range(10))))
            assert {said for _, said in answers} == {word}
        stopped.set()
        words = {word for words in await within(asyncio.gather(*asking)) for word in words}
        assert {"two", "three"} <= words <= {"one", "two", "three"}
        assert sum(line.startswith("Reloaded") for line in process.lines) == 2
        assert process.stderr_lines == []


async def test_a_mistake_is_told_once(project: Path) -> None:
    async with pyworker("dev", "--workers", "2", "--port", "0", cwd=project) as process:
        (project / "draft").write_text('WORD = "two\n')
        os.replace(project / "draft", project / "word.py")
        await process.line("The worker could not be loaded: .*unterminated string literal")
        (project / "draft").write_text('WORD = "three"\n')
        os.replace(project / "draft", project / "word.py")
        await process.line("^Reloaded")
        assert (await ask(process.url))[1] == "three"
        assert sum("could not be loaded" in line for line in process.lines) == 1


@pytest.mark.parametrize("loop", LOOPS)
async def test_ctrl_c_ends_all_of_it_under_load(project: Path, loop: str) -> None:
    argv = ("dev", "--workers", "2", "--port", "0")
    async with pyworker(*argv, cwd=project, environ=environment(loop)) as process:
        pids = await pids_of(process.url)

        async def load() -> None:
            with suppress(aiohttp.ClientError):
                await keep_asking(process, asyncio.Event())

        loading = [asyncio.create_task(load()) for _ in range(8)]
        await process.line("GET /slow 200 OK")
        # As a terminal does: to every process of the group.
        os.killpg(process.pid, signal.SIGINT)
        assert await process.wait(STOP_SECONDS) == 0
        await within(asyncio.gather(*loading))
        await all_gone(pids)
        assert process.stderr_lines == []
        assert "Traceback" not in process.output


async def test_a_worker_that_can_not_be_loaded_is_told_as_ever(project: Path) -> None:
    (project / "worker.py").write_text("import nowhere\n")
    several = ("dev", "--workers", "2", "--port", "0")
    async with pyworker(*several, cwd=project, ready=None) as process:
        assert await process.wait() == 1
    async with pyworker("dev", "--port", "0", cwd=project, ready=None) as alone:
        assert await alone.wait() == 1
    assert process.lines == alone.lines


async def test_a_process_that_exits_at_once_is_no_riddle(project: Path) -> None:
    (project / "worker.py").write_text("import os\nos._exit(7)\n")
    several = ("dev", "--workers", "2", "--port", "0")
    async with pyworker(*several, cwd=project, ready=None) as process:
        assert await process.wait() == 1
        assert "exited with code 7" in process.output
        assert "Traceback" not in process.output


@pytest.mark.parametrize("number", ["0", "-1", "1000"])
async def test_a_number_that_makes_no_sense_is_refused(project: Path, number: str) -> None:
    async with pyworker("dev", "--workers", number, cwd=project, ready=None) as process:
        assert await process.wait() == 1
        assert f"from 1 to 256, not {number}" in process.output


async def test_a_port_in_use_is_said_once_and_the_next_one_taken(project: Path) -> None:
    with listening_in_a_row(2) as first:
        argv = ("dev", "--workers", "2", "--ip", "127.0.0.1", "--port", str(first))
        async with pyworker(*argv, cwd=project) as process:
            assert process.lines == [
                f"Port {first} is in use, using {first + 2} instead.",
                f"Ready on http://127.0.0.1:{first + 2}",
            ]
            # What several processes share is not shared with another session.
            async with pyworker(*argv, cwd=project) as other:
                assert other.port != process.port


async def test_connections_crons_and_internal_routes_work(project: Path) -> None:
    (project / "wrangler_py.toml").write_text(
        SETTINGS
        + '[dev]\nport = 0\nworkers = 2\n[triggers]\ncrons = ["0 0 1 1 *"]\n'
        + '[[connect]]\nprotocol = "tcp"\nport = 0\naddress = "127.0.0.1"\n'
    )
    async with pyworker("dev", "--run-crons", cwd=project) as process:
        found = await process.line(r"^TCP connections to 127\.0\.0\.1:(\d+) go to the connect")
        for _ in range(6):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
            writer.write(b"there and back")
            writer.write_eof()
            assert await reader.read() == b"there and back"
            writer.close()
        async with aiohttp.ClientSession() as session:
            for _ in range(4):
                url = f"{process.url}/cdn-cgi/local/scheduled?cron=0+0+1+1+*"
                async with session.get(url) as response:
                    assert await response.text() == "ok"
        await process.line("^scheduled ran$")
        assert sum("is due next at" in line for line in process.lines) == 1


async def test_a_unix_socket_is_shared_and_removed(project: Path) -> None:
    argv = ("dev", "--workers", "2", "--unix-socket", "here.sock")
    async with pyworker(*argv, cwd=project) as process:
        connector = aiohttp.UnixConnector(str(project / "here.sock"))
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(4):
                async with session.get("http://localhost/") as response:
                    assert response.status == 200
        process.send_signal(signal.SIGTERM)
        assert await process.wait(STOP_SECONDS) == 0
        assert not (project / "here.sock").exists()
