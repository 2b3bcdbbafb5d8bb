"""What each kind of client hears of a handler that failed, through HTTP."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from typing import Any

import pytest

from emulator.errors import HUNG, WorkerLoadError
from emulator.http import Request, Response
from emulator.runtime import Isolate
from emulator.server.error_response import answer_to_load_failure
from emulator.sockets import connect
from tests.server.serving import Recorder, connected, serving
from tests.support.ports import free_port

HTML = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
JSON = "Accept: application/json"
SECRET = "hunter2hunter2"


def fails(request: Request, env: Any) -> Response:
    raise ValueError(f"no luck with {env.DB_PASSWORD}")


async def test_each_client_has_its_form() -> None:
    recorder = Recorder()
    async with (
        serving(fails, env={"DB_PASSWORD": SECRET}, observer=recorder) as server,
        connected(server) as client,
    ):
        for headers, kind, start in (
            (
                (),
                "text/plain;charset=UTF-8",
                "Error 1101: Worker threw exception\n\nValueError: no",
            ),
            (("Accept: */*",), "text/plain;charset=UTF-8", "Error 1101: "),
            ((HTML,), "text/html;charset=UTF-8", "<!doctype html>"),
            ((JSON,), "application/json", "{"),
        ):
            client.get("/", *headers)
            response = await client.response()
            assert (response.status, response["content-type"]) == (500, kind)
            text = response.body.decode()
            assert text.startswith(start)
            assert SECRET not in text
            assert "no luck with (hidden)" in text
            client.get("/", *headers, method="HEAD")
            head = await client.response(to="HEAD")
            assert (head.status, head["content-type"]) == (500, kind)
            # Ages of sockets aside, the same page: its length is that of a GET's.
            if not headers:
                assert head["content-length"] == response["content-length"]
    assert [record.status for record in recorder.of("event_finished")] == [
        "500 Internal Server Error"
    ] * 8


async def test_the_page_keeps_to_itself() -> None:
    async with serving(fails, env={"DB_PASSWORD": SECRET}) as server, connected(server) as client:
        client.get("/", HTML)
        response = await client.response()
    assert response["content-security-policy"].startswith("default-src 'none';")
    assert response["cache-control"] == "no-store"
    assert response["x-content-type-options"] == "nosniff"
    assert response["referrer-policy"] == "no-referrer"


async def test_what_json_holds() -> None:
    port = free_port()

    async def fetch(request: Request) -> Response:
        try:
            await connect(f"127.0.0.1:{port}").opened
        except OSError as error:
            raise RuntimeError("no database") from error
        return Response()

    async with serving(fetch) as server, connected(server) as client:
        client.get("/", JSON)
        told = json.loads((await client.response()).body)
    assert (told["error"], told["message"], told["status"]) == ("RuntimeError", "no database", 500)
    assert told["outcome"] == "exception"
    assert told["title"] == "Error 1101: Worker threw exception"
    assert told["documentation"].startswith("https://developers.cloudflare.com/workers/")
    (frame,) = told["frames"]
    assert frame["file"] == __file__
    assert frame["code"] == 'raise RuntimeError("no database") from error'
    assert frame["library"] is None
    assert [cause["error"] for cause in told["causes"]] == ["SocketError", "ConnectionRefusedError"]


async def test_sockets_are_told_of(unused_tcp_port: int) -> None:
    received = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await reader.read()
        writer.close()

    async def fetch(request: Request) -> Response:
        peer = connect(f"127.0.0.1:{unused_tcp_port}")
        await peer.readable.get_reader().read()
        await peer.writable.get_writer().write(b"four")
        received.set()
        refused = connect("127.0.0.1:1", secure_transport="starttls")
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        await refused.opened
        return Response(str((reader, writer)))

    listener = await asyncio.start_server(answer, "127.0.0.1", unused_tcp_port)
    async with listener, serving(fetch) as server, connected(server) as client:
        client.get("/", JSON)
        sockets = json.loads((await client.response()).body)["sockets"]
        client.get("/", HTML)
        page = (await client.response()).body.decode()
    peer, refused, plain = sockets
    assert (peer["address"], peer["state"]) == (f"127.0.0.1:{unused_tcp_port}", "open")
    assert (peer["bytes_sent"], peer["bytes_received"]) == (4, 5)
    assert 0 <= peer["age_seconds"] < 10
    assert peer["made_at"].startswith(f"{__file__}:")
    assert (refused["state"], refused["secure_transport"]) == ("failed", "starttls")
    assert "Connection refused" in refused["failure"] or "Connect call failed" in refused["failure"]
    assert (plain["address"], plain["state"]) == (f"127.0.0.1:{unused_tcp_port}", "open")
    assert "4 B sent, 5 B received" in page


async def test_a_hung_handler_shows_where_it_waits() -> None:
    async def fetch(request: Request) -> Response:
        waited_for = "nobody"
        await asyncio.Event().wait()
        return Response(waited_for)

    async with serving(fetch) as server, connected(server) as client:
        client.get("/", HTML)
        page = (await client.response()).body.decode()
        client.get("/", JSON)
        told = json.loads((await client.response()).body)
    assert "Error 1101: Worker hung" in page
    assert "waited_for" in page
    assert "&#x27;nobody&#x27;" in page
    assert told["message"].startswith(HUNG)
    assert (told["outcome"], told["frames"][0]["code"]) == ("hung", "await asyncio.Event().wait()")


async def test_variables_that_misbehave_harm_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise SystemExit

    async def fetch(request: Request) -> Response:
        hostile = Hostile()
        raise ValueError(str(id(hostile)))

    async with serving(fetch) as server, connected(server) as client:
        for _ in range(2):
            client.get("/", HTML)
            assert "tried to end the process" in (await client.response()).body.decode()
    assert caplog.records == []


async def test_a_message_that_can_t_be_written_is_answered_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError

    async def fetch(request: Request) -> Response:
        raise Mute

    async with serving(fetch) as server, connected(server) as client:
        for header in (HTML, JSON, "Accept: */*"):
            client.get("/", header)
            assert "Mute" in (await client.response()).body.decode()


class Kept:
    """Something a handler holds."""


async def test_nothing_of_the_handler_is_kept() -> None:
    kept: list[weakref.ref[Kept]] = []

    async def fetch(request: Request) -> Response:
        held = Kept()
        kept.append(weakref.ref(held))
        raise ValueError

    async with serving(fetch) as server, connected(server) as client:
        for header in (HTML, JSON):
            client.get("/", header)
            assert (await client.response()).status == 500
        client.get("/", HTML)
        await client.response()
        gc.collect()
        # The last one's exception may still be the loop's last result.
        assert [reference() for reference in kept[:2]] == [None, None]


@pytest.mark.parametrize(
    ("accept", "start"),
    [
        ([], b"The worker can't be loaded: "),
        (["text/html"], b"<!doctype html>"),
        ([JSON[8:]], b"{"),
    ],
)
def test_a_worker_that_can_t_be_loaded_is_answered_for(
    tmp_path: Any, accept: list[str], start: bytes
) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import gone_module\n")
    with pytest.raises(WorkerLoadError) as caught:
        Isolate.load("broken", path, {})
    headers, body = answer_to_load_failure(caught.value, accept, {"TOKEN": "gone_module"})
    assert headers[0][0] == "Content-Type"
    assert body.startswith(start)
    assert b"No module named" in body
