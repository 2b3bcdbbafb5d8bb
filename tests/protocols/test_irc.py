"""workers/irc.py against ngircd; servers that break its rules are scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.protocols.conftest import RequireProgram
from tests.protocols.gallery import next_event, worker
from tests.support.folders import open_folder
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.ports import free_port
from tests.support.process import RunningProcess, running
from tests.support.waiting import within

PASSWORD = "open sesame"

CONFIGURATION = """
[Global]
Name = irc.example.com
Info = test
Listen = 127.0.0.1
Ports = {port}
Password = {password}
MotdPhrase = hello
ServerUID = nobody
ServerGID = nogroup
[Options]
DNS = no
Ident = no
PAM = no
[Limits]
MaxConnectionsIP = 0
[Channel]
Name = #quiet
Modes = m
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as path:
        yield path


@pytest.fixture
async def ngircd(
    require_program: RequireProgram, folder: Path
) -> AsyncIterator[tuple[str, RunningProcess]]:
    """ngircd on a free port: its address and its process, whose output tells who comes and goes."""
    program = require_program("ngircd", debian="ngircd")
    port = free_port()
    path = folder / "ngircd.conf"
    path.write_text(CONFIGURATION.format(port=port, password=PASSWORD.replace(" ", "_")))
    async with running([program, "-n", "-f", str(path)], ready=port) as process:
        yield f"127.0.0.1:{port}", process


def env(address: str, nick: str = "ann", **more: str) -> dict[str, str]:
    return {
        "IRC": address,
        "IRC_TLS": "off",
        "IRC_NICK": nick,
        "IRC_PASSWORD": PASSWORD.replace(" ", "_"),
        **more,
    }


class User:
    """Somebody else on the server, with a plain connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def until(self, awaited: str) -> str:
        """Read to the line that has `awaited` in it; return that line."""
        while awaited not in (line := (await within(self._reader.readline())).decode()):
            assert line, f"the connection ended before {awaited!r}"
            if line.startswith("PING"):
                self.send(line.replace("PING", "PONG").rstrip())
        return line.rstrip("\r\n")


@asynccontextmanager
async def user(address: str, nick: str, channel: str) -> AsyncIterator[User]:
    """Be on the server as `nick`, in `channel`."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        somebody = User(reader, writer)
        somebody.send(
            f"PASS {PASSWORD.replace(' ', '_')}", f"NICK {nick}", f"USER {nick} 0 * :{nick}"
        )
        somebody.send(f"JOIN {channel}")
        await somebody.until(" 366 ")
        yield somebody
    finally:
        writer.close()
        await writer.wait_closed()


async def test_what_is_said_is_heard(ngircd: tuple[str, RunningProcess]) -> None:
    address, _ = ngircd
    async with user(address, "bob", "#python") as bob, worker("irc", env(address)) as client:
        answer = await client.post("/python", data="Good morning\n\n:-) ☃\r\n".encode())
        assert (answer.status, await answer.text()) == (200, "Said in #python as ann.\n")
        assert (await bob.until("JOIN")).startswith(":ann!")
        first = await bob.until("PRIVMSG")
        assert first.startswith(":ann!")
        assert first.endswith(" PRIVMSG #python :Good morning")
        assert (await bob.until("PRIVMSG")).endswith(" PRIVMSG #python ::-) ☃")
        assert (await bob.until("QUIT")).startswith(":ann!")


async def test_listening_until_the_client_goes(ngircd: tuple[str, RunningProcess]) -> None:
    address, _ = ngircd
    async with user(address, "bob", "#python") as bob, worker("irc", env(address)) as client:
        answer = await client.get("/python")
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert await next_event(answer) == {"comment": "listening as ann"}
        bob.send("PRIVMSG #python :Hello : there\rx", "PRIVMSG ann :aside", "NOTICE #python :ok")
        assert await next_event(answer) == {
            "event": "privmsg",
            "from": "bob",
            "text": "Hello : there",
        }
        assert await next_event(answer) == {"event": "notice", "from": "bob", "text": "ok"}
        async with user(address, "eve", "#python"):
            assert await next_event(answer) == {"event": "join", "from": "eve", "text": ""}
        assert (await next_event(answer))["event"] == "quit"
        answer.close()
        assert (await bob.until(" QUIT ")).startswith(":eve!")
        assert (await bob.until(" QUIT ")).endswith('QUIT :"Bye"')


async def test_a_nick_in_use_gets_a_number(ngircd: tuple[str, RunningProcess]) -> None:
    address, _ = ngircd
    async with (
        user(address, "longnick9", "#python") as bob,
        worker("irc", env(address, "longnick9")) as client,
    ):
        answer = await client.post("/python", data=b"It is me")
        assert await answer.text() == "Said in #python as longnick0.\n"
        assert (await bob.until("PRIVMSG")).startswith(":longnick0!")


async def test_a_wrong_password(ngircd: tuple[str, RunningProcess]) -> None:
    address, _ = ngircd
    async with worker("irc", env(address, IRC_PASSWORD="wrong")) as client:
        answer = await client.post("/python", data=b"Hi")
        assert (answer.status, await answer.text()) == (502, "ERROR Access denied: Bad password?\n")


