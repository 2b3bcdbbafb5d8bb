"""nats.py against nats-server: in the clear, over TLS where the server wants it, and with logins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from yarl import URL

from tests.protocols.conftest import RequireProgram
from tests.protocols.gallery import Client, next_event, worker
from tests.support.certificates import Authority
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.process import beside, running
from tests.support.waiting import within

PASSWORD = "correct horse battery"
INFO = b'INFO {"server_id":"peer","max_payload":100,"headers":true}\r\n'
USERS = f"""
authorization {{
    users = [{{
        user: clerk, password: "{PASSWORD}",
        permissions: {{ publish: ["orders.>"], subscribe: ["orders.>", "_INBOX.>"] }}
    }}]
}}
"""


@contextmanager
def nats_server(program: str, folder: Path, config: str) -> Iterator[str]:
    """Run a server with this configuration on a port of its choice; gives its address."""
    file = folder / "nats.conf"
    file.write_text(f'listen: "127.0.0.1:-1"\nmax_payload: 100000\n{config}')
    argv = [program, "--config", str(file)]
    ready = running(argv, ready=r"Listening for client connections on (127\.0\.0\.1:\d+)")
    with beside(ready) as process:
        assert process.match is not None
        yield process.match[1]


@pytest.fixture(scope="module")
def program(require_program: RequireProgram) -> str:
    return require_program("nats-server", debian="nats-server")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def nats(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that takes everybody, in the clear."""
    with nats_server(program, tmp_path_factory.mktemp("nats"), "") as address:
        yield address


@pytest.fixture(scope="module", params=["wanted", "offered"])
def nats_with_tls(
    program: str,
    tmp_path_factory: pytest.TempPathFactory,
    authority: Authority,
    request: pytest.FixtureRequest,
) -> Iterator[str]:
    """A server with a login that asks for TLS in its INFO, or says there that it has it."""
    issued = authority.issue("127.0.0.1")
    tls = f'tls {{ cert_file: "{issued.certificate}", key_file: "{issued.key}", timeout: 10 }}\n'
    optional = "allow_non_tls: true\n" if request.param == "offered" else ""
    folder = tmp_path_factory.mktemp("nats")
    with nats_server(program, folder, tls + optional + USERS) as address:
        yield address


