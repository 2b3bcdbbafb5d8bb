"""mysql.py against MariaDB over TLS; caching_sha2_password against a scripted peer, and MySQL where it is named.

Debian's stable release has no MySQL. MYSQLD=/path/to/mysqld in the environment runs the tests that need one.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import os
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulator import serve
from emulator.sockets import Network, Trust
from tests.protocols.conftest import RequireProgram
from tests.support.certificates import Authority, IssuedCertificate
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.ports import free_port
from tests.support.process import beside, running
from tests.support.waiting import within

WORKER = Path(__file__).parents[2] / "workers" / "mysql.py"
SERVER_TIMEOUT_SECONDS = 60
PASSWORD = "correct horse battery"
ACCOUNTS = f"""\
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE USER 'clerk'@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;
CREATE USER 'visitor'@'%' IDENTIFIED BY '';
GRANT ALL ON shop.* TO 'clerk'@'%';
GRANT ALL ON shop.* TO 'visitor'@'%';
CREATE TABLE shop.things (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50));
CREATE TABLE shop.odds (bits BIT(12), year YEAR, picture BLOB, story TEXT, single FLOAT);
INSERT INTO shop.odds VALUES (b'100000000101', 2024, x'fe00', 'é', 0.5);
"""


@dataclass(frozen=True)
class Database:
    """A server that runs: where, and the authority its certificate comes from."""

    address: str
    authority: Authority | None


@contextmanager
def database_server(
    program: str, prepare: list[str], authority: Authority | None
) -> Iterator[Database]:
    """Run `program` on a free port; `prepare` begins the command that makes an empty data folder."""
    with tempfile.TemporaryDirectory(prefix="pyworker-mysql-") as name:
        folder = Path(name)
        account = ["--user=root"] if os.geteuid() == 0 else []
        common = ["--no-defaults", f"--datadir={folder / 'data'}", *account]
        made = [prepare[0], *common, *prepare[1:]]
        subprocess.run(made, check=True, capture_output=True, timeout=SERVER_TIMEOUT_SECONDS)
        (folder / "accounts.sql").write_text("SET NAMES utf8mb4;\n" + ACCOUNTS)
        tls = ["--skip-ssl"]
        if authority is not None:
            issued = authority.issue("127.0.0.1", "localhost")
            tls = [f"--ssl-cert={issued.certificate}", f"--ssl-key={issued.key}"]
        port = free_port()
        argv = [
            *[program, *common, *tls, "--bind-address=127.0.0.1", f"--port={port}"],
            "--skip-name-resolve",  # Or accounts without a name, for localhost, would come before ours.
            *[f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}"],
            *[f"--init-file={folder / 'accounts.sql'}", "--max-allowed-packet=64M"],
        ]
        ready = running(argv, ready=r"port: \d+", timeout_seconds=SERVER_TIMEOUT_SECONDS)
        with beside(ready):
            yield Database(f"127.0.0.1:{port}", authority)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def mariadb_parts(require_program: RequireProgram) -> tuple[str, list[str]]:
    """MariaDB's server, and how an empty data folder is made."""
    install = require_program("mariadb-install-db", debian="mariadb-server")
    options = ["--auth-root-authentication-method=normal", "--innodb-log-file-size=4M"]
    return require_program("mariadbd", debian="mariadb-server"), [install, *options]


@pytest.fixture(scope="module")
def mariadb(mariadb_parts: tuple[str, list[str]], authority: Authority) -> Iterator[Database]:
    with database_server(*mariadb_parts, authority) as database:
        yield database


@pytest.fixture(scope="module")
def mariadb_in_the_clear(mariadb_parts: tuple[str, list[str]]) -> Iterator[Database]:
    with database_server(*mariadb_parts, None) as database:
        yield database


@pytest.fixture(scope="module")
def mysql(authority: Authority) -> Iterator[Database]:
    """MySQL itself."""
    program = os.environ.get("MYSQLD")
    if program is None:
        pytest.skip("MySQL is not in Debian stable. To run this test: MYSQLD=/path/to/mysqld")
    with database_server(program, [program, "--initialize-insecure"], authority) as database:
        yield database


@asynccontextmanager
async def worker_before(database: Database, **env: str) -> AsyncIterator[str]:
    """Serve the worker in front of `database` as its clerk, unless `env` says otherwise; gives its URL."""
    defaults = {"MYSQL_USER": "clerk", "MYSQL_PASSWORD": PASSWORD, "MYSQL_DATABASE": "shop"}
    authority = database.authority
    network = Network(trust=Trust(() if authority is None else (authority.certificate,)))
    variables = {"MYSQL": database.address, **defaults, **env}
    async with serve(WORKER, env=variables, network=network) as server:
        yield server.url


