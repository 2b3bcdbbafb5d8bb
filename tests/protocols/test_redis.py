"""redis.py against redis-server, in the clear and over TLS, with and without a password."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from tests.protocols.conftest import RequireProgram
from tests.protocols.gallery import Client, next_event, worker
from tests.support.certificates import Authority
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.ports import free_port
from tests.support.process import beside, running
from tests.support.waiting import within

PASSWORD = "correct-horse-battery"
CLEAR = {"REDIS_TLS": "off"}


@pytest.fixture(scope="module")
def redis(
    require_program: RequireProgram, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A server without TLS and password; gives its address."""
    program = require_program("redis-server", debian="redis-server")
    port = free_port()
    options = ["--port", str(port), "--enable-debug-command", "yes"]
    with beside(redis_server(program, tmp_path_factory.mktemp("redis"), *options)):
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secured_redis(
    require_program: RequireProgram,
    tmp_path_factory: pytest.TempPathFactory,
    authority: Authority,
) -> Iterator[str]:
    """A server with TLS only, a password, and a user who may only read `public:` keys and channels."""
    program = require_program("redis-server", debian="redis-server")
    issued = authority.issue("127.0.0.1")
    port = free_port()
    options = [
        *["--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no"],
        *["--tls-cert-file", str(issued.certificate), "--tls-key-file", str(issued.key)],
        *["--tls-ca-cert-file", str(authority.certificate), "--requirepass", PASSWORD],
        *["--user", *f"reader on >{PASSWORD}! ~public:* &public:* +@read +@pubsub +hello".split()],
    ]
    with beside(redis_server(program, tmp_path_factory.mktemp("redis"), *options)):
        yield f"127.0.0.1:{port}"