@pytest.fixture(scope="module")
def nats_with_token(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that wants a token, and has no TLS."""
    config = f'authorization {{ token: "{PASSWORD}" }}'
    with nats_server(program, tmp_path_factory.mktemp("nats"), config) as address:
        yield address


@asynccontextmanager
async def another_client(address: str, *lines: str) -> AsyncIterator[asyncio.StreamReader]:
    """Talk to the server without the worker; gives what it says after `lines`, each of which it has taken."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        await within(reader.readline())
        writer.write(b'CONNECT {"verbose":false}\r\n')
        writer.writelines(line.encode() + b"\r\n" for line in [*lines, "PING"])
        assert await within(reader.readline()) == b"PONG\r\n"
        yield reader
    finally:
        writer.close()
        await writer.wait_closed()


async def post(client: Client, path: str, body: bytes = b"") -> tuple[int, bytes]:
    async with client.post(path, data=body) as response:
        return response.status, await within(response.read())


# Publish, ask, stream.


async def test_what_is_posted_reaches_another_client(nats: str) -> None:
    async with (
        worker("nats", {"NATS": nats}) as client,
        another_client(nats, "SUB orders.> 7") as reader,
    ):
        assert await post(client, "/orders.new", b"3 apples\r\nPING") == (204, b"")
        assert await within(reader.readline()) == b"MSG orders.new 7 14\r\n"
        assert await within(reader.readexactly(16)) == b"3 apples\r\nPING\r\n"
        assert await post(client, "/orders.empty") == (204, b"")
        assert await within(reader.readline()) == b"MSG orders.empty 7 0\r\n"


async def test_a_question_gets_the_first_reply(nats: str) -> None:
    async def answer() -> None:
        host, _, port = nats.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        await reader.readline()
        writer.write(b'CONNECT {"verbose":false}\r\nSUB time.now 1\r\nPING\r\n')
        await reader.readuntil(b"PONG\r\n")
        listening.set()
        line = (await reader.readline()).split()
        assert line[:3] == [b"MSG", b"time.now", b"1"]
        assert await reader.readexactly(int(line[4]) + 2) == b"in Oslo?\r\n"
        for reply in (b"noon \x00\xff", b"later"):
            writer.write(b"PUB %b %d\r\n%b\r\n" % (line[3], len(reply), reply))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    listening = asyncio.Event()
    answering = asyncio.create_task(answer())
    await within(listening.wait())
    async with worker("nats", {"NATS": nats}) as client:
        assert await post(client, "/time.now?ask", b"in Oslo?") == (200, b"noon \x00\xff")
    await within(answering)


async def test_a_question_that_nobody_listens_to(nats: str) -> None:
    async with worker("nats", {"NATS": nats}) as client:
        assert await post(client, "/void?ask") == (503, b"Nobody listens to void.\n")


async def test_what_is_published_comes_as_events_until_the_client_goes(nats: str) -> None:
    async with worker("nats", {"NATS": nats}) as client:
        response = await client.get("/stream.>")
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        for subject, body in [
            ("stream.a", b"one\n\ndata: \xe2\x98\x83"),
            ("stream.b.c", b"\x00\xff"),
        ]:
            assert await post(client, f"/{subject}", body) == (204, b"")
        first = {"subject": "stream.a", "message": "one\n\ndata: ☃"}
        assert await next_event(response) == first
        second = {"subject": "stream.b.c", "message": {"base64": "AP8="}}
        assert await next_event(response) == second
        assert await listens(nats, "stream.x")
        response.close()
        async with asyncio.timeout(10):
            while await listens(nats, "stream.x"):
                pass  # The server notices at its own pace.


async def listens(address: str, subject: str) -> bool:
    """Ask the server whether anybody listens to `subject`."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        await within(reader.readline())
        writer.write(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n')
        writer.write(f"SUB inbox 1\r\nPUB {subject} inbox 0\r\n\r\nPING\r\n".encode())
        return not (await within(reader.readline())).startswith(b"HMSG inbox 1")
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_stream_of_many_messages(nats: str) -> None:
    count = 5000
    async with worker("nats", {"NATS": nats}) as client, client.get("/many") as response:
        published = [f"PUB many {len(str(number))}\r\n{number}" for number in range(count)]
        async with another_client(nats, *published):
            for number in range(count):
                event = await next_event(response)
                assert event == {"subject": "many", "message": str(number)}


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/", 400, "The path is a subject: words with dots between them."),
        ("GET", "/a..b", 400, "The path is a subject: words with dots between them."),
        ("GET", "/a%20b", 400, "The path is a subject: words with dots between them."),
        ("GET", "/a%0D%0APING", 400, "The path is a subject: words with dots between them."),
        ("POST", "/a.*", 400, "A message goes to one subject, without * and >."),
        ("POST", "/a.%3E", 400, "A message goes to one subject, without * and >."),
        ("DELETE", "/a", 405, "GET streams a subject, POST publishes to it."),
    ],
)
async def test_what_cannot_be_asked_for(method: str, path: str, status: int, said: str) -> None:
    async with (
        worker("nats", {"NATS": "127.0.0.1:1"}) as client,
        client.request(method, URL(path, encoded=True)) as response,
    ):
        assert (response.status, await response.text()) == (status, f"{said}\n")


async def test_a_message_that_is_too_long_is_a_413(nats: str) -> None:
    async with worker("nats", {"NATS": nats}) as client:
        assert await post(client, "/long", bytes(100_000)) == (204, b"")
        said = b"The server takes 100000 bytes at most.\n"
        assert await post(client, "/long", bytes(100_001)) == (413, said)


# TLS and logins.


async def test_tls_and_a_login(nats_with_tls: str, authority: Authority) -> None:
    env = {"NATS": nats_with_tls, "NATS_USER": "clerk", "NATS_PASSWORD": PASSWORD}
    async with worker("nats", env, authority=authority.certificate) as client:
        response = await client.get("/orders.*")
        assert await post(client, "/orders.new", b"over TLS") == (204, b"")
        event = {"subject": "orders.new", "message": "over TLS"}
        assert await next_event(response) == event
        response.close()


async def test_what_the_user_may_not_do_is_a_403(nats_with_tls: str, authority: Authority) -> None:
    env = {"NATS": nats_with_tls, "NATS_USER": "clerk", "NATS_PASSWORD": PASSWORD}
    async with worker("nats", env, authority=authority.certificate) as client:
        said = b'Permissions Violation for Publish to "private".\n'
        assert await post(client, "/private") == (403, said)
        async with client.get("/private") as response:
            assert response.status == 403
            said = b'Permissions Violation for Subscription to "private".\n'
            assert await response.read() == said


@pytest.mark.parametrize("env", [{}, {"NATS_USER": "clerk", "NATS_PASSWORD": "wrong secret"}])
async def test_a_refused_login_is_a_502_that_names_nobody(
    nats_with_tls: str, authority: Authority, env: dict[str, str]
) -> None:
    variables = {"NATS": nats_with_tls, **env}
    async with worker("nats", variables, authority=authority.certificate) as client:
        said = b"The server says: Authorization Violation.\n"
        assert await post(client, "/orders.new") == (502, said)


async def test_a_certificate_that_nobody_vouches_for(nats_with_tls: str) -> None:
    async with worker("nats", {"NATS": nats_with_tls}) as client:
        status, said = await post(client, "/orders.new")
    assert status == 502
    assert said.startswith(b"proxy request failed, cannot connect to the specified address")


async def test_a_login_in_the_clear_takes_a_word(nats_with_token: str) -> None:
    env = {"NATS": nats_with_token, "NATS_TOKEN": PASSWORD}
    async with worker("nats", env) as client:
        said = b"The server offers no TLS. NATS_TLS=off sends the login without it.\n"
        assert await post(client, "/orders.new") == (502, said)
    async with worker("nats", {**env, "NATS_TLS": "off"}) as client:
        assert await post(client, "/orders.new") == (204, b"")


# What is no server, and what only a peer does at the right moment.


async def test_nobody_there() -> None:
    with refusing_port() as refusing:
        address = f"127.0.0.1:{refusing.getsockname()[1]}"
        async with worker("nats", {"NATS": address}) as client:
            answer = await post(client, "/a")
    assert answer == (502, b"proxy request failed, cannot connect to the specified address\n")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"SSH-2.0-other\r\n", "Expected a NATS server's INFO, got b'SSH-2.0-other'."),
        (b"INFO {}\r\n", "The server's INFO makes no sense."),
        (b"INFO [\r\n", "The server's INFO makes no sense."),
        (b"INFO []\r\n", "The server's INFO makes no sense."),
        (INFO + b"WHAT\r\n", "Expected a message from NATS, got b'WHAT'."),
        (INFO + b"MSG\r\n", "Expected a message from NATS, got b''."),
        (INFO + b"MSG a 1 x\r\n", "Expected a message from NATS, got b'a 1 x'."),
        (
            INFO + b"MSG a 1 5\r\nab",
            "The server closed the connection in the middle of the conversation.",
        ),
        (INFO[:9], "The server closed the connection in the middle of the conversation."),
        (INFO + b"-ERR 'Stale Connection'\r\n", "The server says: Stale Connection."),
        (b"x" * 100_000, "The server sent a line without an end."),
    ],
)
async def test_a_peer_that_is_no_server_for_us(sent: bytes, said: str) -> None:
    def script(peer: Peer) -> None:
        peer.send(sent)
        peer.half_close()
        while peer.read():
            pass

    async with PeerServer(script) as server, worker("nats", {"NATS": server.address}) as client:
        assert await post(client, "/a") == (502, f"{said}\n".encode())


async def test_a_stream_answers_pings_and_says_that_the_server_went() -> None:
    def script(peer: Peer) -> None:
        peer.send(INFO)
        assert peer.read_line().startswith(b"CONNECT {")
        assert peer.read_line() == b"PING\r\n"
        peer.send(b"PONG\r\n")
        assert peer.read_line() == b"SUB a 1\r\n"
        assert peer.read_line() == b"PING\r\n"
        peer.send(b"MSG a 1 5\r\nearly\r\nPONG\r\n" + INFO + b"PING\r\n")
        assert peer.read_line() == b"PONG\r\n"
        peer.send(b"HMSG a 1 reply.here 12 16\r\nNATS/1.0\r\n\r\nlate\r\nMSG a 1 5\r\nhal")

    async with (
        PeerServer(script) as server,
        worker("nats", {"NATS": server.address}) as client,
        client.get("/a") as response,
    ):
        assert await next_event(response) == {"subject": "a", "message": "early"}
        assert await next_event(response) == {"subject": "a", "message": "late"}
        assert (await next_event(response))["event"] == "lost"
        assert await within(response.content.read()) == b""
