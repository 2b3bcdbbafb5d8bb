"""serve(): a worker inside another program, named in every way there is."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import pytest

import emulator
from emulator.config import ConnectListener
from emulator.context import Observer
from emulator.errors import ListenError, WorkerLoadError
from emulator.http import Request, Response
from emulator.runtime.base import WorkerEntrypoint
from emulator.server.embedded import Named, serve
from tests.server.serving import worker
from tests.support.ports import listening_in_a_row

Client = Any

SCRIPT = """\
from workers import Response

async def on_fetch(request, env, ctx):
    return Response(f"from a file, {env.NAME}")

async def on_connect(socket, env, ctx):
    await socket.writable.get_writer().write(env.NAME.encode())
"""


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        return Response(f"from a class, {self.env.NAME}")


def made_up() -> ModuleType:
    return worker(fetch=lambda request, env: Response(f"from a module, {env.NAME}"))


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "some_worker.py"
    path.write_text(SCRIPT)
    return path


async def text_of(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()


async def test_by_path(script: Path) -> None:
    for named in (script, str(script)):
        async with emulator.serve(named, env={"NAME": "x"}) as server:
            assert server.url == f"http://127.0.0.1:{server.port}"
            assert await text_of(server.url) == "from a file, x"


async def test_by_a_path_from_here(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(script.parent)
    async with serve("some_worker.py", env={"NAME": "x"}) as server:
        assert await text_of(server.url) == "from a file, x"


async def test_by_importable_name(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(script.parent)
    script.with_name("importable_worker.py").write_text(
        textwrap.dedent(
            """\
            from emulator.http import Response

            def on_fetch(request, env):
                return Response(f"by name, {env.NAME}")
            """
        )
    )
    try:
        async with serve("importable_worker", env={"NAME": "x"}) as server:
            assert await text_of(server.url) == "by name, x"
    finally:
        sys.modules.pop("importable_worker", None)


async def test_by_module_and_by_class() -> None:
    for named, expected in ((made_up(), "from a module, x"), (Default, "from a class, x")):
        async with serve(named, env={"NAME": "x"}) as server:
            assert await text_of(server.url) == expected


async def test_with_pytest_aiohttps_client(aiohttp_client: Client, script: Path) -> None:
    client = await aiohttp_client(serve(script, env={"NAME": "y"}))
    async with client.get("/") as response:
        assert await response.text() == "from a file, y"


async def test_twice_in_one_process(script: Path) -> None:
    async with serve(script, env={"NAME": "1"}) as one, serve(script, env={"NAME": "2"}) as two:
        assert one.port != two.port
        assert await text_of(one.url) == "from a file, 1"
        assert await text_of(two.url) == "from a file, 2"


async def test_connect_listeners(script: Path) -> None:
    entry = ConnectListener("tcp", 0, "127.0.0.1")
    for asked in (2, [entry, entry]):
        async with serve(script, env={"NAME": "z"}, connect=asked) as server:
            assert len(set(server.connect_addresses)) == 2
            for address in server.connect_addresses:
                host, _, port = address.rpartition(":")
                reader, writer = await asyncio.open_connection(host, int(port))
                assert await reader.read() == b"z"
                writer.close()
                await writer.wait_closed()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_on_a_host(host: str) -> None:
    async with serve(made_up(), env={"NAME": "x"}, host=host) as server:
        assert await text_of(server.url) == "from a module, x"


async def test_an_observer_hears_the_notes(tmp_path: Path) -> None:
    script = tmp_path / "noted.py"
    script.write_text(
        SCRIPT + "\nfrom workers import DurableObject\n\nclass Room(DurableObject):\n    pass\n"
    )
    notes: list[str] = []

    class Notes(Observer):
        def note(self, text: str) -> None:
            notes.append(text)

    async with serve(script, observer=Notes()):
        pass
    assert [note for note in notes if note.startswith("Class Room is a ")] == notes != []


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("no/such/file.py", "There is no worker file no/such/file.py."),
        ("no_such_module", "The worker 'no_such_module' can't be imported: ModuleNotFoundError: "),
        ("no_such.module", "The worker 'no_such.module' can't be imported: ModuleNotFoundError: "),
    ],
)
async def test_a_worker_that_is_not_there(named: str, sentence: str) -> None:
    server = serve(named)
    with pytest.raises(WorkerLoadError) as failure:
        await server.start_server()
    assert str(failure.value).startswith(sentence)


async def test_a_worker_that_can_t_be_loaded(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("import os\n1 / 0\n")
    with pytest.raises(WorkerLoadError, match="ZeroDivisionError: division by zero") as failure:
        async with serve(script):
            pass
    assert str(failure.value).endswith("broken.py:2)")


async def test_a_worker_without_handlers() -> None:
    with pytest.raises(WorkerLoadError, match="has no handlers"):
        async with serve(worker()):
            pass


async def test_ports_that_are_taken() -> None:
    with listening_in_a_row(1) as port:
        with pytest.raises(ListenError, match=f"Port {port} on 127.0.0.1 is in use."):
            async with serve(made_up(), port=port):
                pass
        taken = ConnectListener("tcp", port, "127.0.0.1")
        free = ConnectListener("tcp", 0, "127.0.0.1")
        server = serve(made_up(), connect=[free, taken])
        with pytest.raises(ListenError, match=f"Port {port} on 127.0.0.1 is in use."):
            await server.start_server()
        # Nothing is left listening.
        with pytest.raises(aiohttp.ClientConnectorError):
            await text_of(f"http://{server.connect_addresses[0]}/")


async def test_a_host_that_is_none() -> None:
    with pytest.raises(
        ListenError, match=r"'no\.such\.host\.invalid' is not an address of this machine"
    ):
        async with serve(made_up(), host="no.such.host.invalid"):
            pass


async def test_closing_twice_and_reusing_the_port(script: Path) -> None:
    server = serve(script, env={"NAME": "x"})
    await server.start_server()
    await server.start_server()  # Done once.
    port, url = server.port, server.url
    assert port is not None
    assert await text_of(url) == "from a file, x"
    await server.close()
    await server.close()
    with pytest.raises(aiohttp.ClientConnectorError):
        await text_of(url)
    async with serve(script, env={"NAME": "again"}, port=port) as again:
        assert again.url == url
        assert await text_of(url) == "from a file, again"


async def test_a_worker_s_modules_are_gone_after_closing(script: Path) -> None:
    before = set(sys.modules)
    async with serve(script, env={"NAME": "x"}) as server:
        await text_of(server.url)
        assert any(name.endswith(".some_worker") for name in set(sys.modules) - before)
    assert not any(name.endswith(".some_worker") for name in set(sys.modules) - before)


async def test_other_workers_by_every_name(script: Path) -> None:
    async def fetch(request: Request, env: Any) -> Response:
        texts = [await (await each.fetch("http://x/")).text() for each in (env.A, env.B, env.C)]
        return Response(", ".join(texts))

    services: dict[str, Named] = {
        "A": emulator.Service(script, {"NAME": "a"}),
        "B": emulator.Service(Default, {"NAME": "b"}),
        "C": worker(fetch=lambda request, env: env.B.fetch(request)),
    }
    async with emulator.serve(worker(fetch=fetch), services=services) as server:
        assert await text_of(server.url) == "from a file, a, from a class, b, from a class, b"


async def test_another_worker_that_can_not_be_loaded(tmp_path: Path) -> None:
    server = emulator.serve(made_up(), services={"A": tmp_path / "gone.py"})
    with pytest.raises(WorkerLoadError, match=r"There is no worker file .*gone\.py"):
        await server.start_server()
