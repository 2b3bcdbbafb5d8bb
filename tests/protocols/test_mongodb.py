"""mongodb.py against SecantusDB, with TLS and logins by SCRAM-SHA-256.

No package has a mongod. SecantusDB is another server of MongoDB's protocol, on WiredTiger, which is mongod's storage
engine too; pymongo, MongoDB's own client, reads back what is inserted here.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from yarl import URL

from tests.protocols.conftest import RequireProgram
from tests.protocols.gallery import Client, worker
from tests.support.certificates import Authority
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.process import beside, running
from tests.support.waiting import within

PASSWORD = "correct, horse = battery"
CLEAR = {"MONGODB_TLS": "off", "MONGODB_DATABASE": "shop"}


@contextmanager
def secantusdb(program: str, folder: str, *options: str) -> Iterator[str]:
    """Run a server on a port of its choice with its data in `folder`; gives its address."""
    argv = [program, "--host", "127.0.0.1", "--port", "0", "--storage-path", folder]
    argv += ["--cache-size", "64M", "--config", str(Path(folder) / "none.toml"), *options]
    (Path(folder) / "none.toml").touch()
    ready = running(argv, ready=r"listening on (127\.0\.0\.1:\d+)")
    with beside(ready) as process:
        assert process.match is not None
        yield process.match[1]


@pytest.fixture(scope="module")
def program(require_program: RequireProgram) -> str:
    return require_program("secantusd-py", pypi="secantusdb")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def open_mongodb(program: str) -> Iterator[str]:
    """A server that takes everybody, in the clear."""
    with (
        tempfile.TemporaryDirectory(prefix="pyworker-mongodb-") as folder,
        secantusdb(program, folder) as address,
    ):
        yield address


@pytest.fixture
def mongodb(open_mongodb: str) -> str:
    """The open server, with no documents."""
    with client_of(open_mongodb) as client:
        client.drop_database("shop")
    return open_mongodb


@pytest.fixture(scope="module")
def secured_mongodb(program: str, authority: Authority) -> Iterator[str]:
    """A server with TLS, that takes the clerk only."""
    issued = authority.issue("127.0.0.1")
    tls = ["--tls-cert-file", str(issued.certificate), "--tls-key-file", str(issued.key)]
    with tempfile.TemporaryDirectory(prefix="pyworker-mongodb-") as folder:
        kept = secantusdb(program, folder, "--sync-on-commit")  # It does not get to say goodbye.
        with kept as address, client_of(address) as client:
            roles = [{"role": "readWrite", "db": "shop"}]
            client.admin.command("createUser", "clerk", pwd=PASSWORD, roles=roles)
        with secantusdb(program, folder, "--auth", *tls) as address:
            yield address


def client_of(address: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(f"mongodb://{address}/?directConnection=true")


async def get(client: Client, path: str, **query: str) -> tuple[int, Any]:
    async with client.get(path, params=query) as response:
        is_json = response.content_type == "application/json"
        return response.status, await within(response.json() if is_json else response.text())


async def post(client: Client, path: str, body: object) -> tuple[int, Any]:
    data = body if isinstance(body, str) else json.dumps(body)
    async with client.post(path, data=data) as response:
        is_json = response.content_type == "application/json"
        return response.status, await within(response.json() if is_json else response.text())


# What it does.


async def test_hello(mongodb: str) -> None:
    async with worker("mongodb", {"MONGODB": mongodb, **CLEAR}) as client:
        status, answer = await get(client, "/")
    assert status == 200
    assert answer["isWritablePrimary"] is True
    assert answer["maxBsonObjectSize"] == 16 * 1024 * 1024
    assert set(answer["localTime"]) == {"$date"}


async def test_what_is_inserted_is_found(mongodb: str) -> None:
    lamp = {
        "_id": {"$oid": "0123456789abcdef01234567"},
        "name": "Lampe à pétrole ☃",
        "price": {"$numberDecimal": "9.90"},
        "weight": 1.25,
        "count": 2**40,
        "few": -3,
        "sold": False,
        "owner": None,
        "seen": {"$date": "2024-02-29T12:00:00.500Z"},
        "picture": {"$binary": {"base64": "AP8=", "subType": "00"}},
        "parts": [{"name": "wick"}, [], {}],
    }
    async with worker("mongodb", {"MONGODB": mongodb, **CLEAR}) as client:
        assert await post(client, "/things", lamp) == (200, {"inserted": [lamp["_id"]]})
        _, answer = await post(client, "/things", [{"name": "chair"}, {"name": "table", "_id": 7}])
        (chair, table) = answer["inserted"]
        assert len(chair["$oid"]) == 24
        assert table == 7
        by_id = json.dumps({"_id": lamp["_id"]})
        assert await get(client, "/things", filter=by_id) == (200, [lamp])
        by_name = json.dumps({"name": {"$in": ["chair", "table"]}})
        both = [{"_id": chair, "name": "chair"}, {"name": "table", "_id": 7}]
        assert await get(client, "/things", filter=by_name) == (200, both)
        assert await get(client, "/things", filter=by_name, limit="1") == (200, both[:1])
        assert await get(client, "/nothing") == (200, [])
    with client_of(mongodb) as pymongo:
        found = pymongo.shop.things.find_one({"name": lamp["name"]})
        assert found is not None
        assert (found["count"], found["picture"], str(found["price"])) == (2**40, b"\0\xff", "9.90")


async def test_documents_come_in_as_many_batches_as_the_server_likes(mongodb: str) -> None:
    async with worker("mongodb", {"MONGODB": mongodb, **CLEAR}) as client:
        await post(client, "/numbers", [{"_id": number} for number in range(1000)])
        _, documents = await get(client, "/numbers", limit="900")
        assert documents == [{"_id": number} for number in range(900)]
        _, documents = await get(client, "/numbers")
        assert documents == [{"_id": number} for number in range(100)]


async def test_a_document_that_is_there_already_is_a_409(mongodb: str) -> None:
    async with worker("mongodb", {"MONGODB": mongodb, **CLEAR}) as client:
        await post(client, "/unique", {"_id": 2})
        status, answer = await post(client, "/unique", [{"_id": 1}, {"_id": 2}, {"_id": 3}])
        assert status == 409
        assert answer["inserted"] == [1]
        assert (answer["refused"]["index"], answer["refused"]["code"]) == (1, 11000)
        _, documents = await get(client, "/unique")
        assert sorted(document["_id"] for document in documents) == [1, 2]


async def test_a_command_that_the_server_refuses_is_a_400_with_its_code(mongodb: str) -> None:
    async with worker("mongodb", {"MONGODB": mongodb, **CLEAR}) as client:
        status, answer = await get(client, "/things", filter='{"a": {"$nonsense": 1}}')
    assert (status, answer["code"], answer["name"]) == (400, 2, "BadValue")
    assert "$nonsense" in answer["error"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ("[]", "POST a document, or a list of them."),
        ("3", "POST a document, or a list of them."),
        ("[3]", "Each of the list must be a document."),
        ('{"a": 99999999999999999999}', "BSON has no type for 99999999999999999999."),
        ('{"a": {"$date": "soon"}}', "Invalid isoformat string: 'soon'"),
    ],
)
async def test_what_cannot_be_inserted(mongodb: str, body: str, said: str) -> None:
    async with worker("mongodb", {"MONGODB": mongodb, **CLEAR}) as client:
        assert await post(client, "/a", body) == (400, f"This can't be asked for: {said}\n")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "filter=%7B",
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        ("filter=3", "A filter is a document, a limit 1 to 10000."),
        ("limit=0", "A filter is a document, a limit 1 to 10000."),
        ("limit=10001", "A filter is a document, a limit 1 to 10000."),
        ("limit=ten", "invalid literal for int() with base 10: 'ten'"),
    ],
)
async def test_what_cannot_be_found(query: str, said: str) -> None:
    async with worker("mongodb", {"MONGODB": "127.0.0.1:1", **CLEAR}) as client:
        answer = await get(client, str(URL(f"/a?{query}", encoded=True)))
    assert answer == (400, f"This can't be asked for: {said}\n")


async def test_a_post_needs_a_collection() -> None:
    async with worker("mongodb", {"MONGODB": "127.0.0.1:1", **CLEAR}) as client:
        said = "GET /, GET /COLLECTION or POST /COLLECTION.\n"
        assert await post(client, "/", {}) == (405, said)


# TLS and logins.


def login(address: str, **env: str) -> dict[str, str]:
    clerk = {"MONGODB_DATABASE": "shop", "MONGODB_USER": "clerk", "MONGODB_PASSWORD": PASSWORD}
    return {"MONGODB": address, **clerk, **env}


async def test_tls_and_a_login(secured_mongodb: str, authority: Authority) -> None:
    env = login(secured_mongodb)
    async with worker("mongodb", env, authority=authority.certificate) as client:
        _, answer = await post(client, "/things", {"name": "lamp"})
        (lamp,) = answer["inserted"]
        found = await get(client, "/things", filter=json.dumps({"_id": lamp}))
        assert found == (200, [{"_id": lamp, "name": "lamp"}])


async def test_without_a_login_there_is_hello_and_no_more(
    secured_mongodb: str, authority: Authority
) -> None:
    env = login(secured_mongodb, MONGODB_USER="")
    async with worker("mongodb", env, authority=authority.certificate) as client:
        assert (await get(client, "/"))[0] == 200
        status, answer = await get(client, "/things")
        assert (status, answer["code"], answer["name"]) == (403, 13, "Unauthorized")


@pytest.mark.parametrize(
    "wrong", [{"MONGODB_PASSWORD": "wrong secret"}, {"MONGODB_USER": "nobody-we-know"}]
)
async def test_a_refused_login_is_a_502_that_names_nobody(
    secured_mongodb: str, authority: Authority, wrong: dict[str, str]
) -> None:
    env = login(secured_mongodb, **wrong)
    async with worker("mongodb", env, authority=authority.certificate) as client:
        said = "The server refused the login: error 18 (AuthenticationFailed).\n"
        assert await get(client, "/things") == (502, said)


async def test_a_certificate_that_nobody_vouches_for(secured_mongodb: str) -> None:
    async with worker("mongodb", login(secured_mongodb)) as client:
        status, said = await get(client, "/things")
    assert status == 502
    assert said.startswith("proxy request failed, cannot connect to the specified address")


# What is no server.


async def test_nobody_there() -> None:
    with refusing_port() as refusing:
        address = f"127.0.0.1:{refusing.getsockname()[1]}"
        async with worker("mongodb", {"MONGODB": address, **CLEAR}) as client:
            answer = await get(client, "/")
    assert answer == (502, "proxy request failed, cannot connect to the specified address\n")


def message(body: bytes, *, operation: int = 2013, answers: int = 1) -> bytes:
    """A message from a server, with one section."""
    numbers = (21 + len(body), 9, answers, operation, 0)
    return b"".join(number.to_bytes(4, "little") for number in numbers) + b"\0" + body


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "Expected an answer from MongoDB, got b'HTTP/1.1 400 Bad'.",
        ),
        (message(b"", answers=2)[:30], "Expected an answer from MongoDB, got "),
        (message(b"", operation=1), "Expected an answer from MongoDB, got "),
        (message(b"\x05\0\0\0\1"), "The server sent a document whose length is wrong."),
        (message(b"\x05\0\0\0\0")[:20], "The server closed the connection in the middle"),
        (message(b"")[:-1] + b"\0" + b"\x05", "The server sent a document that is no BSON."),
    ],
)
async def test_a_peer_that_is_no_server_for_us(sent: bytes, said: str) -> None:
    def script(peer: Peer) -> None:
        length = int.from_bytes(peer.read_exactly(4), "little")
        peer.read_exactly(length - 4)
        peer.send(sent)

    async with (
        PeerServer(script) as server,
        worker("mongodb", {"MONGODB": server.address, **CLEAR}) as client,
    ):
        status, answer = await get(client, "/")
        assert status == 502
        assert answer.startswith(said)
