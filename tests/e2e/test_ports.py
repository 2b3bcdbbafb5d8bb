"""`pyworker dev` reached by curl: HTTPS, IPv6, a Unix socket, the routes under /cdn-cgi/, crons."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.support.process import pyworker
from tests.support.waiting import within

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

WORKER = """
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(request.url)

    async def scheduled(self, event, env, ctx):
        print("the cron is", event.cron)
        if event.cron == "0 0 * * *":
            raise ValueError("not at midnight")
"""

SETTINGS = """
main = "worker.py"
[dev]
port = 0
[triggers]
crons = ["*/5 * * * *", "0 0 * * *"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "worker.py").write_text(WORKER)
    (tmp_path / "wrangler.toml").write_text(SETTINGS)
    return tmp_path


async def curl(*arguments: str) -> tuple[int, str]:
    """Return curl's exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--show-error", *arguments, stdout=PIPE, stderr=PIPE
    )
    out, err = await within(process.communicate())
    assert process.returncode is not None
    return process.returncode, (out + err).decode()


async def test_https_with_a_certificate_made_on_first_use(folder: Path) -> None:
    environ = {"XDG_CACHE_HOME": str(folder / "cache")}
    arguments = ("dev", "--local-protocol", "https", "--ip", "127.0.0.1")
    certificate = folder / "cache" / "pyworker" / "localhost.pem"
    async with pyworker(*arguments, cwd=folder, environ=environ) as process:
        assert process.url == f"https://127.0.0.1:{process.port}"
        await process.line(rf"curl --cacert {certificate}$")
        code, said = await curl("--cacert", str(certificate), f"{process.url}/a")
        assert (code, said) == (0, f"{process.url}/a")
        code, said = await curl(process.url)
        assert code == 60
        code, said = await curl("--include", process.url.replace("https", "http"))
        assert said.startswith("HTTP/1.1 400 Bad Request\r\n")
        assert said.endswith("Ask again with https:// in place of http://.\n")
        assert "Traceback" not in process.output
    async with pyworker(*arguments, cwd=folder, environ=environ) as process:
        assert "Made a certificate" not in process.output
        assert (await curl("--cacert", str(certificate), process.url))[0] == 0


async def test_ipv6(folder: Path) -> None:
    async with pyworker("dev", "--ip", "::1", cwd=folder) as process:
        assert process.url == f"http://[::1]:{process.port}"
        assert await curl("--globoff", f"{process.url}/a") == (0, f"{process.url}/a")


async def test_every_address_is_ipv4_too(folder: Path) -> None:
    async with pyworker("dev", "--ip", "::", cwd=folder) as process:
        for host in ("127.0.0.1", "[::1]"):
            url = f"http://{host}:{process.port}/a"
            assert await curl("--globoff", url) == (0, url)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Unix sockets")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_a_unix_socket(folder: Path, number: signal.Signals) -> None:
    path = folder / "w.sock"
    arguments = ("dev", "--unix-socket", "w.sock")
    async with pyworker(*arguments, cwd=folder) as process:
        assert process.url == f"unix:{path}"
        asked = ("--unix-socket", str(path), "http://localhost/a")
        assert await curl(*asked) == (0, "http://localhost/a")
        async with pyworker(*arguments, ready=None, cwd=folder) as second:
            await second.line(r"^Error: Something already listens on the Unix socket .*w\.sock\.")
            assert await second.wait() == 1
        process.send_signal(number)
        await process.wait()
    assert path.exists() == (number is signal.SIGKILL)
    async with pyworker(*arguments, cwd=folder):
        assert (await curl(*asked))[0] == 0


async def test_crons_by_hand(folder: Path) -> None:
    async with pyworker("dev", cwd=folder) as process:
        found = await process.line(r"^note: Crons don't fire by themselves .*curl '(http:.*)'$")
        assert await curl(found[1]) == (0, "ok")
        await process.line(r"^the cron is \*/5 \* \* \* \*$")
        await process.line(r'^SCHEDULED "\*/5 \* \* \* \*" ok \(.* ms\)$')
        url = f"{process.url}/cdn-cgi/handler/scheduled?cron=0+0+*+*+*&format=json"
        assert await curl(url) == (0, '{"outcome":"exception","noRetry":false}')
        await process.line("the handler failed: ValueError: not at midnight$")
        await process.line(r'^SCHEDULED "0 0 \* \* \*" failed')


async def test_crons_on_time_are_announced(folder: Path) -> None:
    async with pyworker("dev", "--run-crons", cwd=folder) as process:
        await process.line(
            r'^Cron "\*/5 \* \* \* \*" is due next at \d{4}-\d\d-\d\d \d\d:\d[05] UTC$'
        )
        await process.line(r'^Cron "0 0 \* \* \*" is due next at .* 00:00 UTC$')
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0


async def test_an_expression_that_is_none_is_named_with_its_place(folder: Path) -> None:
    (folder / "wrangler.toml").write_text(SETTINGS.replace("0 0 *", "0 24 *"))
    async with pyworker("dev", ready=None, cwd=folder) as process:
        await process.line(
            r'^Error: wrangler.toml, line \d+, column \d+: `triggers.crons\[1\]`: "0 24 \* \* \*" is '
            r'not a cron expression: the hour is "24", but it takes numbers from 0 to 23\.$'
        )
        assert await process.wait() == 1


async def test_other_sites_are_refused(folder: Path) -> None:
    async with pyworker("dev", cwd=folder) as process:
        url = f"{process.url}/cdn-cgi/local/scheduled"
        for header in ("Host: evil.example", "Origin: https://evil.example"):
            code, said = await curl("--header", header, "--fail-with-body", url)
            assert (code, said.startswith("Refused: ")) == (22, True)
        assert "the cron is" not in process.output
