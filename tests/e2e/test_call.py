"""`pyworker call` as a process: bytes in, bytes out, exit codes, and nothing that hangs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.peers import PeerServer
from tests.support.process import REPOSITORY
from tests.support.waiting import within

WORKER = """
import asyncio, json, os, sys
from urllib.parse import urlsplit
from cloudflare.sockets import connect
from workers import Response

async def endless():
    while True:
        yield bytes(50_000)

async def cut():
    yield b"begun"
    raise ValueError("cut short")

async def later():
    await asyncio.sleep(0.05)
    print("later is done")

async def on_fetch(request, env, ctx):
    url = urlsplit(request.url)
    match url.path:
        case "/":
            return Response(env.GREETING, headers={"X-One": "1"})
        case "/told":
            told = {"url": request.url, "method": request.method, "headers": dict(request.headers)}
            return Response.json({**told, "body": await request.text()})
        case "/echo":
            return Response(request.body)
        case "/status":
            return Response("the body", status=int(url.query))
        case "/raise":
            raise ValueError("a mistake")
        case "/exit":
            sys.exit(3)
        case "/hang":
            await asyncio.Future()
        case "/spin":
            print("spinning", flush=True)
            while True:
                pass
        case "/wait":
            print("waiting")
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                print("cancelled")
                raise
        case "/later":
            ctx.wait_until(later())
            return Response("now")
        case "/endless":
            return Response(endless())
        case "/cut":
            return Response(cut())
        case "/short":
            return Response(cut(), headers={"Content-Length": "3"})
        case "/connect":
            socket = connect(url.query)
            return Response(socket.readable)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "worker.py").write_text(WORKER)
    (tmp_path / "wrangler.toml").write_text('main = "worker.py"\n[vars]\nGREETING = "hello"\n')
    return tmp_path


