"""workers/imap.py against dovecot; servers that break its rules are scripted."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.protocols.conftest import RequireProgram
from tests.protocols.dovecot import PASSWORD, USER, Dovecot, dovecot
from tests.protocols.gallery import worker
from tests.support.certificates import Authority
from tests.support.folders import open_folder
from tests.support.peers import Peer, PeerServer, refusing_port

ENV = {"IMAP_USER": USER, "IMAP_PASSWORD": PASSWORD}

MESSAGES = [
    # Name in the Maildir (S is seen, F flagged) and text.
    (
        "1:2,S",
        b"Date: Mon, 1 Jun 2026 10:00:00 +0000\r\nFrom: Bob <bob@example.com>\r\n"
        b"To: ann@example.com\r\nSubject: One\r\n\r\nFirst.\r\n",
    ),
    (
        "2:2,FS",
        b"Date: Tue, 2 Jun 2026 10:00:00 +0000\r\nFrom: =?utf-8?q?J=C3=B6rg?= <joerg@example.com>\r\n"
        b'Subject: =?utf-8?b?R3LDvMOfZQ==?= "and" {3}\r\n (folded)\r\n\r\n',
    ),
    ("3:2,", b"Subject: =?no-such-charset?q?x?=\r\nFrom: <\r\n\r\n" + b"x" * 200_000),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as path:
        yield path


@pytest.fixture
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture
async def mail_server(
    require_program: RequireProgram, folder: Path, authority: Authority
) -> AsyncIterator[Dovecot]:
    """Dovecot with three messages in INBOX and two more mailboxes, one with a name to be quoted."""
    program = require_program("dovecot", debian="dovecot-imapd")
    for mailbox in ("", ".Entw&APw-rfe", '.A "b" &- c', ".Empty"):
        for name in ("cur", "new", "tmp"):
            (folder / "mail" / mailbox / name).mkdir(parents=True)
    for name, text in MESSAGES:
        (folder / "mail" / "cur" / name).write_bytes(text)
    (folder / "mail" / ".Entw&APw-rfe" / "cur" / "9:2,D").write_bytes(b"Subject: Draft\r\n\r\n")
    async with dovecot(program, folder, authority.issue("localhost")) as server:
        yield server


@pytest.mark.parametrize("transport", ["on", "starttls"])
async def test_the_newest_messages(
    mail_server: Dovecot, authority: Authority, folder: Path, transport: str
) -> None:
    port = mail_server.imaps_port if transport == "on" else mail_server.imap_port
    env = {**ENV, "IMAP": f"localhost:{port}", "IMAP_TLS": transport}
    async with worker("imap", env, authority=authority.certificate) as client:
        answer = await client.get("/INBOX")
        assert answer.status == 200, await answer.text()
        third, second, first = await answer.json()
        assert first == {
            "uid": 1,
            "size": len(MESSAGES[0][1]),
            "flags": ["\\Seen", "\\Recent"],
            "date": "Mon, 01 Jun 2026 10:00:00 +0000",
            "from": "Bob <bob@example.com>",
            "to": "ann@example.com",
            "subject": "One",
        }
        assert second["from"] == "Jörg <joerg@example.com>"
        assert second["subject"] == 'Grüße "and" {3} (folded)'
        assert set(second["flags"]) == {"\\Flagged", "\\Seen", "\\Recent"}
        assert second["to"] is None
        assert third["subject"] == "x"
        assert third["from"] in ("<", "<>")  # As it came, or as Python 3.13 has it.
        assert (third["uid"], third["size"]) == (3, len(MESSAGES[2][1]))
        answer = await client.get("/INBOX?limit=1")
        assert await answer.json() == [third]
    seen = {path.name for path in (folder / "mail" / "cur").iterdir()}
    assert any(name.startswith("3") and "S" not in name for name in seen)  # Nothing was marked.


async def test_the_mailboxes(mail_server: Dovecot, authority: Authority) -> None:
    env = {**ENV, "IMAP": f"localhost:{mail_server.imaps_port}"}
    async with worker("imap", env, authority=authority.certificate) as client:
        mailboxes = await (await client.get("/")).json()
        assert {mailbox["name"] for mailbox in mailboxes} == {
            "INBOX",
            "Entwürfe",
            'A "b" & c',
            "Empty",
        }
        assert all("\\HasNoChildren" in mailbox["flags"] for mailbox in mailboxes)
        (draft,) = await (await client.get("/Entw%C3%BCrfe")).json()
        assert (draft["subject"], draft["flags"]) == ("Draft", ["\\Draft", "\\Recent"])
        for name in ("A%20%22b%22%20&%20c", "Empty"):
            answer = await client.get(f"/{name}")
            assert (answer.status, await answer.json()) == (200, [])


async def test_no_such_mailbox(mail_server: Dovecot, authority: Authority) -> None:
    env = {**ENV, "IMAP": f"localhost:{mail_server.imaps_port}"}
    async with worker("imap", env, authority=authority.certificate) as client:
        answer = await client.get("/Nowhere")
        assert answer.status == 404
        error = (await answer.json())["error"]
        assert error.startswith("EXAMINE: NO Mailbox doesn't exist: Nowhere")


async def test_a_wrong_password(mail_server: Dovecot, authority: Authority) -> None:
    env = {**ENV, "IMAP": f"localhost:{mail_server.imaps_port}", "IMAP_PASSWORD": "secret"}
    async with worker("imap", env, authority=authority.certificate) as client:
        answer = await client.get("/")
        assert answer.status == 502
        assert await answer.json() == {
            "error": "LOGIN: NO [AUTHENTICATIONFAILED] Authentication failed."
        }


async def test_a_certificate_of_an_unknown_authority(mail_server: Dovecot) -> None:
    async with worker("imap", {**ENV, "IMAP": f"localhost:{mail_server.imaps_port}"}) as client:
        answer = await client.get("/")
        assert (answer.status, await answer.json()) == (
            502,
            {"error": "proxy request failed, cannot connect to the specified address"},
        )


# Input, and servers that misbehave.


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (
            "/INBOX%0d%0aa3%20DELETE%20INBOX",
            "A mailbox's name is one line without control characters.",
        ),
        ("/INBOX?limit=0", "limit= is a number from 1 to 999."),
        ("/INBOX?limit=1:*", "limit= is a number from 1 to 999."),
    ],
)
async def test_a_request_that_makes_no_sense(path: str, error: str) -> None:
    async with worker("imap", {**ENV, "IMAP": "localhost:1"}) as client:
        answer = await client.get(path)
        assert (answer.status, await answer.json()) == (400, {"error": error})


async def test_nobody_is_there() -> None:
    with refusing_port() as taken:
        env = {**ENV, "IMAP": f"127.0.0.1:{taken.getsockname()[1]}"}
        async with worker("imap", env) as client:
            answer = await client.get("/")
            assert (answer.status, await answer.json()) == (
                502,
                {"error": "proxy request failed, cannot connect to the specified address"},
            )


def over_tls(
    authority: Authority, script: Callable[[ssl.SSLSocket], None]
) -> Callable[[Peer], None]:
    """A peer's script that is run after a handshake; the end is the client's to say."""
    certificate = authority.issue("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.both)

    def run(peer: Peer) -> None:
        with context.wrap_socket(peer.raw, server_side=True, suppress_ragged_eofs=True) as secured:
            script(secured)
            while secured.recv(1000):
                pass

    return run


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"220 mail\r\n", "The server does not greet as IMAP does, but by b'220 mail\\r\\n'."),
        (
            b"* BYE later\r\n",
            "The server does not greet as IMAP does, but by b'* BYE later\\r\\n'.",
        ),
        (b"* OK {2000000}\r\n", "The server sends a literal of 2000000 bytes."),
        (b"x" * 100_000, "The IMAP server broke off in the middle of a response."),
    ],
)
async def test_a_greeting_that_is_none(authority: Authority, greeting: bytes, error: str) -> None:
    script = over_tls(authority, lambda secured: secured.sendall(greeting))
    async with PeerServer(script) as server:
        env = {**ENV, "IMAP": server.address}
        async with worker("imap", env, authority=authority.certificate) as client:
            answer = await client.get("/")
            assert (answer.status, await answer.json()) == (502, {"error": error})


@pytest.mark.parametrize(
    "line",
    [b"LIST ((", b'LIST () "/" "no end', b"LIST", b'LIST NIL "/" NIL', b"LIST {5}\r\n))))) x"],
)
async def test_a_response_that_is_none(authority: Authority, line: bytes) -> None:
    def script(secured: ssl.SSLSocket) -> None:
        secured.sendall(b"* OK IMAP4rev1\r\n")
        assert secured.recv(1000) == b'a1 LOGIN "ann" "p\\"a\\\\ss word"\r\n'
        secured.sendall(b"* CAPABILITY IMAP4rev1\r\na1 OK Welcome\r\n")
        assert secured.recv(1000) == b'a2 LIST "" "*"\r\n'
        secured.sendall(b"* " + line + b" \r\na2 OK Done\r\n")

    async with PeerServer(over_tls(authority, script)) as server:
        env = {**ENV, "IMAP": server.address}
        async with worker("imap", env, authority=authority.certificate) as client:
            answer = await client.get("/")
            assert answer.status == 502
            assert await answer.json() == {
                "error": f"The server's response is no IMAP: {line + b' ' + bytes([13, 10])!r}."
            }


async def test_what_is_said_before_tls_is_not_believed() -> None:
    def script(peer: Peer) -> None:
        peer.send(b"* OK IMAP4rev1\r\n")
        peer.expect(b"a1 STARTTLS\r\n")
        peer.send(b"a1 OK Begin\r\na2 OK Welcome\r\n")
        peer.wait_for_reset()

    async with PeerServer(script) as server:
        env = {**ENV, "IMAP": server.address, "IMAP_TLS": "starttls"}
        async with worker("imap", env) as client:
            answer = await client.get("/")
            assert answer.status == 502
            assert await answer.json() == {
                "error": "15 bytes came before TLS: b'a2 OK Welcome\\r\\n'"
            }
