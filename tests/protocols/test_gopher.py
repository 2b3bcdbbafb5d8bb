"""The sample worker against gophernicus, a gopher server that people run, started as inetd would start it."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from emulator import serve
from tests.protocols.conftest import RequireProgram
from tests.support.peers import Peer, PeerServer
from tests.support.waiting import within

GOPHER = Path(__file__).parents[2] / "workers" / "gopher.py"
BIG_BYTES = 8_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A gopher root with a menu, texts and a file too large for any buffer."""
    (tmp_path / "gophermap").write_text("Welcome\n0A text\t/a text.txt\n1Deeper\t/deeper\n")
    (tmp_path / "a text.txt").write_text("one\ntwo\n")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "b.txt").write_text("deep\n")
    (tmp_path / "big.bin").write_bytes(bytes(range(256)) * (BIG_BYTES // 256))
    for path in (tmp_path, *tmp_path.rglob("*")):  # gophernicus serves what everybody may read.
        path.chmod(0o755 if path.is_dir() else 0o644)
    return tmp_path


@asynccontextmanager
async def worker_before(program: str, root: Path) -> AsyncIterator[str]:
    """Serve the sample worker in front of gophernicus; gives its URL."""

    def inetd(peer: Peer) -> None:
        quiet = ["-nm", "-nr", "-ns", "-np", "-nf", "-nu", "-nx", "-nd"]
        peer.raw.settimeout(None)  # A program expects a socket that blocks.
        port = str(peer.raw.getsockname()[1])
        subprocess.run(
            [program, "-h", "localhost", "-p", port, "-r", str(root), "-nv", *quiet],
            stdin=peer.raw.fileno(),
            stdout=peer.raw.fileno(),
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=False,
        )

    async with (
        PeerServer(inetd) as gophernicus,
        serve(GOPHER, env={"GOPHER": gophernicus.address}) as server,
    ):
        yield server.url


async def get(url: str) -> bytes:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain"
        return await within(response.read())


async def test_its_top_menu(require_program: RequireProgram, root: Path) -> None:
    program = require_program("gophernicus", debian="gophernicus")
    async with worker_before(program, root) as url:
        lines = (await get(f"{url}/")).split(b"\r\n")
    assert lines[0].startswith(b"iWelcome\t")
    assert lines[1].startswith(b"0A text\t/a text.txt\tlocalhost\t")
    assert lines[2].startswith(b"1Deeper\t/deeper\tlocalhost\t")
    assert lines[-2:] == [b".", b""]


async def test_its_texts_and_folders(require_program: RequireProgram, root: Path) -> None:
    program = require_program("gophernicus", debian="gophernicus")
    async with worker_before(program, root) as url:
        assert await get(f"{url}/a%20text.txt") == b"one\r\ntwo\r\n"
        assert b"0b.txt" in await get(f"{url}/deeper")
        assert b"not found" in await get(f"{url}/nothing")


async def test_a_large_file_comes_whole(require_program: RequireProgram, root: Path) -> None:
    program = require_program("gophernicus", debian="gophernicus")
    async with worker_before(program, root) as url:
        assert await get(f"{url}/big.bin") == (root / "big.bin").read_bytes()