async def ask(url: str, statement: str) -> tuple[int, Any]:
    """POST a statement; return the status, and the JSON or text of the answer."""
    body = io.BytesIO(statement.encode())
    async with aiohttp.ClientSession() as session, session.post(url, data=body) as response:
        is_json = response.content_type == "application/json"
        answer = response.json() if is_json else response.text()
        return response.status, await within(answer, SERVER_TIMEOUT_SECONDS)


# MariaDB.


async def test_values_of_every_kind_over_tls(mariadb: Database) -> None:
    async with worker_before(mariadb) as url:
        status, answer = await ask(
            url,
            "SELECT 1 AS one, -7 AS minus, 18446744073709551615 AS big, 1.5e0 AS half, 10.50 AS exact, NULL AS none,"
            " 'Zoë ☃ 𝄞' AS word, '' AS empty, x'00ff' AS bytes, DATE '2024-02-29' AS day",
        )
        assert status == 200
        assert answer == {
            "columns": [
                "one",
                "minus",
                "big",
                "half",
                "exact",
                "none",
                "word",
                "empty",
                "bytes",
                "day",
            ],
            "rows": [[1, -7, 2**64 - 1, 1.5, "10.50", None, "Zoë ☃ 𝄞", "", "AP8=", "2024-02-29"]],
        }
        _, answer = await ask(url, "SELECT bits, year, picture, story, single FROM odds")
        assert answer["rows"] == [[0b100000000101, 2024, "/gA=", "é", 0.5]]
        _, answer = await ask(url, "SHOW STATUS LIKE 'Ssl_version'")
        assert answer["rows"][0][1].startswith("TLSv1.")


async def test_what_a_statement_changed(mariadb: Database) -> None:
    async with worker_before(mariadb) as url:
        await ask(url, "TRUNCATE things")
        changed = await ask(url, "INSERT INTO things (name) VALUES ('a'), ('b')")
        assert changed == (200, {"affected_rows": 2, "last_insert_id": 1})
        rows = await ask(url, "SELECT id, name FROM things ORDER BY id")
        assert rows == (200, {"columns": ["id", "name"], "rows": [[1, "a"], [2, "b"]]})
        nothing = await ask(url, "SELECT id FROM things WHERE 1 = 0")
        assert nothing == (200, {"columns": ["id"], "rows": []})


@pytest.mark.parametrize("length", [250, 251, 65_535, 65_536, 0xFFFFFF - 4, 0xFFFFFF + 10])
async def test_packets_of_every_length(mariadb: Database, length: int) -> None:
    async with worker_before(mariadb) as url:
        _, answer = await ask(url, f"SELECT REPEAT('x', {length}), LENGTH('{'y' * length}')")
    (text, count), *none = answer["rows"]
    assert none == []
    assert text == "x" * length
    assert count == length


async def test_a_statement_that_is_exactly_one_full_packet(mariadb: Database) -> None:
    comment = "*" * (0xFFFFFF - len("\x03SELECT 1 /**/"))
    async with worker_before(mariadb) as url:
        _, answer = await ask(url, f"SELECT 1 /*{comment}*/")
    assert answer["rows"] == [[1]]


async def test_many_rows(mariadb: Database) -> None:
    async with worker_before(mariadb) as url:
        _, answer = await ask(url, "SELECT seq, seq * 2 FROM seq_1_to_5000")
    assert answer["rows"] == [[number, number * 2] for number in range(1, 5001)]


async def test_a_mistaken_statement_is_a_400_with_code_and_state(mariadb: Database) -> None:
    async with worker_before(mariadb) as url:
        status, answer = await ask(url, "SELEKT 1")
        assert (status, answer["code"], answer["sqlstate"]) == (400, 1064, "42000")
        assert answer["error"].startswith("You have an error in your SQL syntax")
        status, answer = await ask(url, "SELECT * FROM nowhere")
        assert (status, answer["code"], answer["sqlstate"]) == (400, 1146, "42S02")


@pytest.mark.parametrize(
    ("env", "code", "state"),
    [
        ({"MYSQL_PASSWORD": "a secret that is wrong"}, 1045, "28000"),
        ({"MYSQL_USER": "nobody-we-know"}, 1045, "28000"),
        ({"MYSQL_DATABASE": "attic"}, 1044, "42000"),
    ],
)
async def test_a_refused_login_names_nobody(
    mariadb: Database, env: dict[str, str], code: int, state: str
) -> None:
    async with worker_before(mariadb, **env) as url:
        answer = await ask(url, "SELECT 1")
    assert answer == (502, f"The server refused the login: error {code} ({state}).\n")


