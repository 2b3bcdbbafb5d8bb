"""Routes under /cdn-cgi/: what they answer, and to whom."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from urllib.parse import quote

import pytest

from emulator.context import Outcome
from emulator.http import Request, Response
from emulator.server.embedded import WorkerServer, serve
from tests.server.serving import RawResponse, Recorder, connected, worker
from tests.support.waiting import within

SCHEDULED = "/cdn-cgi/local/scheduled"


class Served:
    """A worker that remembers which events it was given, and a client of it."""

    def __init__(self, raised: Exception | None = None) -> None:
        self.events: list[Any] = []
        self.paths: list[str] = []
        self.recorder = Recorder()
        self._raised = raised

    def server(self) -> WorkerServer:
        """A server of this worker."""

        async def scheduled(event: Any, env: Any, ctx: Any) -> None:
            self.events.append(event)
            if self._raised is not None:
                raise self._raised

        async def fetch(request: Request) -> Response:
            self.paths.append(request.url)
            return Response("from the worker")

        return serve(worker(fetch=fetch, scheduled=scheduled), observer=self.recorder)


async def ask(
    server: WorkerServer, path: str, *headers: str, method: str = "GET", host: str = "localhost"
) -> RawResponse:
    """Return the answer to one request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]
    async with connected(server) as client:
        client.send("\r\n".join(lines).encode())
        return await client.response(to=method)


@pytest.mark.parametrize("path", [SCHEDULED, "/cdn-cgi/handler/scheduled"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_scheduled_fires(path: str, method: str) -> None:
    served = Served()
    async with served.server() as server:
        url = f"{path}?cron=*/5+*+*+*+*&time=1767225600000"
        response = await ask(server, url, method=method)
        assert (response.status, response.body) == (200, b"ok")
        (event,) = served.events
        assert (event.cron, event.scheduled_time) == ("*/5 * * * *", 1_767_225_600_000)
        assert served.recorder.of("note") == []
        labels = [record.label for record in served.recorder.of("event_finished")]
        assert labels == ['SCHEDULED "*/5 * * * *"', f"{method} {url}"]


async def test_scheduled_without_anything_is_now() -> None:
    served = Served()
    async with served.server() as server:
        before = time.time()
        assert (await ask(server, SCHEDULED)).body == b"ok"
        (event,) = served.events
        assert event.cron == ""
        assert before - 1 <= event.scheduled_time / 1000 <= time.time() + 1


@pytest.mark.parametrize(
    ("raised", "status", "outcome"), [(None, 200, "ok"), (ValueError("no"), 500, "exception")]
)
async def test_scheduled_as_json(raised: Exception | None, status: int, outcome: str) -> None:
    served = Served(raised)
    async with served.server() as server:
        response = await ask(server, f"{SCHEDULED}?format=json")
        assert (response.status, response["content-type"]) == (status, "application/json")
        assert json.loads(response.body) == {"outcome": outcome, "noRetry": False}
        assert (await ask(server, SCHEDULED)).body == outcome.encode()


@pytest.mark.parametrize("moment", ["soon", "-1", "1.5", "9" * 17, "٣"])
async def test_a_time_that_is_none(moment: str) -> None:
    served = Served()
    async with served.server() as server:
        response = await ask(server, f"{SCHEDULED}?time={quote(moment)}")
        assert response.status == 400
        assert served.events == []


async def test_an_expression_that_is_none_is_fired_and_noted() -> None:
    served = Served()
    async with served.server() as server:
        assert (await ask(server, f"{SCHEDULED}?cron=nightly")).body == b"ok"
        assert served.events[0].cron == "nightly"
        (note,) = served.recorder.of("note")
        assert note.startswith('"nightly" is not a cron expression: it has 1 fields')


async def test_other_methods_do_not_fire() -> None:
    served = Served()
    async with served.server() as server:
        response = await ask(server, SCHEDULED, method="HEAD")
        assert (response.status, response["allow"]) == (405, "GET, POST")
        assert served.events == []


@pytest.mark.parametrize(
    "path",
    [
        "/cdn-cgi/nothing",
        "/cdn-cgi/",
        "/cdn-cgi/local/scheduled/x",
        "/x/../cdn-cgi/nothing",
        "/x/%2e%2e/cdn-cgi/nothing",
        "http://localhost/cdn-cgi/nothing",
    ],
)
async def test_others_are_unknown_and_never_the_worker_s(path: str) -> None:
    served = Served()
    async with served.server() as server:
        response = await ask(server, path)
        assert response.status == 404
        assert b"The platform keeps /cdn-cgi/ for itself" in response.body
        assert served.paths == []


@pytest.mark.parametrize(
    "path",
    [
        "/cdn-cgi",
        "/a/cdn-cgi/local/",
        "/?next=/cdn-cgi/local/",
        "//cdn-cgi/local/",
        "/CDN-CGI/local/",
    ],
)
async def test_paths_that_only_look_like_it_are_the_worker_s(path: str) -> None:
    served = Served()
    async with served.server() as server:
        assert (await ask(server, path, host="evil.example")).body == b"from the worker"


@pytest.mark.parametrize("path", ["/cdn-cgi/local", "/cdn-cgi/local/"])
async def test_there_is_a_list(path: str) -> None:
    async with Served().server() as server:
        response = await ask(server, path)
        assert response.status == 200
        assert f"{SCHEDULED}?cron=" in response.body.decode()


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8787",
        "app.localhost",
        "127.0.0.1:1",
        "127.9.9.9",
        "[::1]:80",
        "localhost.",
    ],
)
async def test_names_of_this_machine_may_ask(host: str) -> None:
    async with Served().server() as server:
        assert (await ask(server, "/cdn-cgi/local/", host=host)).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "10.0.0.1", "192.168.1.5:8787", "notlocalhost"],
)
async def test_other_names_may_not(host: str) -> None:
    served = Served()
    async with served.server() as server:
        response = await ask(server, SCHEDULED, host=host)
        assert response.status == 403
        assert f"the Host header says {host}." in response.body.decode()
        assert served.events == []
        assert (await ask(server, "/", host=host)).body == b"from the worker"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Origin: http://localhost:3000", 200),
        ("Origin: http://127.0.0.1", 200),
        ("Origin: https://evil.example", 403),
        ("Origin: null", 403),
        ("Sec-Fetch-Site: cross-site", 403),
        ("Sec-Fetch-Site: same-origin", 200),
        ("Sec-Fetch-Site: none", 200),
    ],
)
async def test_pages_of_other_sites_may_not(header: str, status: int) -> None:
    served = Served()
    async with served.server() as server:
        assert (await ask(server, SCHEDULED, header)).status == status
        assert len(served.events) == (status == 200)


async def test_an_event_outlives_the_client_that_fired_it() -> None:
    recorder = Recorder()
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def scheduled(event: Any, env: Any, ctx: Any) -> None:
        begun.set()
        await go_on.wait()

    async with serve(worker(scheduled=scheduled), observer=recorder) as server:
        async with connected(server) as client:
            client.send(f"GET {SCHEDULED} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            await within(begun.wait())
            client.writer.transport.abort()
        left = await recorder.wait_for("event_finished")
        assert (left.label, left.outcome) == (f"GET {SCHEDULED}", Outcome.CANCELED)
        go_on.set()
        ran = await recorder.wait_for("event_finished", 2)
        assert (ran.label, ran.outcome) == ("SCHEDULED", Outcome.OK)
