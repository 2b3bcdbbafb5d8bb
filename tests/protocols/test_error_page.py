"""The error page in a real browser: what it shows, that it has its style, and that it fetches nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from emulator.http import Request, Response
from tests.protocols.conftest import RequireProgram
from tests.server.serving import Recorder, serving
from tests.server.test_error_page import Document

BROWSER_SECONDS = 45
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--enable-logging=stderr",
)
LIGHT, DARK = "--blink-settings=preferredColorScheme=1", "--blink-settings=preferredColorScheme=0"


async def browse(program: str, folder: Path, *arguments: str) -> tuple[str, str]:
    """Run the browser with a profile in `folder`; return what it printed, and what it logged."""
    process = await asyncio.create_subprocess_exec(
        program,
        *OPTIONS,
        f"--user-data-dir={folder / 'profile'}",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), BROWSER_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return out.decode(), err.decode()


def fails(request: Request) -> Response:
    prices = {"Gopher": 12.5}
    return Response(str(prices["Gopher plush"]))


async def test_a_browser_shows_the_page_and_fetches_nothing_else(
    require_program: RequireProgram, tmp_path: Path
) -> None:
    program = require_program("chromium", debian="chromium")
    recorder = Recorder()
    async with serving(fails, observer=recorder) as server:
        markup, log = await browse(program, tmp_path, "--dump-dom", f"{server.url}/buy?item=plush")
    document = Document(markup)
    for words in (
        "500 Error 1101: Worker threw exception exception",
        "KeyError: 'Gopher plush'",
        'return Response(str(prices["Gopher plush"]))',
        "prices{'Gopher': 12.5}",
        "This request has no sockets.",
        "itemplush",
        "developers.cloudflare.com/workers/observability/errors/",
    ):
        assert words in document.words.replace("\n", "")
    # A style that the page's own policy refuses would be a line of the console.
    assert "CONSOLE" not in log
    assert "Content Security Policy" not in log
    assert [record.label for record in recorder.of("event_finished")] == ["GET /buy?item=plush"]


@pytest.mark.parametrize("size", ["360,1200", "1600,1200"])
async def test_light_and_dark_are_drawn(
    require_program: RequireProgram, tmp_path: Path, size: str
) -> None:
    program = require_program("chromium", debian="chromium")
    drawn: list[bytes] = []
    async with serving(fails) as server:
        for scheme in (LIGHT, DARK):
            picture = tmp_path / "page.png"
            arguments: Sequence[str] = (scheme, f"--window-size={size}", f"--screenshot={picture}")
            await browse(program, tmp_path, *arguments, f"{server.url}/")
            drawn.append(picture.read_bytes())
    assert drawn[0] != drawn[1]
    assert all(picture.startswith(b"\x89PNG") for picture in drawn)