@asynccontextmanager
async def calling(project: Path, *arguments: str, stdin: int = PIPE) -> AsyncIterator[Process]:
    """Run `pyworker call` until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulator", "call", *arguments),
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def call(project: Path, *arguments: str, body: bytes = b"") -> tuple[int | None, bytes, str]:
    """Return the exit code, standard output, standard error."""
    async with calling(project, *arguments) as process:
        out, err = await within(process.communicate(body), 20)
    return process.returncode, out, err.decode()


async def test_the_body_is_all_there_is_on_standard_output(project: Path) -> None:
    assert await call(project, "/") == (0, b"hello", "")


async def test_the_head_if_asked_for(project: Path) -> None:
    code, out, _ = await call(project, "/", "-i")
    head, _, body = out.partition(b"\r\n\r\n")
    assert (code, body) == (0, b"hello")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK"
    assert b"X-One: 1" in lines
    assert b"Content-Length: 5" in lines


async def test_a_head_has_no_body(project: Path) -> None:
    code, out, _ = await call(project, "/", "-X", "HEAD", "-i")
    assert code == 0
    assert out.endswith(b"\r\n\r\n")
    assert b"Content-Length: 5" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["/told"], ["GET", "http://localhost/told", ""]),
        (["/told?a=1 2#x"], ["GET", "http://localhost/told?a=1%202", ""]),
        (["https://example.com:8443/told"], ["GET", "https://example.com:8443/told", ""]),
        (["/told", "-H", "Host: example.com"], ["GET", "http://example.com/told", ""]),
        (["/told", "-d", "a=1", "-d", "b=ü"], ["POST", "http://localhost/told", "a=1&b=ü"]),
        (["/told", "--json", '{"a": 1}'], ["POST", "http://localhost/told", '{"a": 1}']),
        (["/told", "-X", "PUT", "-d", "@data.txt"], ["PUT", "http://localhost/told", "a\nb\n"]),
        (["/told", "-d", "@-"], ["POST", "http://localhost/told", "from stdin"]),
        (["/told", "-X", "PURGE"], ["PURGE", "http://localhost/told", ""]),
    ],
)
async def test_what_the_worker_is_told(
    arguments: list[str], told: list[str], project: Path
) -> None:
    (project / "data.txt").write_text("a\nb\n")
    code, out, err = await call(project, *arguments, body=b"from stdin")
    assert code == 0, err
    request = json.loads(out)
    assert [request["method"], request["url"], request["body"]] == told


@pytest.mark.parametrize(
    ("arguments", "header", "value"),
    [
        ([], "accept", "*/*"),
        ([], "host", "localhost"),
        (["-H", "accept: text/html"], "accept", "text/html"),
        (["-H", "Accept:"], "accept", None),
        (["-d", "a"], "content-type", "application/x-www-form-urlencoded"),
        (["-d", "a"], "content-length", "1"),
        (["-d", "a", "-H", "Content-Type: text/plain"], "content-type", "text/plain"),
        (["--json", "1"], "content-type", "application/json"),
        (["-d", "@-"], "transfer-encoding", "chunked"),
        (["-d", "@worker.py"], "content-length", str(len(WORKER))),
    ],
)
async def test_headers_are_curls(
    arguments: list[str], header: str, value: str | None, project: Path
) -> None:
    _, out, _ = await call(project, "/told", *arguments)
    assert json.loads(out)["headers"].get(header) == value


async def test_bytes_go_through_both_ways_as_they_come(project: Path) -> None:
    async with calling(project, "/echo", "-d", "@-") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for chunk in (b"one\n", b"\x00\xff\r\n", b"three\n"):
            process.stdin.write(chunk)
            assert await within(process.stdout.readexactly(len(chunk))) == chunk
        process.stdin.close()
        assert await within(process.wait()) == 0


async def test_a_large_file_arrives_whole(project: Path) -> None:
    data = os.urandom(3_000_000)
    (project / "data").write_bytes(data)
    assert await call(project, "/echo", "-d", "@data", "-o", "copy") == (0, b"", "")
    assert (project / "copy").read_bytes() == data


async def test_a_reader_that_goes_ends_it_quietly(project: Path) -> None:
    if (bash := shutil.which("bash")) is None:
        pytest.skip("bash is not installed")
    line = f"{sys.executable} -m emulator call /endless | head -c 3; echo ${{PIPESTATUS[0]}}"
    process = await asyncio.create_subprocess_exec(
        *(bash, "-c", line),
        stdout=PIPE,
        stderr=PIPE,
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert await within(process.communicate(), 20) == (b"\0\0\x0023\n", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
async def test_an_output_that_takes_nothing_is_told_of(project: Path) -> None:
    code, _, err = await call(project, "/", "-o", "/dev/full")
    assert code == 23
    assert "The response can't be written to /dev/full: No space left on device." in err


async def test_an_output_that_cannot_be_opened_is_told_of(project: Path) -> None:
    code, _, err = await call(project, "/", "-o", "no/such/file")
    assert code == 23
    assert "can't be written to no/such/file: No such file or directory." in err


@pytest.mark.parametrize("status", ["404", "500"])
async def test_any_status_is_a_response(status: str, project: Path) -> None:
    assert await call(project, f"/status?{status}") == (0, b"the body", "")
    code, out, err = await call(project, f"/status?{status}", "--fail")
    assert (code, out) == (22, b"")
    assert f"The worker answered {status} " in err


async def test_a_status_below_400_is_no_failure(project: Path) -> None:
    assert await call(project, "/status?302", "--fail") == (0, b"the body", "")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/raise", "ValueError: a mistake"),
        ("/exit", "SystemExit(3)"),
        ("/hang", "your Worker's code had hung"),
        ("/nothing", "returned None, not a Response"),
        ("/connect?nonsense", "Specified address is missing port."),
    ],
)
async def test_a_handler_that_fails(path: str, message: str, project: Path) -> None:
    code, out, err = await call(project, path)
    assert (code, out) == (1, b"")
    assert message in err
    assert "emulator/" not in err


@pytest.mark.parametrize(
    ("path", "out", "message"),
    [
        ("/cut", b"begun", "ValueError: cut short"),
        ("/short", b"", "longer than its Content-Length"),
    ],
)
async def test_a_body_that_breaks_off(path: str, out: bytes, message: str, project: Path) -> None:
    code, got, err = await call(project, path)
    assert (code, got) == (1, out)
    assert message in err


async def test_limits_are_enforced(project: Path) -> None:
    with (project / "wrangler.toml").open("a") as file:
        file.write("[limits]\ncpu_ms = 50\nbody_mb = 1\n")
    code, _, err = await call(project, "/spin")
    assert code == 1
    assert "its limit (limits.cpu_ms) is 50 ms" in err
    (project / "data").write_bytes(bytes(1_100_000))
    code, out, _ = await call(project, "/echo", "-d", "@data", "--fail", "-i")
    assert (code, out.split(b"\r\n")[0]) == (22, b"HTTP/1.1 413 Payload Too Large")
    code, out, _ = await call(project, "/" + "a" * 17_000, "-i")
    assert (code, out.split(b"\r\n")[0]) == (0, b"HTTP/1.1 414 URI Too Long")
    code, _, err = await call(project, "/told", "-d", "@-", body=bytes(1_100_000))
    assert code == 1
    assert "The request's body is larger than 1 MB" in err


async def test_sockets_and_strict_mode(project: Path) -> None:
    async with PeerServer(lambda peer: peer.send(b"from the peer")) as peer:
        address = f"/connect?{peer.address}"
        code, out, err = await call(project, address)
        assert (code, out) == (0, b"from the peer")
        assert "note: connect() to 127.0.0.1" in err
        code, _, strict = await call(project, address, "--strict")
        assert code == 1
        assert "production refuses private and local addresses" in strict


async def test_wait_until_work_is_awaited(project: Path) -> None:
    assert await call(project, "/later") == (0, b"now", "later is done\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_is_a_client_that_goes(number: signal.Signals, project: Path) -> None:
    async with calling(project, "/wait", stdin=asyncio.subprocess.DEVNULL) as process:
        assert process.stderr is not None
        assert await within(process.stderr.readline()) == b"waiting\n"
        process.send_signal(number)
        assert await within(process.stderr.readline()) == b"cancelled\n"
        assert await within(process.wait()) == 130


async def test_a_signal_ends_code_that_never_awaits(project: Path) -> None:
    async with calling(project, "/spin") as process:
        assert process.stderr is not None
        assert await within(process.stderr.readline()) == b"spinning\n"
        process.send_signal(signal.SIGINT)
        assert await within(process.wait()) == 130


async def test_a_signal_while_standard_input_says_nothing(project: Path) -> None:
    async with calling(project, "/echo", "-d", "@-", "-i") as process:
        assert process.stdout is not None
        assert await within(process.stdout.readline()) == b"HTTP/1.1 200 OK\r\n"
        process.send_signal(signal.SIGINT)
        assert await within(process.wait()) == 130


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["told"], "PATH is a path such as /hello?x=1"),
        (["ftp://example.com/"], "PATH is a path such as /hello?x=1"),
        (["http:///x"], "PATH is a path such as /hello?x=1"),
        (["/", "-H", "nonsense"], "'nonsense' is no header."),
        (["/", "-H", "a b: c"], "'a b' is no name for a header."),
        (["/", "-H", "a: b\nc: d"], "without line breaks"),
        (["/", "-X", "a b"], "'a b' is no HTTP method."),
        (["/", "-X", "GET", "-d", "a"], "GET takes no body."),
        (["/", "-d", "a", "--json", "1"], "-d and --json exclude each other"),
        (["/", "-d", "a", "-d", "@b"], "'@b' is a whole body"),
        (["/", "-d", "@nowhere"], "nowhere can't be read: No such file or directory."),
        ([], "Missing argument 'PATH'"),
    ],
)
async def test_misuse(arguments: list[str], message: str, project: Path) -> None:
    code, out, err = await call(project, *arguments)
    assert (code, out) == (2, b"")
    assert message in err


async def test_a_worker_that_cannot_be_loaded(project: Path) -> None:
    (project / "worker.py").write_text("1 / 0\n")
    code, out, err = await call(project, "/")
    assert (code, out) == (1, b"")
    assert err.startswith("Error: The worker can't be loaded: ZeroDivisionError")
    code, _, err = await call(project, "/", "--main", "other.py")
    assert code == 1
    assert err.startswith("Error: SCRIPT other.py: there is no file other.py.")