@asynccontextmanager
async def redis_server(program: str, folder: Path, *options: str) -> AsyncIterator[None]:
    argv = [program, "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *options]
    async with running(argv, ready="Ready to accept connections"):
        yield


async def ask(client: Client, commands: object) -> tuple[int, Any]:
    """POST commands; return the status, and the JSON or text of the answer."""
    body = commands if isinstance(commands, str) else json.dumps(commands)
    async with client.post("/", data=body) as response:
        return response.status, await content(response)


async def content(response: ClientResponse) -> Any:
    is_json = response.content_type == "application/json"
    return await within(response.json() if is_json else response.text())


# Commands.


async def test_a_pipeline_is_answered_in_order_with_errors_in_their_places(redis: str) -> None:
    commands = [
        ["FLUSHALL"],
        ["SET", "greeting", "hello ☃\r\n+OK"],
        ["INCR", "greeting"],
        ["GET", "greeting"],
        ["GET", "nothing"],
        ["NOSUCH", "command"],
        ["INCRBY", "count", 42],
        ["RPUSH", "list", "a", 2, 3.5],
        ["LRANGE", "list", 0, -1],
    ]
    async with worker("redis", {"REDIS": redis, **CLEAR}) as client:
        status, answers = await ask(client, commands)
    assert status == 200
    assert answers == [
        "OK",
        "OK",
        {"error": "ERR value is not an integer or out of range"},
        "hello ☃\r\n+OK",
        None,
        {"error": "ERR unknown command 'NOSUCH', with args beginning with: 'command' "},
        42,
        3,
        ["a", "2", "3.5"],
    ]


async def test_a_pipeline_goes_out_at_once() -> None:
    def script(peer: Peer) -> None:
        peer.expect(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n")
        peer.send(b"%1\r\n+proto\r\n:3\r\n")
        peer.expect(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n")
        peer.trickle(b"$1\r\nA\r\n_\r\n")
        assert peer.wait_for_eof() == b""

    async with (
        PeerServer(script) as server,
        worker("redis", {"REDIS": server.address, **CLEAR}) as client,
    ):
        assert await ask(client, [["GET", "a"], ["GET", "b"]]) == (200, ["A", None])
        await server.result()


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("string", "Hello World"),
        ("integer", 12345),
        ("double", 3.141),
        ("null", None),
        ("array", [0, 1, 2]),
        ("set", [0, 1, 2]),
        ("map", {"0": False, "1": True, "2": False}),
        ("attrib", "Some real reply following the attribute"),
        ("push", "Some real reply following the push reply"),
        ("verbatim", "This is a verbatim\nstring"),
        ("true", True),
        ("false", False),
        ("bignum", 1234567999999999999999999999999999999),
    ],
)
async def test_every_type_of_resp3(redis: str, kind: str, shown: object) -> None:
    async with worker("redis", {"REDIS": redis, **CLEAR}) as client:
        assert await ask(client, [["DEBUG", "PROTOCOL", kind], ["PING"]]) == (200, [shown, "PONG"])


async def test_what_json_has_no_word_for(redis: str) -> None:
    commands = [
        ["EVAL", "return string.char(0, 255)", 0],
        ["ZADD", "scores", "inf", "a", "-inf", "b", "1.5", "c"],
        ["ZRANGE", "scores", 0, -1, "WITHSCORES"],
        ["DEL", "scores"],
    ]
    async with worker("redis", {"REDIS": redis, **CLEAR}) as client:
        _, answers = await ask(client, commands)
    assert answers == [{"base64": "AP8="}, 3, [["b", "-inf"], ["c", 1.5], ["a", "inf"]], 1]


async def test_ten_thousand_commands_and_a_long_text(redis: str) -> None:
    text = "x" * 500_000
    commands = [["SET", "text", text], ["GET", "text"], *(["ECHO", n] for n in range(10_000))]
    async with worker("redis", {"REDIS": redis, **CLEAR}) as client:
        status, answers = await ask(client, commands)
    assert status == 200
    assert answers[:2] == ["OK", text]
    assert answers[2:] == [str(number) for number in range(10_000)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ("[", "Expecting value: line 1 column 2 (char 1)"),
        ("{}", 'For example [["GET", "key"]].'),
        ("[]", 'For example [["GET", "key"]].'),
        ('["GET", "key"]', '"GET" is not a list of words.'),
        ("[[]]", "[] is not a list of words."),
        ('[["GET", null]]', '["GET", null] has words that are neither text nor numbers.'),
        ('[["GET", true]]', '["GET", true] has words that are neither text nor numbers.'),
        ('[["subscribe", "a"]]', "SUBSCRIBE does not go into a pipeline."),
        ('[["Client", "reply", "off"]]', "CLIENT does not go into a pipeline."),
    ],
)
async def test_what_is_no_pipeline_is_a_400(body: str, said: str) -> None:
    async with worker("redis", {"REDIS": "127.0.0.1:1", **CLEAR}) as client:
        answer = await ask(client, body)
    assert answer == (400, f"POST a JSON list of commands, or GET ?channel=NAME. {said}\n")


# Channels.


async def test_what_is_published_comes_as_events_until_the_client_goes(redis: str) -> None:
    async with worker("redis", {"REDIS": redis, **CLEAR}) as client:
        count = ["PUBSUB", "NUMSUB", "news", "sport"]
        response = await client.get("/", params=[("channel", "news"), ("channel", "sport")])
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        published = [["PUBLISH", "news", "hello\n\ndata: ☃"], ["PUBLISH", "other", "unheard"]]
        assert await ask(client, [*published, count]) == (200, [1, 0, ["news", 1, "sport", 1]])
        assert await next_event(response) == {"channel": "news", "message": "hello\n\ndata: ☃"}
        await ask(client, [["PUBLISH", "sport", "goal"]])
        assert await next_event(response) == {"channel": "sport", "message": "goal"}
        response.close()
        async with asyncio.timeout(10):
            while (await ask(client, [count]))[1] != [["news", 0, "sport", 0]]:
                pass  # Redis notices at its own pace.