async def test_a_channel_where_we_may_not_speak(ngircd: tuple[str, RunningProcess]) -> None:
    address, process = ngircd
    async with user(address, "bob", "#quiet"), worker("irc", env(address)) as client:
        answer = await client.post("/quiet", data=b"Hi")
        assert answer.status == 403
        assert await answer.text() == "404 #quiet Cannot send to channel\n"
        await process.line(r"unregistered .*: Got QUIT command\.")


# Input, and servers that misbehave.


@pytest.mark.parametrize(
    "path", ["/", "/a%20b", "/a,b", "/a%0d%0aQUIT", "/a%0aQUIT", "/a:b", "/" + "x" * 50]
)
async def test_a_channel_is_a_channel(path: str) -> None:
    async with worker("irc", env("localhost:1")) as client:
        answer = await client.post(path, data=b"Hi")
        assert answer.status == 400
        assert (
            await answer.text() == "A channel has 1 to 49 characters, no space, comma or colon.\n"
        )


@pytest.mark.parametrize("text", ["x" * 401, "ö" * 201, "a\0b", "line\n" * 21])
async def test_what_can_not_be_said(text: str) -> None:
    async with worker("irc", env("localhost:1")) as client:
        answer = await client.post("/python", data=text.encode())
        assert answer.status == 400
        assert await answer.text() == "20 lines of 400 bytes at most, no NUL.\n"


@pytest.mark.parametrize(("method", "text"), [("POST", " \n"), ("GET", "x"), ("DELETE", "")])
async def test_methods(method: str, text: str) -> None:
    async with worker("irc", env("localhost:1")) as client:
        answer = await client.request(method, "/python", data=text.encode())
        assert (answer.status, await answer.text()) == (405, "GET to listen, POST what to say.\n")


async def test_nobody_is_there() -> None:
    with refusing_port() as taken:
        async with worker("irc", env(f"127.0.0.1:{taken.getsockname()[1]}")) as client:
            answer = await client.get("/python")
            assert (answer.status, await answer.text()) == (
                502,
                "proxy request failed, cannot connect to the specified address\n",
            )


def registering(then: Callable[[Peer], None]) -> Callable[[Peer], bytes]:
    """A peer's script: what a client says first, then `then`; gives what the client says at the end."""

    def script(peer: Peer) -> bytes:
        peer.expect(b"PASS open_sesame\r\nNICK ann\r\nUSER ann 0 * :ann\r\n")
        then(peer)
        return peer.wait_for_eof()

    return script


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"x" * 100_000, "The IRC server broke off in the middle of a line."),
        (b":a 465 ann :You are banned\r\n", "465 You are banned"),
        (b"ERROR :Closing Link\r\n", "ERROR Closing Link"),
        (b"\r\n: \r\n:a\r\n432\r\n", "432 "),
        (b":a 433 * ann :In use\r\n" * 5, "433 ann is in use, and so are its likes"),
    ],
)
async def test_a_server_that_does_not_let_us_in(said: bytes, error: str) -> None:
    script = registering(lambda peer: peer.send(said))
    async with PeerServer(script) as server, worker("irc", env(server.address)) as client:
        answer = await client.get("/python")
        assert (answer.status, await answer.text()) == (502, f"{error}\n")
        assert (await server.result()).endswith(b"QUIT :Bye\r\n")


async def test_a_ping_before_the_welcome_is_answered() -> None:
    def then(peer: Peer) -> None:
        peer.send(b"PING :token\r\n")
        peer.expect(b"PONG :token\r\n")
        peer.send(b":a 001 ann :Welcome\r\n:a 422 ann :No message of the day\r\n")
        peer.expect(b"JOIN #python\r\n")
        peer.send(b":a 403 ann #python :No such channel\r\n")

    async with (
        PeerServer(registering(then)) as server,
        worker("irc", env(server.address)) as client,
    ):
        answer = await client.get("/python")
        assert (answer.status, await answer.text()) == (403, "403 #python No such channel\n")
        assert await server.result() == b"QUIT :Bye\r\n"


async def test_a_ping_is_answered_while_listening_and_the_end_is_no_clean_one() -> None:
    def then(peer: Peer) -> None:
        peer.send(b":a 001 ann :Welcome\r\n")
        peer.expect(b"JOIN #python\r\n")
        peer.send(b":ann!x JOIN :#python\r\n:a 366 ann #python :End\r\nPING a\r\n")
        peer.expect(b"PONG :a\r\n")
        peer.send(b':bob!x@y TOPIC #Python :\x01Odd"\n\r\n:bob PRIVMSG #other :x\r\n')
        peer.send(b":bob QUIT\r\n")
        peer.half_close()

    async with (
        PeerServer(registering(then)) as server,
        worker("irc", env(server.address)) as client,
    ):
        answer = await client.get("/python")
        assert await next_event(answer) == {"comment": "listening as ann"}
        topic = {"event": "topic", "from": "bob", "text": '\x01Odd"'}
        assert await next_event(answer) == topic
        assert await next_event(answer) == {"event": "quit", "from": "bob", "text": ""}
        with pytest.raises(aiohttp.ClientPayloadError):
            await next_event(answer)
        assert await server.result() == b""  # There is nobody left to say goodbye to.
