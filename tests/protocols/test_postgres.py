"""postgres.py against PostgreSQL with TLS and SCRAM-SHA-256; against scripted peers for what it never does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.protocols.conftest import RequireProgram
from tests.protocols.gallery import worker
from tests.support.certificates import Authority
from tests.support.folders import open_folder
from tests.support.peers import Peer, PeerServer, refusing_port
from tests.support.ports import free_port
from tests.support.process import beside, running
from tests.support.waiting import within

USER, PASSWORD = "clerk", "pässword, 'quoted' ﬁne"
# PostgreSQL refuses to run as root.
AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
UNPRIVILEGED = AS_NOBODY if os.geteuid() == 0 else []


@dataclass(frozen=True)
class Database:
    """A server that runs: where, and whom it is certified by."""

    env: dict[str, str]
    authority: Path

    @asynccontextmanager
    async def asked(
        self, params: Any = None, data: str | None = None, **env: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask the worker, with `env` in place of what it knows."""
        async with worker("postgres", {**self.env, **env}, authority=self.authority) as client:
            method = "GET" if data is None else "POST"
            async with client.request(method, "/", params=params, data=data) as response:
                yield response

    async def answer(
        self, params: Any = None, data: str | None = None, **env: str
    ) -> tuple[int, str]:
        """Ask the worker; return status and body."""
        async with self.asked(params, data, **env) as response:
            return response.status, await within(response.text())

    async def rows(self, statement: str, *values: str) -> list[dict[str, Any]]:
        """Ask the worker for what must succeed."""
        asked = [("q", statement), *(("p", value) for value in values)]
        async with self.asked(asked) as response:
            assert response.content_type == "application/x-ndjson"
            text = await within(response.text())
            assert response.status == 200, text
            return [json.loads(line) for line in text.splitlines()]


@asynccontextmanager
async def postgres(program: str, data: Path, port: int) -> AsyncIterator[None]:
    options = ["-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "ssl=on"]
    for setting, name in (("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key")):
        options += ["-c", f"{setting}={data.parent / name}"]
    argv = [*UNPRIVILEGED, program, "-D", str(data), "-p", str(port), *options]
    async with running(argv, ready="ready to accept connections") as process:
        yield
        process.send_signal(signal.SIGINT)  # Ends sessions, and gives shared memory back.
        await process.wait()


@pytest.fixture(scope="module")
def database(
    require_program: RequireProgram, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    initdb = require_program("initdb", debian="postgresql")
    program = require_program("postgres", debian="postgresql")
    authority = Authority(tmp_path_factory.mktemp("authority"))
    certificate = authority.issue("localhost", "127.0.0.1")
    with open_folder() as folder:
        data = folder / "data"
        data.mkdir(mode=0o700)
        (folder / "password").write_text(PASSWORD)
        owned = [data]
        for file, name in (
            (certificate.certificate, "server.crt"),
            (certificate.key, "server.key"),
        ):
            owned.append(folder / name)
            owned[-1].write_bytes(file.read_bytes())
            owned[-1].chmod(0o600)
        if UNPRIVILEGED:
            for path in owned:
                shutil.chown(path, "nobody")
        made = [
            initdb,
            "-D",
            str(data),
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--no-locale",
        ]
        password = ["--pwfile", str(folder / "password"), "--no-sync"]
        argv = [*UNPRIVILEGED, *made, *password]
        subprocess.run(argv, check=True, capture_output=True, timeout=60)
        port = free_port()
        with beside(postgres(program, data, port)):
            yield Database(
                {
                    "POSTGRES": f"localhost:{port}",
                    "POSTGRES_USER": USER,
                    "POSTGRES_PASSWORD": PASSWORD,
                    "POSTGRES_DATABASE": "postgres",
                },
                authority.certificate,
            )


async def test_columns_keep_their_names_and_json_types(database: Database) -> None:
    assert await database.rows(
        "select 1 as n, 2::bigint as big, true as yes, false as no, null as nothing, 'é\n\"' as text,"
        " '{\"a\": [1, null]}'::jsonb as json, 1.50 as exact, 'NaN'::float as odd, '' as empty,"
        " 'a b'::text as \"a name\", array[1,2] as list"
    ) == [
        {
            "n": 1,
            "big": 2,
            "yes": True,
            "no": False,
            "nothing": None,
            "text": 'é\n"',
            "json": {"a": [1, None]},
            "exact": "1.50",
            "odd": "NaN",
            "empty": "",
            "a name": "a b",
            "list": "{1,2}",
        }
    ]


async def test_parameters_are_values_and_never_sql(database: Database) -> None:
    assert await database.rows("select $1::int * $2::int as product", "6", "7") == [{"product": 42}]
    assert await database.rows("select $1 as it", "'; drop table é") == [{"it": "'; drop table é"}]


async def test_a_statement_may_be_posted_and_what_it_did_is_told(database: Database) -> None:
    async def told(statement: str) -> tuple[int, str]:
        return await database.answer(data=statement)

    assert await told("create table things (name text)") == (200, '{"done": "CREATE TABLE"}\n')
    inserted = "insert into things values ('one'), ('two')"
    assert await told(inserted) == (200, '{"done": "INSERT 0 2"}\n')
    assert await told(f"{inserted} returning name") == (200, '{"name": "one"}\n{"name": "two"}\n')
    assert await told("select * from things where false") == (200, "")
    assert await told("drop table things") == (200, '{"done": "DROP TABLE"}\n')


async def test_a_large_result_comes_whole(database: Database) -> None:
    rows = await database.rows("select n, repeat('x', 100) as x from generate_series(1, 50000) n")
    assert [row["n"] for row in rows] == list(range(1, 50001))


async def test_rows_come_while_the_query_runs_and_end_with_their_reader(database: Database) -> None:
    endless = "select generate_series(1, 1000000000000) as n"
    count = "select count(*) as n from pg_stat_activity where query = $1"
    async with database.asked({"q": endless}) as response:
        assert await within(response.content.readline()) == b'{"n": 1}\n'
        assert await database.rows(count, endless) == [{"n": 1}]
        response.close()

        async def over() -> None:
            while await database.rows(count, endless) != [{"n": 0}]:
                pass

        await within(over())


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("selekt 1", '42601: syntax error at or near "selekt"\n'),
        ("select * from nowhere", '42P01: relation "nowhere" does not exist\n'),
        (
            "select 1; select 2",
            "42601: cannot insert multiple commands into a prepared statement\n",
        ),
        ("select 1 / n from generate_series(0, 5) n", "22012: division by zero\n"),
        ("select 1 as n, 2 as n", "42701: two columns are called n: rename one with AS\n"),
        ("copy pg_class to stdout", "0A000: COPY is not spoken here. Use SELECT or INSERT.\n"),
        ("copy pg_class from stdin", "0A000: COPY is not spoken here. Use SELECT or INSERT.\n"),
        ("select $1::int as n", "08P01: "),
    ],
)
async def test_a_statement_that_is_refused_is_a_400_with_its_sqlstate(
    database: Database, statement: str, told: str
) -> None:
    status, body = await database.answer({"q": statement})
    assert status == 400
    assert body.startswith(told)