async def test_a_stream_says_that_the_server_went() -> None:
    def script(peer: Peer) -> None:
        peer.read_exactly(len(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"))
        peer.send(b"+OK\r\n")
        peer.expect(b"*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\nnews\r\n")
        peer.send(b">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n")
        peer.send(b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n>3\r\n$7\r\nmess")

    async with (
        PeerServer(script) as server,
        worker("redis", {"REDIS": server.address, **CLEAR}) as client,
        client.get("/?channel=news") as response,
    ):
        assert await next_event(response) == {"channel": "news", "message": "hi"}
        assert await next_event(response) == {
            "event": "lost",
            "error": "The connection to the server is lost.",
        }
        assert await within(response.content.read()) == b""


# TLS and logins.


async def test_tls_and_a_password(secured_redis: str, authority: Authority) -> None:
    env = {"REDIS": secured_redis, "REDIS_PASSWORD": PASSWORD}
    async with worker("redis", env, authority=authority.certificate) as client:
        assert await ask(client, [["ACL", "WHOAMI"]]) == (200, ["default"])
        response = await client.get("/?channel=news")
        assert await ask(client, [["PUBLISH", "news", "over TLS"]]) == (200, [1])
        assert await next_event(response) == {"channel": "news", "message": "over TLS"}
        response.close()


async def test_a_user_with_few_rights(secured_redis: str, authority: Authority) -> None:
    env = {"REDIS": secured_redis, "REDIS_USER": "reader", "REDIS_PASSWORD": f"{PASSWORD}!"}
    async with worker("redis", env, authority=authority.certificate) as client:
        _, (public, private) = await ask(client, [["GET", "public:a"], ["GET", "private:a"]])
        assert public is None
        assert private["error"].startswith("NOPERM ")
        async with client.get("/?channel=private:news") as response:
            assert response.status == 400
            assert (await content(response))["error"].startswith("NOPERM ")


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"REDIS_PASSWORD": "wrong"}, "The server refused the login: WRONGPASS."),
        ({"REDIS_USER": "x", "REDIS_PASSWORD": "y"}, "The server refused the login: WRONGPASS."),
        ({}, "The server refused the login: NOAUTH."),
    ],
)
async def test_a_refused_login_is_a_502_that_names_nobody(
    secured_redis: str, authority: Authority, env: dict[str, str], said: str
) -> None:
    variables = {"REDIS": secured_redis, **env}
    async with worker("redis", variables, authority=authority.certificate) as client:
        assert await ask(client, [["PING"]]) == (502, f"{said}\n")


async def test_an_old_server_that_repeats_the_password_is_not_quoted() -> None:
    def script(peer: Peer) -> None:
        peer.read_exactly(1)
        peer.send(f"-ERR unknown command `HELLO`, beginning with: `{PASSWORD}`\r\n".encode())
        peer.wait_for_eof()

    env = {"REDIS_PASSWORD": PASSWORD, **CLEAR}
    async with (
        PeerServer(script) as server,
        worker("redis", {"REDIS": server.address, **env}) as client,
    ):
        said = "The server refused the login: ERR.\n"
        assert await ask(client, [["PING"]]) == (502, said)


async def test_a_certificate_that_nobody_vouches_for(secured_redis: str) -> None:
    async with worker("redis", {"REDIS": secured_redis, "REDIS_PASSWORD": PASSWORD}) as client:
        status, said = await ask(client, [["PING"]])
    assert status == 502
    assert said.startswith("proxy request failed, cannot connect to the specified address")


# What is no server.


async def test_nobody_there() -> None:
    with refusing_port() as refusing:
        address = f"127.0.0.1:{refusing.getsockname()[1]}"
        async with worker("redis", {"REDIS": address, **CLEAR}) as client:
            answer = await ask(client, [["PING"]])
    assert answer == (502, "proxy request failed, cannot connect to the specified address\n")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "Expected a Redis answer, got b'HTTP/1.1 400 Bad Req'.",
        ),
        (b"$five\r\n", "Expected a Redis answer, got b'$five'."),
        (b":\r\n", "Expected a Redis answer, got b':'."),
        (b"\r\n", "Expected a Redis answer, got b''."),
        (b"+" + b"x" * 100_000, "The server sent a line without an end."),
        (b"$5\r\nab", "The server closed the connection in the middle of the conversation."),
        (b"", "The server closed the connection in the middle of the conversation."),
    ],
)
async def test_a_peer_that_is_no_server_for_us(sent: bytes, said: str) -> None:
    def script(peer: Peer) -> None:
        peer.read_exactly(len(b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"))
        peer.send(sent)

    async with (
        PeerServer(script) as server,
        worker("redis", {"REDIS": server.address, **CLEAR}) as client,
    ):
        assert await ask(client, [["PING"]]) == (502, f"{said}\n")
