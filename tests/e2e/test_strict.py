"""`pyworker dev --strict` and [limits] as a process: what is refused, what is said, how each request ends."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest

from tests.support.peers import Blackhole, PeerServer
from tests.support.process import pyworker

WORKER = """
import asyncio
from cloudflare.sockets import connect
from workers import Response

async def on_fetch(request, env, ctx):
    address = request.headers["Connect-To"]
    if request.url.endswith("/wait"):
        holder = connect(request.headers["Hold"])
        socket = connect(address)
        await asyncio.sleep(0.1)
        await holder.close()
    elif request.url.endswith("/twice"):
        await connect(address).opened
        socket = connect(address)
    else:
        socket = connect(address)
    try:
        await socket.opened
    except ConnectionError as error:
        return Response(str(error), status=502)
    return Response("opened")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "worker.py").write_text(WORKER)
    (tmp_path / "wrangler_py.toml").write_text('main = "worker.py"\n')
    return tmp_path


def settings(project: Path, text: str) -> None:
    """Add `text` to the settings."""
    with (project / "wrangler_py.toml").open("a") as file:
        file.write(text)


async def answer(port: int, path: str, **headers: str) -> tuple[int, str]:
    """Return the status and text of the answer to a GET."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://localhost:{port}{path}", headers=named) as response,
    ):
        return response.status, await response.text()


async def test_strict_mode_refuses_what_is_not_allowed(project: Path) -> None:
    async with PeerServer() as allowed, PeerServer() as refused:
        settings(project, f'[strict]\nenabled = false\nallow = ["{allowed.address}"]\n')
        async with pyworker("dev", "--strict", "--port", "0", cwd=project) as process:
            assert await answer(process.port, "/", Connect_To=allowed.address) == (200, "opened")
            assert await answer(process.port, "/", Connect_To=refused.address) == (
                502,
                "proxy request failed, cannot connect to the specified address",
            )
            await process.line(
                re.escape(
                    "strict mode: production refuses private and local addresses (127.0.0.1). "
                    f'To allow it here all the same: [strict] allow = ["{refused.address}"]'
                )
            )
            own = f"localhost:{process.port}"
            assert await answer(process.port, "/", Connect_To=own) == (502, "TCP Loop detected")
        async with pyworker("dev", "--port", "0", cwd=project) as process:
            assert await answer(process.port, "/", Connect_To=refused.address) == (200, "opened")
            await process.line("production refuses addresses on this machine")


async def test_a_wait_for_a_slot_is_a_line(project: Path) -> None:
    settings(project, "[limits]\nconnections = 1\n")
    async with PeerServer() as peers:
        with Blackhole() as hole:
            async with pyworker("dev", "--port", "0", cwd=project) as process:
                status, text = await answer(
                    process.port, "/wait", Connect_To=peers.address, Hold=hole.address
                )
                assert (status, text) == (200, "opened")
                await process.line(
                    rf"^GET /wait: connect\(\) to {peers.address} waited [\d.]+ m?s for a slot, "
                    rf"held by {hole.address} \(worker\.py:9\)$"
                )


async def test_too_many_subrequests_end_the_request_by_name(project: Path) -> None:
    settings(project, "[limits]\nsubrequests = 1\n")
    async with PeerServer() as peers, pyworker("dev", "--port", "0", cwd=project) as process:
        status, text = await answer(process.port, "/twice", Connect_To=peers.address)
        assert status == 500
        assert "Too many subrequests by single Worker invocation." in text
        await process.line(r"^GET /twice 500 Internal Server Error .*exceeded_subrequests")


async def test_a_wrong_limit_ends_it_at_once(project: Path) -> None:
    settings(project, "[limits]\nconnections = 0\n")
    async with pyworker("dev", cwd=project, ready=None) as process:
        assert await process.wait() == 1
        assert process.lines == [
            "Error: wrangler_py.toml, line 3, column 15: `limits.connections` must be 1 or more, "
            "not 0.",
            "  3 | connections = 0",
            "                    ^",
        ]