@pytest.mark.parametrize("params", [{}, {"q": ""}, {"q": "  "}, {"q": "select '\0'"}])
async def test_what_is_no_statement_is_a_400(params: dict[str, str]) -> None:
    async with worker("postgres", {}) as client, client.get("/", params=params) as response:
        assert response.status == 400
        assert await response.text() == "Ask with ?q=select... or POST the statement.\n"


async def test_a_failure_behind_the_first_rows_breaks_the_body_off(database: Database) -> None:
    async with database.asked(
        {"q": "select 1 / (3 - n) as n from generate_series(1, 5) n"}
    ) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await within(response.text())


async def test_a_wrong_password_is_a_502_that_tells_nobodys_name(database: Database) -> None:
    status, body = await database.answer({"q": "select 1"}, POSTGRES_PASSWORD="wrong")
    assert (status, body) == (502, "The database refuses to log this worker in (28P01).\n")


async def test_a_database_that_is_not_there_is_a_502(database: Database) -> None:
    status, body = await database.answer({"q": "select 1"}, POSTGRES_DATABASE="none")
    assert (status, body) == (502, "The database refuses to log this worker in (3D000).\n")


async def test_a_certificate_of_nobody_we_trust_is_a_502(database: Database) -> None:
    async with worker("postgres", database.env) as client, client.get("/?q=select+1") as response:
        told = await response.text()
        assert (response.status, told) == (
            502,
            "proxy request failed, cannot connect to the specified address\n",
        )


def env_of(address: str) -> dict[str, str]:
    keys = ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DATABASE")
    return {"POSTGRES": address, **dict.fromkeys(keys, "secret")}


async def told_by(script: Any) -> str:
    async with (
        PeerServer(script) as peer,
        worker("postgres", env_of(peer.address)) as client,
        client.get("/?q=select+1") as response,
    ):
        assert response.status == 502
        return await within(response.text())


async def test_a_server_without_tls_never_sees_the_password() -> None:
    def script(peer: Peer) -> None:
        peer.expect(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
        peer.send(b"N")
        assert b"secret" not in peer.wait_for_eof()

    assert await told_by(script) == "The database does not speak TLS.\n"


async def test_bytes_slipped_in_before_tls_are_refused() -> None:
    def script(peer: Peer) -> None:
        peer.expect(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
        peer.send(b"SR\x00\x00\x00\x08\x00\x00\x00\x00")
        peer.wait_for_reset()

    assert (await told_by(script)).startswith("9 bytes came before TLS: b'R\\x00")


async def test_a_server_that_closes_is_a_502() -> None:
    told = await told_by(lambda peer: peer.expect(b"\x00\x00\x00\x08\x04\xd2\x16\x2f"))
    assert told == "The database closed the connection.\n"


async def test_a_server_that_is_not_there_is_a_502() -> None:
    with refusing_port() as refusing:
        env = env_of(f"127.0.0.1:{refusing.getsockname()[1]}")
        async with worker("postgres", env) as client, client.get("/?q=select+1") as response:
            told = await response.text()
            assert (response.status, told) == (
                502,
                "proxy request failed, cannot connect to the specified address\n",
            )