async def test_an_account_without_password_and_no_database(mariadb: Database) -> None:
    visitor = {"MYSQL_USER": "visitor", "MYSQL_PASSWORD": "", "MYSQL_DATABASE": ""}
    async with worker_before(mariadb, **visitor) as url:
        _, answer = await ask(url, "SELECT DATABASE(), CURRENT_USER()")
    assert answer["rows"] == [[None, "visitor@%"]]


async def test_no_connection_stays_and_none_is_counted_as_lost(mariadb: Database) -> None:
    async with worker_before(mariadb) as url:

        async def counted(name: str) -> int:
            _, answer = await ask(url, f"SHOW GLOBAL STATUS LIKE '{name}'")
            return int(answer["rows"][0][1])

        lost = await counted("Aborted_clients")
        await ask(url, "SELECT 1")
        await ask(url, "SELEKT 1")
        async with asyncio.timeout(10):
            while await counted("Threads_connected") > 1:  # The server's own pace.
                pass
        assert await counted("Aborted_clients") == lost


async def test_a_server_without_tls_is_refused_unless_told_so(
    mariadb_in_the_clear: Database,
) -> None:
    visitor = {"MYSQL_USER": "visitor", "MYSQL_PASSWORD": ""}
    async with worker_before(mariadb_in_the_clear, **visitor) as url:
        answer = await ask(url, "SELECT 1")
    assert answer == (502, "The server offers no TLS. MYSQL_TLS=off goes on without it.\n")
    async with worker_before(mariadb_in_the_clear, MYSQL_TLS="off", **visitor) as url:
        status, answer = await ask(url, "SELECT 1")
    assert (status, answer["rows"]) == (200, [[1]])


async def test_a_certificate_that_nobody_vouches_for(mariadb: Database) -> None:
    async with worker_before(Database(mariadb.address, None)) as url:
        status, answer = await ask(url, "SELECT 1")
    assert status == 502
    assert answer.startswith("proxy request failed, cannot connect to the specified address")


# What is no server, and what is no question.


async def test_nobody_there() -> None:
    with refusing_port() as refusing:
        nowhere = Database(f"127.0.0.1:{refusing.getsockname()[1]}", None)
        async with worker_before(nowhere) as url:
            answer = await ask(url, "SELECT 1")
    assert answer == (502, "proxy request failed, cannot connect to the specified address\n")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"SSH-2.0-other\r\n", "Expected a MySQL packet, got b'SSH-'."),
        (b"\x05\x00\x00\x00\x09old\x00", "The server greets with protocol 9, not 10."),
        (b"\x05\x00\x00\x00\x0anew\x00", "The server's greeting is cut short."),
        (b"\x05\x00", "The server closed the connection in the middle of the conversation."),
        (
            b"\x17\x00\x00\x00\xff\x10\x04Too many connections",
            "The server refused the login: error 1040 (HY000).",
        ),
    ],
)
async def test_a_peer_that_is_no_server_for_us(sent: bytes, said: str) -> None:
    async with (
        PeerServer(lambda peer: peer.send(sent)) as peer,
        worker_before(Database(peer.address, None)) as url,
    ):
        assert await ask(url, "SELECT 1") == (502, f"{said}\n")


async def test_a_get_and_an_empty_statement_are_told_what_to_send() -> None:
    async with worker_before(Database("127.0.0.1:1", None)) as url:
        assert await ask(url, " \n") == (400, "POST one SQL statement.\n")
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            assert response.status == 400


# caching_sha2_password: a scripted peer, that follows MySQL's manual.

NONCE = bytes(range(1, 21))
FAST, FULL, LOGGED_IN = b"\x01\x03", b"\x01\x04", bytes(7)


class Sha2Peer:
    """The server's side of a login by caching_sha2_password, and of SELECT 1."""

    def __init__(self, peer: Peer, certificate: IssuedCertificate | None) -> None:
        self.peer, self.certificate, self.sequence = peer, certificate, 0

    def __enter__(self) -> Sha2Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.peer.raw.close()

    def send(self, *packets: bytes) -> None:
        for packet in packets:
            self.peer.send(len(packet).to_bytes(3, "little") + bytes([self.sequence]) + packet)
            self.sequence += 1

    def receive(self) -> bytes:
        header = self.peer.read_exactly(4)
        assert header[3] == self.sequence
        self.sequence += 1
        return self.peer.read_exactly(int.from_bytes(header[:3], "little"))

    def greet(self, plugin: bytes) -> None:
        """Greet, and go over to TLS if there is a certificate."""
        capabilities = (0x008FF7DF | (0x800 if self.certificate else 0)).to_bytes(4, "little")
        self.send(
            b"\x0a9.0.0\x00" + bytes(4) + NONCE[:8] + b"\x00" + capabilities[:2] + b"\xff\x02\x00"
            + capabilities[2:] + b"\x15" + bytes(10) + NONCE[8:] + b"\x00" + plugin + b"\x00"
        )  # fmt: skip
        if self.certificate:
            asked = self.receive()
            assert len(asked) == 32
            assert int.from_bytes(asked[:4], "little") & 0x800
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate.both)
            secured = context.wrap_socket(self.peer.raw, server_side=True)
            self.peer = Peer(secured, self.peer._stopping)

    def answer_select_1(self) -> None:
        self.sequence = 0
        assert self.receive() == b"\x03SELECT 1"
        column = b"\x03def\x00\x00\x00\x011\x00\x0c\x3f\x00\x01\x00\x00\x00\x08\x81\x00\x00\x00\x00"
        self.send(b"\x01", column, b"\xfe\x00\x00\x02\x00", b"\x011", b"\xfe\x00\x00\x02\x00")
        self.sequence = 0
        assert self.receive() == b"\x01"


