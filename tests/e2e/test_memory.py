"""A whole process under a slow client: what it holds is bounded, on both loops."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.peers import Peer, PeerServer
from tests.support.process import pyworker
from tests.support.waiting import within

MEGABYTE = 2**20
GROWTH_LIMIT_BYTES = 8 * MEGABYTE
CLIENT_BYTES_PER_SECOND = 16 * MEGABYTE
READ_BYTES = 48 * MEGABYTE

SCRIPT = """
from cloudflare.sockets import connect
from workers import Response

async def on_fetch(request, env, ctx):
    return Response(connect(env.UPSTREAM).readable)
"""


def resident_bytes(pid: int) -> int:
    """What the process holds in memory now. Linux only."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1_024
    raise AssertionError("no VmRSS")


def flood_until_broken_off(peer: Peer) -> str:
    try:
        peer.flood(1_024 * MEGABYTE, still_seconds=5)
    except ConnectionError:
        return "broken off"
    return "all sent, or stuck"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
@pytest.mark.parametrize("event_loop", ["asyncio", "uvloop"])
async def test_a_slow_client_with_the_upstream_flat_out(tmp_path: Path, event_loop: str) -> None:
    if event_loop == "uvloop":
        pytest.importorskip("uvloop")
    async with PeerServer(flood_until_broken_off) as upstream:
        (tmp_path / "through.py").write_text(SCRIPT)
        (tmp_path / "wrangler_py.toml").write_text(
            f'name = "through"\nmain = "through.py"\n[vars]\nUPSTREAM = "{upstream.address}"\n'
        )
        variables = {"PYWORKER_LOOP": event_loop}
        async with pyworker("dev", "--port", "0", cwd=tmp_path, environ=variables) as process:
            reader, writer = await asyncio.open_connection("localhost", process.port, limit=65_536)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await within(reader.readexactly(MEGABYTE))
            before = highest = resident_bytes(process.pid)
            loop = asyncio.get_running_loop()
            began, count = loop.time(), 0
            while count < READ_BYTES:
                count += len(await within(reader.read(65_536)))
                highest = max(highest, resident_bytes(process.pid))
                # The rate is what is tested: 16 MB/s here, when the upstream could send a hundred times that.
                await asyncio.sleep(max(0, began + count / CLIENT_BYTES_PER_SECOND - loop.time()))
            assert highest - before < GROWTH_LIMIT_BYTES
            writer.transport.abort()
            # And the upstream is told that nobody reads any more, well before it has sent everything.
            assert await within(upstream.result()) == "broken off"


GROWING = """
from workers import Response

held = []

async def on_fetch(request, env, ctx):
    held.append(bytes(200 * 2**20 - len(held)).replace(b"\\0", b"x"))
    return Response("grown")
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
async def test_a_worker_larger_than_production_allows_is_told_of_once(tmp_path: Path) -> None:
    (tmp_path / "growing.py").write_text(GROWING)
    async with pyworker("dev", "growing.py", "--port", "0", cwd=tmp_path) as process:
        for _ in range(2):
            reader, writer = await asyncio.open_connection("localhost", process.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert (await within(reader.read(), 60)).endswith(b"grown")
            writer.close()
        await process.line(r"note: The worker has grown by \d+ MB .* gives it 128 MB in all")
        assert sum("has grown by" in line for line in process.lines) == 1