def sha2_proof() -> bytes:
    """XOR(SHA256(password), SHA256(SHA256(SHA256(password)), nonce)), as MySQL's manual has it."""
    stage1 = hashlib.sha256(PASSWORD.encode()).digest()
    stage2 = hashlib.sha256(hashlib.sha256(stage1).digest() + NONCE).digest()
    mixed = int.from_bytes(stage1, "big") ^ int.from_bytes(stage2, "big")
    return mixed.to_bytes(32, "big")


@pytest.mark.parametrize("first", [b"caching_sha2_password", b"mysql_native_password", b"dialog"])
@pytest.mark.parametrize("full", [False, True], ids=["fast", "full"])
async def test_caching_sha2_password_over_tls(
    authority: Authority, first: bytes, full: bool
) -> None:
    issued = authority.issue("127.0.0.1")

    def script(peer: Peer) -> None:
        with Sha2Peer(peer, issued) as server:
            server.greet(first)
            login = server.receive()
            if first == b"caching_sha2_password":
                account = b"clerk\x00\x20" + sha2_proof() + b"shop\x00" + first + b"\x00"
                assert login[32:] == account
            else:
                server.send(b"\xfecaching_sha2_password\x00" + NONCE + b"\x00")
                assert server.receive() == sha2_proof()
            if full:
                server.send(FULL)
                assert server.receive() == PASSWORD.encode() + b"\x00"
                server.send(LOGGED_IN)
            else:
                server.send(FAST, LOGGED_IN)
            server.answer_select_1()

    async with (
        PeerServer(script) as peer,
        worker_before(Database(peer.address, authority)) as url,
    ):
        assert await ask(url, "SELECT 1") == (200, {"columns": ["1"], "rows": [[1]]})


async def test_the_password_is_never_sent_in_the_clear() -> None:
    def script(peer: Peer) -> bytes:
        server = Sha2Peer(peer, None)
        server.greet(b"caching_sha2_password")
        server.receive()
        server.send(FULL)
        return peer.wait_for_eof()

    async with (
        PeerServer(script) as peer,
        worker_before(Database(peer.address, None), MYSQL_TLS="off") as url,
    ):
        said = "The server wants the password itself: that takes TLS.\n"
        assert await ask(url, "SELECT 1") == (502, said)
        assert await peer.result() == b""


async def test_a_plugin_that_is_not_spoken_is_named() -> None:
    def script(peer: Peer) -> None:
        server = Sha2Peer(peer, None)
        server.greet(b"client_ed25519")
        server.receive()
        server.send(b"\xfeclient_ed25519\x00" + NONCE + b"\x00")
        peer.wait_for_eof()

    async with (
        PeerServer(script) as peer,
        worker_before(Database(peer.address, None), MYSQL_TLS="off") as url,
    ):
        said = "The account uses client_ed25519, which is not spoken here.\n"
        assert await ask(url, "SELECT 1") == (502, said)


# MySQL itself.


async def test_mysql_takes_the_full_login_then_the_fast_one(mysql: Database) -> None:
    query = (
        "SELECT plugin, 'Zoë', x'00ff', 1.5e0, NULL, CAST('[1]' AS JSON)"
        " FROM (SELECT 'caching_sha2_password' AS plugin) AS p"
    )
    async with worker_before(mysql) as url:
        for _ in range(2):
            _, answer = await ask(url, query)
            assert answer["rows"] == [
                [
                    "caching_sha2_password",
                    "Zoë",
                    base64.b64encode(b"\x00\xff").decode(),
                    1.5,
                    None,
                    "[1]",
                ]
            ]
        status, answer = await ask(url, "SELEKT 1")
        assert (status, answer["code"], answer["sqlstate"]) == (400, 1064, "42000")
    async with worker_before(mysql, MYSQL_PASSWORD="wrong") as url:
        refused = await ask(url, "SELECT 1")
        assert refused == (502, "The server refused the login: error 1045 (28000).\n")
